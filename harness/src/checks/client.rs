//! The checks of lab 2, the client. The harness is its server.
//!
//! What the client sends is exactly its standard input, and what it prints is exactly what the
//! server sends; how it is cut, and who speaks first, is the server's and the user's to decide.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use crate::drive::{Client, Connection, Cut, text};
use crate::program::Given;
use crate::trial::{Look, Stop, Trial, Verdict};
use crate::watch;
use crate::words::count;

checks! { $ "client", client_checks:
    connects, step 1, 3 points: "connects to the address that it was given";
    "The client connects to ADDR: 127.0.0.1:7007 is that address and that port."

    connects_once, step 1, 2 points: "makes one connection, not more";
    "One connection for all that is sent and received: each connect is a new one for the server."

    connects_on_ipv6, step 1, 2 points: "connects to an IPv6 address";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    connects_to_a_name, step 1, 2 points: "connects to a name: localhost";
    "A name is resolved to its addresses; the client connects to one of them."

    tries_every_address, step 1, 2 points: "tries every address of a name";
    "A name can have several addresses. Each is tried in turn, until one works (RFC 1123 section 2.3)."

    tells_when_refused, step 1, 3 points: "says in one line that it was refused";
    "Where nobody listens connect fails with ConnectionRefused: one line on stderr that names the address, exit status 1."

    refuses_bad_arguments, step 1, 2 points: "survives bad arguments without a panic";
    "Missing or surplus arguments: exit status 2. No such name, no such port: one line on stderr. Never a panic."

    sends_its_input, step 2, 3 points: "sends all of its standard input, and no more";
    "All of stdin is sent, byte for byte: also the last line, with or without a newline."

    sends_nothing_of_its_own, step 2, 2 points: "sends nothing that is not from its input";
    "The client knows no protocol: no greeting, no farewell; what the server gets is stdin."

    sends_at_once, step 2, 2 points: "sends each piece of its input at once";
    "What was read from stdin is sent, without waiting for a line end, a full buffer or the end."

    sends_any_bytes, step 2, 2 points: "sends any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    keeps_its_connection, step 2, 2 points: "sends everything over one connection";
    "The connection lives until the server ends it: a line is not a connection."

    ends_its_side, step 2, 3 points: "ends its sending side when its input ends";
    "When stdin ends the client sends a FIN: without it the server waits for more (RFC 9293 section 3.6)."

    ends_only_its_side, step 2, 2 points: "keeps the other direction open after its end";
    "A side that has sent its FIN may still receive (RFC 9293 section 3.6): the connection stays."

    sends_a_large_stream, step 2, 3 points: "sends a large stream to a server that reads late";
    "A write waits while the server does not read; every byte arrives all the same, and memory stays bounded."

    prints_what_arrives, step 3, 3 points: "prints what it receives, and nothing else";
    "stdout of a client is exactly the bytes received; when the server ends its side: exit status 0."

    prints_at_once, step 3, 3 points: "prints each piece at once, also without a newline";
    "What arrives is on stdout at once, not at a buffer's convenience: a prompt has no newline."

    prints_byte_by_byte, step 3, 2 points: "prints what comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    prints_any_bytes, step 3, 2 points: "prints any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    prints_a_large_stream, step 3, 2 points: "prints a large stream";
    "No limit on the size of a stream; memory stays bounded."

    talks_and_listens, step 3, 2 points: "lets anybody speak at any time";
    "Both directions at once: an input may have no answer, one or several, and a server may speak first."

    both_at_once, step 3, 3 points: "sends and receives a large stream at the same time";
    "Both directions at once: a client that writes everything before it reads deadlocks as soon as the queues are full."

    waits_for_a_late_answer, step 3, 3 points: "waits for the answer after its input has ended";
    "The end of stdin ends the sending side, not the client."

    waits_for_a_late_server, step 3, 2 points: "waits for a server that does not accept it yet";
    "connect is done when the kernel has queued the connection. Silence is no offence."

    ends_with_the_server, step 3, 3 points: "ends when the server ends, though its input goes on";
    "The server ends first while stdin is open: the client prints what it got and exits with status 0."

    ends_with_the_server_while_sending, step 3, 2 points: "ends when the server ends, though not all is sent";
    "A server may answer and end before it has read everything: the client prints the answer and exits with status 0."

    tells_of_a_reset, step 3, 2 points: "prints what came before a reset, then says it in one line";
    "A reset (ConnectionReset): what arrived before is on stdout, one line on stderr, exit status 1."

    survives_a_reset_while_sending, step 3, 2 points: "survives a reset while it is sending";
    "A write to a server that has gone fails with ConnectionReset or BrokenPipe: an end, never a panic."

    ends_quietly_without_a_reader, step 3, 2 points: "ends quietly when nobody reads its output";
    "A closed stdout (`client ADDR | head -1`) is no failure: nothing on stderr, exit status 0."

    is_idle_while_nothing_happens, step 3, 2 points: "is blocked, not polling, while nothing happens";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."
}

