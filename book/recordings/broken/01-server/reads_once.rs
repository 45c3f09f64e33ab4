// One read gets the message, one write sends it back.
let mut buffer = [0; 1024];
let count = stream.read(&mut buffer)?;
stream.write_all(&buffer[..count])
