//! What is expected of a web server, as a client sees it: replies, silence, and the end.

use super::super::reply::{Fault, Parsed, Reply, To, parse};
use super::Visitor;
use crate::net::{End, Unanswered};
use crate::trial::{Stall, Stop, Verdict};
use crate::words::{count, quote_short};

/// The status that a stub refuses with.
const NOT_WRITTEN: u16 = 501;
/// How much of what came is shown.
const SHOWN: usize = 60;

impl Visitor {
    /// Expects a reply with one of these statuses; 100 is one of them only where it is named.
    pub(in crate::labs) fn expect(&mut self, statuses: &[u16], cause: &str) -> Verdict<Reply> {
        self.expect_to(To::Get, statuses, cause)
    }

    /// The same of the reply to HEAD.
    pub(in crate::labs::web) fn expect_to(
        &mut self,
        to: To,
        statuses: &[u16],
        cause: &str,
    ) -> Verdict<Reply> {
        let expected = format!("a reply with the status {}", one_of(statuses));
        let reply = self.take_reply(to, &expected, cause)?;
        self.expect_written(&reply)?;
        if reply.status == 204 && reply.count_of("content-length") > 0 {
            return Err(self
                .trial()
                .fail(format!("the {} sent a 204 with a Content-Length", self.program()))
                .expected("a 204 without one: it never has a body (RFC 9110 section 8.6)")
                .seen(format!(
                    "Content-Length: {}",
                    reply.field("content-length").unwrap_or_default()
                ))
                .cause("a client that waits for a body behind it waits for ever")
                .stop());
        }
        if statuses.contains(&reply.status) {
            let name = self.name();
            let body = count(reply.body.len());
            self.trial().note(format!("{name} received the reply {}, with {body}", reply.status));
            return Ok(reply);
        }
        Err(self
            .trial()
            .fail(format!("the {} answered {}", self.program(), reply.status))
            .expected(expected)
            .seen(describe(&reply))
            .cause(cause)
            .stop())
    }

    /// Expects any final reply: what it says is another step's matter.
    pub(in crate::labs::web) fn expect_some_reply(&mut self, cause: &str) -> Verdict<Reply> {
        let reply = self.take_reply(To::Get, "a reply, whatever its status", cause)?;
        self.expect_written(&reply)?;
        let name = self.name();
        self.trial().note(format!("{name} received the reply {}", reply.status));
        Ok(reply)
    }

    /// Expects 200 and exactly these bytes.
    pub(in crate::labs) fn expect_file(&mut self, bytes: &[u8], cause: &str) -> Verdict<Reply> {
        let reply = self.expect(&[200], cause)?;
        if reply.body == bytes {
            return Ok(reply);
        }
        Err(self
            .trial()
            .fail(format!("the {} sent other bytes than the file has", self.program()))
            .expected(format!("the file's {}", count(bytes.len())))
            .seen(format!("a body of {}", count(reply.body.len())))
            .difference(bytes, &reply.body)
            .cause(cause)
            .stop())
    }

    /// A stub refuses with 501, which is no proof of its step.
    fn expect_written(&self, reply: &Reply) -> Verdict {
        if reply.status == NOT_WRITTEN { self.trial().expect_written_so_far() } else { Ok(()) }
    }

    /// Takes in what comes until it begins with a whole reply.
    fn take_reply(&mut self, to: To, expected: &str, cause: &str) -> Verdict<Reply> {
        let result = self.read_until(|ahead| !matches!(parse(ahead, to), Parsed::Part(_)))?;
        match parse(&self.ahead, to) {
            Parsed::Whole(reply, length) => {
                self.ahead.drain(..length);
                Ok(reply)
            }
            Parsed::Wrong(fault) => Err(self.not_a_reply(&fault)),
            Parsed::Part(missing) => Err(self.no_reply(&result, expected, &missing, cause)),
        }
    }

    fn not_a_reply(&self, fault: &Fault) -> Stop {
        self.trial()
            .fail(format!("what the {} sent is not a reply", self.program()))
            .expected(&*fault.expected)
            .seen(&*fault.seen)
            .cause(fault.cause)
            .stop()
    }

    fn no_reply(
        &self,
        result: &Result<(), Stall>,
        expected: &str,
        missing: &str,
        cause: &str,
    ) -> Stop {
        let (name, program) = (self.name(), self.program());
        let unanswered = Unanswered {
            name: &name,
            program: &program,
            unread: &self.ahead,
            missing,
            ended: self.end,
            stall: result.as_ref().err(),
        };
        unanswered.blame(self.trial()).expected(expected).cause(cause).stop()
    }

