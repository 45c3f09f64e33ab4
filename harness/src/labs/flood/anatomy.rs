//! Descriptors for the book and the traces: what one is in a few words, and its fields one by one.

use super::descriptor::{Descriptor, HEADER, PING, PONG, QUERY, QUERY_HIT, payload_length};
use super::fields::{KIND, parts};
use crate::lab::{Carried, Field, Messages, Specimen};
use crate::words::quote_short;

pub(super) const MESSAGES: Messages = Messages {
    alike,
    describe,
    fields,
    specimens: &[
        Specimen {
            name: "query-bytes",
            title: "A Query, byte by byte: who has a song?",
            scene: "flooding",
            message: 1,
        },
        Specimen {
            name: "hit-bytes",
            title: "A QueryHit, byte by byte: one file, and where it can be got",
            scene: "flooding",
            message: 2,
        },
    ],
};

/// What the ids of the harness's own end with: they are the same in each run.
const OF_THE_TEST: &[u8] = b" of the test";
/// What stands for the id of a program's own question.
const OWN_QUESTION: &[u8; 16] = b"\x5e\xed a random id!!";
/// What stands for the id of a servent.
const SERVENT: &[u8; 16] = b"the servent's id";

/// Two things are random: the id of a program's own question, and that of the servent, which ends a
/// QueryHit of its own.
fn alike(_: &[u8], carried: Carried, bytes: &mut [u8]) {
    let Carried::Stream(carried) = carried else { return };
    if carried != bytes.len() || Descriptor::whole_length(bytes) != Some(carried) {
        return;
    }
    if !bytes[..16].ends_with(OF_THE_TEST) {
        bytes[..16].copy_from_slice(OWN_QUESTION);
    }
    let (is_hit, at) = (bytes[16] == QUERY_HIT, carried - 16);
    if is_hit && at >= HEADER && &bytes[at..] != b"servent of tests" {
        bytes[at..].copy_from_slice(SERVENT);
    }
}

/// `Query "song", TTL 7, hops 0`. Nothing where a call has carried no whole descriptor, or more.
fn describe(bytes: &[u8], carried: Carried) -> Option<String> {
    let Carried::Stream(carried) = carried else { return None };
    let (header, payload) = bytes.split_first_chunk::<HEADER>()?;
    if HEADER + payload_length(header) != carried {
        return None;
    }
    let mut what = called(header[16]).to_owned();
    if header[16] == QUERY {
        let text = payload.get(2..)?.split(|byte| *byte == 0).next().unwrap_or_default();
        what += &format!(" {}", quote_short(text, 20));
    }
    Some(format!("{what}, TTL {}, hops {}", header[17], header[18]))
}

/// What the protocol calls a kind.
fn called(kind: u8) -> &'static str {
    match kind {
        PING => "Ping",
        PONG => "Pong",
        QUERY => "Query",
        QUERY_HIT => "QueryHit",
        _ => "another kind",
    }
}

/// What each field is for, by the beginning of its name.
const WHY: &[(&str, &str)] = &[
    (
        "id",
        "16 random bytes of the asker's. By them everybody sees whether this question has come before, and \
         its answers find their way back.",
    ),
    ("kind", "What it is: 00 Ping, 01 Pong, 80 Query, 81 QueryHit."),
    ("TTL", "How many links it may still go. Whoever passes it on takes 1 away."),
    ("hops", "How many links it has come, but for the last one. Whoever passes it on adds 1."),
    (
        "payload length",
        "How many bytes follow, the lowest byte first. It is a stranger's word: more than 65,536 is refused.",
    ),
    (
        "minimum speed",
        "How fast the line of one who answers should be. Nobody looks at it any more.",
    ),
    ("text", "The words, with a space between them."),
    ("NUL behind", "It ends the text. What may follow belongs to later versions, and is ignored."),
    ("number of hits", "How many files follow: one byte, so at most 255."),
    ("port", "Where the one who has them listens. Little-endian, as all numbers are here."),
    ("IP address", "And on which machine. An address is no number: it stands as people write it."),
    ("speed", "What the one who answers says of its own line. Zero says nothing."),
    ("index", "The number of the file over there. It will be asked for by number and name."),
    ("size", "How many bytes it has: four bytes of length, so less than 4 GiB."),
    ("name", "Its name."),
    ("two NULs", "One ends the name. Between the two, later versions put more about the file."),
    ("servent id", "By it one can be asked who can't be called. This program has no use for it."),
];

fn fields(bytes: &[u8]) -> Vec<Field> {
    let Some(descriptor) = Descriptor::first(bytes) else { return Vec::new() };
    let of = |name: &str| WHY.iter().find(|(begin, _)| name.starts_with(begin));
    let field = |part: crate::labs::dissect::Part| Field {
        length: part.length(),
        value: match &*part.name {
            KIND => format!("{}: {}", part.value(), called(descriptor.kind)),
            _ => part.value(),
        },
        why: of(&part.name).map_or_else(String::new, |(_, why)| (*why).to_owned()),
        name: part.name,
    };
    parts(&descriptor).into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::{Hit, Hits, id};
    use super::*;

    fn hit() -> Descriptor {
        let hits = vec![Hit { index: 0, size: 10, name: b"song".to_vec() }];
        let address = "127.0.0.1:7001".parse().unwrap();
        Descriptor::query(id(1), "song").hit(&Hits { address, speed: 0, hits })
    }

    #[test]
    fn a_descriptor_is_told_by_its_kind_and_how_far_it_goes() {
        let told = |bytes: &[u8]| describe(bytes, Carried::Stream(bytes.len()));
        let query = Descriptor::query(id(1), "my song").at(6, 1);
        assert_eq!(told(&query.bytes()).unwrap(), "Query \"my song\", TTL 6, hops 1");
        assert_eq!(told(&hit().bytes()).unwrap(), "QueryHit, TTL 1, hops 0");
        assert_eq!(told(b"GNUTELLA CONNECT/0.4\n\n"), None);
        assert_eq!(told(b"GET /get/0/song/ HTTP/1.0\r\n\r\n"), None);
    }

    #[test]
    fn every_field_is_there_for_something() {
        for descriptor in [Descriptor::query(id(1), "song"), hit()] {
            let fields = fields(&descriptor.bytes());
            let length: usize = fields.iter().map(|field| field.length).sum();
            assert_eq!(length, descriptor.bytes().len());
            assert!(fields.iter().all(|field| !field.why.is_empty()), "{fields:#?}");
        }
    }

    #[test]
    fn what_is_random_is_alike() {
        let alike_of = |descriptor: Descriptor| {
            let mut bytes = descriptor.bytes();
            alike(b"", Carried::Stream(bytes.len()), &mut bytes);
            bytes
        };
        let own = |byte| Descriptor { id: [byte; 16], ..Descriptor::query(id(1), "song") };
        assert_eq!(alike_of(own(7)), alike_of(own(8)));
        assert_eq!(alike_of(hit()), hit().bytes());
        let mut other = hit();
        let at = other.payload.len() - 16;
        other.payload[at..].fill(9);
        assert_ne!(alike_of(other.clone()), hit().bytes());
        assert!(alike_of(other).ends_with(SERVENT));
    }
}
