// One read brings one request.
let mut buffer = [0; LONGEST_HEAD];
stream.set_read_timeout(Some(limit))?;
// …
    Ok(0) => Ok(None),
    Ok(count) => {
        ahead.clear();
        Ok(Some(buffer[..count].to_vec()))
    }
    Err(_) => Ok(None),
// …
