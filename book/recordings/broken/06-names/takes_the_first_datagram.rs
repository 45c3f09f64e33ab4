// What comes is the answer.
// …
for end in TRIES {
    socket.send(query)?;
    loop {
        // …
        if left.is_zero() {
            break;
        }
        // …
            Ok(length) => {
                // …
            }
            Err(error)
                // …
    }
}
Ok(None)
