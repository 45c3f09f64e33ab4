//! Greetings and messages for the book and the traces: what one is in a few words, and its fields one by
//! one.

use super::fields::{self, is_greeting};
use super::message::{HANDSHAKE, Message};
use crate::lab::{Carried, Field, Messages, Specimen};
use crate::labs::dissect::Part;

pub(super) const MESSAGES: Messages = Messages {
    alike,
    describe,
    fields: explained,
    specimens: &[
        Specimen {
            name: "greeting-bytes",
            title: "A greeting, byte by byte",
            scene: "met",
            message: 1,
        },
        Specimen {
            name: "bitfield-bytes",
            title: "A bitfield, byte by byte: two of three pieces",
            scene: "met",
            message: 3,
        },
        Specimen {
            name: "request-bytes",
            title: "A request, byte by byte",
            scene: "unchoked",
            message: 5,
        },
        Specimen {
            name: "block-bytes",
            title: "A block, byte by byte",
            scene: "unchoked",
            message: 6,
        },
    ],
};

/// What the peer ids of the lab's own program begin with; 12 letters by chance follow.
const OWN: &[u8] = b"-SL0100-";
/// What stands for those.
const LETTERS: &[u8; 12] = b"abcdefghijkl";

/// A peer id is random, in the greeting and in what the tracker is told.
fn alike(_: &[u8], _: Carried, bytes: &mut [u8]) {
    if !is_greeting(bytes) && !bytes.starts_with(b"GET ") {
        return;
    }
    let at = bytes.windows(OWN.len()).position(|window| window == OWN);
    // As much of it as was kept.
    let letters = at.and_then(|at| bytes.get_mut(at + OWN.len()..)).unwrap_or_default();
    for (letter, same) in letters.iter_mut().zip(LETTERS) {
        *letter = *same;
    }
}

/// The most messages of one call that are named.
const NAMED: usize = 3;

/// `greeting`, or `bitfield a0 (1 byte), interested`: all messages that a call has carried. Nothing where
/// it has carried no whole one, or something else.
fn describe(bytes: &[u8], carried: Carried) -> Option<String> {
    let Carried::Stream(carried) = carried else { return None };
    let (mut names, mut at) = (Vec::new(), 0);
    if is_greeting(bytes) && carried >= HANDSHAKE {
        names.push("greeting".to_owned());
        at = HANDSHAKE;
    }
    while at < carried {
        let rest = bytes.get(at..)?;
        let (head, whole) = match Message::first(rest) {
            Some((Message::TooLong(_), _)) => return None,
            Some((message, length)) => (message.in_words(), length),
            None => cut(rest)?,
        };
        names.push(head);
        at += whole;
    }
    // A call may have carried the beginning of a message at its end.
    if at != carried || names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let behind = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(names.join(", ") + &behind)
}

/// A piece message of which only the beginning was kept.
fn cut(bytes: &[u8]) -> Option<(String, usize)> {
    let (head, _) = bytes.split_first_chunk::<13>()?;
    let number =
        |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let length = number(0).checked_sub(9).filter(|_| head[4] == 7)?;
    let (piece, begin) = (number(5), number(9));
    Some((format!("piece {piece}, {length} bytes from {begin}"), length as usize + 13))
}

/// What each field is for, by its name.
const WHY: &[(&str, &str)] = &[
    (
        "length of the name",
        "19: so many letters follow. Whoever sends another first byte speaks something else.",
    ),
    ("name", "The name of the protocol, which nobody has changed since 2001."),
    ("reserved bytes", "64 switches, for extensions. This program has none."),
    (
        "info hash",
        "Which torrent this is about: the SHA-1 of what the torrent says of its file. It is the torrent's only name.",
    ),
    ("peer id", "Which program this is: its kind and version, and random letters."),
    (
        "length",
        "How many bytes follow. It is a stranger's word: it is compared before there is room for so many.",
    ),
    (
        "id",
        "What it is: 0 choke, 1 unchoke, 2 interested, 3 not interested, 4 have, 5 bitfield, 6 request, 7 piece, \
         8 cancel.",
    ),
    ("piece", "Which piece, counted from 0. The highest byte comes first."),
    ("begin", "Where in the piece the block begins."),
    ("length of the block", "How many bytes are wanted: 16,384, or what is left of the piece."),
    (
        "bits",
        "A bit for each piece, the highest of the first byte for piece 0: 1 where it is here.",
    ),
    ("block", "The bytes. Whether they are right shows when the piece is whole."),
];

