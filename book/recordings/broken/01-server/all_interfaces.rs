// 0.0.0.0 is what every tutorial binds, and it always works.
let port = address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
TcpListener::bind(("0.0.0.0", port.unwrap_or(0)))
