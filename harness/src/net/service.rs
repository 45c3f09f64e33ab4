//! A program under test that listens.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use super::Terms;
use super::causes::{is_killed_by_sigpipe, unhandled};
use super::connection::Connection;
use crate::kernel::{Row, Snapshot, State};
use crate::program::describe_exit;
use crate::trial::{Act, Progress, Running, Stall, StallKind, Stop, Trial, Verdict};

/// A program under test that listens.
#[derive(Clone, Debug)]
pub struct Service {
    trial: Trial,
    /// The program.
    pub running: Rc<Running>,
    /// The address that it was told to listen on.
    pub asked: SocketAddr,
    /// The address that the harness connects to: `asked`, or, for a program that listens
    /// elsewhere, where it really listens.
    pub address: SocketAddr,
    /// What it owes on a connection.
    terms: &'static Terms,
}

/// Only a full queue of the listener can hold a connect on loopback for so long.
const CONNECT: Duration = Duration::from_secs(5);

pub(super) fn cause_of_end(status: ExitStatus) -> &'static str {
    match status.code() {
        Some(101) => {
            "a panic: the last lines of standard error say where (unwrap and expect panic)"
        }
        Some(0) => "main has returned, or exit was called: a server goes on for ever",
        Some(1) => {
            "an error was handed on (`?`) until it ended the program; the last lines of standard \
             error should say which: an error of one client is not the server's end"
        }
        None if is_killed_by_sigpipe(status) => {
            "SIGPIPE: a write to a connection that the other side has given up kills a program that \
             does not ignore this signal. Ignored (signal(SIGPIPE, SIG_IGN)), the write returns the \
             error EPIPE instead, and that is one client's end"
        }
        _ => "the last lines of standard error should say why",
    }
}

const QUEUE_IS_FULL: &str = "the listener is there, and its queue is full: nobody calls accept";
const DROPPED: &str = "the listening socket is gone: it has to live as long as the program, and is \
    closed where its last owner is dropped";

impl Service {
    /// A program that was told to listen on `asked`, and is reached at `address`.
    pub(super) fn new(
        trial: Trial,
        running: Rc<Running>,
        asked: SocketAddr,
        address: SocketAddr,
    ) -> Self {
        Self { trial, running, asked, address, terms: &Terms::ANSWERS }
    }

    /// The same program, which owes this on each connection.
    pub fn owing(self, terms: &'static Terms) -> Self {
        Self { terms, ..self }
    }

    /// The trial that it takes part in.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// What the reader calls it: `server`.
    fn name(&self) -> &str {
        &self.running.name
    }

    /// Connects. The connection is complete when the kernel has queued it: before `accept`.
    pub fn connect(&self) -> Verdict<Connection> {
        self.connect_quietly(true)
    }

    pub(super) fn connect_quietly(&self, tell: bool) -> Verdict<Connection> {
        self.connect_as(format!("client {}", self.trial.next_number()), tell)
    }

    /// Connects; the reader calls the harness's end `name`, and the story says so if `tell`.
    pub fn connect_as(&self, name: String, tell: bool) -> Verdict<Connection> {
        let still = self.trial.record_before(&self.running, 0);
        match TcpStream::connect_timeout(&self.address, CONNECT) {
            Ok(stream) => {
                let here = stream.local_addr()?;
                if tell {
                    let at = self.address;
                    self.trial.note(format!("{name} connected to {at} from port {}", here.port()));
                }
                let running = Rc::clone(&self.running);
                let (trial, at) = (self.trial.clone(), self.address);
                let connection = Connection::new(trial, running, stream, name, at, self.terms)?;
                connection.record(still, Act::Connect);
                Ok(connection)
            }
            Err(error) => {
                drop(still);
                if let Err(Stall { kind: StallKind::Ended(status) }) =
                    self.trial.settle(&self.running)?
                {
                    return Err(self.ended(status));
                }
                let blame = self
                    .trial
                    .fail(format!("the {} does not take connections any more", self.name()))
                    .expected(format!("a connection to {}", self.address))
                    .seen(format!("connect: {error}"));
                let listens = self.look().map(|now| self.listener(&now).is_some());
                Err(match listens {
                    Ok(true) => blame.cause(QUEUE_IS_FULL),
                    Ok(false) => blame.cause(DROPPED),
                    Err(_) => blame,
                }
                .stop())
            }
        }
    }

    /// Looks at the server now.
    pub fn look(&self) -> Verdict<Snapshot> {
        self.trial.look(&self.running)
    }

    /// Where it really listens: the address in the kernel's table.
    pub fn bound(&self) -> Verdict<SocketAddr> {
        if crate::kernel::available().is_err() {
            return Ok(self.address);
        }
        let snapshot = self.look()?;
        Ok(self.listener(&snapshot).map_or(self.address, |row| row.local))
    }

