//! The checks of lab 1, the server.
//!
//! A server that serves clients at the same time is as right as an iterative one.

mod accept_loop;
mod echo;
mod endure;
mod listen;
mod refusals;
mod scenes;
mod serve;

use std::net::SocketAddr;

use crate::lab::{Lab, Step};
use crate::net::Service;
use crate::program::{Given, Place, Stdin};
use crate::trial::{Trial, Verdict};

pub use echo::Flow;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: 1,
    name: "server",
    title: "bind, listen, accept",
    folder: "labs/01-server",
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
    learned: &[
        "open a listening socket, and say what the kernel does when a client calls",
        "serve client after client, and let none of them end the program",
        "treat TCP as what it is: a stream of bytes, without messages",
        "tell a client's end of stream from its silence, and close in good order",
    ],
};

steps! { $ server_checks: listen server_listen, accept_loop server_accept_loop, serve server_serve }

impl Trial {
    /// Starts the server on a free loopback address and waits until it listens.
    pub fn server(&self) -> Verdict<Service> {
        self.server_at(self.addresses().free_address())
    }

    /// Starts the server on `address` and waits until it listens.
    pub fn server_at(&self, address: SocketAddr) -> Verdict<Service> {
        let running = self.start(LAB.name, Given::address(address), Stdin::Null)?;
        Ok(self.listening(running, address)?.owing(&echo::ECHO))
    }
}

fn expect_idle(t: &Trial, server: &Service) -> Verdict {
    t.expect_idle(&server.running, &server.expect_rest()?)
}
