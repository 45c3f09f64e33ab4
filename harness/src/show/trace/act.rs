//! What the harness does on a connection, as steps.

use super::view::Pair;
use super::{Event, Known, SHOWN};
use crate::words::count;

pub(crate) use crate::trial::Act;

/// The harness's own step; for one who was called, the caller's before it.
pub(super) fn acted(link: &Pair, act: Act<'_>) -> Vec<Event> {
    let Pair { name, program, .. } = link;
    let done = |call: &str, text: &str, packets: &str| Event {
        to: Some(program.clone()),
        packets: packets.to_owned(),
        ..step(name, call, text.to_owned(), Known::Done)
    };
    match act {
        Act::Connect => vec![done("connect", "", HANDSHAKE)],
        Act::Accept => {
            let dialled = step(program, "connect", String::new(), Known::Kernel);
            let dialled = Event { to: Some(name.clone()), packets: HANDSHAKE.into(), ..dialled };
            vec![dialled, step(name, "accept", String::new(), Known::Done)]
        }
        Act::Write(bytes) => {
            let mut write = done("write", &count(bytes.len()), "");
            (write.length, write.bytes) = (bytes.len(), head(bytes));
            vec![write]
        }
        Act::EndSending => vec![done("shutdown(Write)", "", "FIN")],
        Act::Close => vec![done("drop", "the stream", "FIN")],
        Act::Reset => vec![done("drop", "the stream, with bytes unread", "RST")],
    }
}

const HANDSHAKE: &str = "SYN, SYN-ACK, ACK";

/// The bytes that a step keeps.
pub(super) fn head(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(SHOWN)].to_vec()
}

/// A step of somebody who reaches nobody, before anybody has looked.
pub(super) fn step(by: &str, call: &str, text: String, known: Known) -> Event {
    Event {
        by: by.to_owned(),
        to: None,
        call: call.to_owned(),
        text,
        bytes: Vec::new(),
        length: 0,
        meaning: String::new(),
        packets: String::new(),
        lost: false,
        known,
        sockets: Vec::new(),
        doing: Vec::new(),
        calls: Vec::new(),
    }
}
