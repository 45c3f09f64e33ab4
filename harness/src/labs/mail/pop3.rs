//! Step 5 of lab 5: `pop3`. What the state of a session allows, and what its commands say.

use super::client::{Client, LOG_IN};
use super::mailbox::BOB;
use super::reply::Protocol;
use super::{Mail, NOBODY_IS_LATE, USERS};
use crate::net::noise;
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ mail_pop3, "mail" step 5:
    lets_users_in, 3 points: "lets in who knows the name and the password, and nobody else";
    "USER name: +OK for any. PASS rest-of-line: +OK where both are right, -ERR else (RFC 1939 section 7)."

    keeps_the_maildrop_closed, 2 points: "shows nothing of a maildrop before PASS";
    "Before PASS succeeds there are CAPA, USER, PASS and QUIT; anything else is -ERR."

    counts_messages, 3 points: "tells how many messages there are, and how large they are";
    "STAT: +OK n octets; LIST: a line for each message. Sizes are the file's (RFC 1939 section 11)."

    sends_messages, 4 points: "sends a message byte for byte, and ends it with the dot";
    "RETR sends the file; each line that begins with a dot gets one more (RFC 1939 section 3)."

    sends_the_top, 2 points: "sends the head of a message and so many lines of its text";
    "TOP n lines: the head, the empty line and so many lines behind it (RFC 1939 section 7)."

    tells_the_ids, 2 points: "tells an id for each message";
    "UIDL [n]: the ID of each message, which is the name of its file (RFC 1939 section 7)."

    refuses_bad_numbers, 2 points: "says -ERR where there is no such message, and goes on";
    "No such number: -ERR (RFC 1939 section 5)."

    knows_its_commands, 2 points: "knows its commands in any case, and refuses all others";
    "Commands are without regard to case; an unknown one, or no ASCII, is -ERR, and the session goes on."

    lists_its_powers, 1 point: "says what it can do, before PASS and after it";
    "CAPA: USER, UIDL, TOP, PIPELINING, RESP-CODES, in both states (RFC 2449 section 5)."

    answers_a_whole_session, 2 points: "answers a session that comes in one segment, in order";
    "Commands may come together (PIPELINING); each gets its reply, in order (RFC 2449 section 6.6)."

    ends_with_quit, 2 points: "says +OK to QUIT and closes, before PASS and after it";
    "QUIT: +OK, and the server closes the connection (RFC 1939 sections 4 and 6)."
}

/// Of what a text may be made: dots where a client takes them for more, and bytes that are no text.
pub(super) fn awkward() -> Vec<u8> {
    [
        &b"Return-Path: <alice@localhost>\r\nSubject: dots\r\n\r\n"[..],
        b".\r\n..\r\n. \r\n.hidden\r\nend.\r\n\r\n",
        b"zero \0 and \xff\xfe above\r\n",
        b"..two\r\n.\r\n",
    ]
    .concat()
}

/// Lines of noise: about so many bytes.
pub(super) fn large(length: usize) -> Vec<u8> {
    let bytes = noise(7, length).into_iter().filter(|byte| !b"\r\n".contains(byte));
    let bytes: Vec<u8> = bytes.collect();
    let mut text = b"Subject: large\r\n\r\n".to_vec();
    for line in bytes.chunks(998) {
        // A dot would be doubled on its way, and the line be a matter of how lines are counted.
        text.push(if line[0] == b'.' { b':' } else { line[0] });
        text.extend_from_slice(&line[1..]);
        text.extend_from_slice(b"\r\n");
    }
    text
}

