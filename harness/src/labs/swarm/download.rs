//! Step 5 of lab 9, `download`: what the program wants of one peer, and how it asks for it.

use std::rc::Rc;

use super::giver::{FEWEST, Giver, MOST};
use super::giving::{give_all, rest};
use super::message::{BLOCK, Block, Message};
use super::program::{COMPLETE, Swarm, WRITTEN};
use super::torrent::Torrent;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_download, "swarm" step 5:
    gets_a_file, 3 points: "gets a file from a peer";
    "interested, unchoke, request, piece; SHA-1 compared; written: `piece 0 from …`, `complete`."

    is_interested_in_what_it_lacks, 2 points: "is interested as long as the peer has what it lacks";
    "interested while the peer has something wanted, else not interested."

    waits_for_unchoke, 2 points: "asks for nothing before it is unchoked";
    "A connection begins choked. Unchoked: requests."

    asks_in_blocks, 3 points: "asks for pieces in blocks of 16,384 bytes, the last one shorter";
    "Requests of 16,384 bytes (the last of a piece shorter), each block once."

    asks_for_what_is_there, 2 points: "asks a peer for what it has, and for nothing else";
    "The pieces that the peer has told of, by its bitfield and by have."

    keeps_requests_in_flight, 3 points: "keeps 4 to 16 requests in flight, across pieces";
    "Unchoked: 4 to 16 requests of 16,384 bytes in flight on each connection, across pieces."

    takes_any_order, 1 point: "takes blocks in any order";
    "A piece message says where its block belongs."

    takes_later_bitfields, 2 points: "takes a bitfield that comes late as more";
    "A bitfield that comes later, or twice, adds to what is known (aria2 sends such)."

    ignores_what_it_did_not_ask_for, 2 points: "ignores blocks that nobody asked for";
    "A block counts only with index, begin and length as asked; all else is ignored."

    refuses_impossible_pieces, 2 points: "refuses a peer that tells of pieces beyond the last";
    "Bits or numbers out of range: bad peer."

    gets_many_pieces, 1 point: "gets a file of many pieces";
    "Every piece is checked and written, each once; complete once."
}

/// A program with nothing, and bob, who has these pieces and chokes it.
fn choked_by_bob(t: &Trial, torrent: &Rc<Torrent>, having: &[u32]) -> Verdict<(Swarm, Giver)> {
    let swarm = Swarm::leech(t, torrent)?;
    let bob = Giver::joins(&swarm, "bob", &[], having)?;
    Ok((swarm, bob))
}

/// The same of one that has unchoked it.
pub(super) fn unchoked_by_bob(
    t: &Trial,
    torrent: &Rc<Torrent>,
    having: &[u32],
) -> Verdict<(Swarm, Giver)> {
    let (swarm, mut bob) = choked_by_bob(t, torrent, having)?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.unchokes()?;
    Ok((swarm, bob))
}

