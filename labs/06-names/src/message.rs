//! Messages: the header's bits, what a query comes to, and queries of our own
//! (RFC 1035 section 4.1).

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::name::Name;
use crate::record::number;

/// The length of the header, in bytes.
pub const HEADER: usize = 12;
/// The limit of a message over UDP, in bytes.
pub const LIMIT_UDP: usize = 512;
/// The limit of a message over TCP: what its two bytes of length can say.
pub const LIMIT_TCP: usize = 65_535;

/// The class of the Internet, the only one in use.
pub const IN: u16 = 1;

/// The bits of bytes 2 and 3, in network byte order: a response, not a query;
pub const QR: u16 = 0x8000;
/// what the query is for, 0 in all that are answered here;
pub const OPCODE: u16 = 0x7800;
/// the answer of the server that the zone belongs to;
pub const AA: u16 = 0x0400;
/// not all of it: the rest did not fit;
pub const TC: u16 = 0x0200;
/// the client would like the server to ask others.
pub const RD: u16 = 0x0100;

/// How an answer went (RFC 1035 section 4.1.1): the lowest four bits of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u16);

impl Code {
    pub const NO_ERROR: Self = Self(0);
    pub const FORMAT_ERROR: Self = Self(1);
    pub const SERVER_FAILURE: Self = Self(2);
    pub const NAME_ERROR: Self = Self(3);
    pub const NOT_IMPLEMENTED: Self = Self(4);
    pub const REFUSED: Self = Self(5);

    /// That of an answer; of one that ends before it, `SERVER_FAILURE`.
    pub fn of(answer: &[u8]) -> Self {
        number(answer, 2).map_or(Self::SERVER_FAILURE, |flags| Self(flags & 0x000F))
    }

    /// As people write it: `NXDOMAIN`.
    pub fn shown(self) -> String {
        const NAMES: [&str; 6] =
            ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
        let known = NAMES.get(usize::from(self.0));
        known.map_or_else(|| format!("RCODE{}", self.0), |name| (*name).to_owned())
    }
}

/// A query that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its number, which the answer has, too.
    pub id: u16,
    /// Bytes 2 and 3 of its header.
    pub flags: u16,
    /// Its question, byte for byte: the name, the type and the class.
    pub question: Vec<u8>,
    /// The name that it asks for.
    pub name: Name,
    /// The type that it asks for.
    pub kind: u16,
    /// The class that it asks for.
    pub class: u16,
}

/// The one question of a message. Upper and lower case make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name that is asked for.
    pub name: Name,
    /// The type.
    pub kind: u16,
    /// The class.
    pub class: u16,
}

impl Question {
    /// That of a message, query or answer; `None` where it has none, several, or a broken one.
    pub fn read(message: &[u8]) -> Option<Self> {
        let count = number(message, 4)?;
        let (name, at) = Name::read(message, HEADER)?;
        let (kind, class) = (number(message, at)?, number(message, at + 2)?);
        (count == 1).then_some(Self { name, kind, class })
    }
}

/// Whether an answer says that it is not all: TC.
pub fn is_cut(answer: &[u8]) -> bool {
    number(answer, 2).is_some_and(|flags| flags & TC != 0)
}

/// Whether a message is no answer.
pub fn is_query(message: &[u8]) -> bool {
    number(message, 2).is_none_or(|flags| flags & QR == 0)
}

/// What a message comes to that is no query to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It gets no answer at all.
    Ignore,
    /// It gets this code, and nothing else.
    Refuse(Code),
}

/// The answer that has nothing but a header: what was asked is not understood, or not done here.
/// `query` has at least twelve bytes.
pub fn refusal(query: &[u8], code: Code) -> Vec<u8> {
    let flags = u16::from_be_bytes([query[2], query[3]]);
    let flags = QR | (flags & (OPCODE | RD)) | code.0;
    let mut reply = query[..2].to_vec();
    reply.extend(flags.to_be_bytes());
    reply.resize(HEADER, 0);
    reply
}

/// A query of our own: its number, RD, and one question.
pub fn query(id: u16, name: &Name, kind: u16) -> Vec<u8> {
    let mut query = Vec::new();
    for number in [id, RD, 1, 0, 0, 0] {
        query.extend(number.to_be_bytes());
    }
    name.write_to(&mut query);
    query.extend(kind.to_be_bytes());
    query.extend(IN.to_be_bytes());
    query
}

/// A number that nobody can guess: each `RandomState` has other keys, which come from the system.
pub fn random_id() -> u16 {
    RandomState::new().build_hasher().finish() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_its_question_and_nothing_else() {
        let name = Name::parse(b"wWw.a").unwrap();
        let expected = b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x03wWw\x01a\0\0\x0F\0\x01";
        assert_eq!(query(0x0102, &name, 15), expected);
    }

    #[test]
    fn a_refusal_copies_the_id_the_opcode_and_rd_and_nothing_else() {
        let query = b"\x12\x34\x17\xFF\0\x01\0\x01\0\x01\0\x01rest";
        assert_eq!(refusal(query, Code(4)), b"\x12\x34\x91\x04\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn codes_have_names_and_the_others_numbers() {
        assert_eq!(Code::of(b"\0\0\x85\x83").shown(), "NXDOMAIN");
        assert_eq!(Code(6).shown(), "RCODE6");
    }

    #[test]
    fn ids_are_not_all_the_same() {
        let first = random_id();
        assert!((0..100).any(|_| random_id() != first));
    }
}
