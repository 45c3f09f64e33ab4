//! A file in pieces, from several others: how many to ask for, what a silent one stops, and whom to
//! believe.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::iter;
use std::net::{TcpListener, TcpStream};

use super::Demo;
use super::parts::hash;
use super::stage::{Mismatch, Stage, success};

/// A connection between two, and what is on its way there: nothing arrives in the turn in which it
/// was sent.
pub(super) struct Wire {
    ends: [TcpStream; 2],
    under_way: [VecDeque<u8>; 2],
}

impl Wire {
    pub(super) fn new() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        let far = listener.accept()?.0;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        Ok(Self { ends: [near, far], under_way: Default::default() })
    }

    /// This end sends a byte: the number of what it asks for, or gives.
    pub(super) fn send(&mut self, end: usize, byte: u8) -> io::Result<()> {
        self.under_way[1 - end].push_back(byte);
        (&self.ends[end]).write_all(&[byte])
    }

    /// How much is on its way to this end.
    fn waiting(&self, end: usize) -> usize {
        self.under_way[end].len()
    }

    /// What comes to this end next.
    pub(super) fn receive(&mut self, end: usize) -> io::Result<u8> {
        let mut byte = [0];
        (&self.ends[end]).read_exact(&mut byte)?;
        self.under_way[end].pop_front();
        Ok(byte[0])
    }
}

/// The end of a wire that asks, and the one that gives.
pub(super) const ASKS: usize = 0;
pub(super) const GIVES: usize = 1;

pub(super) const MORE_IN_FLIGHT: Demo = Demo {
    name: "more-in-flight",
    claim: "The more requests are in flight, the faster a file comes.",
    truth: "With one in flight the giver is idle while the next request is on its way to it. A few keep it \
        busy, and more than that bring nothing. With very many the first who says yes is asked for \
        everything, and the others have nothing left to give.",
    run: more_in_flight,
};

const BLOCKS: u8 = 24;
const GIVERS: usize = 3;

fn more_in_flight(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell(format!(
        "bob, carol and dave have all {BLOCKS} blocks; each gives one in a turn, and whatever is sent \
         arrives in the next turn; ann may ask bob one turn sooner than the others"
    ));
    for (in_flight, turns, given) in
        [(1, 17, [8, 8, 8]), (2, 10, [9, 8, 7]), (4, 10, [9, 8, 7]), (24, 25, [24, 0, 0])]
    {
        let (took, shares) = fetch(in_flight)?;
        let told = |turns, [bob, carol, dave]: [usize; GIVERS]| {
            format!("{turns} turns; bob gave {bob}, carol {carol} and dave {dave}")
        };
        let done = format!("ann keeps {in_flight} in flight with each");
        t.expect(done, told(took, shares), told(turns, given))?;
    }
    Ok(())
}

/// Fetches all blocks, with so many requests in flight on each wire. How many turns it takes, and
/// how many blocks each has given.
fn fetch(in_flight: usize) -> io::Result<(usize, [usize; GIVERS])> {
    let mut wires = iter::repeat_with(Wire::new).take(GIVERS).collect::<io::Result<Vec<_>>>()?;
    let mut unclaimed = 0..BLOCKS;
    let (mut open, mut given) = ([0; GIVERS], [0; GIVERS]);
    let mut turn = 0;
    while given.iter().sum::<usize>() < usize::from(BLOCKS) {
        let arrived: Vec<_> =
            wires.iter().map(|wire| (wire.waiting(ASKS), wire.waiting(GIVES))).collect();
        for (giver, wire) in wires.iter_mut().enumerate() {
            let (blocks, requests) = arrived[giver];
            if requests > 0 {
                let block = wire.receive(GIVES)?;
                wire.send(GIVES, block)?;
            }
            for _ in 0..blocks {
                wire.receive(ASKS)?;
                open[giver] -= 1;
                given[giver] += 1;
            }
            let may_ask = giver == 0 || turn > 0;
            while may_ask && open[giver] < in_flight {
                let Some(block) = unclaimed.next() else { break };
                wire.send(ASKS, block)?;
                open[giver] += 1;
            }
        }
        turn += 1;
    }
    Ok((turn - 1, given))
}

