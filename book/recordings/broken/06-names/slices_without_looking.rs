// A label is as long as its length says.
// …
if questions != 1 {
    return Err(broken);
}
// …
loop {
    // …
    at += 1;
    match length {
        0 => break,
        1..=63 => labels.push(message[at..at + length].to_vec()),
        // …
    }
    at += length;
}
// …
