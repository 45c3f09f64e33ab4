// Who can not be reached is not there, and that is all.
// …
        if let Ok(stream) = TcpStream::connect(other.as_str()) {
            attend(&me, stream, Role::Client);
        }
    // …
Ok(())
