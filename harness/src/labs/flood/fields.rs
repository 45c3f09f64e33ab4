//! A descriptor in words: what it is, for the story, and where two of them differ, field by field.

use super::descriptor::{Descriptor, HEADER, Hits, Id, PING, PONG, PUSH, Pong, QUERY, QUERY_HIT};
use crate::labs;
use crate::labs::dissect::{Part, Rest, Says, TEXT};
use crate::words::{count, quote_short};

/// A descriptor in a few words: `a Query for "my song", id 00000001…, TTL 7, hops 0`.
pub(super) fn in_words(descriptor: &Descriptor) -> String {
    let Descriptor { id, kind, ttl, hops, payload } = descriptor;
    let what = match *kind {
        PING if payload.is_empty() => "a Ping".to_owned(),
        PING => format!("a Ping with {}", count(payload.len())),
        PONG => match Pong::read(payload) {
            Ok(Pong { address, files, kilobytes }) => {
                format!("a Pong of {address}, {files} files, {kilobytes} kilobytes")
            }
            Err(wrong) => format!("a broken Pong ({wrong})"),
        },
        QUERY => match payload.get(2..).map(|text| text.split(|byte| *byte == 0).next()) {
            Some(Some(text)) if payload.len() > text.len() + 2 => {
                format!("a Query for {}", quote_short(text, TEXT))
            }
            Some(_) => format!("a broken Query ({} without a NUL)", count(payload.len())),
            None => format!("a broken Query ({})", count(payload.len())),
        },
        QUERY_HIT => match Hits::read(payload) {
            Ok(Hits { address, hits, .. }) => match &hits[..] {
                [one] => {
                    format!("a QueryHit of {address} with {}", quote_short(&one.name, TEXT))
                }
                several => format!("a QueryHit of {address} with {} hits", several.len()),
            },
            Err(wrong) => format!("a broken QueryHit ({wrong})"),
        },
        PUSH => format!("a Push ({})", count(payload.len())),
        kind => format!("a descriptor of kind 0x{kind:02x} ({})", count(payload.len())),
    };
    format!("{what}, id {}, TTL {ttl}, hops {hops}", short(id))
}

/// Enough of an id to tell it from others.
fn short(id: &Id) -> String {
    let [a, b, c, d, ..] = id;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}…")
}

/// Where two of them differ, a sentence for each field:
/// `bytes 23-24 port: 1b 59 = 22811 little-endian, expected 59 1b = 7001`.
pub(super) fn differences(expected: &Descriptor, seen: &Descriptor) -> Vec<String> {
    labs::dissect::differences(&parts(expected), &parts(seen), KIND)
}

/// The name of the field that says what the others are.
pub(super) const KIND: &str = "kind";

/// All fields of a descriptor, in order and without a gap.
pub(super) fn parts(descriptor: &Descriptor) -> Vec<Part> {
    let bytes = descriptor.bytes();
    let mut rest = Rest::of(&bytes);
    rest.take("id", 16, Says::Bytes);
    let kind = rest.take_kind();
    for name in ["TTL", "hops"] {
        rest.take(name, 1, Says::LowestFirst);
    }
    rest.take("payload length", 4, Says::LowestFirst);
    match kind {
        PONG => {
            rest.take_address();
            for name in ["number of files", "kilobytes"] {
                rest.take(name, 4, Says::LowestFirst);
            }
        }
        QUERY => {
            rest.take("minimum speed", 2, Says::LowestFirst);
            rest.take_text("text");
            rest.take("NUL behind the text", 1, Says::Bytes);
        }
        QUERY_HIT => {
            let hits = bytes.get(HEADER).copied().unwrap_or_default();
            rest.take("number of hits", 1, Says::LowestFirst);
            rest.take_address();
            rest.take("speed", 4, Says::LowestFirst);
            for number in 1..=hits {
                for name in ["index", "size"] {
                    rest.take(&format!("{name} of hit {number}"), 4, Says::LowestFirst);
                }
                rest.take_text(&format!("name of hit {number}"));
                rest.take(&format!("two NULs of hit {number}"), 2, Says::Bytes);
            }
            rest.take("servent id", 16, Says::Bytes);
        }
        _ => {}
    }
    rest.end("rest of the payload")
}

