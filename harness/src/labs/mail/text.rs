//! Step 3 of lab 5: `receive_message`, the text and its dot. Whether it is stored is step 4's
//! matter: until that is written a text that was taken is answered 451.

use std::rc::Rc;

use super::client::Client;
use super::mailbox::ALICE;
use super::{Mail, SECONDS, USERS};
use crate::contract::MORE;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ mail_text, "mail" step 3:
    asks_for_the_text, 2 points: "asks for the text, and waits for it";
    "DATA: 354, the text, and then the last reply (RFC 5321 section 4.1.1.4)."

    takes_a_text, 3 points: "takes a text that ends with a dot in a line of its own";
    "The text ends with the line `.`: CRLF . CRLF (RFC 5321 section 4.1.1.4)."

    waits_for_the_dot, 3 points: "does not answer before the line with the dot is whole";
    "The text ends with the line `.`, and with nothing else, however it is cut."

    takes_an_empty_text, 1 point: "takes a text without a line";
    "The line `.` may come at once: the text is empty then."

    is_in_step_behind_the_dot, 3 points: "takes what stands behind the dot for commands";
    "Commands may come together (PIPELINING): what came behind the dot is not lost."

    takes_the_text_in_pieces, 2 points: "takes a text that comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    no_other_dot_ends_it, 3 points: "takes no other dot for the end";
    "CRLF . CRLF and nothing else: LF . LF ends nothing (RFC 5321 section 4.5.2)."

    refuses_bare_line_ends, 2 points: "refuses a text with a CR or an LF of its own";
    "Any byte but a bare CR or LF: 554 behind the text."

    takes_any_other_byte, 1 point: "takes NUL, and bytes above 127";
    "Any byte but a bare CR or LF, also NUL and above 127 (8BITMIME, RFC 6152)."

    takes_the_longest_text_line, 2 points: "takes a line of 1,000 bytes, and refuses one of 1,001";
    "A line at most 1,000 bytes, unstuffed, with CRLF (RFC 5321 section 4.5.3.1.6): else 500 behind the text."

    takes_the_largest_text, 2 points: "takes a text of 1,048,576 bytes, and refuses one more";
    "The message at most 1,048,576 bytes, unstuffed: else 552 behind the text, and the session goes on."

    forgets_half_a_text, 2 points: "stores nothing of a text without its dot";
    "The stream ends before the dot: nothing is stored."

    limits_a_silent_text, 1 point, patient: "lets a client go that stops in the middle of a text";
    "A whole line within SECONDS, lines of a text too: 421, and close."

    bounds_a_text, 2 points, exotic: "does not collect a text that never ends";
    "What breaks a limit is read to its end in bounded memory, and refused there."
}

/// A text was taken: stored, or not where the next step is not written yet.
const TAKEN: &[&str] = &["250", "451"];
const DOT: &str = "the line with the dot ends the text, and its reply says what became of it";
const AGAIN: &str = "whatever became of the text before, the next transaction is a new one";

impl Mail {
    /// A client that has been asked for the text of a message to bob.
    fn writer(&self) -> Verdict<Client> {
        let mut client = self.send_as(&ALICE)?;
        begin_text(&mut client)?;
        Ok(client)
    }
}

/// MAIL, RCPT and DATA of the next message, in one write.
fn begin_text(client: &mut Client) -> Verdict {
    client.send_as(
        b"MAIL FROM:<alice@localhost>\r\nRCPT TO:<bob@localhost>\r\nDATA\r\n",
        "MAIL for alice, RCPT for bob, and DATA",
    )?;
    client.expect(&["250"], AGAIN)?;
    client.expect(&["250"], AGAIN)?;
    client.expect(&["354"], "a sender and a recipient are known: the text may come")?;
    Ok(())
}

fn asks_for_the_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    client.expect_silence("behind 354 the server waits for the text")?;
    client.send(b"Subject: hello\r\n")?;
    client.expect_silence("a line of the text is not a command: it gets no reply")?;
    client.send(b"NOOP\r\nQUIT\r\n\r\n")?;
    client.expect_silence("a line of the text is not a command, whatever it says: it gets no reply")
}

fn takes_a_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    client.send(b"Subject: hello\r\n\r\nHow are you?\r\n.\r\n")?;
    client.expect(TAKEN, DOT)?;
    client.expect_silence("a text gets one reply")?;
    begin_text(&mut client)?;
    client.send(b"Subject: again\r\n\r\nAnd now?\r\n.\r\n")?;
    client.expect(TAKEN, DOT)?;
    Ok(())
}

fn waits_for_the_dot(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let text = b"hello\r\n.\r\n";
    for missing in 1..=5 {
        client.new_turn();
        begin_text(&mut client)?;
        let (first, rest) = text.split_at(text.len() - missing);
        client.send(first)?;
        client.expect_silence("the line with the dot is not whole yet, CRLF and all: read on")?;
        client.send(rest)?;
        client.expect(TAKEN, "the end came in two reads: look for lines in all that has come")?;
    }
    Ok(())
}

