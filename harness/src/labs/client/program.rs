//! The client under test: its standard input and output, and its end. The harness is its server.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::rc::Rc;

use super::LAB;
use super::causes::JOINED;
use crate::kernel::Snapshot;
use crate::net::{Connection, Listener, Terms, describe_addresses, describe_bytes, likely};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Running, Stall, StallKind, Stop, Trial, Verdict};
use crate::words::{count, quote_short};

/// What the reader calls the harness's end.
const SERVER: &str = "the server";

/// What a client owes on its connection: its standard input.
const INPUT: Terms = Terms {
    owed: "the bytes of its standard input",
    nothing_came: "sent nothing",
    ends_after: Some("the standard input of the client"),
    never_ends: "nobody has told the server that no more will come: end the sending side when \
        standard input ends, with shutdown(Shutdown::Write). Dropping one of two handles of a \
        socket ends nothing",
    silence: |expected, seen| {
        if seen.is_empty() {
            format!(
                "{} of its standard input never reached the server: it may be waiting for a line \
                 end, for a full buffer or for the end of its input before it sends; what it sends \
                 may sit in a buffer that is not flushed (BufWriter); or nobody reads its input",
                count(expected.len())
            )
        } else {
            likely::silence(expected, seen)
        }
    },
};

impl Trial {
    /// Listens on a free loopback address, as the client's server.
    pub fn listen(&self) -> Verdict<Listener> {
        self.listen_on(&[self.addresses().free_address()])
    }

    /// Listens on these addresses, as the client's server.
    pub fn listen_on(&self, addresses: &[SocketAddr]) -> Verdict<Listener> {
        let listener = self.listen_as(SERVER, addresses, &INPUT)?;
        self.note(format!("the harness listens on {}, as {SERVER}", describe_addresses(addresses)));
        Ok(listener)
    }

    /// A client that is connected to a listener of the harness, and the harness's end.
    pub fn conversation(&self) -> Verdict<(Client, Connection)> {
        let listener = self.listen()?;
        let client = self.client(Given::address(listener.address()))?;
        let server = client.connects(&listener)?;
        Ok((client, server))
    }

    /// Starts the client, and goes on at once. Its standard input stays open and empty.
    pub fn client(&self, given: Given) -> Verdict<Client> {
        let running = self.start(LAB.name, given, Stdin::Piped)?;
        Ok(Client { trial: self.clone(), running, expected: Cell::new(0) })
    }
}

/// A client that was started.
#[derive(Debug)]
pub struct Client {
    pub(super) trial: Trial,
    /// The program.
    pub running: Rc<Running>,
    /// How much of its standard output was expected so far, in bytes.
    expected: Cell<usize>,
}

impl Client {
    /// Expects it to connect to `listener`, and takes the connection.
    pub fn connects(&self, listener: &Listener) -> Verdict<Connection> {
        listener.accept(
            &self.running,
            "connect takes the text that the user typed: the host, a colon, the port",
        )
    }

    /// Expects that, once it is at rest, it has not connected again.
    pub fn connects_no_more(&self, listener: &Listener) -> Verdict {
        let Some(from) = listener.take_another(&self.running)? else {
            self.trial.note(format!("nobody else has connected to {SERVER}"));
            return Ok(());
        };
        Err(self
            .trial
            .fail("the client connected more than once")
            .expected("one connection, for all that is sent and received")
            .seen(format!("one more connection, from port {}", from.port()))
            .cause(
                "each connect is a connection of its own, which the server has to accept and to \
                 serve: connect once, and stop trying addresses when one works",
            )
            .stop())
    }

    /// Gives `bytes` to its standard input, and goes on at once. What becomes of them is for
    /// the expectation that follows.
    pub fn input(&self, bytes: &[u8]) {
        self.trial.note(format!("standard input of the client: {}", describe_bytes(bytes)));
        let _ = self.running.program.write_stdin(bytes);
        self.trial.record_program(&self.running, "stdin", || describe_bytes(bytes));
    }

    /// Ends its standard input, behind what was given.
    pub fn end_input(&self) {
        self.trial.note("the client's standard input ended");
        self.running.program.close_stdin();
        self.trial.record_program(&self.running, "stdin", || "its end".into());
    }

