//! Step 4 of lab 5: `deliver`. What stands in the mailboxes when 250 has come.

use super::client::{Client, on_the_way};
use super::mailbox::{ALICE, BOB};
use super::pop3::{awkward, large};
use super::{Mail, NOBODY_IS_LATE, USERS};
use crate::trial::{Order, Scratch, Shown, Stop, Trial, Verdict};
use crate::words::count;

checks! { $ mail_deliver, "mail" step 4:
    stores_what_was_sent, 4 points: "stores a message as it was sent, byte for byte";
    "A message is a file SPOOL/NAME/new/ID: Return-Path, then the text byte for byte."

    names_the_true_sender, 3 points: "writes down who has authenticated, whatever the text says";
    "Return-Path is the authenticated sender (RFC 5321 section 4.4): a forged From: changes nothing."

    stores_for_each_recipient, 3 points: "stores a message for each recipient once, and for nobody else";
    "Into every recipient's mailbox; twice the same recipient is delivered once."

    is_there_at_the_250, 3 points: "has stored the message when it says 250";
    "Only then 250 (RFC 5321 section 6.1): in new, whole, and nothing is left in tmp."

    survives_its_kill, 4 points: "has the message after a crash in the moment of the 250";
    "From the 250 on neither SIGKILL nor loss of power loses it."

    keeps_all_or_nothing, 3 points: "stores it for all recipients or for none, and says 451";
    "Anything fails: 451, nothing of it in any new or tmp, and the client tries again."

    never_shows_half, 2 points: "never shows half a message in new";
    "Written to tmp, then renamed: who reads new sees a message at once and whole."

    delivers_at_once, 2 points: "takes 20 messages at the same moment, and keeps them apart";
    "ID is never used twice: 20 senders at once are 20 files."

    syncs_before_it_says_so, 3 points, exotic: "asks the disk to keep it before it says 250";
    "fsync of the file, rename to new, fsync of the directory, and only then 250."
}

const STORED: &str = "behind Return-Path stands the text as its sender wrote it: each line with its CRLF, and \
    without the one dot that was put before a dot; its bytes are no text that may be decoded";
const AT_THE_250: &str = "250 takes over the responsibility: the client forgets the message when it reads it. \
    So all that storing it needs comes before, in the same thread";

/// What the file of a message from alice holds.
pub(super) fn stored(text: &[u8]) -> Vec<u8> {
    [b"Return-Path: <alice@localhost>\r\n", text].concat()
}

fn stores_what_was_sent(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let texts = [
        b"Subject: one\r\n\r\nhello\r\n".to_vec(),
        awkward(),
        b"".to_vec(),
        b".\r\n".to_vec(),
        b"\r\n\r\n..\r\n".to_vec(),
        large(300_000),
    ];
    let mut client = mail.send_as(&ALICE)?;
    let mut expected = Vec::new();
    for text in &texts {
        client.hand_over(&ALICE, &["bob"], text)?;
        expected.push(stored(text));
        let all: Vec<&[u8]> = expected.iter().map(Vec::as_slice).collect();
        mail.expect_messages("bob", &all, STORED)?;
    }
    // The ids sort by age.
    let seen = mail.messages("bob")?.into_iter().map(|(_, message)| message);
    if !seen.eq(expected) {
        return Err(t
            .fail("the names of the messages do not sort by age")
            .expected("in the order of their names the messages are as they were sent")
            .seen("another order")
            .cause("POP3 numbers the messages by their names, the oldest first: `unique()` makes names \
                    that sort so")
            .stop());
    }
    client.leave()
}

fn names_the_true_sender(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text =
        b"Return-Path: <carol@localhost>\r\nFrom: Carol <carol@localhost>\r\nSender: carol\r\n\r\n\
                 hello\r\n";
    let cause =
        "who sends a message is who has authenticated: what the text says of it, anybody can write";
    mail.send(&ALICE, &["bob"], text)?;
    mail.expect_messages("bob", &[&stored(text)], cause)?;
    mail.send(&BOB, &["alice"], text)?;
    let from_bob = [b"Return-Path: <bob@localhost>\r\n", &text[..]].concat();
    mail.expect_messages("alice", &[&from_bob], cause)?;
    // The same sender, in other capitals.
    let mut client = mail.send_as(&ALICE)?;
    client.ask("MAIL FROM:<Alice@LOCALHOST>", &["250"], "names are compared without case")?;
    client.ask("RCPT TO:<carol>", &["250"], "a mailbox is NAME@localhost or NAME")?;
    client.ask("DATA", &["354"], "a recipient is there")?;
    client.send(&on_the_way(text))?;
    client.expect(&["250"], AT_THE_250)?;
    mail.expect_messages("carol", &[&stored(text)], cause)?;
    client.leave()
}

