// accept never fails: a client that comes is there.
loop {
    let (stream, client) = listener.accept().unwrap();
    thread::spawn(move || {
        // …
    });
}
