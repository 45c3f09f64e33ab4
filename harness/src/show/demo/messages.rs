//! What stands in a message of bytes.

use std::net::UdpSocket;

use super::datagrams::{received, server_and_client, socket};
use super::stage::{Mismatch, Stage};
use super::{Demo, NOT_SHOWN};
use crate::words::quote;

pub(super) const STRUCT_IS_THE_MESSAGE: Demo = Demo {
    name: "struct-is-the-message",
    claim: "The message is the struct's bytes as they stand in memory.",
    truth: "In memory a number has the byte order of the processor, and between fields there can be \
        padding. On the wire each field has a width and an order that its protocol names, mostly the \
        highest byte first. Two programs on one machine agree even if both are wrong.",
    run: struct_is_the_message,
};

fn struct_is_the_message(t: &mut Stage) -> Result<(), Mismatch> {
    t.expect(
        "a record has a type and a class of 2 bytes, a TTL of 4, and a length of 2",
        format!("size_of::<(u16, u16, u32, u16)>(): {}", size_of::<(u16, u16, u32, u16)>()),
        "size_of::<(u16, u16, u32, u16)>(): 12",
    )?;
    t.also(format!("in the message: {}", 2 + 2 + 4 + 2), "in the message: 10")?;
    if cfg!(target_endian = "big") {
        let why = format!("{NOT_SHOWN}this processor has the order of the network");
        return t.show_if(why, true, "");
    }
    let ttl: u32 = 300;
    t.expect(
        "a TTL of 300 in this machine's memory: to_ne_bytes",
        format!("{:02x?}", ttl.to_ne_bytes()),
        "[2c, 01, 00, 00]",
    )?;
    t.expect(
        "in the order of the network: to_be_bytes",
        format!("{:02x?}", ttl.to_be_bytes()),
        "[00, 00, 01, 2c]",
    )?;
    let (server, client) = server_and_client(t)?;
    let mut word = [0; 4];
    let mut carried = || -> Result<[u8; 4], Mismatch> {
        client.send_to(&ttl.to_ne_bytes(), server.local_addr()?)?;
        server.recv(&mut word)?;
        Ok(word)
    };
    t.expect(
        "the client sends the bytes in memory; the server reads them in the same way",
        u32::from_ne_bytes(carried()?).to_string(),
        "300",
    )?;
    t.expect(
        "the same bytes, and a server that goes by the protocol",
        format!("{} seconds", u32::from_be_bytes(carried()?)),
        "738263040 seconds",
    )
}

pub(super) const NAME_IS_TEXT: Demo = Demo {
    name: "name-is-text",
    claim: "A name in a message is text: it has dots in it, and a zero byte behind it.",
    truth: "It is a row of labels, each with its length before it; the root, a label of length 0, \
        ends it. A label may hold any byte, so neither dots nor zero bytes say where one ends. And two \
        bytes from c0 00 on are no label: they point to a place in the message.",
    run: name_is_text,
};

/// The labels of a name, as far as they go.
fn labels(name: &[u8]) -> Vec<&[u8]> {
    let (mut labels, mut rest) = (Vec::new(), name);
    while let Some((&length @ 1..64, behind)) = rest.split_first() {
        let Some((label, behind)) = behind.split_at_checked(length.into()) else { break };
        labels.push(label);
        rest = behind;
    }
    labels
}

/// As the belief has it: up to the zero byte.
fn as_text(name: &[u8]) -> String {
    quote(name.split(|byte| *byte == 0).next().unwrap_or_default())
}

fn as_labels(name: &[u8]) -> String {
    let labels: Vec<_> = labels(name).into_iter().map(quote).collect();
    labels.join(" ")
}

fn name_is_text(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let names: [(&str, &[u8], [&str; 2]); 4] = [
        (
            "www.example.test",
            b"\x03www\x07example\x04test\0",
            [r#""\x03www\x07example\x04test""#, r#""www" "example" "test""#],
        ),
        (
            "a label with a dot in it",
            b"\x03a.b\x04test\0",
            [r#""\x03a.b\x04test""#, r#""a.b" "test""#],
        ),
        (
            "a label with a zero byte in it",
            b"\x03a\0b\x04test\0",
            [r#""\x03a""#, r#""a\0b" "test""#],
        ),
        (
            "www, and a pointer to byte 16, where example.test stands",
            b"\x03www\xc0\x10",
            [r#""\x03www\xc0\x10""#, r#""www""#],
        ),
    ];
    for (what, name, [text, labels]) in names {
        client.send_to(name, server.local_addr()?)?;
        let name = take(&server)?;
        t.expect(
            format!("the client sends a name of {} bytes: {what}", name.len()),
            format!("up to a zero byte: {}", as_text(&name)),
            format!("up to a zero byte: {text}"),
        )?;
        t.also(
            format!("label by label: {}", as_labels(&name)),
            format!("label by label: {labels}"),
        )?;
    }
    Ok(())
}

fn take(socket: &UdpSocket) -> Result<Vec<u8>, Mismatch> {
    let mut buffer = vec![0; 512];
    let length = socket.recv(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

pub(super) const LENGTHS_ARE_RIGHT: Demo = Demo {
    name: "lengths-are-right",
    claim: "The other side says how long its text is, and it should know.",
    truth: "A length in a message is a claim. What counts is how many bytes have come: compare before \
        each use. If the program slices without it, it panics; if there are old bytes behind the \
        message, it gives away what is not the sender's. In 2014 that was Heartbleed.",
    run: lengths_are_right,
};

fn lengths_are_right(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, ann) = server_and_client(t)?;
    let eve = socket(server.local_addr()?.ip())?;
    // One buffer for all of them, as many programs have it.
    let mut buffer = [0; 512];
    let mut echo = |asker: &UdpSocket, question: &[u8]| -> Result<String, Mismatch> {
        asker.send_to(question, server.local_addr()?)?;
        let (_, from) = server.recv_from(&mut buffer)?;
        let claimed = usize::from(buffer[0]);
        server.send_to(&buffer[1..=claimed], from)?;
        Ok(received(asker, 512))
    };
    t.tell("the server sends each text back; a byte before the text says how long it is");
    t.expect(
        "ann sends 18, and a text of 18 bytes; she gets back",
        echo(&ann, b"\x12my password: tulip")?,
        r#"Ok(18) "my password: tulip""#,
    )?;
    t.expect(
        "eve sends 18, and a text of 2 bytes; she gets back",
        echo(&eve, b"\x12hi")?,
        r#"Ok(18) "hi password: tulip""#,
    )?;
    let message = b"\x12hi";
    let checked = message.get(1..=usize::from(message[0]));
    t.expect(
        "the same question, and a server that looks only at the 3 bytes that have come: get(1..=18)",
        format!("{checked:?}"),
        "None",
    )
}