impl Rest<'_> {
    fn take_kind(&mut self) -> u8 {
        let kind = self.next().copied().unwrap_or_default();
        self.take(KIND, 1, Says::Bytes);
        kind
    }

    /// A port and an IP address.
    fn take_address(&mut self) {
        self.take("port", 2, Says::LowestFirst);
        self.take("IP address", 4, Says::Ip);
    }

    /// What stands before the next NUL, be it nothing.
    fn take_text(&mut self, name: &str) {
        self.take_until(name, 0, Says::Text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::{Hit, id};
    use super::*;

    fn pong() -> Descriptor {
        let address = "127.0.0.1:7001".parse().unwrap();
        Descriptor::ping(id(1)).pong(&Pong { address, files: 12, kilobytes: 4096 })
    }

    fn hits() -> Descriptor {
        let hit = |index, name: &str| Hit { index, size: 258, name: name.as_bytes().to_vec() };
        let address = "127.0.0.1:7001".parse().unwrap();
        let hits = vec![hit(0, "my song.ogg"), hit(7, "b")];
        Descriptor::query(id(1), "x").hit(&Hits { address, speed: 0, hits })
    }

    #[test]
    fn the_parts_of_a_descriptor_are_all_of_it() {
        for descriptor in [Descriptor::ping(id(1)), pong(), Descriptor::query(id(2), ""), hits()] {
            let bytes: Vec<u8> =
                parts(&descriptor).iter().flat_map(|part| part.bytes.clone()).collect();
            assert_eq!(bytes, descriptor.bytes());
        }
    }

    #[test]
    fn a_broken_descriptor_has_parts_too() {
        let mut broken = hits();
        for length in 0..broken.payload.len() {
            broken.payload.truncate(length);
            let bytes: Vec<u8> =
                parts(&broken).iter().flat_map(|part| part.bytes.clone()).collect();
            assert_eq!(bytes, broken.bytes());
        }
    }

    #[test]
    fn a_number_is_told_with_its_bytes() {
        let long = Descriptor::query(id(1), &"x".repeat(255));
        let length = parts(&long).remove(4);
        assert_eq!(length.told(), "bytes 19-22 payload length: 02 01 00 00 = 258 little-endian");
    }

    #[test]
    fn fields_that_differ_are_told_by_their_names() {
        assert!(differences(&pong(), &pong()).is_empty());
        let mut other = pong().at(2, 1);
        other.payload[..2].reverse();
        other.payload[2..6].reverse();
        assert_eq!(
            differences(&pong(), &other),
            [
                "byte 17 TTL: 2, expected 1",
                "byte 18 hops: 1, expected 0",
                "bytes 23-24 port: 1b 59 = 22811 little-endian, expected 59 1b = 7001: its \
                 bytes stand the other way round",
                "bytes 25-28 IP address: 01 00 00 7f = 1.0.0.127, expected 7f 00 00 01 = 127.0.0.1: \
                 its bytes stand the other way round",
            ]
        );
    }

    #[test]
    fn a_missing_nul_shows_where_it_is_missing() {
        let mut one_nul = hits();
        let at = one_nul.payload.len() - 17;
        one_nul.payload.remove(at);
        let told = differences(&hits(), &one_nul);
        assert!(told[0].contains("payload length"), "{told:?}");
        assert!(told[1].contains("two NULs of hit 2: 00 73, expected 00 00"), "{told:?}");
    }

    #[test]
    fn a_descriptor_of_another_kind_is_not_compared_any_further() {
        assert_eq!(
            differences(&pong(), &Descriptor::ping(id(1)).at(1, 0)),
            ["byte 16 kind: 00, expected 01"]
        );
    }

    #[test]
    fn a_descriptor_is_told_in_a_few_words() {
        assert_eq!(
            in_words(&Descriptor::query(id(1), "my song")).split(", id").next(),
            Some("a Query for \"my song\"")
        );
        assert!(
            in_words(&pong())
                .starts_with("a Pong of 127.0.0.1:7001, 12 files, 4096 kilobytes, id ")
        );
        assert!(in_words(&hits()).starts_with("a QueryHit of 127.0.0.1:7001 with 2 hits, id "));
        let broken = Descriptor { payload: b"\0\0x".to_vec(), ..Descriptor::query(id(1), "") };
        assert!(in_words(&broken).starts_with("a broken Query (3 bytes without a NUL), id "));
    }
}
