// All is sent, so the connection is shut down.
io::copy(&mut io::stdin().lock(), &mut stream)?;
stream.shutdown(Shutdown::Both)
