// What comes is the answer.
// …
for end in tries {
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