fn stores_for_each_recipient(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = b"Subject: two\r\n\r\nhello\r\n";
    let cause = "a message goes to the recipients of its own transaction, to each of them once, and to \
                 nobody else";
    let mut client = mail.send_as(&ALICE)?;
    client.hand_over(&ALICE, &["bob", "carol", "BOB"], text)?;
    for (name, messages) in [("bob", 1), ("carol", 1), ("alice", 0)] {
        mail.expect_messages(name, &vec![&stored(text)[..]; messages], cause)?;
    }
    // The recipients of before are forgotten, and one's own address is as good as any other.
    client.hand_over(&ALICE, &["alice"], text)?;
    for name in ["bob", "carol", "alice"] {
        mail.expect_messages(name, &[&stored(text)], cause)?;
    }
    client.leave()
}

fn is_there_at_the_250(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = large(1_000_000);
    let message = stored(&text);
    let mut client = mail.send_as(&ALICE)?;
    for round in 1..=5 {
        mail.new_turn();
        client.hand_over(&ALICE, &["bob", "carol"], &text)?;
        for name in ["bob", "carol"] {
            mail.expect_messages(name, &vec![&message[..]; round], AT_THE_250)?;
        }
    }
    client.leave()
}

fn survives_its_kill(t: &mut Trial) -> Verdict {
    let mut mail = Mail::start(t)?;
    let cause = "what is only in the memory of the program dies with it: a list, a queue, a writer that was \
                 not flushed. 250 says that the message is in a file";
    let texts = [awkward(), b"Subject: two\r\n\r\nhello\r\n".to_vec(), large(200_000)];
    let mut expected = Vec::new();
    for text in &texts {
        let mut client = mail.send_as(&ALICE)?;
        client.hand_over(&ALICE, &["bob"], text)?;
        // In the moment in which its client reads the 250.
        mail = mail.kill_and_start_again()?;
        client.close();
        expected.push(stored(text));
        let all: Vec<&[u8]> = expected.iter().map(Vec::as_slice).collect();
        mail.expect_messages("bob", &all, cause)?;
    }
    Ok(())
}

fn keeps_all_or_nothing(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = b"Subject: all\r\n\r\nhello\r\n";
    let cause = "the client hears one reply for all recipients: 250 when each of them has the message, and \
                 451 when none has. It sends the message again to all of them";
    let mut client = mail.send_as(&ALICE)?;
    let both = ["tmp", "new"];
    for (broken, whole, folders) in [
        ("carol", "bob", &both[..]),
        ("bob", "carol", &both),
        ("carol", "bob", &both[1..]),
        ("bob", "carol", &both[1..]),
    ] {
        mail.new_turn();
        for folder in folders {
            mail.spool.permit(&format!("{broken}/{folder}"), 0o555)?;
        }
        client.begin(&ALICE, &["bob", "carol"])?;
        client.send(&on_the_way(text))?;
        client
            .expect(&["451"], "what could not be stored for every recipient is not stored: 451")?;
        for name in [whole, broken] {
            mail.expect_messages(name, &[], cause)?;
        }
        for folder in folders {
            mail.spool.permit(&format!("{broken}/{folder}"), 0o755)?;
        }
    }
    client.hand_over(&ALICE, &["bob", "carol"], text)?;
    for name in ["bob", "carol"] {
        mail.expect_messages(name, &[&stored(text)], "after a 451 the next message is taken")?;
    }
    client.leave()?;
    t.kill(&mail.doors.running)?;
    t.new_story();
    match t.small_disk("SPOOL", SMALL)? {
        Some(spool) => on_a_full_disk(t, spool, cause),
        None => Ok(()),
    }
}

/// The room of a small disk, in bytes.
const SMALL: usize = 256 << 10;