    /// Expects that nothing comes, and that the connection stays open, once the program is at
    /// rest.
    pub(in crate::labs::web) fn expect_silence(&mut self, cause: &str) -> Verdict {
        let _ = self.trial().settle(self.connection.running())?;
        self.take_in()?;
        let (name, program) = (self.name(), self.program());
        if self.ahead.is_empty() && self.end.is_none() {
            self.trial().note(format!("nothing came to {name}, and the {program} was at rest"));
            return Ok(());
        }
        let blame = self.trial().fail(if self.ahead.is_empty() {
            format!("the {program} ended the connection with {name}")
        } else {
            format!("the {program} sent {name} something too early, or too much")
        });
        let seen = match (self.ahead.is_empty(), self.end) {
            (true, Some(end)) => end.describe().to_owned(),
            _ => quote_short(&self.ahead, SHOWN),
        };
        let expected = "nothing: the connection stays open, and the program waits";
        Err(blame.expected(expected).seen(seen).cause(cause).stop())
    }

    /// Expects the end of the program's stream (FIN), and nothing before it.
    pub(in crate::labs) fn expect_end(&mut self, cause: &str) -> Verdict {
        let result = self.read_until(|ahead| !ahead.is_empty())?;
        let (name, program) = (self.name(), self.program());
        let fail = |headline: String, seen: String| {
            let expected = "the end of the stream (FIN), and nothing before it";
            self.trial().fail(headline).expected(expected).seen(seen).cause(cause).stop()
        };
        match (self.ahead.is_empty(), self.end, result) {
            (true, Some(End::Stream), _) => {
                self.trial().note(format!("{name} received the end of the stream (FIN)"));
                Ok(())
            }
            (true, Some(End::Reset), _) => Err(fail(
                format!("the {program} reset the connection with {name}"),
                End::Reset.describe().to_owned(),
            )),
            (false, ..) => Err(fail(
                format!("the {program} sent {name} something behind its reply"),
                quote_short(&self.ahead, SHOWN),
            )),
            (true, None, Err(stall)) => Err(fail(
                format!("the {program} does not end the connection with {name}"),
                stall.sentence(&program),
            )),
            (true, None, Ok(())) => Err(Stop::Fault("nothing was read, and nothing ended".into())),
        }
    }

    /// Expects nothing, as [`Visitor::expect_silence`]; whether a stub has refused instead.
    pub(in crate::labs::web) fn expect_silence_unless_refused(
        &mut self,
        cause: &str,
    ) -> Verdict<bool> {
        let _ = self.trial().settle(self.connection.running())?;
        self.take_in()?;
        match parse(&self.ahead, To::Get) {
            Parsed::Whole(reply, _) if reply.status == NOT_WRITTEN => {
                self.expect(&[NOT_WRITTEN], cause).map(|_| false)
            }
            _ => self.expect_silence(cause).map(|()| true),
        }
    }

    /// Expects the end of the connection, in whatever way, or `most` bytes.
    pub(in crate::labs::web) fn expect_end_or(&mut self, most: usize, cause: &str) -> Verdict {
        let Err(stall) = self.read_until(|ahead| ahead.len() >= most)? else {
            self.ahead.clear();
            return Ok(());
        };
        let (name, program) = (self.name(), self.program());
        Err(self
            .trial()
            .fail(format!("the {program} does not end the connection with {name}"))
            .expected("its end, before all has come that Content-Length has promised")
            .seen(format!("{}; then {}", count(self.ahead.len()), stall.sentence(&program)))
            .cause(cause)
            .stop())
    }
}

/// `200, 301 or 404`. What the stub of a later step says is no answer that anybody aims at.
fn one_of(statuses: &[u16]) -> String {
    let named = statuses.iter().filter(|status| **status != NOT_WRITTEN).map(u16::to_string);
    let named: Vec<_> = named.collect();
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => NOT_WRITTEN.to_string(),
    }
}

/// `404 (Content-Length 14): "404 Not Found\n"`.
fn describe(reply: &Reply) -> String {
    format!(
        "{}, with {}: {}",
        reply.status,
        count(reply.body.len()),
        quote_short(&reply.body, SHOWN)
    )
}