fn takes_an_empty_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    let cause = "CRLF . CRLF: the first CRLF is that of DATA, so the dot may be the first line";
    client.send(b".\r\n")?;
    client.expect(TAKEN, cause)?;
    client.ask("NOOP", &["250"], "behind the dot a line is a command again")?;
    client.expect_silence("a text gets one reply, and a command one")
}

fn is_in_step_behind_the_dot(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    let cause =
        "what stands behind the dot has been read with it: it is kept for the next read_line";
    client.send(b"hello\r\n.\r\nNOOP\r\nQUIT\r\n")?;
    client.expect(TAKEN, DOT)?;
    client.expect(&["250"], cause)?;
    client.expect(&["221"], cause)?;
    client.expect_end("behind 221 the connection ends")?;
    client.close();
    let mut client = mail.send_as(&ALICE)?;
    client.send_as(
        b"MAIL FROM:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\nfirst\r\n.\r\n\
          MAIL FROM:<alice>\r\nRCPT TO:<carol>\r\nDATA\r\nsecond\r\n.\r\nQUIT\r\n",
        "two messages and QUIT in one write",
    )?;
    client.half_close()?;
    for _ in 0..2 {
        for signs in [&["250"][..], &["250"], &["354"], TAKEN] {
            client.expect(signs, "all that came in one write is answered, in its order")?;
        }
    }
    client.expect(&["221"], cause)?;
    client.expect_end("behind 221 the connection ends")
}

fn takes_the_text_in_pieces(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    for cut in [Cut::Bytes, Cut::Seed(3)] {
        client.new_turn();
        begin_text(&mut client)?;
        client.send_cut(b"Subject: dots\r\n\r\n..\r\n..hello\r\na.\r\n.\r\n", cut)?;
        client.expect(
            TAKEN,
            "a read may bring a single byte: a line is whole when its CRLF has come",
        )?;
        client.expect_silence("a text gets one reply")?;
    }
    Ok(())
}

/// What the next server, or a careless reader, may take for the end of a text, and is none; and
/// whether it has a CR or an LF of its own.
const NO_ENDS: [(&[u8], bool); 8] = [
    (b"\n.\n", true),
    (b"\n.\r\n", true),
    (b"\r\n.\n", true),
    (b"\r.\r", true),
    (b"\r\n.\r.\r\n", true),
    (b"\r\n .\r\n", false),
    (b"\r\n. \r\n", false),
    (b"\r\n..\r\n", false),
];

fn no_other_dot_ends_it(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let cause = "only CRLF . CRLF ends a text. A server that takes another end reads the rest as \
                 commands: so somebody smuggles a message behind the back of whoever checked the first";
    for (no_end, is_bare) in NO_ENDS {
        client.new_turn();
        begin_text(&mut client)?;
        let smuggled = b"MAIL FROM:<bob@localhost>\r\nRCPT TO:<carol@localhost>\r\nDATA\r\nforged";
        client.send(&[b"hello", no_end, smuggled].concat())?;
        client.expect_silence(cause)?;
        client.send(b"\r\n.\r\n")?;
        let refused_or_taken = ["554", "250", "451"];
        client.expect(if is_bare { &refused_or_taken } else { TAKEN }, cause)?;
        client.expect_silence(cause)?;
    }
    Ok(())
}

fn refuses_bare_line_ends(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let cause = "others will read this text, and take a CR or an LF of its own for the end of a line: \
                 what it means to them nobody knows, so it is not taken";
    for text in
        [&b"one\ntwo\r\n"[..], b"one\rtwo\r\n", b"\n\r\n", b"one\r\r\n", b"one\r\n\ntwo\r\n"]
    {
        client.new_turn();
        begin_text(&mut client)?;
        client.send(&[text, b"three\r\n.\r\n"].concat())?;
        client.expect(&["554"], cause)?;
        client.ask("RCPT TO:<bob>", &["503"], "the reply to the text has ended the transaction")?;
    }
    begin_text(&mut client)?;
    client.send(b"hello\r\n.\r\n")?;
    client.expect(TAKEN, AGAIN)?;
    Ok(())
}

fn takes_any_other_byte(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    let bytes: Vec<u8> = (0..=255).filter(|byte| !b"\r\n".contains(byte)).collect();
    client.send_as(&[&bytes[..], b"\r\n.\r\n"].concat(), "a line with every byte but CR and LF")?;
    client.expect(TAKEN, "a text may be in any alphabet: its lines are bytes, and not UTF-8")?;
    client.ask("NOOP", &["250"], "behind the dot a line is a command again")?;
    Ok(())
}

