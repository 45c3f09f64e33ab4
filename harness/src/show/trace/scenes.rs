//! Short conversations for the book, each showing one thing. Not checks: they judge nothing but
//! that they come to their end.

use crate::program::Given;
use crate::trial::{Trial, Verdict};

/// A conversation that the book shows.
#[derive(Debug)]
pub struct Scene {
    /// What `lab trace` and the book call it.
    pub name: &'static str,
    /// The lab whose program takes part.
    pub lab: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Whether it shows system calls, too.
    pub syscalls: bool,
    pub(super) run: fn(&mut Trial) -> Verdict,
}

/// All scenes, in the order of the chapters.
pub static SCENES: &[Scene] = &[
    Scene {
        name: "listen",
        lab: "server",
        title: "A server starts: one call of std, four system calls",
        syscalls: true,
        run: listen,
    },
    Scene {
        name: "accept",
        lab: "server",
        title: "Two clients call an iterative server: the second one waits in the queue",
        syscalls: false,
        run: accept,
    },
    Scene {
        name: "echo",
        lab: "server",
        title: "A client connects, sends six bytes and receives them back",
        syscalls: false,
        run: echo,
    },
    Scene {
        name: "pieces",
        lab: "server",
        title: "One message in two writes, and two messages in one",
        syscalls: false,
        run: pieces,
    },
    Scene {
        name: "client",
        lab: "client",
        title: "The lab's client: what is typed is sent, what arrives is printed, and both ends end",
        syscalls: false,
        run: client,
    },
    Scene {
        name: "half-close",
        lab: "server",
        title: "A client ends its sending side, and still gets all of its bytes",
        syscalls: false,
        run: half_close,
    },
    Scene {
        name: "reset",
        lab: "server",
        title: "A client vanishes with bytes unread: a reset, and the server goes on",
        syscalls: false,
        run: reset,
    },
    Scene {
        name: "greeting",
        lab: "peer",
        title: "Bob calls Ann: both greet, both speak, Bob leaves",
        syscalls: false,
        run: greeting,
    },
];

/// The scene of this name.
pub fn scene(name: &str) -> Option<&'static Scene> {
    SCENES.iter().find(|scene| scene.name == name)
}

fn listen(t: &mut Trial) -> Verdict {
    t.server().map(drop)
}

fn accept(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let first = server.connect()?;
    let second = server.connect()?;
    first.close();
    second.close();
    Ok(())
}

fn echo(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    client.close();
    Ok(())
}

fn pieces(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"he")?;
    client.send(b"llo\n")?;
    client.expect(b"hello\n")?;
    client.send(b"one\ntwo\n")?;
    client.expect(b"one\ntwo\n")?;
    client.close();
    Ok(())
}

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

fn half_close(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"goodbye\n")?;
    client.half_close()?;
    client.expect(b"goodbye\n")?;
    client.expect_end()
}

fn reset(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.reset()?;
    let next = server.connect()?;
    next.close();
    Ok(())
}

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
