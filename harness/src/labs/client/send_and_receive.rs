//! Step 3 of lab 2: `send_and_receive`.

use super::large;
use super::program::Client;
use crate::contract::{MORE, SHORT};
use crate::net::causes::{KILLED_BY_SIGPIPE, is_killed_by_sigpipe};
use crate::net::{Connection, Cut, likely, text};
use crate::program::{Given, Output};
use crate::trial::{Progress, Trial, Verdict};

checks! { $ client_send_and_receive, "client" step 3:
    prints_what_arrives, 3 points: "prints what it receives, and nothing else";
    "stdout of a client is exactly the bytes received; when the server ends its side: exit status 0."

    prints_at_once, 3 points: "prints each piece at once, also without a newline";
    "What arrives is on stdout at once, not at a buffer's convenience: a prompt has no newline."

    prints_byte_by_byte, 2 points: "prints what comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    prints_any_bytes, 2 points: "prints any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    prints_a_large_stream, 2 points: "prints a large stream";
    "No limit on the size of a stream; memory stays bounded."

    talks_and_listens, 2 points: "lets anybody speak at any time";
    "Both directions at once: an input may have no answer, one or several, and a server may speak first."

    both_at_once, 3 points: "sends and receives a large stream at the same time";
    "Both directions at once: a client that writes everything before it reads deadlocks as soon as the queues are full."

    waits_for_a_late_answer, 3 points: "waits for the answer after its input has ended";
    "The end of stdin ends the sending side, not the client."

    waits_for_a_late_server, 2 points: "waits for a server that does not accept it yet";
    "connect is done when the kernel has queued the connection. Silence is no offence."

    ends_with_the_server, 3 points: "ends when the server ends, though its input goes on";
    "The server ends first while stdin is open: the client prints what it got and exits with status 0."

    ends_with_the_server_while_sending, 2 points: "ends when the server ends, though not all is sent";
    "A server may answer and end before it has read everything: the client prints the answer and exits with status 0."

    tells_of_a_reset, 2 points: "prints what came before a reset, then says it in one line";
    "A reset (ConnectionReset): what arrived before is on stdout, one line on stderr, exit status 1."

    survives_a_reset_while_sending, 2 points: "survives a reset while it is sending";
    "A write to a server that has gone fails with ConnectionReset or BrokenPipe: an end, never a panic."

    ends_quietly_without_a_reader, 2 points: "ends quietly when nobody reads its output";
    "A closed stdout (`client ADDR | head -1`) is no failure: nothing on stderr, exit status 0."

    waits_for_a_silent_server, 2 points, patient: "waits for a server that is silent for a while";
    "Silence is no offence: the client has no time-outs."

    prints_all_of_each_piece, 2 points, exotic: "prints all it receives, also when a write is interrupted";
    "write may take only a part of what it is given; stdout is exactly the bytes received."

    is_bounded_while_nobody_reads, 2 points, exotic: "receives no more than it can print";
    "Memory stays bounded, also when nobody reads what it prints."

    is_idle_while_nothing_happens, 2 points: "is blocked, not polling, while nothing happens";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."
}

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
    // An empty line ends something in other protocols, and nothing here.
    let empty_lines = [&b"\n\n"[..], b"\r\n\r\n", b"\r\n\0\xff"];
    for piece in empty_lines {
        server.send(piece)?;
        client.settle()?;
    }
    server.half_close()?;
    client.expect_output(&["é".as_bytes(), &all, &empty_lines.concat()].concat())?;
    client.expect_success()
}

