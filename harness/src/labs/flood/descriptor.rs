//! Descriptors of Gnutella 0.4, as the harness writes and reads them: by the protocol, and not by the
//! lab's own modules, so that the two can't share a mistake.

use std::net::{Ipv4Addr, SocketAddrV4};

pub(super) const PING: u8 = 0x00;
pub(super) const PONG: u8 = 0x01;
pub(super) const PUSH: u8 = 0x40;
pub(super) const QUERY: u8 = 0x80;
pub(super) const QUERY_HIT: u8 = 0x81;

/// Bytes before the payload.
pub(super) const HEADER: usize = 23;
/// The longest payload, in bytes.
pub(super) const LONGEST: usize = 65_536;
/// What one's own questions begin with.
pub(super) const FIRST_TTL: u8 = 7;

/// What tells a question from all others, and comes back in its answers.
pub(super) type Id = [u8; 16];

/// A descriptor: its header and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) id: Id,
    pub(super) kind: u8,
    pub(super) ttl: u8,
    pub(super) hops: u8,
    pub(super) payload: Vec<u8>,
}

/// What a Pong says of a servent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pong {
    pub(super) address: SocketAddrV4,
    pub(super) files: u32,
    pub(super) kilobytes: u32,
}

/// What a QueryHit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hits {
    /// Where the files are to be had.
    pub(super) address: SocketAddrV4,
    pub(super) speed: u32,
    pub(super) hits: Vec<Hit>,
}

/// One file of a QueryHit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) index: u32,
    pub(super) size: u32,
    pub(super) name: Vec<u8>,
}

/// An id of the harness's own, which it uses once in a trial: the number tells it from the others.
pub(super) fn id(number: u32) -> Id {
    let mut id = *b"\0\0\0\0 of the test";
    id[..4].copy_from_slice(&number.to_be_bytes());
    id
}

impl Descriptor {
    /// A question as its asker sends it.
    fn question(id: Id, kind: u8, payload: Vec<u8>) -> Self {
        Self { id, kind, ttl: FIRST_TTL, hops: 0, payload }
    }

    pub(super) fn ping(id: Id) -> Self {
        Self::question(id, PING, Vec::new())
    }

    /// A Query for these words.
    pub(super) fn query(id: Id, words: &str) -> Self {
        Self::question(id, QUERY, [&[0, 0], words.as_bytes(), &[0]].concat())
    }

    /// The same with another TTL, and having come so far.
    pub(super) fn at(self, ttl: u8, hops: u8) -> Self {
        Self { ttl, hops, ..self }
    }

    /// As it leaves a servent that passes it on.
    pub(super) fn passed_on(&self) -> Self {
        self.clone().at(self.ttl - 1, self.hops + 1)
    }

    /// An answer to it, as the one who answers sends it: with as many hops to go as the question has
    /// come, and one more.
    pub(super) fn answer(&self, kind: u8, payload: Vec<u8>) -> Self {
        Self { id: self.id, kind, ttl: self.hops + 1, hops: 0, payload }
    }

    /// The Pong that answers it.
    pub(super) fn pong(&self, pong: &Pong) -> Self {
        self.answer(PONG, pong.bytes())
    }

    /// The QueryHit that answers it.
    pub(super) fn hit(&self, hits: &Hits) -> Self {
        self.answer(QUERY_HIT, hits.bytes(b"servent of tests"))
    }

    /// Its bytes on the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = (self.payload.len() as u32).to_le_bytes();
        [&self.id[..], &[self.kind, self.ttl, self.hops], &length, &self.payload].concat()
    }

    /// How many bytes the first of a stream has; `None` where it is not whole yet.
    pub(super) fn whole_length(stream: &[u8]) -> Option<usize> {
        let (header, rest) = stream.split_first_chunk::<HEADER>()?;
        let length = payload_length(header);
        (length <= rest.len()).then_some(HEADER + length)
    }

    /// The first of a stream; `None` where it is not whole yet.
    pub(super) fn first(stream: &[u8]) -> Option<Self> {
        let (header, payload) = stream[..Self::whole_length(stream)?].split_at(HEADER);
        let payload = payload.to_vec();
        let mut id = Id::default();
        id.copy_from_slice(&header[..16]);
        let [kind, ttl, hops] = [header[16], header[17], header[18]];
        Some(Self { id, kind, ttl, hops, payload })
    }

    /// All of a stream, and what is left behind the last whole one.
    pub(super) fn all(mut stream: &[u8]) -> (Vec<Self>, &[u8]) {
        let mut all = Vec::new();
        while let Some(descriptor) = Self::first(stream) {
            stream = &stream[HEADER + descriptor.payload.len()..];
            all.push(descriptor);
        }
        (all, stream)
    }
}

