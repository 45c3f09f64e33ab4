//! The checks of lab 1, the server.
//!
//! A server that serves clients at the same time is as right as an iterative one.

use std::net::{IpAddr, TcpListener};
use std::rc::Rc;

use crate::drive::{Cut, Flow, Server, Started, noise, pattern};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Look, Running, Standstill, Stop, Trial, Verdict, Why};
use crate::watch::{self, Process, Snapshot, State};
use crate::words::{count, quote_short};

checks! { $ "server", server_checks:
    listens_on_the_given_address, step 1, 3 points: "listens on the address that it was given";
    "A program that listens, listens on ADDR: 127.0.0.1:7007 is that address and that port."

    binds_no_wider, step 1, 2 points: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    has_one_listener, step 1, 2 points: "has one socket: the listener";
    "One bind, one listener. It is a TCP socket, and nothing else is open."

    prints_the_ready_line, step 1, 2 points: "says that it is ready, in one line, once it is";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7007`, once a client can connect."

    tells_the_port_that_it_got, step 1, 2 points: "given port 0, tells the port that it got";
    "Port 0 asks the system for a free port; the ready line has the address it really has."

    listens_on_ipv6, step 1, 2 points: "listens on an IPv6 address";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    listens_on_a_name, step 1, 2 points: "listens on a name: localhost";
    "Where a name was given, the ready line has the numeric address."

    refuses_a_taken_port, step 1, 2 points: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_a_foreign_address, step 1, 2 points: "says in one line that an address is not its own";
    "An address that this machine does not have gives AddrNotAvailable: one line, exit status 1."

    refuses_a_privileged_port, step 1, 1 point: "says in one line that a port needs privileges";
    "Ports below 1024 need a privilege: without it PermissionDenied, one line, exit status 1."

    refuses_bad_arguments, step 1, 2 points: "survives bad arguments without a panic";
    "Missing or surplus arguments: one usage line on stderr, exit status 2. Never a panic."

    is_idle_without_clients, step 1, 2 points: "is blocked, not polling, while nobody connects";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    leaves_nothing_behind, step 1, 2 points: "frees its port when it is terminated";
    "After SIGTERM nothing of it is left: no process, no listener, and the port can be bound."

    accepts_a_client, step 2, 2 points: "accepts a client";
    "accept takes the first connection out of the listener's queue (POSIX accept)."

    accepts_one_after_another, step 2, 3 points: "accepts clients one after another, for ever";
    "An iterative server accepts one client at a time, then the next, for ever."

    // The book shows this row and its function.
    // ANCHOR: row_of_a_check
    survives_connect_and_close, step 2, 2 points: "survives clients that connect and say nothing";
    "One bad client is that client's problem: an early close ends that connection and nothing else."
    // ANCHOR_END: row_of_a_check

    closes_what_has_ended, step 2, 2 points: "closes its socket when the client has gone";
    "After the client's end the server closes: no socket of its own stays in CLOSE-WAIT."

    keeps_nothing_of_many_clients, step 2, 2 points: "has no more sockets and threads after 40 clients";
    "Descriptors and threads return to what they were: a server runs for ever."

    survives_few_descriptors, step 2, 2 points: "recovers when it was out of descriptors";
    "Out of file descriptors: accept fails. The server goes on, does not spin, and serves again."

    restarts_on_the_same_port, step 2, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."

    echoes, step 3, 3 points: "sends back what it receives";
    "Any data received is sent back to the originating source (RFC 862)."

    echoes_without_a_line_end, step 3, 2 points: "does not wait for a line end";
    "TCP is a byte stream: a byte that has arrived is echoed, whatever comes after it."

    echoes_byte_by_byte, step 3, 2 points: "echoes a message that comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    echoes_two_messages_at_once, step 3, 2 points: "echoes two messages that come in one segment";
    "One write is not one read: two messages may arrive together (RFC 9293 section 3.8)."

    echoes_any_length, step 3, 2 points: "echoes any length, also around a buffer's size";
    "Every byte comes back unchanged and in order, whatever the size of the buffer."

    echoes_any_bytes, step 3, 2 points: "echoes any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    stays_silent_and_open, step 3, 2 points: "sends nothing that nobody asked for";
    "An echo server speaks when it is spoken to. Silence of a client is no offence."

    keeps_the_connection, step 3, 2 points: "keeps the connection until the client ends it";
    "It sends every byte back until the client ends its stream: a connection is not one request."

    half_close, step 3, 3 points: "serves a half-closed client to the last byte";
    "A half-closed client still gets all of its bytes (RFC 9293 section 3.6, case 2)."

    ends_cleanly, step 3, 2 points: "ends with a FIN, after the client did";
    "After the client's end the server closes: an orderly end, not a reset, and the client closed first."

    is_idle_while_a_client_is_silent, step 3, 2 points: "is blocked, not polling, while a client is silent";
    "Quiet when idle, also with a client, and after a client's end."

    survives_a_reset, step 3, 2 points: "survives a client that resets the connection";
    "One bad client is that client's problem: a reset ends that connection and nothing else."

    survives_a_client_that_vanishes, step 3, 2 points: "survives a client that vanishes in mid-reply";
    "A write to a client that has gone fails with BrokenPipe or ConnectionReset: the next is served."

    serves_waiting_clients, step 3, 3 points: "serves clients that had to wait, each its own bytes";
    "Clients in the backlog are served, none lost, and each gets its own bytes."

    echoes_to_a_slow_reader, step 3, 3 points: "loses nothing when the client reads late";
    "A write blocks while the client's queue is full; every byte comes back all the same."

    echoes_a_large_stream, step 3, 3 points: "echoes 8 MiB, both directions at once";
    "No limit on the size of a stream; memory stays bounded."
}

// ------------------------------------------------------------------------------- step 1, listen

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
    let mut any = t.site().free_address();
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
    let Some(address) = t.site().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let running = t.start("server", Given::Address(address), Stdin::Null)?;
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
    let address = t.site().free_localhost()?;
    let text = format!("localhost:{}", address.port());
    let running = t.start("server", Given::Text(&text), Stdin::Null)?;
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
    let address = t.site().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}"));
    refuses(t, address, "Address already in use: two listeners can't have the same port")
}

fn refuses_a_foreign_address(t: &mut Trial) -> Verdict {
    let mut address = t.site().free_address();
    // TEST-NET-1 (RFC 5737): no machine has it.
    address.set_ip(IpAddr::from([192, 0, 2, 1]));
    refuses(
        t,
        address,
        "Cannot assign requested address: only an address of this machine can be bound",
    )
}

fn refuses_a_privileged_port(t: &mut Trial) -> Verdict {
    let address = (t.site().host(), 7).into();
    if let Err(reason) = watch::available() {
        return Err(Stop::Skip(reason));
    }
    if TcpListener::bind(address).is_err() {
        return refuses(t, address, PRIVILEGED);
    }
    // We may bind it (in a namespace of our own we are root), so the program gets less.
    let (inner, shown) = t.template_of("server")?.fill(Given::Address(address));
    let mut command = std::process::Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--"]);
    command.arg(inner.get_program()).args(inner.get_args());
    if std::process::Command::new("setpriv").arg("--version").output().is_err() {
        let why = "we may bind port 7 ourselves, and setpriv (util-linux), which takes that away \
                   from the program, is not installed";
        return Err(Stop::Skip(why.into()));
    }
    let running =
        t.start_command("server", command, &format!("{shown} (without privileges)"), Stdin::Null)?;
    expect_refusal(t, running, address, PRIVILEGED)
}

const PRIVILEGED: &str =
    "Permission denied: ports below 1024 are for the well-known services and need a privilege";

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let server = t.server()?;
    server.kill()?;
    let address = server.asked;
    for (given, what, statuses) in [
        (Given::Nothing, "no argument", &[2][..]),
        (Given::Surplus(address), "one argument too many", &[2]),
        (Given::Text("nonsense"), "an address without a port", &[1, 2]),
        (Given::Text("127.0.0.1:99999"), "a port that does not exist", &[1, 2]),
        (Given::Text("no-such-host.invalid:7007"), "a name that does not exist", &[1, 2]),
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
        Ok(if gone { Look::Done(()) } else { Look::Nothing })
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

// -------------------------------------------------------------------------- step 2, accept_loop

fn accepts_a_client(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}

fn accepts_one_after_another(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    for _ in 0..3 {
        let client = server.connect()?;
        server.wait_until_accepted()?;
        client.close();
        server.settle()?;
    }
    Ok(())
}

// ANCHOR: function_of_a_check
fn survives_connect_and_close(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    for client in server.connect_many(10)? {
        client.close();
    }
    server.settle()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}
// ANCHOR_END: function_of_a_check

fn closes_what_has_ended(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    let cause = "a stream is closed when it is dropped; one that is stored, forgotten or cloned \
                 stays open";
    server.wait_until(
        "the server keeps the socket of a client that has gone",
        "the socket is closed: no row in CLOSE-WAIT",
        cause,
        |snapshot| {
            let rows = snapshot.own_rows();
            match rows.iter().find(|row| row.table.is_tcp() && row.state != State::Listen) {
                None => Ok(()),
                Some(row) => {
                    let with = t.names().call(row.remote);
                    Err(format!("the connection with {with} is in {}", row.state))
                }
            }
        },
    )?;
    // A server that has ended holds no socket either.
    server.settle().map(drop)
}

fn keeps_nothing_of_many_clients(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let before = server.settle()?;
    for _ in 0..4 {
        let clients = server.connect_many(10)?;
        drop(clients);
        t.note("they all closed");
        server.settle()?;
        server.wait_until_accepted()?;
    }
    // A pool of threads is no leak: what is judged is that nothing grows with the clients.
    let (sockets, threads) = (before.socket_descriptors(), before.threads().count() + 16);
    let cause = "each client leaves something behind: a stream that is kept, or a thread that \
                 never ends";
    server.wait_until(
        "the server keeps something of every client",
        &format!("sockets: {sockets}, threads: at most {threads}, as before"),
        cause,
        |now| match (now.socket_descriptors(), now.threads().count()) {
            (s, n) if s <= sockets && n <= threads => Ok(()),
            (s, n) => Err(format!("sockets: {s}, threads: {n}")),
        },
    )?;
    Ok(())
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let held = server.settle()?;
    let program = &server.running.program;
    let free = held.processes.iter().find(|process| process.pid == program.pid());
    let free = free.map_or(0, Process::lowest_free_descriptor);
    program.limit_descriptors(free).map_err(|error| Stop::Skip(error.to_string()))?;
    t.note(format!("the server gets no more descriptors (RLIMIT_NOFILE is {free} now)"));
    // Linux has set one aside for the accept that waits: it is the one after that which fails.
    server.connect()?.close();
    if matches!(t.settle(&server.running)?, Err(Standstill { why: Why::Busy })) {
        return Err(t
            .fail("the server spins while it is out of descriptors")
            .expected("it waits a moment before it calls accept again")
            .seen("accept fails and is called again at once, with all of the processor's time")
            .cause(
                "the client stays in the queue as long as there is no descriptor for it, so the \
                 next accept fails at once, too: sleep for some milliseconds after an error",
            )
            .stop());
    }
    server.settle()?;
    let client = server.connect()?;
    program.limit_descriptors(ENOUGH)?;
    t.note("it gets descriptors again");
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}

/// Descriptors for any server with one client.
const ENOUGH: u32 = 200;

fn restarts_on_the_same_port(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let mut client = server.connect()?;
    server.wait_until_accepted()?;
    // The side that closes first goes to TIME-WAIT: here the server, which is killed.
    server.kill()?;
    client.half_close()?;
    client.close();
    t.note("the old connection is in TIME-WAIT on the server's port");
    let running = t.start("server", Given::Address(server.asked), Stdin::Null)?;
    let again = t.listening_or(running, server.asked, OVER_TIME_WAIT)?;
    if again.address == server.address {
        return Ok(());
    }
    Err(t
        .fail("the restarted server listens somewhere else")
        .expected(format!("a listening socket on {}", server.address))
        .seen(format!("listening on {}", again.address))
        .cause(OVER_TIME_WAIT)
        .stop())
}

const OVER_TIME_WAIT: &str = "a connection in TIME-WAIT is no listener: with SO_REUSEADDR, which \
    std sets, bind works over it, and no other port is needed";

// -------------------------------------------------------------------------------- step 3, serve

fn echoes(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    client.expect_nothing()
}

fn echoes_without_a_line_end(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"no line end")?;
    client.expect(b"no line end")?;
    client.send(b"!")?;
    client.expect(b"!")
}

fn echoes_byte_by_byte(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send_cut(b"one byte at a time\n", Cut::Bytes)?;
    client.expect(b"one byte at a time\n")?;
    let payload = pattern(100);
    client.send_cut(&payload, Cut::Seed(1))?;
    client.expect(&payload)
}

fn echoes_two_messages_at_once(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"first\nsecond\n")?;
    client.expect(b"first\nsecond\n")
}

fn echoes_any_length(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    for length in
        [1, 127, 128, 511, 512, 513, 1023, 1024, 1025, 4096, 4097, 8192, 8193, 16385, 65537]
    {
        let payload = noise(length as u64, length);
        client.exchange(&payload, &payload, Flow::Together)?;
    }
    client.expect_nothing()
}

fn echoes_any_bytes(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    let all: Vec<u8> = (0..=255).collect();
    client.send(&all)?;
    client.expect(&all)?;
    // Two bytes of one character, in two segments.
    client.send_cut("é".as_bytes(), Cut::Bytes)?;
    client.expect("é".as_bytes())?;
    client.send(b"\r\n\0\xff\n")?;
    client.expect(b"\r\n\0\xff\n")
}

fn stays_silent_and_open(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.expect_nothing()?;
    client.send(b"at last\n")?;
    client.expect(b"at last\n")
}

fn keeps_the_connection(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    for text in [&b"first\n"[..], b"second\n", b"third\n"] {
        client.send(text)?;
        client.expect(text)?;
        client.expect_nothing()?;
    }
    Ok(())
}

fn half_close(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"the last words, without a line end")?;
    client.half_close()?;
    client.expect(b"the last words, without a line end")?;
    client.expect_end()?;
    // The end comes while most of the reply is still to be written.
    let mut client = server.connect()?;
    let payload = noise(2, 4 << 20);
    let sent = client.stall(&payload)?;
    client.half_close()?;
    client.expect(&payload[..sent])?;
    client.expect_end()
}

fn ends_cleanly(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"bye\n")?;
    client.expect(b"bye\n")?;
    client.half_close()?;
    client.expect_end()?;
    // Nothing at all was sent: the end alone is answered by the end.
    let mut client = server.connect()?;
    client.half_close()?;
    client.expect_end()
}

fn is_idle_while_a_client_is_silent(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    expect_idle(t, &server)?;
    client.half_close()?;
    expect_idle(t, &server)
}

fn survives_a_reset(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"I shall not read the answer\n")?;
    client.reset()?;
    server.settle()?;
    server.expect_service()
}

fn survives_a_client_that_vanishes(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    let payload = noise(3, 4 << 20);
    let stalled = client.stall(&payload)?;
    t.note(format!("the server is in mid-reply: {} are under way", count(stalled)));
    client.reset()?;
    server.settle()?;
    server.expect_service()
}

fn serves_waiting_clients(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut clients = server.connect_many(5)?;
    let text = |name: &str| format!("these are the bytes of {name}\n");
    for client in &mut clients {
        let text = text(client.name());
        client.send(text.as_bytes())?;
    }
    // The first is served first; the others must wait for its end, or are served meanwhile.
    for mut client in clients {
        let text = text(client.name());
        client.expect(text.as_bytes())?;
        client.half_close()?;
        client.expect_end()?;
    }
    Ok(())
}

fn echoes_to_a_slow_reader(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    let payload = noise(4, 6 << 20);
    client.exchange(&payload, &payload, Flow::WriteFirst)
}

fn echoes_a_large_stream(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    let payload = noise(5, 8 << 20);
    client.exchange(&payload[..1 << 16], &payload[..1 << 16], Flow::Together)?;
    let before = memory(&server)?;
    client.exchange(&payload, &payload, Flow::Together)?;
    let grown = memory(&server)?.saturating_sub(before);
    if grown < 4 << 20 {
        return Ok(());
    }
    Err(t
        .fail("the server keeps the whole stream in memory")
        .expected("memory stays bounded: at most 4 MiB more for a stream of 8 MiB")
        .seen(format!("{} more", count(grown as usize)))
        .cause("each piece can be sent back and forgotten; nothing needs to be collected")
        .stop())
}

// ------------------------------------------------------------------- what several checks share

fn local_addresses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.listeners().iter().map(|row| row.local.to_string()).collect()
}

fn memory(server: &Server) -> Verdict<u64> {
    server.trial().needs_watching()?;
    Ok(watch::resident_bytes(server.running.program.pid())?)
}

/// The first line of standard output, and all that follows it until the server is at rest.
fn ready_line(t: &Trial, server: &Server) -> Verdict<Vec<u8>> {
    let program = &server.running.program;
    let result = t.wait(&server.running, || {
        let line = program.stdout().head.contains(&b'\n');
        Ok(if line { Look::Done(()) } else { Look::Nothing })
    })?;
    if let Err(standstill) = result {
        let stdout = program.stdout().head;
        return Err(t
            .fail("the server listens, and does not say so")
            .expected(format!("on standard output: \"listening on {}\\n\"", server.address))
            .seen(format!("{}; then {}", quote_short(&stdout, 60), standstill.sentence("server")))
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
    let running = t.start("server", Given::Address(address), Stdin::Null)?;
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

fn expect_idle(t: &Trial, server: &Server) -> Verdict {
    t.expect_idle(&server.running, &server.expect_rest()?)
}