fn gets_a_file(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(1000, BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &[0])?;
    bob.remote.expect(&Message::Request(torrent.blocks_of(0)[0]), ASKS)?;
    bob.remote.send(&Message::piece(0, 0, torrent.piece(0)))?;
    swarm.expect_pieces(&[(0, bob.address())], CHECKED)?;
    swarm.expect_complete()?;
    t.new_scene()?;
    let torrent = Rc::new(Torrent::new(100_000, 2 * BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    expect_rest_from(&swarm, &mut bob, &torrent.all())
}

/// Bob gives all of these pieces, and the program has everything then.
fn expect_rest_from(swarm: &Swarm, bob: &mut Giver, pieces: &[u32]) -> Verdict {
    give_all(swarm, &mut [bob], pieces, ASKS)?;
    let lines: Vec<_> = pieces.iter().map(|index| (*index, bob.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    swarm.expect_complete()
}

fn is_interested_in_what_it_lacks(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(4));
    let swarm = Swarm::having(t, &torrent, &[0])?;
    let mut bob = Giver::joins(&swarm, "bob", &[0], &[0])?;
    expect_interest(&swarm, &mut bob, false, "bob has nothing that the program has not")?;
    bob.has(2)?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.unchokes()?;
    give_all(&swarm, &mut [&mut bob], &[2], ASKS)?;
    swarm.expect_pieces(&[(2, bob.address())], CHECKED)?;
    expect_interest(&swarm, &mut bob, false, "bob has nothing more that the program lacks")?;
    bob.has(3)?;
    bob.expect_interest(&swarm, INTERESTED)
}

/// Expects that the program, at rest, is or is not interested.
fn expect_interest(swarm: &Swarm, bob: &mut Giver, wanted: bool, why: &str) -> Verdict {
    rest(swarm, &mut [bob])?;
    let told = |interested| if interested { "interested" } else { "not interested" };
    if bob.interested == wanted {
        swarm.trial().note(format!("the program is {}: {why}", told(wanted)));
        return Ok(());
    }
    Err(swarm
        .trial()
        .fail(format!("the program is {}, as far as bob knows", told(bob.interested)))
        .expected(format!("it is {}: {why}", told(wanted)))
        .seen(if bob.knows_interest {
            format!("the last that it has said is `{}`", told(bob.interested))
        } else {
            "it has said neither `interested` nor `not interested`".to_owned()
        })
        .cause(INTERESTED)
        .stop())
}

fn waits_for_unchoke(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(4));
    let (swarm, mut bob) = choked_by_bob(t, &torrent, &torrent.all())?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.remote
        .expect_silence("a request while it is choked is not answered, or ends the connection")?;
    bob.unchokes()?;
    bob.expect_open(&swarm, 4, ASKS)
}

fn asks_in_blocks(t: &mut Trial) -> Verdict {
    // A piece length that is no multiple of a block, and a file that is none of a piece.
    for (length, piece_length) in [(4 * BLOCK as usize, 2 * BLOCK), (95_001, 40_000)] {
        let torrent = Rc::new(Torrent::new(length, piece_length));
        let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
        expect_rest_from(&swarm, &mut bob, &torrent.all())?;
        t.new_scene()?;
    }
    Ok(())
}

fn asks_for_what_is_there(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(20));
    let swarm = Swarm::having(t, &torrent, &[2])?;
    let mut bob = Giver::joins(&swarm, "bob", &[2], &[2, 5, 9])?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.unchokes()?;
    bob.has(17)?;
    give_all(&swarm, &mut [&mut bob], &[5, 9, 17], ASKS)?;
    let from = bob.address();
    swarm.expect_pieces(&[(5, from), (9, from), (17, from)], CHECKED)?;
    rest(&swarm, &mut [&mut bob])?;
    bob.remote.expect_silence("bob has nothing more that the program lacks")
}

fn keeps_requests_in_flight(t: &mut Trial) -> Verdict {
    // Pieces of one block: whoever asks within a piece only has one request in flight.
    for (blocks, piece_length) in [(40, BLOCK), (40, 2 * BLOCK)] {
        let torrent = Rc::new(Torrent::new(blocks * BLOCK as usize, piece_length));
        let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
        expect_depth(&swarm, &mut bob)?;
        for _ in 0..3 {
            bob.gives(1)?;
            expect_depth(&swarm, &mut bob)?;
        }
        // Nothing of what it was asked for is void by that.
        t.note("bob says unchoke once more");
        bob.remote.put(&Message::Unchoke.bytes())?;
        expect_depth(&swarm, &mut bob)?;
        t.new_scene()?;
    }
    Ok(())
}

/// Expects that as many requests are in flight as should be.
fn expect_depth(swarm: &Swarm, bob: &mut Giver) -> Verdict {
    rest(swarm, &mut [bob])?;
    let open = bob.open().len();
    if (FEWEST..=MOST).contains(&open) {
        swarm.trial().note(format!("{open} requests are in flight"));
        return Ok(());
    }
    let shown: Vec<_> = bob.open().iter().map(|block| block.in_words()).collect();
    Err(swarm
        .trial()
        .fail("the program does not keep enough requests in flight")
        .expected(format!("{FEWEST} to {MOST} requests that are not answered yet"))
        .seen(match shown.len() {
            0 => "none, and the program is at rest".to_owned(),
            1 => format!("one, and the program is at rest: {}", shown[0]),
            more => format!("{more}, and the program is at rest: {}", shown.join("; ")),
        })
        .cause(IN_FLIGHT)
        .stop())
}

fn takes_any_order(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(4 * BLOCK as usize + 50, 5 * BLOCK));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &[0])?;
    bob.expect_open(&swarm, 4, ASKS)?;
    t.note("bob gives the blocks in the opposite order");
    while let Some(last) = bob.open().last().copied() {
        bob.put_block(last)?;
        bob.forgets(last);
        rest(&swarm, &mut [&mut bob])?;
    }
    swarm.expect_pieces(&[(0, bob.address())], ORDER)?;
    swarm.expect_complete()
}

fn takes_later_bitfields(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(12));
    let swarm = Swarm::leech(t, &torrent)?;
    // One that says nothing of what it has, then have, and only then a bitfield, and another one.
    let remote = swarm.joined_by("bob", &[])?;
    let address = remote.connection().here();
    let mut bob = Giver::new(remote, address, &torrent);
    bob.has(3)?;
    bob.expect_interest(
        &swarm,
        "a peer that has nothing at first may send no bitfield, and have later",
    )?;
    bob.tells(&[8])?;
    bob.unchokes()?;
    give_all(&swarm, &mut [&mut bob], &[3, 8], LATER)?;
    swarm.expect_pieces(&[(3, address), (8, address)], CHECKED)?;
    bob.tells(&[0, 11])?;
    give_all(&swarm, &mut [&mut bob], &[0, 11], LATER)?;
    swarm.expect_pieces(&[(0, address), (11, address)], CHECKED)
}