// ------------------------------------------------------------------------------ step 1, connect

fn connects(t: &mut Trial) -> Verdict {
    t.conversation().map(drop)
}

fn connects_once(t: &mut Trial) -> Verdict {
    let listener = t.listen()?;
    let client = t.client(Given::Address(listener.addresses[0]))?;
    let _server = listener.accept(&client)?;
    listener.expect_nobody(&client)
}

fn connects_on_ipv6(t: &mut Trial) -> Verdict {
    let Some(address) = t.site().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let listener = t.listen_on(&[address])?;
    let client = t.client(Given::Address(address))?;
    listener.accept(&client).map(drop)
}

fn connects_to_a_name(t: &mut Trial) -> Verdict {
    let addresses = localhost(t)?;
    let listener = t.listen_on(&addresses)?;
    let client = t.client(Given::Text(&format!("localhost:{}", addresses[0].port())))?;
    let _server = listener.accept(&client)?;
    listener.expect_nobody(&client)
}

fn tries_every_address(t: &mut Trial) -> Verdict {
    let addresses = localhost(t)?;
    if addresses.len() < 2 {
        let why = format!(
            "the only name that every system has, localhost, is {} here and nothing else",
            addresses[0].ip()
        );
        return Err(Stop::Skip(why));
    }
    for address in &addresses {
        let others = addresses.iter().filter(|other| *other != address);
        let others: Vec<_> = others.map(|other| other.ip().to_string()).collect();
        let listener = t.listen_on(&[*address])?;
        t.note(format!("localhost is {}, too, where nobody listens", others.join(" and ")));
        let client = t.client(Given::Text(&format!("localhost:{}", address.port())))?;
        let _server = listener.accept_or(&client, ONE_ADDRESS)?;
        client.running.program.stop()?;
    }
    Ok(())
}

const ONE_ADDRESS: &str = "one address was tried, and no other: TcpStream::connect tries each that \
    a name has when it is given the name, and only one when it is given a SocketAddr";

fn tells_when_refused(t: &mut Trial) -> Verdict {
    let address = t.site().free_address();
    t.note(format!("nobody listens on {address}"));
    let client = t.client(Given::Address(address))?;
    client.expect_failure(
        &address.to_string(),
        "connect says Connection refused at once: return that error, and try no longer",
    )
}

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let address = t.conversation()?.1.here();
    for (given, what, statuses) in [
        (Given::Nothing, "no argument", &[2][..]),
        (Given::Surplus(address), "one argument too many", &[2]),
        (Given::Text("nonsense"), "an address without a port", &[1, 2]),
        (Given::Text("127.0.0.1:99999"), "a port that does not exist", &[1, 2]),
        (Given::Text("no-such-host.invalid:7007"), "a name that does not exist", &[1, 2]),
    ] {
        let client = t.client(given)?;
        let line = format!("given {what}, one line on standard error, and the end");
        let status = client.expect_end(&line, "what can't work is not to be tried again")?;
        client.expect_no_panic()?;
        let why = "return the error (`?`) instead of unwrapping it: main reports it in one line";
        client.expect_one_line(status, statuses, "", why)?;
    }
    Ok(())
}

