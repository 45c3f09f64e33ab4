//! Step 4 of lab 4: where `upload` puts what it takes: large bodies, links, and disks that take nothing.

use super::upload::STORED;
use super::{A_FILE, NOBODY_IS_LATE, Web};
use crate::kernel;
use crate::net::noise;
use crate::trial::{Scratch, Trial, Verdict};
use crate::words::count;

checks! { $ web_store, "web" step 4:
    takes_the_largest, 2 points, exotic: "takes a body of 16 MiB";
    "16,777,216 bytes are taken, and memory stays bounded (an upload may be held whole)."

    replaces_a_link, 1 point, exotic: "replaces a link, and not what it points to";
    "PUT to a link's name replaces the link, to a FIFO's the FIFO; a link to a directory is 409."

    says_when_it_cannot_store, 2 points, exotic: "says it when it can't store, and serves on";
    "Can't be written: 403 or 500, nothing of it stays, and the next client is served."
}

fn takes_the_largest(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let web = Web::start(t)?;
    let pid = web.service.running.program.pid();
    let before = kernel::resident_bytes(pid)?;
    let body = noise(6, 16 << 20);
    let mut client = web.visit()?;
    client.put("/large.bin", body.len(), b"")?;
    client.send(&body)?;
    client.expect(&[201], "16 MiB are allowed, to the last byte")?;
    web.root.expect_file("large.bin", &body, STORED)?;
    let grown = kernel::resident_bytes(pid)?.saturating_sub(before);
    if grown < 64 << 20 {
        return Ok(());
    }
    Err(t
        .fail("an upload of 16 MiB costs far more memory than it has bytes")
        .expected("less than 64 MiB more")
        .seen(format!("{} more", count(grown as usize)))
        .cause("what was written to the file can be forgotten")
        .stop())
}

fn replaces_a_link(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.file("target.txt", b"not to be touched\n")?;
    web.root.folder("folder")?;
    web.root.link("link.txt", "target.txt")?;
    web.root.link("to-folder", "folder")?;
    let cause = "rename replaces the name: a link that was written through changes a file that nobody named";
    let mut client = web.visit()?;
    client.ask("GET", "/link.txt")?;
    client.expect_file(b"not to be touched\n", "links below ROOT are followed")?;
    client.put("/link.txt", 4, b"new\n")?;
    client.expect(&[204, 201], cause)?;
    web.root.expect_file("target.txt", b"not to be touched\n", cause)?;
    web.root.expect_file("link.txt", b"new\n", cause)?;
    client.put("/to-folder", 4, b"new\n")?;
    client.expect(&[409], "a link to a folder is a folder")?;
    client.expect_end("behind a refusal the connection ends")?;
    client.close();
    web.root.fifo("pipe")?;
    let cause = "rename replaces a FIFO, too; to open one to write waits for a reader, for ever";
    let mut client = web.visit()?;
    client.put("/pipe", 4, b"new\n")?;
    client.expect(&[204, 201], cause)?;
    web.root.expect_file("pipe", b"new\n", cause)
}

fn says_when_it_cannot_store(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let before = web.root.list()?;
    let cause = "an error of a write, or of the file that is made for it, is told with 403 or 500, and \
                 nothing of the upload stays";
    // A name that is too long for a file: it can't be stored anywhere.
    let mut client = web.visit()?;
    client.put(&format!("/{}", "n".repeat(300)), 5, b"hello")?;
    client.expect(&[403, 409, 500], cause)?;
    client.close();
    web.expect_listing(&before, cause)?;
    // A folder in which nothing can be made.
    web.root.file("closed/a.txt", A_FILE)?;
    web.root.permit("closed", 0o555)?;
    for path in ["/closed/new.txt", "/closed/a.txt"] {
        let mut client = web.visit()?;
        client.put(path, 5, b"hello")?;
        client.expect(&[403, 500], cause)?;
        client.expect_end("behind a refusal the connection ends")?;
        client.close();
    }
    web.root.expect_file("closed/a.txt", A_FILE, cause)?;
    web.expect_service()?;
    web.service.kill()?;
    t.new_story();
    match t.small_disk("ROOT", SMALL)? {
        Some(root) => on_a_full_disk(t, root, cause),
        None => Ok(()),
    }
}

/// The room of a small disk, in bytes.
const SMALL: usize = 64 << 10;

/// The body begins to be written, and there is no room for its end.
fn on_a_full_disk(t: &Trial, root: Scratch, cause: &str) -> Verdict {
    root.file("a.txt", A_FILE)?;
    let web = Web::over(t, root, NOBODY_IS_LATE)?;
    let before = web.root.list()?;
    let body = noise(7, 200_000);
    for path in ["/new.bin", "/a.txt"] {
        let mut client = web.visit()?;
        client.put(path, body.len(), &body)?;
        client.expect(&[403, 500], cause)?;
        client.expect_end("behind a refusal the connection ends")?;
        client.close();
        web.expect_listing(&before, "what has no room is taken away again, and its room is free")?;
    }
    let mut client = web.visit()?;
    client.put("/a.txt", 4, b"new\n")?;
    client.expect(&[204], "there is room for a small one")?;
    client.close();
    web.root.expect_file("a.txt", b"new\n", STORED)?;
    web.expect_service()
}
