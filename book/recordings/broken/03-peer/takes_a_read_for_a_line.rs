// One read gets one message.
let mut buffer = [0; LONGEST];
loop {
    let Ok(count) = reader.read(&mut buffer) else { return Ok(()) };
    if count == 0 {
        return Ok(());
    }
    let text = std::str::from_utf8(&buffer[..count]).map_err(|_| "a line that is not UTF-8")?;
    let line = text.trim_end_matches('\n');
    // …
}
