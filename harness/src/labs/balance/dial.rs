//! Step 3 of lab 10, `dial`: backends that refuse, and backends that do not answer.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

use super::program::Is::{self, Alive, Dead, Full};
use super::program::{Backend, Balance};
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ balance_dial, "balance" step 3:
    passes_over_the_dead, 3 points: "gives a client to the next backend when one refuses";
    "Refused or timed out: the backend is down, and the next is tried with the same client."

    tries_each_once, 2 points: "tries one backend after the other, and each once";
    "Not tried for this client; a pick whose dial fails counts as the last pick."

    leaves_the_dead_alone, 1 point: "dials a backend no more that is down";
    "Pick: among those up. A backend that is down costs no client any time."

    gives_up_on_the_silent, 3 points: "gives up on a backend that does not answer";
    "Dial: at most 500 ms a backend. Refused or timed out: the backend is down."

    holds_up_nobody, 3 points: "serves others while one dial is not answered";
    "Each client in a thread of its own: a dial that takes long is one client's."

    prints_down_once, 2 points: "says once that a backend is down, however many find out";
    "`down` on each change, once."

    has_nobody_left, 2 points: "closes a client when no backend is left, and says so";
    "None left: `no backend for ADDR` on stderr, the client's connection is closed."

    goes_on_unheard, 2 points, exotic: "goes on when nobody reads what it prints";
    "A broken stdout ends nothing; a stderr that nobody reads any more ends nothing."

    blames_no_backend, 2 points, exotic: "does not take a fault on its own side for a backend that is down";
    "Only a refused or timed-out dial makes a backend down; after any other failure (no descriptor) the next is tried, without `down`."
}

const NEXT: &str = "a dial that fails is no end: the client stays as it is, and the next backend is tried. Only \
    when none is left is there nothing to be done";
pub(super) const DOWN: &str = "a refused dial makes a backend down, and that is told of at once, with the \
    backend's address as on the command line";

fn passes_over_the_dead(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Dead, Alive])?;
    let mut pair = balance.serves_at(2, NEXT)?;
    balance.expect("down", 1, DOWN)?;
    pair.expect_open()
}

fn tries_each_once(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Dead, Dead, Dead, Alive, Alive])?;
    let pair = balance.serves_at(4, NEXT)?;
    for number in 1..=3 {
        balance.expect("down", number, "in turn, and each tried once for this client")?;
    }
    pair.ends(&balance)?;
    let cause = "the turn goes on behind the backend that was picked last, be it the third or fourth one for a client";
    balance.serves_at(5, cause)?;
    t.new_scene()?;
    goes_on_behind_the_dead(t)
}

/// A pick whose dial fails moves the turn on, too.
fn goes_on_behind_the_dead(t: &Trial) -> Verdict {
    let mut balance = Balance::before(t, 3)?;
    let cause = "the fewest connections, and among equals the first behind the one that was picked last: a pick whose dial \
                 fails counts as the last one";
    let [one, _two, three] =
        [balance.serves_at(1, cause)?, balance.serves_at(2, cause)?, balance.serves_at(3, cause)?];
    one.ends(&balance)?;
    let _one = balance.serves_at(1, cause)?;
    three.ends(&balance)?;
    balance.backend(3).dies();
    // Backend 3 has the fewest, and refuses; of the other two the first one is behind it.
    balance.serves_at(1, cause)?;
    balance.expect("down", 3, DOWN)
}

fn leaves_the_dead_alone(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Dead, Alive, Alive])?;
    let mut pairs = vec![balance.serves_at(2, NEXT)?];
    balance.expect("down", 1, DOWN)?;
    // A dial would succeed now, and be seen.
    balance.backend(1).listens()?;
    for number in [3, 2, 3] {
        let pair = balance.serves()?;
        balance.rest()?;
        // Whoever has found out that it is back says so.
        if pair.number != number && !balance.has_said("up", 1) {
            return Err(t
                .fail(format!("{} was given to a backend that is down", pair.client.name()))
                .expected(format!("backend {number}: nobody has said that backend 1 is up"))
                .seen(format!("backend {}", pair.number))
                .cause("a backend that is down is not picked, until it is found to be up")
                .stop());
        }
        pairs.push(pair);
    }
    Ok(())
}

