//! Messages of BitTorrent, as the harness writes and reads them: by BEP 3, and not by the lab's own
//! modules, so that the two can't share a mistake.

use std::borrow::Cow;

use crate::words::count;

/// What blocks are asked for in, in bytes.
pub(super) const BLOCK: u32 = 16_384;
/// No message of this lab is longer, in bytes: what claims to be is taken for no message.
const LONGEST: u32 = 1 << 20;
/// Bytes of a handshake.
pub(crate) const HANDSHAKE: usize = 68;
/// What it begins with: a length, and a name of that length.
pub(super) const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// A part of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    /// The piece.
    pub(super) index: u32,
    /// Where it begins in the piece.
    pub(super) begin: u32,
    pub(super) length: u32,
}

/// A message behind the handshakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    KeepAlive,
    Choke,
    Unchoke,
    Interested,
    NotInterested,
    Have(u32),
    Bitfield(Vec<u8>),
    Request(Block),
    Piece {
        index: u32,
        begin: u32,
        bytes: Vec<u8>,
    },
    Cancel(Block),
    /// Anything else: an id that is not used here, or a payload of another length than its id has.
    Other {
        id: u8,
        payload: Vec<u8>,
    },
    /// A length that no message has. What stands behind it can't be told.
    TooLong(u32),
}

/// A handshake.
pub(super) fn handshake(reserved: [u8; 8], hash: [u8; 20], peer_id: [u8; 20]) -> Vec<u8> {
    [&PROTOCOL[..], &reserved, &hash, &peer_id].concat()
}

