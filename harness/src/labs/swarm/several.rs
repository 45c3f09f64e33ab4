//! Step 5 of lab 9, `download`: from several peers at once.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::download::{CHECKED, INTERESTED, only_block};
use super::giver::{FEWEST, Giver, MOST};
use super::giving::{give_all, rest};
use super::message::{BLOCK, Message};
use super::program::Swarm;
use super::torrent::Torrent;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_several, "swarm" step 5:
    gets_from_several, 3 points: "gets from three peers at once, and nothing twice";
    "From several peers at once: a piece that is being fetched elsewhere only when no other is left."

    asks_for_the_rarest_first, 2 points: "asks first for what only one peer has";
    "claim gives a piece: rarest first."

    asks_in_no_fixed_order, 2 points: "asks for equally rare pieces in a random order";
    "claim gives a piece: rarest first, chance among equals."

    tells_everybody, 3 points: "tells every peer of a piece once it can give it";
    "A whole piece that is right: written, `have` to all."

    gives_while_it_gets, 3 points: "gives a piece while others are still missing";
    "It gives from the first piece on."

    is_not_stopped_by_a_silent_one, 3 points: "gets all of a file although one peer never answers";
    "End game, so that a stalled peer stops nobody."

    asks_two_only_at_the_end, 2 points: "asks two peers for one piece only when no other is left";
    "One that is being fetched elsewhere only when no other is left."

    completes_once, 2 points: "is complete once, also when the last pieces come together";
    "`complete`: once."
}

/// A program with nothing, and peers who have these pieces and have told so; it is interested in
/// all of them, and they choke it.
pub(super) fn joined<'a>(
    t: &Trial,
    torrent: &Rc<Torrent>,
    peers: impl IntoIterator<Item = (&'a str, Vec<u32>)>,
) -> Verdict<(Swarm, Vec<Giver>)> {
    let swarm = Swarm::leech(t, torrent)?;
    let mut givers = Vec::new();
    for (name, having) in peers {
        let mut giver = Giver::joins(&swarm, name, &[], &having)?;
        giver.expect_interest(&swarm, INTERESTED)?;
        givers.push(giver);
    }
    // All that they have told must have been heard before one of them unchokes.
    swarm.rest()?;
    Ok((swarm, givers))
}

/// The same of three that have everything.
fn three(t: &Trial, torrent: &Rc<Torrent>) -> Verdict<(Swarm, [Giver; 3])> {
    let all = ["bob", "carol", "dave"].map(|name| (name, torrent.all()));
    let (swarm, givers) = joined(t, torrent, all)?;
    let givers = <[Giver; 3]>::try_from(givers);
    Ok((swarm, givers.unwrap_or_else(|_| unreachable!("three were named"))))
}

fn gets_from_several(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(120 * BLOCK as usize, 2 * BLOCK));
    let (swarm, [mut bob, mut carol, mut dave]) = three(t, &torrent)?;
    let mut all = [&mut bob, &mut carol, &mut dave];
    for one in &mut all {
        one.unchokes()?;
    }
    rest(&swarm, &mut all)?;
    expect_each_is_asked(&swarm, &all)?;
    expect_nothing_twice(&swarm, &all)?;
    for _ in 0..2 {
        for one in &mut all {
            one.gives(3)?;
        }
        rest(&swarm, &mut all)?;
        expect_nothing_twice(&swarm, &all)?;
    }
    give_all(&swarm, &mut all, &torrent.all(), "each peer is asked for more as its blocks come")
}

/// Expects that each of them has been asked for enough.
fn expect_each_is_asked(swarm: &Swarm, all: &[&mut Giver]) -> Verdict {
    let counts: Vec<_> = all
        .iter()
        .map(|one| format!("{} requests are in flight to {}", one.open().len(), one.name()))
        .collect();
    if all.iter().all(|one| one.open().len() >= FEWEST) {
        swarm.trial().note(counts.join(", "));
        return Ok(());
    }
    let blame = swarm
        .trial()
        .fail("the program does not ask all peers that it could ask")
        .expected(format!("{FEWEST} to {MOST} requests in flight to each of them"));
    let blame = counts.into_iter().fold(blame, |blame, count| blame.seen(count));
    Err(blame.cause(AT_ONCE).stop())
}

