//! Step 4 of lab 9, `upload`: what a peer may have of the program.

use std::rc::Rc;

use super::message::{BLOCK, Block, Message};
use super::program::Swarm;
use super::remote::Remote;
use super::torrent::Torrent;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_upload, "swarm" step 4:
    unchokes, 2 points: "unchokes whoever is interested";
    "interested: unchoked at once, everybody; never choked."

    serves_a_block, 3 points: "answers a request with exactly that block";
    "A request is answered with a piece message: the index, where the block begins, and its bytes."

    serves_parts_of_blocks, 2 points: "serves any 1 to 16,384 bytes within a piece";
    "A request of 1 to 16,384 bytes within a piece that it has is answered with exactly that."

    serves_the_last_piece, 2 points: "serves the last piece, which is shorter";
    "The last piece is as long as what is left of the file."

    serves_in_order, 2 points: "answers requests in their order";
    "A request from an unchoked peer is answered with exactly that, in order."

    keeps_what_must_wait, 2 points: "answers 2,048 requests that came at once";
    "Up to 2,048 may wait; real programs begin with a few, and ask for more as they get them."

    serves_what_it_has, 2 points: "serves the pieces that it has, while others are missing";
    "A request within a piece that it has: answered. It gives from the first piece on."

    refuses_what_it_has_not, 2 points: "serves no piece that it has not";
    "A request for a piece that it has not is bad peer: what lies in the file there is nothing."

    refuses_greedy_requests, 2 points: "refuses requests that no piece can answer";
    "A request of 0 or more than 16,384 bytes, or beyond the end of its piece, is bad peer."

    refuses_the_choked, 2 points: "refuses a request from one that was never interested";
    "A request before interested is bad peer."

    takes_no_offence, 1 point: "serves on after not interested and cancel";
    "not interested takes nothing away. cancel may be ignored; numbers in one are not looked at."
}

/// A torrent of four pieces of two blocks, of which the last one is shorter.
fn torrent() -> Rc<Torrent> {
    Rc::new(Torrent::new(100_000, 32_768))
}

/// A seed of a torrent, and one that is unchoked by it.
fn serving(t: &Trial, torrent: &Rc<Torrent>) -> Verdict<(Swarm, Remote)> {
    serving_with(t, torrent, &torrent.all())
}

/// The same of a program that has these pieces.
fn serving_with(t: &Trial, torrent: &Rc<Torrent>, having: &[u32]) -> Verdict<(Swarm, Remote)> {
    let swarm = Swarm::having(t, torrent, having)?;
    let mut bob = swarm.joined_by("bob", having)?;
    bob.send(&Message::Interested)?;
    bob.expect(&Message::Unchoke, UNCHOKES)?;
    Ok((swarm, bob))
}

/// Bob asks for this block, and gets it.
fn expect_served(bob: &mut Remote, torrent: &Torrent, block: Block, cause: &str) -> Verdict {
    bob.send(&Message::Request(block))?;
    bob.expect_block(torrent, block, cause)
}

fn unchokes(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let mut bob = swarm.joined_by("bob", &torrent.all())?;
    bob.expect_silence(EARLY)?;
    let mut carol = swarm.joined_by("carol", &torrent.all())?;
    for one in [&mut bob, &mut carol] {
        one.send(&Message::Interested)?;
        one.expect(&Message::Unchoke, UNCHOKES)?;
    }
    for message in [Message::NotInterested, Message::Interested] {
        bob.send(&message)?;
    }
    bob.expect_silence(
        "unchoked is unchoked: that is said once, however often bob changes his mind",
    )
}

fn serves_a_block(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (_swarm, mut bob) = serving(t, &torrent)?;
    for (index, begin) in [(1, 0), (0, BLOCK), (2, 0), (2, BLOCK)] {
        let block = Block { index, begin, length: BLOCK };
        expect_served(&mut bob, &torrent, block, SERVES)?;
    }
    bob.expect_silence("each request is answered once")
}

fn serves_parts_of_blocks(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (_swarm, mut bob) = serving(t, &torrent)?;
    for (index, begin, length) in
        [(2, 1, 1), (1, 5_000, 258), (0, 16_000, 1000), (0, 32_767, 1), (1, 10_001, BLOCK)]
    {
        expect_served(&mut bob, &torrent, Block { index, begin, length }, ANY_PART)?;
    }
    Ok(())
}

fn serves_the_last_piece(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (swarm, mut bob) = serving(t, &torrent)?;
    let last = torrent.blocks_of(3)[0];
    expect_served(&mut bob, &torrent, last, LAST)?;
    let end = Block { begin: last.length - 1, length: 1, ..last };
    expect_served(&mut bob, &torrent, end, LAST)?;
    let beyond = Block { length: last.length + 1, ..last };
    bob.send(&Message::Request(beyond))?;
    swarm.expect_bad_peer(bob, LAST)
}

fn serves_in_order(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (_swarm, mut bob) = serving(t, &torrent)?;
    let blocks: Vec<_> = (0..500)
        .map(|at: u32| Block { index: at * 7 % 3, begin: at * 61, length: 1 + at % 50 })
        .collect();
    let requests: Vec<_> = blocks.iter().map(|block| Message::Request(*block)).collect();
    bob.send_all(&requests, "500 requests in one write")?;
    expect_all(&mut bob, &torrent, &blocks, ORDER)
}

