//! Lab 6, names: its row in the registry, and what its checks share.
//!
//! Beside it: `message`, what the harness asks and takes for an answer, written against the RFC
//! and not against the lab's own modules, so that the two can't share a mistake; `fields`, a
//! message in words; `anatomy`, the same for the book and the traces; `inquirer`, the harness as a client; and the checks, a file for each step.

mod anatomy;
mod answer;
mod answers;
mod ask;
mod client;
mod fields;
mod framed;
mod inquirer;
mod meeting;
mod message;
mod over_tcp;
mod parse_query;
mod read_framed;
mod records;
mod reply;
mod scenes;
mod serve;
mod shown;
mod start;

use std::net::SocketAddr;
use std::rc::Rc;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::{Connection, Door, Doors, Service, Terms};
use crate::program::{Given, Place, Stdin};
use crate::trial::{Running, Scratch, Trial, Verdict};

use inquirer::Inquirer;
pub(super) use meeting::Question;
use message::Query;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(6),
    name: "names",
    title: "datagrams, loss, asking again",
    folder: "labs/06-names",
    given: &["arguments", "message", "name", "record", "stream", "zone"],
    arguments: &[Place::new("args", "its mode and what that takes")],
    steps: &[
        Step {
            number: 1,
            name: "serve",
            task: "open a UDP socket and a TCP listener on one port, and answer datagrams",
            chapter: "18-datagrams",
            programs: &["names"],
        },
        Step {
            number: 2,
            name: "parse_query",
            task: "make a query of a message, or say what it comes to",
            chapter: "19-messages-in-bytes",
            programs: &["names"],
        },
        Step {
            number: 3,
            name: "answer",
            task: "make the answer from the zone, within its limit",
            chapter: "19-messages-in-bytes",
            programs: &["names"],
        },
        Step {
            number: 4,
            name: "ask",
            task: "send, wait, ask again, and take nothing but the answer to this question",
            chapter: "20-asking-again",
            programs: &["names"],
        },
        Step {
            number: 5,
            name: "read_framed",
            task: "read a message behind its two bytes of length",
            chapter: "21-when-it-does-not-fit",
            programs: &["names"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    learned: &[
        "answer datagrams, each to whoever sent it",
        "read a binary message in which every length may be a lie",
        "ask again when nothing comes, and give up in time",
        "tell the answer to your question from all else that comes",
        "frame messages on a stream, and say when a datagram is too small",
    ],
    reading_step: None,
    messages: Some(&anatomy::MESSAGES),
};

steps! { $ names_checks: start names_start, serve names_serve, parse_query names_parse_query,
answer names_answer, records names_records, ask names_ask, answers names_answers, read_framed names_read_framed, over_tcp names_over_tcp }

/// How its program is started as one that listens.
const SERVES: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    stdin: Stdin::Null,
    given: |t, address| {
        let folder = t.scratch(FOLDER)?;
        folder.file(FILE, ZONE.as_bytes())?;
        Ok(served(address, &folder))
    },
    bad: |address| {
        let address = &address.to_string();
        let bad = |words: &[&str], what| Bad::usage(Given::arguments(words), what);
        vec![
            bad(&[], "no argument"),
            bad(&["serve"], "no ADDR"),
            bad(&["serve", address], "no ZONE"),
            bad(&["serve", address, ".", "surplus"], "an argument too many"),
            bad(&["server", address, "."], "a mode that there is not"),
            Bad::value(Given::arguments(["serve", "nonsense", "."]), "an address without a port"),
        ]
    },
    sockets: (1, 1),
    terms: &Terms::ANSWERS,
};

/// What the reader calls the program that serves.
const CALLED: &str = "name server";
/// What the reader calls the folder of the zone file.
const FOLDER: &str = "FOLDER";
const FILE: &str = "example.zone";
/// The zone of the checks that need no other.
const ZONE: &str = "\
# The zone of the checks.
zone example.test
example.test 300 NS ns.example.test
ns.example.test 300 A 127.0.0.1
www.example.test 300 A 127.0.0.5
";

/// What times of a second and more are multiplied by, in a program that knows `LAB_TEMPO`.
const TEMPO: f64 = 0.1;

/// The arguments that serve the zone file in this folder.
fn served(address: impl ToString, folder: &Scratch) -> Given {
    let zone = folder.path().join(FILE).display().to_string();
    Given::arguments(["serve".to_owned(), address.to_string(), zone])
}

/// A name server under test.
#[derive(Debug)]
struct Names {
    trial: Trial,
    doors: Doors,
    address: SocketAddr,
    /// Where its zone file is.
    _folder: Scratch,
}

impl Names {
    /// Starts one that serves [`ZONE`].
    fn start(t: &Trial) -> Verdict<Self> {
        Self::over(t, ZONE)
    }

    /// Starts one that serves this zone.
    fn over(t: &Trial, zone: &str) -> Verdict<Self> {
        Self::started(t, zone, |given| given)
    }

    /// The same, with times of a second and more that are shorter.
    fn at_tempo(t: &Trial, zone: &str) -> Verdict<Self> {
        Self::started(t, zone, |given| given.environment("LAB_TEMPO", TEMPO))
    }

    fn started(t: &Trial, zone: &str, how: fn(Given) -> Given) -> Verdict<Self> {
        let folder = t.scratch(FOLDER)?;
        folder.file(FILE, zone.as_bytes())?;
        let address = t.addresses().free_address();
        let running = t.start_as(CALLED, LAB.name, how(served(address, &folder)), Stdin::Null)?;
        let doors = t.doors(running, &[Door::udp(address), Door::tcp(address)])?;
        Ok(Self { trial: t.clone(), doors, address, _folder: folder })
    }

    fn running(&self) -> &Rc<Running> {
        &self.doors.running
    }

    /// A new client, that asks over UDP.
    fn inquirer(&self) -> Verdict<Inquirer> {
        Inquirer::new(&self.trial, self.running(), self.address)
    }

    /// It, as one that takes connections.
    fn service(&self) -> Service {
        self.doors.service_at(self.address)
    }

    /// More silent clients than a pool has places.
    fn crowd(&self) -> Verdict<Vec<Connection>> {
        const MANY: usize = 70;
        let names = (1..=MANY).map(|number| format!("silent client {number}"));
        let crowd = names.map(|name| self.service().connect_as(name, false)).collect();
        self.trial.note(format!("{MANY} more clients connected, and say nothing"));
        crowd
    }

    /// Expects that nobody waits to be accepted. Who is silent is let go in time: so what counts is how it
    /// stands when the program rests.
    fn expect_all_accepted(&self) -> Verdict {
        let service = self.service();
        let Ok(rest) = self.trial.settle(self.running())? else {
            return service.wait_until_accepted().map(drop);
        };
        match service.listener(&rest).map_or(0, |listener| listener.rx_queue) {
            0 => Ok(()),
            queued => Err(self
                .trial
                .fail("a client was not accepted")
                .expected("every connection is accepted: the listener's queue is empty")
                .seen(format!("the {CALLED} is at rest; connections in the listener's queue: {queued}"))
                .cause("each connection is served on its own, as many as come: none waits until another one has gone")
                .stop()),
        }
    }

    /// Expects that a new client is answered, whatever came before.
    fn expect_service(&self) -> Verdict {
        let inquirer = self.inquirer()?;
        let query = Query::new("www.example.test", message::A);
        inquirer.ask(&query)?;
        inquirer.expect_some_answer(
            &query,
            "the next question is a new one, whatever the one before it was",
        )
    }
}
