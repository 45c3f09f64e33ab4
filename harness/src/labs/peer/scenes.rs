//! What the book shows of peers.

use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[Scene {
    name: "greeting",
    programs: &["peer"],
    title: "Bob calls Ann: both greet, both speak, Bob leaves",
    syscalls: false,
    why: &[
        "Ann's peer starts. It knows nobody, so it will wait.",
        "From here on the kernel answers calls to this address, whatever the program does.",
        "The promise to whoever started it: a peer can call now.",
        "Bob calls. In this connection he is the client, and it will make no difference from now on.",
        "Nothing goes over the wire: the program gets a descriptor of what is there already.",
        "Ann greets without waiting for Bob's greeting: if both waited, both would wait for ever.",
        "Bob does the same. The two lines cross.",
        "A line is complete when its LF is there, and not when a read returns.",
        "Now both have greeted: Bob is present. His port is an ephemeral one, so it is not his address.",
        "Ann's greeting had been waiting in Bob's queue.",
        "Bob says something. No turn was agreed on: either may speak at any time.",
        "Ann's reading thread does nothing but wait for lines like this.",
        "One line an event, flushed at once.",
        "Ann's user types. A different thread was waiting for that.",
        "It goes to everybody who is present. That is Bob alone.",
        "Bob has it.",
        "A farewell, so that nobody takes the end of the stream for an accident.",
        "After BYE there is nothing left to wait for.",
        "Ann ends first, before Bob has ended his side: so the row in TIME-WAIT will be hers.",
        "The event comes last, when no more will be sent to Bob.",
        "Bob ends his side as well.",
        "And hears the end of Ann's. Nothing was lost in either direction.",
    ],
    run: greeting,
}];

fn greeting(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let mut bob = ann.called_by("bob")?;
    bob.say("HELLO bob")?;
    ann.expect_greeting(&mut bob)?;
    ann.expect_joined(&bob, "server")?;
    bob.say("SAY hi ann")?;
    ann.expect_event("bob: hi ann", "")?;
    ann.types("hi bob");
    bob.expect_line("SAY hi bob", "")?;
    bob.say("BYE")?;
    bob.end()?;
    ann.expect_event("left bob", "")?;
    bob.expect_end("")
}
