//! The course as data: the labs, their steps, and all checks. This registry is the denominator
//! of every score; what is not in it does not count, and what is in it and did not run failed.

use crate::checks;
pub use crate::lab::{Check, Lab, Step};

impl Check {
    /// Stable id: `server/half-close`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.lab, self.name.replace('_', "-"))
    }

    /// The part of the course that it belongs to.
    pub fn lab(&self) -> &'static Lab {
        let lab = lab(self.lab);
        lab.expect("the registry's own test proves that each check is in its lab")
    }

    /// The last step that must be written for it to pass: of its own lab, or of every lab whose
    /// program it runs.
    pub(crate) fn needs(&self) -> u8 {
        if self.lab().is_lab() { self.step } else { u8::MAX }
    }

    /// The step that it exercises.
    pub fn step(&self) -> &'static Step {
        let step = self.lab().steps.iter().find(|step| step.number == self.step);
        step.expect("the registry's own test proves that each check's step exists")
    }
}

/// All labs, in the order of the course.
pub static LABS: &[Lab] = &[SERVER, CLIENT, PEER];

const SERVER: Lab = Lab {
    number: 1,
    name: "server",
    title: "bind, listen, accept",
    folder: "labs/01-server",
    arguments: &["{addr}"],
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
            chapter: "07-endings",
            programs: &["server"],
        },
    ],
    checks: checks::server::CHECKS,
    learned: &[
        "open a listening socket, and say what the kernel does when a client calls",
        "serve client after client, and let none of them end the program",
        "treat TCP as what it is: a stream of bytes, without messages",
        "tell a client's end of stream from its silence, and close in good order",
    ],
};

const CLIENT: Lab = Lab {
    number: 2,
    name: "client",
    title: "connect, send, receive",
    folder: "labs/02-client",
    arguments: &["{addr}"],
    steps: &[
        Step {
            number: 1,
            name: "connect",
            task: "connect to the address, trying each address that the name has",
            chapter: "06-connect-and-send",
            programs: &["client"],
        },
        Step {
            number: 2,
            name: "send",
            task: "send all of stdin to the server, then end the sending side only",
            chapter: "06-connect-and-send",
            programs: &["client"],
        },
        Step {
            number: 3,
            name: "receive",
            task: "copy what arrives to stdout, while `send` runs",
            chapter: "07-endings",
            programs: &["client"],
        },
    ],
    checks: checks::client::CHECKS,
    learned: &[
        "call a server by its name, whichever of its addresses answers",
        "send and receive at the same time, and say which deadlock that avoids",
        "end one direction of a connection while the other one goes on",
    ],
};

const PEER: Lab = Lab {
    number: 3,
    name: "peer",
    title: "both at once, peer to peer",
    folder: "labs/03-peer",
    arguments: &["{name}", "{addr}", "{peers}"],
    steps: &[
        Step {
            number: 1,
            name: "listen_and_dial",
            task: "listen, and accept in one thread while you dial the given peers",
            chapter: "08-one-program-both-roles",
            programs: &["peer"],
        },
        Step {
            number: 2,
            name: "greet",
            task: "send HELLO and your name, then read the other's HELLO",
            chapter: "09-lines-on-a-stream",
            programs: &["peer"],
        },
        Step {
            number: 3,
            name: "receive",
            task: "read lines from one peer, and print what it says",
            chapter: "09-lines-on-a-stream",
            programs: &["peer"],
        },
        Step {
            number: 4,
            name: "broadcast",
            task: "send one line to every peer that is present",
            chapter: "10-talking-to-everybody",
            programs: &["peer"],
        },
    ],
    checks: checks::peer::CHECKS,
    learned: &[
        "be a server and a client in one program",
        "make lines of a stream, whatever its segments are, and bound them",
        "keep a list of who is there, while threads join and leave",
        "tell everybody, and be held up by nobody",
    ],
};

/// What is no lab: the student's own programs against each other.
pub static TOGETHER: Lab = Lab {
    number: 0,
    name: "together",
    title: "your programs meet",
    folder: "",
    arguments: &[],
    steps: &[
        Step {
            number: 1,
            name: "pair",
            task: "your client and your server",
            chapter: "07-endings",
            programs: &["server", "client"],
        },
        Step {
            number: 2,
            name: "peers",
            task: "two and three of your peers",
            chapter: "10-talking-to-everybody",
            programs: &["peer"],
        },
    ],
    checks: checks::together::CHECKS,
    learned: &[
        "have programs meet that were written apart, and say which of the two is at fault",
        "look at the wire between them, instead of guessing",
    ],
};

/// All that is checked, in the order of the board: the labs, then what they do together.
pub fn parts() -> impl Iterator<Item = &'static Lab> {
    LABS.iter().chain([&TOGETHER])
}

/// The lab of this name, or `together`.
pub fn lab(name: &str) -> Option<&'static Lab> {
    parts().find(|lab| lab.name == name)
}

/// The check with this id.
pub fn check(id: &str) -> Option<&'static Check> {
    checks().find(|check| check.id() == id)
}

/// All checks of all parts, in order.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    parts().flat_map(|lab| lab.checks)
}
