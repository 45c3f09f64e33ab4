//! Messages as RFC 1035 section 4.1 has them: what the harness asks, and what it takes for an
//! answer. Nothing here is taken from the lab's own modules, so that a mistake in one of them is
//! not a mistake of both.

use std::collections::HashMap;

/// Types of records.
pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const ANY: u16 = 255;

/// Classes: of the Internet, and the one that `version.bind` is asked for in.
pub(super) const IN: u16 = 1;
pub(super) const CH: u16 = 3;

/// How an answer went.
pub(super) const NOERROR: u16 = 0;
pub(super) const FORMERR: u16 = 1;
pub(super) const SERVFAIL: u16 = 2;
pub(super) const NXDOMAIN: u16 = 3;
pub(super) const NOTIMP: u16 = 4;
pub(super) const REFUSED: u16 = 5;

/// The bits of bytes 2 and 3.
pub(super) const QR: u16 = 0x8000;
pub(super) const OPCODE: u16 = 0x7800;
pub(super) const AA: u16 = 0x0400;
pub(super) const TC: u16 = 0x0200;
pub(super) const RD: u16 = 0x0100;

/// The header's length, in bytes.
pub(super) const HEADER: usize = 12;

/// A query that the harness sends.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) id: u16,
    /// Bytes 2 and 3.
    pub(super) flags: u16,
    /// How many questions, answers, authorities and additional records it says that it has.
    pub(super) counts: [u16; 4],
    /// The name on the wire.
    pub(super) name: Vec<u8>,
    pub(super) kind: u16,
    pub(super) class: u16,
    /// What stands behind the question.
    pub(super) behind: Vec<u8>,
    /// What stands behind the header, in the place of everything else.
    pub(super) raw: Option<Vec<u8>>,
}

impl Query {
    /// For the records of this type, with RD, as every client that people use sends it.
    pub(super) fn new(name: &str, kind: u16) -> Self {
        Self {
            id: 0x1234,
            flags: RD,
            counts: [1, 0, 0, 0],
            name: name_on_the_wire(name),
            kind,
            class: IN,
            behind: Vec::new(),
            raw: None,
        }
    }

    pub(super) fn with_id(self, id: u16) -> Self {
        Self { id, ..self }
    }

    pub(super) fn with_flags(self, flags: u16) -> Self {
        Self { flags, ..self }
    }

    /// The question section.
    pub(super) fn question(&self) -> Vec<u8> {
        [&self.name[..], &self.kind.to_be_bytes(), &self.class.to_be_bytes()].concat()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = header(self.id, self.flags, self.counts);
        match &self.raw {
            Some(raw) => bytes.extend(raw),
            None => bytes.extend([self.question(), self.behind.clone()].concat()),
        }
        bytes
    }
}

/// The header of a message.
pub(super) fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags].iter().chain(&counts).flat_map(|number| number.to_be_bytes()).collect()
}

/// A name with dots as it is on the wire; the empty one is the root.
pub(super) fn name_on_the_wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> =
        labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    bytes.push(0);
    bytes
}

/// A record as it stands in a message, with its name whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    /// The name on the wire.
    pub(super) name: Vec<u8>,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    /// Its data; names in it are whole, too.
    pub(super) data: Vec<u8>,
}

impl Record {
    /// Of class IN, kept for 300 seconds.
    pub(super) fn new(name: &str, kind: u16, data: Vec<u8>) -> Self {
        Self { name: name_on_the_wire(name), kind, class: IN, ttl: 300, data }
    }

    pub(super) fn with_ttl(self, ttl: u32) -> Self {
        Self { ttl, ..self }
    }

