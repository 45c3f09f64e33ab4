//! Step 1 of lab 1: `listen`.

use super::expect_idle;
use crate::kernel::{self, Snapshot, State};
use crate::net::{Service, Started};
use crate::program::{Given, Stdin, describe_exit, takes_privileges};
use crate::trial::{Progress, Running, Stop, Trial, Verdict};
use crate::words::quote_short;
use std::net::{IpAddr, TcpListener};
use std::rc::Rc;

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
    let server = t.server()?;
    let expected = format!("listening on {}\n", server.bound()?);
    let stdout = ready_line(t, &server)?;
    if stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail("the ready line is not what it should be")
        .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
        .seen(quote_short(&stdout, 60))
        .difference(expected.as_bytes(), &stdout)
        .cause(READY_LINE_ALONE)
        .stop())
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
        .cause(match stdout.ends_with(expected.as_bytes()) {
            true => READY_LINE_ALONE,
            false => "print what local_addr() of the listener says, not what the user typed",
        })
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
        .cause(match stdout.ends_with(expected.as_bytes()) && stdout != expected.as_bytes() {
            true => READY_LINE_ALONE,
            false => "bind resolves a name by itself; the ready line has what local_addr() says",
        })
        .stop())
}

fn refuses_a_taken_port(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}"));
    refuses(t, address, "Address already in use: two listeners can't have the same port")
}

fn refuses_a_foreign_address(t: &mut Trial) -> Verdict {
    let mut address = t.addresses().free_address();
    // TEST-NET-1 (RFC 5737): no machine has it.
    address.set_ip(IpAddr::from([192, 0, 2, 1]));
    refuses(
        t,
        address,
        "Cannot assign requested address: only an address of this machine can be bound",
    )
}

fn refuses_a_privileged_port(t: &mut Trial) -> Verdict {
    let address = (t.addresses().host(), 7).into();
    if let Err(reason) = kernel::available() {
        return Err(Stop::Skip(reason));
    }
    if TcpListener::bind(address).is_err() {
        return refuses(t, address, PRIVILEGED);
    }
    // We may bind it (in a namespace of our own we are root), so the program must have less.
    if !takes_privileges() {
        let why = "we may bind port 7 ourselves, and setpriv (util-linux), which takes that away \
                   from the program, is not installed";
        return Err(Stop::Skip(why.into()));
    }
    refuses(t, address, PRIVILEGED)
}

const PRIVILEGED: &str =
    "Permission denied: ports below 1024 are for the well-known services and need a privilege";

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let server = t.server()?;
    server.kill()?;
    let address = server.asked;
    for (given, what, statuses) in [
        (Given::nothing(), "no argument", &[2][..]),
        (Given::address(address).surplus(), "one argument too many", &[2]),
        (Given::text("nonsense"), "an address without a port", &[1, 2]),
        (Given::text("127.0.0.1:99999"), "a port that does not exist", &[1, 2]),
        (Given::text("no-such-host.invalid:7007"), "a name that does not exist", &[1, 2]),
    ] {
        let running = t.start("server", given, Stdin::Null)?;
        let line = "a line on standard error, and the end";
        let status = match t.begun_or(running, address, line, TRIES_AGAIN)? {
            Started::Ended(status) => status,
            Started::Listening(server) => {
                return Err(t
                    .fail(format!("given {what}, the server listens all the same"))
                    .expected(line)
                    .seen(format!("it listens on {}", server.address))
                    .cause("what can't be used as an address must not be replaced by another")
                    .stop());
            }
        };
        let code = status.code().unwrap_or(-1);
        if !statuses.contains(&code) {
            let allowed: Vec<_> = statuses.iter().map(i32::to_string).collect();
            return Err(t
                .fail(format!("given {what}, the server ends in the wrong way"))
                .expected(format!("exit status {}", allowed.join(" or ")))
                .seen(describe_exit(status))
                .cause("return the error (`?`) instead of unwrapping it")
                .stop());
        }
    }
    Ok(())
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
    let address = server.address;
    let result = t.wait(&server.running, || {
        let snapshot = server.look()?;
        let holders =
            snapshot.rows.iter().filter(|row| row.local == address && row.state == State::Listen);
        let gone = snapshot.processes.is_empty() && holders.count() == 0;
        Ok(if gone { Progress::Done(()) } else { Progress::Nothing })
    })?;
    if result.is_ok() && TcpListener::bind(address).is_ok() {
        return Ok(());
    }
    let left = server.look()?.processes;
    let left: Vec<_> = left.iter().map(|p| format!("process {} ({})", p.pid, p.name)).collect();
    Err(t
        .fail("something is left when the server has been terminated")
        .expected(format!("no process, and nothing listens on {address}"))
        .seen(match left.is_empty() {
            true => format!("{address} can't be bound"),
            false => format!("still there: {}", left.join(", ")),
        })
        .cause("a child process that outlives its parent keeps what it has inherited")
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

fn refuses(t: &Trial, address: std::net::SocketAddr, why: &str) -> Verdict {
    let running = t.start("server", Given::address(address), Stdin::Null)?;
    expect_refusal(t, running, address, why)
}

const TRIES_AGAIN: &str = "a loop that tries bind again until it works leaves the user without a \
    word: return the error, and let the user decide";

/// Expects that the program could not listen: exit status 1 and one line with the address.
fn expect_refusal(
    t: &Trial,
    running: Rc<Running>,
    address: std::net::SocketAddr,
    why: &str,
) -> Verdict {
    let line = format!("one line on standard error, with {address}; exit status 1");
    let status = match t.begun_or(running, address, &line, TRIES_AGAIN)? {
        Started::Ended(status) => status,
        Started::Listening(server) => {
            return Err(t
                .fail("the server listens, although it can't listen there")
                .expected(line)
                .seen(format!("it listens on {}", server.address))
                .cause(format!("{why}; the user must be told, not served elsewhere"))
                .stop());
        }
    };
    let running = t.last_started()?;
    running.program.stop()?;
    let stderr = running.program.stderr().last_lines(usize::MAX);
    let one_line = stderr.len() == 1 && stderr[0].contains(&address.to_string());
    if one_line && status.code() == Some(1) {
        return Ok(());
    }
    let blame = t
        .fail("the server does not say in one line what went wrong")
        .expected(line)
        .seen(format!("{} lines on standard error, {}", stderr.len(), describe_exit(status)));
    Err(match status.code() {
        Some(101) => blame.cause(
            "a panic is for mistakes in the program; what a user or the system \
                                  can cause is an error to return (`?`) and to report",
        ),
        Some(0) => blame.cause("exit status 0 tells the shell that all went well"),
        _ => blame.cause(why.to_owned()),
    }
    .stop())
}
