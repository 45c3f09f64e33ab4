//! The checks of lab 1, the server.
//!
//! A server that serves clients at the same time is as right as an iterative one.

mod accept_loop;
mod echo;
mod endure;
mod listen;
mod scenes;
mod serve;

use std::net::SocketAddr;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::Service;
use crate::program::{Given, Place, Stdin};
use crate::trial::{Trial, Verdict};

pub use echo::Flow;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(1),
    name: "server",
    title: "bind, listen, accept",
    folder: "labs/01-server",
    given: &[],
    arguments: &[Place::new("addr", "the address where it listens")],
    steps: &[
        Step {
            number: 1,
            name: "listen",
            task: "create a socket, bind it to the address and listen",
            chapter: "04-bind-and-listen",
            programs: &["server"],
        },
        Step {
            number: 2,
            name: "accept_loop",
            task: "accept clients one after another, and survive a client that fails",
            chapter: "05-accept",
            programs: &["server"],
        },
        Step {
            number: 3,
            name: "serve",
            task: "echo every byte until the client ends its stream",
            chapter: "06-endings",
            programs: &["server"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "open a listening socket, and say what the kernel does when a client calls",
        "serve client after client, and let none of them end the program",
        "treat TCP as what it is: a stream of bytes, without messages",
        "tell a client's end of stream from its silence, and close in good order",
    ],
    reading_step: Some(3),
};

steps! { $ server_checks: listen server_listen, accept_loop server_accept_loop, serve server_serve }

/// How the contract starts it.
const SERVER: Listens = Listens {
    lab: LAB.name,
    called: LAB.name,
    stdin: Stdin::Null,
    given: |_, address| Ok(Given::text(address)),
    bad: |address| {
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::usage(Given::address(address).surplus(), "one argument too many"),
            Bad::value(Given::text("nonsense"), "an address without a port"),
            Bad::value(Given::text("127.0.0.1:99999"), "a port that does not exist"),
            Bad::value(Given::text("no-such-host.invalid:7007"), "a name that does not exist"),
        ]
    },
    sockets: (1, 0),
    terms: &echo::ECHO,
};

impl Trial {
    /// Starts the server on a free loopback address and waits until it listens.
    pub fn server(&self) -> Verdict<Service> {
        SERVER.start(self)
    }

    /// Starts the server on `address` and waits until it listens.
    pub fn server_at(&self, address: SocketAddr) -> Verdict<Service> {
        SERVER.start_at(self, address)
    }
}