/// The file is made, and there is no room for its end.
fn on_a_full_disk(t: &Trial, spool: Scratch, cause: &str) -> Verdict {
    let mail = Mail::over(t, USERS, spool, NOBODY_IS_LATE)?;
    let text = large(300_000);
    let mut client = mail.send_as(&ALICE)?;
    for recipients in [&["bob"][..], &["bob", "carol"]] {
        client.begin(&ALICE, recipients)?;
        client.send(&on_the_way(&text))?;
        client.expect(&["451"], "an error of a write is an error of the delivery: 451")?;
        for name in recipients {
            mail.expect_messages(name, &[], cause)?;
        }
    }
    let short = b"Subject: short\r\n\r\nhello\r\n";
    client.hand_over(&ALICE, &["bob", "carol"], short)?;
    for name in ["bob", "carol"] {
        mail.expect_messages(name, &[&stored(short)], "there is room for a short one")?;
    }
    client.leave()
}

fn never_shows_half(t: &mut Trial) -> Verdict {
    let mut mail = Mail::start(t)?;
    let cause = "who reads new meanwhile takes half a file for the whole message: write it in tmp, which is \
                 on the same disk, and rename it when it is whole";
    let text = large(1_000_000);
    let message = stored(&text);
    let mut client = mail.send_as(&ALICE)?;
    client.begin(&ALICE, &["bob"])?;
    let program = &mail.doors.running.program;
    program.limit_files(Some(HALF)).map_err(|error| Stop::Skip(error.to_string()))?;
    t.note(format!("no file of the mail server may have more than {HALF} bytes (RLIMIT_FSIZE)"));
    client.send(&on_the_way(&text))?;
    // It ends with SIGXFSZ, or is told EFBIG: in either way it gets no further.
    let is_promised = client.promised()?;
    let seen = mail.messages("bob")?;
    if let Some((_, half)) = seen.iter().find(|(_, one)| *one != message) {
        return Err(t
            .fail("half a message stands in new")
            .expected(format!("a file of {}, or none", count(message.len())))
            .seen(format!("a file of {}, where the write came no further", count(half.len())))
            .cause(cause)
            .stop());
    }
    client.close();
    // A signal that ends it closes its connections first: the end of the process comes behind.
    mail.settle()?;
    let mut expected = vec![&message[..]; usize::from(is_promised)];
    if mail.doors.running.program.exited()?.is_some() {
        mail = mail.kill_and_start_again()?;
    } else {
        mail.doors.running.program.limit_files(None)?;
        t.note("its files may be large again");
    }
    mail.send(&ALICE, &["bob"], &text)?;
    expected.push(&message);
    mail.expect_messages("bob", &expected, AT_THE_250)
}

/// About half of a large message, in bytes.
const HALF: u64 = 500_000;

fn delivers_at_once(t: &mut Trial) -> Verdict {
    const SENDERS: usize = 20;
    let mail = Mail::start(t)?;
    let mut clients = Vec::new();
    for _ in 0..SENDERS {
        let mut client = mail.send_as(&ALICE)?;
        client.begin(&ALICE, &["bob"])?;
        clients.push(client);
    }
    t.new_story();
    t.note(format!("{SENDERS} clients have come to DATA, and send their texts at once"));
    let texts: Vec<_> =
        (0..SENDERS).map(|number| format!("Subject: {number}\r\n\r\nhello\r\n")).collect();
    for (client, text) in clients.iter_mut().zip(&texts) {
        client.send_as(&on_the_way(text.as_bytes()), "its text")?;
    }
    for client in &mut clients {
        client.expect(&["250"], "each session stores its own message")?;
    }
    let stored: Vec<_> = texts.iter().map(|text| stored(text.as_bytes())).collect();
    let all: Vec<&[u8]> = stored.iter().map(Vec::as_slice).collect();
    let cause = "two messages must not have one name, be they stored in the same nanosecond: the time alone \
                 is not enough";
    mail.expect_messages("bob", &all, cause)
}

/// What stores a message, and what says so: in any words that Linux has for it.
const CALLS: &str =
    "fsync,fdatasync,sync,syncfs,rename,renameat,renameat2,link,linkat,sendto,write,sendmsg,writev";
const SYNCS: [&str; 4] = ["fsync", "fdatasync", "sync", "syncfs"];
const WRITES: [&str; 2] = ["write", "writev"];
const MOVES: [&str; 5] = ["rename", "renameat", "renameat2", "link", "linkat"];