fn ignores_what_it_did_not_ask_for(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(6 * BLOCK as usize, 2 * BLOCK));
    let swarm = Swarm::leech(t, &torrent)?;
    let mut bob = Giver::joins(&swarm, "bob", &[], &[0, 1])?;
    bob.expect_interest(&swarm, INTERESTED)?;
    let unasked = |bob: &mut Giver, index, begin, length: u32| {
        let bytes = vec![b'?'; length as usize];
        bob.remote.send(&Message::piece(index, begin, &bytes))
    };
    unasked(&mut bob, 0, 0, BLOCK)?;
    bob.unchokes()?;
    bob.expect_open(&swarm, 4, ASKS)?;
    // Of what it has asked for: elsewhere, shorter, empty; and a piece that bob has not.
    for (index, begin, length) in
        [(0, 1, BLOCK), (0, 0, BLOCK - 1), (1, BLOCK, 0), (1, 2 * BLOCK, BLOCK), (2, 0, BLOCK)]
    {
        unasked(&mut bob, index, begin, length)?;
    }
    let first = bob.open()[0];
    bob.gives(1)?;
    t.note("bob gave the same block once more, with other bytes");
    bob.remote.put(&Message::piece(first.index, first.begin, &[b'?'; BLOCK as usize]).bytes())?;
    give_all(&swarm, &mut [&mut bob], &[0, 1], UNASKED)?;
    swarm.expect_pieces(&[(0, bob.address()), (1, bob.address())], UNASKED)?;
    let half = torrent.with_pieces(&[0, 1]);
    swarm.folder.expect_file(&torrent.name, &half, WRITTEN)
}

fn refuses_impossible_pieces(t: &mut Trial) -> Verdict {
    // Nine pieces: two bytes of bitfield, of which seven bits mean nothing.
    let torrent = Rc::new(Torrent::of_blocks(9));
    let swarm = Swarm::leech(t, &torrent)?;
    for message in [
        Message::Have(9),
        Message::Have(u32::MAX),
        Message::Bitfield(vec![0xff]),
        Message::Bitfield(vec![0xff, 0x80, 0]),
        Message::Bitfield(vec![0, 0x40]),
        Message::Bitfield(vec![0, 0x01]),
        Message::piece(9, 0, b"?"),
        Message::piece(u32::MAX, u32::MAX, b"?"),
    ] {
        let mut bob = swarm.joined_by("bob", &[])?;
        bob.send(&message)?;
        swarm.expect_bad_peer(bob, IMPOSSIBLE)?;
    }
    swarm.expect_service(&[])
}

fn gets_many_pieces(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(200_001, 1000));
    let (swarm, mut bob) = unchoked_by_bob(t, &torrent, &torrent.all())?;
    expect_rest_from(&swarm, &mut bob, &torrent.all())?;
    swarm.console.expect_no_event(COMPLETE).map(drop)
}

/// The block of a piece of one block.
pub(super) fn only_block(index: u32) -> Block {
    Block { index, begin: 0, length: BLOCK }
}

pub(super) const INTERESTED: &str = "whoever wants something says so (interested), or is never unchoked: when a bitfield \
    or a have tells of a piece that is missing here; and `not interested` when nothing is wanted any more";
pub(super) const ASKS: &str = "once unchoked it asks for all that it lacks and the peer has, block by block, and for \
    more with each block that comes";
pub(super) const CHECKED: &str = "a piece whose blocks have all come is hashed, written and told of: `piece`, its number, \
    and the address of who brought it";
const IN_FLIGHT: &str = "with one request at a time the connection is idle for a whole way there and back, each time; and \
    many peers answer what has been asked for twice a second. With the next pieces' blocks asked for, too, \
    there is always something to send";
const ORDER: &str =
    "a piece message says where its block begins in the piece: blocks may come in any order";
const LATER: &str =
    "a bitfield tells of pieces that the peer has, whenever it comes: what was known stays";
const UNASKED: &str = "a block counts only where it is one that was asked for on this connection: the same piece, begin \
    and length. All else is thrown away, and the connection stays";
const IMPOSSIBLE: &str = "there is no such piece: a peer that tells of it, or sends it, does not keep to the protocol; \
    a bitfield has exactly as many bytes as the pieces need, and its spare bits are 0";
