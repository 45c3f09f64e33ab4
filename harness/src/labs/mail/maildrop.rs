//! Step 5 of lab 5, further: a maildrop belongs to one session, whose view stands still, and only
//! QUIT removes anything.

use super::client::{Client, LOG_IN};
use super::mailbox::{ALICE, BOB, CAROL};
use super::pop3::awkward;
use super::reply::Protocol;
use super::{Mail, SECONDS, USERS};
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ mail_maildrop, "mail" step 5:
    marks_only, 3 points: "DELE hides a message, RSET brings it back, and numbers stay";
    "DELE marks; a marked message is -ERR and keeps its number; RSET unmarks (RFC 1939 section 5)."

    deletes_at_quit, 3 points: "removes what was marked when it says +OK to QUIT";
    "Only QUIT removes, gives the lock back, then says +OK (RFC 1939 section 6)."

    deletes_nothing_without_quit, 3 points: "removes nothing when a session ends without QUIT";
    "An end or a reset removes nothing: the session was not closed by QUIT (RFC 1939 section 6)."

    locks_the_maildrop, 3 points: "gives a maildrop to one session at a time";
    "PASS takes the lock: a second session gets -ERR [IN-USE] until the first ends, in whatever way."

    keeps_its_view, 2 points: "shows a session what was there when it began";
    "Messages and numbers are those of that moment; later mail waits for the next session."

    keeps_ids_for_ever, 2 points: "gives a message the same id in every session, after a crash too";
    "UIDL: the ID never changes, and none is used twice, also after a restart (RFC 1939 section 7)."

    sends_without_holding_up, 2 points: "sends to a client that reads nothing, and serves the others";
    "A message is sent without holding up anybody; memory of a session is bounded by one message."

    says_what_is_gone, 1 point, exotic: "says -ERR for a message that somebody has removed";
    "QUIT: one that can't be removed or has gone: -ERR, and the session ends all the same."

    deletes_nothing_after_silence, 1 point, patient: "removes nothing when a client falls silent";
    "A time-out closes without a word and removes nothing: the autologout of RFC 1939 section 3."
}

const MARKED: &str = "DELE marks and nothing else: whoever asks for a marked message is told -ERR, and no other \
    one gets its number";
const ONLY_QUIT: &str = "a session that was not ended by QUIT removes nothing: its client may not have what it \
    has marked (RFC 1939 section 6)";

const THERE: &str = "a message that is there can be marked";

/// Three messages in bob's maildrop, and their names.
fn three(mail: &Mail) -> Verdict<[String; 3]> {
    Ok([
        mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?,
        mail.seed("bob", &awkward())?,
        mail.seed("bob", b"Subject: three\r\n\r\n.\r\n")?,
    ])
}

fn marks_only(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let ids = three(&mail)?;
    let before = mail.spool.list()?;
    let mut client = mail.fetch_as(&BOB)?;
    client.good("DELE 1", THERE)?;
    for command in ["RETR 1", "LIST 1", "UIDL 1", "TOP 1 0", "DELE 1"] {
        client.refused(command, MARKED)?;
    }
    client.expect_message("RETR 2", &awkward(), MARKED)?;
    client.expect_ids(&[(2, &ids[1]), (3, &ids[2])], MARKED)?;
    mail.expect_same_mailboxes(&before, "DELE touches no file before QUIT")?;
    client.good("RSET", "RSET is answered +OK")?;
    client.expect_ids(&[(1, &ids[0]), (2, &ids[1]), (3, &ids[2])], "RSET takes all marks away")?;
    client.expect_message(
        "RETR 1",
        b"Subject: one\r\n\r\nhello\r\n",
        "RSET takes all marks away",
    )?;
    client.quit()?;
    mail.expect_same_mailboxes(&before, "what was unmarked by RSET is not removed by QUIT")
}

fn deletes_at_quit(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let ids = three(&mail)?;
    let mut client = mail.fetch_as(&BOB)?;
    client.good("DELE 1", THERE)?;
    client.good("DELE 3", THERE)?;
    client.good("QUIT", "QUIT is answered +OK")?;
    let cause = "when the +OK of QUIT comes, the marked messages are gone, and no other one is";
    mail.expect_new("bob", &[&ids[1]], cause)?;
    // And so is the lock: another session begins before the connection of the first has ended.
    let mut next = mail.call(Protocol::Pop3)?;
    next.log_in(&BOB)?;
    next.expect_ids(&[(1, &ids[1])], cause)?;
    next.quit()
}

fn deletes_nothing_without_quit(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let ids = three(&mail)?;
    let before = mail.spool.list()?;
    let ways: [fn(Client) -> Verdict; 2] = [
        |client| {
            client.close();
            Ok(())
        },
        Client::vanish,
    ];
    for end in ways {
        mail.new_turn();
        let mut client = mail.fetch_as(&BOB)?;
        client.good("DELE 2", THERE)?;
        end(client)?;
        mail.settle()?;
        mail.expect_same_mailboxes(&before, ONLY_QUIT)?;
    }
    let mut client = mail.fetch_as(&BOB)?;
    client.expect_ids(
        &[(1, &ids[0]), (2, &ids[1]), (3, &ids[2])],
        "a mark belongs to the session that has made it",
    )?;
    client.quit()?;
    mail.expect_same_mailboxes(&before, "a mark belongs to the session that has made it")
}