fn syncs_before_it_says_so(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let (client, before) = delivered(&mail, &["bob"])?;
    let is = |call: &Shown, names: &[&str]| names.contains(&call.name.as_str());
    let moved = before.iter().position(|call| is(call, &MOVES) && call.text.contains("/new"));
    let Some(moved) = moved else {
        return Err(not_kept(t, &before, "a rename from tmp to new before the 250", NO_RENAME));
    };
    // sync() and syncfs() keep everything.
    let keeps = |call: &Shown, place: &str| {
        is(call, &SYNCS[2..]) || (is(call, &SYNCS) && call.text.contains(place))
    };
    let file = &before[..moved];
    let Some(kept) = file.iter().rposition(|call| keeps(call, "/bob/tmp/")) else {
        return Err(not_kept(
            t,
            &before,
            "fsync of the file, and then its rename to new",
            NO_FSYNC,
        ));
    };
    if file[kept..].iter().any(|call| is(call, &WRITES) && call.text.contains("/bob/tmp/")) {
        return Err(not_kept(t, &before, "all of the file written, and then its fsync", LATE));
    }
    if !before[moved..].iter().any(|call| keeps(call, "/bob/new>")) {
        let expected = "behind the rename, and before the 250, fsync of the directory new";
        return Err(not_kept(t, &before, expected, NO_FOLDER));
    }
    client.leave()?;
    mail.new_turn();
    let (next, before) = delivered(&mail, &["bob", "carol"])?;
    for name in ["bob", "carol"] {
        let new = format!("/{name}/new");
        let moved = before.iter().rposition(|call| is(call, &MOVES) && call.text.contains(&new));
        let behind = &before[moved.unwrap_or(0)..];
        if !behind.iter().any(|call| keeps(call, &format!("{new}>"))) {
            let expected =
                format!("of two recipients each: behind the rename fsync of {name}'s new");
            return Err(not_kept(t, &before, &expected, NO_FOLDER));
        }
    }
    next.leave()
}

/// A client that has sent a message, and the calls that have stored it, as strace shows them: from
/// the 354 to the 250.
fn delivered(mail: &Mail, to: &[&str]) -> Verdict<(Client, Vec<Shown>)> {
    let t = mail.doors.trial();
    // Before the client comes: a read that has a time-out, and is blocked when strace arrives, fails
    // with EINTR (signal(7)).
    let tracer = t.trace(&mail.doors.running, Order::Show(CALLS))?;
    let mut client = mail.call_to_data(&ALICE, to)?;
    client.send(&on_the_way(b"Subject: kept\r\n\r\nhello\r\n"))?;
    client.expect(&["250"], AT_THE_250)?;
    let _ = tracer.wait_until(|calls| of_delivery(calls).is_some())?;
    let mut calls = tracer.end()?;
    let Some(delivery) = of_delivery(&calls) else {
        return Err(Stop::Skip("strace does not show where the text begins and ends".into()));
    };
    t.note("strace has shown its calls from the 354 to the 250");
    let (first, last) = delivery.into_inner();
    Ok((client, calls.drain(first..last).collect()))
}

/// The calls from the one that asks for the text to the one that says 250 to it, which is the last
/// of them; `None` where these can't be told.
pub(super) fn of_delivery(calls: &[Shown]) -> Option<std::ops::RangeInclusive<usize>> {
    let says = |call: &Shown, code: &str| {
        [format!("\"{code}"), format!("\\n{code}")].iter().any(|text| call.text.contains(text))
    };
    let asked = calls.iter().position(|call| says(call, "354"))?;
    let behind = calls[asked + 1..].iter().position(|call| says(call, "250"))?;
    Some(asked..=asked + 1 + behind)
}

fn not_kept(t: &Trial, calls: &[Shown], expected: &str, cause: &str) -> Stop {
    let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
    let seen = if names.is_empty() {
        "no call that stores anything".to_owned()
    } else {
        format!("before the 250 the calls {}", names.join(", "))
    };
    let failure = t.fail("the 250 comes before the message is safe from a loss of power");
    failure.expected(expected).seen(seen).cause(cause).stop()
}

const NO_RENAME: &str = "a rename is the one moment in which a message comes into being: before it there is \
    nothing in new, behind it the whole";
const NO_FSYNC: &str = "write gives the bytes to the system's memory, from which they come to the disk when it \
    suits: fsync (File::sync_all) waits until they are there. A rename that comes first may outlive \
    the bytes, and the message is empty";
const LATE: &str = "fsync keeps what has been written until then. A BufWriter writes the rest when it is flushed \
    or dropped: flush it first, then call sync_all on the file";
const NO_FOLDER: &str = "the name of a file belongs to its folder, and is on the disk when the folder is: open the \
    folder with File::open, and call sync_all";
