//! What the book shows of peers.

use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[Scene {
    name: "greeting",
    programs: &["peer"],
    title: "Bob calls Ann: both greet, both speak, Bob leaves",
    syscalls: false,
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
