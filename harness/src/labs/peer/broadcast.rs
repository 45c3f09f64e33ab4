//! Step 4: telling everybody, and leaving.

use std::collections::HashSet;

use super::conversations::keeps_to_every_conversation;
use super::endure::sends_whole_lines;
use super::leaving::{GOODBYE, says_everything_before_it_leaves, waits_for_the_others};
use super::together::{
    comes_back_after_a_crash, meets_in_a_mesh, meets_in_either_order, stands_in_a_line,
    waits_for_a_frozen_peer,
};

use super::Peer;
use super::causes::{LEFT, NOT_FOR_IT, SAID, TELLS};
use super::conversations::converse;
use crate::net::Lines;
use crate::program::describe_exit;
use crate::trial::{Progress, Stop, Trial, Verdict};
use crate::words::{count, quote_short};

checks! { $ peer_broadcast, "peer" step 4:
    tells_everybody, 3 points: "tells everybody what its user types";
    "Each line of stdin goes as SAY to all peers present."

    is_not_held_up, 3 points: "is not held up by a peer that stopped reading";
    "One that stopped reading delays nobody for long: two seconds at most."

    talks, 2 points: "talks: says, hears, and says again";
    "Once connected the two ends are equal: both speak when they like."

    tells_nobody_who_left, 2 points: "leaves out whoever has left, and nobody else";
    "A peer that left is dropped; the others hear every line."

    forwards_nothing, 1 point: "does not pass on what it hears";
    "Each line of stdin goes to all peers. What another peer says goes to nobody."

    keeps_to_the_limits, 1 point: "sends no line that the protocol forbids";
    "UTF-8, at most 1,024 bytes with the LF, whatever its user types."

    survives_who_vanishes, 2 points: "survives a peer that vanishes while it is told";
    "A write to a peer that has gone fails with BrokenPipe or ConnectionReset: the others are told."

    says_everything_before_it_leaves, 2 points: "says all that was typed, then BYE, and ends";
    "End of stdin: BYE to all, end all sending sides, wait for the others' ends, exit 0."

    waits_for_the_others, 2 points, patient: "waits for the others' ends, and not for ever";
    "It waits for the others' ends (at most 2 s): closing before that could reset the connection."

    sends_whole_lines, 2 points, exotic: "sends all of a line, also when a write is interrupted";
    "write may take only a part of what it is given: half a line is no line."

    meets_in_either_order, 2 points: "meets another one, whichever was started first";
    "Two peers that know each other meet, whoever is started first."

    meets_in_a_mesh, 2 points: "talks in a group of three where all know each other";
    "Each line goes to every peer present, once."

    stands_in_a_line, 1 point: "stands between two that do not know each other";
    "A peer tells its own peers, and nobody else."

    comes_back_after_a_crash, 2 points: "is missed when it was killed, and welcome again";
    "A crash is an end like any other (left); the peer can come back on the same port."

    waits_for_a_frozen_peer, 2 points, exotic: "tolerates a peer that is frozen for a while";
    "A stopped process is not gone: its kernel takes what is sent, and it reads when it goes on."

    keeps_to_every_conversation, 2 points: "keeps to all other conversations of the course";
    "Every file in fixtures/03-peer/conversations is played; a file that is added there, too."
}

pub(super) fn tells_everybody(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    let mut dave = peer.joined_by("dave")?;
    for text in ["hello everybody", "  spaces, é and 🦀", "BYE", "good night"] {
        peer.types(text);
        for other in [&mut bob, &mut carol, &mut dave] {
            other.expect_line(&format!("SAY {text}"), TELLS)?;
        }
    }
    peer.expect_no_event("what its own user says is not printed: the user has typed it").map(drop)
}

pub(super) fn is_not_held_up(t: &mut Trial) -> Verdict {
    until_it_tells(t, |t| {
        let peer = t.peer("ann", &[])?;
        let _stopped = peer.joined_by("bob")?;
        let mut carol = peer.joined_by("carol")?;
        t.note("bob reads nothing from now on");
        let expected = type_much(&peer)?;
        peer.running().program.close_stdin();
        carol_hears(&peer, &mut carol, &[&expected[..], b"BYE\n"].concat(), HELD_UP)
    })
}

/// What a scene has told of a peer, which has limits in time: the harness may be too slow to keep
/// within them on a machine that is busy with other things.
pub(super) enum Told {
    /// It did right.
    Right,
    /// This went wrong, and it may be the harness that was too slow.
    Doubtful(Stop),
    /// Nothing: the harness was too slow.
    Nothing,
}

