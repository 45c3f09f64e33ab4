//! Step 3 of lab 4, `respond`, continued: a large file, and a client that takes it slowly or not at
//! all.

use std::time::{Duration, Instant};

use super::reply::To;
use super::{A_FILE, SECONDS, Web};
use crate::kernel::{self, State};
use crate::net::noise;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ web_download, "web" step 3:
    sends_to_a_slow_reader, 3 points: "loses nothing when the client reads late";
    "A write blocks while the client's queue is full; exactly Content-Length bytes follow all the same."

    survives_who_leaves, 2 points: "survives a client that vanishes in mid-reply";
    "Nobody's failure is another's: a write to a client that has gone ends that connection alone."

    sends_a_large_file, 2 points, exotic: "sends a large file without keeping it in memory";
    "Memory stays bounded, whatever the size of the file."

    lets_a_stalled_reader_go, 2 points, exotic, patient: "lets a client go that reads nothing";
    "A reader: closed when the system took not one byte for it for SECONDS."
}

fn sends_to_a_slow_reader(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let web = Web::start(t)?;
    let bytes = noise(7, 8 << 20);
    web.root.file("large.bin", &bytes)?;
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    // Whether it is blocked in a write, or waits for room in another way.
    let _ = web.service.settle()?;
    t.note("the queues are full, and the web server is in the middle of the file");
    client.freeze_and_thaw()?;
    client.expect_file(
        &bytes,
        "write may take a part of what it is given: write_all goes on with the rest",
    )?;
    // Not the same connection: whoever counts what it sends may have come to its end by now.
    client.close();
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    let _ = web.service.settle()?;
    web.root.append("large.bin", b"HTTP/1.1 and so on: this was added meanwhile\n")?;
    client.expect_file(&bytes, GROWN)?;
    client.ask("GET", "/a.txt")?;
    client.expect_file(A_FILE, GROWN).map_err(|stop| stop.because(GROWN))?;
    client.close();
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    let _ = web.service.settle()?;
    web.root.file("large.bin", b"")?;
    t.note("meanwhile the file was made empty");
    client.expect_end_or(bytes.len(), SHRUNK)
}

const SHRUNK: &str = "a file that has become shorter can't be sent whole any more: the early end of the \
    connection tells the client, who would wait for the rest of it for ever";

const GROWN: &str = "Content-Length is the size that the file had when it was opened, and exactly so many \
    bytes follow: one that is copied to its end may have grown, and what is too much is taken for \
    the next reply";

fn survives_who_leaves(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.file("large.bin", &noise(8, 8 << 20))?;
    for _ in 0..3 {
        let mut client = web.visit()?;
        client.ask("GET", "/large.bin")?;
        client.reset()?;
        let _ = web.service.settle()?;
    }
    web.expect_service()
}

fn sends_a_large_file(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let web = Web::start(t)?;
    web.root.hole("large.bin", 256 << 20)?;
    let pid = web.service.running.program.pid();
    let before = kernel::resident_bytes(pid)?;
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    let _ = web.service.settle()?;
    let mut grown = kernel::resident_bytes(pid)?.saturating_sub(before);
    // What a garbage collector lets lie for a while stays below half of what was sent.
    let mut sent = 0;
    for more in [64 << 20, 160 << 20] {
        client.read_at_least(more)?;
        sent += more as u64;
        grown = grown.max(kernel::resident_bytes(pid)?.saturating_sub(before));
        if grown < sent / 2 {
            client.close();
            return tells_a_large_length(t, &web);
        }
    }
    Err(t
        .fail("the web server keeps the whole file in memory")
        .expected("less than half of what it has sent, for a file of 256 MiB")
        .seen(format!("{} more", count(grown as usize)))
        .cause("a file is sent in pieces: what was sent can be forgotten")
        .stop())
}

fn tells_a_large_length(t: &Trial, web: &Web) -> Verdict {
    let length = 5_u64 << 30;
    web.root.hole("huge.bin", length)?;
    let mut client = web.visit()?;
    client.ask("HEAD", "/huge.bin")?;
    let cause =
        "a file may have more bytes than 32 bits count: 5 GiB here, of which HEAD wants none";
    let reply = client.expect_to(To::Head, &[200], cause)?;
    let seen = reply.field("content-length").unwrap_or_default();
    if seen == length.to_string() {
        return Ok(());
    }
    Err(t
        .fail("the length of a large file is another one")
        .expected(format!("Content-Length: {length}"))
        .seen(format!("Content-Length: {seen}"))
        .cause(cause)
        .stop())
}

/// A client that reads, as often as this, and each time as much.
const READS: usize = 3;
const READ: usize = 1 << 20;
/// It waits so long before each: together more than SECONDS, and each far less.
const PAUSE: Duration = Duration::from_millis(550);

/// A reader that reads in time, until it has seen that it is not let go.
fn keeps_a_slow_reader(t: &Trial, web: &Web) -> Verdict {
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    for _ in 0..READS {
        let began = Instant::now();
        t.let_pass(PAUSE);
        // On a machine that is busy enough it was too slow itself.
        if began.elapsed() > PAUSE * 3 / 2 {
            return Ok(());
        }
        client.read_at_least(READ).map_err(|stop| stop.because(IN_TIME))?;
    }
    Ok(())
}

const IN_TIME: &str = "the client has read 1 MiB every 550 ms: SECONDS (1) count from the last byte that \
    was taken, and progress has no further limit";

fn lets_a_stalled_reader_go(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    // A write that is late may have sent a part, and then the next one is late, too.
    t.allow_waiting(2 * SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    web.root.file("large.bin", &noise(9, 8 << 20))?;
    let mut client = web.visit()?;
    client.ask("GET", "/large.bin")?;
    let here = client.here();
    keeps_a_slow_reader(t, &web)?;
    web.service.expect_shown(
        "the web server waits for ever for a client that reads nothing",
        "after SECONDS (1) it has closed the connection",
        "a write waits as long as it is allowed to: without a write time-out for ever",
        |snapshot| {
            let rows = snapshot.own_rows();
            let held =
                rows.iter().find(|row| row.remote == here && row.state == State::Established);
            match held {
                None => Ok(()),
                Some(_) => Err("the connection is still there, and nobody reads".into()),
            }
        },
    )?;
    web.expect_service()
}
