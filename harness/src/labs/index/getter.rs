//! The harness as a peer that gets a file: one request, and the answer that it expects.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::file::File;
use super::head::{Head, Parsed, encoded, parse};
use crate::kernel::Snapshot;
use crate::net::{End, LineEnd, Lines, Service, Unanswered};
use crate::trial::{FailureBuilder, Stall, Stop, Trial, Verdict};
use crate::words::{count, quote_short};

/// A request of the harness to the peer under test.
#[derive(Debug)]
pub(in crate::labs) struct Getter {
    lines: Lines,
    /// Whether it has asked for the head alone: then nothing need follow it.
    wants_a_head: bool,
}

/// A whole answer.
#[derive(Debug)]
pub(in crate::labs) struct Answer {
    trial: Trial,
    /// What the reader calls the peer.
    program: String,
    status: u16,
    head: Head,
    body: Vec<u8>,
}

/// How much of what came is shown.
const SHOWN: usize = 80;
/// A stub refuses with this, which is no proof of its step.
const NOT_WRITTEN: u16 = 501;

impl Getter {
    /// Connects to the peer, and says nothing yet.
    pub(in crate::labs) fn connect(peer: &Service) -> Verdict<Self> {
        let lines = Lines::new(peer.connect()?, LineEnd::CrLf);
        Ok(Self { lines, wants_a_head: false })
    }

    /// Asks for the file of this name; `fields` are further ones, each ended by CRLF.
    pub(in crate::labs) fn ask(peer: &Service, name: &str, fields: &str) -> Verdict<Self> {
        Self::ask_for(peer, &format!("GET /{} HTTP/1.1", encoded(name)), fields)
    }

    /// Sends a request that begins with this line.
    pub(in crate::labs) fn ask_for(peer: &Service, line: &str, fields: &str) -> Verdict<Self> {
        let wants_a_head = line.starts_with("HEAD ");
        let getter = Self { wants_a_head, ..Self::connect(peer)? };
        let host = peer.address;
        let request = format!("{line}\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n");
        let fields = fields.trim_end().replace("\r\n", ", ");
        let fields = if fields.is_empty() { fields } else { format!(", {fields}") };
        let name = getter.lines.name();
        getter.trial().note(format!("{name} asked: {line}{fields}"));
        getter.lines.put(request.as_bytes())?;
        Ok(getter)
    }

    /// Sends the beginning of a request, and nothing more.
    pub(super) fn begin(peer: &Service, beginning: &str) -> Verdict<Self> {
        let mut getter = Self::connect(peer)?;
        getter.lines.send(beginning.as_bytes())?;
        Ok(getter)
    }

    fn trial(&self) -> &Trial {
        self.lines.connection().trial()
    }

    /// The harness's address.
    pub(in crate::labs) fn here(&self) -> SocketAddr {
        self.lines.connection().here()
    }

    /// How many bytes the peer has handed to the system for it, of those that it has not read: what has
    /// come, and is not acknowledged yet, stands in the queues of both ends.
    pub(in crate::labs) fn waiting(&self, now: &Snapshot) -> RangeInclusive<usize> {
        let (here, there) = (self.here(), self.lines.connection().there());
        let unread = now.connection(here, there).map_or(0, |row| row.rx_queue);
        let unsent = now.connection(there, here).map_or(0, |row| row.tx_queue);
        let read = self.lines.unread().len();
        read + unread.max(unsent) as usize..=read + (unread + unsent) as usize
    }

    /// Closes the connection: it wants no more.
    pub(in crate::labs) fn close(self) {
        self.lines.close();
    }

    /// Vanishes: closes with something unread, which makes the kernel send a reset.
    pub(in crate::labs) fn reset(self) -> Verdict {
        self.lines.reset()
    }

    /// Expects all of this file.
    pub(in crate::labs) fn expect_file(self, file: &File, cause: &str) -> Verdict {
        self.expect(&[200], cause)?.expect_body(&file.bytes, cause)
    }

    /// Expects the bytes `from` to `last` of this file, and that the answer says so.
    pub(in crate::labs) fn expect_part(
        self,
        file: &File,
        (from, last): (usize, usize),
        cause: &str,
    ) -> Verdict {
        let answer = self.expect(&[206], cause)?;
        let range = format!("bytes {from}-{last}/{}", file.size());
        answer.expect_field("Content-Range", &range, cause)?;
        answer.expect_body(&file.bytes[from..=last], cause)
    }

