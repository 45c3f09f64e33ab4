//! Lab 4, the web server: its row in the registry, and what its checks share.
//!
//! Beside it: `visitor`, the harness as a client that speaks HTTP, `reply`, what such a client
//! takes for a reply, and the checks, a file for each step.

mod conversations;
mod download;
mod parse_request;
mod read_request;
mod refusals;
pub(super) mod reply;
mod respond;
mod scenes;
mod serve_many;
mod start;
mod store;
mod upload;
pub(super) mod visitor;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::{Service, Terms};
use crate::program::{Given, Place, Stdin};
use crate::trial::{Listing, Running, Scratch, Trial, Verdict};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use visitor::Visitor;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(4),
    name: "web",
    title: "requests, downloads, uploads",
    folder: "labs/04-web",
    given: &["arguments", "conversation", "dates", "http", "media", "names", "places", "replies"],
    arguments: &[
        Place::new("addr", "the address where it listens"),
        Place::new("root", "the folder whose files it serves"),
        Place::new("seconds", "how long a client may keep it waiting, which may be left out"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "read_request",
            task: "read the head of one request, up to its empty line",
            chapter: "12-requests-and-responses",
            programs: &["web"],
        },
        Step {
            number: 2,
            name: "parse_request",
            task: "check the head, and make a request of it",
            chapter: "12-requests-and-responses",
            programs: &["web"],
        },
        Step {
            number: 3,
            name: "respond",
            task: "answer GET and HEAD with a file",
            chapter: "13-download-and-upload",
            programs: &["web"],
        },
        Step {
            number: 4,
            name: "upload",
            task: "store the body of a PUT, whole or not at all",
            chapter: "13-download-and-upload",
            programs: &["web"],
        },
        Step {
            number: 5,
            name: "serve_many",
            task: "serve each connection in a thread of its own",
            chapter: "14-many-clients",
            programs: &["web"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "take requests out of a stream, whatever its segments are, and refuse what is broken",
        "promise a length and keep the promise, to the slowest reader too",
        "store a file so that nobody ever sees half of it",
        "serve many clients at once, and be held up by none of them",
        "end a connection so that the last reply arrives",
    ],
    reading_step: None,
};

steps! { $ web_checks: start web_start, read_request web_read_request,
parse_request web_parse_request, refusals web_refusals, respond web_respond, download web_download,
upload web_upload, store web_store, conversations web_conversations, serve_many web_serve_many }

/// What the reader calls the program.
const CALLED: &str = "web server";

/// How its program is started as one that listens.
const WEB: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    stdin: Stdin::Null,
    given: |t, address| {
        let root = t.scratch("ROOT")?;
        Ok(Given::text(address).with("root", root.path().display()).with_all("seconds", [""; 0]))
    },
    bad: |address| {
        let address = &address.to_string();
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::usage(Given::text(address), "no ROOT"),
            Bad::value(Given::text("nonsense").with("root", "."), "an address without a port"),
        ]
    },
    sockets: (1, 0),
    terms: &Terms::ANSWERS,
};

/// A web server under test, and the folder that it serves.
#[derive(Debug)]
pub(super) struct Web {
    pub(super) service: Service,
    pub(super) root: Scratch,
}

/// For how long a client may keep a server waiting, where a check waits for the end of that.
const SECONDS: Duration = Duration::from_secs(1);
/// So many where time is no matter: a busy machine may hold up clients for longer than the ten seconds
/// that a server allows them by itself.
const NOBODY_IS_LATE: Option<u32> = Some(3600);
/// The file that is there for whoever needs one.
const A_FILE: &[u8] = b"hello from a file\n";
/// A request for it that is as short as the rules allow.
const GET_A: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

impl Web {
    /// Starts a web server over a folder with one file, `a.txt`.
    pub(super) fn start(t: &Trial) -> Verdict<Self> {
        Self::with_limit(t, NOBODY_IS_LATE)
    }

    /// The same; a client may keep it waiting for so many seconds.
    fn with_limit(t: &Trial, seconds: Option<u32>) -> Verdict<Self> {
        let root = t.scratch("ROOT")?;
        root.file("a.txt", A_FILE)?;
        Self::over(t, root, seconds)
    }

    /// Starts one over this folder.
    fn over(t: &Trial, root: Scratch, seconds: Option<u32>) -> Verdict<Self> {
        let address = t.addresses().free_address();
        let service = start(t, address, &root, seconds)?;
        Ok(Self { service, root })
    }

