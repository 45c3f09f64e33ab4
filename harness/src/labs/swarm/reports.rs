//! Step 5 of lab 9, `download`: what the tracker hears of it.

use std::rc::Rc;

use super::announce::{Wanted, expect_told};
use super::bencode::{dictionary, string};
use super::giver::{FEWEST, Giver};
use super::giving::{give_all, give_what_is_asked, rest};
use super::message::{BLOCK, Block, Message};
use super::program::{Start, Swarm};
use super::schedule::PATIENCE;
use super::torrent::Torrent;
use super::tracker::{Tracker, compact};
use crate::net::Listener;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_reports, "swarm" step 5:
    reports_completion, 2 points: "tells the tracker once that it is complete";
    "event=completed: once, when the last piece came in this run; left=0."

    reports_no_completion_as_a_seed, 1 point: "says nothing of completion when all was there at the start";
    "completed: once, when the last piece came in this run."

    reports_what_was_carried, 2 points: "tells how many bytes it has sent and received";
    "downloaded: bytes of blocks asked for and received; uploaded: bytes of blocks sent."

    outlives_its_tracker, 2 points, patient: "gets its file although the tracker has gone";
    "What is between peers needs no tracker. An announce that failed is sent again after 5 s with its event: started until answered, then completed if due."
}

const COMPLETED: &str = "with the last piece the tracker is told event=completed, once, and left is 0 then: with its next announce it \
    would know anyway, but others are waiting for a seed";
const CARRIED: &str = "downloaded counts the bytes of blocks that were asked for and have come, be it in vain, uploaded the bytes of \
    blocks that were sent, both from the start of the program";

/// Four pieces of two blocks, of which the last one is shorter.
fn torrent(tracker: &Tracker) -> Rc<Torrent> {
    Rc::new(Torrent::new(100_000, 2 * BLOCK).tracked_by(&tracker.url()))
}

/// A program without anything, which the tracker has sent to bob, who gives it all that he has.
fn fed_by_bob(t: &Trial, tracker: &Tracker, torrent: &Rc<Torrent>) -> Verdict<(Swarm, Giver)> {
    let host = t.host_peer("bob")?;
    let swarm = Swarm::leech(t, torrent)?;
    tracker.tell(&swarm, 600, &[host.address()])?;
    let bob = joined(&swarm, &host)?;
    Ok((swarm, bob))
}

/// The program dials bob, who has everything, and who unchokes it.
fn joined(swarm: &Swarm, host: &Listener) -> Verdict<Giver> {
    let mut bob = Giver::is_joined(swarm, host, &[], &swarm.torrent.all())?;
    bob.expect_interest(swarm, "whoever has something that is missing is told: interested")?;
    bob.unchokes()?;
    Ok(bob)
}

/// Bob gives all, and the program is complete.
fn expect_all_from(swarm: &Swarm, bob: &mut Giver) -> Verdict {
    let all = swarm.torrent.all();
    give_all(swarm, &mut [bob], &all, "each piece that is missing is asked for")?;
    expect_whole(swarm, bob)
}

/// All has come from bob.
fn expect_whole(swarm: &Swarm, bob: &Giver) -> Verdict {
    let lines: Vec<_> = swarm.torrent.all().iter().map(|piece| (*piece, bob.address())).collect();
    swarm.expect_pieces(&lines, "a piece whose SHA-1 is right is told of in a line")?;
    swarm.expect_complete()
}

fn reports_completion(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let (swarm, mut bob) = fed_by_bob(t, &tracker, &torrent(&tracker))?;
    expect_all_from(&swarm, &mut bob)?;
    let announce = tracker.hear(&swarm).map_err(|stop| stop.because(COMPLETED))?;
    expect_told(t, &announce, &[("event", b"completed", COMPLETED), ("left", b"0", COMPLETED)])?;
    announce.answer(&compact(600, &[]))?;
    expect_nothing_more(&tracker, &swarm)
}

/// Expects that the tracker hears nothing until the program leaves, and then that.
fn expect_nothing_more(tracker: &Tracker, swarm: &Swarm) -> Verdict {
    let t = swarm.trial();
    swarm.rest()?;
    swarm.console.stops_typing();
    let announce = tracker.hear(swarm)?;
    let cause = "completed is told once, by whoever has got the last piece in this run; the last word is stopped";
    expect_told(t, &announce, &[("event", b"stopped", cause)])?;
    announce.answer(&compact(600, &[]))?;
    swarm.console.expect_exit(0, "the program ends when its tracker knows")
}

fn reports_no_completion_as_a_seed(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::seed(t, &torrent(&tracker))?;
    tracker.tell(&swarm, 600, &[])?;
    let mut bob = swarm.joined_by("bob", &swarm.torrent.all())?;
    bob.send(&Message::Have(0))?;
    bob.send(&Message::Interested)?;
    bob.expect(&Message::Unchoke, "interested: unchoked at once")?;
    expect_nothing_more(&tracker, &swarm)?;
    t.expect_written()
}

