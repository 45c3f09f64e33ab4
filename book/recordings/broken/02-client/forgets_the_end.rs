// When all is sent, sending is done.
io::copy(&mut io::stdin().lock(), &mut stream)?;
Ok(())
