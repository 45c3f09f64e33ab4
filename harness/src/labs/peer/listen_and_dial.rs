//! Step 1: it listens and dials at once.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::{PEER, Peer};
use crate::contract::{self, contract};
use crate::net::Listener;
use crate::trial::{Progress, Stop, Trial, Verdict};

checks! { $ peer_listen_and_dial, "peer" step 1:
    listens_on_the_given_address, 2 points: "listens on the address that it was given";
    "A peer is a server, too: it listens on LISTEN."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    has_one_listener, 1 point: "has one socket while it is alone: the listener";
    "One bind, one listener. It is a TCP socket, and nothing else is open."

    prints_the_ready_line, 2 points: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7001`, with the port that it really has."

    listens_on_ipv6, 1 point: "listens on an IPv6 address";
    "LISTEN is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    calls_every_peer, 3 points: "calls each peer that it was given, once";
    "It dials each PEER: one connection for each address on the command line."

    goes_on_without_a_peer, 2 points, patient: "says who can't be reached, and goes on";
    "A PEER that can't be reached: one line on stderr, the peer goes on."

    calls_all_at_once, 2 points: "calls the next one while a call is not answered";
    "It dials each PEER. A machine that does not answer keeps a call waiting for minutes: nobody else waits for it."

    accepts_many, 2 points: "accepts whoever calls, and survives who hangs up";
    "One bad peer is that peer's problem: an early close ends that connection and nothing else."

    accepts_while_it_calls, 3 points: "accepts calls while its own call is not answered";
    "A server and a client at once: it accepts in one thread while it dials the given peers."

    is_idle_alone, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "Out of file descriptors: accept fails. The peer goes on, does not spin, and is there again."

    restarts_on_the_same_port, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

contract! { PEER:
    listens_on_the_given_address
    binds_no_wider
    listens_on_ipv6
    refuses_a_taken_port
    refuses_bad_arguments
    survives_few_descriptors
    restarts_on_the_same_port
}

fn has_one_listener(t: &mut Trial) -> Verdict {
    contract::has_only_its_listeners(t, &PEER)
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    contract::prints_the_ready_line(t, &PEER)?;
    contract::tells_the_port_that_it_got(t, &PEER)
}

fn is_idle_alone(t: &mut Trial) -> Verdict {
    contract::is_idle(t, &PEER)
}

pub(super) fn calls_every_peer(t: &mut Trial) -> Verdict {
    let hosts = [t.host("bob")?, t.host("carol")?, t.host("dave")?];
    let addresses = hosts.each_ref().map(Listener::address);
    let peer = t.peer("ann", &addresses)?;
    // In the reverse order: a call must not wait until the one before it is answered.
    let mut calls = Vec::new();
    for host in hosts.iter().rev() {
        calls.push(peer.calls(host)?);
    }
    for host in &hosts {
        peer.expect_no_call(host)?;
    }
    Ok(())
}

pub(super) fn goes_on_without_a_peer(t: &mut Trial) -> Verdict {
    let nobody = t.addresses().free_address();
    let host = t.host("bob")?;
    t.note(format!("nobody listens on {nobody}"));
    let peer = t.peer("ann", &[nobody, host.address()]).map_err(|stop| stop.because(GO_ON))?;
    let _bob = peer.calls(&host)?;
    let _carol = peer.called_by("carol")?;
    peer.service.wait_until_accepted()?;
    let program = &peer.running().program;
    let told =
        |lines: &[String]| lines.iter().filter(|line| line.contains(&nobody.to_string())).count();
    let result = t.wait(peer.running(), || {
        let lines = program.stderr().last_lines(usize::MAX);
        Ok(if told(&lines) > 0 { Progress::Done(()) } else { Progress::Nothing })
    })?;
    let lines = told(&program.stderr().last_lines(usize::MAX));
    if result.is_ok() && lines == 1 {
        return expect_no_second_call(&peer, nobody);
    }
    Err(t
        .fail("the peer does not say in one line whom it can't reach")
        .expected(format!("one line on standard error, with {nobody}"))
        .seen(format!("{lines} lines with that address"))
        .cause("report the error of connect on standard error, with the address; then go on")
        .stop())
}

pub(super) fn accepts_many(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    for client in peer.service.connect_many(10)? {
        client.close();
    }
    peer.rest()?;
    for name in ["bob", "carol", "dave"] {
        let _other = peer.called_by(name)?;
        peer.service.wait_until_accepted()?;
    }
    Ok(())
}

/// Expects that it does not try again: where a thread sleeps now, it may only wait for that.
fn expect_no_second_call(peer: &Peer, nobody: SocketAddr) -> Verdict {
    let t = peer.trial();
    let sleeps = t.settle(peer.running())?.is_ok_and(|now| now.sleeps());
    if !sleeps {
        return Ok(());
    }
    let listener = TcpListener::bind(nobody)?;
    listener.set_nonblocking(true)?;
    t.note(format!("a thread of the peer ann sleeps; now somebody listens on {nobody}"));
    t.let_pass(A_RETRY);
    if listener.accept().is_err() {
        return Ok(());
    }
    Err(t
        .fail("the peer calls again and again")
        .expected(format!("one call to {nobody}, one line on standard error, and no more"))
        .seen("after a pause, one more call")
        .cause(
            "who can't be reached is reported once. Whether and when to try again is for the user \
             to say",
        )
        .stop())
}

/// Longer than what most programs sleep between two attempts: a second, or two.
const A_RETRY: Duration = Duration::from_millis(2200);

pub(super) fn calls_all_at_once(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let carol = t.host("carol")?;
    let _held = carol.fill_queue()?;
    let bob = t.host("bob")?;
    let peer = t
        .peer("ann", &[carol.address(), bob.address()])
        .map_err(|stop| stop.because(LISTEN_FIRST))?;
    peer.calls(&bob).map(drop).map_err(|stop| stop.because(ONE_BY_ONE))
}

pub(super) fn accepts_while_it_calls(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let host = t.host("carol")?;
    let _held = host.fill_queue()?;
    // Whoever dials first and accepts later fails other checks, too: this one says why.
    let why = |stop: Stop| stop.because(LISTEN_FIRST).telling();
    let peer = t.peer("ann", &[host.address()]).map_err(why)?;
    let _bob = peer.called_by("bob")?;
    peer.service.wait_until_accepted().map(drop).map_err(why)
}

const GO_ON: &str = "a peer that can't be reached is no reason to end: others may call. Report the error \
    of connect instead of handing it on (`?`, unwrap), and go on";
const ONE_BY_ONE: &str = "a call to a machine that does not answer takes minutes. Where one thread calls one \
    after the other, all the others wait for it: each call needs a thread of its own";
const LISTEN_FIRST: &str = "a call can take as long as the other side likes. Listen before the first \
    call, and accept in a thread of its own";
