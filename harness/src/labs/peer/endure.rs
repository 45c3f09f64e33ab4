//! Step 4 of lab 3: a line is sent whole, or the connection ends.

use super::Peer;
use super::broadcast::type_much;
use super::causes::TELLS;
use crate::contract::SHORT;
use crate::kernel::Stillness;
use crate::trial::{Progress, Trial, Verdict};
use crate::words::count;

/// A peer may give up on one that does not read for a while, and on a busy machine that may be
/// the harness. Then the scene tells nothing.
const ATTEMPTS: usize = 4;

pub(super) fn sends_whole_lines(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    for _ in 0..ATTEMPTS {
        let peer = t.peer("ann", &[])?;
        let mut bob = peer.joined_by("bob")?;
        let expected = type_much(&peer)?;
        while stop_in_mid_write(t, &peer)? {
            bob.take_in()?;
        }
        let heard = bob.read_all_until(|heard| heard.len() >= expected.len())?;
        if heard == expected {
            t.note("bob heard every line");
            return Ok(());
        }
        if bob.ended().is_none() && expected.starts_with(&heard) {
            return Err(t
                .fail("bob does not hear all that was typed")
                .expected(format!("all {}", count(expected.len())))
                .seen(format!("{}, and nothing more", count(heard.len())))
                .cause(TELLS)
                .stop());
        }
        if !expected.starts_with(&heard) {
            return Err(t
                .fail("bob does not hear every byte of what was typed")
                .expected(format!("all {}, in order", count(expected.len())))
                .seen(format!("{} of them, and some are left out in between", count(heard.len())))
                .difference(&expected, &heard)
                .cause(SHORT)
                .stop());
        }
        t.new_scene()?;
    }
    Ok(())
}

/// Stops the peer when it is blocked in a write, and lets it go on. Returns whether it was.
fn stop_in_mid_write(t: &Trial, peer: &Peer) -> Verdict<bool> {
    let blocked = t.wait(peer.running(), || {
        let now = peer.service.look()?;
        Ok(match now.is_blocked_in_send() {
            true => Progress::Done(true),
            false if now.stillness(&now) != Stillness::Moving => Progress::Done(false),
            false => Progress::Nothing,
        })
    })?;
    if !matches!(blocked, Ok(true)) {
        return Ok(false);
    }
    t.freeze(peer.running())?;
    t.thaw(peer.running())?;
    t.note("the peer ann was stopped in mid-write, and went on (SIGSTOP, SIGCONT)");
    Ok(true)
}
