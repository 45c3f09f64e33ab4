//! The checks of lab 2, the client. The harness is its server.
//!
//! What the client sends is exactly its standard input, and what it prints is exactly what the
//! server sends; how it is cut, and who speaks first, is the server's and the user's to decide.

mod causes;
mod connect;
mod echo;
mod program;
mod scenes;
mod send;
mod send_and_receive;

use crate::lab::{Lab, Step};
use crate::program::Place;
use crate::trial::Trial;

pub use program::Client;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(2),
    name: "client",
    title: "connect, send, receive",
    folder: "labs/02-client",
    given: &[],
    arguments: &[Place::new("addr", "the address that it connects to")],
    steps: &[
        Step {
            number: 1,
            name: "connect",
            task: "connect to the address, trying each address that the name has",
            chapter: "07-connect-and-send",
            programs: &["client"],
        },
        Step {
            number: 2,
            name: "send",
            task: "send all of stdin to the server, then end the sending side only",
            chapter: "07-connect-and-send",
            programs: &["client"],
        },
        Step {
            number: 3,
            name: "send_and_receive",
            task: "start `send` in a thread, and copy what arrives to stdout meanwhile",
            chapter: "08-send-and-receive",
            programs: &["client"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "call a server by its name, whichever of its addresses answers",
        "send and receive at the same time, and say which deadlock that avoids",
        "end one direction of a connection while the other one goes on",
    ],
    reading_step: Some(3),
};

steps! { $ client_checks: connect client_connect, send client_send, send_and_receive client_send_and_receive }

/// More than the queues between two programs hold, in bytes.
fn large(t: &Trial) -> usize {
    // The usual queues of a system hold up to 10 MiB in a direction.
    if t.addresses().is_isolated() { 8 << 20 } else { 15 << 20 }
}
