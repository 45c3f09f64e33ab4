//! Step 1 of lab 7, before anybody joins: how the index starts. That is given, and whoever changes it,
//! or writes the program in another language, is told here.

use super::SERVES;
use super::directory::Index;
use crate::contract::{self, contract};
use crate::trial::{Trial, Verdict};

checks! { $ index_start, "index" step 1:
    listens_on_the_given_address, 1 point: "listens on the address that it was given";
    "A program that listens, listens on ADDR: HOST:PORT."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    prints_the_ready_line, 1 point: "says where it listens, in one line";
    "It prints one line to stdout, flushed, once a peer can connect: `listening on 127.0.0.1:7000`."

    tells_the_port_that_it_got, 1 point: "given port 0, says which port it has got";
    "Port 0 asks the system for a free port; the ready line has the numeric address it really has."

    refuses_a_taken_port, 1 point: "says in one line that the port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing or surplus arguments, a SILENCE not from 100 to 3,600,000: one usage line on stderr, exit status 2."

    restarts_on_the_same_port, 1 point: "can be restarted at once on the same port";
    "A listener that was stopped can be started again on the same port at once, also over connections in TIME_WAIT."
}

fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    let index = Index::start(t)?;
    index.joined_by("ann").map(drop)
}

contract! { SERVES, expect_step_1:
    binds_no_wider
    prints_the_ready_line
    tells_the_port_that_it_got
    refuses_a_taken_port
    refuses_bad_arguments
    restarts_on_the_same_port
}

fn listens_on_the_given_address(t: &mut Trial) -> Verdict {
    contract::listens_on_the_given_address(t, &SERVES)?;
    t.new_scene()?;
    contract::listens_on_ipv6(t, &SERVES)?;
    expect_step_1(t)
}