fn prints_a_large_stream(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.end_input();
    client.settle()?;
    let payload = text(2, 8 << 20);
    server.send(&payload)?;
    server.half_close()?;
    client.expect_output(&payload)?;
    client.expect_success()?;
    t.new_scene()?;
    let (client, mut server) = t.conversation()?;
    client.settle()?;
    let before = t.memory(&client.running)?;
    server.send(&payload)?;
    client.settle()?;
    t.expect_bounded(&client.running, before, payload.len(), || {
        server.send(&vec![b'x'; MORE])?;
        client.settle().map(drop)
    })
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
    let client = t.client(Given::address(listener.address()))?;
    client.input(b"is anybody there?\n");
    client.end_input();
    client.settle()?;
    t.note("the client is at rest, and the server has not accepted it yet");
    let mut server = client.connects(&listener)?;
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
    // Who prints is blocked until the sending side has met the reset too: else whether it does
    // before the program ends would be a matter of luck.
    t.set_next_output(Output::Held);
    let (client, mut server) = stalled(t)?;
    server.stall(&text(6, 256 << 10))?;
    client.settle()?;
    let address = server.here().to_string();
    server.reset()?;
    let _ = t.settle(&client.running)?;
    client.running.program.release_stdout();
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

fn waits_for_a_silent_server(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.input(b"question\n");
    server.expect(b"question\n")?;
    t.be_silent(&client.running, || server.expect_nothing())?;
    server.send(b"answer\n")?;
    client.expect_output(b"answer\n")?;
    client.expect_no_more_output_at_rest()
}

fn prints_all_of_each_piece(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    // Without an interruption first: what goes wrong then has another cause.
    let (client, mut server) = t.conversation()?;
    server.send(&text(7, 1 << 18))?;
    server.half_close()?;
    client.expect_output(&text(7, 1 << 18))?;
    client.expect_success()?;
    t.new_scene()?;
    t.set_next_output(Output::Held);
    let (client, mut server) = t.conversation()?;
    let payload = text(7, 2 << 20);
    let sent = server.stall(&payload)?;
    let program = &client.running.program;
    t.interrupt_writes(&client.running, || {
        // A pipe has room again when a page of it was read.
        program.take_stdout(A_PAGE_AND_MORE);
        Ok(())
    })?;
    program.release_stdout();
    server.half_close()?;
    let printed = client.expect_output(&payload[..sent]);
    printed.map_err(|stop| {
        if stop.has_cause(&[likely::LEFT_OUT]) { stop.because(SHORT) } else { stop }
    })?;
    client.expect_success()
}

const A_PAGE_AND_MORE: usize = 5000;

fn is_bounded_while_nobody_reads(t: &mut Trial) -> Verdict {
    // What prints nothing needs no memory for it.
    let (client, mut server) = t.conversation()?;
    server.send(b"an answer\n")?;
    client.expect_output(b"an answer\n")?;
    t.new_scene()?;
    t.set_next_output(Output::Held);
    let (_client, mut server) = t.conversation()?;
    server.expect_to_be_held_up("the reader of its standard output")
}

fn ends_quietly_without_a_reader(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    server.send(b"the first line\n")?;
    client.expect_output(b"the first line\n")?;
    client.expect_no_more_output_at_rest()?;
    close_output(t, &client, &mut server)?;
    server.send(b"nobody reads this\n")?;
    let status = client.expect_end("nobody reads its output any more: the client ends", NOBODY)?;
    client.expect_no_panic()?;
    let lines = client.running.program.stderr().last_lines(usize::MAX);
    if status.code() == Some(0) && lines.is_empty() {
        return Ok(());
    }
    let (headline, cause) = if is_killed_by_sigpipe(status) {
        ("the client dies of it that nobody reads its output", KILLED_BY_SIGPIPE)
    } else {
        ("the client complains that nobody reads its output", NO_FAILURE)
    };
    Err(t
        .fail(headline)
        .expected("nothing on standard error; exit status 0")
        .seen(format!(
            "{} lines on standard error; {}",
            lines.len(),
            crate::program::describe_exit(status)
        ))
        .cause(cause)
        .stop())
}

const NO_FAILURE: &str = "a broken pipe on standard output means that the reader has had enough: that is not a \
    failure";

const NOBODY: &str = "the error of a write to standard output went unnoticed (`let _ =`): what the \
    client receives from now on reaches nobody, so return the error";

fn is_idle_while_nothing_happens(t: &mut Trial) -> Verdict {
    let (client, mut server) = t.conversation()?;
    client.expect_idle()?;
    server.send(b"hello\n")?;
    client.expect_output(b"hello\n")?;
    client.expect_idle()?;
    client.end_input();
    client.expect_idle()
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

/// Closes the harness's end of the client's standard output, at a byte that the client prints.
fn close_output(t: &Trial, client: &Client, server: &mut Connection) -> Verdict {
    let program = &client.running.program;
    program.close_stdout();
    server.send(b"this, too\n")?;
    let closed = t.wait(&client.running, || {
        Ok(if program.stdout().ended { Progress::Done(()) } else { Progress::Nothing })
    })?;
    t.note("the reader of the client's standard output has gone");
    match closed {
        Ok(()) => Ok(()),
        Err(stall) => Err(t
            .fail("the client does not print what has arrived")
            .expected("on standard output: one more line")
            .seen(stall.sentence("client"))
            .stop()),
    }
}
