//! What the book shows of a server: one thing in each scene.

use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

const START: &str = "The program starts. So far it is a program like any other.";
const LISTENS: &str =
    "From here on the kernel answers calls to this address, whatever the program does.";
const READY: &str = "The promise to whoever started it: a client can connect now.";
const CONNECTS: &str =
    "Three packets, exchanged by the two kernels. The server's program has no part in it.";
const ACCEPTS: &str =
    "Nothing goes over the wire: the program gets a descriptor of what is there already.";
const ARRIVED: &str = "The bytes wait in the server's receive queue until its program reads them.";
const ENDS_TOO: &str =
    "It has sent all that it owed, and nothing is unread: a clean end of the second stream.";

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "listen",
        programs: &["server"],
        title: "A server starts: one call of std, four system calls",
        syscalls: true,
        why: &[START, LISTENS, READY],
        run: listen,
    },
    Scene {
        name: "accept",
        programs: &["server"],
        title: "Two clients call an iterative server: the second one waits in the queue",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "The second client is connected as well. The server is busy, so this connection waits in the listener's queue, and no process has it.",
            "The first client is done. It ends first, so the last row of this connection will be on its side.",
            "Zero bytes: the end of the stream. That is how the server learns that this client is done.",
            "The server ends its side too, and is free for the next client.",
            "The second client's turn. For it nothing has changed but the waiting.",
            "It had nothing to say, and ends.",
            "To the server a client that says nothing is a client all the same.",
            "Both connections are over, and the listener is what it was at the beginning.",
        ],
        run: accept,
    },
    Scene {
        name: "echo",
        programs: &["server"],
        title: "A client connects, sends six bytes and receives them back",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            ARRIVED,
            "A read takes what is there, here all of it. The queue is empty again.",
            "The answer goes into the client's receive queue, and waits there in its turn.",
            "Only now does the client's program have the answer.",
            "The end is a message too: it travels after the last byte, and waits to be read.",
            "Zero bytes: no byte will ever come again on this stream.",
            ENDS_TOO,
        ],
        run: echo,
    },
    Scene {
        name: "pieces",
        programs: &["server"],
        title: "One message in two writes, and two messages in one",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "The first part of a message. Nothing in it says that more will follow.",
            "The server reads what is there: two bytes, and no idea of a message.",
            "An echo need not wait for the rest.",
            "The rest, in a second write.",
            "A second read. Had the server been slower, one read would have got all six bytes.",
            "The rest goes back as well.",
            "Two writes, and one read gets both: the borders between them are gone.",
            "Now the other way round: two lines in a single write.",
            "One read gets both. Whoever wants lines must look for the newlines in it.",
            "The echo sends all of it back, in one write.",
            "One read, two messages.",
            "The client ends.",
            "The one border that a stream does have: its end.",
            ENDS_TOO,
        ],
        run: pieces,
    },
    Scene {
        name: "half-close",
        programs: &["server"],
        title: "A client ends its sending side, and still gets all of its bytes",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            ARRIVED,
            "The server takes the bytes out of its queue.",
            "They are on their way back, and the client has not read them yet.",
            "The client ends its sending side. It has closed nothing: it can still read.",
            "The server learns of the end in its turn, after all bytes.",
            ENDS_TOO,
            "The connection is over, and here are the bytes, safe in the client's own queue.",
            "The end of the other stream: now both sides know all that there was to know.",
        ],
        run: half_close,
    },
    Scene {
        name: "reset",
        programs: &["server"],
        title: "A client vanishes with bytes unread: a reset, and the server goes on",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            ARRIVED,
            "The server does its work.",
            "The answer reaches the client's kernel. The client's program does not look.",
            "Closing with unread bytes: the kernel says with a reset that somebody's words were thrown away.",
            "Not an end but an error: the server can't know how much of its answer was read.",
            "One line for whoever runs the server. The client is gone, and that is the client's problem.",
            "The proof that nothing else has suffered: the next client calls.",
            "The server accepts it as if nothing had happened.",
            "This client ends in good order.",
            "This time it is an end, and not an error.",
            ENDS_TOO,
        ],
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