    /// Expects that no other file comes in place of this one, which has changed: an answer that is refused,
    /// or that ends before it has as many bytes as it says.
    pub(super) fn expect_no_other_file(mut self, file: &File, cause: &str) -> Verdict {
        let stall = self.lines.hear_until(|_| false)?.err();
        let unread = self.lines.unread();
        if let Parsed::Whole(head) = parse(unread)
            && status_of(&head.first) == Some(200)
            && head.field("content-length") == Some(&(unread.len() - head.length).to_string())
            && unread.len() - head.length != file.size()
        {
            return Err(self
                .fails("gives another file than it shares")
                .expected(format!(
                    "404: the file that was shared had {}; or the end of the connection before so many",
                    count(file.size())
                ))
                .seen(format!("{}, with {}", head.first, count(unread.len() - head.length)))
                .cause(cause)
                .stop());
        }
        if self.lines.ended().is_none() {
            self.expect_end(stall.as_ref())?;
        }
        self.trial().note(format!("{} did not get another file", self.lines.name()));
        Ok(())
    }

    /// Expects that the peer ends the connection, in whatever way, of one who has said no whole head.
    pub(super) fn expect_given_up(mut self, cause: &str) -> Verdict {
        let stall = self.lines.hear_until(|_| false)?.err();
        let (name, program) = (self.lines.name().to_owned(), self.lines.program());
        if self.lines.ended().is_some() {
            self.trial().note(format!("the {program} has ended the connection with {name}"));
            return Ok(());
        }
        let seen = stall.map_or("nothing".into(), |stall| stall.sentence(&program));
        Err(self
            .fails(&format!("waits without end for the rest of a request of {name}"))
            .expected("the end of the connection, 5 s (times LAB_TEMPO) after its beginning")
            .seen(seen)
            .cause(cause)
            .stop())
    }

    /// Expects an answer with one of these statuses, and the orderly end of the connection (FIN).
    pub(in crate::labs) fn expect(mut self, statuses: &[u16], cause: &str) -> Verdict<Answer> {
        let expected: Vec<_> = statuses.iter().map(u16::to_string).collect();
        let expected = format!("an answer with the status {}", expected.join(" or "));
        let answer = self.take(&expected, cause)?;
        if answer.status == NOT_WRITTEN {
            self.trial().expect_written()?;
        }
        let (name, program) = (self.lines.name(), self.lines.program());
        if statuses.contains(&answer.status) {
            let (status, body) = (answer.status, count(answer.body.len()));
            self.trial().note(format!("{name} received {status}, with {body}, and the end (FIN)"));
            return Ok(answer);
        }
        Err(self
            .trial()
            .fail(format!("the {program} answered {}", answer.status))
            .expected(expected)
            .seen(format!("{}, with {}", answer.head.first, count(answer.body.len())))
            .cause(cause)
            .stop())
    }

    /// Takes in what comes up to the end of the stream.
    fn take(&mut self, expected: &str, cause: &str) -> Verdict<Answer> {
        let stall = self.lines.hear_until(|_| false)?.err();
        let unread = self.lines.unread();
        let head = match parse(unread) {
            Parsed::Whole(head) => head,
            Parsed::Part => return Err(self.not_whole(HEAD_END, stall.as_ref(), expected, cause)),
            Parsed::Wrong { expected, seen } => return Err(self.no_answer(&expected, seen)),
        };
        let Some(status) = status_of(&head.first) else {
            let seen = quote_short(head.first.as_bytes(), SHOWN);
            return Err(self.no_answer("HTTP/1.1, a blank, three digits, a blank", seen));
        };
        let (body, length) = (&unread[head.length..], self.length_of(status, &head)?);
        let is_enough = self.wants_a_head && body.is_empty();
        if !is_enough && body.len() < length.unwrap_or_default() {
            let missing =
                format!("the body: {} of {}", body.len(), count(length.unwrap_or_default()));
            return Err(self.not_whole(&missing, stall.as_ref(), expected, cause));
        }
        if length.is_some_and(|length| body.len() > length) {
            return Err(self
                .fails("sent more than Content-Length says")
                .expected(format!("a body of {}", count(length.unwrap_or_default())))
                .seen(count(body.len()))
                .cause(LENGTH)
                .stop());
        }
        self.expect_end(stall.as_ref())?;
        let (trial, program) = (self.trial().clone(), self.lines.program());
        Ok(Answer { trial, program, status, body: body.to_vec(), head })
    }

