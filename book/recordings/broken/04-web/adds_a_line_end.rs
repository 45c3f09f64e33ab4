// A reply ends with a line end.
// …
if begun + copied < length {
    return Err(Failure::Gone);
}
stream.write_all(b"\r\n")?;
Ok(Status::OK)
