// What was read stands in the buffer, so the buffer is sent back.
let mut buffer = [0; 1024];
while stream.read(&mut buffer)? > 0 {
    stream.write_all(&buffer)?;
}
Ok(())