fn lets_users_in(t: &mut Trial) -> Verdict {
    let mail = Mail::with(t, &(USERS.to_owned() + "dave  spaces around \n"), NOBODY_IS_LATE)?;
    mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?;
    let mut client = mail.call(Protocol::Pop3)?;
    let (start, rest) = BOB.password.split_at(BOB.password.len() - 1);
    let wrong = [
        ("nobody", BOB.password.to_owned()),
        ("alice", BOB.password.to_owned()),
        ("bob", start.to_owned()),
        ("bob", format!("{}x", BOB.password)),
        ("bob", format!("{start}{rest}{rest}")),
        ("bob", format!("{} ", BOB.password)),
        ("bob", BOB.password.to_ascii_uppercase()),
    ];
    for (name, password) in wrong {
        client.good(
            &format!("USER {name}"),
            "USER is answered +OK, whatever the name: only PASS tells",
        )?;
        client.refused(
            &format!("PASS {password}"),
            "a password is compared to its last byte, with capitals and spaces as they stand, and \
             belongs to one name",
        )?;
    }
    // The last name was right: whoever still has it would let this one in.
    client.refused(
        &format!("PASS {}", BOB.password),
        "after a PASS that failed USER comes again: the name of before is forgotten",
    )?;
    // The password has a space in it.
    client.good("USER BOB", LOG_IN)?;
    client.good(&format!("PASS {}", BOB.password), LOG_IN)?;
    client.good("STAT", "after PASS the maildrop is open")?;
    client.quit()?;
    let mut client = mail.call(Protocol::Pop3)?;
    client.good("USER dave", LOG_IN)?;
    client.good(
        "PASS  spaces around ",
        "behind the one space that ends the name, or PASS, a password begins; it goes to the end of the line",
    )?;
    client.quit()
}

