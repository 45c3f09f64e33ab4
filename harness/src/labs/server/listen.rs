//! Step 1 of lab 1: `listen`.

use std::net::TcpListener;

use super::expect_idle;
use super::refusals::{
    refuses_a_foreign_address, refuses_a_privileged_port, refuses_a_taken_port,
    refuses_bad_arguments,
};
use crate::kernel::{self, Snapshot};
use crate::net::Service;
use crate::program::{Given, Output, Stdin};
use crate::trial::{Progress, Stop, Trial, Verdict};
use crate::words::quote_short;

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

fn listens_on_the_given_address(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let listeners = local_addresses(&server.look()?);
    if listeners.contains(&server.asked.to_string()) {
        return Ok(());
    }
    let hard_coded = !listeners.iter().any(|at| at.ends_with(&format!(":{}", server.asked.port())));
    let cause = match hard_coded {
        true => "the port is hard-coded, or the address that was given is not used",
        false => "the port is right and the host is not: bind exactly the address that was given",
    };
    Err(t
        .fail("the server listens somewhere else")
        .expected(format!("a listening socket on {}", server.asked))
        .seen(format!("listening on {}", listeners.join(" and ")))
        .cause(cause)
        .stop())
}

fn binds_no_wider(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let snapshot = server.look()?;
    let wide = snapshot.listeners().into_iter().find(|row| row.local.ip().is_unspecified());
    match wide {
        None if server.asked.ip() == server.address.ip() => Ok(()),
        None => Err(t
            .fail("the server is bound to another address")
            .expected(format!("bound to {}", server.asked.ip()))
            .seen(format!("bound to {}", server.address.ip()))
            .stop()),
        Some(row) => Err(t
            .fail("the server is open to the whole network")
            .expected(format!("bound to {} alone", server.asked.ip()))
            .seen(format!("bound to {}: every address of this machine", row.local.ip()))
            .cause("0.0.0.0 and [::] mean all addresses: whoever reaches this machine reaches the server; \
                    bind exactly the address that was given")
            .stop()),
    }
}

fn has_one_listener(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let snapshot = server.settle()?;
    let sockets = snapshot.own_rows();
    let doubled = snapshot.doubled_socket();
    if sockets.len() == 1 && doubled.is_none() {
        return Ok(());
    }
    let mut blame = t
        .fail("the server has other sockets besides its listener")
        .expected("one socket: the TCP listener");
    for row in &sockets {
        let kind = if row.table.is_tcp() { "TCP" } else { "UDP" };
        blame = blame.seen(format!("{kind} {} {}", row.local, row.state));
    }
    if let Some(row) = doubled {
        blame = blame.seen(format!("two descriptors of the socket {} {}", row.local, row.state));
    }
    Err(blame
        .cause("bind and listen once; a second socket that is never used still takes its port")
        .stop())
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    // Whoever prints is blocked in that for now, and can be looked at.
    t.set_next_output(Output::Full);
    let running = t.start("server", Given::address(address), Stdin::Null)?;
    let too_early = match kernel::available() {
        Ok(()) => t.settle(&running)?.is_ok_and(|now| now.listeners().is_empty()),
        Err(_) => false,
    };
    running.program.release_stdout();
    let server = t.listening(running, address)?;
    let expected = format!("listening on {}\n", server.bound()?);
    let stdout = ready_line(t, &server)?;
    let said = quote_short(&stdout, 60);
    if too_early && stdout.starts_with(b"listening on") {
        return Err(t
            .fail("the server says that it is ready before it is")
            .expected("a listening socket first, and then the ready line")
            .seen(format!("{said}, while it had no listening socket"))
            .cause(
                "who reads the line connects at once, and is refused: bind and listen, then say so",
            )
            .stop());
    }
    if stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the ready line is not what it should be")
        .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
        .seen(said)
        .difference(expected.as_bytes(), &stdout)
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

/// What is wrong with a ready line that is not as expected.
fn why_not_ready(stdout: &[u8], expected: &str) -> &'static str {
    let lines = stdout.split_inclusive(|byte| *byte == b'\n');
    match lines.into_iter().any(|line| line == expected.as_bytes()) {
        true => READY_LINE_ALONE,
        false if stdout.starts_with(b"listening on ") => {
            "print the numeric address that the listener really has, as HOST:PORT: what \
             local_addr() says (getsockname)"
        }
        false => "the line is `listening on ` and the address, as HOST:PORT, and nothing else",
    }
}