/// Expects that no block has been asked of two of them.
fn expect_nothing_twice(swarm: &Swarm, all: &[&mut Giver]) -> Verdict {
    let mut seen = BTreeSet::new();
    for one in all {
        for block in one.asked() {
            if !seen.insert(*block) {
                return Err(swarm
                    .trial()
                    .fail("the program asks two peers for the same, while others wait to be asked for")
                    .expected("what is being fetched from one peer is asked of nobody else")
                    .seen(format!("a second request for {}, to {}", block.in_words(), one.name()))
                    .seen(format!("requests so far: {}", seen.len() + 1))
                    .cause(CLAIMED)
                    .stop());
            }
        }
    }
    swarm.trial().note(format!("{} requests so far, no two for the same block", seen.len()));
    Ok(())
}

/// What only one peer has.
const RARE: [u32; 4] = [23, 38, 51, 60];

fn asks_for_the_rarest_first(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(64 * 1000, 1000));
    let common: Vec<_> = torrent.all().into_iter().filter(|index| !RARE.contains(index)).collect();
    // What three of them have is told of half by a bitfield, and half by haves.
    let (first, later) = common.split_at(common.len() / 2);
    let others = ["carol", "dave", "erin"].map(|name| (name, first.to_vec()));
    let (swarm, mut givers) =
        joined(t, &torrent, [("bob", torrent.all())].into_iter().chain(others))?;
    for one in &mut givers[1..] {
        one.has_all(later)?;
    }
    swarm.rest()?;
    let what = "all others are with four peers";
    expect_rare_first(&swarm, &mut givers[0], what, RAREST)?;
    t.new_scene()?;
    // What two of them had they have taken along.
    let peers = [
        ("bob", torrent.all()),
        ("carol", RARE.to_vec()),
        ("dave", RARE.to_vec()),
        ("erin", common.clone()),
    ];
    let (swarm, mut givers) = joined(t, &torrent, peers)?;
    for gone in givers.drain(1..3) {
        let address = gone.address();
        gone.remote.close();
        swarm.expect_left(address)?;
    }
    swarm.rest()?;
    let what = "all others are with erin, too, and carol and dave have gone";
    expect_rare_first(&swarm, &mut givers[0], what, TAKEN_ALONG)
}

/// Bob unchokes the program, and is asked first for what nobody has besides.
fn expect_rare_first(swarm: &Swarm, bob: &mut Giver, others: &str, cause: &str) -> Verdict {
    let t = swarm.trial();
    bob.unchokes()?;
    rest(swarm, &mut [bob])?;
    let asked = bob.pieces_asked();
    let first: BTreeSet<_> = asked.iter().take(RARE.len()).copied().collect();
    if first == BTreeSet::from(RARE) {
        t.note(format!("bob was asked for {asked:?}"));
        return Ok(());
    }
    Err(t
        .fail("the program does not ask first for what only bob has")
        .expected(format!("first the pieces {RARE:?}, in any order: {others}"))
        .seen(format!("bob was asked for {asked:?}"))
        .cause(cause)
        .stop())
}

fn asks_in_no_fixed_order(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(200 * 1000, 1000));
    let mut orders = Vec::new();
    for _ in 0..2 {
        t.new_scene()?;
        let (swarm, mut givers) = joined(t, &torrent, [("bob", torrent.all())])?;
        let bob = &mut givers[0];
        bob.unchokes()?;
        bob.expect_open(&swarm, FEWEST, "once unchoked it asks")?;
        rest(&swarm, &mut [bob])?;
        let asked = bob.pieces_asked();
        t.note(format!("bob was asked for {asked:?}"));
        orders.push(asked);
    }
    if orders[0] != orders[1] {
        return Ok(());
    }
    Err(t
        .fail("the program asks for the pieces in the same order each time")
        .expected("another order in each run, where all pieces are equally rare")
        .seen(format!("twice in this order: {:?}", orders[0]))
        .cause(CHANCE)
        .stop())
}