// --------------------------------------------------------------------------------- step 2, send

fn sends_its_input(t: &mut Trial) -> Verdict {
    for line in [&b"hello\nworld\n"[..], b"two lines\n\nand no newline at the end"] {
        let (client, mut server) = t.conversation()?;
        client.input(line);
        client.end_input();
        server.expect(line)?;
        server.expect_no_more()?;
    }
    Ok(())
}

fn sends_nothing_of_its_own(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.expect_nothing()?;
    client.end_input();
    server.expect_no_more()
}

fn sends_at_once(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    for line in [&b"a line\n"[..], b"half a line", b"!", b"\nand more\n"] {
        client.input(line);
        server.expect(line)?;
    }
    Ok(())
}

fn sends_any_bytes(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    let all: Vec<u8> = (0..=255).collect();
    client.input(&all);
    server.expect(&all)?;
    // One character in two pieces.
    let (half, other) = "é".as_bytes().split_at(1);
    client.input(half);
    server.expect(half)?;
    client.input(other);
    server.expect(other)?;
    client.input(b"\r\n\0\xff\n");
    server.expect(b"\r\n\0\xff\n")
}

fn keeps_its_connection(t: &mut Trial) -> Verdict {
    let listener = t.listen()?;
    let client = t.client(Given::Address(listener.addresses[0]))?;
    let mut server = listener.accept(&client)?;
    for line in [&b"first\n"[..], b"second\n", b"third\n"] {
        client.input(line);
        listener.expect_nobody(&client)?;
        server.expect(line)?;
    }
    server.expect_nothing()
}

fn ends_its_side(t: &mut Trial) -> Verdict {
    // The end alone, and the end behind something.
    let (client, mut server) = t.conversation()?;
    client.end_input();
    server.expect_end()?;
    let (client, mut server) = t.conversation()?;
    client.input(b"the last words");
    client.end_input();
    server.expect(b"the last words")?;
    server.expect_end()
}

fn ends_only_its_side(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.input(b"question\n");
    client.end_input();
    server.expect(b"question\n")?;
    client.settle()?;
    // A socket that is closed answers with a reset.
    server.send(b"answer\n")?;
    client.settle()?;
    server.expect_no_more()
}

fn sends_a_large_stream(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    let before = memory(&client)?;
    let payload = text(1, large(t));
    client.input(&payload);
    client.end_input();
    let full = client.settle()?;
    let queued = full.connection(server.here(), server.there()).map_or(0, |row| row.rx_queue);
    t.note(format!("the server has read nothing: {} wait in its queue", count(queued as usize)));
    server.expect(&payload)?;
    server.expect_no_more()?;
    expect_bounded(t, &client, before, payload.len())
}

// ------------------------------------------------------------------------------ step 3, receive

fn prints_what_arrives(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.input(b"question\n");
    client.end_input();
    server.expect(b"question\n")?;
    client.settle()?;
    server.send(b"an answer\nof two lines, and no newline")?;
    server.half_close()?;
    client.expect_output(b"an answer\nof two lines, and no newline")?;
    client.expect_success()
}

fn prints_at_once(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    for line in [&b"login: "[..], b"Password: ", b"\nwelcome\n", b"$ "] {
        server.send(line)?;
        client.expect_output(line)?;
    }
    Ok(())
}

fn prints_byte_by_byte(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.end_input();
    client.settle()?;
    server.send_cut(b"one byte at a time\n", Cut::Bytes)?;
    server.send_cut(b"then in pieces\nof any\nlength\n", Cut::Seed(1))?;
    server.half_close()?;
    client.expect_output(b"one byte at a time\nthen in pieces\nof any\nlength\n")?;
    client.expect_success()
}

fn prints_any_bytes(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.end_input();
    client.settle()?;
    // One character in two segments; then every byte that there is.
    server.send_cut("é".as_bytes(), Cut::Bytes)?;
    let all: Vec<u8> = (0..=255).collect();
    server.send(&all)?;
    server.send(b"\r\n\0\xff")?;
    server.half_close()?;
    client.expect_output(&["é".as_bytes(), &all, b"\r\n\0\xff"].concat())?;
    client.expect_success()
}