const READY_LINE_ALONE: &str =
    "standard output is for the ready line alone; anything else goes to standard error";

fn tells_the_port_that_it_got(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let mut any = t.addresses().free_address();
    any.set_port(0);
    let server = t.server_at(any)?;
    let stdout = ready_line(t, &server)?;
    let expected = format!("listening on {}\n", server.bound()?);
    if stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the ready line does not tell the port that the server got")
        .expected(quote_short(expected.as_bytes(), 60))
        .seen(quote_short(&stdout, 60))
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

fn listens_on_ipv6(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let Some(address) = t.addresses().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let running = t.start("server", Given::address(address), Stdin::Null)?;
    let server = t.listening_or(running, address, AS_IT_IS)?;
    let listeners = local_addresses(&server.look()?);
    if listeners == [address.to_string()] {
        return Ok(());
    }
    Err(t
        .fail("the server does not listen on the IPv6 address")
        .expected(format!("a listening socket on {address}"))
        .seen(format!("listening on {}", listeners.join(" and ")))
        .cause(AS_IT_IS)
        .stop())
}

const AS_IT_IS: &str = "give the text to bind as it is: it knows IPv4, [IPv6] and names";

fn listens_on_a_name(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let address = t.addresses().free_localhost()?;
    let text = format!("localhost:{}", address.port());
    let running = t.start("server", Given::text(&text), Stdin::Null)?;
    let server = t.listening_or(running, address, AS_IT_IS)?;
    let bound = server.bound()?;
    let right_port = bound.port() == address.port();
    let expected = format!("listening on {bound}\n");
    let stdout = ready_line(t, &server)?;
    if bound.ip().is_loopback() && right_port && stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the server does not listen where the name says")
        .expected(format!("a listening socket on a loopback address, port {}", address.port()))
        .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
        .seen(format!("listening on {bound}"))
        .seen(format!("on standard output: {}", quote_short(&stdout, 60)))
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

fn is_idle_without_clients(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    expect_idle(t, &server)
}

fn leaves_nothing_behind(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    server.running.program.signal("TERM")?;
    t.note("the server was told to end (SIGTERM)");
    server
        .wait_for_end("SIGTERM asks a program to end, and ends it unless it handles the signal")?;
    // Its last workers, and its port, are gone a moment after itself.
    let (family, address) = (server.running.program.family(), server.address);
    let gone = t.look_until(|| {
        let free = kernel::process_tree(family)?.is_empty() && TcpListener::bind(address).is_ok();
        Ok(free.then_some(()))
    })?;
    if gone.is_some() {
        return Ok(());
    }
    let left = server.look()?.processes;
    let left: Vec<_> = left.iter().map(|p| format!("process {} ({})", p.pid, p.name)).collect();
    let blame = t
        .fail("something is left when the server has been terminated")
        .expected(format!("no process, and nothing listens on {address}"));
    Err(if left.is_empty() {
        blame.seen(format!("{address} can't be bound"))
    } else {
        blame
            .seen(format!("still there: {}", left.join(", ")))
            .cause("a child process that outlives its parent keeps what it has inherited")
    }
    .stop())
}

fn local_addresses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.listeners().iter().map(|row| row.local.to_string()).collect()
}

/// The first line of standard output, and all that follows it until the server is at rest.
fn ready_line(t: &Trial, server: &Service) -> Verdict<Vec<u8>> {
    let program = &server.running.program;
    let result = t.wait(&server.running, || {
        let line = program.stdout().head.contains(&b'\n');
        Ok(if line { Progress::Done(()) } else { Progress::Nothing })
    })?;
    if let Err(stall) = result {
        let stdout = program.stdout().head;
        return Err(t
            .fail("the server listens, and does not say so")
            .expected(format!("on standard output: \"listening on {}\\n\"", server.address))
            .seen(format!("{}; then {}", quote_short(&stdout, 60), stall.sentence("server")))
            .cause(
                "standard output is a pipe here, so it is not flushed at a line's end by itself in \
                    every language: flush it",
            )
            .stop());
    }
    // A connection is possible as soon as the line is there, and what else is printed before the
    // server comes to rest belongs to it too.
    let _ = t.settle(&server.running)?;
    Ok(program.stdout().head)
}