fn tells_everybody(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(3));
    let peers = [("bob", torrent.all()), ("carol", vec![0])];
    let (swarm, mut givers) = joined(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    let mut dave = swarm.joined_by("dave", &[])?;
    dave.send(&Message::Interested)?;
    dave.expect(&Message::Unchoke, "whoever is interested is unchoked")?;
    bob.unchokes()?;
    bob.expect_open(&swarm, 3, "once unchoked it asks for all three pieces")?;
    t.note("bob gives one piece after the other");
    for _ in 0..3 {
        let piece = bob.open()[0].index;
        bob.gives(1)?;
        dave.expect(&Message::Have(piece), TELLS)?;
        dave.send(&Message::Request(only_block(piece)))?;
        dave.expect_block(&torrent, only_block(piece), "what it has told of it can give")?;
    }
    rest(&swarm, &mut [bob, carol])?;
    dave.expect_silence("each piece is told of once")?;
    let told: BTreeSet<_> = carol.haves.iter().copied().collect();
    // That carol has piece 0 herself is known: she need not be told of it, and may be.
    if told.contains(&1) && told.contains(&2) && told.len() == carol.haves.len() {
        return t.expect_written();
    }
    Err(t
        .fail("the program does not tell carol of the pieces that it has got")
        .expected("a have of piece 1 and one of piece 2")
        .seen(format!("a have of each of these: {:?}", carol.haves))
        .cause(TELLS)
        .stop())
}

fn gives_while_it_gets(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(8));
    let (swarm, mut givers) = joined(t, &torrent, [("bob", torrent.all())])?;
    let bob = &mut givers[0];
    let mut carol = swarm.joined_by("carol", &[])?;
    carol.send(&Message::Interested)?;
    carol.expect(&Message::Unchoke, WHILE)?;
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, "once unchoked it asks")?;
    let piece = bob.open()[0].index;
    bob.gives(1)?;
    t.note("bob holds back all others");
    swarm.expect_pieces(&[(piece, bob.address())], CHECKED)?;
    carol.expect(&Message::Have(piece), WHILE)?;
    carol.send(&Message::Request(only_block(piece)))?;
    carol.expect_block(&torrent, only_block(piece), WHILE)?;
    // One who comes later is told of it by the bitfield.
    let mut dave = swarm.joined_by("dave", &[piece])?;
    dave.send(&Message::Interested)?;
    dave.expect(&Message::Unchoke, WHILE)?;
    dave.send(&Message::Request(only_block(piece)))?;
    dave.expect_block(&torrent, only_block(piece), WHILE)
}

fn is_not_stopped_by_a_silent_one(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::new(32 * BLOCK as usize, 2 * BLOCK));
    let (first, later): (Vec<_>, Vec<_>) = torrent.all().into_iter().partition(|index| *index < 12);
    let peers = [("bob", first.clone()), ("carol", first.clone())];
    let (swarm, mut givers) = joined(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, "once unchoked it asks")?;
    t.note("bob never gives what he was asked for");
    carol.unchokes()?;
    let lines = |pieces: &[u32], from| pieces.iter().map(|one| (*one, from)).collect::<Vec<_>>();
    give_all(&swarm, &mut [&mut *carol], &first, END_GAME)?;
    swarm.expect_pieces(&lines(&first, carol.address()), CHECKED)?;
    // What bob was asked for he may still send: so it counts among the requests in flight.
    later.iter().try_for_each(|index| bob.has(*index))?;
    rest(&swarm, &mut [&mut *bob, &mut *carol])?;
    later.iter().try_for_each(|index| carol.has(*index))?;
    give_all(&swarm, &mut [&mut *carol], &later, END_GAME)?;
    swarm.expect_pieces(&lines(&later, carol.address()), CHECKED)?;
    swarm.expect_complete()
}

