//! Step 1 of lab 1: `listen`.

use super::SERVER;
use crate::contract::{self, contract};
use crate::trial::{Trial, Verdict};

checks! { $ server_listen, "server" step 1:
    listens_on_the_given_address, 3 points: "listens on the address that it was given";
    "A program that listens, listens on ADDR: 127.0.0.1:7007 is that address and that port."

    binds_no_wider, 2 points: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    has_one_listener, 2 points: "has one socket: the listener";
    "One bind, one listener. It is a TCP socket, and nothing else is open."

    prints_the_ready_line, 2 points: "says that it is ready, in one line, once it is";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7007`, once a client can connect."

    tells_the_port_that_it_got, 2 points: "given port 0, tells the port that it got";
    "Port 0 asks the system for a free port; the ready line has the address it really has."

    listens_on_ipv6, 2 points: "listens on an IPv6 address";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    listens_on_a_name, 2 points: "listens on a name: localhost";
    "Where a name was given, the ready line has the numeric address."

    refuses_a_taken_port, 2 points: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_a_foreign_address, 2 points: "says in one line that an address is not its own";
    "An address that this machine does not have gives AddrNotAvailable: one line, exit status 1."

    refuses_a_privileged_port, 1 point, exotic: "says in one line that a port needs privileges";
    "Ports below 1024 need a privilege: without it PermissionDenied, one line, exit status 1."

    refuses_bad_arguments, 2 points: "survives bad arguments without a panic";
    "Missing or surplus arguments: one usage line on stderr, exit status 2. Never a panic."

    is_idle_without_clients, 2 points: "is blocked, not polling, while nobody connects";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    leaves_nothing_behind, 2 points: "frees its port when it is terminated";
    "After SIGTERM nothing of it is left: no process, no listener, and the port can be bound."
}

contract! { SERVER:
    listens_on_the_given_address
    binds_no_wider
    prints_the_ready_line
    tells_the_port_that_it_got
    listens_on_ipv6
    listens_on_a_name
    refuses_a_taken_port
    refuses_a_foreign_address
    refuses_a_privileged_port
    refuses_bad_arguments
    leaves_nothing_behind
}

fn has_one_listener(t: &mut Trial) -> Verdict {
    contract::has_only_its_listeners(t, &SERVER)
}

fn is_idle_without_clients(t: &mut Trial) -> Verdict {
    contract::is_idle(t, &SERVER)
}