/// The number at this place of a payload.
fn number(payload: &[u8], at: usize) -> u32 {
    payload[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

impl Block {
    fn read(payload: &[u8]) -> Self {
        let [index, begin, length] = [0, 4, 8].map(|at| number(payload, at));
        Self { index, begin, length }
    }

    fn bytes(self) -> Vec<u8> {
        [self.index, self.begin, self.length].map(u32::to_be_bytes).concat()
    }

    /// `piece 3, 16384 bytes from 0`.
    pub(super) fn in_words(self) -> String {
        let Self { index, begin, length } = self;
        format!("piece {index}, {length} bytes from {begin}")
    }
}

impl Message {
    /// The piece message that brings these bytes.
    pub(super) fn piece(index: u32, begin: u32, bytes: &[u8]) -> Self {
        Self::Piece { index, begin, bytes: bytes.to_vec() }
    }

    /// Its bytes on the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let number = |number: &u32| Cow::Owned(number.to_be_bytes().to_vec());
        let (id, payload): (u8, Cow<'_, [u8]>) = match self {
            Self::KeepAlive => return vec![0; 4],
            Self::TooLong(length) => return length.to_be_bytes().to_vec(),
            Self::Choke => (0, Cow::default()),
            Self::Unchoke => (1, Cow::default()),
            Self::Interested => (2, Cow::default()),
            Self::NotInterested => (3, Cow::default()),
            Self::Have(index) => (4, number(index)),
            Self::Bitfield(bits) => (5, bits.into()),
            Self::Request(block) => (6, block.bytes().into()),
            Self::Piece { index, begin, bytes } => {
                (7, [&index.to_be_bytes(), &begin.to_be_bytes(), &bytes[..]].concat().into())
            }
            Self::Cancel(block) => (8, block.bytes().into()),
            Self::Other { id, payload } => (*id, payload.into()),
        };
        let length = payload.len() as u32 + 1;
        [&length.to_be_bytes()[..], &[id], &payload].concat()
    }

    /// The first of a stream, and how many bytes it has there; `None` where it is not whole yet.
    pub(super) fn first(stream: &[u8]) -> Option<(Self, usize)> {
        let (length, rest) = stream.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length);
        if length > LONGEST {
            return Some((Self::TooLong(length), stream.len()));
        }
        let whole = rest.get(..length as usize)?;
        let message = match whole.split_first() {
            None => Self::KeepAlive,
            Some((&id, payload)) => Self::read(id, payload),
        };
        Some((message, 4 + length as usize))
    }

    fn read(id: u8, payload: &[u8]) -> Self {
        match (id, payload.len()) {
            (0, 0) => Self::Choke,
            (1, 0) => Self::Unchoke,
            (2, 0) => Self::Interested,
            (3, 0) => Self::NotInterested,
            (4, 4) => Self::Have(number(payload, 0)),
            (5, _) => Self::Bitfield(payload.to_vec()),
            (6, 12) => Self::Request(Block::read(payload)),
            (7, 8..) => Self::piece(number(payload, 0), number(payload, 4), &payload[8..]),
            (8, 12) => Self::Cancel(Block::read(payload)),
            _ => Self::Other { id, payload: payload.to_vec() },
        }
    }

    /// The name of the messages with this id.
    pub(super) fn name_of(id: u8) -> Option<&'static str> {
        const NAMES: [&str; 9] = [
            "choke",
            "unchoke",
            "interested",
            "not interested",
            "have",
            "bitfield",
            "request",
            "piece",
            "cancel",
        ];
        NAMES.get(usize::from(id)).copied()
    }

    /// `request of piece 3, 16384 bytes from 0`.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::KeepAlive => "keep-alive".into(),
            Self::Choke => "choke".into(),
            Self::Unchoke => "unchoke".into(),
            Self::Interested => "interested".into(),
            Self::NotInterested => "not interested".into(),
            Self::Have(index) => format!("have of piece {index}"),
            Self::Bitfield(bits) => {
                let shown: Vec<_> = bits.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                let more = if bits.len() > 8 { " …" } else { "" };
                format!("bitfield {}{more} ({})", shown.join(" "), count(bits.len()))
            }
            Self::Request(block) => format!("request of {}", block.in_words()),
            Self::Piece { index, begin, bytes } => {
                let block = Block { index: *index, begin: *begin, length: bytes.len() as u32 };
                format!("piece message with {}", block.in_words())
            }
            Self::Cancel(block) => format!("cancel of {}", block.in_words()),
            Self::Other { id, payload } => match Self::name_of(*id) {
                Some(name) => format!("{name} with {} bytes of payload", payload.len()),
                None => format!("a message with id {id}, {} bytes of payload", payload.len()),
            },
            Self::TooLong(length) => format!("a message that claims to have {length} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Typed from BEP 3, byte by byte.
    #[test]
    fn messages_are_written_and_read_as_the_specification_says() {
        let block = Block { index: 1, begin: 0x4000, length: BLOCK };
        let cases: [(Message, &[u8]); 9] = [
            (Message::KeepAlive, b"\0\0\0\0"),
            (Message::Unchoke, b"\0\0\0\x01\x01"),
            (Message::NotInterested, b"\0\0\0\x01\x03"),
            (Message::Have(258), b"\0\0\0\x05\x04\0\0\x01\x02"),
            (Message::Bitfield(vec![0xa0]), b"\0\0\0\x02\x05\xa0"),
            (Message::Request(block), b"\0\0\0\x0d\x06\0\0\0\x01\0\0\x40\0\0\0\x40\0"),
            (Message::piece(1, 2, b"hello"), b"\0\0\0\x0e\x07\0\0\0\x01\0\0\0\x02hello"),
            (Message::Cancel(block), b"\0\0\0\x0d\x08\0\0\0\x01\0\0\x40\0\0\0\x40\0"),
            (Message::Other { id: 4, payload: vec![1, 2, 3] }, b"\0\0\0\x04\x04\x01\x02\x03"),
        ];
        for (message, bytes) in cases {
            assert_eq!(message.bytes(), bytes, "{message:?}");
            assert_eq!(Message::first(&[bytes, b"more"].concat()), Some((message, bytes.len())));
            assert_eq!(Message::first(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn a_length_that_no_message_has_is_not_waited_for() {
        let stream = b"\x80\0\0\0\x07";
        assert_eq!(Message::first(stream), Some((Message::TooLong(1 << 31), stream.len())));
    }

    #[test]
    fn a_handshake_has_68_bytes() {
        let bytes = handshake([0; 8], [b'h'; 20], [b'p'; 20]);
        assert_eq!(bytes.len(), HANDSHAKE);
        let wanted =
            b"\x13BitTorrent protocol\0\0\0\0\0\0\0\0hhhhhhhhhhhhhhhhhhhhpppppppppppppppppppp";
        assert_eq!(bytes, wanted);
    }
}