const GIVES_UP: &str = "a host that is gone sends no refusal: connect asks it again and again, for minutes. With \
    a limit of 500 ms (connect_timeout) it is given up, and the client goes to the next";

fn gives_up_on_the_silent(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Full, Alive])?;
    // By its contract it waits, and nothing shows for how long.
    t.allow_waiting(DIAL);
    let client = balance.service.connect()?;
    balance.expect_dialling(1)?;
    let mut pair = balance.dials_at(2, client, GIVES_UP)?;
    balance.expect("down", 1, GIVES_UP)?;
    pair.expect_open()
}

/// For how long a dial may take.
const DIAL: std::time::Duration = std::time::Duration::from_millis(500);

/// How often the machine may be too slow for this.
const TRIES: usize = 5;

fn holds_up_nobody(t: &mut Trial) -> Verdict {
    for _ in 0..TRIES {
        t.new_scene()?;
        if serves_beside_a_dial(t)? {
            return Ok(());
        }
    }
    Err(t
        .fail("while one dial is not answered, other clients wait")
        .expected("another client is served within the 500 ms that a dial may take")
        .seen(format!("it was served when backend 1 had been given up, {TRIES} times"))
        .cause(BESIDE)
        .stop())
}

const BESIDE: &str = "a dial takes up to half a second: nothing that others need may be held meanwhile, neither \
    the thread that accepts nor a lock";

/// One client is being dialled for in vain, and another one comes. Whether that one was seen to be
/// served before the dial was given up.
fn serves_beside_a_dial(t: &Trial) -> Verdict<bool> {
    let balance = Balance::before_these(t, &[Full, Alive])?;
    let _first = balance.service.connect()?;
    balance.expect_dialling(1)?;
    let _second = balance.service.connect()?;
    let now = balance.rest()?;
    let served = balance.take_now()?.is_some();
    if served || balance.unanswered(1, &now).is_empty() {
        // Given up meanwhile, it would have been served in any case.
        t.expect_written()?;
        return Ok(served && !balance.has_printed_an_event());
    }
    Err(t
        .fail("while one dial is not answered, other clients wait")
        .expected("a connection to backend 2, for client 2")
        .seen("none: the balancer is at rest, and its dial of backend 1 is in SYN-SENT")
        .cause(BESIDE)
        .stop())
}

fn prints_down_once(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Full, Alive])?;
    t.allow_waiting(DIAL);
    let mut clients = Vec::new();
    for number in 1..=5 {
        clients.push(balance.service.connect_as(format!("client {number}"), false)?);
    }
    t.note("five clients connected");
    let mut pairs = Vec::new();
    for _ in 0..5 {
        pairs.push(balance.dials(GIVES_UP)?);
    }
    balance.expect("down", 1, GIVES_UP)?;
    let once = "several dials fail at the same moment: who looks whether it is known, and who marks it, must be one \
                step, under one lock";
    balance.console.expect_no_event(once)?;
    Ok(())
}

fn has_nobody_left(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Dead, Dead])?;
    let client = balance.service.connect()?;
    let cause = "when the last backend has refused nobody is left: the client's connection is closed, so that it \
                 knows, and the program goes on";
    balance.expect_closed(&client, cause)?;
    balance.expect("down", 1, DOWN)?;
    balance.expect("down", 2, DOWN)?;
    let again = balance.service.connect()?;
    balance.expect_closed(&again, cause)?;
    balance.console.expect_no_event("nothing has changed")?;
    let stderr = balance.running().program.stderr().head;
    // ADDR is the client's address here, and in the usage line the one where it listens.
    let line = |address| format!("no backend for {address}");
    let [asked, here] = [line(client.here()), line(balance.service.address)];
    let told = String::from_utf8_lossy(&stderr);
    if told.contains(&asked) || told.contains(&here) {
        balance.backend(1).listens()?;
        return expect_nobody_served(t, &balance);
    }
    Err(t
        .fail("the balancer does not say that there was no backend for a client")
        .expected(format!("on standard error: {asked}"))
        .expected(format!("or: {here}"))
        .seen(quote_short(&stderr, 160))
        .cause(
            "the line is for whoever runs the balancer, and has the client's address, or its own",
        )
        .stop())
}