pub(super) const SILENT_PEER: Demo = Demo {
    name: "silent-peer",
    claim: "A peer that stops giving stops the download.",
    truth: "It keeps what was asked of it, and its connection looks like any other. So what is being \
        fetched is asked for a second time, from somebody else, as soon as nothing else is left to ask \
        for. This is the end game. It costs a few blocks that come twice.",
    run: silent_peer,
};

fn silent_peer(t: &mut Stage) -> Result<(), Mismatch> {
    let (mut bob, mut carol) = (Wire::new()?, t.pair()?);
    t.tell(
        "ann fetches 8 pieces from bob and carol, who have all of them, with 2 in flight with each",
    );
    for piece in [0, 1] {
        carol.client.write_all(&[piece])?;
    }
    let mut here = Vec::new();
    for piece in 2..8 {
        bob.send(ASKS, piece)?;
        let asked = bob.receive(GIVES)?;
        bob.send(GIVES, asked)?;
        here.push(bob.receive(ASKS)?);
    }
    let told = |count| format!("ann has {count} of 8 pieces");
    t.expect("carol is asked for pieces 0 and 1, and gives nothing", told(here.len()), told(6))?;
    t.kernel(carol.client.local_addr()?, carol.client.peer_addr()?, "ESTABLISHED")?;
    for piece in [0, 1] {
        bob.send(ASKS, piece)?;
        let asked = bob.receive(GIVES)?;
        bob.send(GIVES, asked)?;
        here.push(bob.receive(ASKS)?);
    }
    t.expect(
        "nothing else is left, and so bob is asked for these two as well",
        told(here.len()),
        told(8),
    )?;
    let mut late = [0; 2];
    carol.server.read_exact(&mut late)?;
    let written = carol.server.write_all(&late);
    carol.client.read_exact(&mut late)?;
    t.expect("much later carol gives her two", success(&written), "Ok")?;
    let twice = late.iter().filter(|piece| here.contains(piece)).count();
    t.also(format!("{twice} pieces have come twice"), "2 pieces have come twice")
}

pub(super) const LIAR: Demo = Demo {
    name: "a-liar",
    claim: "One who gives wrong bytes spoils the file.",
    truth: "The torrent has a hash for each piece, and it came from elsewhere. A wrong piece is found when \
        it is whole, before anybody is told of it; who has sent all its blocks is known; and one piece \
        has to be fetched again, not the file.",
    run: liar,
};

const SONG: [&[u8]; 4] = [b"la la ", b"land, ", b"la la ", b"la"];

fn liar(t: &mut Stage) -> Result<(), Mismatch> {
    let hashes = SONG.map(hash);
    t.tell("a song of 4 pieces; its torrent has a hash of each");
    let (mut mallory, mut bob) = (t.pair_unseen()?, t.pair_unseen()?);
    let mut lie = SONG.concat();
    lie[13] ^= 1;
    mallory.server.write_all(&lie)?;
    let mut got = Vec::new();
    for piece in SONG {
        let mut bytes = vec![0; piece.len()];
        mallory.client.read_exact(&mut bytes)?;
        got.push(bytes);
    }
    let wrong = |got: &[Vec<u8>]| {
        let pieces = got.iter().zip(&hashes).enumerate();
        let wrong: Vec<_> = pieces
            .filter(|(_, (bytes, sum))| hash(bytes) != **sum)
            .map(|(index, _)| index)
            .collect();
        wrong
    };
    let told = |wrong: &[usize]| format!("pieces with another hash: {wrong:?}");
    t.expect(
        "ann gets all of them from mallory, who has changed one bit",
        told(&wrong(&got)),
        told(&[2]),
    )?;
    let whole = hash(&got.concat()) == hash(&SONG.concat());
    t.also(
        format!(
            "a hash of the whole file would say: {}",
            if whole { "right" } else { "wrong, somewhere" }
        ),
        "a hash of the whole file would say: wrong, somewhere",
    )?;
    for index in wrong(&got) {
        bob.server.write_all(SONG[index])?;
        bob.client.read_exact(&mut got[index])?;
    }
    t.expect(
        "ann fetches piece 2 from bob, and nothing from mallory any more",
        told(&wrong(&got)),
        told(&[]),
    )?;
    let right = String::from_utf8_lossy(&got.concat()).into_owned();
    t.also(format!("the song: {right}"), "the song: la la land, la la la")
}