fn locks_the_maildrop(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    three(&mail)?;
    let locked = "while a session has a maildrop no other one gets it: both would have the same numbers, \
                  and remove each other's messages";
    let released = "the lock ends with its session, in whatever way that ends";
    let ways: [fn(Client) -> Verdict; 3] = [
        Client::quit,
        |client| {
            client.close();
            Ok(())
        },
        Client::vanish,
    ];
    for end in ways {
        mail.new_turn();
        let first = mail.fetch_as(&BOB)?;
        let mut second = mail.call(Protocol::Pop3)?;
        second.good("USER BOB", LOG_IN)?;
        let text = second.refused(&format!("PASS {}", BOB.password), locked)?;
        if !text.to_ascii_uppercase().starts_with("[IN-USE]") {
            return Err(second.wrong(
                "to PASS: -ERR [IN-USE] and a text",
                format!("-ERR {text}"),
                "RESP-CODES (RFC 2449 section 8.1.1): [IN-USE] tells a client to come again later, and not \
                 to ask for another password",
            ));
        }
        // Another user's maildrop is another one.
        mail.fetch_as(&ALICE)?.quit()?;
        end(first)?;
        mail.settle()?;
        second.good("USER bob", LOG_IN)?;
        second.good(&format!("PASS {}", BOB.password), released)?;
        second.quit()?;
    }
    mail.new_turn();
    let held = mail.fetch_as(&BOB)?;
    let mail = mail.kill_and_start_again()?;
    held.close();
    let mut next = mail.call(Protocol::Pop3)?;
    next.good("USER bob", LOG_IN)?;
    next.good(&format!("PASS {}", BOB.password), OUTLIVED)?;
    next.quit()
}

const OUTLIVED: &str = "when the server is killed all of its sessions have ended, and their locks with them: \
                        a file that says \"locked\" is still there when it is started again";

fn keeps_its_view(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let first = mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?;
    let cause = "the messages of a session are those that were there at PASS: what comes later would shift \
                 the numbers, and waits for the next session";
    let mut client = mail.fetch_as(&BOB)?;
    client.expect_ids(&[(1, &first)], "one message was there")?;
    mail.send(&ALICE, &["bob"], b"Subject: two\r\n\r\nmeanwhile\r\n")?;
    client.expect_ids(&[(1, &first)], cause)?;
    client.refused("RETR 2", cause)?;
    client.good("DELE 1", THERE)?;
    client.quit()?;
    let mut client = mail.fetch_as(&BOB)?;
    let sent = b"Return-Path: <alice@localhost>\r\nSubject: two\r\n\r\nmeanwhile\r\n";
    client.expect_message("RETR 1", sent, "the next session has what came meanwhile")?;
    client.refused("RETR 2", "the first message was removed")?;
    client.quit()
}

fn keeps_ids_for_ever(t: &mut Trial) -> Verdict {
    let mut mail = Mail::start(t)?;
    let cause = "the id of a message is the name of its file, which is never given to another one, also \
                 after a restart: a number that begins anew, or the number of the message, is not";
    let mut known: Vec<String> = Vec::new();
    for round in 0..3 {
        for text in ["Subject: one\r\n\r\n", "Subject: two\r\n\r\n"] {
            mail.send(&ALICE, &["bob"], text.as_bytes())?;
        }
        let mut client = mail.fetch_as(&BOB)?;
        let ids: Vec<String> = client.ids(cause)?.into_iter().map(|(_, id)| id).collect();
        // Of each round one is left.
        let (old, new) = ids.split_at(ids.len().saturating_sub(2));
        let before = &known[known.len() - round..];
        if old != before || new.len() != 2 || new.iter().any(|id| known.contains(id)) {
            let expected = match before {
                [] => "to UIDL the ids of two messages".to_owned(),
                _ => format!("to UIDL the ids of before, {}, and two new ones", before.join(", ")),
            };
            return Err(client.wrong(&expected, ids.join(", "), cause));
        }
        known.extend_from_slice(new);
        // The oldest goes, so that the others get other numbers.
        client.good("DELE 1", THERE)?;
        client.quit()?;
        mail = mail.kill_and_start_again()?;
    }
    // Nothing is left by which the next one could be counted.
    let mut client = mail.fetch_as(&BOB)?;
    for number in 1..=known.len() / 2 {
        client.good(&format!("DELE {number}"), THERE)?;
    }
    client.quit()?;
    mail = mail.kill_and_start_again()?;
    mail.send(&ALICE, &["bob"], b"Subject: one\r\n\r\n")?;
    let mut client = mail.fetch_as(&BOB)?;
    let ids: Vec<String> = client.ids(cause)?.into_iter().map(|(_, id)| id).collect();
    match &ids[..] {
        [id] if !known.contains(id) => client.quit(),
        _ => {
            Err(client.wrong("to UIDL the id of one message, and a new one", ids.join(", "), cause))
        }
    }
}

