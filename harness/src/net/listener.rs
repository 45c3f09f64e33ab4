//! The harness as the server of a program under test that connects.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use super::connection::{Connection, Role};
use super::{Client, describe_addresses};
use crate::program::{Given, Stdin};
use crate::trial::{Act, Progress, StallKind, Stop, Trial, Verdict};

/// The harness's listening socket; several where a name has several addresses.
#[derive(Debug)]
pub struct Listener {
    trial: Trial,
    sockets: Vec<TcpListener>,
    /// Where it listens, one address for each socket.
    pub addresses: Vec<SocketAddr>,
}

/// What the reader calls the harness's end.
const NAME: &str = "the server";

impl Trial {
    /// Listens on a free loopback address.
    pub fn listen(&self) -> Verdict<Listener> {
        self.listen_on(&[self.addresses().free_address()])
    }

    /// Listens on these addresses.
    pub fn listen_on(&self, addresses: &[SocketAddr]) -> Verdict<Listener> {
        let mut sockets = Vec::new();
        for address in addresses {
            let socket = TcpListener::bind(address)
                .map_err(|error| Stop::Fault(format!("cannot listen on {address}: {error}")))?;
            socket.set_nonblocking(true)?;
            sockets.push(socket);
            self.name(*address, NAME);
        }
        self.note(format!("the harness listens on {}, as {NAME}", describe_addresses(addresses)));
        Ok(Listener { trial: self.clone(), sockets, addresses: addresses.to_vec() })
    }

    /// A listener, the client connected to it, and the harness's end of the connection.
    pub fn conversation(&self) -> Verdict<(Client, Connection)> {
        let listener = self.listen()?;
        let client = self.client(Given::address(listener.addresses[0]))?;
        let server = listener.accept(&client)?;
        Ok((client, server))
    }

    /// Starts the client, and goes on at once. Its standard input stays open and empty.
    pub fn client(&self, given: Given) -> Verdict<Client> {
        let running = self.start("client", given, Stdin::Piped)?;
        Ok(Client::new(self.clone(), running))
    }
}

impl Listener {
    /// Waits for the client's connection, and accepts it.
    pub fn accept(&self, client: &Client) -> Verdict<Connection> {
        self.accept_or(
            client,
            "connect takes the text that the user typed: the host, a colon, the port",
        )
    }

    /// The same; `cause` is why the client may not connect, where the check knows better.
    pub fn accept_or(&self, client: &Client, cause: &str) -> Verdict<Connection> {
        let result = self.trial.wait(&client.running, || match self.next()? {
            Some(connection) => Ok(Progress::Done(connection)),
            None => Ok(Progress::Nothing),
        })?;
        let stall = match result {
            Ok((stream, from)) => {
                self.trial.note(format!("{NAME} accepted a connection from port {}", from.port()));
                let running = Rc::clone(&client.running);
                let trial = self.trial.clone();
                let name = NAME.to_owned();
                let still = trial.record_before(&running, usize::MAX);
                let connection = Connection::new(trial, running, stream, Role::Server, name, from)?;
                connection.record(still, Act::Accept);
                return Ok(connection);
            }
            Err(stall) => stall,
        };
        let blame = match stall.kind {
            StallKind::Ended(_) => self.trial.fail("the client ended and did not connect"),
            _ => self.trial.fail("the client does not connect"),
        };
        Err(blame
            .expected(format!("a connection to {}", describe_addresses(&self.addresses)))
            .seen(stall.sentence("client"))
            .cause(cause)
            .stop())
    }

    /// Expects that the client, once it is at rest, has not connected again.
    pub fn expect_nobody(&self, client: &Client) -> Verdict {
        let _ = self.trial.settle(&client.running)?;
        let Some((_, from)) = self.next()? else {
            self.trial.note(format!("nobody else has connected to {NAME}"));
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

    /// A connection that is there.
    fn next(&self) -> Verdict<Option<(std::net::TcpStream, SocketAddr)>> {
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
