//! What the book shows of lab 5: one thing in each scene.

use super::Mail;
use super::client::on_the_way;
use super::mailbox::BOB;
use super::reply::Protocol;
use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

const START: &str =
    "The program starts, with two addresses, its users, and the folder for the mail.";
const FOR_SENDERS: &str = "The first listener, for those who send.";
const FOR_USERS: &str =
    "The second one, for those who fetch. One process can listen in many places.";
const READY: &str = "Both lines come together: whoever has read one may connect to both.";
const CONNECTS: &str = "The two kernels make the connection. The program has no part in it.";
const ACCEPTS: &str = "The connection gets a thread of its own; main is back in accept.";
const GREETS: &str = "The server speaks first: SMTP wants it so. It is the server all the same, since it was called.";
const GREETED: &str = "The client knows who is there, and it is its turn.";

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "smtp-session",
        programs: &["mail"],
        title: "A session: what may be said depends on what was said before",
        syscalls: false,
        why: &[
            START,
            FOR_SENDERS,
            FOR_USERS,
            READY,
            CONNECTS,
            ACCEPTS,
            GREETS,
            GREETED,
            "Hello. The name is the client's own choice, and nobody checks it.",
            "A whole line has come.",
            "Five lines in one write. All but the last have a hyphen behind the code.",
            "The space behind the last 250 says that the reply is whole.",
            "An envelope. But who is this?",
            "A good command at the wrong time: the server knows nobody on this connection yet.",
            "530: not before you have said who you are. Nothing else has changed.",
            "The client learns what is missing.",
            "So it wants to say who it is, and in which way.",
            "There is no name in it yet: the server has to ask.",
            "334 and a space: go on. It is neither a yes nor a no.",
            "The line that comes next will be an answer, and not a command.",
            "A NUL, the name, a NUL and the password, written as letters.",
            "The server decodes it, and looks it up.",
            "235: from here on this connection is alice's.",
            "The client knows that it is known.",
            "The same line as before.",
            "The state is another one, and so the answer is another one.",
            "250: a transaction has begun.",
            "The client could go on with RCPT now.",
            "It leaves instead, without QUIT, in the middle of a transaction.",
            "The end of the stream between two lines: nobody is left to be told.",
            "The transaction is gone with the connection. Nothing was promised.",
        ],
        run: smtp_session,
    },
    Scene {
        name: "smtp-together",
        programs: &["mail"],
        title: "Five commands in one segment: five replies, in order",
        syscalls: false,
        why: &[
            START,
            FOR_SENDERS,
            FOR_USERS,
            READY,
            CONNECTS,
            ACCEPTS,
            GREETS,
            GREETED,
            "Hello, who is there, an envelope, and DATA: five lines in one write.",
            "One read gets all of them. They are taken one after the other.",
            "A reply to each, in order. The last one is 354: the text may come.",
            "What a reply is the answer to, only the order tells.",
            "The client ends before the text.",
            "The end of the stream, and no dot has come.",
            "No dot, no message: nothing is kept.",
        ],
        run: smtp_together,
    },
    Scene {
        name: "handover",
        programs: &["mail"],
        title: "A text, its dot, and 250",
        syscalls: false,
        why: &[
            START,
            FOR_SENDERS,
            FOR_USERS,
            READY,
            CONNECTS,
            ACCEPTS,
            GREETS,
            GREETED,
            "All that comes before a text, in one segment.",
            "Hello, who is there, from whom, for whom: all of it is in order.",
            "Five replies. 354 means: go on, with the text.",
            "The envelope was taken, so the text is worth sending.",
            "The text. Its last line begins with a dot, so one more dot stands before it.",
            "The server takes that dot away again. It says nothing: lines of a text get no reply.",
            "The line with the dot: the text is over.",
            "Now the message is written to tmp, put on the disk, and renamed.",
            "250 comes when all of that is done, and not before.",
            "From here on the client may forget its copy.",
            "The client has what it wanted: a promise.",
            "The end of the stream between two lines.",
            "A clean end. The message stays.",
        ],
        run: handover,
    },
    Scene {
        name: "store-and-forward",
        programs: &["mail"],
        title: "Alice leaves a message and goes; Bob comes and fetches it",
        syscalls: false,
        why: &[
            START,
            FOR_SENDERS,
            FOR_USERS,
            READY,
            CONNECTS,
            ACCEPTS,
            GREETS,
            GREETED,
            "Alice's program knows what it wants to say, and says it in one go, up to the dot.",
            "One read gets it all. The message is written to the disk.",
            "Six replies. The last one is the promise: 250.",
            "Alice's program reads the promise.",
            "Goodbye.",
            "The session is over. What it was about stays.",
            "A reply to QUIT, too.",
            "The server ends its side.",
            "Alice's program has what it wanted.",
            "The server will say no more.",
            "Alice has gone. What is left of her message is a file.",
            "Bob calls the other port. For the kernel this has nothing to do with Alice.",
            "Another thread, for another client.",
            "POP3 greets, too, with +OK.",
            "It is Bob's turn.",
            "His name and his password: two commands in one segment.",
            "Both lines are there at once.",
            "Two replies. With the second one the maildrop is open, and locked for all others.",
            "Bob's program knows that it is in.",
            "The first message, please.",
            "The server opens the file.",
            "A line with +OK, then the message, then the line with the dot.",
            "The dots that were added are taken away, and the text is as Alice wrote it.",
            "Delete it, and goodbye.",
            "DELE only marks. QUIT stands behind it already.",
            "The file is removed first, and then +OK is said to QUIT.",
            "The server ends its side.",
            "Bob has the message, and the server has it no more.",
            "The server will say no more.",
            "At no moment was there a connection between Alice and Bob.",
        ],
        run: store_and_forward,
    },
];

