//! Lab 8, flood: its row in the registry, and what its checks share.

mod afar;
mod anatomy;
mod answers;
mod conversations;
mod crowd;
mod descriptor;
mod fetch;
mod fields;
mod floods;
mod getting;
mod handshake;
mod link;
pub(super) mod meeting;
mod network;
mod not_got;
mod own_answers;
mod read_descriptor;
mod route_back;
mod scenes;
mod servent;
mod source;
mod spreading;
mod start;
mod uploads;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::{Service, Terms};
use crate::program::{Given, Place, Stdin};
use crate::trial::{Trial, Verdict};

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(8),
    name: "flood",
    title: "no middle at all: flooding",
    folder: "labs/08-flood",
    given: &[
        "arguments",
        "descriptor",
        "failure",
        "folder",
        "http",
        "links",
        "payload",
        "seen",
        "servent",
        "times",
    ],
    arguments: &[
        Place::new("addr", "the address where it listens"),
        Place::new("dir", "the folder whose files it shares"),
        Place::new("peers", "the addresses of the others, any number of them"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "handshake",
            task: "greet the other side, read its greeting, and not a byte more",
            chapter: "24-no-middle-at-all",
            programs: &["flood"],
        },
        Step {
            number: 2,
            name: "read_descriptor",
            task: "read a header of 23 bytes, and the payload behind it",
            chapter: "24-no-middle-at-all",
            programs: &["flood"],
        },
        Step {
            number: 3,
            name: "flood",
            task: "answer a question that is new, and pass it on to all other links",
            chapter: "24-no-middle-at-all",
            programs: &["flood"],
        },
        Step {
            number: 4,
            name: "route_back",
            task: "send an answer back along the way of its question, or show it",
            chapter: "24-no-middle-at-all",
            programs: &["flood"],
        },
        Step {
            number: 5,
            name: "fetch",
            task: "get a file by HTTP from the address in its hit, whole or not at all",
            chapter: "24-no-middle-at-all",
            programs: &["flood"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: Some(&anatomy::MESSAGES),
    learned: &[
        "tell two protocols apart that share a port",
        "read binary messages from a stream, and keep in step",
        "flood a question through a network, and end the flood",
        "lead an answer back over links that know only their neighbours",
        "get a file from a stranger, whole or not at all",
    ],
    reading_step: Some(2),
};

steps! { $ flood_checks: start flood_start, handshake flood_handshake,
read_descriptor flood_read_descriptor, answers flood_answers, floods flood_floods,
crowd flood_crowd, spreading flood_spreading, route_back flood_route_back,
own_answers flood_own_answers, afar flood_afar, conversations flood_conversations, fetch flood_fetch, not_got flood_not_got }

/// What the reader calls the program.
const CALLED: &str = "servent";
/// What the reader calls its folder.
const FOLDER: &str = "DIR";

/// How its program is started alone, with an empty folder.
const FLOOD: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    // Its end would be the end of the servent.
    stdin: Stdin::Piped,
    given: |t, address| {
        let folder = t.scratch(FOLDER)?;
        Ok(alone(address, folder.path().display()))
    },
    bad: |address| {
        let address = &address.to_string();
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::usage(Given::text(address), "no DIR"),
            Bad::value(alone("127.0.0.1", "."), "a LISTEN without a port"),
            Bad::value(alone(":7001", "."), "a LISTEN without a host"),
            Bad::value(
                alone(address, ".").with_all("peers", ["127.0.0.1"]),
                "a PEER without a port",
            ),
        ]
    },
    sockets: (1, 0),
    terms: &Terms::ANSWERS,
};

/// What one is given that calls nobody.
fn alone(address: &str, folder: impl ToString) -> Given {
    Given::text(address).with("dir", folder).with_all("peers", [""; 0])
}

/// What the side that dialled says first.
const CONNECT: &[u8] = b"GNUTELLA CONNECT/0.4\n\n";
/// What the other side answers.
const OK: &[u8] = b"GNUTELLA OK\n\n";

/// Expects that step 1 has been written: for checks of a program that is given.
fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    expect_greeting(&FLOOD.start(t)?)?;
    t.expect_written()
}

/// Expects that a new caller is greeted.
fn expect_greeting(service: &Service) -> Verdict {
    let mut caller = service.connect()?;
    caller.send(CONNECT)?;
    caller.expect(OK)
}
