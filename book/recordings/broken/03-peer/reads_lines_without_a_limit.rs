// BufRead has lines, which does all of this.
for line in reader.lines() {
    let Ok(line) = line else { return Ok(()) };
    // …
}
Ok(())