fn keeps_what_must_wait(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (swarm, mut bob) = serving(t, &torrent)?;
    let blocks: Vec<_> =
        (0..2048).map(|at: u32| Block { index: at % 3, begin: at, length: 20 }).collect();
    let requests: Vec<_> = blocks.iter().map(|block| Message::Request(*block)).collect();
    t.freeze(swarm.running())?;
    bob.send_all(&requests, "2048 requests in one write, while the program was frozen")?;
    t.thaw(swarm.running())?;
    expect_all(&mut bob, &torrent, &blocks, WAIT)
}

/// Expects these blocks, in this order; tells of them as one.
fn expect_all(bob: &mut Remote, torrent: &Torrent, blocks: &[Block], cause: &str) -> Verdict {
    let t = bob.trial().clone();
    for (number, block) in blocks.iter().enumerate() {
        let bytes = torrent.block(*block).unwrap_or_default();
        let wanted = Message::piece(block.index, block.begin, bytes);
        match bob.next()? {
            Ok(seen) if seen == wanted => {}
            other => {
                t.note(format!("bob received the first {number} answers"));
                return Err(bob.instead_of(&wanted, other, cause));
            }
        }
    }
    t.note(format!("bob received all {} answers, in order", blocks.len()));
    Ok(())
}

fn serves_what_it_has(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (_swarm, mut bob) = serving_with(t, &torrent, &[1, 3])?;
    for index in [1, 3] {
        for block in torrent.blocks_of(index) {
            expect_served(&mut bob, &torrent, block, HAS)?;
        }
    }
    Ok(())
}

fn refuses_what_it_has_not(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::having(t, &torrent, &[1, 3])?;
    for index in [0, 2] {
        let mut bob = swarm.joined_by("bob", &[1, 3])?;
        bob.send(&Message::Interested)?;
        bob.expect(&Message::Unchoke, UNCHOKES)?;
        bob.ask(index, 0, BLOCK)?;
        expect_refused(&swarm, bob, HAS_NOT)?;
    }
    swarm.expect_service(&[1, 3])
}

fn refuses_greedy_requests(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    for (index, begin, length) in [
        (0, 0, BLOCK + 1),
        (0, 0, 0),
        (0, 32_767, 2),
        (0, 32_768, 1),
        (3, 1696, 1),
        (4, 0, 1),
        (u32::MAX, 0, 1),
        (0, u32::MAX, 1),
        (1, u32::MAX - 99, 200),
        (0, 0, u32::MAX),
    ] {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &torrent.all())?;
        bob.send(&Message::Interested)?;
        bob.expect(&Message::Unchoke, UNCHOKES)?;
        bob.ask(index, begin, length)?;
        expect_refused(&swarm, bob, GREEDY)?;
    }
    swarm.expect_service(&torrent.all())
}

fn refuses_the_choked(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let mut bob = swarm.joined_by("bob", &torrent.all())?;
    bob.ask(0, 0, BLOCK)?;
    expect_refused(&swarm, bob, CHOKED)?;
    swarm.expect_service(&torrent.all())
}

/// Expects that a request is not answered, but ends the connection.
fn expect_refused(swarm: &Swarm, mut remote: Remote, cause: &str) -> Verdict {
    // What is sent all the same is there as a whole, and not as much of it as has come so far.
    swarm.rest()?;
    remote.expect_closed(cause)?;
    swarm.expect_bad(remote.connection().here(), cause)
}

fn takes_no_offence(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let (_swarm, mut bob) = serving(t, &torrent)?;
    bob.send(&Message::NotInterested)?;
    let block = Block { index: 1, begin: 0, length: BLOCK };
    expect_served(&mut bob, &torrent, block, "unchoked is unchoked: only choke takes it back")?;
    for block in [block, Block { index: u32::MAX, begin: u32::MAX, length: u32::MAX }] {
        bob.send(&Message::Cancel(block))?;
    }
    expect_served(&mut bob, &torrent, block, CANCEL)?;
    bob.expect_silence(CANCEL)
}

const UNCHOKES: &str = "whoever says `interested` may ask from now on, and is told so: unchoke";
const EARLY: &str = "who has not said that it is interested need not be told that it may ask";
const SERVES: &str = "a piece message has the index of the piece, where the block begins in it, and the bytes: \
    what is asked for lies in the file at index times the piece length, plus begin";
const ANY_PART: &str = "a request may begin anywhere in a piece, and may be as short as one byte";
const LAST: &str = "the last piece is shorter than the others: as long as what is left of the file";
const ORDER: &str =
    "requests wait in a queue of the connection, and its writer answers the first one first";
const WAIT: &str =
    "several requests may come before the first one is answered: they wait, up to 2048 of them";
const HAS: &str = "a piece that is there can be given, whatever else is missing";
const HAS_NOT: &str = "what has not come, or has not been checked yet, must not be given: the file is as long as it will \
    be from the start, and where a piece is missing there are zeros";
const GREEDY: &str = "numbers from outside are looked at before they are used: at most 16384 bytes, at least one, and \
    within the piece; a sum of two of them may not fit into 32 bits";
const CHOKED: &str =
    "a connection begins choked: whoever asks before it was unchoked does not keep to the protocol";
const CANCEL: &str = "a cancel asks for nothing, and what it says need not be looked at";
