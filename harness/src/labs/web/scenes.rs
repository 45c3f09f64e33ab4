//! What the book shows of a web server: one thing in each scene.

use super::{A_FILE, GET_A, Web};
use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

const START: &str = "The program starts, with the folder that it is to serve.";
const LISTENS: &str = "From here on the kernel answers calls to this address.";
const READY: &str = "The promise to whoever started it: a client can connect now.";
const CONNECTS: &str = "The two kernels make the connection. The program has no part in it.";
const ACCEPTS: &str =
    "The connection gets a thread of its own, which waits for a request; main is back in accept.";
const LOGGED: &str = "A line for people, about each reply. No client sees it.";
const CLIENT_ENDS: &str = "The client has what it wanted, and ends.";
const SEEN: &str = "Zero bytes between two requests: the client has gone, and nothing is cut off.";
const ENDS_TOO: &str =
    "Nothing is unread and nothing is owed: a clean end, and the thread is done.";

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "request",
        programs: &["web"],
        title: "A request in two segments, and its reply",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "The first line of a request and a part of the second. There is no empty line yet.",
            "The server keeps what it has and reads on. To answer now would be to guess.",
            "The rest, and with it the empty line: the end of the head.",
            "Only what was kept and what has come now make a request together.",
            "The head of the reply and the file leave in one write.",
            LOGGED,
            "The client counts: Content-Length bytes behind the empty line, and the reply is whole.",
            CLIENT_ENDS,
            SEEN,
            ENDS_TOO,
        ],
        run: request,
    },
    Scene {
        name: "two-requests",
        programs: &["web"],
        title: "Two requests in one segment: two replies, in order",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "Two requests in one write. The second one says that it is the last.",
            "One read gets both. What stands behind the first empty line is kept.",
            "Two replies, in the order of the requests. The second one was taken from what was kept.",
            "The second request asked for the end: FIN behind the reply.",
            "One line for each reply.",
            "Where the first reply ends, and the second begins, the first one's length says.",
            "The end of the stream: the server has said all that it will say.",
            "The server has read on until this end, and only then closed.",
        ],
        run: two_requests,
    },
    Scene {
        name: "upload",
        programs: &["web"],
        title: "An upload: the head, 100 Continue, the body, 201",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "A head only: how long the body will be, and the question whether it is wanted.",
            "The head is whole, and the file can be stored. The client waits.",
            "No reply, but a word in between: go on. A refusal would stand in its place.",
            "Now the client knows that its body is wanted.",
            "The first half of the body.",
            "It is written to a file of another name. Under the name that was asked for there is nothing yet.",
            "The second half.",
            "Six bytes were announced, and six have come: the file gets its name.",
            "The reply is sent when the file is there, and not before.",
            LOGGED,
            "From here on the client can rely on it.",
            CLIENT_ENDS,
            SEEN,
            ENDS_TOO,
        ],
        run: upload,
    },
    Scene {
        name: "refusal",
        programs: &["web"],
        title: "A refusal to a client that is still sending: the orderly end",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "An upload that is too large, with its first bytes. This client does not ask first.",
            "The head tells the length: there is no need to wait for the body.",
            "The refusal goes out at once, in the middle of the upload.",
            "Its own side is ended, and the socket is not closed: the client may still be sending.",
            LOGGED,
            "And it is. At a closed socket these bytes would be answered with a reset.",
            "They are read and thrown away.",
            "The refusal was waiting in the queue all the time. A reset would have come before it.",
            "The server will say no more.",
            "The client ends, the server sees it, and only now it closes.",
        ],
        run: refusal,
    },
    Scene {
        name: "beside",
        programs: &["web"],
        title: "A silent client, and beside it one that is served",
        syscalls: false,
        why: &[
            START,
            LISTENS,
            READY,
            CONNECTS,
            ACCEPTS,
            "A second client. The first one has said nothing so far, and never will.",
            "It is accepted at once: main was free. In lab 1 it would have waited here.",
            "A request. It concerns one thread, and no other.",
            "The second thread reads it. The first one is still asleep in its own read.",
            "The reply, as if there were no other client.",
            LOGGED,
            "The second client is served, and has not noticed anything.",
            CLIENT_ENDS,
            SEEN,
            ENDS_TOO,
            "The silent client ends, too. It has cost a thread, and nobody's time.",
            SEEN,
            ENDS_TOO,
        ],
        run: beside,
    },
];

const RECORDED: &str = "a scene shows what a right program does";

fn request(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, None)?;
    let mut client = web.visit()?;
    let (first, second) = GET_A.split_at(b"GET /a.txt HTTP/1.1\r\nHost".len());
    client.send(first)?;
    client.send(second)?;
    client.expect_file(A_FILE, RECORDED)?;
    client.close();
    Ok(())
}

fn two_requests(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, None)?;
    let mut client = web.visit()?;
    let missing = b"GET /b.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.send(&[GET_A, missing].concat())?;
    client.expect_file(A_FILE, RECORDED)?;
    client.expect(&[404], RECORDED)?;
    client.expect_end(RECORDED)?;
    client.close();
    Ok(())
}

fn upload(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, None)?;
    let mut client = web.visit()?;
    let fields = "Host: localhost\r\nContent-Length: 6\r\nExpect: 100-continue\r\n";
    client.send(format!("PUT /new.txt HTTP/1.1\r\n{fields}\r\n").as_bytes())?;
    client.expect(&[100], RECORDED)?;
    client.send(b"hel")?;
    client.send(b"lo\n")?;
    client.expect(&[201], RECORDED)?;
    client.close();
    web.root.expect_file("new.txt", b"hello\n", RECORDED)
}

fn refusal(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, None)?;
    let mut client = web.visit()?;
    client.put("/large.bin", 20_000_000, b"the first bytes")?;
    client.send(b"more of them")?;
    client.expect(&[413], RECORDED)?;
    client.expect_end(RECORDED)?;
    client.close();
    Ok(())
}

fn beside(t: &mut Trial) -> Verdict {
    let web = Web::with_limit(t, None)?;
    let silent = web.visit()?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_file(A_FILE, RECORDED)?;
    client.close();
    silent.close();
    Ok(())
}
