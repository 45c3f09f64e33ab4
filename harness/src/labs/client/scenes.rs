//! What the book shows of a client.

use crate::lab::Scene;
use crate::program::Given;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[Scene {
    name: "client",
    programs: &["client"],
    title: "The lab's client: what is typed is sent, what arrives is printed, and both ends end",
    syscalls: false,
    run: client,
}];

fn client(t: &mut Trial) -> Verdict {
    let listener = t.listen()?;
    let client = t.client(Given::address(listener.address()))?;
    let mut server = client.connects(&listener)?;
    client.input(b"hello\n");
    server.expect(b"hello\n")?;
    server.send(b"HELLO\n")?;
    client.expect_output(b"HELLO\n")?;
    client.end_input();
    server.expect_end()?;
    server.close();
    client.expect_success()
}