/// All are down, as far as the program knows, though the first one listens again: a client is not
/// given to it before it is found to be up.
fn expect_nobody_served(t: &Trial, balance: &Balance) -> Verdict {
    let _client = balance.service.connect()?;
    balance.rest()?;
    // Whoever has found out that it is back says so.
    if balance.take_from(1)?.is_none() || balance.has_said("up", 1) {
        return Ok(());
    }
    Err(t
        .fail("a client was given to a backend that is down")
        .expected("no connection to backend 1: nobody has said that it is up")
        .seen("a connection to backend 1")
        .cause("among those that are up one is picked: where there is none, nobody is, and the client is closed")
        .stop())
}

fn goes_on_unheard(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Dead, Alive, Alive])?;
    balance.running().program.close_stdout();
    balance.running().program.close_stderr();
    t.note("nobody reads the balancer's standard output and standard error any more");
    let cause = "a write to a pipe that nobody reads any more is an error (EPIPE), and println! and eprintln! panic then: \
                 write with writeln!, and ignore the error";
    balance.serves_at(2, cause)?.ends(&balance)?;
    // What it has said of that still went into the pipes; this does not.
    balance.types("drain", 1);
    // The first line on standard error may still have gone into the pipe.
    for _ in 0..2 {
        balance.console.types("help");
        balance.expect_to_go_on("a line that nobody reads", cause)?;
    }
    balance.backend(2).dies();
    for _ in 0..2 {
        balance.serves_at(3, cause)?.ends(&balance)?;
    }
    Ok(())
}

fn blames_no_backend(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let _kept = balance.serves()?;
    balance.service.withhold_descriptors()?;
    // Linux has set one aside for the accept that waits: so this one is accepted.
    let client = balance.service.connect()?;
    balance.rest()?;
    let cause = "there was no descriptor for the dial (EMFILE): that says nothing about the backend. Only \
                 ConnectionRefused and TimedOut do";
    balance.console.expect_no_event(cause)?;
    drop(client);
    balance.service.restore_descriptors()?;
    balance.service.wait_until_accepted()?;
    while balance.take_now()?.is_some() {
        balance.rest()?;
    }
    balance.serves()?;
    balance.console.expect_no_event(cause)?;
    t.new_scene()?;
    blames_nobody_on_its_own_side(t)?;
    // The stub of this step blames nobody either.
    t.expect_written()
}

/// A dial that fails before it has left this machine.
fn blames_nobody_on_its_own_side(t: &Trial) -> Verdict {
    // The address for all of a network: TCP connects to nobody there, and no machine is asked.
    let nowhere = SocketAddr::from(([127, 255, 255, 255], 7));
    let fails = TcpStream::connect_timeout(&nowhere, DIAL).map_err(|error| error.kind());
    if fails.err() != Some(ErrorKind::NetworkUnreachable) {
        // Another system may take it for a machine, and be refused.
        return Ok(());
    }
    let unreachable = Backend::at(t, "backend 1".into(), nowhere, nowhere.to_string(), Is::Dead)?;
    let here = t.addresses().free_address();
    let alive = Backend::at(t, "backend 2".into(), here, here.to_string(), Is::Alive)?;
    let balance = Balance::start_before(t, vec![unreachable, alive], "", |given| given)?;
    let cause = "the dial has failed on this side (ENETUNREACH), and nobody has been asked: that says nothing about the \
                 backend. Only ConnectionRefused and TimedOut do";
    let _first = balance.serves_at(2, cause)?;
    let _second = balance.serves_at(2, cause)?;
    balance.console.expect_no_event(cause).map(drop)
}