const RECORDED: &str = "a scene shows what a right program does";
/// `NUL alice NUL wonderland`.
const PROOF: &str = "AGFsaWNlAHdvbmRlcmxhbmQ=";
/// The replies up to 354, if all is right.
const UP_TO_THE_TEXT: [&str; 5] = ["250", "235", "250", "250", "354"];
/// What the server puts before it.
const RETURN_PATH: &[u8] = b"Return-Path: <alice@localhost>\r\n";
/// A text with a line that begins with a dot.
const TEXT: &[u8] = b"Subject: the key\r\n\r\n.under the mat\r\n";

fn up_to_the_text() -> String {
    format!(
        "EHLO me\r\nAUTH PLAIN {PROOF}\r\nMAIL FROM:<alice@localhost>\r\n\
         RCPT TO:<bob@localhost>\r\nDATA\r\n"
    )
}

fn smtp_session(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut alice = mail.call(Protocol::Smtp)?;
    for (line, sign) in [
        ("EHLO me", "250"),
        ("MAIL FROM:<alice@localhost>", "530"),
        ("AUTH PLAIN", "334"),
        (PROOF, "235"),
        ("MAIL FROM:<alice@localhost>", "250"),
    ] {
        alice.ask(line, &[sign], RECORDED)?;
    }
    alice.close();
    Ok(())
}

fn smtp_together(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut alice = mail.call(Protocol::Smtp)?;
    alice.send(up_to_the_text().as_bytes())?;
    for sign in UP_TO_THE_TEXT {
        alice.expect(&[sign], RECORDED)?;
    }
    alice.close();
    Ok(())
}

fn handover(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut alice = mail.call(Protocol::Smtp)?;
    alice.send(up_to_the_text().as_bytes())?;
    for sign in UP_TO_THE_TEXT {
        alice.expect(&[sign], RECORDED)?;
    }
    let sent = on_the_way(TEXT);
    let (text, dot) = sent.split_at(sent.len() - b".\r\n".len());
    alice.send(text)?;
    alice.send(dot)?;
    alice.expect(&["250"], RECORDED)?;
    mail.expect_messages("bob", &[&[RETURN_PATH, TEXT].concat()], RECORDED)?;
    alice.close();
    Ok(())
}

fn store_and_forward(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut alice = mail.call(Protocol::Smtp)?;
    alice.send(&[up_to_the_text().as_bytes(), &on_the_way(TEXT)].concat())?;
    for sign in UP_TO_THE_TEXT.iter().chain(&["250"]) {
        alice.expect(&[sign], RECORDED)?;
    }
    alice.leave()?;
    let mut bob = mail.call(Protocol::Pop3)?;
    bob.send(format!("USER bob\r\nPASS {}\r\n", BOB.password).as_bytes())?;
    bob.expect(&["+OK"], RECORDED)?;
    bob.expect(&["+OK"], RECORDED)?;
    bob.expect_message("RETR 1", &[RETURN_PATH, TEXT].concat(), RECORDED)?;
    bob.send(b"DELE 1\r\nQUIT\r\n")?;
    bob.expect(&["+OK"], RECORDED)?;
    bob.expect(&["+OK"], RECORDED)?;
    bob.expect_end(RECORDED)?;
    bob.close();
    mail.expect_messages("bob", &[], RECORDED)
}
