//! Step 3: what is said, and who has left.

use super::causes::{BAD, LEFT, NOT_FOR_IT, SAID};
use super::conversations::converse;
use crate::kernel::{self};
use crate::trial::{Stop, Trial, Verdict};
use crate::words::count;

checks! { $ peer_receive, "peer" step 3:
    prints_what_is_said, 3 points: "prints what a peer says, as it was said";
    "`bob: hello there`: one line an event, flushed, whatever the segments."

    takes_everything_at_once, 3 points: "understands HELLO, SAY and BYE in one segment";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    takes_the_longest_line, 1 point: "takes a line of 1,024 bytes";
    "Lines, ended by LF, UTF-8, at most 1,024 bytes with the LF."

    refuses_a_longer_line, 2 points: "refuses a line of 1,025 bytes";
    "A longer line: `bad peer`, and that connection is closed."

    bounds_an_endless_line, 2 points, exotic: "keeps no endless line in memory";
    "A line that never ends must not fill the memory: after 1,024 bytes it is too long."

    refuses_unknown_words, 2 points: "refuses a word that the protocol does not have";
    "An unknown word: `bad peer`, and that connection is closed."

    refuses_what_is_no_text, 1 point: "refuses a line that is not UTF-8";
    "Bad UTF-8 gets a protocol error, not a crash."

    notices_who_left, 3 points: "notices an end without BYE, a reset, a line cut off";
    "left bob: after BYE, an end of stream, or a reset alike."

    keeps_speakers_apart, 2 points: "keeps apart what several peers say at the same time";
    "Each connection is a stream of its own, with its own half of a line."

    goes_on_after_a_bad_peer, 2 points: "goes on with the others after a bad peer";
    "Protocol violation: that connection is closed, nothing else happens."

    keeps_nothing_of_who_left, 2 points: "has no more sockets and threads after 30 peers";
    "Descriptors and threads return to what they were: peers come and go."

    waits_for_a_silent_peer, 2 points, patient: "waits for a peer that is silent for a while";
    "Who has joined stays until it leaves: silence is no offence, and there are no time-outs."

    is_idle_among_peers, 2 points: "is blocked, not polling, while nobody speaks";
    "Quiet when idle, also with peers, with a caller that says nothing, and after one has left."
}

pub(super) fn prints_what_is_said(t: &mut Trial) -> Verdict {
    converse(t, "say")?;
    converse(t, "say-cr")
        .map_err(|stop| if stop.has_cause(&[SAID]) { stop.because(NO_CR) } else { stop })?;
    t.new_scene()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    bob.send(b"SAY  blanks, and a CR behind \r\n")?;
    peer.expect_event("bob:  blanks, and a CR behind \r", BLANKS)?;
    // Who types an empty line says one.
    bob.send(b"SAY \n")?;
    peer.expect_event(
        "bob: ",
        "a text may be empty: what stands behind `SAY ` is printed, and be it nothing",
    )
}

pub(super) fn takes_everything_at_once(t: &mut Trial) -> Verdict {
    converse(t, "say-at-once")
}

pub(super) fn takes_the_longest_line(t: &mut Trial) -> Verdict {
    converse(t, "say-longest")
}

pub(super) fn refuses_a_longer_line(t: &mut Trial) -> Verdict {
    converse(t, "bad-line-long")?;
    converse(t, "bad-line-letters")
}

pub(super) fn bounds_an_endless_line(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let memory = || kernel::resident_bytes(peer.running().program.family()).map_err(Stop::from);
    let before = memory()?;
    bob.send(b"SAY ")?;
    bob.flood(&[b'x'; 65536], 32 << 20)?;
    let grown = memory()?.saturating_sub(before);
    if grown > 8 << 20 {
        return Err(t
            .fail("the peer collects an endless line in its memory")
            .expected("the connection is closed after 1,024 bytes without a line end")
            .seen(format!("{} more memory in use", count(grown as usize)))
            .cause("read_line and lines read until the line end, however far it is: limit them (Read::take)")
            .stop());
    }
    let address = bob.connection().here();
    peer.expect_event(&format!("bad peer {address}: *"), TOO_LONG)?;
    bob.expect_closed(TOO_LONG)
}

pub(super) fn refuses_unknown_words(t: &mut Trial) -> Verdict {
    converse(t, "bad-word")?;
    converse(t, "bad-word-close")?;
    converse(t, "bad-word-bye")?;
    converse(t, "bad-word-bye-lower")?;
    converse(t, "bad-word-lower")
}

pub(super) fn refuses_what_is_no_text(t: &mut Trial) -> Verdict {
    converse(t, "bad-line-utf8")
        .map_err(|stop| if stop.has_cause(&[BAD]) { stop.because(NO_TEXT) } else { stop })
}