fn keeps_the_maildrop_closed(t: &mut Trial) -> Verdict {
    const CLOSED: &str = "before PASS has succeeded nothing is told of any maildrop: -ERR";
    let mail = Mail::start(t)?;
    mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?;
    let mut client = mail.call(Protocol::Pop3)?;
    let commands = ["STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "TOP 1 0", "DELE 1"];
    for command in commands {
        client.refused(command, CLOSED)?;
    }
    client.good("USER bob", LOG_IN)?;
    client.refused("STAT", CLOSED)?;
    client.good("USER bob", LOG_IN)?;
    client.good(&format!("PASS {}", BOB.password), LOG_IN)?;
    for command in ["STAT", "LIST 1"] {
        client.good(command, "after PASS has succeeded it is answered")?;
    }
    client.quit()
}

/// Numbers behind +OK, or in a line of a list.
fn numbers(text: &str) -> Vec<u64> {
    text.split(' ').map_while(|word| word.parse().ok()).take(2).collect()
}

/// Expects `command` to be answered with these numbers.
fn expect_numbers(client: &mut Client, command: &str, expected: [u64; 2], cause: &str) -> Verdict {
    let text = client.good(command, cause)?;
    if numbers(&text) == expected {
        return Ok(());
    }
    let [first, second] = expected;
    let seen = quote_short(text.as_bytes(), 60);
    Err(client.wrong(&format!("to {command}: +OK {first} {second}"), seen, cause))
}

/// Expects that LIST has these lines.
fn expect_list(client: &mut Client, expected: &[[u64; 2]], cause: &str) -> Verdict {
    let text = client.good_lines("LIST", cause)?;
    let lines: Vec<_> = String::from_utf8_lossy(&text).lines().map(numbers).collect();
    if lines == expected {
        return Ok(());
    }
    let column = |nth: usize| {
        let came: Vec<_> = lines.iter().filter_map(|line| line.get(nth).copied()).collect();
        (came, expected.iter().map(|line| line[nth]).collect::<Vec<_>>())
    };
    let ((numbers, right), (mut sizes, mut owed)) = (column(0), column(1));
    sizes.sort_unstable();
    owed.sort_unstable();
    let cause = if numbers == right && sizes == owed { BY_AGE } else { cause };
    let told: Vec<_> = expected.iter().map(|[n, size]| format!("{n} {size}")).collect();
    let expected = format!("to LIST the lines {}", told.join(", "));
    Err(client.wrong(&expected, quote_short(&text, 120), cause))
}

const BY_AGE: &str = "the sizes are right, and other messages have them: numbers go by age, and the names of \
    the files, sorted byte by byte, are in that order. A folder is not: read_dir and listdir give \
    them as they come";
const SIZES: &str = "a size is that of the file, in bytes: CRLF counts two, and the dots that are \
    put before dots on the way count nothing (RFC 1939 section 11)";

fn counts_messages(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.fetch_as(&BOB)?;
    expect_numbers(&mut client, "STAT", [0, 0], "an empty maildrop has no message and no octet")?;
    expect_list(&mut client, &[], "of no message there is no line: +OK, and the dot")?;
    client.quit()?;
    let texts = [b"Subject: one\r\n\r\nhello\r\n".to_vec(), awkward(), large(3000)];
    for text in &texts {
        mail.seed("bob", text)?;
    }
    mail.spool.folder("bob/new/a-folder")?;
    let [one, two, three] = texts.map(|text| text.len() as u64);
    let mut client = mail.fetch_as(&BOB)?;
    expect_numbers(&mut client, "STAT", [3, one + two + three], SIZES)?;
    expect_list(&mut client, &[[1, one], [2, two], [3, three]], SIZES)?;
    expect_numbers(&mut client, "LIST 2", [2, two], SIZES)?;
    client.good("DELE 2", THERE)?;
    let cause = "a message that is marked is left out, and the others keep their numbers";
    expect_numbers(&mut client, "STAT", [2, one + three], cause)?;
    expect_list(&mut client, &[[1, one], [3, three]], cause)?;
    client.quit()
}

const THERE: &str = "a message that is there can be marked";
const BYTES: &str = "RETR sends the file as it is, to the last byte: only a dot at the beginning of a \
    line is doubled on the way, and the line with the dot behind it does not belong to the message";

fn sends_messages(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let texts = [
        b"Subject: one\r\n\r\nhello\r\n".to_vec(),
        awkward(),
        b".\r\n".to_vec(),
        b"\r\n\r\n..\r\n".to_vec(),
        large(1 << 20),
        // Wherever a read or a write ends, a dot stands behind it.
        format!("x{}\r\n", ".".repeat(70)).repeat(3000).into_bytes(),
    ];
    for text in &texts {
        mail.seed("bob", text)?;
    }
    let mut client = mail.fetch_as(&BOB)?;
    for (text, number) in texts.iter().zip(1..) {
        client.expect_message(&format!("RETR {number}"), text, BYTES)?;
    }
    // Once more: what is sent is still there.
    client.expect_message("RETR 1", &texts[0], "RETR removes nothing")?;
    client.quit()
}

fn sends_the_top(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let head = b"Return-Path: <alice@localhost>\r\nSubject: top\r\n\r\n";
    let lines = [&b"first\r\n"[..], b".second\r\n", b"\r\n", b"fourth\r\n"];
    mail.seed("bob", &[head, &lines.concat()[..]].concat())?;
    mail.seed("bob", b"Subject: nothing else\r\n\r\n")?;
    let cause = "the head ends with an empty line, which belongs to it; the lines behind it are counted, \
                 and where there are fewer the whole message is sent";
    let mut client = mail.fetch_as(&BOB)?;
    for count in [0, 1, 2, 4, 99_999_999] {
        let text = [head, &lines[..lines.len().min(count)].concat()[..]].concat();
        client.expect_message(&format!("TOP 1 {count}"), &text, cause)?;
    }
    client.expect_message("TOP 2 3", b"Subject: nothing else\r\n\r\n", cause)?;
    client.quit()
}

fn tells_the_ids(t: &mut Trial) -> Verdict {
    let cause = "the id of a message is the name of its file: it stays, whatever number the message \
                 has, and a client that keeps mail on the server knows it again by it";
    let mail = Mail::start(t)?;
    let ids = [
        mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?,
        mail.seed("bob", &awkward())?,
        mail.seed("bob", b"Subject: three\r\n\r\nhello\r\n")?,
    ];
    let mut client = mail.fetch_as(&BOB)?;
    client.expect_ids(&[(1, &ids[0]), (2, &ids[1]), (3, &ids[2])], cause)?;
    let text = client.good("UIDL 2", cause)?;
    if text.split(' ').eq(["2", &ids[1]]) {
        client.good("DELE 1", THERE)?;
        client.expect_ids(&[(2, &ids[1]), (3, &ids[2])], "a marked message is left out")?;
        return client.quit();
    }
    let seen = quote_short(text.as_bytes(), 80);
    Err(client.wrong(&format!("to UIDL 2: +OK 2 {}", ids[1]), seen, cause))
}

fn refuses_bad_numbers(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = b"Subject: one\r\n\r\nhello\r\n";
    mail.seed("bob", text)?;
    mail.seed("bob", text)?;
    let mut client = mail.fetch_as(&BOB)?;
    let digits = "9".repeat(30);
    let cause = "messages have the numbers from 1 to n: all else is -ERR, and the session goes on";
    for number in ["0", "3", "-1", "x", &digits] {
        for command in ["RETR", "DELE", "LIST", "UIDL"] {
            client.refused(&format!("{command} {number}"), cause)?;
        }
        client.refused(&format!("TOP {number} 0"), cause)?;
    }
    for command in ["RETR", "DELE"] {
        client.refused(command, "without a number nothing is meant: -ERR")?;
    }
    client.expect_message("RETR 2", text, "after a refusal the session goes on")?;
    client.quit()
}

fn knows_its_commands(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let text = b"Subject: one\r\n\r\nhello\r\n";
    mail.seed("bob", text)?;
    let mut client = mail.call(Protocol::Pop3)?;
    let any_case = "commands are without regard to case (RFC 1939 section 3)";
    client.good("user bob", any_case)?;
    client.good(&format!("pass {}", BOB.password), any_case)?;
    client.good("Noop", any_case)?;
    client.expect_message("reTR 1", text, any_case)?;
    let cause = "what is no command is -ERR, and the session goes on";
    for command in ["FOO", "", "APOP bob 1234", "GET / HTTP/1.1", "RETRO 1"] {
        client.refused(command, cause)?;
    }
    for bytes in [&b"N\xc3\xb6\xc3\xb6P\r\n"[..], b"NOOP\0\r\n", b"NOOP a\0b\r\n", b"\xff\xfe\r\n"]
    {
        client.send(bytes)?;
        client.expect(
            &["-ERR"],
            "bytes that are no ASCII are no command: -ERR, and the session goes on",
        )?;
    }
    client.expect_message("RETR 1", text, cause)?;
    client.quit()
}

fn lists_its_powers(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let cause = "a client that asks with CAPA uses what is named, and nothing else";
    let mut client = mail.call(Protocol::Pop3)?;
    for log_in in [true, false] {
        let text = client.good_lines("CAPA", cause)?;
        let text = String::from_utf8_lossy(&text).to_ascii_uppercase();
        let words: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        let named = ["USER", "UIDL", "TOP", "PIPELINING", "RESP-CODES"];
        let missing: Vec<_> = named.into_iter().filter(|one| !words.contains(one)).collect();
        let surplus = ["SASL", "STLS"].into_iter().find(|one| words.contains(one));
        if !missing.is_empty() || surplus.is_some() {
            let expected = named.join(", ");
            return Err(client.wrong(
                &format!("to CAPA a line each for {expected}, and none for what there is not"),
                format!("the lines {}", words.join(", ")),
                cause,
            ));
        }
        if log_in {
            client.good("USER bob", LOG_IN)?;
            client.good(&format!("PASS {}", BOB.password), LOG_IN)?;
        }
    }
    client.quit()
}

fn answers_a_whole_session(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let texts = [awkward(), b"Subject: two\r\n\r\nhello\r\n".to_vec()];
    for text in &texts {
        mail.seed("bob", text)?;
    }
    let cause = "what came behind a line is the next command: each gets its reply, in order, also when \
                 the client has ended its sending side already";
    let mut client = mail.call(Protocol::Pop3)?;
    let lines = ["USER bob", &format!("PASS {}", BOB.password), "STAT", "RETR 1", "RETR 2", "QUIT"];
    client.send(lines.map(|line| format!("{line}\r\n")).concat().as_bytes())?;
    client.half_close()?;
    for _ in ["USER", "PASS", "STAT"] {
        client.expect(&["+OK"], cause)?;
    }
    for text in &texts {
        client.expect(&["+OK"], cause)?;
        client.expect_text(text, BYTES)?;
    }
    client.expect(&["+OK"], cause)?;
    client.expect_end(cause)
}

fn ends_with_quit(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    mail.seed("bob", b"Subject: one\r\n\r\nhello\r\n")?;
    mail.call(Protocol::Pop3)?.quit()?;
    let mut client = mail.fetch_as(&BOB)?;
    client.good("STAT", "after PASS the maildrop is open")?;
    client.quit()
}
