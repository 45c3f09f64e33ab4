//! Who speaks in a session, and what a line means in it.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Demo;
use super::stage::{Mismatch, Stage, bytes};
use crate::words::quote;

pub(super) const FORGED: Demo = Demo {
    name: "forged",
    claim: "The From: line says who sent a message.",
    truth: "It is a part of the text, and the sender writes into the text what it likes. Who the \
        sender is the server knows from AUTH. It lets nobody else stand in MAIL FROM, and writes \
        the name above the text, as Return-Path. Believe the line that your own server has \
        written: the first one.",
    run: forged,
};

/// What a mail server knows of a client, and has got from it.
#[derive(Default)]
struct Session {
    /// Who has proven to be somebody.
    known: Option<&'static str>,
    mailbox: String,
    takes_text: bool,
}

impl Session {
    /// The reply to a line, if there is one.
    fn reply(&mut self, line: &str) -> Option<&'static str> {
        if self.takes_text {
            self.takes_text = line != ".";
            if self.takes_text {
                self.mailbox += &format!("{line}\n");
            }
            return (!self.takes_text).then_some("250");
        }
        Some(match (line, self.known) {
            ("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=", _) => {
                self.known = Some("alice");
                "235"
            }
            ("MAIL FROM:<alice@localhost>", Some("alice")) => {
                self.mailbox += "Return-Path: <alice@localhost>\n";
                "250"
            }
            (line, Some(_)) if line.starts_with("MAIL") => "550",
            (line, None) if line.starts_with("MAIL") => "530",
            ("DATA", _) => {
                self.takes_text = true;
                "354"
            }
            _ => "500",
        })
    }
}

fn forged(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let mut session = Session::default();
    for (line, meaning, reply) in [
        ("MAIL FROM:<carol@localhost>", "before it has said who it is", "530"),
        ("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=", "the name and the password of alice", "235"),
        ("MAIL FROM:<carol@localhost>", "which is not its own address", "550"),
        ("MAIL FROM:<alice@localhost>", "which is", "250"),
        ("DATA", "so the text comes next", "354"),
    ] {
        let seen = said(&mut pair.client, &mut pair.server, &mut session, line)?;
        t.expect(format!("the client sends {line:?}, {meaning}"), seen, reply)?;
    }
    let mut end = String::new();
    for line in ["From: carol@localhost", "", "Hello bob!", "."] {
        end = said(&mut pair.client, &mut pair.server, &mut session, line)?;
    }
    t.expect(
        "it sends the text, \"From: carol@localhost\" in its first line, and the dot",
        end,
        "250",
    )?;
    t.tell("what stands in the mailbox of bob");
    for (seen, expected) in session.mailbox.lines().zip([
        "Return-Path: <alice@localhost>",
        "From: carol@localhost",
        "",
        "Hello bob!",
    ]) {
        t.also(format!("{seen:?}"), format!("{expected:?}"))?;
    }
    Ok(())
}

/// Sends a line over the connection; what the server replies.
fn said(
    client: &mut TcpStream,
    server: &mut TcpStream,
    session: &mut Session,
    line: &str,
) -> Result<String, Mismatch> {
    let mut buffer = [0; 128];
    client.write_all(format!("{line}\r\n").as_bytes())?;
    let count = server.read(&mut buffer)?;
    let came = String::from_utf8_lossy(&buffer[..count]).into_owned();
    Ok(session.reply(came.trim_end()).unwrap_or_default().to_owned())
}

pub(super) const BASE64: Demo = Demo {
    name: "base64",
    claim: "Base64 hides the password.",
    truth: "Base64 is a way of writing: it makes letters of bytes that can't stand in a line, and has \
        no key. Whoever sees it can read it, and need not even do that: sent again as it is, it \
        is a proof again. What hides it is an encrypted connection, TLS.",
    run: base64,
};

const PROOF: &str = "AGFsaWNlAHdvbmRlcmxhbmQ=";

