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
    why: &[
        "The client starts. Nobody has to choose an address for it.",
        "The kernel gives it an ephemeral port, and the two kernels make the connection.",
        "The server takes it out of the queue.",
        "The user types a line. One thread of the client was waiting for that.",
        "It goes out at once, and the thread waits for the next line.",
        "The server has the line.",
        "The answer. The other thread of the client has been waiting for it all the while.",
        "It is read as soon as it is there.",
        "It is printed at once, and not when some buffer happens to be full.",
        "The user presses Ctrl-D: no more input.",
        "So the client ends its sending side, and that only. It is still listening.",
        "The server learns that the request is complete. It could go on sending for hours.",
        "The server has said everything, and ends its side.",
        "Both streams have ended: now the client may go.",
    ],
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
