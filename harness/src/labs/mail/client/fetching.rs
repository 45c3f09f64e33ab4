//! The harness as a client that fetches mail: a session of POP3, and replies of several lines.

use super::{Client, SHOWN};
use crate::labs::mail::User;
use crate::trial::{Stall, Stop, Verdict};
use crate::words::{count, quote_short};

/// What ends a reply of several lines: alone where it has none.
const DOT: &[u8] = b".\r\n";
const BEHIND_LINES: &[u8] = b"\r\n.\r\n";

impl Client {
    /// Says a command of POP3, and expects +OK; returns the text behind it.
    pub(in crate::labs) fn good(&mut self, command: &str, cause: &str) -> Verdict<String> {
        Ok(self.ask(command, &["+OK"], cause)?.lines.concat())
    }

    /// Says a command of POP3, and expects -ERR; returns the text behind it.
    pub(in crate::labs::mail) fn refused(&mut self, command: &str, cause: &str) -> Verdict<String> {
        Ok(self.ask(command, &["-ERR"], cause)?.lines.concat())
    }

    /// Says a command of POP3, and expects +OK and the lines of its reply: each with its CRLF, and
    /// without the dot that was put before a dot.
    pub(in crate::labs::mail) fn good_lines(
        &mut self,
        command: &str,
        cause: &str,
    ) -> Verdict<Vec<u8>> {
        self.good(command, cause)?;
        self.take_lines(cause)
    }

    /// Says who it is, after the greeting.
    pub(in crate::labs) fn log_in(&mut self, user: &User) -> Verdict {
        self.good(&format!("USER {}", user.name), LOG_IN)?;
        self.good(&format!("PASS {}", user.password), LOG_IN)?;
        Ok(())
    }

    /// Says QUIT, and expects +OK and the end.
    pub(in crate::labs) fn quit(mut self) -> Verdict {
        self.good("QUIT", "QUIT is answered +OK, also where nobody has logged in")?;
        self.expect_end("behind its reply to QUIT the server ends the connection")?;
        self.close();
        Ok(())
    }

    /// Whether 250 comes, and not the end of the connection.
    pub(in crate::labs::mail) fn promised(&mut self) -> Verdict<bool> {
        let _ = self.lines.hear_until(|unread| unread.contains(&b'\n'))?;
        let promised = self.lines.unread().starts_with(b"250");
        let what = if promised { "250" } else { "the end of the connection" };
        self.trial().note_result(&format!("{} came", what));
        Ok(promised)
    }

    /// Vanishes: asks for something, and closes without reading the answer, which makes the kernel
    /// send a reset.
    pub(in crate::labs::mail) fn vanish(mut self) -> Verdict {
        self.say("NOOP")?;
        self.reset()
    }

    /// Says a command, and expects that the lines of its reply are this message.
    pub(in crate::labs) fn expect_message(
        &mut self,
        command: &str,
        message: &[u8],
        cause: &str,
    ) -> Verdict {
        self.good(command, cause)?;
        self.expect_text(message, cause)
    }

    /// Expects the lines of a message, and the dot behind them.
    pub(in crate::labs::mail) fn expect_text(&mut self, text: &[u8], cause: &str) -> Verdict {
        let seen = self.take_lines(cause)?;
        if seen == text {
            return Ok(());
        }
        Err(self
            .trial()
            .fail(format!("{} did not get the message as it is", self.name()))
            .expected(count(text.len()))
            .seen(format!("{}, without the dots that a client takes away", count(seen.len())))
            .difference(text, &seen)
            .cause(cause)
            .stop())
    }

    /// The ids that UIDL tells, in the order of their numbers.
    pub(in crate::labs::mail) fn ids(&mut self, cause: &str) -> Verdict<Vec<(usize, String)>> {
        let text = self.good_lines("UIDL", cause)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut ids = Vec::new();
        for line in text.lines() {
            let parts = line.split_once(' ');
            let Some((Ok(number), id)) = parts.map(|(number, id)| (number.parse(), id)) else {
                let expected = "to UIDL, for each message its number, a space and its id";
                return Err(self.wrong(expected, format!("the line {line}"), cause));
            };
            ids.push((number, id.to_owned()));
        }
        Ok(ids)
    }

