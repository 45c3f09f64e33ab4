//! What the book shows of lab 10: one thing in each scene.

use super::program::{Balance, Is};
use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "carried",
        programs: &["balance"],
        title: "A client asks, and a server answers, through the balancer",
        syscalls: false,
        why: &[
            "The balancer starts: where it listens, and its one backend.",
            "It listens. The backend is not dialled: nobody has come who wants anything of it.",
            "The first line, once a client can connect.",
            "A client connects. For the client this is the server.",
            "Accepted, and given to a thread of its own.",
            "The backend is dialled at once, before the client has said a word: in some protocols the server speaks first.",
            "The harness is the backend, too. For this connection the balancer is the client.",
            "The client asks: three lines, to be counted.",
            "One thread reads from the client and writes to the backend.",
            "The same six bytes on the other connection. What they mean the balancer does not know.",
            "The backend reads them, as if the client had sent them itself.",
            "The client has asked everything, and says so. It goes on listening.",
            "For the thread that carries this direction it is the end of its loop.",
            "The end of this direction, passed on. The other direction stays open: that is where the answer will come.",
            "Now the backend knows that the question is whole.",
            "The answer.",
            "The other thread reads from the backend, and has been waiting in that read all the time.",
            "And writes to the client.",
            "The client reads it, long after it has ended its own side.",
            "The backend closes.",
            "Both directions have ended, so both threads have, and both sockets are closed. None of the two was cloned.",
            "The client reads the end. It has never heard of the backend.",
        ],
        run: carried,
    },
    Scene {
        name: "next-one",
        programs: &["balance"],
        title: "The first backend refuses, and the client notices nothing",
        syscalls: false,
        why: &[
            "The balancer starts, with two backends. Nobody listens at the address of the first one.",
            "It listens, and takes both for up: it finds out when a client comes.",
            "So there is no event yet.",
            "A client connects.",
            "It gets a thread of its own, which picks the first backend and dials it.",
            "Refused: the first backend is down. Everybody who waits for this event hears it once.",
            "The client sends, without knowing anything of all this.",
            "Read only now: the second backend has been dialled, so there is somebody who can have it.",
            "That dial, which the second backend's kernel has completed, and its program sees only now.",
            "It accepts, and what the client has sent is there already.",
            "The whole message: nothing was lost with the first dial, because nothing had been read.",
            "It answers.",
            "Read from the backend.",
            "Written to the client.",
            "The client has its answer. It can't tell that another backend was tried first.",
        ],
        run: next_one,
    },
    Scene {
        name: "back-again",
        programs: &["balance"],
        title: "A backend comes back, and the next client is carried there",
        syscalls: false,
        why: &[
            "The balancer starts, with a single backend, where nobody listens.",
            "It listens.",
            "All are up at the start, until somebody finds out otherwise.",
            "A client connects.",
            "A thread of its own picks the backend and dials it: refused.",
            "No other is left, so there is nobody to carry this client to, and its connection is closed.",
            "The backend is down, and from now on it is probed.",
            "The client's address is told to whoever looks after the balancer.",
            "For the client it is an end without an answer.",
            "It closes, too.",
            "Meanwhile the backend has been started: the next probe finds a listener.",
            "It is accepted, and it is over already: the probe has closed at once, without a byte.",
            "A connection was made, so the backend is up. That is all that a probe can tell.",
            "The backend reads the end of a connection on which nothing was said.",
            "It closes its side. Nothing is left of the probe.",
            "The client tries again.",
            "Accepted, and the backend can be picked again.",
            "Dialled for this client.",
            "And accepted: from here on all is as if nothing had been wrong.",
        ],
        run: back_again,
    },
];

const RECORDED: &str = "a scene shows what a right program does";

fn carried(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let mut pair = balance.serves()?;
    pair.client.send(b"a\nb\nc\n")?;
    pair.server.expect(b"a\nb\nc\n")?;
    pair.client.half_close()?;
    pair.server.expect_end()?;
    pair.server.send(b"3 lines\n")?;
    pair.client.expect(b"3 lines\n")?;
    pair.server.close();
    pair.client.expect_end()
}

fn next_one(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Is::Dead, Is::Alive])?;
    let mut client = balance.service.connect()?;
    client.send(b"hello\n")?;
    let mut pair = balance.dials_for(client)?;
    balance.expect("down", 1, RECORDED)?;
    pair.server.expect(b"hello\n")?;
    pair.server.send(b"hi\n")?;
    pair.client.expect(b"hi\n")
}

fn back_again(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Is::Dead])?;
    let mut early = balance.service.connect_as("client".into(), true)?;
    early.expect_end()?;
    early.close();
    balance.expect("down", 1, RECORDED)?;
    balance.backend(1).listens()?;
    let (_, mut probe) = balance.dials(RECORDED)?;
    balance.expect("up", 1, RECORDED)?;
    probe.expect_end()?;
    probe.close();
    let client = balance.service.connect_as("client".into(), true)?;
    balance.dials_for(client).map(drop)
}
