//! Step 2: the two greetings.

use super::causes::NOT_FOR_IT;
use super::conversations::converse;
use crate::trial::{Trial, Verdict};

checks! { $ peer_greet, "peer" step 2:
    greets, 3 points: "greets, and is greeted";
    "HELLO <name>: first line in each direction, both at once."

    greets_without_waiting, 3 points: "sends its HELLO without waiting for the other's";
    "The two HELLOs cross: if each side waited for the other's, both would wait for ever."

    tells_its_role, 2 points: "tells who joined, from where, and in which role";
    "`joined bob 127.0.0.1:7002 as client`: this side dialled; `as server`: it accepted."

    keeps_both_connections, 2 points: "keeps both connections when two peers call each other";
    "Two peers that dial each other get two connections and both are kept. A repeated name is allowed."

    waits_for_a_silent_caller, 2 points: "is not held up by a caller that says nothing";
    "Silence is no offence, and it must not delay anybody else."

    takes_any_good_name, 1 point: "takes a name of 32 characters";
    "A name: 1 to 32 of A-Z a-z 0-9 - _ (32 are not too many)."

    refuses_bad_names, 2 points: "refuses names that are none";
    "name: 1 to 32 of A-Z a-z 0-9 - _. Anything else: `bad peer`, and that connection is closed."

    refuses_other_first_lines, 2 points: "refuses a caller that does not say HELLO";
    "A missing HELLO: `bad peer`, and that connection is closed."

    refuses_a_garbled_greeting, 1 point: "refuses a greeting that is too long, or no text";
    "A line of more than 1,024 bytes, or bad UTF-8: `bad peer`, also in the greeting."
}

pub(super) fn greets(t: &mut Trial) -> Verdict {
    converse(t, "greeting")
}

pub(super) fn greets_without_waiting(t: &mut Trial) -> Verdict {
    converse(t, "greeting-first")?;
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut bob = peer.calls(&host)?;
    peer.expect_greeting(&mut bob)?;
    bob.say("HELLO bob")?;
    peer.expect_joined(&bob, "client")
}

pub(super) fn tells_its_role(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let _carol = peer.joined_by("carol")?;
    Ok(())
}

pub(super) fn keeps_both_connections(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address()])?;
    let mut called = peer.calls(&host)?;
    let mut calling = peer.called_by("bob")?;
    peer.greet(&mut called, "client")?;
    peer.greet(&mut calling, "server")?;
    called.expect_silence(NOT_FOR_IT)?;
    calling.expect_silence(NOT_FOR_IT)?;
    peer.expect_no_event("both have joined, and neither has left").map(drop)
}

pub(super) fn waits_for_a_silent_caller(t: &mut Trial) -> Verdict {
    let host = t.host("dave")?;
    let peer = t.peer("ann", &[host.address()])?;
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
    converse(t, "bad-first-line-http")?;
    converse(t, "bad-first-line-lower")
}

pub(super) fn refuses_a_garbled_greeting(t: &mut Trial) -> Verdict {
    converse(t, "bad-greeting-long")?;
    converse(t, "bad-greeting-utf8")
}
