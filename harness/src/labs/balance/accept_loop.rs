//! Step 1 of lab 10, `accept_loop`: clients are accepted, each is dialled for, and in the end they
//! are not.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::ExitStatus;
use std::time::Duration;

use super::CALLED;
use super::program::{Balance, Is};
use crate::program::describe_exit;
use crate::trial::{Progress, Stall, StallKind, Stop, Trial, Verdict};

checks! { $ balance_accept_loop, "balance" step 1:
    reaches_a_backend, 3 points: "dials a backend for a client that says nothing yet";
    "`balance ADDR BACKEND...` takes connections on ADDR and carries each to one of the BACKENDs."

    dials_for_each, 2 points: "dials once for each client";
    "Each client is carried to a backend on a connection of its own."

    serves_many_at_once, 3 points: "serves 50 clients at the same time";
    "Accept for ever; each client in a thread of its own."

    survives_clients_that_vanish, 2 points: "goes on when clients have gone before they were served";
    "Accept for ever; survive anything."

    ends_with_its_input, 1 point: "ends when standard input ends, and not over a mistyped command";
    "The end of stdin: status 0 once no connection runs. An unknown command: one line on stderr, nothing else."

    leaves_in_good_order, 3 points: "takes no new clients when standard input has ended, and keeps those that it has";
    "End of stdin: new clients are refused or closed unserved; running ones, dialling included, get 5 s; then status 0."

    leaves_at_last, 2 points: "ends although a client stays";
    "End of stdin: running ones get 5 s; then status 0."

    is_idle_among_clients, 2 points: "is blocked, not polling, while ten clients say nothing";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    keeps_nothing_of_the_gone, 2 points, exotic: "has no more sockets and threads after 40 clients";
    "When both have ended both sockets are closed. A balancer runs for ever."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "Out of descriptors: accept fails then; the program goes on, does not spin, and serves again once there are some."
}

fn reaches_a_backend(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    pair.expect_open()
}

fn dials_for_each(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let _clients = [balance.serves()?, balance.serves()?, balance.serves()?];
    balance.expect_no_dial("one connection for each client: it is the client's until it ends")
}

fn serves_many_at_once(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    t.note("50 clients connected, one after the other, and all of them stay");
    let mut pairs = Vec::new();
    for number in 1..=50 {
        let client = balance.service.connect_as(format!("client {number}"), false)?;
        let (_, server) = balance.dials(A_THREAD)?;
        pairs.push((client, server));
    }
    balance.rest().map(drop)
}

const A_THREAD: &str = "each client is served in a thread of its own: the one that accepts goes back to \
    accept at once, whatever its last client does";

fn survives_clients_that_vanish(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    t.freeze(balance.running())?;
    t.note("the balancer was stopped (SIGSTOP); three clients connected, sent a byte and closed; then it went on");
    for number in 1..=3 {
        let mut client = balance.service.connect_as(format!("client {number}"), false)?;
        client.send(b"x")?;
        drop(client);
    }
    t.thaw(balance.running())?;
    balance.service.wait_for_an_empty_queue()?;
    balance.rest()?;
    while let Some((_, gone)) = balance.take_now()? {
        drop(gone);
        balance.rest()?;
    }
    balance.serves().map(drop)
}

const LEAVES: &str = "when clients are closed the listener is dropped, and whoever comes is refused; the threads \
    of those who are there still run, and are waited for, for 5 seconds";

fn ends_with_its_input(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    // So that it does come back to accept.
    balance.serves()?.ends(&balance)?;
    balance.expect_complaint(b"help\n", "a command that it does not know")?;
    balance.expect_complaint(b"dr\xe4in\n", "a command that is not UTF-8")?;
    balance.console.expect_no_event("an unknown command is answered on standard error")?;
    balance.console.stops_typing();
    balance.console.expect_exit(0, LEAVES)
}

fn leaves_in_good_order(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let mut pair = balance.serves()?;
    balance.rest()?;
    balance.console.stops_typing();
    // It waits for its client for 5 s, and nothing that is waited for here takes as long.
    t.allow_time_outs();
    expect_to_stay(t, &balance)?;
    expect_nobody_new(t, &balance)?;
    expect_to_stay(t, &balance)?;
    pair.expect_open()?;
    drop((pair.client, pair.server));
    t.note("client 1 and the backend closed their connections");
    balance.console.expect_exit(0, LEAVES)?;
    t.new_scene()?;
    stays_while_it_dials(t)
}

