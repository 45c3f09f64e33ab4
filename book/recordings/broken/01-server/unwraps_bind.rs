// Without its port the server is of no use, so it may as well panic.
Ok(TcpListener::bind(address).unwrap())