    /// Expects that UIDL tells of these messages, by number, and of no others.
    pub(in crate::labs::mail) fn expect_ids(
        &mut self,
        expected: &[(usize, &String)],
        cause: &str,
    ) -> Verdict {
        let seen = self.ids(cause)?;
        if seen.iter().map(|(number, id)| (*number, id)).eq(expected.iter().copied()) {
            return Ok(());
        }
        let told = |ids: &mut dyn Iterator<Item = (usize, &String)>| {
            let lines: Vec<_> = ids.map(|(number, id)| format!("{number} {id}")).collect();
            if lines.is_empty() { "no line".to_owned() } else { lines.join(", ") }
        };
        let should = told(&mut expected.iter().copied());
        let seen = told(&mut seen.iter().map(|(number, id)| (*number, id)));
        Err(self.wrong(&format!("to UIDL: {should}"), seen, cause))
    }

    /// The failure of a reply that is one, and does not say what it should.
    pub(in crate::labs::mail) fn wrong(&self, expected: &str, seen: String, cause: &str) -> Stop {
        let failure = self.trial().fail(format!("the {} does not say what is so", self.program()));
        failure.expected(expected).seen(seen).cause(cause).stop()
    }

    /// The lines of a reply up to the dot, as they were before dots were put before dots.
    fn take_lines(&mut self, cause: &str) -> Verdict<Vec<u8>> {
        // Only what is new has to be searched: a message may come in many reads.
        let length = |unread: &[u8], from: usize| {
            if unread.starts_with(DOT) {
                Some(0)
            } else {
                let from = from.saturating_sub(BEHIND_LINES.len());
                let found = unread[from..].windows(BEHIND_LINES.len()).position(is_end);
                found.map(|at| from + at + 2)
            }
        };
        let searched = std::cell::Cell::new(0);
        let result = self
            .lines
            .hear_until(|unread| length(unread, searched.replace(unread.len())).is_some())?;
        let Some(length) = length(self.lines.unread(), 0) else {
            return Err(self.no_dot(&result, cause));
        };
        let lines = self.lines.take(length);
        let _ = self.lines.take(DOT.len());
        let told = format!("{} received the lines {}", self.name(), quote_short(&lines, SHOWN));
        self.trial().note(told);
        self.without_stuffing(&lines)
    }

    fn without_stuffing(&self, lines: &[u8]) -> Verdict<Vec<u8>> {
        let mut text = Vec::with_capacity(lines.len());
        let mut begins = true;
        for part in lines.split_inclusive(|byte| *byte == b'\n') {
            let stuffed = if begins { part.strip_prefix(b".") } else { None };
            if stuffed.is_some_and(|rest| !rest.starts_with(b".")) {
                return Err(self
                    .trial()
                    .fail(format!("{} is sent a line that begins with a single dot", self.name()))
                    .expected("a line that begins with a dot has one more before it on the way")
                    .seen(format!("the line {}", quote_short(part, SHOWN)))
                    .cause(ONE_DOT)
                    .stop());
            }
            text.extend_from_slice(stuffed.unwrap_or(part));
            begins = part.ends_with(b"\r\n");
        }
        Ok(text)
    }

    fn no_dot(&self, result: &Result<(), Stall>, cause: &str) -> Stop {
        let unread = self.lines.unread();
        let then = match (self.lines.ended(), result) {
            (Some(end), _) => end.describe().to_owned(),
            (None, Err(stall)) => stall.sentence(&self.program()),
            (None, Ok(())) => "nothing".to_owned(),
        };
        let last = &unread[unread.len().saturating_sub(SHOWN / 2)..];
        let came = if unread.len() > last.len() {
            format!("{}, at last {}", count(unread.len()), quote_short(last, SHOWN))
        } else {
            quote_short(last, SHOWN)
        };
        self.trial()
            .fail(format!("the lines of the reply to {} do not end", self.name()))
            .expected("behind the last line a line with one dot: \".\\r\\n\"")
            .seen(format!("{came}; then {then}"))
            .cause(cause)
            .stop()
    }
}

fn is_end(five: &[u8]) -> bool {
    five == BEHIND_LINES
}

/// Why a name and its password should be taken.
pub(in crate::labs::mail) const LOG_IN: &str = "USER is answered +OK, and so is PASS where the line NAME PASSWORD \
    stands in USERS";
const ONE_DOT: &str = "a client takes one dot from every line that begins with one (RFC 1939 section 3): what \
    was not put there is missing then";