/// What a header says of its payload's length, in bytes.
pub(super) fn payload_length(header: &[u8; HEADER]) -> usize {
    let [.., a, b, c, d] = *header;
    u32::from_le_bytes([a, b, c, d]) as usize
}

impl Pong {
    fn bytes(&self) -> Vec<u8> {
        let (port, ip) = (self.address.port().to_le_bytes(), self.address.ip().octets());
        [&port[..], &ip, &self.files.to_le_bytes(), &self.kilobytes.to_le_bytes()].concat()
    }

    /// The Pong in a payload. What stands behind its 14 bytes does not count.
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let mut rest = Rest(payload);
        let address = rest.address()?;
        Ok(Self { address, files: rest.number("files")?, kilobytes: rest.number("kilobytes")? })
    }
}

impl Hits {
    /// The payload, of the servent with this id.
    pub(super) fn bytes(&self, servent: &[u8; 16]) -> Vec<u8> {
        let (port, ip) = (self.address.port().to_le_bytes(), self.address.ip().octets());
        let speed = self.speed.to_le_bytes();
        let mut bytes = [&[self.hits.len() as u8][..], &port, &ip, &speed].concat();
        for Hit { index, size, name } in &self.hits {
            bytes.extend([&index.to_le_bytes()[..], &size.to_le_bytes(), name, &[0, 0]].concat());
        }
        bytes.extend(servent);
        bytes
    }

    /// The QueryHit in a payload.
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let mut rest = Rest(payload);
        let count = rest.take("the number of hits", 1)?[0];
        let address = rest.address()?;
        let speed = rest.number("speed")?;
        let mut files = Vec::new();
        for number in 1..=count {
            let told = |what: &str| format!("{what} of hit {number}");
            let (index, size) = (rest.number(&told("index"))?, rest.number(&told("size"))?);
            let name = rest.text(&told("name"))?.to_vec();
            // What stands between the two is an extension, of which nobody asked anything.
            let _ = rest.text(&told("the second NUL behind the name"))?;
            files.push(Hit { index, size, name });
        }
        let Rest(left) = rest;
        match left.len() {
            16 => Ok(Self { address, speed, hits: files }),
            n if n < 16 => Err(format!("{n} bytes behind the last hit: the servent id has 16")),
            n => Err(format!("{n} bytes behind the last hit: the servent id, 16, is the last")),
        }
    }
}