fn prints_a_large_stream(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.end_input();
    client.settle()?;
    let before = memory(&client)?;
    let payload = text(2, 8 << 20);
    server.send(&payload)?;
    client.settle()?;
    expect_bounded(t, &client, before, payload.len())?;
    server.half_close()?;
    client.expect_output(&payload)?;
    client.expect_success()
}

fn talks_and_listens(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.send(b"I speak first\n")?;
    client.expect_output(b"I speak first\n")?;
    for line in [&b"an input without an answer\n"[..], b"and another one\n"] {
        client.input(line);
        server.expect(line)?;
    }
    server.send(b"two answers\n")?;
    client.expect_output(b"two answers\n")?;
    server.send(b"for it\n")?;
    client.expect_output(b"for it\n")?;
    client.input(b"bye\n");
    server.expect(b"bye\n")
}

fn both_at_once(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    let payload = text(3, large(t));
    client.input(&payload);
    client.end_input();
    server.echo(&client, &payload)?;
    server.half_close()?;
    client.expect_output(&payload)?;
    client.expect_success()
}

fn waits_for_a_late_answer(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.input(b"question\n");
    client.end_input();
    server.expect(b"question\n")?;
    for line in [&b"an answer\n"[..], b"after a long time\n"] {
        client.settle()?;
        server.send(line)?;
        client.expect_output(line)?;
    }
    server.half_close()?;
    client.expect_success()
}

fn waits_for_a_late_server(t: &mut Trial) -> Verdict {
    let listener = t.listen()?;
    let client = t.client(Given::Address(listener.addresses[0]))?;
    client.input(b"is anybody there?\n");
    client.end_input();
    client.settle()?;
    t.note("the client is at rest, and the server has not accepted it yet");
    let mut server = listener.accept(&client)?;
    server.expect(b"is anybody there?\n")?;
    server.send(b"yes, now\n")?;
    server.half_close()?;
    client.expect_output(b"yes, now\n")?;
    client.expect_success()
}

fn ends_with_the_server(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.input(b"question\n");
    server.expect(b"question\n")?;
    client.settle()?;
    server.send(b"the answer, and the end\n")?;
    server.half_close()?;
    t.note("the client's standard input is still open");
    client.expect_output(b"the answer, and the end\n")?;
    client.expect_success()
}

fn ends_with_the_server_while_sending(t: &mut Trial) -> Verdict {
    let (client, mut server) = stalled(t)?;
    server.send(b"I have heard enough\n")?;
    server.half_close()?;
    client.expect_output(b"I have heard enough\n")?;
    client.expect_success()
}

fn tells_of_a_reset(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.send(b"the answer is\n")?;
    client.expect_output(b"the answer is\n")?;
    client.input(b"nobody will read this\n");
    let address = server.here().to_string();
    server.reset()?;
    client.expect_failure(&address, "the reset is an error of read: return it (`?`)")
}

fn survives_a_reset_while_sending(t: &mut Trial) -> Verdict {
    let (client, mut server) = stalled(t)?;
    server.send(b"I am going\n")?;
    client.expect_output(b"I am going\n")?;
    let address = server.here().to_string();
    server.reset()?;
    let status = client.expect_end(
        "the connection was reset: the client ends",
        "an error of read is an end, too",
    )?;
    client.expect_no_panic()?;
    match status.code() {
        // The sending side was told of the reset, and the receiving side of an end.
        Some(0) => Ok(()),
        _ => client.expect_one_line(status, &[1], &address, "a failed write is an error to return"),
    }
}

