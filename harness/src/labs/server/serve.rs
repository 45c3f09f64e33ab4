//! Step 3 of lab 1: `serve`.

use std::collections::VecDeque;

use super::echo::Flow;
use super::endure::{
    finishes_each_write, is_bounded_while_nobody_reads, survives_a_broken_pipe,
    waits_for_a_silent_client,
};

use crate::contract::MORE;
use crate::net::{Connection, Cut, noise, pattern};
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ server_serve, "server" step 3:
    echoes, 3 points: "sends back what it receives";
    "Any data received is sent back to the originating source (RFC 862)."

    echoes_without_a_line_end, 2 points: "does not wait for a line end";
    "TCP is a byte stream: a byte that has arrived is echoed, whatever comes after it."

    echoes_byte_by_byte, 2 points: "echoes a message that comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    echoes_two_messages_at_once, 2 points: "echoes two messages that come in one segment";
    "One write is not one read: two messages may arrive together (RFC 9293 section 3.8)."

    echoes_any_length, 2 points: "echoes any length, also around a buffer's size";
    "Every byte comes back unchanged and in order, whatever the size of the buffer."

    echoes_any_bytes, 2 points: "echoes any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    stays_silent_and_open, 2 points: "sends nothing that nobody asked for";
    "An echo server speaks when it is spoken to. Silence of a client is no offence."

    keeps_the_connection, 2 points: "keeps the connection until the client ends it";
    "It sends every byte back until the client ends its stream: a connection is not one request."

    half_close, 3 points: "serves a half-closed client to the last byte";
    "A half-closed client still gets all of its bytes (RFC 9293 section 3.6, case 2)."

    ends_cleanly, 2 points: "ends with a FIN, after the client did";
    "After the client's end the server closes: an orderly end, not a reset, and the client closed first."

    is_idle_while_a_client_is_silent, 2 points: "is blocked, not polling, while a client is silent";
    "Quiet when idle, also with a client, and after a client's end."

    survives_a_reset, 2 points: "survives a client that resets the connection";
    "One bad client is that client's problem: a reset ends that connection and nothing else."

    survives_a_broken_pipe, 2 points: "survives a client that has ended and is gone";
    "A write to a connection that was reset after its end fails with BrokenPipe (EPIPE, SIGPIPE): the next client is served."

    survives_a_client_that_vanishes, 2 points: "survives a client that vanishes in mid-reply";
    "A write to a client that has gone fails with BrokenPipe or ConnectionReset: the next is served."

    serves_waiting_clients, 3 points: "serves clients that had to wait, each its own bytes";
    "Clients in the backlog are served, none lost, and each gets its own bytes."

    echoes_to_a_slow_reader, 3 points: "loses nothing when the client reads late";
    "A write blocks while the client's queue is full; every byte comes back all the same."

    echoes_a_large_stream, 3 points: "echoes 8 MiB, both directions at once";
    "No limit on the size of a stream; memory stays bounded."

    waits_for_a_silent_client, 2 points, patient: "waits for a client that is silent for a while";
    "A client that connects and says nothing holds the server, for as long as it likes: there are no time-outs."

    finishes_each_write, 2 points, exotic: "sends all of a reply, also when a write is interrupted";
    "write may take only a part of what it is given: partial writes are the step's matter."

    is_bounded_while_nobody_reads, 2 points, exotic: "reads no more than it can send back";
    "Memory stays bounded, also when the client sends and does not read."
}

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
    client.expect(b"first\nsecond\n")?;
    client.expect_nothing()
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
    client.expect(b"at last\n")?;
    client.expect_nothing()
}

fn keeps_the_connection(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    // What ends a conversation in other protocols ends nothing here.
    for text in [&b"first\n"[..], b"bye\n", b"\n", b"\r\n\r\n", b".\r\n", b"\x04", b"last\n"] {
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
    server.expect_idle()?;
    client.half_close()?;
    server.expect_idle()
}

fn survives_a_reset(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let mut client = server.connect()?;
    client.send(b"I shall not read the answer\n")?;
    client.reset()?;
    server.settle()?;
    server.expect_service()?;
    // It ends that connection: on the way out of an error, too, the stream is closed.
    server.expect_no_growth("clients that reset their connections", || {
        for _ in 0..10 {
            let mut client = server.connect()?;
            client.send(b"I shall not read the answer\n")?;
            client.reset()?;
        }
        Ok(10)
    })
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
    let text = |client: &Connection| format!("these are the bytes of {}\n", client.name());
    let mut waiting: VecDeque<_> = server.connect_many(5)?.into();
    for client in &mut waiting {
        let text = text(client);
        client.send(text.as_bytes())?;
    }
    // The first is served first; the others must wait for its end, or are served meanwhile.
    let mut to_come = 5 - waiting.len();
    while let Some(mut client) = waiting.pop_front() {
        let own = text(&client);
        client.expect(own.as_bytes())?;
        client.half_close()?;
        client.expect_end()?;
        if to_come > 0 {
            to_come -= 1;
            let mut next = server.connect()?;
            let text = text(&next);
            next.send(text.as_bytes())?;
            waiting.push_back(next);
        }
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
    let before = t.memory(&server.running)?;
    client.exchange(&payload, &payload, Flow::Together)?;
    t.expect_bounded(&server.running, before, payload.len(), || {
        (0..MORE / payload.len())
            .try_for_each(|_| client.exchange(&payload, &payload, Flow::Together))
    })
}
