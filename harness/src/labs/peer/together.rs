//! Several real peers together.

use super::Peer;
use super::broadcast::HELD_UP;
use super::causes::{JOINED, LEFT, SAID};
use crate::trial::{Progress, Trial, Verdict};

pub(super) fn meets_in_either_order(t: &mut Trial) -> Verdict {
    let (here, there) = (t.addresses().free_address(), t.addresses().free_address());
    for (first, second) in [("ann", "bob"), ("bob", "ann")] {
        t.note(format!("{first} is started first; each calls the other"));
        let one = t.peer_at(first, here, &[there])?;
        one.rest()?;
        let two = t.peer_at(second, there, &[here])?;
        one.expect_event(&format!("joined {second} * as server"), JOINED)?;
        two.expect_event(&format!("joined {first} {here} as client"), JOINED)?;
        one.types("who is first");
        two.expect_event(&format!("{first}: who is first"), SAID)?;
        two.types("does not matter");
        one.expect_event(&format!("{second}: does not matter"), SAID)?;
        two.stops_typing();
        one.expect_event(&format!("left {second}"), LEFT)?;
        two.expect_exit(0)?;
        one.service.crash()?;
    }
    Ok(())
}

pub(super) fn meets_in_a_mesh(t: &mut Trial) -> Verdict {
    let peers = mesh(t)?;
    for (index, speaker) in peers.iter().enumerate() {
        let text = format!("{} speaking", speaker.name);
        speaker.types(&text);
        for (other, listener) in peers.iter().enumerate() {
            if other != index {
                listener.expect_event(&format!("{}: {text}", speaker.name), SAID)?;
            }
        }
    }
    for peer in &peers {
        peer.expect_no_event("each line is heard once by each, and not by who said it")?;
    }
    Ok(())
}

pub(super) fn stands_in_a_line(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address()])?;
    let carol = t.peer("carol", &[bob.address()])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    bob.expect_events(&["joined ann * as client", "joined carol * as server"], JOINED)?;
    carol.expect_event("joined bob * as client", JOINED)?;
    ann.types("hello, bob");
    bob.expect_event("ann: hello, bob", SAID)?;
    bob.types("hello to both sides");
    ann.expect_event("bob: hello to both sides", SAID)?;
    carol.expect_event("bob: hello to both sides", SAID)?;
    carol.expect_no_event("carol does not know ann: bob must not pass on what ann says").map(drop)
}

pub(super) fn comes_back_after_a_crash(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address()])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    bob.expect_event("joined ann * as client", JOINED)?;
    bob.service.crash()?;
    ann.expect_event("left bob", LEFT)?;
    ann.types("where is bob?");
    ann.rest()?;
    let again = t.peer_at("bob", bob.address(), &[ann.address()])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    again.expect_event("joined ann * as client", JOINED)?;
    ann.types("welcome back");
    again.expect_event("ann: welcome back", SAID)
}

pub(super) fn waits_for_a_frozen_peer(t: &mut Trial) -> Verdict {
    let [ann, bob, carol] = mesh(t)?;
    bob.running().program.signal("STOP")?;
    // On a busy machine a thread may read once more before it stops.
    let _ = t.wait(bob.running(), || {
        Ok(if bob.service.look()?.is_stopped() { Progress::Done(()) } else { Progress::Nothing })
    })?;
    t.note("bob was frozen (SIGSTOP)");
    for text in ["bob is frozen", "we go on"] {
        ann.types(text);
        carol.expect_event(&format!("ann: {text}"), HELD_UP)?;
    }
    // All of it stands in his queue before he goes on.
    ann.rest()?;
    bob.running().program.signal("CONT")?;
    t.note("bob was thawed (SIGCONT)");
    bob.expect_event("ann: bob is frozen", SAID)?;
    bob.expect_event("ann: we go on", SAID)?;
    bob.types("I am back");
    ann.expect_event("bob: I am back", SAID)?;
    carol.expect_event("bob: I am back", SAID)
}

/// Three peers of which each knows the two others.
fn mesh(t: &Trial) -> Verdict<[Peer; 3]> {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address()])?;
    let carol = t.peer("carol", &[ann.address(), bob.address()])?;
    ann.expect_events(&["joined bob * as server", "joined carol * as server"], JOINED)?;
    bob.expect_events(&["joined ann * as client", "joined carol * as server"], JOINED)?;
    carol.expect_events(&["joined ann * as client", "joined bob * as client"], JOINED)?;
    Ok([ann, bob, carol])
}
