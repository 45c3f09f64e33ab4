//! Step 1, at the end: many peers at once, one that does not read, and what the index never does.

use super::directory::Index;
use super::file::File;
use crate::net::Terms;
use crate::trial::{Trial, Verdict};

checks! { $ index_endure, "index" step 1:
    serves_beside_a_slow_finder, 3 points: "is held up by nobody who does not read their hits";
    "Who does not read delays nobody else: nothing is written under a lock that others need."

    opens_nothing, 2 points: "connects to nobody";
    "The index opens no connection and never sees a byte of a file."

    keeps_nothing_of_who_left, 2 points: "has no more sockets and threads after 60 peers";
    "One thread a connection; descriptors and threads return to what they were: peers come and go."

    is_idle_among_peers, 2 points: "is blocked, not polling, while nobody speaks";
    "Quiet when idle: next to no processor time while nothing happens, also with peers that are there."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "Out of threads or descriptors: one line on stderr, the listener goes on, without spinning."
}

const SLOW: &str = "a write waits as long as the other side does not read. Collect the answer while you hold the lock of the \
    list, let go of it, and write then: what waits is one thread, for its own peer";
const CALLS: &str =
    "it tells who has a file and where, and that is all: whoever wants it calls that peer";
/// Finds of 100 files with long names: more than all queues take.
const ASKS: usize = 2000;

fn serves_beside_a_slow_finder(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let files: Vec<_> =
        (0..100).map(|number| File::new(&format!("{number:0>190}"), "la")).collect();
    let haves: String = files.iter().map(|file| file.have() + "\n").collect();
    ann.lines().put(haves.as_bytes())?;
    t.note("ann has 100 files with long names");
    ann.expect_heard()?;
    let mut slow = index.joined_by("bob")?;
    slow.lines().put("FIND 0\n".repeat(ASKS).as_bytes())?;
    t.note(format!("bob asks for all of them, {ASKS} times, and reads nothing"));
    let _ = index.service.settle()?;
    let mut carol = index.joined_by("carol").map_err(|stop| stop.because(SLOW))?;
    let song = carol.have(&File::new("song", "la"))?;
    carol.expect_heard().map_err(|stop| stop.because(SLOW))?;
    ann.expect_hits("song", &[song], SLOW)?;
    carol.leave()?;
    index.console.expect_event("left carol", SLOW)
}

fn opens_nothing(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    let address = t.addresses().free_localhost()?;
    let listener = t.listen_as("ann", &[address], &Terms::ANSWERS)?;
    let mut ann = index.called_by("ann")?;
    ann.say(&format!("JOIN ann {}", address.port()))?;
    let mut ann = index.expect_welcome(ann, address.port())?;
    t.note(format!("ann listens on {address}"));
    let song = ann.have(&File::new("song", "la"))?;
    ann.expect_heard()?;
    bob.expect_hits("song", &[song], CALLS)?;
    let called = listener.take_another(&index.service.running)?;
    let snapshot = index.service.look()?;
    let rows = snapshot.own_rows();
    // Each of its sockets stands at its own address: it has called nobody.
    let other = rows.iter().find(|row| row.table.is_tcp() && row.local != index.service.address);
    let other = other.map(|row| format!("a connection from {} to {}", row.local, row.remote));
    let Some(seen) = called.map(|from| format!("a call to ann, from {from}")).or(other) else {
        t.note("all of its sockets are at its own address: nobody was called");
        return Ok(());
    };
    Err(t
        .fail("the index connects to somebody")
        .expected("its listener, and the connections that came in through it")
        .seen(seen)
        .cause(CALLS)
        .stop())
}

fn keeps_nothing_of_who_left(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    index.service.expect_no_growth("peers", || {
        for _ in 0..10 {
            let mut bob = index.joined_by("bob")?;
            let _ = bob.have(&File::new("song", "la"))?;
            bob.expect_heard()?;
            bob.leave()?;
            index.console.expect_event("left bob", "at BYE a peer has left")?;
            let mut carol = index.called_by("carol")?;
            carol.say("nonsense")?;
            carol.expect_line("ERROR *", "the first line is JOIN")?;
            carol.close();
            index.console.expect_event("bad peer *", "the first line is JOIN")?;
        }
        ann.expect_hits("song", &[], "whoever has left has no files here")?;
        Ok(20)
    })
}

fn is_idle_among_peers(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let _bob = index.joined_by("bob")?;
    let _stranger = index.called_by("a stranger")?;
    index.joined_by("carol")?.leave()?;
    ann.expect_heard()?;
    index.service.expect_idle()
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    index.service.expect_to_outlast_few_descriptors()?;
    let mut bob = index.joined_by("bob")?;
    let song = bob.have(&File::new("song", "la"))?;
    bob.expect_heard()?;
    ann.expect_hits(
        "song",
        &[song],
        "whoever was there before is there still, and whoever comes is welcome",
    )
}
