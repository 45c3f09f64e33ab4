//! A listening socket of the harness, for programs that dial.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use super::causes::PANIC;
use super::{Connection, Role};
use crate::program::describe_exit;
use crate::trial::{Act, Progress, Running, StallKind, Trial, Verdict};

/// A socket of the harness that listens.
#[derive(Debug)]
pub struct Host {
    trial: Trial,
    listener: TcpListener,
    /// What the reader calls it.
    name: String,
    /// Where it listens.
    pub address: SocketAddr,
}

const DIALS: &str = "each address on the command line is dialled, also when the one before it failed, \
    and while nobody calls: accept blocks, so it needs a thread of its own";
/// The queue of a listener of std takes 129 connections (128, and one more, on Linux).
const MORE_THAN_QUEUED: usize = 200;
/// Connections to a full queue are not refused; they hang.
const HANGS: Duration = Duration::from_millis(20);

impl Trial {
    /// Listens on a free loopback address; the reader calls it `name`.
    pub fn host(&self, name: &str) -> Verdict<Host> {
        let address = self.addresses().free_address();
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        self.name(address, name);
        self.note(format!("{name} listens on {address}"));
        Ok(Host { trial: self.clone(), listener, name: name.to_owned(), address })
    }
}

impl Host {
    /// Waits until the program calls, and takes the connection.
    pub fn accept(&self, running: &Rc<Running>) -> Verdict<Connection> {
        let result = self.trial.wait(running, || self.try_accept())?;
        let stall = match result {
            Ok((stream, from)) => {
                self.trial.note(format!("the {} called {}", running.name, self.name));
                let (trial, running) = (self.trial.clone(), Rc::clone(running));
                let still = trial.record_before(&running, usize::MAX);
                let name = self.name.clone();
                let connection = Connection::new(trial, running, stream, Role::Server, name, from)?;
                connection.record(still, Act::Accept);
                return Ok(connection);
            }
            Err(stall) => stall,
        };
        let blame = self
            .trial
            .fail(format!("the {} does not call {}", running.name, self.name))
            .expected(format!("a connection to {}, which listens on {}", self.name, self.address));
        Err(match stall.kind {
            StallKind::Ended(status) if status.code() == Some(101) => blame
                .seen(format!("the {} ended, {}", running.name, describe_exit(status)))
                .cause(PANIC),
            StallKind::Ended(status) => blame
                .seen(format!("the {} ended, {}", running.name, describe_exit(status)))
                .cause("who can't be reached is no reason to end: others may call. Report the error of \
                        connect instead of handing it on (`?`), and go on"),
            _ => blame.seen(stall.sentence(&running.name)).cause(DIALS),
        }
        .stop())
    }

    /// Expects that nobody else has called: the program has come to rest.
    pub fn expect_no_call(&self, running: &Rc<Running>) -> Verdict {
        let _ = self.trial.settle(running)?;
        match self.try_accept()? {
            Progress::Done(_) => Err(self
                .trial
                .fail(format!("the {} calls {} a second time", running.name, self.name))
                .expected("one connection for each address on the command line")
                .seen("one more")
                .stop()),
            _ => Ok(()),
        }
    }

    /// Fills its queue, so that whoever calls now gets no answer. The connections that fill it
    /// are returned: they must be kept.
    pub fn fill_queue(&self) -> Verdict<Vec<TcpStream>> {
        let mut held = Vec::new();
        while held.len() < MORE_THAN_QUEUED {
            match TcpStream::connect_timeout(&self.address, HANGS) {
                Ok(stream) => held.push(stream),
                Err(_) => {
                    self.trial.note(format!(
                        "{} does not accept, and its queue is full: who calls it gets no answer",
                        self.name
                    ));
                    break;
                }
            }
        }
        Ok(held)
    }

    fn try_accept(&self) -> Verdict<Progress<(TcpStream, SocketAddr)>> {
        match self.listener.accept() {
            Ok(connection) => Ok(Progress::Done(connection)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Progress::Moved),
            Err(error) => Err(error.into()),
        }
    }
}
