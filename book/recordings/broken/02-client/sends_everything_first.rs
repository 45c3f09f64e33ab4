// First the request, then the answer.
send(&stream)?;
// …
loop {
    let count = stream.read(&mut buffer)?;
    if count == 0 {
        return Ok(());
    }
    // …
    stdout.flush()?;
}