fn asks_two_only_at_the_end(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(40));
    let peers = [("bob", torrent.all()), ("carol", torrent.all())];
    let (swarm, mut givers) = joined(t, &torrent, peers)?;
    let [bob, carol] = &mut givers[..] else { unreachable!("two were named") };
    bob.unchokes()?;
    bob.expect_open(&swarm, FEWEST, "once unchoked it asks")?;
    rest(&swarm, &mut [&mut *bob])?;
    let claimed: BTreeSet<_> = bob.pieces_asked().into_iter().collect();
    carol.unchokes()?;
    t.note("bob holds back what he was asked for; carol gives one block after the other");
    let mut others: BTreeSet<_> = torrent.all().into_iter().collect();
    others.retain(|piece| !claimed.contains(piece));
    loop {
        rest(&swarm, &mut [&mut *bob, &mut *carol])?;
        // As long as some piece has been asked of nobody, what is asked of both is asked too early.
        let asked: BTreeSet<_> = carol.asked().iter().map(|block| block.index).collect();
        let open = others.difference(&asked).count();
        if open > 0
            && let Some(twice) = asked.intersection(&claimed).next()
        {
            return Err(t
                .fail("the program asks two peers for one piece, while others are left")
                .expected(
                    "a piece that is being fetched from bob is asked of carol only at the end",
                )
                .seen(format!("carol was asked for piece {twice}, as bob before"))
                .seen(format!("{open} pieces that carol has were asked of nobody"))
                .cause(CLAIMED)
                .stop());
        }
        if open == 0 {
            break;
        }
        if carol.open().is_empty() {
            carol.expect_open(&swarm, 1, MORE)?;
        }
        carol.gives(1)?;
    }
    // And then it is: nothing else is left, and bob may never answer.
    give_all(&swarm, &mut [carol], &torrent.all(), END_GAME)
}

/// So often two threads are given the chance to find both that nothing is missing.
const ROUNDS: usize = 6;

fn completes_once(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_blocks(2));
    for _ in 0..ROUNDS {
        t.new_scene()?;
        let (swarm, mut givers) = joined(t, &torrent, [("bob", vec![0]), ("carol", vec![1])])?;
        for one in &mut givers {
            one.unchokes()?;
            one.expect_open(&swarm, 1, "once unchoked it asks")?;
        }
        t.freeze(swarm.running())?;
        for one in &mut givers {
            one.gives(1)?;
        }
        t.thaw(swarm.running())?;
        t.note("both blocks came at the same moment");
        let pieces = [(0, givers[0].address()), (1, givers[1].address())];
        swarm.expect_pieces(&pieces, CHECKED)?;
        swarm.expect_complete()?;
        swarm.console.expect_no_event(ONCE)?;
    }
    Ok(())
}

const AT_ONCE: &str = "each peer that has unchoked the program is asked for something else: then all of them send at \
    the same time";
pub(super) const CLAIMED: &str = "a piece that is being fetched is marked (claimed), so that nobody else is asked for it: the \
    same bytes twice help nobody. Only when nothing else is left may several peers be asked for the same";
const RAREST: &str = "a piece that few have is gone with them, and everybody else has the others: so it is fetched \
    first, by counting for each piece how many of the connected peers have it, whether a bitfield or a have told of it";
const TAKEN_ALONG: &str = "it is the connected peers that are counted: who has gone has taken its pieces along, and no longer \
    counts for any of them";
const CHANCE: &str = "where all begin with piece 0 they all have the same, and nobody has anything to give to the others: \
    among pieces that are equally rare chance decides";
const TELLS: &str = "the others can't see what has come: each connection is told by a have, once, when the piece has been \
    checked and can be read";
const WHILE: &str =
    "a piece that has been checked is there for everybody, however many others are missing";
const END_GAME: &str = "a piece that was asked of a peer that never answers would be missing for ever: when no other is left, \
    it is asked of those, too, that have it besides";
const MORE: &str = "there are pieces that carol has and that nobody was asked for";
const ONCE: &str = "two threads may each write one of the last two pieces, and both find nothing missing: to look whether \
    it was the last one and to write it is one step, under one lock";