pub(super) fn notices_who_left(t: &mut Trial) -> Verdict {
    converse(t, "left-by-end")?;
    converse(t, "left-by-reset")?;
    converse(t, "left-in-mid-line")
}

pub(super) fn keeps_speakers_apart(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut others = Vec::new();
    for name in ["bob", "carol", "dave"] {
        others.push(peer.joined_by(name)?);
    }
    for part in ["SAY I", " am", " ", "NAME"] {
        for other in &mut others {
            let part = part.replace("NAME", other.name());
            other.send_alone(part.as_bytes())?;
        }
    }
    t.note("bob, carol and dave each sent `SAY I am …` piece by piece, in turns");
    for other in others.iter_mut().rev() {
        other.send(b"\n")?;
        let name = other.name();
        peer.expect_event(&format!("{name}: I am {name}"), APART)?;
    }
    Ok(())
}

pub(super) fn goes_on_after_a_bad_peer(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    bob.say("what is this?")?;
    let address = bob.connection().here();
    peer.expect_event(&format!("bad peer {address}: *"), ONE_ONLY)?;
    bob.expect_closed(BAD)?;
    carol.say("SAY I am still here")?;
    peer.expect_event("carol: I am still here", ONE_ONLY)?;
    carol.expect_silence(NOT_FOR_IT)?;
    let _dave = peer.joined_by("dave")?;
    peer.expect_no_event("a bad peer is one line, `bad peer`, and nothing else").map(drop)
}

pub(super) fn keeps_nothing_of_who_left(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let _stays = peer.joined_by("bob")?;
    let before = peer.service.settle()?;
    for round in 1..=3 {
        let mut others = Vec::new();
        for index in 1..=10 {
            others.push(peer.joined_by(&format!("guest-{round}-{index}"))?);
        }
        for mut other in others {
            other.say("SAY hello, and good bye")?;
            peer.expect_event(&format!("{}: hello, and good bye", other.name()), SAID)?;
            other.say("BYE")?;
            other.end()?;
            peer.expect_event(&format!("left {}", other.name()), LEFT)?;
            other.expect_end(LEFT)?;
        }
    }
    let (sockets, threads) = (before.socket_descriptors(), before.threads().count() + 8);
    peer.service.expect_shown(
        "the peer keeps something of every peer that has left",
        &format!("{sockets} sockets and at most {threads} threads, as before"),
        "each peer leaves something behind: a stream that is kept in the list, or a clone of it, \
         or a thread that waits for ever",
        |now| match (now.socket_descriptors(), now.threads().count()) {
            (s, n) if s <= sockets && n <= threads => Ok(()),
            (s, n) => Err(format!("{s} descriptors of sockets and {n} threads")),
        },
    )?;
    Ok(())
}

pub(super) fn is_idle_among_peers(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    carol.say("SAY now be quiet")?;
    peer.expect_event("carol: now be quiet", SAID)?;
    let _silent = peer.called_by("dave")?;
    peer.service.wait_until_accepted()?;
    peer.service.expect_idle_since(&peer.service.settle()?)?;
    // What it says of that is another check's matter.
    carol.end()?;
    peer.service.expect_idle_since(&peer.service.settle()?)
}

fn waits_for_a_silent_peer(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    // A limit that was set for a write may hold for the reads behind it. What bob hears of the line is the
    // next step's matter.
    peer.types("take your time");
    peer.rest()?;
    bob.take_in()?;
    bob.take(bob.unread().len());
    bob.say("SAY I shall")?;
    peer.expect_event("bob: I shall", SAID)?;
    t.be_silent(peer.running(), || {
        peer.expect_no_event(SILENT)?;
        bob.expect_silence(NOT_FOR_IT)
    })?;
    bob.say("SAY I had to think")?;
    peer.expect_event("bob: I had to think", SAID)
}

const SILENT: &str =
    "who says nothing has not left: only BYE, an end of the stream or an error tells that";
const NO_CR: &str = "only LF ends a line; CR is a character like any other (a reader in text mode makes a line \
    end of it: read bytes)";
const BLANKS: &str = "only LF ends a line: lines() of Rust, strip, trim and rstrip take off a CR or blanks, too, \
    which belong to the text";
const TOO_LONG: &str = "1,024 bytes without a line end can't become a line: `bad peer`, and close";
const NO_TEXT: &str = "str::from_utf8 tells whether bytes are UTF-8; from_utf8_lossy never fails, and puts \
    U+FFFD where they are not";
const ONE_ONLY: &str = "one bad peer is that peer's problem: say `bad peer ADDRESS: REASON`, end its own \
    thread and its own connection, and nothing else";
const APART: &str = "each connection needs a buffer of its own for the half of a line that has come: \
    one that all share mixes what they say";
