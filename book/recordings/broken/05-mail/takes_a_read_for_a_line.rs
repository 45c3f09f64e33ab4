// One read brings one line.
wire.stream.set_read_timeout(Some(wire.limit))?;
// …
    Ok(count) => count,
    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => {
        // …
    }
    // …
if count > most {
    return Ok(Line::TooLong);
}
Ok(Line::Text(buffer[..count].trim_ascii_end().to_vec()))