    /// Waits until it has come to rest, whatever it is blocked in, or has shown that it does
    /// not: that it runs idle is another check's matter. That it ends is a failure.
    pub fn settle(&self) -> Verdict<Snapshot> {
        self.trial.settle_or(&self.running, |status| self.goes_on(status))
    }

    /// Expects that it comes to rest, whatever it is blocked in.
    pub fn expect_rest(&self) -> Verdict<Snapshot> {
        self.trial.expect_rest(&self.running, |status| self.goes_on(status))
    }

    /// Expects that it comes to rest and stays there.
    pub fn expect_idle(&self) -> Verdict {
        let first = self.expect_rest()?;
        self.trial.expect_idle(&self.running, &first, |status| self.goes_on(status))
    }

    /// The failure of a client that ended while it should have gone on.
    pub(super) fn goes_on(&self, status: ExitStatus) -> Stop {
        let blame = self.ended_early(status);
        blame
            .expected("it goes on until the server ends its side")
            .seen(describe_exit(status))
            .stop()
    }

    /// Expects exactly these bytes next on its standard output, without anything else having to
    /// happen first.
    pub fn expect_output(&self, bytes: &[u8]) -> Verdict {
        let program = &self.running.program;
        let from = self.expected.get();
        let mut before = 0;
        let result = self.trial.wait(&self.running, || {
            let printed = program.stdout_len();
            let moved = printed > before;
            before = printed;
            Ok(if printed >= (from + bytes.len()) as u64 {
                Progress::Done(())
            } else if moved {
                Progress::Moved
            } else {
                Progress::Nothing
            })
        })?;
        let mut stdout = program.stdout().head;
        if result.is_ok() && stdout.get(from..) != Some(bytes) {
            // All that it prints tells more than the first piece of it.
            let _ = self.trial.settle(&self.running);
            stdout = program.stdout().head;
        }
        let seen = stdout.get(from..).unwrap_or_default();
        if seen == bytes {
            self.expected.set(from + bytes.len());
            self.trial.note(format!("the client printed {}", describe_bytes(bytes)));
            return Ok(());
        }
        let prefix = bytes.starts_with(seen);
        let blame = match &result {
            Err(Stall { kind: StallKind::Ended(status) }) if prefix => {
                self.ended_in_mid_output(*status)
            }
            Err(_) if prefix => self
                .trial
                .fail(if seen.is_empty() {
                    "the client does not print what has arrived"
                } else {
                    "the client printed only a part of what has arrived"
                })
                .cause(self.why_not_printed(bytes.len() - seen.len())),
            _ => self
                .trial
                .fail("the client printed other bytes than the server sent")
                .cause(likely::cause(bytes, seen)),
        };
        let mut blame = blame.expected(format!("on standard output: {}", describe_bytes(bytes)));
        blame = match result {
            Err(stall) => {
                let after = format!("after {}", count(seen.len()));
                blame.seen(format!("{after}, {}", stall.sentence("client")))
            }
            Ok(()) => blame.seen(describe_bytes(seen)),
        };
        if !seen.is_empty() {
            blame = blame.difference(bytes, seen);
        }
        Err(blame.stop())
    }

    /// Expects its end, exit status 0, and nothing more on its standard output.
    pub fn expect_success(&self) -> Verdict {
        let status =
            self.expect_end("the server has ended its side: the client ends, too", JOINED)?;
        self.expect_no_panic()?;
        if status.code() != Some(0) {
            return Err(self
                .trial
                .fail("the client says that it failed")
                .expected("exit status 0")
                .seen(describe_exit(status))
                .cause(
                    "the end of the server's stream (read returns 0) is not an error, whatever is \
                     left of standard input; the last lines of standard error say what failed",
                )
                .stop());
        }
        self.expect_no_more_output()
    }

    /// Expects its end, exit status 1, one line on standard error with `address` in it, and
    /// nothing more on its standard output.
    pub fn expect_failure(&self, address: &str, why: &str) -> Verdict {
        let status = self.expect_end("one line on standard error; exit status 1", why)?;
        self.expect_no_panic()?;
        self.expect_one_line(status, &[1], address, why)?;
        self.expect_no_more_output()
    }

