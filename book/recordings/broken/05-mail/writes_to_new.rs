// A file that is written and synced is stored.
// …
let id = unique();
// …
let store = || {
    for name in to {
        let mut file = File::create_new(place(name, "new"))?;
        // …
        file.sync_all()?;
    }
    for name in to {
        // …
    }
    Ok(())
};
// …
if stored.is_err() {
    for name in to {
        // …
    }
}
stored
