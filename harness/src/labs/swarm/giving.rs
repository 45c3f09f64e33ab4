//! What comes of several who have pieces: they wait, and give, together.

use std::collections::BTreeSet;

use super::giver::{Giver, MOST};
use super::message::Block;
use super::program::Swarm;
use crate::trial::{Progress, Stall, Stop, Verdict};

/// Takes in what has come to any of them. Returns whether there was anything.
fn take_in(givers: &mut [&mut Giver]) -> Verdict<bool> {
    let mut any = false;
    for giver in givers {
        any |= giver.take_in()?;
    }
    Ok(any)
}

/// Waits until the program has done all that it will do by itself, and takes in what it has sent.
pub(super) fn rest(swarm: &Swarm, givers: &mut [&mut Giver]) -> Verdict {
    swarm.rest()?;
    take_in(givers).map(drop)
}

/// Expects that what they have heard is soon as `enough` wants it.
pub(super) fn expect(
    swarm: &Swarm,
    givers: &mut [&mut Giver],
    headline: &str,
    expected: &str,
    cause: &str,
    enough: impl Fn(&[&mut Giver]) -> bool,
) -> Verdict {
    let result = swarm.trial().wait(swarm.running(), || {
        let moved = take_in(givers)?;
        Ok(if enough(givers) {
            Progress::Done(())
        } else if moved {
            Progress::Moved
        } else {
            Progress::Nothing
        })
    })?;
    result.map_err(|stall| failure(swarm, givers, headline, expected, cause, &stall))
}

/// Lets them give all that they are asked for, until each block of these pieces has been given by one
/// of them.
pub(super) fn give_all(
    swarm: &Swarm,
    givers: &mut [&mut Giver],
    pieces: &[u32],
    cause: &str,
) -> Verdict {
    let names: Vec<_> = givers.iter().map(|giver| giver.name().to_owned()).collect();
    let t = swarm.trial();
    t.note(format!("from now on {} give what they are asked for", names.join(" and ")));
    let mut open: BTreeSet<Block> =
        pieces.iter().flat_map(|index| swarm.torrent.blocks_of(*index)).collect();
    open.retain(|block| !givers.iter().any(|giver| giver.given().contains(block)));
    let result = t.wait(swarm.running(), || {
        let mut moved = take_in(givers)?;
        for giver in givers.iter_mut() {
            moved |= !giver.open().is_empty();
            let blocks = giver.open().to_vec();
            giver.put_open(blocks.len())?;
            open.retain(|block| !blocks.contains(block));
        }
        Ok(match (open.is_empty(), moved) {
            (true, _) => Progress::Done(()),
            (false, true) => Progress::Moved,
            (false, false) => Progress::Nothing,
        })
    })?;
    result.map_err(|stall| {
        let headline = format!("the program does not ask for {}", missing(&open));
        failure(swarm, givers, &headline, ASKS, cause, &stall)
    })
}

/// Lets them give all that they are asked for, until the program asks for nothing more.
pub(super) fn give_what_is_asked(swarm: &Swarm, givers: &mut [&mut Giver]) -> Verdict {
    loop {
        rest(swarm, givers)?;
        if givers.iter().all(|giver| giver.open().is_empty()) {
            return Ok(());
        }
        for giver in givers.iter_mut() {
            giver.gives(MOST)?;
        }
    }
}

/// `piece 3, 16384 bytes from 0, and 2 other blocks`.
fn missing(open: &BTreeSet<Block>) -> String {
    let first = open.first().map_or_else(String::new, |block| block.in_words());
    match open.len() {
        0 | 1 => first,
        2 => format!("{first}, and one other block"),
        more => format!("{first}, and {} other blocks", more - 1),
    }
}

fn failure(
    swarm: &Swarm,
    givers: &[&mut Giver],
    headline: &str,
    expected: &str,
    cause: &str,
    stall: &Stall,
) -> Stop {
    let blame = swarm.trial().fail(headline).expected(expected);
    let blame = givers.iter().fold(blame, |blame, giver| blame.seen(giver.so_far()));
    blame.seen(stall.sentence(&swarm.running().name)).cause(cause).stop()
}

const ASKS: &str = "it asks whoever has what it wants";
