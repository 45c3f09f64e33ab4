//! Step 4 of lab 3: leaving in good order.

use std::time::{Duration, Instant};

use super::Peer;
use super::broadcast::{Told, until_it_tells};
use crate::kernel::State;
use crate::net::Lines;
use crate::trial::{Stop, Trial, Verdict};

pub(super) fn says_everything_before_it_leaves(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    peer.console.types_bytes(b"one\ntwo\nthree, without a line end");
    peer.stops_typing();
    for other in [&mut bob, &mut carol] {
        for line in ["SAY one", "SAY two", "SAY three, without a line end"] {
            other.expect_line(line, GOODBYE)?;
        }
        other.expect_line("BYE", GOODBYE).map_err(Stop::telling)?;
        other.expect_end(GOODBYE)?;
    }
    for other in [&mut bob, &mut carol] {
        other.end()?;
    }
    peer.expect_exit(0)
}

pub(super) fn waits_for_the_others(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    until_it_tells(t, says_something_late)?;
    t.new_scene()?;
    // One who does not end its side keeps nobody for ever.
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    peer.stops_typing();
    bob.expect_line("BYE", GOODBYE)?;
    bob.expect_end(GOODBYE)?;
    t.note("bob does not end its side");
    t.allow_time_outs();
    peer.expect_exit(0)?;
    t.new_scene()?;
    // Who is still being called is nobody who could leave.
    let carol = t.host("carol")?;
    let _held = carol.fill_queue()?;
    let peer = t.peer("ann", &[carol.address()])?;
    peer.rest()?;
    peer.stops_typing();
    t.allow_time_outs();
    peer.expect_exit(0).map_err(|stop| stop.because(NOT_THERE))
}

const NOT_THERE: &str = "a call to a machine that does not answer takes minutes: whoever leaves waits for those \
    who are there, and for no call";

/// Half of the time that a peer waits: what was sent within it reaches one that waits.
const IN_TIME: Duration = Duration::from_secs(1);

/// Says something to a peer that is leaving, and ends. It tells nothing where it was said so late
/// that a right peer may have gone.
fn says_something_late(t: &Trial) -> Verdict<Told> {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let began = Instant::now();
    peer.stops_typing();
    bob.expect_line("BYE", GOODBYE)?;
    expect_end_while_it_waits(t, &peer, &bob)?;
    bob.expect_end(GOODBYE)?;
    bob.say("SAY one more thing")?;
    if began.elapsed() > IN_TIME {
        return Ok(Told::Nothing);
    }
    // To whoever has closed instead of waiting this comes too late: the answer is a reset.
    peer.expect_event("bob: one more thing", GOODBYE)?;
    bob.end()?;
    peer.expect_exit(0).map(|()| Told::Right)
}

/// Expects that the peer has ended its side by the time that it only waits.
fn expect_end_while_it_waits(t: &Trial, peer: &Peer, bob: &Lines) -> Verdict {
    let began = Instant::now();
    let (there, here) = (bob.connection().there(), bob.connection().here());
    while let Ok(now) = t.settle(peer.running())? {
        let open = now.connection(there, here).is_some_and(|row| row.state == State::Established);
        if !open {
            return Ok(());
        }
        if began.elapsed() > IN_TIME {
            return Err(t
                .fail("the peer says BYE, and does not end its sending side")
                .expected("BYE, and after it the end of the stream (FIN)")
                .seen("BYE; a second later the peer only waits, and its side is still open")
                .cause(
                    "the others wait for the end of the stream as this peer waits for theirs: \
                     shutdown(Shutdown::Write) after the BYE, and only then wait",
                )
                .stop());
        }
        t.let_pass(Duration::from_millis(20));
    }
    Ok(())
}

pub(super) const GOODBYE: &str = "at the end of standard input: BYE to all, the end of each sending side \
    (shutdown), and only then the wait for the others' ends";
