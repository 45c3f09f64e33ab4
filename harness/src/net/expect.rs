//! What may be expected of a connection: bytes, its end, or nothing.

use super::connection::{Connection, End, Got};
use super::terms::CLOSED_EARLY;
use super::{describe_bytes, likely};
use crate::trial::{Act, Progress, Stall, StallKind, Stop, Verdict};
use crate::words::count;

impl Connection {
    /// Expects exactly these bytes next.
    pub fn expect(&mut self, bytes: &[u8]) -> Verdict {
        let mut seen = Vec::new();
        let result = self
            .read_until(&mut seen, |seen| seen.len() >= bytes.len() || !bytes.starts_with(seen))?;
        if seen == bytes {
            let (name, program) = (self.name(), self.program());
            self.trial.note(format!("{name} received {} from the {program}", count(seen.len())));
            return Ok(());
        }
        let what = describe_bytes(bytes);
        Err(self.wrong_bytes(&what, bytes, &seen, result))
    }

    /// Expects the end of the program's stream next, and nothing before it.
    pub fn expect_end(&mut self) -> Verdict {
        let (name, program) = (self.name().to_owned(), self.program().to_owned());
        let mut seen = Vec::new();
        match self.read_until(&mut seen, |seen| !seen.is_empty())? {
            Ok(Some(End::Stream)) => {
                self.trial.note(format!("{name} received the end of the stream (FIN)"));
                Ok(())
            }
            Ok(Some(End::Reset)) => Err(self
                .trial
                .fail(format!("the {program} reset the connection instead of ending it"))
                .expected("the end of the stream (FIN)")
                .seen("a reset (RST, ConnectionReset)")
                .cause(RESET)
                .stop()),
            Ok(None) => Err(self
                .trial
                .fail(format!("the {program} sent more than it should have"))
                .expected("the end of the stream (FIN), and no byte before it")
                .seen(describe_bytes(&seen))
                .cause(UNASKED)
                .stop()),
            Err(stall) => Err(self
                .trial
                .fail(format!("the {program} did not end the connection"))
                .expected(format!(
                    "after {} has ended, the end of the stream (FIN)",
                    self.terms.ends_after.unwrap_or(&name)
                ))
                .seen(stall.sentence(&program))
                .cause(match stall.kind {
                    StallKind::Busy => NEVER_ENDS,
                    _ => self.terms.never_ends,
                })
                .stop()),
        }
    }

    /// Expects that nothing comes: the program has come to rest, and there is nothing to read.
    pub fn expect_nothing(&mut self) -> Verdict {
        // A program that does not come to rest still has sent nothing so far; that it runs idle
        // is another check's matter.
        let _ = self.trial.settle(&self.running)?;
        let mut buffer = [0; 1024];
        let (name, program) = (self.name().to_owned(), self.program().to_owned());
        match self.try_read(&mut buffer)? {
            Got::Nothing => {
                self.trial.note(format!("nothing came to {name}, and the {program} was at rest"));
                Ok(())
            }
            Got::Bytes(bytes) => Err(self
                .trial
                .fail(format!("the {program} sent something that nobody had asked for"))
                .expected("nothing")
                .seen(describe_bytes(bytes))
                .cause(UNASKED)
                .stop()),
            Got::End(end) => Err(self
                .trial
                .fail(format!("the {program} ended the connection by itself"))
                .expected("nothing: the connection stays open")
                .seen(describe_end(end))
                .cause(CLOSED_EARLY)
                .stop()),
        }
    }

    /// Expects that no more comes than the end of the program's stream, whether it comes or not.
    pub fn expect_no_more(&mut self) -> Verdict {
        let _ = self.trial.settle(&self.running)?;
        let mut buffer = [0; 1024];
        let (name, program) = (self.name().to_owned(), self.program().to_owned());
        let blame = match self.try_read(&mut buffer)? {
            Got::Nothing | Got::End(End::Stream) => {
                self.trial.note(format!("no more came to {name}"));
                return Ok(());
            }
            Got::Bytes(bytes) => self
                .trial
                .fail(format!("the {program} sent more than it should have"))
                .seen(format!("more: {}", describe_bytes(bytes)))
                .cause("nothing is added: no newline, no greeting, no farewell"),
            Got::End(End::Reset) => self
                .trial
                .fail(format!("the {program} reset the connection"))
                .seen(describe_end(End::Reset))
                .cause(RESET),
        };
        Err(blame.expected("no more bytes, and no reset").stop())
    }

