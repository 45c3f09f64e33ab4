//! The harness as a client of the mail server, on either of its listeners: what it sends, and the
//! replies that it expects.

mod fetching;
mod sending;

use std::time::Duration;

use super::reply::{Fault, Parsed, Protocol, Reply, parse};
use crate::net::{Connection, Cut, LineEnd, Lines, Unanswered};
use crate::trial::{Stall, Stop, Trial, Verdict};
use crate::words::{count, quote_short, summary};

/// One connection to the mail server.
#[derive(Debug)]
pub(in crate::labs) struct Client {
    lines: Lines,
    protocol: Protocol,
    /// Whether the last step of the story tells what this client sent, and nothing since.
    is_asking: bool,
}

/// Bytes of a line that are shown.
const SHOWN: usize = 80;
/// What stubs refuse with: what they refuse is no proof of their step.
const STUBS_SAY: [&str; 3] = ["451", "502", "-ERR"];
/// Between two bytes of a line that dribbles.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a line that dribbles: after ten of them a second has passed, and it must have ended. The
/// rest leaves room for a busy machine.
const MOST_DRIBBLED: usize = 60;

pub(super) use fetching::LOG_IN;
pub(super) use sending::{base64, on_the_way, response};

impl Client {
    pub(super) fn new(connection: Connection, protocol: Protocol) -> Self {
        let lines = Lines::new(connection, LineEnd::CrLf);
        Self { lines, protocol, is_asking: false }
    }

    fn trial(&self) -> &Trial {
        self.lines.connection().trial()
    }

    pub(in crate::labs) fn connection(&self) -> &Connection {
        self.lines.connection()
    }

    fn name(&self) -> &str {
        self.lines.name()
    }

    fn program(&self) -> String {
        self.lines.program()
    }

    /// The story begins anew with this client: what it has told so far went well.
    pub(super) fn new_turn(&mut self) {
        self.trial().new_story();
        self.trial().note(format!("{} has authenticated as alice before", self.name()));
        self.is_asking = false;
    }

    /// Says this line.
    pub(in crate::labs) fn say(&mut self, line: &str) -> Verdict {
        self.send(format!("{line}\r\n").as_bytes())
    }

