//! What a trial tells whoever watches it: each call of the harness, and what it read. Where
//! nobody watches, nothing is told.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;

use super::{Running, Trial};

/// What the harness does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act<'a> {
    /// It connects to the program.
    Connect,
    /// It accepts the program's connection.
    Accept,
    /// It writes these bytes.
    Write(&'a [u8]),
    /// It ends its sending side.
    EndSending,
    /// It drops the stream, having read everything.
    Close,
    /// It drops the stream with bytes unread.
    Reset,
}

/// A datagram that the harness has sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatagramAct<'a> {
    /// What the reader calls the harness's end.
    pub(crate) by: &'a str,
    /// The address of that end.
    pub(crate) from: SocketAddr,
    /// Where the datagram goes.
    pub(crate) to: SocketAddr,
    /// Its payload.
    pub(crate) bytes: &'a [u8],
}

/// How a direction of a connection can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A FIN: the sender has said all that it had to say.
    Stream,
    /// A RST: the connection was torn down.
    Reset,
}

impl End {
    /// In words.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Stream => "the end of the stream (FIN)",
            Self::Reset => "a reset (RST)",
        }
    }
}

/// A program that is held still for as long as this lives.
#[derive(Debug)]
#[must_use]
pub(crate) struct Still(pub(crate) Option<Rc<Running>>);

impl Drop for Still {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            // A program that has ended needs no signal.
            let _ = running.program.signal("CONT");
        }
    }
}

/// One end of a connection, as the reader calls it, and both addresses.
pub(crate) type Line<'a> = (&'a str, SocketAddr, SocketAddr);

/// Who watches a trial.
pub(crate) trait Observer: Debug {
    /// The command as it has to be run to be watched.
    fn wrap(&self, command: Command) -> Command;
    /// A folder that what it put before the command writes to.
    fn folder(&self) -> Option<PathBuf>;
    /// What was read last is complete.
    fn heard(&self, trial: &Trial);
    /// Before the harness acts on a program, to which it will send so many bytes.
    fn before(&self, trial: &Trial, running: &Rc<Running>, bytes: usize) -> Still;
    /// After the harness has acted on a connection.
    fn after(&self, trial: &Trial, still: Still, on: &Rc<Running>, line: Line<'_>, act: Act<'_>);
    /// The harness has read something, or the end.
    fn read(&self, trial: &Trial, at: (SocketAddr, SocketAddr), bytes: &[u8], end: Option<End>);
    /// After the harness has sent a datagram.
    fn datagram(&self, trial: &Trial, still: Still, on: &Rc<Running>, act: DatagramAct<'_>);
    /// The harness's end of this name has received a datagram.
    fn datagram_read(&self, trial: &Trial, at: (&str, SocketAddr), from: SocketAddr, bytes: &[u8]);
    /// The datagram that was received last is lost: its receiver never had it.
    fn datagram_lost(&self);
    /// Something about a program that is no matter of connections.
    fn program(&self, trial: &Trial, running: &Running, call: &str, text: String);
}

impl Trial {
    pub(crate) fn record_heard(&self) {
        if let Some(observer) = self.observer() {
            observer.heard(self);
        }
    }

    pub(crate) fn record_before(&self, running: &Rc<Running>, bytes: usize) -> Still {
        self.observer().map_or(Still(None), |observer| observer.before(self, running, bytes))
    }

    pub(crate) fn record_after(
        &self,
        still: Still,
        running: &Rc<Running>,
        line: Line<'_>,
        act: Act<'_>,
    ) {
        if let Some(observer) = self.observer() {
            observer.after(self, still, running, line, act);
        }
    }

    pub(crate) fn record_read(&self, at: (SocketAddr, SocketAddr), bytes: &[u8], end: Option<End>) {
        if let Some(observer) = self.observer() {
            observer.read(self, at, bytes, end);
        }
    }

    pub(crate) fn record_datagram(&self, still: Still, on: &Rc<Running>, act: DatagramAct<'_>) {
        if let Some(observer) = self.observer() {
            observer.datagram(self, still, on, act);
        }
    }

    pub(crate) fn record_datagram_read(
        &self,
        at: (&str, SocketAddr),
        from: SocketAddr,
        bytes: &[u8],
    ) {
        if let Some(observer) = self.observer() {
            observer.datagram_read(self, at, from, bytes);
        }
    }

    pub(crate) fn record_datagram_lost(&self) {
        if let Some(observer) = self.observer() {
            observer.datagram_lost();
        }
    }

    pub(crate) fn record_program(
        &self,
        running: &Running,
        call: &str,
        text: impl FnOnce() -> String,
    ) {
        if let Some(observer) = self.observer() {
            observer.program(self, running, call, text());
        }
    }
}
