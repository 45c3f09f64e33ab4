//! Step 1 of lab 10: how the program starts. Much of that is given, and whoever changes it, or
//! writes the program in another language, is told here.

use super::program::Balance;
use super::{BALANCE, named};
use crate::contract::{self, contract};
use crate::trial::{Trial, Verdict};

checks! { $ balance_start, "balance" step 1:
    listens_on_the_given_address, 1 point: "listens on the address that it was given";
    "`balance ADDR BACKEND...` takes connections on ADDR."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    listens_on_ipv6, 1 point: "listens on an IPv6 address, and dials a backend that has one";
    "An address is `HOST:PORT`: IPv4, `[IPv6]` or a name."

    listens_on_a_name, 1 point: "listens where a name says, and dials a backend that has a name";
    "An address is `HOST:PORT`: IPv4, `[IPv6]` or a name. A BACKEND is the first address of its name; events and commands name it exactly as given."

    has_one_listener, 1 point: "has one socket while nobody has come: the listener";
    "A backend that is up is dialled for a client, and never else."

    prints_the_ready_line, 1 point: "says where it listens, once a client can connect";
    "`listening on 127.0.0.1:7000`: the numeric address that it really has; nothing else, for all are up at the start."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing arguments, more than 64 backends: one usage line on stderr, exit status 2. Never a panic."

    is_idle_alone, 1 point: "is blocked, not polling, while nobody comes";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, 1 point: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    Balance::before(t, 1)?.serves().map(drop)
}

contract! { BALANCE, expect_step_1:
    listens_on_the_given_address
    binds_no_wider
    has_one_listener = has_only_its_listeners
    refuses_a_taken_port
    refuses_bad_arguments
    is_idle_alone = is_idle
    restarts_on_the_same_port
}

fn listens_on_ipv6(t: &mut Trial) -> Verdict {
    contract::listens_on_ipv6(t, &BALANCE)?;
    t.new_scene()?;
    named::dials_over_ipv6(t)?;
    expect_step_1(t)
}

fn listens_on_a_name(t: &mut Trial) -> Verdict {
    contract::listens_on_a_name(t, &BALANCE)?;
    t.new_scene()?;
    named::dials_a_name(t)?;
    expect_step_1(t)
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    contract::prints_the_ready_line(t, &BALANCE)?;
    t.new_scene()?;
    contract::tells_the_port_that_it_got(t, &BALANCE)?;
    expect_step_1(t)
}