fn explained(bytes: &[u8]) -> Vec<Field> {
    let why = |name: &str| WHY.iter().find(|(field, _)| *field == name).map_or("", |(_, why)| why);
    let field = |part: Part| Field {
        length: part.length(),
        value: match (&*part.name, &part.bytes[..]) {
            (fields::ID, [id]) => match Message::name_of(*id) {
                Some(name) => format!("{id}: {name}"),
                None => part.value(),
            },
            _ => part.value(),
        },
        why: why(&part.name).to_owned(),
        name: part.name,
    };
    fields::parts(bytes).into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::super::message::{BLOCK, Block, handshake};
    use super::*;

    fn told(bytes: &[u8]) -> Option<String> {
        describe(bytes, Carried::Stream(bytes.len()))
    }

    #[test]
    fn a_call_is_told_by_its_messages() {
        let block = Block { index: 1, begin: 0, length: BLOCK };
        let request = Message::Request(block).bytes();
        assert_eq!(told(&Message::Unchoke.bytes()).unwrap(), "unchoke");
        assert_eq!(told(&request).unwrap(), "request of piece 1, 16384 bytes from 0");
        let greeting = handshake([0; 8], [7; 20], [8; 20]);
        assert_eq!(told(&greeting).unwrap(), "greeting");
        let several =
            [greeting, Message::Interested.bytes(), Message::Unchoke.bytes(), request].concat();
        assert_eq!(told(&several).unwrap(), "greeting, interested, unchoke and 1 more");
    }

    #[test]
    fn a_block_is_told_by_its_beginning() {
        let piece = Message::piece(3, BLOCK, &[0; 16_384]).bytes();
        let told = describe(&piece[..64], Carried::Stream(piece.len()));
        assert_eq!(told.unwrap(), "piece 3, 16384 bytes from 16384");
        assert_eq!(describe(&piece[..64], Carried::Stream(8000)), None);
    }

    #[test]
    fn what_is_no_message_is_not_told() {
        assert_eq!(told(b"GET /announce HTTP/1.1\r\n\r\n"), None);
        assert_eq!(told(b"HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(told(b""), None);
    }

    #[test]
    fn every_field_is_there_for_something() {
        let block = Block { index: 1, begin: 0, length: BLOCK };
        let piece = Message::piece(1, 0, b"some bytes").bytes();
        let bitfield = Message::Bitfield(vec![0x80]).bytes();
        let greeting = handshake([0; 8], [7; 20], [8; 20]);
        for bytes in [Message::Request(block).bytes(), piece, bitfield, greeting] {
            let fields = explained(&bytes);
            assert_eq!(fields.iter().map(|field| field.length).sum::<usize>(), bytes.len());
            assert!(fields.iter().all(|field| !field.why.is_empty()), "{fields:#?}");
        }
    }

    #[test]
    fn what_is_random_is_alike() {
        let alike_of = |id: &[u8; 20]| {
            let mut bytes = handshake([0; 8], [7; 20], *id);
            alike(b"", Carried::Stream(bytes.len()), &mut bytes);
            bytes
        };
        assert_eq!(alike_of(b"-SL0100-aaaaaaaaaaaa"), alike_of(b"-SL0100-zzzzzzzzzzzz"));
        let mut cut = handshake([0; 8], [7; 20], *b"-SL0100-zzzzzzzzzzzz")[..60].to_vec();
        alike(b"", Carried::Stream(68), &mut cut);
        assert!(cut.ends_with(b"-SL0100-abcd"));
        assert!(alike_of(b"-HA0001-bob         ").ends_with(b"bob         "));
        let mut request = b"GET /announce?peer_id=-SL0100-qwertzuiopas&port=1 HTTP/1.1".to_vec();
        alike(b"", Carried::Stream(request.len()), &mut request);
        assert_eq!(request, b"GET /announce?peer_id=-SL0100-abcdefghijkl&port=1 HTTP/1.1");
    }
}