/// Plays a scene again until it tells, or until the same doubt has come up too often for chance.
pub(super) fn until_it_tells(t: &Trial, scene: impl Fn(&Trial) -> Verdict<Told>) -> Verdict {
    let mut doubts = 0;
    for _ in 0..ATTEMPTS {
        match scene(t)? {
            Told::Right => return Ok(()),
            Told::Doubtful(stop) => {
                doubts += 1;
                if doubts == DOUBTS {
                    return Err(stop);
                }
            }
            Told::Nothing => {}
        }
        t.new_scene()?;
    }
    Err(Stop::Fault(format!("in {ATTEMPTS} attempts this machine was too busy to keep up with it")))
}

const ATTEMPTS: usize = 20;
/// At a load of 40 one right peer in five was doubted: eight times in a row is no chance.
const DOUBTS: usize = 8;

/// More than all queues of a connection take, where each line is a segment (tcp_wmem, tcp(7)).
const LINES: usize = 4_000;

/// Its user types many lines. Returns what each of the others should hear of them.
pub(super) fn type_much(peer: &Peer) -> Verdict<Vec<u8>> {
    let filler = "x".repeat(980);
    let typed: String = (1..=LINES).map(|number| format!("{number} {filler}\n")).collect();
    let length = count(typed.len());
    peer.trial().note(format!("the user of the peer ann typed {LINES} lines, {length} in all"));
    // A time-out for writing is a good answer, and it does not show in /proc.
    peer.trial().allow_time_outs();
    // A peer that has ended takes no input: what carol hears tells of that.
    let _ = peer.running().program.write_stdin(typed.as_bytes());
    Ok(typed.split_inclusive('\n').flat_map(|line| [b"SAY ", line.as_bytes()].concat()).collect())
}

/// In doubt where the peer may have given up on carol because the harness did not read for a while.
fn carol_hears(peer: &Peer, carol: &mut Lines, expected: &[u8], cause: &str) -> Verdict<Told> {
    let heard = carol.read_all_until(|heard| heard.len() >= expected.len())?;
    if heard == expected {
        peer.trial().note("carol heard every line");
        return Ok(Told::Right);
    }
    // How it ends, if it does, takes a moment.
    let _ = peer.rest();
    let ended = peer.running().program.exited()?;
    let cut_off = expected.starts_with(&heard);
    let doubtful = cut_off && carol.may_be_given_up() && !is_stuck(peer)?;
    let whole = heard.iter().filter(|byte| **byte == b'\n').count();
    let then = match ended {
        Some(status) => format!("then the peer ann ended, {}", describe_exit(status)),
        None => "then nothing more, for two seconds in all".into(),
    };
    if expected.strip_suffix(b"BYE\n") == Some(&heard) {
        return Err(peer
            .trial()
            .fail("carol hears every line, and no BYE")
            .expected("BYE to all when standard input has ended")
            .seen(format!("{whole} lines, {then}"))
            .cause(GOODBYE)
            .stop());
    }
    let blame = peer
        .trial()
        .fail("carol does not hear everything, because of what bob does")
        .expected(format!("carol hears all {} lines", expected.split(|b| *b == b'\n').count() - 1))
        .seen(format!("carol heard {whole} lines, {then}"));
    if !cut_off {
        let lines: HashSet<_> = expected.split_inclusive(|byte| *byte == b'\n').collect();
        let whole = heard.split_inclusive(|byte| *byte == b'\n').all(|line| lines.contains(line));
        let cause = if whole { LEFT_OUT } else { IN_PARTS };
        return Err(blame.difference(expected, &heard).cause(cause).stop());
    }
    let blame = if peer.service.look().is_ok_and(|now| now.waits_for_a_thread()) {
        blame.cause(LOCKED).cause(cause)
    } else {
        blame.cause(cause)
    };
    match (blame.stop(), doubtful) {
        (stop @ Stop::Fail(_), true) => Ok(Told::Doubtful(stop)),
        (stop, _) => Err(stop),
    }
}

/// Whether the peer does not get on: it has failed, or what it waits for does not come.
fn is_stuck(peer: &Peer) -> Verdict<bool> {
    if let Some(status) = peer.running().program.exited()? {
        return Ok(!status.success());
    }
    if peer.trial().needs_watching().is_err() {
        return Ok(true);
    }
    let free = peer.trial().wait(peer.running(), || {
        let now = peer.service.look()?;
        let waits = now.is_blocked_in_send() || now.waits_for_a_thread();
        Ok(if waits { Progress::Nothing } else { Progress::Done(()) })
    })?;
    Ok(free.is_err())
}

