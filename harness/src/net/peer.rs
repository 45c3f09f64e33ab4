//! A peer under test: it listens, it dials, its user types, and it prints what happens.

use std::net::SocketAddr;
use std::ops::Deref;
use std::rc::Rc;

use super::causes::{BUSY, GREETING, JOINED, LEAVING, PANIC};
use super::events::Events;
use super::{Host, RemotePeer, Server};
use crate::kernel;
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Running, StallKind, Trial, Verdict};
use crate::words::quote_short;

/// A peer under test. What can be done to any program that listens can be done to it, too: see
/// [`Server`].
#[derive(Debug)]
pub struct Peer {
    server: Server,
    /// The name that it was given.
    pub name: String,
    events: Events,
}

impl Deref for Peer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The lab that a peer is the program of.
const LAB: &str = "peer";

impl Trial {
    /// Starts the peer `name` on a free address; it calls `others`. Waits until it listens.
    pub fn peer(&self, name: &str, others: &[SocketAddr]) -> Verdict<Peer> {
        self.peer_at(name, self.addresses().free_address(), others)
    }

    /// Starts the peer `name` on this address; it calls `others`. Waits until it listens.
    pub fn peer_at(&self, name: &str, listen: SocketAddr, others: &[SocketAddr]) -> Verdict<Peer> {
        let others: Vec<_> = others.iter().map(SocketAddr::to_string).collect();
        let running = self.start_peer(name, &listen.to_string(), &others)?;
        let server = self.listening(Rc::clone(&running), listen)?;
        self.name(server.address, name);
        Ok(Peer { server, name: name.to_owned(), events: Events::new(self.clone(), running) })
    }

    /// Starts the peer `name` and goes on at once.
    pub fn start_peer(&self, name: &str, listen: &str, others: &[String]) -> Verdict<Rc<Running>> {
        let (command, shown) = self
            .template_of(LAB)?
            .fill(&Given::text(listen).with("name", name).with_all("peers", others));
        // Standard input stays open: its end would be the end of the peer.
        self.start_command(&format!("peer {name}"), command, &shown, Stdin::Piped)
    }
}

impl Peer {
    /// A peer of the harness's own calls it.
    pub fn called_by(&self, name: &str) -> Verdict<RemotePeer> {
        let connection = self.server.connect_as(name.to_owned(), false)?;
        let (from, at) = (connection.here().port(), self.address);
        self.trial().note(format!("{name} called {at} from port {from}"));
        Ok(RemotePeer::new(connection))
    }

    /// The peer calls `host`, which the harness plays.
    pub fn calls(&self, host: &Host) -> Verdict<RemotePeer> {
        Ok(RemotePeer::new(host.accept(&self.running)?))
    }

    /// The two greetings: the harness's first, or the program's.
    pub fn greet(&self, other: &mut RemotePeer, role: &str) -> Verdict {
        let name = other.name();
        other.say(&format!("HELLO {name}"))?;
        self.expect_greeting(other)?;
        self.expect_joined(other, role)
    }

    /// Expects the program's `HELLO`.
    pub fn expect_greeting(&self, other: &mut RemotePeer) -> Verdict {
        other.expect_line(&format!("HELLO {}", self.name), GREETING)
    }

    /// Expects `joined NAME ADDRESS as ROLE`.
    pub fn expect_joined(&self, other: &RemotePeer, role: &str) -> Verdict {
        let address = other.connection().here();
        self.expect_event(&format!("joined {} {address} as {role}", other.name()), JOINED)
    }

    /// A peer of the harness's own calls, greets and is announced.
    pub fn joined_by(&self, name: &str) -> Verdict<RemotePeer> {
        let mut other = self.called_by(name)?;
        self.greet(&mut other, "server")?;
        Ok(other)
    }

    /// Ends it as a crash would: SIGKILL, and without the end of its standard input before.
    pub fn crash(&self) -> Verdict {
        self.running.program.crash()?;
        self.trial().note(format!("the {} was killed (SIGKILL)", self.running.name));
        Ok(())
    }

    /// Waits until it has come to rest, or does not: whatever it was given has reached it.
    pub fn rest(&self) -> Verdict {
        self.trial().settle(&self.running).map(drop)
    }

    /// Expects this line on standard output next. `*` stands for anything in it.
    pub fn expect_event(&self, event: &str, cause: &str) -> Verdict {
        self.expect_events(&[event], cause)
    }

    /// Expects these lines next, in any order.
    pub fn expect_events(&self, events: &[&str], cause: &str) -> Verdict {
        self.events.expect(events, cause)
    }

    /// Expects that no more lines come. Returns whether the program has come to rest.
    pub fn expect_no_event(&self, cause: &str) -> Verdict<bool> {
        self.events.expect_none(cause)
    }

    /// Waits until it has closed its end of the connection from `address`, which the harness has
    /// closed, and leaves out what it prints meanwhile. Returns whether it has.
    pub fn is_rid_of(&self, address: SocketAddr) -> Verdict<bool> {
        if kernel::available().is_err() {
            return Ok(false);
        }
        let gone = self.trial().wait(&self.running, || {
            let snapshot = self.look()?;
            let held = snapshot.own_rows().iter().any(|row| row.remote == address);
            Ok(if held { Progress::Nothing } else { Progress::Done(()) })
        })?;
        self.events.forget()?;
        Ok(gone.is_ok())
    }

    /// Its user types a line. A peer that does not read it is for what is expected to judge.
    pub fn types(&self, text: &str) {
        self.types_bytes(format!("{text}\n").as_bytes());
    }

    /// Its user types these bytes.
    pub fn types_bytes(&self, bytes: &[u8]) {
        let name = &self.running.name;
        self.trial().note(format!("the user of the {name} typed {}", quote_short(bytes, 60)));
        let _ = self.running.program.write_stdin(bytes);
        self.trial().record_program(&self.running, "stdin", || quote_short(bytes, 60));
    }

    /// Its user ends standard input.
    pub fn stops_typing(&self) {
        self.trial().note(format!("the user of the {} ended standard input", self.running.name));
        self.running.program.close_stdin();
        self.trial().record_program(&self.running, "stdin", || "its end".into());
    }

    /// Expects that it ends by itself, with this exit status.
    pub fn expect_exit(&self, status: i32) -> Verdict {
        let code = Some(status);
        let name = &self.running.name;
        // Its own limit and our backstop are alike, two seconds: wait for both.
        for _ in 0..2 {
            let result = self.trial().wait(&self.running, || Ok(Progress::<()>::Nothing))?;
            let Err(stall) = result else { continue };
            let blame = match stall.kind {
                StallKind::Ended(status) if status.code() == code => {
                    self.trial().note(format!("the {name} ended, {}", describe_exit(status)));
                    return Ok(());
                }
                StallKind::Patience => continue,
                StallKind::Ended(other) => self
                    .trial()
                    .fail(format!("the {name} did not end well"))
                    .seen(describe_exit(other)),
                _ => {
                    self.trial().fail(format!("the {name} does not end")).seen(stall.sentence(name))
                }
            };
            let cause = match stall.kind {
                StallKind::Busy => BUSY,
                StallKind::Ended(how) if how.code() == Some(101) => PANIC,
                _ => LEAVING,
            };
            return Err(blame.expected(format!("exit status {status}")).cause(cause).stop());
        }
        Err(self
            .trial()
            .fail(format!("the {name} does not end"))
            .expected(format!("exit status {status}, after two seconds at the latest"))
            .seen("after four seconds it still runs")
            .cause(LEAVING)
            .stop())
    }
}
