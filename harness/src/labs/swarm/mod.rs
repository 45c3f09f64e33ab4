//! Lab 9, swarm: its row in the registry, and what its checks share.

mod anatomy;
mod announce;
mod answers;
mod bencode;
mod callers;
mod conversations;
mod crowd;
mod download;
pub(crate) mod fetch;
mod fields;
mod giver;
mod giving;
mod greet;
pub(super) mod meeting;
mod message;
mod program;
mod read_message;
mod remote;
mod reports;
mod scenes;
mod schedule;
mod several;
mod sharing;
mod start;
mod told;
mod torrent;
mod tracker;
mod trouble;
mod upload;

use std::rc::Rc;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::Terms;
use crate::program::{Given, Place, Stdin};

use program::Start;
use torrent::Torrent;

pub(crate) use message::HANDSHAKE;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(9),
    name: "swarm",
    title: "everybody gives while getting",
    folder: "labs/09-swarm",
    given: &[
        "announcer",
        "arguments",
        "bencode",
        "choice",
        "contacts",
        "failure",
        "http",
        "links",
        "message",
        "output",
        "sha1",
        "store",
        "swarm",
        "times",
        "torrent",
        "tracker",
    ],
    arguments: &[
        Place::new("torrent", "the torrent file"),
        Place::new("dir", "the folder of the file that it gets and gives"),
        Place::new("addr", "the address where it listens"),
        Place::new("peers", "the addresses of others, any number of them"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "announce",
            task: "tell the tracker of this peer, and read from its answer who the others are",
            chapter: "25-the-swarm",
            programs: &["swarm"],
        },
        Step {
            number: 2,
            name: "greet",
            task: "send a greeting of 68 bytes, and read the other side's",
            chapter: "25-the-swarm",
            programs: &["swarm"],
        },
        Step {
            number: 3,
            name: "read_message",
            task: "read the next message of a peer: its length, its id, its payload",
            chapter: "25-the-swarm",
            programs: &["swarm"],
        },
        Step {
            number: 4,
            name: "upload",
            task: "unchoke whoever is interested, and answer requests",
            chapter: "26-giving-while-getting",
            programs: &["swarm"],
        },
        Step {
            number: 5,
            name: "download",
            task: "ask several peers for what is missing, check it, and tell the others",
            chapter: "26-giving-while-getting",
            programs: &["swarm"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: Some(&anatomy::MESSAGES),
    learned: &[
        "tell a directory of yourself, and learn of others from it",
        "read binary messages, and bound all that a stranger sends",
        "give and get on one connection at once, without a deadlock",
        "get a file from many at once, and keep requests in flight",
        "trust nobody: check each piece before it counts",
    ],
    reading_step: Some(3),
};

steps! { $ swarm_checks: start swarm_start, announce swarm_announce, answers swarm_answers,
schedule swarm_schedule, greet swarm_greet, callers swarm_callers, read_message swarm_read_message,
upload swarm_upload, crowd swarm_crowd,
download swarm_download, several swarm_several, trouble swarm_trouble,
reports swarm_reports, sharing swarm_sharing, conversations swarm_conversations }

/// What the reader calls the program.
const CALLED: &str = "program";
/// What the reader calls its folder.
const FOLDER: &str = "DIR";

/// How its program is started alone, with nothing of a file that nobody keeps track of.
const SWARM: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    // Its end would be the end of the program.
    stdin: Stdin::Piped,
    given: |t, address| Ok(Start::of(&Rc::new(Torrent::of_blocks(1))).prepared(t, address)?.1),
    bad: |address| {
        let address = &address.to_string();
        let words = |torrent: &str, address: &str| {
            Given::text(address)
                .with("torrent", torrent)
                .with("dir", ".")
                .with_all("peers", [""; 0])
        };
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::value(words("a.torrent", "127.0.0.1"), "a LISTEN without a port"),
            Bad::value(words("a.torrent", ":6881"), "a LISTEN without a host"),
            Bad::usage(
                words("a.torrent", address).with_all("peers", ["127.0.0.1"]),
                "a PEER without a port",
            ),
        ]
    },
    sockets: (1, 0),
    terms: &Terms::ANSWERS,
};