    /// As it stands in a message.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.name.clone();
        bytes.extend(self.kind.to_be_bytes());
        bytes.extend(self.class.to_be_bytes());
        bytes.extend(self.ttl.to_be_bytes());
        bytes.extend((self.data.len() as u16).to_be_bytes());
        bytes.extend(&self.data);
        bytes
    }

    /// The same for all records that say the same: names are compared without case.
    fn without_case(&self) -> Self {
        let data = match self.kind {
            NS | CNAME | MX => self.data.to_ascii_lowercase(),
            _ => self.data.clone(),
        };
        Self { name: self.name.to_ascii_lowercase(), data, ..*self }
    }
}

/// An answer, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) flags: u16,
    /// How many questions, answers, authorities and additional records it says that it has.
    pub(super) counts: [u16; 4],
    pub(super) question: Vec<u8>,
    pub(super) records: Vec<Record>,
    /// What stands behind the last record of the answer section, in bytes.
    pub(super) behind: usize,
    /// All of it, in bytes.
    pub(super) length: usize,
}

impl Reply {
    /// Takes a message apart; the error says what is wrong with it, and where.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let number = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let short = || format!("its header is cut off: it has 12 bytes, and {} came", bytes.len());
        let flags = number(2).filter(|_| bytes.len() >= HEADER).ok_or_else(short)?;
        let mut counts = [0; 4];
        for (count, at) in counts.iter_mut().zip([4, 6, 8, 10]) {
            *count = number(at).unwrap_or_default();
        }
        let mut at = HEADER;
        for _ in 0..counts[0] {
            let (_, behind) = name_at(bytes, at)?;
            at = behind + 4;
            if at > bytes.len() {
                return Err(format!("its question is cut off, at byte {}", bytes.len()));
            }
        }
        let question = bytes[HEADER..at].to_vec();
        let mut records = Vec::new();
        for nth in 1..=counts[1] {
            let of = format!("record {nth} of {}", counts[1]);
            if at == bytes.len() {
                let told = format!("its header says {} records", counts[1]);
                return Err(format!("{told}, and {} are there", nth - 1));
            }
            let (record, behind) =
                record_at(bytes, at).map_err(|wrong| format!("{of}: {wrong}"))?;
            records.push(record);
            at = behind;
        }
        Ok(Self { flags, counts, question, records, behind: bytes.len() - at, length: bytes.len() })
    }

    pub(super) fn code(&self) -> u16 {
        self.flags & 0x000F
    }

    pub(super) fn is_cut(&self) -> bool {
        self.flags & TC != 0
    }
}

/// The name at `start`, whole, and where the message goes on behind it.
fn name_at(bytes: &[u8], start: usize) -> Result<(Vec<u8>, usize), String> {
    let (mut name, mut at, mut behind) = (Vec::new(), start, None);
    let mut limit = start;
    loop {
        let cut = || format!("the name at byte {start} is cut off");
        let length = *bytes.get(at).ok_or_else(cut)?;
        match length {
            0 => {
                name.push(0);
                return Ok((name, behind.unwrap_or(at + 1)));
            }
            1..=63 => {
                let end = at + 1 + usize::from(length);
                name.extend(bytes.get(at..end).ok_or_else(cut)?);
                at = end;
            }
            0xC0.. => {
                let low = *bytes.get(at + 1).ok_or_else(cut)?;
                let target = usize::from(u16::from_be_bytes([length & 0x3F, low]));
                if target >= limit {
                    return Err(format!(
                        "the pointer at byte {at} does not lead back: it says {target}"
                    ));
                }
                behind.get_or_insert(at + 2);
                (at, limit) = (target, target);
            }
            _ => return Err(format!("byte {at} is no length of a label: {length:02x}")),
        }
        if name.len() > 254 {
            return Err(format!("the name at byte {start} is longer than 255 bytes"));
        }
    }
}

