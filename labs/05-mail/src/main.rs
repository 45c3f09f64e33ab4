//! Lab 5: mail, stored and forwarded. Senders hand it over by SMTP (RFC 5321) once they have said who
//! they are; it is kept in a folder for each user; and the users fetch it by POP3 (RFC 1939). The
//! clients never meet.
//!
//! You write the five marked regions. Given, in the modules beside this file: `serving` (two
//! listeners, many clients, and the end of a connection), `wire` (a connection, and what was read
//! ahead), `commands` (verbs and addresses), `replies`, `base64`, `text` (its lines), `users`,
//! `spool` (the folders, names and locks) and `places`. What each step must do stands in this
//! folder's README.md.

mod arguments;
mod base64;
mod commands;
mod places;
mod replies;
mod serving;
mod spool;
mod text;
mod users;
mod wire;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use commands::{command, next_command, path, user_of};
use replies::Reply;
use serving::{Shared, report};
use spool::{Message, unique};
use wire::{Line, Wire};

/// The longest line of a command, its CRLF included, in bytes.
const LONGEST_COMMAND: usize = 512;
/// The longest line of a text, its CRLF included, in bytes.
const LONGEST_TEXT_LINE: usize = 1000;
/// The largest text of a message, in bytes.
const LARGEST_TEXT: usize = 1_048_576;
/// The most recipients of one message.
const MOST_RECIPIENTS: usize = 100;