fn reports_what_was_carried(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = torrent(&tracker);
    let (swarm, mut bob) = fed_by_bob(t, &tracker, &torrent)?;
    // Nobody has asked for this one.
    bob.remote.send(&Message::piece(0, 1, &[0; 1000]))?;
    // And this one has come in vain: behind the choke its piece starts anew.
    bob.expect_open(&swarm, FEWEST, "once unchoked it asks")?;
    rest(&swarm, &mut [&mut bob])?;
    let block = bob.open().iter().copied().find(|block| block.index < torrent.count() - 1);
    let block = block.unwrap_or(torrent.blocks_of(0)[0]);
    t.note(format!("bob gave {}, and chokes and unchokes", block.in_words()));
    bob.put_block(block)?;
    bob.chokes()?;
    rest(&swarm, &mut [&mut bob])?;
    bob.unchokes()?;
    give_what_is_asked(&swarm, &mut [&mut bob])?;
    expect_whole(&swarm, &bob)?;
    let announce = tracker.hear(&swarm).map_err(|stop| stop.because(COMPLETED))?;
    let wanted: [Wanted; 2] = [("downloaded", b"116384", CARRIED), ("uploaded", b"0", CARRIED)];
    expect_told(t, &announce, &wanted)?;
    announce.answer(&compact(600, &[]))?;
    let mut carol = swarm.joined_by("carol", &swarm.torrent.all())?;
    carol.send(&Message::Interested)?;
    carol.expect(&Message::Unchoke, "interested: unchoked at once")?;
    for (index, begin, length) in [(0, 0, BLOCK), (2, 7, 100), (0, 0, BLOCK)] {
        carol.ask(index, begin, length)?;
        let block = Block { index, begin, length };
        carol.expect_block(&swarm.torrent, block, "a request is answered with exactly that")?;
    }
    swarm.rest()?;
    swarm.console.stops_typing();
    let announce = tracker.hear(&swarm)?;
    let wanted: [Wanted; 2] = [("downloaded", b"116384", CARRIED), ("uploaded", b"32868", CARRIED)];
    expect_told(t, &announce, &wanted)?;
    t.new_scene()?;
    reports_no_block_that_waits(t)
}

/// More blocks than a connection and its program hold while nobody reads, and fewer than may wait.
const MANY: u32 = 1_000;

/// What was asked for and could not be sent has not been uploaded.
fn reports_no_block_that_waits(t: &Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = torrent(&tracker);
    let swarm = Swarm::seed(t, &torrent)?;
    tracker.tell(&swarm, 600, &[])?;
    let mut bob = swarm.joined_by("bob", &torrent.all())?;
    bob.send(&Message::Interested)?;
    bob.expect(&Message::Unchoke, "interested: unchoked at once")?;
    t.note(format!("bob asks for {MANY} blocks, and reads none of them"));
    let block = |at| Block { index: at % 3, begin: 0, length: BLOCK };
    let requests: Vec<_> = (0..MANY).flat_map(|at| Message::Request(block(at)).bytes()).collect();
    bob.put(&requests)?;
    swarm.rest()?;
    swarm.console.stops_typing();
    let announce = tracker.hear(&swarm)?;
    let (told, all) = (announce.get("uploaded").unwrap_or_default(), u64::from(MANY * BLOCK));
    let number = std::str::from_utf8(told).ok().and_then(|text| text.parse::<u64>().ok());
    if number.is_some_and(|number| number < all) {
        return Ok(());
    }
    Err(t
        .fail("the program tells the tracker of blocks that it has not sent")
        .expected(format!("uploaded is less than {all}, the bytes of all that bob has asked for"))
        .seen(format!("uploaded is {}", String::from_utf8_lossy(told)))
        .cause("a block counts when it has been written to the connection: not when it is asked for, and not while it \
                waits for its turn")
        .stop())
}

fn outlives_its_tracker(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let (swarm, mut bob) = fed_by_bob(t, &tracker, &torrent(&tracker))?;
    t.note("the tracker has gone");
    drop(tracker);
    expect_all_from(&swarm, &mut bob)?;
    swarm.expect_told(
        "tracker: ",
        1,
        "that the tracker can't be told of the end is said in one line",
    )?;
    t.new_scene()?;
    tells_a_tracker_that_is_back(t)
}

/// Long enough for a greeting on a machine that is busy.
const BRISK: f64 = 0.2;
/// So often `started` may come once more: where an answer has come too late for it.
const TRIES: usize = 10;

/// What the tracker has not answered it is told again, when it answers.
fn tells_a_tracker_that_is_back(t: &Trial) -> Verdict {
    t.allow_waiting(PATIENCE);
    let tracker = Tracker::new(t)?;
    let host = t.host_peer("bob")?;
    let start = Start::of(&torrent(&tracker)).dialling(&[host.address()]).at_tempo(BRISK);
    let swarm = start.listening(t)?;
    swarm.expect_have(0)?;
    let mut bob = joined(&swarm, &host)?;
    let failure = dictionary([("failure reason", string("come again"))]);
    t.note("the tracker answers with a failure reason");
    tracker.hear(&swarm)?.answer(&failure)?;
    expect_all_from(&swarm, &mut bob)?;
    let hear = || tracker.hear(&swarm).map_err(|stop| stop.because(AGAIN));
    let mut announce = hear()?;
    for _ in 0..TRIES {
        if announce.event() != "started" {
            break;
        }
        announce.answer(&compact(600, &[]))?;
        announce = hear()?;
    }
    let completed: [Wanted; 1] = [("event", b"completed", AGAIN)];
    expect_told(t, &announce, &completed)?;
    t.note("the tracker answers with a failure reason");
    announce.answer(&failure)?;
    expect_told(t, &hear()?, &completed)
}

const AGAIN: &str = "an announce that failed is sent again after 5 s, whatever interval was told before, and with its event: started \
    until it is answered, and then completed, if the last piece has come meanwhile. What is not said again is never known";
