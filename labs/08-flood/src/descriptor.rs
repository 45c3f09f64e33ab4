//! Descriptors: the messages of Gnutella 0.4, from link to link.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The length of a header, in bytes.
pub const HEADER: usize = 23;
/// The longest payload, in bytes.
pub const LONGEST_PAYLOAD: u32 = 65_536;

/// Who is there?
pub const PING: u8 = 0x00;
/// The answer to it: an address, and how much is shared there.
pub const PONG: u8 = 0x01;
/// Who has such a file?
pub const QUERY: u8 = 0x80;
/// The answer to it: an address, and files.
pub const QUERY_HIT: u8 = 0x81;

/// What a question is known by. Its answers have the same.
pub type Id = [u8; 16];

/// A descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Which question it is, or answers.
    pub id: Id,
    /// [`PING`], [`PONG`], [`QUERY`] or [`QUERY_HIT`]; others are not for this program.
    pub kind: u8,
    /// How many links it may still go.
    pub ttl: u8,
    /// How many links it has come, but for the last one.
    pub hops: u8,
    /// What else it says, which depends on its kind.
    pub payload: Vec<u8>,
}

impl Descriptor {
    /// Adds it to `bytes` as it goes over a link.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id);
        bytes.extend([self.kind, self.ttl, self.hops]);
        // None that this program makes or has read is longer than 65,536 bytes.
        bytes.extend((self.payload.len() as u32).to_le_bytes());
        bytes.extend(&self.payload);
    }
}

/// 16 bytes that nobody else has: std has no random numbers, but its hash maps begin with some.
pub fn random_id() -> Id {
    let number = || RandomState::new().build_hasher().finish().to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number());
    id[8..].copy_from_slice(&number());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_little_endian_and_everything_has_its_place() {
        let payload = vec![7; 258];
        let descriptor = Descriptor { id: [9; 16], kind: QUERY, ttl: 5, hops: 2, payload };
        let mut bytes = vec![1];
        descriptor.write_to(&mut bytes);
        assert_eq!(bytes.len(), 1 + HEADER + 258);
        assert_eq!(bytes[1..17], [9; 16]);
        assert_eq!(bytes[17..24], [0x80, 5, 2, 2, 1, 0, 0]);
    }

    #[test]
    fn no_two_ids_are_alike() {
        assert_ne!(random_id(), random_id());
    }
}
