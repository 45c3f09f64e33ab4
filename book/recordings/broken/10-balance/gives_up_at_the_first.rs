// If the backend is down, the client is told so.
let place = pick(backends, &[])?;
// …
    Ok(stream) => Some((stream, place)),
    Err(error) => {
        if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::TimedOut) {
            // …
        }
        None
    }
// …
