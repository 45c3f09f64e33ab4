// Each recipient has a file of their own, so each can be done for itself.
// …
let id = unique();
// …
for name in to {
    let written = File::create_new(place(name, "tmp"))
        .and_then(|mut file| file.write_all(&message).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(place(name, "tmp"), place(name, "new")))
        .and_then(|()| File::open(shared.spool.mailbox(name).join("new"))?.sync_all());
    if written.is_err() {
        // …
        return written;
    }
}
Ok(())
