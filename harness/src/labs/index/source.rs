//! The harness as a peer that has a file. It answers requests as a check wants it to, rightly or
//! wrongly.

use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use super::file::File;
use super::head::{Head, Parsed, decoded, parse};
use crate::net::{Connection, LineEnd, Lines, Listener, Terms, Unanswered};
use crate::trial::{Running, Stop, Trial, Verdict};
use crate::words::{count, quote_short};

/// A peer of the harness that gives files.
#[derive(Debug)]
pub(in crate::labs) struct Source {
    listener: Listener,
}

/// A request that has come, and its connection.
#[derive(Debug)]
pub(in crate::labs) struct Request {
    lines: Lines,
    head: Head,
}

/// How much of a line is shown.
const SHOWN: usize = 80;

impl Source {
    /// Listens on a free address as the peer `name`.
    pub(in crate::labs) fn open(t: &Trial, name: &str) -> Verdict<Self> {
        let address = t.addresses().free_localhost()?;
        let listener = t.listen_as(name, &[address], &Terms::ANSWERS)?;
        t.note(format!("{name} gives files on {address}"));
        Ok(Self { listener })
    }

    /// Listens on so many addresses: whoever asks at one of them is answered, in whatever order.
    pub(in crate::labs) fn open_several(t: &Trial, name: &str, count: usize) -> Verdict<Self> {
        let address = |_| Ok(t.addresses().free_localhost()?);
        let addresses: Vec<_> = (0..count).map(address).collect::<Verdict<_>>()?;
        let listener = t.listen_as(name, &addresses, &Terms::ANSWERS)?;
        t.note(format!("{name} gives files on {count} addresses from {} on", addresses[0]));
        Ok(Self { listener })
    }

    /// Whoever connects gets no answer, as long as what this returns is there.
    pub(super) fn answers_nobody(&self) -> Verdict<Vec<TcpStream>> {
        self.listener.fill_queue()
    }

    /// Where it listens.
    pub(in crate::labs) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// All addresses where it listens.
    pub(in crate::labs) fn addresses(&self) -> &[SocketAddr] {
        &self.listener.addresses
    }

    /// Where a further connection of the peer comes from, once it is at rest, if there is one.
    pub(in crate::labs) fn another_from(&self, running: &Running) -> Verdict<Option<SocketAddr>> {
        self.listener.take_another(running)
    }

    /// Takes the connection of the peer. Of one that gives up instead, what it says is shown.
    fn accept(&self, running: &Rc<Running>, cause: &str) -> Verdict<Connection> {
        self.listener.accept(running, cause).map_err(|mut stop| {
            let printed = running.program.stdout().last_lines(1);
            if let (Stop::Fail(failure), Some(line)) = (&mut stop, printed.first())
                && line.starts_with("failed ")
                && failure.headline.ends_with("does not connect")
            {
                failure.headline = format!("the {} gives up and does not connect", running.name);
                failure.seen.insert(0, format!("on standard output: {line:?}"));
            }
            stop
        })
    }

    /// Takes the connection of the peer, and its request for this file.
    pub(in crate::labs) fn asked(&self, running: &Rc<Running>, name: &str) -> Verdict<Request> {
        self.asked_since(running, name, ASKS)
    }

    /// The same; `cause` is why it may not be asked.
    pub(in crate::labs) fn asked_since(
        &self,
        running: &Rc<Running>,
        name: &str,
        cause: &str,
    ) -> Verdict<Request> {
        let connection = self.accept(running, cause)?;
        let mut lines = Lines::new(connection, LineEnd::CrLf);
        let stall = lines.hear_until(|ahead| !matches!(parse(ahead), Parsed::Part))?.err();
        let t = lines.connection().trial().clone();
        let head = match parse(lines.unread()) {
            Parsed::Whole(head) => head,
            Parsed::Part => {
                let (name, program) = (lines.name(), &running.name);
                let unanswered = Unanswered {
                    name,
                    program,
                    unread: lines.unread(),
                    missing: "the empty line behind the head (CRLF CRLF)",
                    ended: lines.ended(),
                    stall: stall.as_ref(),
                };
                let expected = format!("a request: GET and the name {name:?}");
                return Err(unanswered.blame(&t).expected(expected).cause(ASKS).stop());
            }
            Parsed::Wrong { expected, seen } => {
                let headline = format!("what the {} sent is not a request", running.name);
                return Err(t.fail(headline).expected(expected).seen(seen).cause(HEAD).stop());
            }
        };
        lines.take(head.length);
        let request = Request { lines, head };
        request.expect_line(name)?;
        t.note(format!("{} was asked: {}", request.lines.name(), request.told()));
        Ok(request)
    }
}

impl Request {
    fn trial(&self) -> &Trial {
        self.lines.connection().trial()
    }

    /// The address at which it was asked.
    pub(in crate::labs) fn here(&self) -> SocketAddr {
        self.lines.connection().here()
    }

    /// The request in a few words: `GET /a, Range: bytes=5-`.
    fn told(&self) -> String {
        let line = self.head.first.clone();
        match self.head.field("range") {
            Some(range) => format!("{line}, Range: {range}"),
            None => line,
        }
    }

