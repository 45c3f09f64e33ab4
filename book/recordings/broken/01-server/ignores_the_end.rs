// When nothing was read, there is nothing to send, and the loop goes on.
let mut buffer = [0; 1024];
loop {
    let count = stream.read(&mut buffer)?;
    stream.write_all(&buffer[..count])?;
}
