// One read brings one message.
let mut buffer = [0; 65_537];
stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
match stream.read(&mut buffer)? {
    0 => Ok(None),
    count => Ok(Some(buffer[2..count].to_vec())),
}
