//! Step 5 of lab 9, `download`: peers that lie, choke, and go in the middle of it.

use std::rc::Rc;

use super::download::{CHECKED, INTERESTED, unchoked_by_bob};
use super::giver::{FEWEST, Giver};
use super::giving::{give_all, give_what_is_asked, rest};
use super::greet::{GREETING, STRANGER};
use super::message::{BLOCK, Message};
use super::program::{Start, Swarm};
use super::several::joined;
use super::torrent::Torrent;
use super::tracker::Tracker;
use crate::net::Listener;
use crate::trial::{Stop, Trial, Verdict};
use crate::words::count;

checks! { $ swarm_trouble, "swarm" step 5:
    checks_each_piece, 3 points: "checks each piece before it is written";
    "A whole piece: SHA-1 compared; wrong: forgotten, `bad peer` for who sent it, fetched elsewhere."

    blames_who_lied, 2 points: "blames the peer that sent a wrong piece, and no other";
    "All blocks of one piece come from one connection; wrong: `bad peer` for who sent it."

    asks_again_after_a_choke, 3 points: "asks again for what a choke took back";
    "Choked: its pieces are free again; after a choke the piece starts anew."

    goes_elsewhere_after_a_choke, 2 points: "asks another peer for what a choke took back";
    "Choked, or gone: its pieces are free again, and the other connections are told."

    outlives_a_peer_that_goes, 3 points: "gets from others what a peer that went had not brought";
    "Choked, or gone: its pieces are free again, and the other connections are told."

    goes_on_with_the_next_one, 2 points: "goes on with a peer that comes later";
    "What is missing is asked of whoever has it, whenever it comes."

    goes_on_after_a_restart, 3 points: "goes on after a crash with what it had got";
    "Pieces that are right already count (each is hashed)."

    keeps_little_for_an_unsteady_peer, 1 point, exotic: "keeps little for a peer that chokes and unchokes for ever";
    "On choke, requests that wait in the queue are removed; what waits for one connection stays bounded."

    never_dials_a_liar_again, 1 point, patient, exotic: "does not dial a peer again that was bad";
    "An address that was `bad peer` (host and port) is never dialled again."
}

