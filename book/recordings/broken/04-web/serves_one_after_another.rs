// One client at a time, as in lab 1.
loop {
    // …
    match listener.accept() {
        Ok((stream, _)) => serve(&stream),
        Err(error) => {
            // …
        }
    }
    drop(place);
}
