//! Several of your peers, with a wire between each two.

use crate::labs::peer::Peer;
use crate::labs::peer::causes::{JOINED, LEFT, SAID};
use crate::net::{Cut, Wire};
use crate::trial::{Trial, Verdict};

checks! { $ together_peers, "together" step 2:
    says_exactly_what_is_typed, 3 points: "two peers say exactly what their users type";
    "HELLO <name>, then SAY <text> for each line of stdin, and BYE: nothing else is on the wire."

    understands_single_bytes, 2 points: "two peers talk while each byte travels alone";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    notices_a_cut_wire, 2 points: "both ends of a cut wire notice, and go on with the others";
    "`left bob`: after BYE, an end of stream, or a reset alike."

    meets_in_a_mesh_of_wires, 3 points: "three peers in a mesh carry each line once on each wire";
    "Each line of stdin goes as SAY to all peers present, and nobody passes on what others say."
}

pub(super) fn says_exactly_what_is_typed(t: &mut Trial) -> Verdict {
    let (ann, bob, wire) = two(t, Cut::Whole)?;
    ann.types("hello, bob");
    bob.expect_event("ann: hello, bob", SAID)?;
    bob.types("  spaces at both ends, and größer als ASCII  ");
    ann.expect_event("bob:   spaces at both ends, and größer als ASCII  ", SAID)?;
    bob.stops_typing();
    ann.expect_event("left bob", LEFT)?;
    bob.expect_exit(0)?;
    ann.service.settle()?;
    let up = "HELLO bob\nSAY   spaces at both ends, and größer als ASCII  \nBYE\n";
    wire.expect_carried(up.as_bytes(), b"HELLO ann\nSAY hello, bob\n")
}

pub(super) fn understands_single_bytes(t: &mut Trial) -> Verdict {
    let (ann, bob, _wire) = two(t, Cut::Bytes)?;
    for text in ["one", "zwei: größer", "two words, and some more of them"] {
        ann.types(text);
        bob.expect_event(&format!("ann: {text}"), SAID)?;
        bob.types(text);
        ann.expect_event(&format!("bob: {text}"), SAID)?;
    }
    Ok(())
}

pub(super) fn notices_a_cut_wire(t: &mut Trial) -> Verdict {
    let (ann, bob, wire) = two(t, Cut::Whole)?;
    let carol = t.peer("carol", &[ann.address()])?;
    ann.expect_event("joined carol * as server", JOINED)?;
    carol.expect_event(&format!("joined ann {} as client", ann.address()), JOINED)?;
    wire.cut();
    ann.expect_event("left bob", LEFT)?;
    bob.expect_event("left ann", LEFT)?;
    ann.types("bob is gone");
    carol.expect_event("ann: bob is gone", SAID)?;
    carol.types("so it seems");
    ann.expect_event("carol: so it seems", SAID)
}

pub(super) fn meets_in_a_mesh_of_wires(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let bob_to_ann = t.wire("bob", "ann", ann.address(), Cut::Whole)?;
    let bob = t.peer("bob", &[bob_to_ann.address])?;
    let carol_to_ann = t.wire("carol", "ann", ann.address(), Cut::Whole)?;
    let carol_to_bob = t.wire("carol", "bob", bob.address(), Cut::Whole)?;
    let carol = t.peer("carol", &[carol_to_ann.address, carol_to_bob.address])?;
    ann.expect_events(&["joined bob * as server", "joined carol * as server"], JOINED)?;
    bob.expect_events(&["joined ann * as client", "joined carol * as server"], JOINED)?;
    carol.expect_events(&["joined ann * as client", "joined bob * as client"], JOINED)?;
    let peers = [&ann, &bob, &carol];
    for speaker in peers {
        speaker.types("hello to both");
        for listener in peers.iter().filter(|peer| peer.name != speaker.name) {
            listener.expect_event(&format!("{}: hello to both", speaker.name), SAID)?;
        }
    }
    for peer in peers {
        peer.expect_no_event("each line is heard once by each, and not by who said it")?;
    }
    let said = |name: &str| format!("HELLO {name}\nSAY hello to both\n").into_bytes();
    for (wire, up, down) in
        [(bob_to_ann, "bob", "ann"), (carol_to_ann, "carol", "ann"), (carol_to_bob, "carol", "bob")]
    {
        wire.expect_carried_so_far(&said(up), &said(down))?;
    }
    Ok(())
}

/// Ann, and bob, who has called her through a wire.
fn two(t: &Trial, cut: Cut) -> Verdict<(Peer, Peer, Wire)> {
    let ann = t.peer("ann", &[])?;
    let wire = t.wire("bob", "ann", ann.address(), cut)?;
    let bob = t.peer("bob", &[wire.address])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    bob.expect_event(&format!("joined ann {} as client", wire.address), JOINED)?;
    Ok((ann, bob, wire))
}
