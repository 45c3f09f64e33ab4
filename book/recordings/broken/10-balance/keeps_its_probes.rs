// The connection is there: perhaps it is needed.
let mut kept = Vec::new();
loop {
    // …
        if let Ok(stream) = TcpStream::connect_timeout(&address, DIAL) {
            kept.push(stream);
            // …
        }
    // …
}
