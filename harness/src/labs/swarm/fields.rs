//! A greeting or a message, field by field: for the failures that say where two of them differ, and for
//! the book.

use super::message::{HANDSHAKE, PROTOCOL};
use crate::labs::dissect::{self, Part, Rest, Says};

/// The name of the field that says what the others are.
pub(super) const ID: &str = "id";

/// Where two messages differ, a sentence for each field:
/// `bytes 5-8 piece: 01 00 00 00 = 16777216, expected 00 00 00 01 = 1: its bytes stand the other way round`.
pub(super) fn differences(expected: &[u8], seen: &[u8]) -> Vec<String> {
    dissect::differences(&parts(expected), &parts(seen), ID)
}

/// Whether a stream that begins so begins with a greeting.
pub(super) fn is_greeting(bytes: &[u8]) -> bool {
    bytes.starts_with(PROTOCOL)
}

/// All fields of a greeting or of a message, in order and without a gap.
pub(super) fn parts(bytes: &[u8]) -> Vec<Part> {
    let mut rest = Rest::of(bytes);
    if is_greeting(bytes) && bytes.len() <= HANDSHAKE {
        rest.take("length of the name", 1, Says::HighestFirst);
        rest.take("name", PROTOCOL.len() - 1, Says::Text);
        rest.take("reserved bytes", 8, Says::Bytes);
        rest.take("info hash", 20, Says::Bytes);
        rest.take("peer id", 20, Says::Text);
        return rest.end("surplus");
    }
    rest.take("length", 4, Says::HighestFirst);
    let id = rest.next().copied();
    rest.take(ID, 1, Says::HighestFirst);
    match id {
        Some(4) => rest.take("piece", 4, Says::HighestFirst),
        Some(5) => {
            let bits = bytes.len() - 5;
            rest.take("bits", bits, Says::Bytes);
        }
        Some(6 | 8) => {
            for name in ["piece", "begin", "length of the block"] {
                rest.take(name, 4, Says::HighestFirst);
            }
        }
        Some(7) => {
            for name in ["piece", "begin"] {
                rest.take(name, 4, Says::HighestFirst);
            }
            let block = bytes.len().saturating_sub(13);
            rest.take("block", block, Says::Bytes);
        }
        _ => {}
    }
    rest.end("rest of the payload")
}

#[cfg(test)]
mod tests {
    use super::super::message::{BLOCK, Block, Message, handshake};
    use super::*;

    fn greeting() -> Vec<u8> {
        handshake([0; 8], [0xab; 20], *b"-SL0100-abcdefghijkl")
    }

    #[test]
    fn the_parts_are_all_of_it_also_of_what_is_cut() {
        let block = Block { index: 1, begin: BLOCK, length: BLOCK };
        let messages = [
            Message::KeepAlive,
            Message::Choke,
            Message::Have(1),
            Message::Bitfield(vec![0x80, 0]),
            Message::Request(block),
            Message::piece(1, 0, b"some bytes"),
            Message::Other { id: 20, payload: vec![1, 2] },
        ];
        let all = messages.iter().map(Message::bytes).chain([greeting()]);
        for bytes in all {
            for length in 0..=bytes.len() {
                let parts = parts(&bytes[..length]);
                let joined: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
                assert_eq!(joined, bytes[..length]);
            }
        }
    }

    #[test]
    fn a_number_that_was_turned_round_is_told_so() {
        let right = Message::Have(1).bytes();
        let wrong = [&right[..5], &[1, 0, 0, 0]].concat();
        assert_eq!(
            differences(&right, &wrong),
            [
                "bytes 5-8 piece: 01 00 00 00 = 16777216, expected 00 00 00 01 = 1: its bytes stand the other \
              way round"
            ]
        );
    }

    #[test]
    fn two_fields_that_were_swapped_are_told_by_their_names() {
        let right = Message::piece(1, BLOCK, b"ab").bytes();
        let wrong = Message::piece(BLOCK, 1, b"ab").bytes();
        let told = differences(&right, &wrong);
        assert!(told[0].starts_with("bytes 5-8 piece: 00 00 40 00 = 16384, expected"), "{told:?}");
        assert!(told[1].starts_with("bytes 9-12 begin: 00 00 00 01 = 1, expected"), "{told:?}");
    }

    #[test]
    fn a_greeting_is_told_by_its_fields() {
        let mut other = greeting();
        other[25] = 0x10;
        let told = differences(&greeting(), &other);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("bytes 20-27 reserved bytes: 00 00 00 00 00 10 00 00"),
            "{told:?}"
        );
    }
}
