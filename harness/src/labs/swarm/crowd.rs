//! Step 4 of lab 9, `upload`: many peers, of which some do not read, and what they cost.

use std::rc::Rc;

use super::message::{BLOCK, Block, Message};
use super::program::{Start, Swarm};
use super::remote::Remote;
use super::torrent::Torrent;
use crate::net::Stopped;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ swarm_crowd, "swarm" step 4:
    serves_many, 3 points: "serves nine peers while a tenth does not read";
    "A writer for each connection with a queue: who does not read delays nobody else."

    reads_while_it_writes, 3 points: "reads on from a peer that does not read";
    "A reader never blocks in a write: two that give each other much would stand still."

    survives_a_reset, 1 point: "outlives a peer that resets in the middle of its blocks";
    "One bad client is that client's problem: `left`, and nothing else."

    is_idle_among_peers, 1 point: "is blocked, not polling, while nobody asks";
    "Quiet when idle, also with peers, and after one has left."

    reads_blocks_when_sent, 2 points, exotic: "keeps requests that wait, and not their blocks";
    "Up to 2,048 may wait, 12 bytes each: blocks are read when they are sent."

    refuses_endless_requests, 2 points, exotic: "ends a connection with too many requests";
    "More than 2,048 requests that wait: bad peer."

    takes_fifty, 1 point, exotic: "takes 50 peers, and closes the next one at once";
    "50 connections in all; the 51st is closed at once, without an event."

    keeps_nothing_of_the_gone, 1 point, exotic: "keeps nothing of peers that have gone";
    "Descriptors and threads do not grow with the peers that come and go."
}

/// A torrent of eight pieces of one block.
fn torrent() -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(8))
}

/// One who has joined a seed, and is unchoked.
fn unchoked(swarm: &Swarm, name: &str) -> Verdict<Remote> {
    let mut remote = swarm.joined_by(name, &swarm.torrent.all())?;
    remote.send(&Message::Interested)?;
    remote.expect(&Message::Unchoke, "whoever is interested is unchoked")?;
    Ok(remote)
}

/// So many times what the queues of a connection take are enough to fill them: in a namespace of
/// their own these are small.
fn queues(t: &Trial) -> usize {
    if t.addresses().is_isolated() { 1 } else { 12 }
}

/// Requests for so many blocks.
fn requests(blocks: usize) -> Vec<u8> {
    let request = |at: usize| Block { index: at as u32 % 8, begin: 0, length: BLOCK };
    (0..blocks).flat_map(|at| Message::Request(request(at)).bytes()).collect()
}

/// Bob asks for so many blocks, and reads nothing from now on.
fn asks_and_does_not_read(t: &Trial, bob: &Remote, blocks: usize) -> Verdict {
    t.note(format!("{} asked for {blocks} blocks, and reads nothing from now on", bob.name()));
    bob.put(&requests(blocks)).map(drop)
}

/// Blocks that fill the queues of a connection, and leave some behind.
const FILL: usize = 60;

fn serves_many(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let bob = unchoked(&swarm, "bob")?;
    asks_and_does_not_read(t, &bob, FILL * queues(t))?;
    swarm.rest()?;
    let names = ["carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim"];
    let mut others = Vec::new();
    for name in names {
        others.push(unchoked(&swarm, name)?);
    }
    let all: Vec<_> = torrent.blocks().into_iter().map(Message::Request).collect();
    for other in &mut others {
        other.send_all(&all, "a request for each block")?;
    }
    for other in &mut others {
        for block in torrent.blocks() {
            other.expect_block(&torrent, block, MANY)?;
        }
    }
    Ok(())
}

fn reads_while_it_writes(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let mut bob = unchoked(&swarm, "bob")?;
    let blocks = FILL * queues(t);
    asks_and_does_not_read(t, &bob, blocks)?;
    swarm.rest()?;
    // Nobody has asked for these: they are read, and count for nothing.
    let unasked = Message::piece(0, 0, torrent.piece(0)).bytes().repeat(blocks);
    t.note(format!("bob sent {} of blocks that nobody has asked for", count(unasked.len())));
    let written = bob.connection().write(&unasked)?;
    let taken = count(written.bytes);
    let seen = match written.stopped {
        None => {
            for at in 0..blocks {
                let block = Block { index: at as u32 % 8, begin: 0, length: BLOCK };
                bob.expect_block(&torrent, block, BOTH)?;
            }
            return Ok(());
        }
        Some(Stopped::Gone(error)) => format!("after {taken}: {error}"),
        Some(Stopped::Stalled(stall)) => {
            format!("after {taken}: {}", stall.stays(&swarm.running().name))
        }
    };
    Err(t
        .fail("the program does not read from bob while bob does not read")
        .expected("it reads all that bob sends, whatever waits to be sent to bob")
        .seen(seen)
        .cause(BOTH)
        .stop())
}