    fn fails(&self, what: &str) -> FailureBuilder {
        self.trial().fail(format!("the {} {what}", self.lines.program()))
    }

    fn not_whole(&self, missing: &str, stall: Option<&Stall>, expected: &str, cause: &str) -> Stop {
        let unanswered = Unanswered {
            name: self.lines.name(),
            program: &self.lines.program(),
            unread: self.lines.unread(),
            missing,
            ended: self.lines.ended(),
            stall,
        };
        unanswered.blame(self.trial()).expected(expected).cause(cause).stop()
    }

    fn no_answer(&self, expected: &str, seen: String) -> Stop {
        let failure = self.fails("sent something that is not an answer of HTTP");
        failure.expected(expected).seen(seen).cause(HEAD).stop()
    }

    /// How long the body is, where that is said: in every answer that has the file, or a part of it.
    fn length_of(&self, status: u16, head: &Head) -> Verdict<Option<usize>> {
        let seen = match head.all("content-length")[..] {
            [] if !matches!(status, 200 | 206) => return Ok(None),
            [] => format!("{}, without it", head.first),
            [digits] if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                match digits.parse() {
                    Ok(length) => return Ok(Some(length)),
                    Err(_) => format!("Content-Length: {digits}"),
                }
            }
            [one] => format!("Content-Length: {one}"),
            ref several => format!("{} of them", several.len()),
        };
        Err(self
            .fails("does not say how long its answer is")
            .expected("one Content-Length, with digits and nothing else")
            .seen(seen)
            .cause(LENGTH)
            .stop())
    }

    /// Expects that the connection has ended in good order.
    fn expect_end(&self, stall: Option<&Stall>) -> Verdict {
        let (name, program) = (self.lines.name(), self.lines.program());
        let (what, seen, cause) = match (self.lines.ended(), stall) {
            (Some(End::Stream), _) => return Ok(()),
            (Some(End::Reset), _) => {
                let after = count(self.lines.unread().len());
                ("reset the connection", format!("after {after}, a reset (RST)"), RESET)
            }
            (None, stall) => {
                let seen = stall.map_or("nothing".into(), |stall| stall.sentence(&program));
                ("does not end the connection", seen, ENDS)
            }
        };
        Err(self
            .fails(&format!("{what} with {name}"))
            .expected("behind the answer the end of the stream (FIN)")
            .seen(seen)
            .cause(cause)
            .stop())
    }
}

impl Answer {
    /// Expects this body.
    fn expect_body(&self, bytes: &[u8], cause: &str) -> Verdict {
        if self.body == bytes {
            return Ok(());
        }
        Err(self
            .trial
            .fail(format!("the {} sent other bytes than the file has there", self.program))
            .expected(count(bytes.len()))
            .seen(count(self.body.len()))
            .difference(bytes, &self.body)
            .cause(cause)
            .stop())
    }

    /// Expects one field of this name, with this value.
    pub(in crate::labs) fn expect_field(&self, name: &str, value: &str, cause: &str) -> Verdict {
        let values = self.head.all(&name.to_ascii_lowercase());
        if values == [value] {
            return Ok(());
        }
        let seen = match &values[..] {
            [] => format!("{}, without it", self.head.first),
            _ => values.iter().map(|it| format!("{name}: {it}")).collect::<Vec<_>>().join(" and "),
        };
        Err(self
            .trial
            .fail(format!("the {} does not say {name} as it should", self.program))
            .expected(format!("{name}: {value}"))
            .seen(seen)
            .cause(cause)
            .stop())
    }
}

/// The status in the first line of an answer.
fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 "))?;
    let digits = rest.split(' ').next()?;
    let are_three = digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if are_three { digits.parse().ok() } else { None }
}

const HEAD_END: &str = "the empty line behind the head (CRLF CRLF)";
const HEAD: &str =
    "an answer is a status line, fields and an empty line, each ended by \\r\\n, and then the body";
const LENGTH: &str = "Content-Length is the number of bytes that follow the head: of a part as many as the part \
    has, and not the file's";
const ENDS: &str = "one request a connection: end the sending side when the answer is out";
const RESET: &str = "a stream that is dropped while bytes are unread in its queue is reset, and what is on its \
    way may be lost: end the sending side, read to the other's end, then drop it";
