//! The student's own programs together, through a wire of the harness's that records what each
//! of them sends.
//!
//! Where a client and a server fail together, each is tried once more with the harness in the
//! other's place: so the fault is laid at the right door.

mod across;
mod crosswise;
mod lookup;
mod named_page;
mod page;
mod pair;
mod part;
mod peers;
mod post;
mod scenes;
mod swap;
mod tracked;
mod twice;
mod whole;

use crate::lab::{Lab, Step};

pub(crate) use scenes::PORTS;

/// What is no lab: the student's own programs against each other.
pub const PART: Lab = Lab {
    number: None,
    name: "together",
    title: "your programs meet",
    folder: "",
    given: &[],
    arguments: &[],
    steps: &[
        Step {
            number: 1,
            name: "pair",
            task: "your client and your server",
            chapter: "08-send-and-receive",
            programs: &["server", "client"],
        },
        Step {
            number: 2,
            name: "peers",
            task: "two and three of your peers",
            chapter: "11-talking-to-everybody",
            programs: &["peer"],
        },
        Step {
            number: 3,
            name: "page",
            task: "your client and your web server",
            chapter: "14-many-clients",
            programs: &["web", "client"],
        },
        Step {
            number: 4,
            name: "post",
            task: "your client and your mail server",
            chapter: "17-mail-for-later",
            programs: &["mail", "client"],
        },
        Step {
            number: 5,
            name: "lookup",
            task: "your name server and its client",
            chapter: "21-when-it-does-not-fit",
            programs: &["names"],
        },
        Step {
            number: 6,
            name: "named_page",
            task: "a page by its name",
            chapter: "21-when-it-does-not-fit",
            programs: &["names", "web", "client"],
        },
        Step {
            number: 7,
            name: "swap",
            task: "your index and two and three of your peers",
            chapter: "23-going-on-where-it-stopped",
            programs: &["index"],
        },
        Step {
            number: 8,
            name: "part",
            task: "your client and your peer",
            chapter: "23-going-on-where-it-stopped",
            programs: &["index", "client"],
        },
        Step {
            number: 9,
            name: "whole",
            task: "your peer and your web server",
            chapter: "23-going-on-where-it-stopped",
            programs: &["index", "web"],
        },
        Step {
            number: 10,
            name: "across",
            task: "your peers and your servents over one folder",
            chapter: "24-no-middle-at-all",
            programs: &["index", "flood"],
        },
        Step {
            number: 11,
            name: "tracked",
            task: "your swarm and your web server",
            chapter: "26-giving-while-getting",
            programs: &["swarm", "web"],
        },
        Step {
            number: 12,
            name: "twice",
            task: "your client, your name server, and two of your balancers before two of your web servers",
            chapter: "29-no-single-point-of-failure",
            programs: &["balance", "names", "web", "client"],
        },
    ],
    checks: CHECKS,
    scenes: &[],
    messages: None,
    learned: &[
        "let programs meet that were written separately, and say which of the two is at fault",
        "look at the wire between them, instead of guessing",
    ],
    reading_step: None,
};

steps! { $ together_checks: pair together_pair, peers together_peers,
page together_page, post together_post, lookup together_lookup,
named_page together_named_page, swap together_swap, part together_part,
whole together_whole, across together_across, tracked together_tracked, twice together_twice }
