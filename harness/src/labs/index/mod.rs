//! Lab 7, the index and its peers: its row in the registry, and what its checks share.
//!
//! Beside it: the harness in the place of each side. `member` is a peer at the index under test, which
//! is `directory`; `hub` is an index, and `sharer` the peer under test at it; `source` has a file that
//! that peer asks for, `getter` asks it for one, and in
//! `getting` it gets one. And the checks, a file for each step or part of one.

mod attend;
mod direct;
mod directory;
mod download;
mod endure;
mod file;
mod find;
mod getter;
mod getting;
mod head;
mod hub;
mod join;
pub(super) mod meeting;
mod member;
mod presence;
mod refusals;
mod refused;
mod scenes;
mod sharer;
mod source;
mod sources;
mod start;
mod upload;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::Terms;
use crate::program::{Given, Place, Stdin};

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(7),
    name: "index",
    title: "a directory in the middle",
    folder: "labs/07-index",
    given: &[
        "arguments",
        "directory",
        "folder",
        "http",
        "link",
        "output",
        "serving",
        "sha1",
        "sharing",
        "text",
        "times",
    ],
    arguments: &[Place::new("args", "its mode and what that takes")],
    steps: &[
        Step {
            number: 1,
            name: "attend",
            task: "hold the session of one peer, from its JOIN until it has left, however it leaves",
            chapter: "22-a-directory-in-the-middle",
            programs: &["index"],
        },
        Step {
            number: 2,
            name: "join",
            task: "connect to the index, join, tell it each file, and stay alive",
            chapter: "22-a-directory-in-the-middle",
            programs: &["index"],
        },
        Step {
            number: 3,
            name: "find",
            task: "ask the index, and read hits until END",
            chapter: "22-a-directory-in-the-middle",
            programs: &["index"],
        },
        Step {
            number: 4,
            name: "upload",
            task: "answer one request with a file, or with what is left of it from an offset",
            chapter: "23-going-on-where-it-stopped",
            programs: &["index"],
        },
        Step {
            number: 5,
            name: "download",
            task: "get a file, go on where it stopped, and check it before it has its name",
            chapter: "23-going-on-where-it-stopped",
            programs: &["index"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "know who is there: a connection, and something to hear in time",
        "keep a directory of what others have, and never carry it",
        "ask on a connection on which others speak, too",
        "give a file from any offset",
        "go on where it stopped, and believe nothing but the sum",
    ],
    reading_step: None,
};

steps! { $ index_checks: start index_start, attend index_attend,
presence index_presence, refusals index_refusals, endure index_endure, join index_join, find index_find,
upload index_upload, download index_download, sources index_sources, direct index_direct }

/// How its program is started as an index.
const SERVES: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    stdin: Stdin::Null,
    given: |_, address| Ok(Given::arguments(["serve", address])),
    bad: |address| {
        let address = &address.to_string();
        let bad = |words: &[&str], what| Bad::usage(Given::arguments(words), what);
        vec![
            bad(&[], "no argument"),
            bad(&["serve"], "no ADDR"),
            bad(&["serve", address, "99"], "a SILENCE of 99"),
            bad(&["serve", address, "3600001"], "a SILENCE of 3600001"),
            bad(&["serve", address, "x"], "a SILENCE that is no number"),
            bad(&["serve", address, "300", "surplus"], "an argument too many"),
            bad(&["server", address], "a mode that there is not"),
            bad(&["share", "ann", address, address], "no DIR"),
            bad(&["share", "two words", address, address, "."], "a name with a space in it"),
            bad(&["share", "", address, address, "."], "an empty name"),
            Bad::value(Given::arguments(["serve", "nonsense"]), "an address without a port"),
        ]
    },
    sockets: (1, 0),
    terms: &Terms::ANSWERS,
};

/// What the reader calls the program that serves.
const CALLED: &str = "index";