    /// Starts one over the folder `below` this one, so that there is something beside its root.
    fn over_inner(t: &Trial, outer: Scratch, below: &str) -> Verdict<Self> {
        let address = t.addresses().free_address();
        let root = outer.path().join(below);
        let running = run(t, Given::address(address), root.display(), NOBODY_IS_LATE)?;
        Ok(Self { service: t.listening(running, address)?, root: outer })
    }

    /// Starts another one over the same folder; the reader calls it `called`.
    pub(in crate::labs) fn another(&self, called: &str) -> Verdict<Self> {
        let t = self.service.trial();
        let address = t.addresses().free_address();
        let given = Given::address(address);
        let root = self.root.path();
        let running = run_as(t, called, given, root.display(), NOBODY_IS_LATE)?;
        Ok(Self { service: t.listening(running, address)?, root: self.root.clone() })
    }

    /// A new client connects.
    pub(super) fn visit(&self) -> Verdict<Visitor> {
        Ok(Visitor::new(self.service.connect()?))
    }

    /// The story begins anew: what it has told so far went well, and has no part in what follows.
    fn new_turn(&self) {
        let trial = self.service.trial();
        trial.new_story();
        trial.note(format!("the web server has listened on {} since before", self.service.address));
    }

    /// A new client, of whom the story tells together with others.
    fn visit_quietly(&self) -> Verdict<Visitor> {
        let name = format!("client {}", self.service.trial().next_number());
        Ok(Visitor::new(self.service.connect_as(name, false)?))
    }

    /// Whether the program has accepted this client, once it is at rest: one that serves one
    /// client after another has not.
    fn is_accepted(&self, client: &Visitor) -> Verdict<bool> {
        let snapshot = self.service.settle()?;
        let (here, there) = (client.connection().here(), client.connection().there());
        Ok(snapshot.connection(there, here).is_some_and(|row| row.inode != 0))
    }

    /// Expects that the folder is soon as it was: what the program removes when a connection has
    /// gone it removes a moment later.
    fn expect_listing(&self, before: &Listing, cause: &str) -> Verdict {
        let _ = self.service.settle()?;
        self.root.expect_same_listing(before, cause)
    }

    /// How many sockets and threads the program has.
    fn counted(&self) -> Verdict<(usize, usize)> {
        let snapshot = self.service.look()?;
        Ok((snapshot.socket_descriptors(), snapshot.threads().count()))
    }

    /// Clients that connect, are accepted, and say nothing. One at a time: how many a listener lets
    /// wait is its own affair.
    fn silent_clients(&self, count: usize) -> Verdict<Vec<Visitor>> {
        let mut silent = Vec::new();
        for _ in 0..count {
            silent.push(self.visit_quietly()?);
            let _ = self.service.wait_for_an_empty_queue()?;
        }
        let trial = self.service.trial();
        trial.note(match count {
            1 => "a client connected, was accepted, and says nothing".into(),
            _ => format!("{count} clients connected, were accepted, and say nothing"),
        });
        let _ = self.service.settle()?;
        Ok(silent)
    }

    /// Expects that a new client is served, whatever became of others.
    pub(in crate::labs) fn expect_service(&self) -> Verdict {
        let mut client = self.visit()?;
        client.ask("GET", "/a.txt")?;
        client.expect_some_reply(
            "the next client is a new one, and no other client is its problem",
        )?;
        client.close();
        Ok(())
    }
}

/// Starts a web server that listens on `address`.
fn start(t: &Trial, address: SocketAddr, root: &Scratch, seconds: Option<u32>) -> Verdict<Service> {
    let running = run(t, Given::address(address), root.path().display(), seconds)?;
    t.listening(running, address)
}

/// Starts the program with these arguments, and does not wait.
fn run(t: &Trial, given: Given, root: impl ToString, seconds: Option<u32>) -> Verdict<Rc<Running>> {
    run_as(t, CALLED, given, root, seconds)
}

/// The same; the reader calls it `called`.
fn run_as(
    t: &Trial,
    called: &str,
    given: Given,
    root: impl ToString,
    seconds: Option<u32>,
) -> Verdict<Rc<Running>> {
    let given = given.with("root", root).with_all("seconds", seconds);
    let (command, shown) = t.template_of(LAB.name)?.fill(&given);
    t.start_command(called, command, &shown, Stdin::Null)
}
