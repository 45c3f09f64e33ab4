// First read all of the input, then send it.
let mut input = Vec::new();
io::stdin().read_to_end(&mut input)?;
stream.write_all(&input)?;
// …
