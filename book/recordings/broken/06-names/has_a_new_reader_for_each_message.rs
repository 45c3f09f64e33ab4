// A BufReader reads what is needed.
stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
let mut reader = io::BufReader::new(stream);
let mut length = [0; 2];
match reader.read_exact(&mut length) {
    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
    other => other?,
}
let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
reader.read_exact(&mut message)?;
Ok(Some(message))
