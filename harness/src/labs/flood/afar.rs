//! Step 4: what one finds at another who is no neighbour.

use super::network::{Network, Shape};
use crate::trial::{Trial, Verdict};

checks! { $ flood_afar, "flood" step 4:
    finds_what_a_stranger_has, 3 points: "three in a row: the ends find each other";
    "Questions flood, answers go back the way they came."

    hears_from_everybody_once, 2 points: "a ping in a ring of five brings four pongs, one of each";
    "pong 127.0.0.1:7003 12 4096: answers to one's own ping; address in the Pong, files, kilobytes."

    finds_the_other_way_round, 2 points: "a ring of four finds on when one of it has died";
    "No middle at all: whoever fails, the others find what can still be reached."

    does_not_find_what_is_too_far, 1 point: "nine in a line: a file eight links away is not found";
    "Own questions: TTL 7; no answer does not mean that nobody has it."
}

const SONG: &str = "my song.ogg";
const THROUGH: &str = "the one in the middle passes the question on, and the answer back: it has asked nothing \
    and keeps nothing, but it knows where the question came from";

fn finds_what_a_stranger_has(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Line, 3, |number| match number {
        0 => vec![("letter.txt", b"hello")],
        2 => vec![("a", b"a"), (SONG, b"la la la")],
        _ => Vec::new(),
    })?;
    let [ann, bob, carol] = network.all()?;
    ann.console.types("find song");
    ann.expect_event(&format!("hit 1 {} 8 {SONG}", carol.address()), THROUGH)?;
    carol.console.types("find letter");
    carol.expect_event(&format!("hit 1 {} 5 letter.txt", ann.address()), THROUGH)?;
    network.rest()?;
    let only = "one file was found, and nobody else has asked";
    for servent in [ann, bob, carol] {
        servent.console.expect_no_event(only)?;
    }
    Ok(())
}

fn hears_from_everybody_once(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Ring, 5, |number| match number {
        3 => vec![("two kilobytes", &[b'x'; 2048])],
        _ => Vec::new(),
    })?;
    let [ann, others @ ..] = network.all::<5>()?;
    ann.console.types("ping");
    let pong = |(servent, number): (&super::servent::Servent, usize)| match number {
        3 => format!("pong {} 1 2", servent.address()),
        _ => format!("pong {} 0 0", servent.address()),
    };
    let pongs: Vec<_> = others.iter().zip(1..).map(pong).collect();
    let pongs: Vec<_> = pongs.iter().map(String::as_str).collect();
    ann.console.expect_events(&pongs, THROUGH)?;
    network.rest()?;
    let once = "a question that comes by two ways is answered once";
    network.servents.iter().try_for_each(|one| one.console.expect_no_event(once).map(drop))
}

fn finds_the_other_way_round(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Ring, 4, |number| match number {
        2 => vec![(SONG, b"la la la")],
        _ => Vec::new(),
    })?;
    let [ann, bob, carol, dave] = network.all()?;
    let hit = format!("hit 1 {} 8 {SONG}", carol.address());
    ann.console.types("find song");
    ann.expect_event(&hit, THROUGH)?;
    bob.service.kill()?;
    for neighbour in [ann, carol] {
        neighbour.expect_event("unlinked *", "a link whose other end has died has ended")?;
    }
    ann.console.types("find song");
    ann.expect_event(&hit, "what one way does not bring the other one does")?;
    network.rest()?;
    dave.console.expect_no_event("dave has asked nothing, and lost nobody").map(drop)
}

fn does_not_find_what_is_too_far(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Line, 9, |number| match number {
        7 => vec![("near song", b"la la la")],
        8 => vec![("far song", b"la la la")],
        _ => Vec::new(),
    })?;
    let ann = &network.servents[0];
    ann.console.types("find song");
    let near = network.servents[7].address();
    ann.expect_event(&format!("hit 1 {near} 8 near song"), "seven links are not too far")?;
    network.rest()?;
    ann.console.expect_no_event("a question goes seven links far, and no further").map(drop)
}