fn sends_without_holding_up(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = format!("{}\r\n", "x".repeat(80)).repeat(12_800).into_bytes();
    for _ in 0..4 {
        mail.seed("bob", &text)?;
    }
    let mut slow = mail.fetch_as(&BOB)?;
    slow.send(b"RETR 1\r\nRETR 2\r\nRETR 3\r\nRETR 4\r\n")?;
    mail.settle()?;
    t.note("it reads nothing: the mail server is in the middle of its reply");
    let cause = "a write to a client that does not read waits for that client: no lock may be held over it \
                 that others need";
    mail.send(&ALICE, &["bob", "carol"], b"Subject: meanwhile\r\n\r\nhello\r\n")?;
    let mut client = mail.fetch_as(&CAROL)?;
    let sent = b"Return-Path: <alice@localhost>\r\nSubject: meanwhile\r\n\r\nhello\r\n";
    client.expect_message("RETR 1", sent, cause)?;
    client.quit()?;
    keeps_no_replies(&mail, &mut slow)?;
    slow.close();
    keeps_no_mailbox(&mail)
}

/// So many messages, or replies, of a mebibyte each.
const MANY: usize = 48;
/// What a session that has one message at a time never needs, in bytes.
const FAR_TOO_MUCH: u64 = (MANY as u64) << 19;

/// A client that reads nothing asks for the same message again and again.
fn keeps_no_replies(mail: &Mail, slow: &mut Client) -> Verdict {
    let (t, running) = (mail.doors.trial(), &mail.doors.running);
    let before = t.memory(running)?;
    slow.send_as(&b"RETR 1\r\n".repeat(MANY), &format!("RETR 1, {MANY} times"))?;
    mail.settle()?;
    let grown = t.memory(running)?.saturating_sub(before);
    if grown < FAR_TOO_MUCH {
        return Ok(());
    }
    Err(t
        .fail("the mail server collects replies for a client that reads nothing")
        .expected("one reply at a time: the next command is read when it has been sent")
        .seen(format!("{} more memory", count(grown as usize)))
        .cause("a reply that cannot be written yet is a reason to wait, and not to read on")
        .stop())
}

/// Users log in whose mailboxes hold more than a session may have in memory. What a runtime has not
/// collected yet is no sin of a program: only what grows with each session counts.
fn keeps_no_mailbox(mail: &Mail) -> Verdict {
    let (t, running) = (mail.doors.trial(), &mail.doors.running);
    for user in [&ALICE, &BOB, &CAROL] {
        for number in 0..MANY {
            let name = format!("{}/new/00000000000000000001.{number:04}", user.name);
            mail.spool.sparse(&name, 1 << 20)?;
        }
    }
    t.new_story();
    t.note(format!("in each mailbox there are {MANY} messages of 1 MiB, and more"));
    let mut sessions = Vec::new();
    let mut before = t.memory(running)?;
    let mut kept = Vec::new();
    for user in [&ALICE, &BOB, &CAROL] {
        sessions.push(mail.fetch_as(user)?);
        mail.settle()?;
        let now = t.memory(running)?;
        let grown = now.saturating_sub(before);
        if grown < FAR_TOO_MUCH {
            return Ok(());
        }
        kept.push(format!(
            "{} more memory, once {} had logged in",
            count(grown as usize),
            user.name
        ));
        before = now;
    }
    let failure = t.fail("the mail server reads whole mailboxes into memory");
    let failure = failure.expected("a session's memory is bounded by one message");
    let failure = kept.into_iter().fold(failure, |failure, line| failure.seen(line));
    Err(failure
        .cause("a session needs the names and the sizes; the text of a message is read when it is asked for")
        .stop())
}

fn says_what_is_gone(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let ids = three(&mail)?;
    let mut client = mail.fetch_as(&BOB)?;
    mail.remove("bob", &ids[0])?;
    mail.remove("bob", &ids[1])?;
    let cause = "an error of a file is told with -ERR, and the session goes on";
    client.refused("RETR 1", cause)?;
    client.expect_message("RETR 3", b"Subject: three\r\n\r\n.\r\n", cause)?;
    client.good("DELE 2", "it was there when the session began")?;
    client.good("DELE 3", THERE)?;
    let cause = "what could not be removed is told, all else is removed, and the session is over";
    client.refused("QUIT", cause)?;
    client.expect_end(cause)?;
    mail.expect_new("bob", &[], cause)?;
    mail.fetch_as(&BOB)?.quit()
}

fn deletes_nothing_after_silence(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mail = Mail::with(t, USERS, Some(1))?;
    let ids = three(&mail)?;
    let mut client = mail.fetch_as(&BOB)?;
    client.good("DELE 1", THERE)?;
    client.expect_end("after SECONDS (1) without a line the server closes, and says nothing")?;
    client.close();
    mail.expect_new("bob", &[&ids[0], &ids[1], &ids[2]], ONLY_QUIT)
}
