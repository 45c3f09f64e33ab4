//! Step 1: it listens and dials at once.

use std::net::TcpListener;

use crate::kernel::State;
use crate::net::{Listener, Service, Started};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Stop, Trial, Verdict};
use crate::words::quote_short;

checks! { $ peer_listen_and_dial, "peer" step 1:
    listens_on_the_given_address, 2 points: "listens on the address that it was given";
    "A peer is a server, too: it listens on LISTEN and on nothing else."

    prints_the_ready_line, 2 points: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7001`, with the port that it really has."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    calls_every_peer, 3 points: "calls each peer that it was given, once";
    "It dials each PEER: one connection for each address on the command line."

    goes_on_without_a_peer, 2 points: "says who can't be reached, and goes on";
    "A PEER that can't be reached: one line on stderr, the peer goes on."

    accepts_many, 2 points: "accepts whoever calls, and survives who hangs up";
    "One bad peer is that peer's problem: an early close ends that connection and nothing else."

    accepts_while_it_calls, 3 points: "accepts calls while its own call is not answered";
    "A server and a client at once: it accepts in one thread while it dials the given peers."

    is_idle_alone, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

pub(super) fn listens_on_the_given_address(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let snapshot = peer.service.look()?;
    let sockets: Vec<_> =
        snapshot.own_rows().iter().map(|row| format!("{} {}", row.local, row.state)).collect();
    if sockets == [format!("{} {}", peer.service.asked, State::Listen)] {
        return Ok(());
    }
    Err(t
        .fail("the peer has not exactly the one socket that it should have")
        .expected(format!("one listening socket, on {}", peer.service.asked))
        .seen(sockets.join(" and "))
        .cause("bind exactly the address that was given: not 0.0.0.0, no other port, and once")
        .stop())
}

pub(super) fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let mut any = t.addresses().free_address();
    any.set_port(0);
    for listen in [t.addresses().free_address(), any] {
        let peer = t.peer_at("ann", listen, &[])?;
        let program = &peer.running().program;
        let line = t.wait(peer.running(), || {
            let done = program.stdout().head.contains(&b'\n');
            Ok(if done { Progress::Done(()) } else { Progress::Nothing })
        })?;
        peer.expect_no_event("standard output is for events alone")?;
        let (expected, stdout) =
            (format!("listening on {}\n", peer.address()), program.stdout().head);
        if line.is_err() || stdout != expected.as_bytes() {
            return Err(t
                .fail("the ready line is not what it should be")
                .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
                .seen(quote_short(&stdout, 60))
                .difference(expected.as_bytes(), &stdout)
                .cause("print what local_addr() of the listener says, once it listens, and flush")
                .stop());
        }
    }
    Ok(())
}

pub(super) fn refuses_a_taken_port(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}"));
    let running = t.start_peer("ann", &address.to_string(), &[])?;
    let status = match t.begun(running.clone(), address)? {
        Started::Ended(status) => status,
        Started::Listening(server) => return Err(listens_all_the_same(t, &server)),
    };
    running.program.stop()?;
    let stderr = running.program.stderr().last_lines(usize::MAX);
    let told = stderr.len() == 1 && stderr[0].contains(&address.to_string());
    if told && status.code() == Some(1) {
        return Ok(());
    }
    Err(t
        .fail("the peer does not say in one line what went wrong")
        .expected(format!("one line on standard error, with {address}; exit status 1"))
        .seen(format!("{} lines on standard error, {}", stderr.len(), describe_exit(status)))
        .cause("return the error (`?`) instead of unwrapping it: the rest is given")
        .stop())
}

pub(super) fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let address = t.peer("ann", &[])?.service.asked;
    t.new_scene()?;
    let listen = &address.to_string();
    let named =
        |name, listen: &str| Given::text(listen).with("name", name).with_all("peers", [""; 0]);
    for (given, what) in [
        (Given::nothing(), "no argument"),
        (named("ann", "nonsense"), "an address without a port"),
        (named("two words", listen), "a name with a space in it"),
        (named("", listen), "an empty name"),
    ] {
        let running = t.start("peer", given, Stdin::Piped)?;
        let status = match t.begun(running, address)? {
            Started::Ended(status) => status,
            Started::Listening(server) => return Err(listens_all_the_same(t, &server)),
        };
        if !matches!(status.code(), Some(1 | 2)) {
            return Err(t
                .fail(format!("given {what}, the peer ends in the wrong way"))
                .expected("exit status 2 (or 1, for an address that is none)")
                .seen(describe_exit(status))
                .cause("return the error (`?`) instead of unwrapping it")
                .stop());
        }
    }
    Ok(())
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
        return Ok(());
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

pub(super) fn accepts_while_it_calls(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let host = t.host("carol")?;
    let _held = host.fill_queue()?;
    let peer = t.peer("ann", &[host.address()]).map_err(|stop| stop.because(LISTEN_FIRST))?;
    let _bob = peer.called_by("bob")?;
    peer.service.wait_until_accepted().map(drop).map_err(|stop| stop.because(LISTEN_FIRST))
}

pub(super) fn is_idle_alone(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    t.expect_idle(peer.running(), &peer.service.settle()?)
}

pub(super) fn restarts_on_the_same_port(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.called_by("bob")?;
    peer.service.wait_until_accepted()?;
    // The side that closes first goes to TIME-WAIT: here the peer, which is killed.
    peer.service.crash()?;
    // Bytes left unread would make a reset of the end, and nothing would be in TIME-WAIT.
    bob.take_in()?;
    bob.end()?;
    bob.close();
    t.note("the old connection is in TIME-WAIT on the peer's port");
    let again = t.peer_at("ann", peer.service.asked, &[])?;
    if again.address() == peer.address() {
        return Ok(());
    }
    Err(t
        .fail("the restarted peer listens somewhere else")
        .expected(format!("a listening socket on {}", peer.address()))
        .seen(format!("listening on {}", again.address()))
        .cause("std sets SO_REUSEADDR: bind works over TIME-WAIT; no other port is needed")
        .stop())
}

fn listens_all_the_same(t: &Trial, server: &Service) -> Stop {
    t.fail("the peer listens all the same")
        .expected("a line on standard error, and the end")
        .seen(format!("it listens on {}", server.address))
        .stop()
}

const GO_ON: &str = "who can't be reached is no reason to end: others may call. Report the error \
    of connect instead of handing it on (`?`, unwrap), and go on";
const LISTEN_FIRST: &str = "a call can take as long as the other side likes. Listen before the first \
    call, and accept in a thread of its own";