fn record_at(bytes: &[u8], start: usize) -> Result<(Record, usize), String> {
    let (name, at) = name_at(bytes, start)?;
    let cut = || format!("it begins at byte {start} and is cut off at byte {}", bytes.len());
    let fixed = bytes.get(at..at + 10).ok_or_else(cut)?;
    let number = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    let (kind, class) = (number(0), number(2));
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let (begin, end) = (at + 10, at + 10 + usize::from(number(8)));
    let data = bytes.get(begin..end).ok_or_else(|| {
        let left = bytes.len() - begin;
        format!(
            "the length of its data is {}, at byte {}, and {left} bytes are left",
            end - begin,
            begin - 2
        )
    })?;
    let whole = |at: usize| {
        let (name, behind) = name_at(bytes, at)?;
        let data = [&bytes[begin..at], &name].concat();
        if behind == end {
            Ok(data)
        } else {
            Err(format!("the name in its data does not end where its data does, at byte {end}"))
        }
    };
    let data = match kind {
        NS | CNAME => whole(begin)?,
        MX if data.len() > 2 => whole(begin + 2)?,
        _ => data.to_vec(),
    };
    Ok((Record { name, kind, class, ttl, data }, end))
}

/// Which of the expected records are not there, and which are there that should not be. There may
/// be thousands: to look for each among all would take longer than a server waits.
pub(super) fn compare(expected: &[Record], seen: &[Record]) -> [Vec<Record>; 2] {
    let not_among = |records: &[Record], others: &[Record]| {
        let mut counts: HashMap<Record, usize> = HashMap::new();
        for one in others {
            *counts.entry(one.without_case()).or_default() += 1;
        }
        let mut is_left = |record: &&Record| match counts.get_mut(&record.without_case()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        };
        records.iter().filter(|record| is_left(record)).cloned().collect()
    };
    [not_among(expected, seen), not_among(seen, expected)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to `web.example.test A` with compressed names, as servers send it.
    const COMPRESSED: &[u8] =
        b"\x12\x34\x85\x00\x00\x01\x00\x02\x00\x00\x00\x00\x03web\x07example\x04test\0\
        \x00\x01\x00\x01\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03www\xc0\x10\
        \xc0\x2e\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\x7f\x00\x00\x05";

    #[test]
    fn an_answer_is_taken_apart_and_its_names_made_whole() {
        let reply = Reply::read(COMPRESSED).unwrap();
        assert_eq!((reply.flags, reply.counts, reply.behind), (0x8500, [1, 2, 0, 0], 0));
        let shown: Vec<_> = reply.records.iter().map(Record::to_string).collect();
        assert_eq!(
            shown,
            ["web.example.test 60 CNAME www.example.test", "www.example.test 300 A 127.0.0.5"]
        );
        let query = Query::new("web.example.test", A);
        assert_eq!(reply.question, query.question());
    }

    #[test]
    fn what_is_cut_is_told_by_its_byte() {
        for length in 0..COMPRESSED.len() {
            assert!(Reply::read(&COMPRESSED[..length]).is_err(), "{length}");
        }
        let cut = Reply::read(&COMPRESSED[..COMPRESSED.len() - 1]).unwrap_err();
        assert_eq!(
            cut,
            "record 2 of 2: the length of its data is 4, at byte 62, and 3 bytes are left"
        );
        let mut looping = COMPRESSED.to_vec();
        looping[35] = 0x22;
        assert_eq!(
            Reply::read(&looping).unwrap_err(),
            "record 1 of 2: the pointer at byte 34 does not lead back: it says 34"
        );
    }

    #[test]
    fn records_are_compared_in_any_order_and_without_case() {
        let [one, two] = [1, 2].map(|n| Record::new("WWW.example.test", A, vec![127, 0, 0, n]));
        let lower = Record::new("www.example.test", A, vec![127, 0, 0, 1]);
        let [missing, surplus] = compare(&[one.clone(), two.clone()], &[two.clone(), lower]);
        assert!(missing.is_empty() && surplus.is_empty());
        let [missing, surplus] = compare(&[one.clone(), two.clone()], &[two.clone(), two.clone()]);
        assert_eq!((missing, surplus), (vec![one], vec![two]));
    }
}
