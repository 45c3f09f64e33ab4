//! Step 2 of lab 2: `send`.

use super::large;
use crate::contract::MORE;
use crate::net::text;
use crate::program::Given;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ client_send, "client" step 2:
    sends_its_input, 3 points: "sends all of its standard input, and no more";
    "All of stdin is sent, byte for byte: also the last line, with or without a newline."

    sends_nothing_of_its_own, 2 points: "sends nothing that is not from its input";
    "The client knows no protocol: no greeting, no farewell; what the server gets is stdin."

    sends_at_once, 2 points: "sends each piece of its input at once";
    "What was read from stdin is sent, without waiting for a line end, a full buffer or the end."

    sends_any_bytes, 2 points: "sends any bytes: NUL, 0xFF, half a character";
    "Bytes, not text: no program may assume UTF-8 unless its protocol says so."

    keeps_its_connection, 2 points: "sends everything over one connection";
    "The connection lives until the server ends it: a line is not a connection."

    ends_its_side, 3 points: "ends its sending side when its input ends";
    "When stdin ends the client sends a FIN: without it the server waits for more (RFC 9293 section 3.6)."

    ends_only_its_side, 2 points: "keeps the other direction open after its end";
    "A side that has sent its FIN may still receive (RFC 9293 section 3.6): the connection stays."

    sends_a_large_stream, 3 points: "sends a large stream to a server that reads late";
    "A write waits while the server does not read; every byte arrives all the same, and memory stays bounded."

    finishes_each_write, 2 points, exotic: "sends all of its input, also when a write is interrupted";
    "write may take only a part of what it is given; all of stdin is sent."
}

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
    let client = t.client(Given::address(listener.address()))?;
    let mut server = client.connects(&listener)?;
    for line in [&b"first\n"[..], b"second\n", b"third\n"] {
        client.input(line);
        client.connects_no_more(&listener)?;
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
    let payload = text(1, large(t));
    client.input(&payload);
    client.end_input();
    let full = client.settle()?;
    let queued = full.connection(server.here(), server.there()).map_or(0, |row| row.rx_queue);
    t.note(format!("the server has read nothing: {} wait in its queue", count(queued as usize)));
    server.expect(&payload)?;
    server.expect_no_more()?;
    // What the client takes of its input while the server does not read it has to keep.
    t.new_scene()?;
    let (client, _server) = t.conversation()?;
    let before = t.memory(&client.running)?;
    client.input(&payload);
    client.settle()?;
    t.expect_bounded(&client.running, before, payload.len(), || {
        client.input(&vec![b'x'; MORE]);
        client.settle().map(drop)
    })
}

fn finishes_each_write(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    // Without an interruption first: what goes wrong then has another cause.
    let (client, mut server) = t.conversation()?;
    client.input(&text(5, 1 << 20));
    client.end_input();
    server.expect(&text(5, 1 << 20))?;
    t.new_scene()?;
    let (client, server) = t.conversation()?;
    let payload = text(5, large(t));
    client.input(&payload);
    client.end_input();
    let mut received = Vec::new();
    t.interrupt_writes(&client.running, || server.take_some(&mut received))?;
    server.expect_rest_of(&payload, received)
}