    /// Judges how it ended: one of these exit statuses, and one line on standard error with
    /// `words` in it.
    pub fn expect_one_line(
        &self,
        status: ExitStatus,
        allowed: &[i32],
        words: &str,
        why: &str,
    ) -> Verdict {
        let stderr = self.running.program.stderr().last_lines(usize::MAX);
        let one = matches!(stderr.as_slice(), [line] if line.contains(words));
        let code = status.code().unwrap_or(-1);
        if one && allowed.contains(&code) {
            self.trial.note(format!("the client ended, {}", describe_exit(status)));
            return Ok(());
        }
        let codes: Vec<_> = allowed.iter().map(i32::to_string).collect();
        let headline = match code {
            0 => "the client ended as if all had gone well",
            _ if !allowed.contains(&code) => "the client ended with the wrong exit status",
            _ => "the client does not say in one line what went wrong",
        };
        let lines = match stderr.len() {
            0 => "nothing on standard error".to_owned(),
            1 if !one => format!("one line on standard error, without {words}"),
            1 => "one line on standard error".to_owned(),
            n => format!("{n} lines on standard error"),
        };
        let named = if words.is_empty() { String::new() } else { format!(", with {words}") };
        Err(self
            .trial
            .fail(headline)
            .expected(format!(
                "one line on standard error{named}; exit status {}",
                codes.join(" or ")
            ))
            .seen(format!("{lines}; {}", describe_exit(status)))
            .cause(self.why_not_told(status, &stderr, words).unwrap_or(why))
            .stop())
    }

    /// Waits for its end; `expected` says what should have made it end, and `cause` why it may
    /// not have.
    pub fn expect_end(&self, expected: &str, cause: &str) -> Verdict<ExitStatus> {
        let stall = match self.wait_for_end()? {
            Ok(status) => {
                self.trial.record_program(&self.running, "exit", || {
                    describe_exit(status).trim_start_matches("exit ").to_owned()
                });
                return Ok(status);
            }
            Err(stall) => stall,
        };
        Err(self
            .trial
            .fail("the client does not end")
            .expected(expected)
            .seen(stall.sentence("client"))
            .cause(match stall.kind {
                StallKind::Busy => {
                    "a loop that goes on after the end: a read that returns 0 is the end, and an \
                     error does not go away by trying again"
                }
                _ => cause,
            })
            .stop())
    }

    /// Expects that no thread of it has panicked. A thread's panic does not show in the exit
    /// status.
    pub fn expect_no_panic(&self) -> Verdict {
        let lines = self.running.program.stderr().last_lines(usize::MAX);
        let Some(line) = lines.iter().find(|line| line.contains("panicked at")) else {
            return Ok(());
        };
        Err(self
            .trial
            .fail("the client panicked")
            .expected("no panic, whatever a user or a server does")
            .seen(quote_short(line.as_bytes(), 80))
            .cause(
                "unwrap and expect panic: return the error instead (`?`), or ignore it on purpose",
            )
            .stop())
    }

    /// Stops it for good, so that all that it has printed is here, and waits for nothing.
    fn wait_for_end(&self) -> Verdict<Result<ExitStatus, Stall>> {
        let nothing = || Ok(Progress::<Infallible>::Nothing);
        Ok(match self.trial.wait(&self.running, nothing)? {
            Err(Stall { kind: StallKind::Ended(status) }) => {
                // Its streams are complete now.
                self.running.program.stop()?;
                Ok(status)
            }
            Err(stall) => Err(stall),
            Ok(never) => match never {},
        })
    }

    pub(super) fn has_printed_more(&self) -> bool {
        self.running.program.stdout_len() > self.expected.get() as u64
    }

    /// Expects that it comes to rest, and nothing was printed but what was expected before: what is too
    /// much may come with a write of its own.
    pub fn expect_no_more_output_at_rest(&self) -> Verdict {
        self.settle()?;
        self.expect_no_more_output()
    }

    fn expect_no_more_output(&self) -> Verdict {
        let stdout = self.running.program.stdout().head;
        let more = stdout.get(self.expected.get()..).unwrap_or_default();
        if more.is_empty() {
            return Ok(());
        }
        Err(self
            .trial
            .fail("the client printed something that the server did not send")
            .expected("on standard output nothing more than was received")
            .seen(describe_bytes(more))
            .cause("whatever is not from the server belongs to standard error")
            .stop())
    }
}