    /// Sends these bytes in one write.
    pub(in crate::labs) fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.lines.send(bytes)?;
        self.is_asking = true;
        Ok(())
    }

    /// The same, in words of its own for the story: `NOOP, 20 times, in one write`.
    pub(super) fn send_as(&mut self, bytes: &[u8], words: &str) -> Verdict {
        self.trial().note(format!("{} sent {words}", self.name()));
        self.is_asking = false;
        self.lines.put(bytes).map(drop)
    }

    /// Sends these bytes, cut into pieces that are a read each.
    pub(super) fn send_cut(&mut self, bytes: &[u8], cut: Cut) -> Verdict {
        let how = cut.describe();
        self.trial().note(format!("{} sent {}{how}", self.name(), summary(bytes, SHOWN)));
        self.is_asking = false;
        for piece in cut.pieces(bytes) {
            if !self.lines.send_alone(piece)? {
                break;
            }
        }
        Ok(())
    }

    /// Sends `piece` again and again until the program closes, or until so many bytes were sent.
    pub(super) fn flood(&mut self, piece: &[u8], most: usize) -> Verdict {
        self.is_asking = false;
        self.lines.flood(piece, most).map(drop)
    }

    /// Ends the client's sending side (FIN).
    pub(in crate::labs) fn half_close(&mut self) -> Verdict {
        self.is_asking = false;
        self.lines.end()
    }

    /// Closes the connection.
    pub(in crate::labs) fn close(self) {
        self.lines.close();
    }

    /// Vanishes: tears the connection down (RST).
    pub(in crate::labs) fn reset(self) -> Verdict {
        self.lines.reset()
    }

    /// Says a line, and expects a reply with one of these signs.
    pub(in crate::labs) fn ask(
        &mut self,
        line: &str,
        signs: &[&str],
        cause: &str,
    ) -> Verdict<Reply> {
        self.say(line)?;
        self.expect(signs, cause)
    }

    /// Expects a reply with one of these signs: `250`, `+OK`.
    pub(in crate::labs) fn expect(&mut self, signs: &[&str], cause: &str) -> Verdict<Reply> {
        let expected = format!("a reply {}", signs.join(" or "));
        let reply = self.take_reply(&expected, cause)?;
        if STUBS_SAY.contains(&&*reply.sign) {
            self.trial().expect_written_so_far()?;
        }
        if signs.contains(&&*reply.sign) {
            self.tell(&reply);
            return Ok(reply);
        }
        Err(self
            .trial()
            .fail(format!("the {} answered {} {}", self.program(), self.name(), reply.sign))
            .expected(expected)
            .seen(quote_short(&reply.bytes, SHOWN))
            .cause(cause)
            .stop())
    }

    /// Expects any reply at all: what it says is another step's matter.
    pub(in crate::labs) fn expect_some_reply(&mut self, cause: &str) -> Verdict<Reply> {
        let reply = self.take_reply("a reply, whatever it says", cause)?;
        self.tell(&reply);
        Ok(reply)
    }

    fn tell(&mut self, reply: &Reply) {
        let sign = &reply.sign;
        if self.is_asking {
            self.trial().note_result(&format!("the answer was {sign}"))
        } else {
            self.trial().note(format!("{} received the reply {sign}", self.name()))
        }
        self.is_asking = false;
    }

    fn take_reply(&mut self, expected: &str, cause: &str) -> Verdict<Reply> {
        let protocol = self.protocol;
        let is_over = |ahead: &[u8]| !matches!(parse(ahead, protocol), Parsed::Part(_));
        let result = self.lines.hear_until(is_over)?;
        match parse(self.lines.unread(), protocol) {
            Parsed::Whole(reply) => {
                let _ = self.lines.take(reply.bytes.len());
                Ok(reply)
            }
            Parsed::Wrong(fault) => Err(self.not_a_reply(&fault)),
            Parsed::Part(missing) => Err(self.no_reply(&result, expected, missing, cause)),
        }
    }

    fn not_a_reply(&self, fault: &Fault) -> Stop {
        let name = self.protocol.name();
        self.trial()
            .fail(format!("what the {} sent is not a reply of {name}", self.program()))
            .expected(fault.expected)
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
        let cause = self.lines.waiting().unwrap_or(cause);
        let unanswered = Unanswered {
            name,
            program: &program,
            unread: self.lines.unread(),
            missing,
            ended: self.lines.ended(),
            stall: result.as_ref().err(),
        };
        unanswered.blame(self.trial()).expected(expected).cause(cause).stop()
    }

    /// Expects that nothing comes, and that the connection stays open, once the program is at rest.
    pub(in crate::labs) fn expect_silence(&mut self, cause: &str) -> Verdict {
        let _ = self.trial().settle(self.connection().running())?;
        self.lines.take_in()?;
        self.is_asking = false;
        let (name, program) = (self.name().to_owned(), self.program());
        let (ahead, end) = (self.lines.unread(), self.lines.ended());
        if ahead.is_empty() && end.is_none() {
            self.trial().note(format!("nothing came to {name}, and the {program} was at rest"));
            return Ok(());
        }
        let failure = self.trial().fail(if ahead.is_empty() {
            format!("the {program} ended the connection with {name}")
        } else {
            format!("the {program} sent {name} something too early, or too much")
        });
        let seen = match (ahead.is_empty(), end) {
            (true, Some(end)) => end.describe().to_owned(),
            _ => quote_short(ahead, SHOWN),
        };
        let expected = "nothing: the connection stays open, and the program waits";
        Err(failure.expected(expected).seen(seen).cause(cause).stop())
    }

    /// Expects the program's orderly end (FIN), and nothing before it.
    pub(in crate::labs) fn expect_end(&mut self, cause: &str) -> Verdict {
        self.is_asking = false;
        self.lines.expect_end(cause)
    }

    /// Sends a byte of a line at a time, until the program answers or ends the connection.
    pub(super) fn dribble(&mut self, begin: &[u8], byte: u8, cause: &str) -> Verdict {
        self.send(begin)?;
        self.is_asking = false;
        let trial = self.trial().clone();
        trial.note(format!("{} goes on, with a byte each 100 ms", self.name()));
        for _ in 0..MOST_DRIBBLED {
            trial.let_pass(PAUSE);
            self.lines.take_in()?;
            if !self.lines.unread().is_empty() || self.lines.ended().is_some() {
                return Ok(());
            }
            // That it is not taken any more is for the next look to tell.
            let _ = self.connection().try_write(&[byte]);
        }
        let program = self.program();
        Err(trial
            .fail(format!("the {program} waits for ever for a line that dribbles"))
            .expected("after SECONDS (1) for the whole line it gives up")
            .seen(format!(
                "after {}, one each 100 ms, it still waits for more",
                count(MOST_DRIBBLED)
            ))
            .cause(cause)
            .stop())
    }
}
