//! A peer under test: it listens, it dials, its user types, and it prints what happens.

use std::net::SocketAddr;
use std::rc::Rc;

use super::LAB;
use super::causes::{GREETING, JOINED, LEAVING};
use crate::net::causes::PANIC;
use crate::net::{Console, LineEnd, Lines, Listener, Service, Terms};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Running, StallKind, Trial, Verdict};

/// A peer under test.
#[derive(Debug)]
pub struct Peer {
    /// The name that it was given.
    pub name: String,
    /// Its side that listens.
    pub service: Service,
    /// Its user's side.
    pub console: Console,
}

impl Trial {
    /// Starts the peer `name` on a free address; it calls `others`. Waits until it listens.
    pub fn peer(&self, name: &str, others: &[SocketAddr]) -> Verdict<Peer> {
        self.peer_at(name, self.addresses().free_address(), others)
    }

    /// Starts the peer `name` on this address; it calls `others`. Waits until it listens.
    pub fn peer_at(&self, name: &str, listen: SocketAddr, others: &[SocketAddr]) -> Verdict<Peer> {
        let others: Vec<_> = others.iter().map(SocketAddr::to_string).collect();
        let running = self.start_peer(name, &listen.to_string(), &others)?;
        let service = self.listening(Rc::clone(&running), listen)?;
        self.name(service.address, name);
        let console = Console::new(self.clone(), running);
        Ok(Peer { name: name.to_owned(), service, console })
    }

    /// Starts the peer `name` and goes on at once.
    pub fn start_peer(&self, name: &str, listen: &str, others: &[String]) -> Verdict<Rc<Running>> {
        let given = Given::text(listen).with("name", name).with_all("peers", others);
        let (command, shown) = self.template_of(LAB.name)?.fill(&given);
        // Standard input stays open: its end would be the end of the peer.
        self.start_command(&format!("peer {name}"), command, &shown, Stdin::Piped)
    }

    /// Listens on a free loopback address as the peer `name`, which the program is to call.
    pub fn host(&self, name: &str) -> Verdict<Listener> {
        let address = self.addresses().free_address();
        let listener = self.listen_as(name, &[address], &Terms::ANSWERS)?;
        self.note(format!("{name} listens on {address}"));
        Ok(listener)
    }
}

impl Peer {
    /// The trial that it takes part in.
    pub fn trial(&self) -> &Trial {
        self.service.trial()
    }

    /// The program.
    pub fn running(&self) -> &Rc<Running> {
        &self.service.running
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.service.address
    }

    /// A peer of the harness's own calls it.
    pub fn called_by(&self, name: &str) -> Verdict<Lines> {
        let connection = self.service.connect_as(name.to_owned(), false)?;
        let (from, at) = (connection.here().port(), self.address());
        self.trial().note(format!("{name} called {at} from port {from}"));
        Ok(Lines::new(connection, LineEnd::Lf))
    }

    /// The peer calls `host`, which the harness plays.
    pub fn calls(&self, host: &Listener) -> Verdict<Lines> {
        let (running, called) = (self.running(), host.name());
        let told = |_| format!("the {} called {called}", running.name);
        let stall = match host.take(running, told)? {
            Ok(connection) => return Ok(Lines::new(connection, LineEnd::Lf)),
            Err(stall) => stall,
        };
        let blame = self
            .trial()
            .fail(format!("the {} does not call {called}", running.name))
            .expected(format!("a connection to {called}, which listens on {}", host.address()));
        Err(match stall.kind {
            StallKind::Ended(status) => blame
                .seen(format!("the {} ended, {}", running.name, describe_exit(status)))
                .cause(if status.code() == Some(101) { PANIC } else { NO_END }),
            _ => blame.seen(stall.sentence(&running.name)).cause(DIALS),
        }
        .stop())
    }

    /// Expects that it has called `host` once: it has come to rest, and no further call is there.
    pub fn expect_no_call(&self, host: &Listener) -> Verdict {
        if host.take_another(self.running())?.is_none() {
            return Ok(());
        }
        let (name, called) = (&self.running().name, host.name());
        Err(self
            .trial()
            .fail(format!("the {name} calls {called} a second time"))
            .expected("one connection for each address on the command line")
            .seen("one more")
            .stop())
    }

    /// The two greetings: the harness's first, or the program's.
    pub fn greet(&self, other: &mut Lines, role: &str) -> Verdict {
        let name = other.name();
        other.say(&format!("HELLO {name}"))?;
        self.expect_greeting(other)?;
        self.expect_joined(other, role)
    }

    /// Expects the program's `HELLO`.
    pub fn expect_greeting(&self, other: &mut Lines) -> Verdict {
        other.expect_line(&format!("HELLO {}", self.name), GREETING)
    }

    /// Expects `joined NAME ADDRESS as ROLE`.
    pub fn expect_joined(&self, other: &Lines, role: &str) -> Verdict {
        let address = other.connection().here();
        self.expect_event(&format!("joined {} {address} as {role}", other.name()), JOINED)
    }

    /// A peer of the harness's own calls, greets and is announced.
    pub fn joined_by(&self, name: &str) -> Verdict<Lines> {
        let mut other = self.called_by(name)?;
        self.greet(&mut other, "server")?;
        Ok(other)
    }

    /// Waits until it has come to rest, or does not: whatever it was given has reached it.
    pub fn rest(&self) -> Verdict {
        self.trial().settle(self.running()).map(drop)
    }

    /// Expects this line on standard output next: see [`Console::expect_event`].
    pub fn expect_event(&self, event: &str, cause: &str) -> Verdict {
        self.console.expect_event(event, cause)
    }

    /// Expects these lines next, in any order.
    pub fn expect_events(&self, events: &[&str], cause: &str) -> Verdict {
        self.console.expect_events(events, cause)
    }

    /// Expects that no more lines come. Returns whether the program has come to rest.
    pub fn expect_no_event(&self, cause: &str) -> Verdict<bool> {
        self.console.expect_no_event(cause)
    }

    /// Its user types a line.
    pub fn types(&self, text: &str) {
        self.console.types(text);
    }

    /// Its user ends standard input.
    pub fn stops_typing(&self) {
        self.console.stops_typing();
    }

    /// Expects that it ends by itself, with this exit status.
    pub fn expect_exit(&self, status: i32) -> Verdict {
        self.console.expect_exit(status, LEAVING)
    }
}

const DIALS: &str = "each address on the command line is dialled, also when the one before it failed, \
    and while nobody calls: accept blocks, so it needs a thread of its own";
const NO_END: &str = "a peer that can't be reached is no reason to end: others may call. Report the error of \
    connect instead of handing it on (`?`), and go on";
