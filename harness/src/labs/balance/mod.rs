//! Lab 10, balance: its row in the registry, and what its checks share.

mod accept_loop;
mod carry;
mod conversations;
mod dial;
mod ends;
pub(super) mod meeting;
mod named;
mod pair;
mod pick;
mod probe;
mod program;
mod scenes;
mod start;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::Terms;
use crate::program::{Given, Place, Stdin};
use crate::words::count;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(10),
    name: "balance",
    title: "one address, many servers",
    folder: "labs/10-balance",
    given: &["arguments", "backends", "clients", "commands", "output", "times"],
    arguments: &[
        Place::new("addr", "the address where it listens"),
        Place::new("backends", "the addresses of the servers behind it, 1 to 64 of them"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "accept_loop",
            task: "accept clients until they are closed, and serve each in a thread of its own",
            chapter: "28-one-address-many-servers",
            programs: &["balance"],
        },
        Step {
            number: 2,
            name: "pick",
            task: "choose the backend with the fewest connections, and among equals the next in turn",
            chapter: "28-one-address-many-servers",
            programs: &["balance"],
        },
        Step {
            number: 3,
            name: "dial",
            task: "connect to a backend, and if that fails to the next one",
            chapter: "28-one-address-many-servers",
            programs: &["balance"],
        },
        Step {
            number: 4,
            name: "carry",
            task: "pass on the bytes of one direction, and then its end",
            chapter: "28-one-address-many-servers",
            programs: &["balance"],
        },
        Step {
            number: 5,
            name: "probe",
            task: "find out whether a backend that is down has come back",
            chapter: "29-no-single-point-of-failure",
            programs: &["balance"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "put one address before many servers, and let a client notice nothing of the choice",
        "count and choose in one step, so that threads don't all choose alike",
        "give up on a dial in time, and try the next one with the same client",
        "carry both directions of a connection, each to its own end",
        "say what a crash costs: who loses a connection, and who notices nothing",
    ],
    reading_step: None,
};

steps! { $ balance_checks: start balance_start, accept_loop balance_accept_loop,
pick balance_pick, dial balance_dial, carry balance_carry, ends balance_ends,
conversations balance_conversations, probe balance_probe }

/// What the reader calls the program.
const CALLED: &str = "balancer";

/// How its program is started alone, before one backend that nobody needs.
const BALANCE: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    // Its end would be the end of the program.
    stdin: Stdin::Piped,
    given: |t, address| Ok(Given::text(address).with("backends", t.addresses().free_address())),
    bad: |address| {
        let address = &address.to_string();
        let words = |address: &str, backend: &str| Given::text(address).with("backends", backend);
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::usage(Given::text(address), "no BACKEND"),
            Bad::value(words("127.0.0.1", address), "an ADDR without a port"),
            Bad::value(words(address, "127.0.0.1"), "a BACKEND without a port"),
            Bad::usage(
                Given::text(address).with_all("backends", ["127.0.0.1:7"; 65]),
                "65 backends",
            ),
            Bad::value(
                words(address, "no-such-host.invalid:7"),
                "a BACKEND with a name that does not exist",
            ),
        ]
    },
    sockets: (1, 0),
    terms: &CARRIES,
};

/// What it owes on a connection, of a client or to a backend.
const CARRIES: Terms = Terms {
    owed: "what the other side has sent",
    nothing_came: "did not pass it on",
    ends_after: Some("the other side"),
    never_ends: "the end of one direction (read returns 0) is passed on by ending that side of the \
        other connection: shutdown(Write). A stream that is only dropped stays open as long as a clone \
        of it is somewhere",
    silence: not_passed_on,
};

fn not_passed_on(expected: &[u8], seen: &[u8]) -> String {
    let owed = count(expected.len() - seen.len());
    format!(
        "the program has read all that was there and has not passed on {owed}: they may sit in a buffer \
         that is not flushed (BufWriter), or it waits for more (read_exact, read_to_end, a line)"
    )
}
