//! Step 5 of lab 9, `download`: several of the programs, and nobody who has everything.

use std::rc::Rc;

use super::download::INTERESTED;
use super::giver::Giver;
use super::giving::give_all;
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_sharing, "swarm" step 5:
    passes_it_along, 3 points: "passes a file along a chain of three";
    "Everybody gives while getting: whoever has a piece gives it to whoever wants it."

    shares_among_three, 3 points: "completes three programs of which each was given a third";
    "swarm gets the torrent's one file into DIR, and gives from the first piece on."
}

/// A torrent of twelve pieces of one block.
fn torrent() -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(12))
}

/// Starts one that dials these, with the whole file or nothing of it.
fn start(
    t: &Trial,
    name: &str,
    torrent: &Rc<Torrent>,
    is_seed: bool,
    others: &[&Swarm],
) -> Verdict<Swarm> {
    let addresses: Vec<_> = others.iter().map(|other| other.address()).collect();
    let called = format!("program {name}");
    let start = Start::of(torrent).called(&called).dialling(&addresses);
    let start = if is_seed { start.having(&torrent.all()) } else { start };
    let swarm = start.listening(t)?;
    swarm.expect_have(if is_seed { torrent.all().len() } else { 0 })?;
    Ok(swarm)
}

fn passes_it_along(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let ann = start(t, "ann", &torrent, true, &[])?;
    let bob = start(t, "bob", &torrent, false, &[&ann])?;
    let carol = start(t, "carol", &torrent, false, &[&bob])?;
    for (swarm, from) in [(&bob, &ann), (&carol, &bob)] {
        let mut lines: Vec<_> = torrent
            .all()
            .iter()
            .map(|index| format!("piece {index} from {}", from.address()))
            .collect();
        lines.push(format!("peer {} as client", from.address()));
        if swarm.address() == bob.address() {
            lines.push("peer * as server".into());
        }
        expect_whole(swarm, lines)?;
    }
    Ok(())
}

/// Expects these lines and `complete`, in any order, and the whole file.
fn expect_whole(swarm: &Swarm, mut lines: Vec<String>) -> Verdict {
    lines.push("complete".into());
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    swarm.console.expect_events(&lines, CHAIN)?;
    swarm.folder.expect_file(&swarm.torrent.name, &swarm.torrent.bytes, CHAIN)
}

fn shares_among_three(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let third = |number: u32| -> Vec<u32> { (4 * number..4 * number + 4).collect() };
    let mut swarms: Vec<Swarm> = Vec::new();
    let mut givers = Vec::new();
    for (number, name) in (0..).zip(["ann", "bob", "carol"]) {
        let others: Vec<_> = swarms.iter().collect();
        let swarm = start(t, name, &torrent, false, &others)?;
        let lines: Vec<_> =
            others.iter().map(|other| format!("peer {} as client", other.address())).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        swarm.console.expect_events(&lines, THIRDS)?;
        for earlier in others {
            earlier.console.expect_event("peer * as server", THIRDS)?;
        }
        let giver = ["dave", "erin", "frank"][number as usize];
        givers.push(Giver::joins(&swarm, giver, &[], &third(number))?);
        swarms.push(swarm);
    }
    for ((number, swarm), giver) in (0..).zip(&swarms).zip(&mut givers) {
        giver.expect_interest(swarm, INTERESTED)?;
        giver.unchokes()?;
        give_all(swarm, &mut [giver], &third(number), THIRDS)?;
    }
    for swarm in &swarms {
        let lines = torrent.all().iter().map(|index| format!("piece {index} from *")).collect();
        expect_whole(swarm, lines)?;
    }
    Ok(())
}

const CHAIN: &str = "a program that gets tells its peers of each piece, and gives it to them: none of them needs to \
    know where it has come from";
const THIRDS: &str = "nobody has all of it, and all together do: whoever has got a piece tells the others, who ask for it";