    /// Waits until the server has come to rest, whatever it is blocked in, or has shown that it
    /// does not: that it runs idle is another check's matter. That it ends is a failure.
    pub fn settle(&self) -> Verdict<Snapshot> {
        self.trial.settle_or(&self.running, |status| self.ended(status))
    }

    /// Expects that the program comes to rest, whatever it is blocked in.
    pub fn expect_rest(&self) -> Verdict<Snapshot> {
        self.trial.expect_rest(&self.running, |status| self.ended(status))
    }

    /// Expects that it comes to rest and stays there.
    pub fn expect_idle(&self) -> Verdict {
        self.expect_idle_since(&self.expect_rest()?)
    }

    /// Expects that it stays at rest, as it was in the look `first`.
    pub fn expect_idle_since(&self, first: &Snapshot) -> Verdict {
        self.trial.expect_idle(&self.running, first, |status| self.ended(status))
    }

    /// Waits for its end, which it was told.
    pub fn wait_for_end(&self, cause: &str) -> Verdict<ExitStatus> {
        let nothing = || Ok(Progress::<Infallible>::Nothing);
        match self.trial.wait(&self.running, nothing)? {
            Err(Stall { kind: StallKind::Ended(status) }) => Ok(status),
            Err(stall) => Err(self
                .trial
                .fail(format!("the {} does not end", self.name()))
                .expected("its end")
                .seen(stall.stays(self.name()))
                .cause(cause)
                .stop()),
            Ok(never) => match never {},
        }
    }

    fn why_it_ended(&self, status: ExitStatus) -> &'static str {
        let stderr = self.running.program.stderr().last_lines(usize::MAX);
        unhandled(&stderr).unwrap_or_else(|| cause_of_end(status))
    }

    fn ended(&self, status: ExitStatus) -> Stop {
        self.trial
            .fail(format!("the {} ended", self.name()))
            .expected("it goes on, and serves the next client")
            .seen(describe_exit(status))
            .cause(self.why_it_ended(status))
            .stop()
    }

    /// Expects that `look` soon finds what it looks for; until then it says what it sees instead,
    /// in words for the failure. `cause` is why it may never come.
    pub fn expect_until<T>(
        &self,
        headline: &str,
        expected: &str,
        cause: &str,
        mut look: impl FnMut() -> Verdict<Result<T, String>>,
    ) -> Verdict<T> {
        let mut seen = String::new();
        let result = self.trial.wait(&self.running, || {
            Ok(match look()? {
                Ok(found) => Progress::Done(found),
                Err(instead) => {
                    seen = instead;
                    Progress::Nothing
                }
            })
        })?;
        result.map_err(|stall| {
            let blame = self.trial.fail(headline).expected(expected);
            let blame = match stall.kind {
                StallKind::Ended(status) => blame.cause(cause_of_end(status)),
                StallKind::Busy => blame.seen(seen).cause(self.trial.why_busy(&self.running)),
                _ => blame.seen(seen).cause(cause),
            };
            blame.seen(stall.stays(self.name())).stop()
        })
    }

    /// Expects that the kernel soon shows what `condition` looks for: the same with a look at the
    /// program's sockets and threads.
    pub fn expect_shown(
        &self,
        headline: &str,
        expected: &str,
        cause: &str,
        condition: impl Fn(&Snapshot) -> Result<(), String>,
    ) -> Verdict<Snapshot> {
        self.trial.needs_watching()?;
        self.expect_until(headline, expected, cause, || {
            let snapshot = self.look()?;
            Ok(condition(&snapshot).map(|()| snapshot))
        })
    }

    /// Expects that the program soon has no connection any more.
    pub fn expect_no_connection(&self, headline: &str, cause: &str) -> Verdict<Snapshot> {
        let expected = "the socket is closed: no row is left but the listener's";
        self.expect_shown(headline, expected, cause, |snapshot| {
            let rows = snapshot.own_rows();
            match rows.iter().find(|row| row.table.is_tcp() && row.state != State::Listen) {
                None => Ok(()),
                Some(row) => {
                    let with = self.trial.names().call(row.remote);
                    Err(format!("the connection with {with} is in {}", row.state))
                }
            }
        })
    }

    /// The server's listening socket at the address that the harness connects to.
    pub fn listener<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Row> {
        let port = self.address.port();
        snapshot.listeners().into_iter().find(|row| row.local.port() == port)
    }

    /// Stops it and all that it has started, without a chance to clean up: SIGKILL.
    pub fn kill(&self) -> Verdict {
        self.trial.kill(&self.running)
    }

    /// Ends its first process as a crash would: SIGKILL, and without the end of its standard input
    /// before.
    pub fn crash(&self) -> Verdict {
        self.running.program.crash()?;
        self.tell_killed();
        Ok(())
    }

    fn tell_killed(&self) {
        self.trial.note(format!("the {} was killed (SIGKILL)", self.name()));
        self.trial.record_program(&self.running, "killed", || "SIGKILL".into());
    }
}