/// A text of one line that has so many bytes with its CRLF.
fn text_of_line(begin: &str, length: usize) -> Vec<u8> {
    let padding = "x".repeat(length - begin.len() - 2);
    format!("{begin}{padding}\r\n.\r\n").into_bytes()
}

fn takes_the_longest_text_line(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let allowed = "1,000 bytes are allowed, CRLF included. A dot that was put before a dot is no part \
                   of the line";
    let refused = "a line of a text has at most 1,000 bytes, CRLF included: 500, behind the dot";
    for (begin_with, sent, signs, cause) in [
        ("", 1000, TAKEN, allowed),
        ("..", 1001, TAKEN, allowed),
        (".x", 1001, TAKEN, allowed),
        ("", 1001, &["500"], refused),
        ("..", 1002, &["500"], refused),
        ("", 5000, &["500"], refused),
        ("", 100_000, &["500"], refused),
        ("", 1000, TAKEN, AGAIN),
    ] {
        client.new_turn();
        begin_text(&mut client)?;
        let words = format!("a line of {sent} bytes that begins with {begin_with:?}, and the dot");
        let words = if begin_with.is_empty() {
            format!("a line of {sent} bytes, and the dot")
        } else {
            words
        };
        client.send_as(&text_of_line(begin_with, sent), &words)?;
        client.expect(signs, cause)?;
        client.ask("NOOP", &["250"], "behind the dot a line is a command again")?;
    }
    Ok(())
}

/// The largest text, in bytes.
const LARGEST: usize = 1_048_576;

/// A text of so many bytes, in lines of 64 that all begin with a dot, as it is sent: dots doubled.
fn text_of(length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for left in (0..length).rev().step_by(64).map(|left| left + 1) {
        let padding = "x".repeat(left.min(64) - 3);
        text.extend_from_slice(format!("..{padding}\r\n").as_bytes());
    }
    text.extend_from_slice(b".\r\n");
    text
}

fn takes_the_largest_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    begin_text(&mut client)?;
    client.send_as(&text_of(LARGEST), "a text of 1,048,576 bytes, the doubled dots not counted")?;
    client
        .expect(TAKEN, "1,048,576 bytes are allowed, dots that were put before dots not counted")?;
    client.new_turn();
    begin_text(&mut client)?;
    let more = [&b"more\r\n"[..], &text_of(LARGEST - 5)].concat();
    client.send_as(&more, "a text of 1,048,577 bytes, the doubled dots not counted")?;
    client.expect(&["552"], "one byte more than 1,048,576: 552, when the dot has come")?;
    client.ask("NOOP", &["250"], "behind the dot a line is a command again")?;
    Ok(())
}

fn forgets_half_a_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let before = mail.spool.list()?;
    let cause = "the stream ended before the dot: nobody knows whether that was all, and the client has \
                 not been told that anything is stored";
    for begun in
        [&b""[..], b"Subject: half\r\n\r\nNot all of it\r\n", b"hello\r\n.", b"hello\r\n.\r"]
    {
        mail.new_turn();
        let mut client = mail.writer()?;
        if !begun.is_empty() {
            client.send(begun)?;
        }
        client.half_close()?;
        client.expect_end("the client has ended in the middle of a text: closed without a word")?;
        client.close();
    }
    mail.new_turn();
    let mut client = mail.send_as(&ALICE)?;
    client.send_as(
        b"MAIL FROM:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\nNot all of it\r\n",
        "MAIL, RCPT, DATA and a line of the text, and read no reply",
    )?;
    client.reset()?;
    mail.expect_service()?;
    mail.expect_same_mailboxes(&before, cause)
}

fn limits_a_silent_text(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mail = Mail::with(t, USERS, Some(1))?;
    let before = mail.spool.list()?;
    let mut client = mail.writer()?;
    client.send(b"Subject: half\r\n\r\nNot all of it\r\n")?;
    client.expect(&["421"], "a line of a text has to come within SECONDS, like any other line")?;
    client.expect_end("behind 421 the connection ends")?;
    mail.expect_same_mailboxes(&before, "the dot has not come: nothing is stored")
}

fn bounds_a_text(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.writer()?;
    let running = Rc::clone(client.connection().running());
    let before = t.memory(&running)?;
    let piece = [&[b'x'; 998][..], b"\r\n"].concat().repeat(64);
    client.flood(&piece, FLOOD)?;
    let bounded = t.expect_bounded(&running, before, FLOOD, || client.flood(&piece, MORE));
    bounded.map_err(|stop| {
        stop.because(
            "a text that is larger than 1,048,576 bytes is refused: from there on its lines are read \
             and thrown away, up to the dot",
        )
    })?;
    client.send(b".\r\n")?;
    client.expect(&["552"], "larger than 1,048,576 bytes: 552, when the dot has come")?;
    client.ask("NOOP", &["250"], "behind the dot a line is a command again")?;
    Ok(())
}

/// Many times the largest text, in bytes.
const FLOOD: usize = 8 << 20;
