//! Step 2: the two greetings.

use super::conversations::converse;
use crate::trial::{Trial, Verdict};

pub(super) fn greets(t: &mut Trial) -> Verdict {
    converse(t, "greeting")
}

pub(super) fn greets_without_waiting(t: &mut Trial) -> Verdict {
    converse(t, "greeting-first")?;
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.expect_greeting(&mut bob)?;
    bob.say("HELLO bob")?;
    peer.expect_joined(&bob, "client")
}

pub(super) fn tells_its_role(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let _carol = peer.joined_by("carol")?;
    Ok(())
}

pub(super) fn keeps_both_connections(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut called = peer.calls(&host)?;
    let mut calling = peer.called_by("bob")?;
    peer.greet(&mut called, "client")?;
    peer.greet(&mut calling, "server")?;
    called.expect_silence()?;
    calling.expect_silence()?;
    peer.expect_no_event("both have joined, and neither has left").map(drop)
}

pub(super) fn waits_for_a_silent_caller(t: &mut Trial) -> Verdict {
    let host = t.host("dave")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut silent = peer.called_by("bob")?;
    let mut called = peer.calls(&host)?;
    t.note("bob called and says nothing; dave was called and says nothing");
    let _carol = peer.joined_by("carol")?;
    // They have all the time that they like.
    peer.greet(&mut silent, "server")?;
    peer.greet(&mut called, "client")
}

pub(super) fn takes_any_good_name(t: &mut Trial) -> Verdict {
    converse(t, "names")
}

pub(super) fn refuses_bad_names(t: &mut Trial) -> Verdict {
    for file in ["bad-name-empty", "bad-name-long", "bad-name-space", "bad-name-letter"] {
        converse(t, file)?;
    }
    Ok(())
}

pub(super) fn refuses_other_first_lines(t: &mut Trial) -> Verdict {
    converse(t, "bad-first-line")?;
    converse(t, "bad-first-line-empty")?;
    converse(t, "bad-first-line-http")
}

pub(super) fn refuses_a_garbled_greeting(t: &mut Trial) -> Verdict {
    converse(t, "bad-greeting-long")?;
    converse(t, "bad-greeting-utf8")
}
