// If the server is not there, there is nothing to do anyway.
Ok(TcpStream::connect(address).unwrap())