fn base64(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let mut buffer = [0; 128];
    pair.client.write_all(format!("AUTH PLAIN {PROOF}\r\n").as_bytes())?;
    let count = pair.server.read(&mut buffer)?;
    let came = String::from_utf8_lossy(&buffer[..count]).into_owned();
    t.expect(
        "the client sends who it is; these bytes are on the wire",
        quote(came.as_bytes()),
        r#""AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\n""#,
    )?;
    let seen = came.trim_end().rsplit(' ').next().unwrap_or_default();
    t.expect(
        "whoever sees them reads four letters as three bytes, with a table that everybody has",
        quote(&decoded(seen)),
        r#""\0alice\0wonderland""#,
    )?;
    let mut other = t.pair()?;
    other.client.write_all(came.as_bytes())?;
    let count = other.server.read(&mut buffer)?;
    let is_the_same = buffer[..count] == *came.as_bytes();
    t.expect(
        "somebody else sends the same bytes, without reading them; can the server tell them apart?",
        if is_the_same { "no" } else { "yes" },
        "no",
    )
}

/// The bytes behind the letters: each letter stands for six bits.
fn decoded(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters = text.trim_end_matches('=').as_bytes();
    let of_four = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(value(*letter)));
        let bits = bits << (6 * (4 - four.len()));
        let [_, three @ ..] = bits.to_be_bytes();
        three[..four.len() - 1].to_vec()
    };
    letters.chunks(4).flat_map(of_four).collect()
}

pub(super) const PIPELINED: Demo = Demo {
    name: "pipelined",
    claim: "A command is what one write has sent, and QUIT is always a command.",
    truth: "A command is a line, wherever it was cut; each has a reply, in order. And what a line \
        means depends on the lines before it: behind DATA it is text, up to the dot. So the server \
        keeps two things: the bytes that it has not used yet, and where in the session it is.",
    run: pipelined,
};

fn pipelined(t: &mut Stage) -> Result<(), Mismatch> {
    let mut buffer = [0; 256];
    let mut pair = t.pair()?;
    let mut kept = String::new();
    for (piece, whole) in [("DA", false), ("TA\r", false), ("\nQU", true)] {
        pair.client.write_all(piece.as_bytes())?;
        let count = pair.server.read(&mut buffer)?;
        kept += &String::from_utf8_lossy(&buffer[..count]);
        let whole_line = |is_there| if is_there { "a whole line" } else { "no whole line" };
        let done = format!("the client writes {}; the server has", quote(piece.as_bytes()));
        let has = |is_there| format!("{}: {}", quote(kept.as_bytes()), whole_line(is_there));
        t.expect(done, has(kept.contains("\r\n")), has(whole))?;
    }

    let mut pair = t.pair()?;
    pair.client.write_all(b"DATA\r\nQUIT\r\n.\r\nQUIT\r\n")?;
    let read = pair.server.read(&mut buffer);
    t.expect(
        "the client writes four lines at once; the server reads",
        bytes(&read, &buffer),
        r#"Ok(21) "DATA\r\nQUIT\r\n.\r\nQUIT\r\n""#,
    )?;
    let came = String::from_utf8_lossy(&buffer[..read?]).into_owned();
    let (mut in_text, mut replies) = (false, String::new());
    t.tell("it takes one line after the other");
    for (line, expected) in came.lines().zip([
        "DATA is a command",
        "QUIT is text",
        ". is the end of the text",
        "QUIT is a command",
    ]) {
        let (meaning, reply) = match (in_text, line) {
            (true, ".") => ("the end of the text", "250\n"),
            (true, _) => ("text", ""),
            (false, "DATA") => ("a command", "354\n"),
            (false, _) => ("a command", "221\n"),
        };
        in_text = reply == "354\n" || reply.is_empty();
        replies += reply;
        t.also(format!("{line} is {meaning}"), expected)?;
    }
    pair.server.write_all(replies.as_bytes())?;
    let read = pair.client.read(&mut buffer);
    t.expect(
        "it replies once to each command and once to the text; the client reads",
        bytes(&read, &buffer),
        r#"Ok(12) "354\n250\n221\n""#,
    )
}