/// Expects that the program does not end while a client is there.
fn expect_to_stay(t: &Trial, balance: &Balance) -> Verdict {
    match t.settle(balance.running())? {
        Err(Stall { kind: StallKind::Ended(status) }) => Err(left(t, "served", status)),
        _ => Ok(()),
    }
}

/// It has ended while a client was there, for whom this is being done.
fn left(t: &Trial, done: &str, status: ExitStatus) -> Stop {
    t.fail(format!("the balancer leaves while a client is being {done}"))
        .expected("it waits for those who are there, for 5 s at most")
        .seen(describe_exit(status))
        .cause(
            "each client is counted, from before its thread begins until it has been served, and the end of \
             the program waits until none is left",
        )
        .stop()
}

/// A client is there, too, for whom a backend is being dialled.
fn stays_while_it_dials(t: &Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Is::Full])?;
    let _client = balance.service.connect()?;
    balance.expect_dialling(1)?;
    balance.console.stops_typing();
    match t.settle(balance.running())? {
        // Once the dial has been given up nobody is there any more.
        Err(Stall { kind: StallKind::Ended(status) }) if !balance.has_said("down", 1) => {
            Err(left(t, "dialled for", status))
        }
        _ => Ok(()),
    }
}

/// Expects that a new client is refused, or closed unserved.
fn expect_nobody_new(t: &Trial, balance: &Balance) -> Verdict {
    let Ok(stream) = TcpStream::connect_timeout(&balance.service.address, FAREWELL) else {
        t.note("a new client was refused");
        expect_to_stay(t, balance)?;
        return balance.expect_not_dialled(LEAVES);
    };
    t.note("a new client connected");
    stream.set_nonblocking(true)?;
    let closed = t.wait(balance.running(), || {
        let seen = stream.peek(&mut [0]).map_err(|error| error.kind());
        Ok(if seen == Err(ErrorKind::WouldBlock) { Progress::Nothing } else { Progress::Done(()) })
    })?;
    expect_to_stay(t, balance)?;
    balance.expect_not_dialled(LEAVES)?;
    closed.map_err(|stall| {
        t.fail("a new client is let in when standard input has ended")
            .expected("it is refused, or its connection is closed at once")
            .seen(stall.sentence(CALLED))
            .cause(LEAVES)
            .stop()
    })
}

fn leaves_at_last(t: &mut Trial) -> Verdict {
    let balance = Balance::hurrying(t, 1)?;
    let pair = balance.serves()?;
    balance.rest()?;
    t.allow_waiting(FAREWELL);
    balance.console.stops_typing();
    balance.console.expect_exit(0, "those who are there get 5 seconds, and no more")?;
    balance.expect_closed(&pair.client, "the end of a program is the end of its connections")
}

/// How long the clients have that are still there.
const FAREWELL: Duration = Duration::from_secs(5);

fn is_idle_among_clients(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let mut pairs = Vec::new();
    for _ in 0..10 {
        pairs.push(balance.serves()?);
    }
    t.new_story();
    t.note("ten clients connected, and say nothing");
    balance.service.expect_idle()
}

fn keeps_nothing_of_the_gone(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    balance.service.expect_no_growth("clients", || {
        let mut ends = Vec::new();
        for number in 1..=10 {
            let client = balance.service.connect_as(format!("client {number}"), false)?;
            ends.push((client, balance.dials(A_THREAD)?));
        }
        drop(ends);
        balance.rest()?;
        t.new_story();
        Ok(10)
    })
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let kept = balance.serves()?;
    balance.service.withhold_descriptors()?;
    // Linux has set one aside for the accept that waits: what fails is the dial, or the next accept.
    let waiting = [balance.service.connect()?, balance.service.connect()?];
    balance.service.expect_rest_without_descriptors()?;
    balance.rest()?;
    drop((waiting, kept));
    t.note("all clients closed");
    balance.service.restore_descriptors()?;
    balance.service.wait_until_accepted()?;
    // Those who have gone may have been dialled for.
    while balance.take_now()?.is_some() {
        balance.rest()?;
    }
    balance.serves().map(drop)
}