/// What of a payload is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, what: &str, length: usize) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return Err(format!("{} bytes where {what} should stand, {length}", self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, what: &str) -> Result<u32, String> {
        let bytes = self.take(what, 4)?;
        Ok(u32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    /// A port, little-endian, and an address, in network order.
    fn address(&mut self) -> Result<SocketAddrV4, String> {
        let port = self.take("the port", 2)?;
        let ip: [u8; 4] = self.take("the IP address", 4)?.try_into().unwrap_or_default();
        Ok(SocketAddrV4::new(Ipv4Addr::from(ip), u16::from_le_bytes([port[0], port[1]])))
    }

    /// The bytes before the next NUL.
    fn text(&mut self, what: &str) -> Result<&'a [u8], String> {
        let Some(end) = self.0.iter().position(|byte| *byte == 0) else {
            return Err(format!("no NUL behind {what}"));
        };
        let text = self.take(what, end)?;
        self.0 = &self.0[1..];
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Typed from the tables of the protocol, byte by byte.
    const QUERY_ON_THE_WIRE: &[u8] =
        b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\
        \x80\x07\x00\x0a\x00\x00\x00\
        \x00\x00my song\x00";
    const PONG_ON_THE_WIRE: &[u8] = b"\x5b\x1b\x7f\x00\x00\x01\x0c\x00\x00\x00\x00\x10\x00\x00";
    const HITS_ON_THE_WIRE: &[u8] = b"\x02\x5b\x1b\x7f\x00\x00\x01\x00\x00\x00\x00\
        \x00\x00\x00\x00\xe0\x93\x04\x00my song.ogg\x00\x00\
        \x2c\x01\x00\x00\x02\x01\x00\x00b\x00\x00\
        0123456789abcdef";

    fn ann() -> SocketAddrV4 {
        "127.0.0.1:7003".parse().unwrap()
    }

    fn two_hits() -> Hits {
        let song = Hit { index: 0, size: 300_000, name: b"my song.ogg".to_vec() };
        let other = Hit { index: 300, size: 258, name: b"b".to_vec() };
        Hits { address: ann(), speed: 0, hits: vec![song, other] }
    }

    #[test]
    fn a_query_is_written_as_the_protocol_says() {
        let id = std::array::from_fn(|at| at as u8);
        let query = Descriptor::query(id, "my song");
        assert_eq!(query.bytes(), QUERY_ON_THE_WIRE);
        assert_eq!(Descriptor::first(QUERY_ON_THE_WIRE), Some(query));
        assert_eq!(Descriptor::first(&QUERY_ON_THE_WIRE[..32]), None);
    }

    #[test]
    fn a_length_of_258_is_02_01_00_00() {
        let long = Descriptor::query(id(1), &"x".repeat(255));
        assert_eq!(long.bytes()[19..23], [2, 1, 0, 0]);
    }

    #[test]
    fn a_pong_has_numbers_little_endian_and_the_address_in_network_order() {
        let pong = Pong { address: ann(), files: 12, kilobytes: 4096 };
        assert_eq!(pong.bytes(), PONG_ON_THE_WIRE);
        assert_eq!(Pong::read(PONG_ON_THE_WIRE), Ok(pong.clone()));
        assert_eq!(Pong::read(&[PONG_ON_THE_WIRE, b"more"].concat()), Ok(pong));
        assert!(Pong::read(&PONG_ON_THE_WIRE[..13]).unwrap_err().contains("kilobytes"));
    }

    #[test]
    fn a_query_hit_is_written_and_read_as_the_protocol_says() {
        assert_eq!(two_hits().bytes(b"0123456789abcdef"), HITS_ON_THE_WIRE);
        assert_eq!(Hits::read(HITS_ON_THE_WIRE), Ok(two_hits()));
        let short = Hits::read(&HITS_ON_THE_WIRE[..HITS_ON_THE_WIRE.len() - 1]).unwrap_err();
        assert_eq!(short, "15 bytes behind the last hit: the servent id has 16");
    }

    #[test]
    fn a_query_hit_that_lies_is_told_where_it_does() {
        let mut counts_three = HITS_ON_THE_WIRE.to_vec();
        counts_three[0] = 3;
        assert!(Hits::read(&counts_three).unwrap_err().contains("of hit 3"));
        let one_nul =
            [&HITS_ON_THE_WIRE[..HITS_ON_THE_WIRE.len() - 17], b"0123456789abcdef"].concat();
        assert!(Hits::read(&one_nul).unwrap_err().contains("second NUL"));
    }

    #[test]
    fn descriptors_are_taken_off_a_stream_one_by_one() {
        let ping = Descriptor::ping(id(7)).at(3, 4);
        let query = Descriptor::query(id(8), "a b");
        let stream = [ping.bytes(), query.bytes(), b"\x00\x01".to_vec()].concat();
        assert_eq!(Descriptor::all(&stream), (vec![ping, query], &b"\x00\x01"[..]));
    }

    #[test]
    fn an_answer_has_as_far_to_go_as_its_question_has_come() {
        let question = Descriptor::ping(id(1)).at(5, 2);
        let pong = Pong { address: ann(), files: 0, kilobytes: 0 };
        let answer = question.pong(&pong);
        assert_eq!((answer.id, answer.kind, answer.ttl, answer.hops), (id(1), PONG, 3, 0));
        let passed_on = question.passed_on();
        assert_eq!((passed_on.ttl, passed_on.hops), (4, 3));
    }
}
