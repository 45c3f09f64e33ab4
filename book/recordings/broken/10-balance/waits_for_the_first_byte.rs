// A client that says nothing needs no backend yet.
loop {
    // …
        return;
    // …
    match accepted {
        // …
                let _visit = visit;
                if stream.peek(&mut [0]).is_err() {
                    return;
                }
                // …
        Err(error) => {
            // …
        }
    }
}