    /// Waits until the program's answer is there, and leaves it unread.
    pub fn wait_for_answer(&self) -> Verdict {
        let answered = self
            .trial
            .wait(&self.running, || Ok(self.peek().map_or(Progress::Nothing, Progress::Done)))?;
        match answered {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.ended_first()),
            Err(stall) => Err(self.owes(&stall)),
        }
    }

    /// Vanishes: closes with unread bytes in the receive queue, which makes the kernel send a
    /// reset (RFC 9293 section 3.6.1). Waits first until there are such bytes.
    pub fn reset(self) -> Verdict {
        self.wait_for_answer()?;
        self.trial.note(format!("{} closed without reading what was there (RST)", self.name()));
        self.drop_stream(Act::Reset);
        Ok(())
    }

    fn ended_first(&self) -> Stop {
        let (name, program) = (self.name(), self.program());
        self.trial
            .fail(format!("the {program} ended the connection before {name} did"))
            .expected(self.terms.owed)
            .seen("the end of the connection")
            .cause(CLOSED_EARLY)
            .stop()
    }

    fn owes(&self, stall: &Stall) -> Stop {
        let program = self.program();
        self.trial
            .fail(format!("the {program} {}", self.terms.nothing_came))
            .expected(self.terms.owed)
            .seen(stall.sentence(program))
            .cause("nothing comes: begin with the checks that only send and receive")
            .stop()
    }

    /// Reads what is there, and throws it away.
    pub fn discard(&mut self) -> Verdict {
        let mut buffer = vec![0; 64 * 1024];
        while let Got::Bytes(_) = self.try_read(&mut buffer)? {}
        Ok(())
    }

    /// Reads until `enough`, the end, or standstill. `Ok(None)`: enough was read.
    fn read_until(
        &self,
        seen: &mut Vec<u8>,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Verdict<Result<Option<End>, Stall>> {
        self.read(|got| match got {
            Got::Bytes(bytes) => {
                seen.extend_from_slice(bytes);
                if enough(seen) { Progress::Done(None) } else { Progress::Moved }
            }
            Got::End(end) => Progress::Done(Some(end)),
            Got::Nothing => Progress::Nothing,
        })
    }

    /// The failure of an expectation of bytes, with the cause that its kind of end suggests.
    pub(crate) fn wrong_bytes(
        &self,
        expected: &str,
        bytes: &[u8],
        seen: &[u8],
        result: Result<Option<End>, Stall>,
    ) -> Stop {
        let program = self.program();
        let prefix = bytes.starts_with(seen);
        // The end of a program is the end of its connections, and says more than that.
        let gone = matches!(result, Ok(Some(_))) && self.program_ended();
        let headline = match &result {
            Ok(Some(_)) if gone => format!("the {program} ended"),
            Ok(Some(End::Reset)) => format!("the {program} reset the connection"),
            Ok(Some(End::Stream)) if prefix => {
                format!("the {program} ended the connection too early")
            }
            Err(_) if prefix && seen.is_empty() => {
                format!("the {program} {}", self.terms.nothing_came)
            }
            Err(_) if prefix => format!("the {program} sent only a part of it"),
            _ => format!("the {program} sent other bytes than expected"),
        };
        let kind = result.as_ref().map(|end| *end).map_err(drop);
        let after = format!("after {}", count(seen.len()));
        let mut blame = self.trial.fail(headline).expected(expected);
        blame = match result {
            Ok(None) => blame.seen(describe_bytes(seen)),
            Ok(Some(end)) => blame.seen(format!("{after}, {}", describe_end(end))),
            Err(stall) => blame.seen(format!("{after}, {}", stall.sentence(program))),
        };
        if !seen.is_empty() {
            blame = blame.difference(bytes, seen);
        }
        match kind {
            _ if gone => blame.cause(GONE),
            Ok(Some(End::Reset)) => blame.cause(RESET),
            Ok(Some(End::Stream)) if prefix && self.half_closed => blame.cause(CLOSED_AT_THE_END),
            Ok(Some(End::Stream)) if prefix => blame.cause(CLOSED_EARLY),
            Err(_) if prefix => blame.cause(self.why_silent(bytes, seen)),
            _ => blame.cause(likely::cause(bytes, seen)),
        }
        .stop()
    }

    fn program_ended(&self) -> bool {
        let rest = self.trial.settle(&self.running);
        matches!(rest, Ok(Err(Stall { kind: StallKind::Ended(_) })))
    }

    /// Why nothing comes, from what stands in the queues.
    fn why_silent(&self, expected: &[u8], seen: &[u8]) -> String {
        let snapshot = match self.trial.look(&self.running) {
            Ok(snapshot) => snapshot,
            Err(_) => return "the program waits for something that will not come".into(),
        };
        match snapshot.connection(self.there(), self.here()) {
            Some(row) if row.stands_in_a_queue() => {
                "the connection is still in the listener's queue: nobody has accepted it".into()
            }
            Some(row) if row.rx_queue > 0 => format!(
                "unread on this connection: {}; the program waits for something else, or is at \
                 work elsewhere",
                count(row.rx_queue as usize)
            ),
            Some(_) => (self.terms.silence)(expected, seen),
            None => "the program has dropped this connection".into(),
        }
    }
}

fn describe_end(end: End) -> &'static str {
    match end {
        End::Stream => "the end of the stream (FIN)",
        End::Reset => "a reset (RST, ConnectionReset)",
    }
}

const CLOSED_AT_THE_END: &str = "the end of the other side's stream (read returns 0) says that no \
    more will come, and not that nothing can be sent any more: send what is left, then close";
const GONE: &str = "when a program ends, the kernel closes its connections; the exit status and the \
    last lines of standard error say why it ended";
const UNASKED: &str = "only what was asked for may be sent: no greeting, no prompt, no farewell, no \
    debug output";
const NEVER_ENDS: &str = "read returns 0 at the end of the stream, and will for ever: a loop that \
    goes on then never ends";
const RESET: &str = "a stream that is dropped while bytes are unread in its queue is reset, and \
    what was on its way to the other side may be lost; a program that dies with a connection open \
    does the same, and so does SO_LINGER with a time of 0: read to the end of the stream before you \
    drop it";
