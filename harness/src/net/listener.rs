//! A listening socket of the harness, for programs that connect.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use super::connection::Connection;
use super::{Terms, describe_addresses};
use crate::trial::{Act, Progress, Running, Stall, StallKind, Stop, Trial, Verdict};

/// The harness's listening socket; several where a name has several addresses.
#[derive(Debug)]
pub struct Listener {
    trial: Trial,
    sockets: Vec<TcpListener>,
    /// What the reader calls it.
    name: String,
    /// What a program owes that connects.
    terms: &'static Terms,
    /// Where it listens, one address for each socket.
    pub addresses: Vec<SocketAddr>,
}

/// The queue of a listener of std takes so many connections (128, and one more, on Linux).
const QUEUED: usize = 129;
const MORE_THAN_QUEUED: usize = 200;
/// So many that hang in a row are a full queue, also where the system makes it shorter.
const MOST_HUNG: usize = 10;
/// Connections to a full queue are not refused; they hang.
const HANGS: Duration = Duration::from_millis(20);

impl Trial {
    /// Listens on these addresses; the reader calls the harness's end `name`.
    pub fn listen_as(
        &self,
        name: &str,
        addresses: &[SocketAddr],
        terms: &'static Terms,
    ) -> Verdict<Listener> {
        let mut sockets = Vec::new();
        for address in addresses {
            let socket = TcpListener::bind(address)
                .map_err(|error| Stop::Fault(format!("cannot listen on {address}: {error}")))?;
            socket.set_nonblocking(true)?;
            sockets.push(socket);
            self.name(*address, name);
        }
        let (trial, name, addresses) = (self.clone(), name.to_owned(), addresses.to_vec());
        Ok(Listener { trial, sockets, name, terms, addresses })
    }
}

impl Listener {
    /// What the reader calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens; the first address, where there are several.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Waits for the program's connection, and takes it; `told` says it in the story, from the
    /// address that it comes from. `Err` where the program will not connect.
    pub fn take(
        &self,
        running: &Rc<Running>,
        told: impl FnOnce(SocketAddr) -> String,
    ) -> Verdict<Result<Connection, Stall>> {
        let result = self.trial.wait_for_start(running, || {
            Ok(self.next()?.map_or(Progress::Nothing, Progress::Done))
        })?;
        let (stream, from) = match result {
            Ok(next) => next,
            Err(stall) => return Ok(Err(stall)),
        };
        self.trial.note(told(from));
        self.taken(running, stream, from).map(Ok)
    }

    /// Takes the program's connection if it is there, and does not wait for it.
    pub fn take_now(&self, running: &Rc<Running>) -> Verdict<Option<Connection>> {
        let Some((stream, from)) = self.next()? else { return Ok(None) };
        self.trial.note(self.told(from));
        self.taken(running, stream, from).map(Some)
    }

    fn told(&self, from: SocketAddr) -> String {
        format!("{} accepted a connection from port {}", self.name, from.port())
    }

    fn taken(
        &self,
        running: &Rc<Running>,
        stream: TcpStream,
        from: SocketAddr,
    ) -> Verdict<Connection> {
        let (trial, running) = (self.trial.clone(), Rc::clone(running));
        let still = trial.record_before(&running, usize::MAX);
        let name = self.name.clone();
        let connection = Connection::new(trial, running, stream, name, from, self.terms)?;
        connection.record(still, Act::Accept);
        Ok(connection)
    }

    /// Expects the program's connection, and takes it; `cause` is why it may not connect.
    pub fn accept(&self, running: &Rc<Running>, cause: &str) -> Verdict<Connection> {
        self.take(running, |from| self.told(from))?.map_err(|stall| {
            let name = &running.name;
            self.trial
                .fail(match stall.kind {
                    StallKind::Ended(_) => format!("the {name} ended and did not connect"),
                    _ => format!("the {name} does not connect"),
                })
                .expected(format!("a connection to {}", describe_addresses(&self.addresses)))
                .seen(stall.sentence(name))
                .cause(cause)
                .stop()
        })
    }

    /// Where a further connection comes from, once the program is at rest, if there is one.
    pub fn take_another(&self, running: &Running) -> Verdict<Option<SocketAddr>> {
        let _ = self.trial.settle(running)?;
        Ok(self.next()?.map(|(_, from)| from))
    }

    /// Fills its queue, so that a further connection gets no answer. The connections that fill it
    /// are returned: they must be kept.
    pub fn fill_queue(&self) -> Verdict<Vec<TcpStream>> {
        let (mut held, mut hung) = (Vec::new(), 0);
        while held.len() < MORE_THAN_QUEUED {
            match TcpStream::connect_timeout(&self.address(), HANGS) {
                Ok(stream) => {
                    held.push(stream);
                    hung = 0;
                }
                // On a busy machine one may hang that has a place.
                Err(_) if held.len() < QUEUED && hung < MOST_HUNG => hung += 1,
                Err(_) => {
                    self.trial.note(format!(
                        "{} does not accept, and its queue is full: whoever calls it gets no answer",
                        self.name
                    ));
                    break;
                }
            }
        }
        Ok(held)
    }

    /// A connection that is there.
    fn next(&self) -> Verdict<Option<(TcpStream, SocketAddr)>> {
        for socket in &self.sockets {
            match socket.accept() {
                Ok(connection) => return Ok(Some(connection)),
                Err(error) => match error.kind() {
                    // A client that has gone again before it was accepted.
                    ErrorKind::WouldBlock
                    | ErrorKind::Interrupted
                    | ErrorKind::ConnectionAborted => {}
                    _ => return Err(error.into()),
                },
            }
        }
        Ok(None)
    }
}
