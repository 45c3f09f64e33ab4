// When the source has ended the file is complete.
// …
    match go_on(&mut part, source) {
        Ok(()) => break,
        Err(error) => report(&format!("{} from {last}: {error}", source.file)),
    }
// …
