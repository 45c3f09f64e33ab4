//! What the book shows of a server: one thing in each scene.

use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "listen",
        programs: &["server"],
        title: "A server starts: one call of std, four system calls",
        syscalls: true,
        run: listen,
    },
    Scene {
        name: "accept",
        programs: &["server"],
        title: "Two clients call an iterative server: the second one waits in the queue",
        syscalls: false,
        run: accept,
    },
    Scene {
        name: "echo",
        programs: &["server"],
        title: "A client connects, sends six bytes and receives them back",
        syscalls: false,
        run: echo,
    },
    Scene {
        name: "pieces",
        programs: &["server"],
        title: "One message in two writes, and two messages in one",
        syscalls: false,
        run: pieces,
    },
    Scene {
        name: "half-close",
        programs: &["server"],
        title: "A client ends its sending side, and still gets all of its bytes",
        syscalls: false,
        run: half_close,
    },
    Scene {
        name: "reset",
        programs: &["server"],
        title: "A client vanishes with bytes unread: a reset, and the server goes on",
        syscalls: false,
        run: reset,
    },
];

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
