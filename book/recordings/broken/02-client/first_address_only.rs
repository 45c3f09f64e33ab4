// The name is resolved, and the first address is the server's.
let address = address.to_socket_addrs()?.next();
let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
TcpStream::connect(address)
