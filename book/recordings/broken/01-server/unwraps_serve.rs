// An error in serve is a bug, and bugs should be seen.
loop {
    let (stream, _) = listener.accept()?;
    serve(stream).unwrap();
}
