//! The checks of lab 3, the peer.
//!
//! What is said on one connection is told by the files in `fixtures/03-peer/conversations`; in
//! the modules below is what takes several connections, several programs, or a look at the
//! kernel: a module for each step, and one for several real peers together.

mod broadcast;
pub(crate) mod causes;
mod conversations;
mod endure;
mod greet;
mod leaving;
mod listen_and_dial;
mod program;
mod receive;
mod scenes;
mod together;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::Terms;
use crate::program::{Given, Place, Stdin};

pub use conversations::{Peers, VOCABULARY};
pub use program::Peer;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(3),
    name: "peer",
    title: "both at once, peer to peer",
    folder: "labs/03-peer",
    given: &[],
    arguments: &[
        Place::new("name", "its name"),
        Place::new("addr", "the address where it listens"),
        Place::new("peers", "the addresses of the others"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "listen_and_dial",
            task: "listen, and accept in one thread while you dial the given peers",
            chapter: "09-one-program-both-roles",
            programs: &["peer"],
        },
        Step {
            number: 2,
            name: "greet",
            task: "send HELLO and your name, then read the other's HELLO",
            chapter: "10-lines-on-a-stream",
            programs: &["peer"],
        },
        Step {
            number: 3,
            name: "receive",
            task: "read lines from one peer, and print what it says",
            chapter: "10-lines-on-a-stream",
            programs: &["peer"],
        },
        Step {
            number: 4,
            name: "broadcast",
            task: "send one line to every peer that is present",
            chapter: "11-talking-to-everybody",
            programs: &["peer"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "be a server and a client in one program",
        "make lines of a stream, whatever its segments are, and bound them",
        "keep a list of who is there, while threads join and leave",
        "tell everybody, and be held up by nobody",
    ],
    reading_step: Some(3),
};

steps! { $ peer_checks: listen_and_dial peer_listen_and_dial, greet peer_greet, receive peer_receive, broadcast peer_broadcast }

/// How the contract starts it: alone, as ann.
const PEER: Listens = Listens {
    lab: LAB.name,
    called: "peer ann",
    // Its end would be the end of the peer.
    stdin: Stdin::Piped,
    given: |_, address| Ok(ann(address)),
    bad: |address| {
        let listen = &address.to_string();
        vec![
            Bad::value(Given::nothing(), "no argument"),
            Bad::value(ann("nonsense"), "an address without a port"),
            Bad::value(ann(listen).with("name", "two words"), "a name with a space in it"),
            Bad::value(ann(listen).with("name", ""), "an empty name"),
            Bad::value(ann(listen).with("name", "a".repeat(33)), "a name of 33 letters"),
        ]
    },
    sockets: (1, 0),
    terms: &Terms::ANSWERS,
};

/// What ann is given, where she listens on `address` and calls nobody.
fn ann(address: &str) -> Given {
    Given::text(address).with("name", "ann").with_all("peers", [""; 0])
}