fn ends_quietly_without_a_reader(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.send(b"the first line\n")?;
    client.expect_output(b"the first line\n")?;
    close_output(t, &client, &mut server)?;
    server.send(b"nobody reads this\n")?;
    let status = client.expect_end("nobody reads its output any more: the client ends", NOBODY)?;
    client.expect_no_panic()?;
    let lines = client.running.program.stderr().last_lines(usize::MAX);
    if status.code() == Some(0) && lines.is_empty() {
        return Ok(());
    }
    Err(t
        .fail("the client complains that nobody reads its output")
        .expected("nothing on standard error; exit status 0")
        .seen(format!("{} lines on standard error; {}", lines.len(), crate::program::describe_exit(status)))
        .cause("a broken pipe on standard output means that the reader has had enough: that is no failure")
        .stop())
}

const NOBODY: &str = "the error of a write to standard output went unnoticed (`let _ =`): what the \
    client receives from now on reaches nobody, so return the error";

fn is_idle_while_nothing_happens(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    t.expect_idle(&client.running, &client.expect_rest()?)?;
    server.send(b"hello\n")?;
    client.expect_output(b"hello\n")?;
    t.expect_idle(&client.running, &client.expect_rest()?)?;
    client.end_input();
    t.expect_idle(&client.running, &client.expect_rest()?)
}

// ------------------------------------------------------------------- what several checks share

/// The addresses of `localhost`, with a port that is free on each of them.
fn localhost(t: &Trial) -> Verdict<Vec<SocketAddr>> {
    let resolved = |port: u16| -> Verdict<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = match ("localhost", port).to_socket_addrs() {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                return Err(Stop::Skip(format!("localhost has no address here: {error}")));
            }
        };
        // One that can't be bound is none: a system without IPv6 may still have its name.
        addresses.retain(|address| TcpListener::bind((address.ip(), 0)).is_ok());
        addresses.dedup();
        Ok(addresses)
    };
    if resolved(0)?.is_empty() {
        return Err(Stop::Skip("no address of localhost can be bound here".into()));
    }
    for _ in 0..20 {
        let addresses = resolved(t.site().free_address().port())?;
        if addresses.iter().all(|address| TcpListener::bind(address).is_ok()) {
            return Ok(addresses);
        }
    }
    Err(Stop::Fault("no port is free on all addresses of localhost".into()))
}

/// More than the queues between two programs hold, in bytes.
fn large(t: &Trial) -> usize {
    match t.site().is_isolated() {
        true => 8 << 20,
        // The usual queues of a system hold up to 10 MiB in a direction.
        false => 15 << 20,
    }
}

/// A client in the middle of sending to a server that does not read.
fn stalled(t: &Trial) -> Verdict<(Client, Connection)> {
    let (client, server) = t.conversation()?;
    client.input(&text(4, large(t)));
    client.end_input();
    client.settle()?;
    t.note("the server has read nothing, and the queues are full");
    Ok((client, server))
}

fn memory(client: &Client) -> Verdict<u64> {
    if let Err(reason) = watch::available() {
        return Err(Stop::Skip(reason));
    }
    Ok(watch::resident_bytes(client.running.program.pid())?)
}

fn expect_bounded(t: &Trial, client: &Client, before: u64, length: usize) -> Verdict {
    let grown = memory(client)?.saturating_sub(before);
    if grown < 4 << 20 {
        return Ok(());
    }
    Err(t
        .fail("the client keeps the whole stream in memory")
        .expected(format!("memory stays bounded: at most 4 MiB more for {}", count(length)))
        .seen(format!("{} more", count(grown as usize)))
        .cause("each piece can be passed on and forgotten; nothing needs to be collected")
        .stop())
}

/// Closes the harness's end of the client's standard output, at a byte that the client prints.
fn close_output(t: &Trial, client: &Client, server: &mut Connection) -> Verdict {
    let program = &client.running.program;
    program.close_stdout();
    server.send(b"this, too\n")?;
    let closed = t.wait(&client.running, || {
        Ok(if program.stdout().ended { Look::Done(()) } else { Look::Nothing })
    })?;
    t.note("the reader of the client's standard output has gone");
    match closed {
        Ok(()) => Ok(()),
        Err(standstill) => Err(t
            .fail("the client does not print what has arrived")
            .expected("on standard output: one more line")
            .seen(standstill.sentence("client"))
            .stop()),
    }
}
