// The server keeps a list of its clients; that may be useful later.
let mut clients = Vec::new();
loop {
    let (stream, _) = listener.accept()?;
    clients.push(stream.try_clone()?);
    // …
        eprintln!("{error}");
    // …
}
