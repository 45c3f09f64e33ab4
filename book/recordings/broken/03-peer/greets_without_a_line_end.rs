// write_all sends what I say; the line end is for the screen.
stream
    .write_all(format!("HELLO {}", me.name).as_bytes())
    // …