fn survives_a_reset(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let bob = unchoked(&swarm, "bob")?;
    asks_and_does_not_read(t, &bob, FILL * queues(t))?;
    swarm.rest()?;
    let address = bob.connection().here();
    bob.reset()?;
    swarm.expect_left(address)?;
    let mut carol = unchoked(&swarm, "carol")?;
    carol.ask(7, 0, BLOCK)?;
    carol.expect_block(&torrent, Block { index: 7, begin: 0, length: BLOCK }, STAYS)
}

fn is_idle_among_peers(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let mut bob = unchoked(&swarm, "bob")?;
    let carol = unchoked(&swarm, "carol")?;
    let address = carol.connection().here();
    carol.close();
    swarm.expect_left(address)?;
    bob.ask(0, 0, BLOCK)?;
    bob.expect_block(&torrent, Block { index: 0, begin: 0, length: BLOCK }, STAYS)?;
    swarm.service.expect_idle()
}

/// What requests that wait may cost: more than their 12 bytes each, and much less than their blocks.
const ROOM: u64 = 12 << 20;

fn reads_blocks_when_sent(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let bob = unchoked(&swarm, "bob")?;
    swarm.rest()?;
    let before = t.memory(swarm.running())?;
    asks_and_does_not_read(t, &bob, MOST)?;
    swarm.rest()?;
    let grown = t.memory(swarm.running())?.saturating_sub(before);
    if grown < ROOM {
        return t.expect_written();
    }
    Err(t
        .fail("the program keeps the blocks of requests that wait")
        .expected("of a request that waits its three numbers are kept: 12 bytes")
        .seen(format!("for {MOST} requests it uses {} more memory", count(grown as usize)))
        .cause(WHEN_SENT)
        .stop())
}

/// So many requests may wait.
const MOST: usize = 2048;

fn refuses_endless_requests(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    let bob = unchoked(&swarm, "bob")?;
    asks_and_does_not_read(t, &bob, 2 * MOST + FILL * queues(t))?;
    let address = bob.connection().here();
    swarm.expect_bad(address, ENDLESS)?;
    swarm.expect_service(&torrent.all())
}

/// The most connections that the program has at a time.
const PLACES: usize = 50;

fn takes_fifty(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let host = t.host_peer("ann")?;
    let start = Start::of(&torrent).having(&torrent.all()).dialling(&[host.address()]);
    let swarm = start.listening(t)?;
    swarm.expect_have(torrent.all().len())?;
    let _ann = swarm.joins(&host, &torrent.all())?;
    let mut peers = Vec::new();
    for number in 2..=PLACES {
        peers.push(swarm.joined_by(&format!("peer-{number}"), &torrent.all())?);
    }
    t.new_story();
    t.note(format!("the program has dialled ann, and {} others have joined it", peers.len()));
    let mut bob = swarm.called_by("bob")?;
    bob.greet(&torrent)?;
    bob.expect_closed(FULL).map_err(|stop| stop.because(FULL))?;
    swarm.console.expect_no_event("who was never let in is no peer that could have left")?;
    let gone = peers.remove(0);
    let address = gone.connection().here();
    gone.close();
    swarm.expect_left(address)?;
    swarm.rest()?;
    swarm.expect_service(&torrent.all())?;
    swarm.console.expect_event("left *", "one that has come and gone is told of")?;
    swarm.rest()?;
    // In her place carol, who does not greet.
    let mut carol = swarm.called_by("carol")?;
    swarm.rest()?;
    let mut dave = swarm.called_by("dave")?;
    dave.greet(&torrent)?;
    let _ = dave.stream().hear_until(|unread| !unread.is_empty())?;
    // On a machine that is so busy her 5 s may be over: then there was a place.
    if carol.look()?.is_some() {
        return Ok(());
    }
    dave.expect_closed(FULL).map_err(|stop| stop.because(FULL))
}

fn keeps_nothing_of_the_gone(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::seed(t, &torrent)?;
    swarm.service.expect_no_growth("peers", || {
        for name in ["bob", "carol", "dave"] {
            let mut peer = unchoked(&swarm, name)?;
            peer.ask(0, 0, 100)?;
            let block = Block { index: 0, begin: 0, length: 100 };
            peer.expect_block(&torrent, block, STAYS)?;
            let address = peer.connection().here();
            peer.close();
            swarm.expect_left(address)?;
        }
        t.new_story();
        Ok(3)
    })
}

const MANY: &str = "a write to one that does not read waits, and with it all that its thread or its lock is needed for: \
    each connection has a queue, and a thread of its own that writes";
const BOTH: &str = "whoever writes a block in the thread that reads can't read while the other side does not: two that \
    both give much wait for each other for ever. Put the request into the queue (link.send_block), and let the \
    writer's thread wait";
const STAYS: &str = "whatever becomes of one peer, the others are served";
const WHEN_SENT: &str = "a queue of blocks has 16384 bytes for each request; a queue of requests has 12, and the block is \
    read from the file when its turn has come";
const ENDLESS: &str = "whoever asks and never reads would fill the memory: 2048 requests may wait, more end the connection";
const FULL: &str = "at most 50 connections at a time, and those that the program has dialled or that have not greeted \
    yet count as well: who comes then is closed at once, before anything is read";
