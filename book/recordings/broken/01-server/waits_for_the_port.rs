// A port that is taken will be free some day; until then the server waits.
loop {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            thread::sleep(Duration::from_millis(100));
        }
        result => return result,
    }
}