    fn wrong(&self, headline: &str, expected: String, cause: &str) -> Stop {
        let t = self.trial();
        let seen = quote_short(self.told().as_bytes(), SHOWN);
        let headline = format!("the {} {headline}", self.lines.program());
        t.fail(headline).expected(expected).seen(seen).cause(cause).stop()
    }

    /// Expects that it is a GET of this name.
    fn expect_line(&self, name: &str) -> Verdict {
        let target = match self.head.first.split(' ').collect::<Vec<_>>()[..] {
            ["GET", target, "HTTP/1.1" | "HTTP/1.0"] => target.strip_prefix('/').and_then(decoded),
            _ => None,
        };
        if target.as_deref() == Some(name.as_bytes()) {
            return Ok(());
        }
        let expected = format!("GET, / and the name {name:?}, percent-encoded, HTTP/1.1");
        Err(self.wrong("asks for something else than the file", expected, TARGET))
    }

    /// Expects what any server needs to know (RFC 9112 section 3.2): exactly one Host.
    pub(in crate::labs) fn expect_host(&self) -> Verdict {
        if self.head.field("host").is_some() {
            return Ok(());
        }
        let t = self.trial();
        Err(t
            .fail(format!("the {} sends a request without a Host", self.lines.program()))
            .expected(
                "one field Host: a server has to refuse a request of HTTP/1.1 without it (400)",
            )
            .seen(format!("{}, and fields Host: {}", self.head.first, self.head.all("host").len()))
            .cause(HEAD)
            .stop())
    }

    /// Expects that it asks for the file from this offset on; at 0 for all of it.
    pub(in crate::labs) fn expect_from(&self, offset: usize, cause: &str) -> Verdict {
        let range = self.head.field("range");
        let from =
            range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')?.0.parse().ok());
        if from == Some(offset) || (offset == 0 && self.head.all("range").is_empty()) {
            return Ok(());
        }
        let expected = match offset {
            0 => "a request without Range: nothing is there of earlier".to_owned(),
            _ => format!("Range: bytes={offset}-"),
        };
        Err(self.wrong("does not ask for what it lacks", expected, cause))
    }

    /// Its answer begins with this status line and these fields; `Connection: close` is added.
    pub(in crate::labs) fn begin(&mut self, status: &str, fields: &[&str]) -> Verdict {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{fields}Connection: close\r\n\r\n");
        let name = self.lines.name();
        let told = fields.trim_end().replace("\r\n", ", ");
        self.trial().note(format!("{name} answered {status}, {told}"));
        self.lines.put(head.as_bytes()).map(drop)
    }

    /// Its answer begins rightly: 206 from an offset, 200 for all of it.
    pub(in crate::labs) fn begin_from(&mut self, file: &File, offset: usize) -> Verdict {
        let size = file.size();
        let length = format!("Content-Length: {}", size - offset);
        match offset {
            0 => self.begin("200 OK", &[&length]),
            _ => {
                let range = format!("Content-Range: bytes {offset}-{}/{size}", size - 1);
                self.begin("206 Partial Content", &[&length, &range])
            }
        }
    }

    /// Sends a piece of the body.
    pub(in crate::labs) fn send(&mut self, bytes: &[u8]) -> Verdict {
        let (name, sent) = (self.lines.name().to_owned(), count(bytes.len()));
        self.trial().note(format!("{name} sent {sent} of the body"));
        self.lines.put(bytes).map(drop)
    }

    /// Sends without end, until the peer closes or so much has been taken; how much.
    pub(in crate::labs) fn flood(&mut self, limit: usize) -> Verdict<usize> {
        self.lines.flood(&vec![b'x'; limit.min(64 * 1024)], limit)
    }

    /// Gives the file from an offset on, and closes.
    pub(in crate::labs) fn give(mut self, file: &File, offset: usize) -> Verdict {
        self.begin_from(file, offset)?;
        self.send(&file.bytes[offset..])?;
        self.lines.close();
        Ok(())
    }

    /// Gives the file from an offset on, and closes when it has come to `end`, without a word.
    pub(in crate::labs) fn give_up_to(mut self, file: &File, offset: usize, end: usize) -> Verdict {
        self.begin_from(file, offset)?;
        self.send(&file.bytes[offset..end])?;
        self.lines.close();
        Ok(())
    }

    /// Says this status, and nothing else, and closes.
    pub(in crate::labs) fn refuse(mut self, status: &str) -> Verdict {
        self.begin(status, &["Content-Length: 0"])?;
        self.lines.close();
        Ok(())
    }

    /// Closes its connection.
    pub(in crate::labs) fn close(self) {
        self.lines.close();
    }

    /// Expects that the peer has given it up: it closes, whatever is still to come.
    pub(in crate::labs) fn expect_given_up(&mut self, cause: &str) -> Verdict {
        self.lines.expect_closed(cause)
    }
}

pub(super) const ASKS: &str =
    "a file comes from the peer that has it: connect to the address in the hit, and ask there";
const HEAD: &str = "a request is a line, fields and an empty line, each ended by \\r\\n; one of the fields is Host";
const TARGET: &str = "the target is / and the file's name, in which all but letters, digits and -._~ is \
    percent-encoded: a blank as %20";
