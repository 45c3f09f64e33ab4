//! What the book shows of a client.

use crate::lab::Scene;
use crate::program::Given;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[CLIENT, PROMPT];

const CLIENT: Scene = Scene {
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
};

const PROMPT: Scene = Scene {
    name: "prompt",
    programs: &["client"],
    title: "The server speaks first and ends first: neither direction waits for the other",
    syscalls: false,
    why: &[
        "The client starts. It can't know who will speak first.",
        "The kernels connect. The client has sent nothing, and need not.",
        "Two threads, two waits: one for the server, one for the user. Neither is in the other's way.",
        "The server speaks first. A client that sends everything before it reads would miss this.",
        "The thread that waits for the server reads it. The other one still waits for the user.",
        "A question without a newline. Without a flush it would stay in a buffer, and nobody would answer.",
        "The user answers.",
        "The sending thread passes it on at once. The receiving one need not know.",
        "The server has its answer.",
        "It replies while the user is silent.",
        "The same thread as before reads it.",
        "It is printed, and both threads wait again: one for the server, one for the user.",
        "The server ends first. It has not asked whether the user is done.",
        "Zero bytes: no more will come. Sending on would be talking to nobody.",
        "`main` returns and does not join the other thread, which is still waiting for the user.",
        "The process has ended, and that thread with it. Nobody had to press Ctrl-D.",
    ],
    run: prompt,
};

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

fn prompt(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.send(b"name: ")?;
    client.expect_output(b"name: ")?;
    client.input(b"ann\n");
    server.expect(b"ann\n")?;
    server.send(b"welcome ann\n")?;
    client.expect_output(b"welcome ann\n")?;
    client.settle()?;
    server.close();
    client.expect_success()
}
