//! One who has a file, and others who want it: what each of them gives, and how long it takes.

use std::collections::VecDeque;
use std::io;
use std::iter;

use super::Demo;
use super::pieces::{ASKS, GIVES, Wire};
use super::stage::{Mismatch, Stage};

/// How a file is shared.
#[derive(Clone, Copy)]
struct Plan {
    pieces: u8,
    getters: usize,
    next: Next,
    gives: Gives,
}

/// Which piece is asked for next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    First,
    Rarest,
}

/// Who gives.
#[derive(Clone, Copy, PartialEq)]
enum Gives {
    OnlySeed,
    Everybody,
}

/// What came of it.
struct Shared {
    turns: usize,
    /// Pieces that the seed has given.
    by_the_seed: usize,
    /// Pieces that all others have given.
    by_the_others: usize,
}

impl Shared {
    fn told(&self) -> String {
        let Self { turns, by_the_seed, by_the_others } = self;
        format!("{turns} turns; dave gave {by_the_seed} pieces, the others {by_the_others}")
    }
}

impl Plan {
    const SWARM: Self = Self { pieces: 8, getters: 4, next: Next::Rarest, gives: Gives::Everybody };
    const SERVER: Self = Self { gives: Gives::OnlySeed, ..Self::SWARM };

    fn run(self) -> io::Result<Shared> {
        let seed = self.getters;
        // A wire from each getter to each program.
        let mut wires = Vec::new();
        for _ in 0..self.getters {
            wires
                .push(iter::repeat_with(Wire::new).take(seed + 1).collect::<io::Result<Vec<_>>>()?);
        }
        let all = (1_u32 << self.pieces) - 1;
        let mut has = vec![0_u32; seed + 1];
        has[seed] = all;
        let mut given = vec![0; seed + 1];
        // Whom each is going to give a piece, in the order in which they have asked.
        let mut askers = vec![VecDeque::new(); seed + 1];
        let mut waits = vec![false; self.getters];
        let mut turns = 0;
        while has.iter().any(|pieces| *pieces != all) {
            for me in 0..self.getters {
                if waits[me] || has[me] == all {
                    continue;
                }
                let piece = self.choose(&has, me);
                let may_give = |one: &usize| *one == seed || self.gives == Gives::Everybody;
                let owners = (0..=seed).filter(|one| *one != me && has[*one] >> piece & 1 == 1);
                // Of those who have it the one whom the fewest have asked.
                let best = owners.filter(may_give).min_by_key(|one| (askers[*one].len(), *one));
                let Some(giver) = best else { continue };
                wires[me][giver].send(ASKS, piece)?;
                askers[giver].push_back(me);
                waits[me] = true;
            }
            let mut got = Vec::new();
            for giver in 0..=seed {
                if let Some(me) = askers[giver].pop_front() {
                    let wire: &mut Wire = &mut wires[me][giver];
                    let piece = wire.receive(GIVES)?;
                    wire.send(GIVES, piece)?;
                    got.push((me, wire.receive(ASKS)?));
                    given[giver] += 1;
                }
            }
            // What has come in this turn can be given in the next one.
            for (me, piece) in got {
                has[me] |= 1 << piece;
                waits[me] = false;
            }
            turns += 1;
        }
        let by_the_others = given[..seed].iter().sum();
        Ok(Shared { turns, by_the_seed: given[seed], by_the_others })
    }

    /// The piece that this one asks for next.
    fn choose(self, has: &[u32], me: usize) -> u8 {
        let lacks = (0..self.pieces).filter(|piece| has[me] >> piece & 1 == 0);
        let owners = |piece: u8| has.iter().filter(|pieces| **pieces >> piece & 1 == 1).count();
        // Each begins elsewhere: that stands for chance.
        let from_here =
            |piece: u8| (piece + self.pieces - 2 * me as u8 % self.pieces) % self.pieces;
        let best = match self.next {
            Next::First => lacks.min(),
            Next::Rarest => lacks.min_by_key(|piece| (owners(*piece), from_here(*piece))),
        };
        best.unwrap_or_default()
    }
}

fn show(t: &mut Stage, done: &str, plan: Plan, expected: [usize; 3]) -> Result<(), Mismatch> {
    let [turns, by_the_seed, by_the_others] = expected;
    let expected = Shared { turns, by_the_seed, by_the_others };
    t.expect(done, plan.run()?.told(), expected.told())
}

pub(super) const FIRST_PIECE_FIRST: Demo = Demo {
    name: "first-piece-first",
    claim: "A file is fetched from its first piece to its last.",
    truth: "Then all want the same piece at the same time, all have the same, and nobody has what another \
        lacks: the one who has everything gives all of it. Who takes what few have gets something to \
        give, and then all of them give.",
    run: first_piece_first,
};

fn first_piece_first(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell(
        "dave has a file of 8 pieces, and 4 others want it; each of the five can give one piece in a turn",
    );
    let in_order = Plan { next: Next::First, ..Plan::SWARM };
    show(t, "each asks for the first piece that it lacks", in_order, [32, 32, 0])?;
    show(t, "each asks for the piece that the fewest have", Plan::SWARM, [17, 13, 19])
}

pub(super) const ALWAYS_FASTER: Demo = Demo {
    name: "always-faster",
    claim: "Peer to peer is always faster.",
    truth: "It is where many want the same at the same time: each of them brings a line along. One alone has \
        nobody to get anything from but the one who has the file.",
    run: always_faster,
};

fn always_faster(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell("dave has a file of 8 pieces; each program can give one piece in a turn");
    let one = |plan: Plan| Plan { getters: 1, ..plan };
    show(t, "one wants it, and dave gives", one(Plan::SERVER), [8, 8, 0])?;
    show(t, "one wants it, and everybody gives", one(Plan::SWARM), [8, 8, 0])?;
    show(t, "four want it, and dave gives", Plan::SERVER, [32, 32, 0])?;
    show(t, "four want it, and everybody gives", Plan::SWARM, [17, 13, 19])
}

pub(super) const COSTS_NOTHING: Demo = Demo {
    name: "costs-nothing",
    claim: "Peer to peer costs nothing.",
    truth: "Each byte that one receives somebody has sent. Their sum is the same; what changes is who sends \
        them, and so who pays for the line.",
    run: costs_nothing,
};

fn costs_nothing(t: &mut Stage) -> Result<(), Mismatch> {
    t.tell("dave has a file of 8 pieces, and 4 others want it");
    for (plan, done, shares) in [
        (Plan::SERVER, "dave gives all of it", (32, 0)),
        (Plan::SWARM, "everybody gives", (13, 19)),
    ] {
        let told = |(seed, others): (usize, usize)| {
            format!("{} pieces were sent: {seed} by dave, {others} by the others", seed + others)
        };
        let shared = plan.run()?;
        t.expect(done, told((shared.by_the_seed, shared.by_the_others)), told(shares))?;
    }
    Ok(())
}