pub(super) fn talks(t: &mut Trial) -> Verdict {
    converse(t, "talk")?;
    t.new_scene()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    peer.types("");
    bob.expect_line("SAY ", EMPTY)?;
    peer.types("one\rtwo");
    bob.expect_line("SAY one\rtwo", NO_CR)?;
    peer.types("  blanks before, and a tab behind\t ");
    bob.expect_line("SAY   blanks before, and a tab behind\t ", BLANKS)
}

pub(super) fn tells_nobody_who_left(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    let mut dave = peer.joined_by("dave")?;
    carol.say("BYE")?;
    peer.expect_event("left carol", LEFT)?;
    for text in ["carol has left", "what a pity"] {
        peer.types(text);
        for other in [&mut bob, &mut dave] {
            other.expect_line(&format!("SAY {text}"), TELLS)?;
        }
    }
    carol.expect_closed(
        "a peer that has said BYE has left: nothing more is sent to it, and its connection is closed",
    )
}

pub(super) fn forwards_nothing(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    bob.say("SAY for ann alone")?;
    peer.expect_event("bob: for ann alone", SAID)?;
    carol.expect_silence(NOT_FOR_IT).map_err(Stop::telling)?;
    bob.expect_silence(NOT_FOR_IT).map_err(Stop::telling)?;
    peer.types("and this is for both");
    carol.expect_line("SAY and this is for both", TELLS)?;
    bob.expect_line("SAY and this is for both", TELLS)
}

pub(super) fn keeps_to_the_limits(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let longest = "x".repeat(1019);
    peer.types(&longest);
    bob.expect_line(&format!("SAY {longest}"), LIMITS)?;
    peer.types(&"y".repeat(1020));
    // Bytes are counted, not letters: these are 605 letters, and 1,206 bytes with the LF.
    peer.types(&"é".repeat(600));
    peer.console.types_bytes(b"half a letter: \xc3\n");
    peer.types("fine again");
    let last = b"SAY fine again\n";
    let heard = bob.read_all_until(|heard| heard.ends_with(last))?;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        let right = line.starts_with(b"SAY ") && line.ends_with(b"\n") && line.len() <= 1024;
        if !right || std::str::from_utf8(line).is_err() {
            return Err(t
                .fail("the peer sent a line that the protocol forbids")
                .expected("lines of at most 1,024 bytes with SAY and LF, in UTF-8")
                .seen(format!("{}: {}", count(line.len()), quote_short(line, 40)))
                .cause(LIMITS)
                .stop());
        }
    }
    if heard.ends_with(last) { Ok(()) } else { bob.expect_line("SAY fine again", LIMITS) }
}

pub(super) fn survives_who_vanishes(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    until_it_tells(t, |t| {
        let peer = t.peer("ann", &[])?;
        let bob = peer.joined_by("bob")?;
        let mut carol = peer.joined_by("carol")?;
        let expected = type_much(&peer)?;
        // When bob's queues are full, a write to him waits; and fails when he is gone.
        let _ = t.wait(peer.running(), || {
            carol.take_in()?;
            let blocked = peer.service.look()?.is_blocked_in_send();
            Ok(if blocked { Progress::Done(()) } else { Progress::Nothing })
        })?;
        bob.reset()?;
        match carol_hears(&peer, &mut carol, &expected, VANISHED)? {
            Told::Right => peer.expect_event("left bob", LEFT).map(|()| Told::Right),
            other => Ok(other),
        }
    })
}

const LIMITS: &str = "a line is at most 1,024 bytes with `SAY ` and the LF, and UTF-8: what does not \
    fit is refused, cut or split, but never sent as it is";
pub(super) const HELD_UP: &str = "a write to a peer that does not read waits when the queues are full. Limit it \
    (set_write_timeout) or leave it to a thread of that peer's own, and hold no lock meanwhile";
const EMPTY: &str = "a line without a character is a line, too: only the end of standard input (read returns \
    0) is the end";
const NO_CR: &str = "only LF ends a line; CR is a character like any other (text mode of some languages \
    makes a line end of it: read bytes, or switch universal newlines off)";
const BLANKS: &str = "what was typed goes as it was typed: only the LF ends it. strip, trim and rstrip take off \
    blanks, tabs and CRs, too";
const LEFT_OUT: &str = "lines are left out as a whole: each line goes to every peer present, also to those \
    behind one that is slow or gone";
const IN_PARTS: &str = "write may take only a part of a line (write_all sends the rest); and a write that \
    gives up in mid-line (a time-out, or WouldBlock in non-blocking mode) has sent a part of it, behind \
    which nothing sensible can follow";
const LOCKED: &str = "the thread that writes waits for another thread: a lock that it holds already is \
    never free for it";
const VANISHED: &str = "a write to a peer that has gone is an error: drop that peer, and go on with \
    the next one of the list";
