// io::copy does it all.
// …
io::copy(&mut stream, &mut io::stdout())?;
Ok(())