fn checks_each_piece(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(4 * BLOCK as usize, 2 * BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    bob.expect_open(&swarm, 2, ASKS)?;
    let first = bob.open()[0];
    bob.lies(first)?;
    let second = bob.open().iter().copied().find(|block| block.index == first.index);
    if let Some(second) = second {
        bob.forgets(second);
        bob.put_block(second)?;
    }
    swarm.expect_bad_peer(bob.remote, LIES)?;
    let nothing = vec![0; torrent.bytes.len()];
    swarm.folder.expect_file(&torrent.name, &nothing, BEFORE)?;
    let mut carol = Giver::joins(&swarm, "carol", &[], &torrent.all())?;
    carol.unchokes()?;
    give_all(&swarm, &mut [&mut carol], &torrent.all(), ELSEWHERE)?;
    swarm.expect_pieces(&[(0, carol.address()), (1, carol.address())], CHECKED)?;
    swarm.expect_complete()
}

fn blames_who_lied(t: &mut Trial) -> Verdict {
    // One piece of several blocks, asked of two: what bob lies about is no matter of carol's.
    let torrent = Rc::new(Torrent::new(4 * BLOCK as usize, 4 * BLOCK));
    let peers = [("bob", torrent.all()), ("carol", torrent.all())];
    let (swarm, mut givers) = joined(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    bob.unchokes()?;
    bob.expect_open(&swarm, 4, ASKS)?;
    carol.unchokes()?;
    carol.expect_open(&swarm, 4, ASKS)?;
    let blocks = bob.open().to_vec();
    bob.lies(blocks[0])?;
    bob.gives(2)?;
    rest(&swarm, &mut [&mut *bob, &mut *carol])?;
    carol.gives(3)?;
    rest(&swarm, &mut [&mut *bob, &mut *carol])?;
    bob.gives(1)?;
    let address = bob.address();
    swarm.expect_bad(address, MIXED)?;
    carol.gives(1)?;
    swarm.expect_pieces(&[(0, carol.address())], MIXED)?;
    swarm.expect_complete()
}

fn asks_again_after_a_choke(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(8 * BLOCK as usize, 4 * BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    bob.expect_open(&swarm, FEWEST, ASKS)?;
    rest(&swarm, &mut [&mut bob])?;
    bob.gives(2)?;
    bob.chokes()?;
    rest(&swarm, &mut [&mut bob])?;
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, CHOKED)?;
    give_what_is_asked(&swarm, &mut [&mut bob])?;
    swarm.expect_pieces(&[(0, bob.address()), (1, bob.address())], CHOKED)?;
    swarm.expect_complete()
}

fn goes_elsewhere_after_a_choke(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(40));
    let peers = [("bob", torrent.all()), ("carol", vec![])];
    let (swarm, mut givers) = joined_by_two(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, ASKS)?;
    rest(&swarm, &mut [&mut *bob])?;
    // Carol has just what bob was asked for, and is asked for it at once where bob chokes.
    let claimed = bob.pieces_asked();
    bob.chokes()?;
    rest(&swarm, &mut [&mut *bob])?;
    carol.tells(&claimed)?;
    carol.unchokes()?;
    give_all(&swarm, &mut [carol], &claimed, CHOKED)?;
    let lines: Vec<_> = claimed.iter().map(|index| (*index, carol.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    t.new_scene()?;
    asks_first_for_what_is_free_again(t)
}

/// What a choke took back is as free as all else: where it is rarer, it is asked for first.
fn asks_first_for_what_is_free_again(t: &Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(60));
    let peers = [("bob", torrent.all()), ("carol", vec![])];
    let (swarm, mut givers) = joined_by_two(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, ASKS)?;
    rest(&swarm, &mut [&mut *bob])?;
    let claimed = bob.pieces_asked();
    bob.chokes()?;
    let others: Vec<_> =
        torrent.all().into_iter().filter(|index| !claimed.contains(index)).collect();
    let mut dave = Giver::joins(&swarm, "dave", &[], &others)?;
    carol.tells(&torrent.all())?;
    rest(&swarm, &mut [&mut *bob, &mut *carol, &mut dave])?;
    t.note(format!("bob was asked for {claimed:?}, and chokes; dave has all the others"));
    carol.unchokes()?;
    carol.expect_open(&swarm, FEWEST, CHOKED)?;
    rest(&swarm, &mut [&mut *carol])?;
    let asked = carol.pieces_asked();
    let Some(other) = asked.iter().take(claimed.len()).find(|index| !claimed.contains(index))
    else {
        return Ok(());
    };
    Err(t
        .fail("the program does not ask first for what only bob and carol have")
        .expected(format!(
            "first the pieces {claimed:?}, in any order: dave has all others besides"
        ))
        .seen(format!("carol was asked for {asked:?}: piece {other} comes too early"))
        .cause(CHOKED)
        .stop())
}

/// Peers of whom some have nothing yet: nobody waits for interest in those.
fn joined_by_two(
    t: &Trial,
    torrent: &Rc<Torrent>,
    peers: [(&str, Vec<u32>); 2],
) -> Verdict<(Swarm, Vec<Giver>)> {
    let swarm = Swarm::leech(t, torrent)?;
    let mut givers = Vec::new();
    for (name, having) in peers {
        let mut giver = Giver::joins(&swarm, name, &[], &having)?;
        if !having.is_empty() {
            giver.expect_interest(&swarm, INTERESTED)?;
        }
        givers.push(giver);
    }
    Ok((swarm, givers))
}

fn outlives_a_peer_that_goes(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(12 * BLOCK as usize, 4 * BLOCK));
    for resets in [false, true] {
        t.new_scene()?;
        let peers = [("bob", torrent.all()), ("carol", torrent.all())];
        let (swarm, mut givers) = joined(t, &torrent, peers)?;
        let mut carol = givers.pop();
        let (Some(mut bob), Some(carol)) = (givers.pop(), carol.as_mut()) else {
            unreachable!("two were named")
        };
        bob.unchokes()?;
        let address = bob.address();
        if resets {
            // With the requests unread.
            swarm.rest()?;
            bob.remote.reset()?;
        } else {
            bob.expect_open(&swarm, FEWEST, ASKS)?;
            bob.gives(2)?;
            bob.remote.close();
        }
        swarm.expect_left(address)?;
        carol.unchokes()?;
        give_all(&swarm, &mut [carol], &torrent.all(), GONE)?;
        let lines: Vec<_> = torrent.all().iter().map(|index| (*index, carol.address())).collect();
        swarm.expect_pieces(&lines, GONE)?;
        swarm.expect_complete()?;
    }
    Ok(())
}

fn goes_on_with_the_next_one(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(6 * BLOCK as usize, 2 * BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    bob.expect_open(&swarm, FEWEST, ASKS)?;
    bob.gives(3)?;
    rest(&swarm, &mut [&mut bob])?;
    // Of six blocks three have come: one piece at least, or none, as they were asked for.
    let whole: Vec<_> = torrent
        .all()
        .into_iter()
        .filter(|index| torrent.blocks_of(*index).iter().all(|block| bob.given().contains(block)))
        .collect();
    let lines: Vec<_> = whole.iter().map(|index| (*index, bob.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    let address = bob.address();
    bob.remote.close();
    swarm.expect_left(address)?;
    swarm.rest()?;
    let mut carol = Giver::joins(&swarm, "carol", &whole, &torrent.all())?;
    carol.unchokes()?;
    let missing: Vec<_> =
        torrent.all().into_iter().filter(|index| !whole.contains(index)).collect();
    give_all(&swarm, &mut [&mut carol], &missing, GONE)?;
    let lines: Vec<_> = missing.iter().map(|index| (*index, carol.address())).collect();
    swarm.expect_pieces(&lines, GONE)?;
    swarm.expect_complete()
}

fn goes_on_after_a_restart(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(9));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    bob.expect_open(&swarm, FEWEST, ASKS)?;
    let pieces: Vec<_> = bob.open()[..3].iter().map(|block| block.index).collect();
    bob.gives(3)?;
    let lines: Vec<_> = pieces.iter().map(|index| (*index, bob.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    t.kill(swarm.running())?;
    let swarm = swarm.again()?;
    swarm.expect_have(3)?;
    let mut having = pieces.clone();
    having.sort_unstable();
    let mut bob = Giver::joins(&swarm, "bob", &having, &torrent.all())?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.unchokes()?;
    let missing: Vec<_> =
        torrent.all().into_iter().filter(|index| !pieces.contains(index)).collect();
    give_all(&swarm, &mut [&mut bob], &missing, AGAIN)?;
    if let Some(block) = bob.asked().iter().find(|block| pieces.contains(&block.index)) {
        return Err(t
            .fail("the program asks for what it has")
            .expected(format!("requests for the missing pieces only: {missing:?}"))
            .seen(format!("a request for {}", block.in_words()))
            .cause(AGAIN)
            .stop());
    }
    let lines: Vec<_> = missing.iter().map(|index| (*index, bob.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    swarm.expect_complete()
}

/// So often bob chokes and unchokes.
const TIMES: usize = 5_000;
/// More than the queues of a connection hold in a network of the check's own, in bytes; all requests
/// of all times are twice as much.
const MUCH: usize = 640 << 10;

fn keeps_little_for_an_unsteady_peer(t: &mut Trial) -> Verdict {
    if !t.addresses().is_isolated() {
        return Err(Stop::Skip(
            "the queues of this system's own network hold too much for it".into(),
        ));
    }
    let torrent = Rc::new(Torrent::of_blocks(40));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    let both = [Message::Choke.bytes(), Message::Unchoke.bytes()].concat();
    t.note(format!("bob chokes and unchokes {TIMES} times, and reads nothing meanwhile"));
    let _ = bob.remote.put(&both.repeat(TIMES))?;
    let mut came = 0;
    loop {
        swarm.rest()?;
        let messages = bob.remote.take_all()?;
        if messages.is_empty() {
            break;
        }
        came += messages.iter().map(|message| message.bytes().len()).sum::<usize>();
    }
    if came <= MUCH {
        t.note(format!("then bob read {}", count(came)));
        return swarm.expect_service(&[]);
    }
    Err(t
        .fail("the program keeps more and more requests for a peer that does not read")
        .expected("on choke the requests that wait in the connection's queue are removed")
        .seen(format!("bob was sent {} afterwards", count(came)))
        .cause(UNSTEADY)
        .stop())
}

fn never_dials_a_liar_again(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(Torrent::of_blocks(4).tracked_by(&tracker.url()));
    let (stranger, liar, other) =
        (t.host_peer("dave")?, t.host_peer("bob")?, t.host_peer("carol")?);
    let swarm = Start::of(&torrent).dialling(&[stranger.address()]).listening(t)?;
    swarm.expect_have(0)?;
    t.allow_waiting(INTERVAL);
    let mut dave = swarm.calls(&stranger)?;
    dave.expect_handshake(&torrent, GREETING)?;
    dave.send_as(b"HTTP/1.1 400 Bad Request\r\n\r\n", "an answer of HTTP")?;
    swarm.expect_bad_peer(dave, STRANGER)?;
    tracker.tell(&swarm, 1, &[liar.address()])?;
    let mut bob = Giver::is_joined(&swarm, &liar, &[], &[0])?;
    bob.unchokes()?;
    bob.expect_open(&swarm, 1, ASKS)?;
    let block = bob.open()[0];
    bob.lies(block)?;
    swarm.console.expect_event(&format!("bad peer {}: *", liar.address()), LIES)?;
    tracker.tell(&swarm, 60, &[&liar, &stranger, &other].map(Listener::address))?;
    // Carol stands behind both in the list: when she is dialled, they would have been.
    let _carol = Giver::is_joined(&swarm, &other, &[], &[0])?;
    swarm.rest()?;
    for (host, name) in [(&liar, "bob"), (&stranger, "dave")] {
        if let Some(from) = host.take_another(swarm.running())? {
            return Err(t
                .fail(format!("the program dials {name} again, who was a bad peer"))
                .expected("an address that was a bad peer is never dialled again")
                .seen(format!("a connection from port {}", from.port()))
                .cause(LIAR)
                .stop());
        }
    }
    t.expect_written()
}

/// Between two announcements, here.
const INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

const ASKS: &str = "once unchoked it asks for what it lacks";
const LIES: &str = "a piece whose hash is not the torrent's is a lie, or an error of whoever has sent it: it is forgotten, \
    and that peer with it";
const BEFORE: &str = "a piece is hashed before it is written: what stands in the file may be given to others, and counts \
    after a restart";
const ELSEWHERE: &str = "a piece that was wrong is missing as before: it is asked of others";
const MIXED: &str = "where the blocks of one piece come from two peers, and the hash is wrong, nobody knows who has lied: \
    so each connection collects its own";
const CHOKED: &str = "what was asked for before a choke never comes: its pieces are free again, for this peer when it \
    unchokes, and for all others at once";
const GONE: &str = "what a peer that has gone was asked for never comes: its pieces are free again, and the others are asked";
const AGAIN: &str =
    "a program that starts hashes what lies in its folder: a piece that is right is there";
const UNSTEADY: &str = "each unchoke puts requests into the queue of a connection that takes nothing: what a choke has made \
    void must leave the queue";
const LIAR: &str = "the tracker tells of whoever was bad once at every interval: no matter who told of an address, and whether it \
    was bad at the greeting or later, it is kept among those that are not dialled";