/// Step 1, `read_line`: reads the next line, which has at most `most` bytes, its CRLF included.
///
/// What the client sent behind it stays in `wire.ahead`, and what came behind the line before is
/// there already. A longer line is skipped to its CRLF, in bounded memory. The whole line has
/// `wire.limit` from now; else the error is of the kind `TimedOut`.
fn read_line(wire: &mut Wire, most: usize) -> io::Result<Line> {
    // ANCHOR: read_line
    let deadline = Instant::now() + wire.limit;
    let mut is_too_long = false;
    let mut buffer = [0; 4096];
    loop {
        // CRLF and nothing else: who takes an LF for an end reads other lines than the next server.
        if let Some(end) = wire.ahead.windows(2).position(|two| two == b"\r\n") {
            let behind = wire.ahead.split_off(end + 2);
            let mut line = mem::replace(&mut wire.ahead, behind);
            line.truncate(end);
            is_too_long |= end + 2 > most;
            return Ok(if is_too_long { Line::TooLong } else { Line::Text(line) });
        }
        if wire.ahead.len() >= most {
            is_too_long = true;
            // A CR may be the first half of the end.
            let kept = usize::from(wire.ahead.ends_with(b"\r"));
            wire.ahead.drain(..wire.ahead.len() - kept);
        }
        // What is left of the time, and not all of it again: a client that sends a byte a second
        // would never be late for a single read.
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        wire.stream.set_read_timeout(Some(left))?;
        match wire.stream.read(&mut buffer) {
            Ok(0) => return Ok(Line::End),
            Ok(count) => wire.ahead.extend_from_slice(&buffer[..count]),
            // The time is over, or a signal came: the next turn looks at the clock.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    // ANCHOR_END: read_line
}

/// Step 2, `smtp`: a session with a client that hands over mail, from the greeting to QUIT or the
/// end of the stream. The caller ends the connection.
fn smtp(wire: &mut Wire, shared: &Shared) -> io::Result<()> {
    // ANCHOR: smtp
    wire.say("220 localhost at your service")?;
    let mut greeted = false;
    // Who has authenticated, for as long as the connection lasts.
    let mut sender: Option<String> = None;
    // The recipients, from MAIL to the end of the transaction.
    let mut mail: Option<Vec<String>> = None;
    while let Some((verb, rest)) = next_command(wire, replies::UNKNOWN)? {
        let reply = match verb.as_str() {
            "EHLO" | "HELO" if rest.trim().is_empty() => replies::SYNTAX,
            "EHLO" | "HELO" => {
                greeted = true;
                mail = None;
                if verb == "EHLO" { replies::EHLO } else { "250 localhost" }
            }
            "AUTH" if !greeted || sender.is_some() || mail.is_some() => replies::NOT_NOW,
            "AUTH" => {
                let (mechanism, response) = rest.split_once(' ').unwrap_or((&rest, ""));
                let mut response = response.trim().to_owned();
                let is_known = mechanism.eq_ignore_ascii_case("PLAIN");
                if is_known && response.is_empty() {
                    wire.say("334 ")?;
                    response = match read_line(wire, LONGEST_COMMAND)? {
                        Line::Text(line) => String::from_utf8_lossy(&line).trim().to_owned(),
                        // Which is not base64, either.
                        Line::TooLong => "*".to_owned(),
                        Line::End => return Ok(()),
                    };
                }
                let decoded = base64::decode(&response).unwrap_or_default();
                // WHO NUL NAME NUL PASSWORD (RFC 4616): who is to act, and who says so.
                let parts: Vec<&[u8]> = decoded.split(|byte| *byte == 0).collect();
                match parts[..] {
                    _ if !is_known => "504 there is only PLAIN",
                    [who, name, password] => {
                        let who = who.to_ascii_lowercase();
                        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                        // Alice may act for herself and for nobody else.
                        let is_for_itself = who.is_empty() || who == name.as_bytes();
                        if is_for_itself && shared.users.accepts(&name, password) {
                            sender = Some(name);
                            "235 welcome"
                        } else {
                            "535 that is not the password"
                        }
                    }
                    _ => replies::SYNTAX,
                }
            }
            "MAIL" if !greeted || mail.is_some() => replies::NOT_NOW,
            "MAIL" => match (&sender, path(&rest, "FROM:")) {
                (None, _) => "530 say who you are first: AUTH PLAIN",
                (_, None) => replies::SYNTAX,
                (_, Some(path)) if user_of(path.address) != sender => {
                    "550 this is not your own address"
                }
                (_, Some(path)) => match path.check_parameters() {
                    Err(refusal) => refusal,
                    Ok(()) => {
                        mail = Some(Vec::new());
                        "250 go on"
                    }
                },
            },
            "RCPT" => match (&mut mail, path(&rest, "TO:")) {
                (None, _) => replies::NOT_NOW,
                (_, None) => replies::SYNTAX,
                (_, Some(path)) if !path.parameters.is_empty() => replies::PARAMETER_UNKNOWN,
                (Some(to), Some(path)) => {
                    match user_of(path.address).filter(|name| shared.users.has(name)) {
                        // Mail for other hosts is not taken: nobody here could hand it on.
                        None => "550 there is nobody of that address here",
                        Some(name) if to.contains(&name) => "250 as you said before",
                        Some(_) if to.len() == MOST_RECIPIENTS => "452 these are enough",
                        Some(name) => {
                            to.push(name);
                            "250 go on"
                        }
                    }
                }
            },
            "DATA" => match (&sender, &mail) {
                (Some(from), Some(to)) if !to.is_empty() => {
                    let reply = match receive_message(wire)? {
                        None => return Ok(()),
                        Some(Err(refusal)) => refusal,
                        Some(Ok(text)) => match deliver(shared, from, to, &text) {
                            Ok(()) => "250 it is kept",
                            Err(error) => {
                                report(&format!("cannot store a message: {error}"));
                                replies::NOT_STORED
                            }
                        },
                    };
                    // Over, whatever has become of it; who the sender is still holds.
                    mail = None;
                    reply
                }
                _ => replies::NOT_NOW,
            },
            "RSET" => {
                mail = None;
                "250 forgotten"
            }
            "NOOP" => "250 nothing done",
            "VRFY" => "252 send it, and see",
            "QUIT" => {
                wire.say("221 goodbye")?;
                return Ok(());
            }
            "STARTTLS" | "HELP" | "EXPN" | "BDAT" | "ETRN" => "502 not here",
            _ => replies::UNKNOWN,
        };
        wire.say(reply)?;
    }
    Ok(())
    // ANCHOR_END: smtp
}

/// Step 3, `receive_message`: asks for the text of a message, and reads it to its last line, the one
/// with the dot. Returns the text as its sender wrote it, or the reply that refuses it. `None`: the
/// stream has ended before the dot.
fn receive_message(wire: &mut Wire) -> io::Result<Option<Result<Vec<u8>, Reply>>> {
    // ANCHOR: receive_message
    wire.say("354 the text, and then a dot in a line of its own")?;
    let (mut text, mut refusal) = (Vec::new(), None);
    loop {
        // A byte more than the text may have: the dot that the client puts before a dot.
        let line = match read_line(wire, LONGEST_TEXT_LINE + 1)? {
            Line::Text(line) if line == b"." => break,
            Line::Text(line) => line,
            Line::TooLong => {
                refusal = Some(replies::LINE_TOO_LONG);
                continue;
            }
            Line::End => return Ok(None),
        };
        let line = line.strip_prefix(b".").unwrap_or(&line);
        if line.len() + 2 > LONGEST_TEXT_LINE {
            refusal = Some(replies::LINE_TOO_LONG);
        } else if line.iter().any(|byte| b"\r\n".contains(byte)) {
            // What another program may read as a line, or as the end, is not stored.
            refusal = Some(replies::BARE_LINE_END);
        } else if text.len() + line.len() + 2 > LARGEST_TEXT {
            refusal = Some(replies::TOO_LARGE);
        }
        // A text that is refused is read to its dot all the same: behind it is the next command.
        if refusal.is_none() {
            text.extend([line, b"\r\n"].concat());
        }
    }
    Ok(Some(refusal.map_or(Ok(text), Err)))
    // ANCHOR_END: receive_message
}

/// Step 4, `deliver`: stores a message of `from` in the mailbox of each of `to`, so that neither the
/// end of this program nor a loss of power loses it, or in none of them.
fn deliver(shared: &Shared, from: &str, to: &[String], text: &[u8]) -> io::Result<()> {
    // ANCHOR: deliver
    // Who has authenticated, whatever the text says.
    let message = [format!("Return-Path: <{from}@localhost>\r\n").as_bytes(), text].concat();
    let id = unique();
    let place = |name: &String, folder: &str| shared.spool.mailbox(name).join(folder).join(&id);
    let store = || {
        for name in to {
            let mut file = File::create_new(place(name, "tmp"))?;
            file.write_all(&message)?;
            // On the disk, and not in the memory of the system only.
            file.sync_all()?;
        }
        // A reader of `new` sees it at once and whole, or not at all.
        for name in to {
            fs::rename(place(name, "tmp"), place(name, "new"))?;
        }
        // The name is on the disk when the folder is.
        for name in to {
            File::open(shared.spool.mailbox(name).join("new"))?.sync_all()?;
        }
        Ok(())
    };
    let stored = store();
    if stored.is_err() {
        // The client is told that nobody has it, and sends it again.
        for name in to {
            let _ = fs::remove_file(place(name, "tmp"));
            let _ = fs::remove_file(place(name, "new"));
        }
    }
    stored
    // ANCHOR_END: deliver
}

/// Step 5, `pop3`: a session with a user who fetches mail, from the greeting to QUIT or the end of
/// the stream. The caller ends the connection.
fn pop3(wire: &mut Wire, shared: &Shared) -> io::Result<()> {
    // ANCHOR: pop3
    wire.say("+OK localhost at your service")?;
    let mut user = None;
    let (lock, messages) = loop {
        let Some((verb, rest)) = next_command(wire, replies::ERR)? else { return Ok(()) };
        let reply = match (verb.as_str(), user.take()) {
            ("CAPA", before) => {
                user = before;
                replies::CAPA
            }
            // Whether there is such a user is not told: only both together are right or wrong.
            ("USER", _) => {
                user = Some(rest.trim().to_ascii_lowercase());
                "+OK and the password"
            }
            ("PASS", Some(name)) if shared.users.accepts(&name, rest.as_bytes()) => {
                match shared.spool.lock(&name) {
                    Some(lock) => break (lock, shared.spool.maildrop(&name)?),
                    None => "-ERR [IN-USE] another session has this maildrop",
                }
            }
            ("PASS", Some(_)) => "-ERR that is not the password",
            ("QUIT", _) => {
                wire.say("+OK goodbye")?;
                return Ok(());
            }
            _ => "-ERR not before you have said who you are: USER, then PASS",
        };
        wire.say(reply)?;
    };

    // The view stands still: numbers stay what they are, whatever comes or is marked meanwhile.
    wire.say("+OK your maildrop is open")?;
    let mut marked = vec![false; messages.len()];
    while let Some((verb, rest)) = next_command(wire, replies::ERR)? {
        let mut words = rest.split_whitespace();
        let first = words.next();
        // The message that is meant, if there is one and it is not marked.
        let number = first.and_then(|word| word.parse::<usize>().ok());
        let chosen = number.and_then(|number| number.checked_sub(1));
        let chosen = chosen.filter(|index| marked.get(*index) == Some(&false));
        let lines = words.next().and_then(|word| word.parse().ok());
        let most = if verb == "RETR" { Some(usize::MAX) } else { lines };
        let there = || messages.iter().enumerate().filter(|(index, _)| !marked[*index]);
        let reply = match (verb.as_str(), chosen) {
            ("STAT", _) => {
                let octets: u64 = there().map(|(_, message)| message.size).sum();
                format!("+OK {} {octets}", there().count())
            }
            ("LIST" | "UIDL", _) if first.is_none() => {
                let mut reply = "+OK one line for each\r\n".to_owned();
                for (index, message) in there() {
                    reply += &format!("{} {}\r\n", index + 1, message.about(&verb));
                }
                reply + "."
            }
            ("LIST" | "UIDL", Some(index)) => {
                format!("+OK {} {}", index + 1, messages[index].about(&verb))
            }
            ("RETR" | "TOP", Some(index)) if most.is_some() => {
                let Ok(message) = fs::read(&messages[index].path) else {
                    wire.say("-ERR it can't be read")?;
                    continue;
                };
                let mut reply = b"+OK here it is\r\n".to_vec();
                for line in text::lines(text::top(&message, most.unwrap_or_default())) {
                    // The dot alone says that it is over: no line of the text may.
                    if line.first() == Some(&b'.') {
                        reply.push(b'.');
                    }
                    reply.extend_from_slice(line);
                    reply.extend_from_slice(b"\r\n");
                }
                reply.extend_from_slice(b".\r\n");
                wire.send(&reply)?;
                continue;
            }
            ("DELE", Some(index)) => {
                marked[index] = true;
                "+OK marked".to_owned()
            }
            ("RSET", _) => {
                marked.fill(false);
                "+OK nothing is marked".to_owned()
            }
            ("NOOP", _) => "+OK".to_owned(),
            ("CAPA", _) => replies::CAPA.to_owned(),
            ("QUIT", _) => {
                let marked = messages.iter().zip(&marked).filter(|(_, marked)| **marked);
                let left = marked.filter(|(message, _)| fs::remove_file(&message.path).is_err());
                let reply = if left.count() == 0 { "+OK goodbye" } else { "-ERR not all is gone" };
                // Given back before the reply: the next session may begin when it has come.
                drop(lock);
                return wire.say(reply);
            }
            _ => replies::ERR.to_owned(),
        };
        wire.say(&reply)?;
    }
    // No QUIT: nothing is removed.
    Ok(())
    // ANCHOR_END: pop3
}

fn main() -> ExitCode {
    serving::run()
}
