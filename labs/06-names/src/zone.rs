//! The zone file, and the zone: which records each name has.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::name::Name;
use crate::record::{self, A, AAAA, CNAME, MX, NS, TXT};

/// The most records that a zone may have.
const MOST: usize = 10_000;

/// The names at and below the apex that this server answers for, with their records.
#[derive(Debug)]
pub struct Zone {
    apex: Name,
    records: HashMap<Name, Vec<Record>>,
    /// The names that have records, and those between them and the apex.
    names: HashSet<Name>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// Its type, by its number.
    pub kind: u16,
    /// For how many seconds others may keep it.
    pub ttl: u32,
    /// Its data, as it stands in a message; names in it are not compressed.
    pub data: Vec<u8>,
}

/// Why there is no zone.
#[derive(Debug)]
pub enum Error {
    /// The file can't be read.
    Unreadable(io::Error),
    /// This line, from 1, is not as it must be.
    Line(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Line(number) => write!(f, "line {number}"),
        }
    }
}

impl std::error::Error for Error {}

impl Zone {
    /// The zone that a file describes.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&fs::read(path).map_err(Error::Unreadable)?)
    }

    fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut zone: Option<Self> = None;
        let mut count = 0;
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let bad = Error::Line(number);
            match &mut zone {
                None => zone = Some(Self::of(parse_apex(line).ok_or(bad)?)),
                Some(zone) => {
                    let record = parse_record(line).filter(|_| count < MOST).ok_or(bad)?;
                    zone.add(record).ok_or(Error::Line(number))?;
                    count += 1;
                }
            }
        }
        // Without its first line it is no zone.
        zone.ok_or(Error::Line(1))
    }

    fn of(apex: Name) -> Self {
        let names = HashSet::from([apex.clone()]);
        Self { apex, records: HashMap::new(), names }
    }

    /// Adds a record; `None` where it does not belong here.
    fn add(&mut self, record: Record) -> Option<()> {
        if !self.holds(&record.name) {
            return None;
        }
        for name in record.name.and_above().take_while(|name| *name != self.apex) {
            self.names.insert(name);
        }
        let here = self.records.entry(record.name.clone()).or_default();
        // A name that stands for another one has no records of its own (RFC 2181 section 10.1).
        if !here.is_empty() && (record.kind == CNAME || here[0].kind == CNAME) {
            return None;
        }
        here.push(record);
        Some(())
    }

    /// Whether this server answers for the name: it is the apex, or below it.
    pub fn holds(&self, name: &Name) -> bool {
        name.is_within(&self.apex)
    }

    /// Whether there is such a name: it has records, or a name below it has.
    pub fn knows(&self, name: &Name) -> bool {
        self.names.contains(name)
    }

    /// The records of a name, of all types.
    pub fn records(&self, name: &Name) -> &[Record] {
        self.records.get(name).map_or(&[], Vec::as_slice)
    }
}

impl Record {
    /// The name that a CNAME stands for.
    pub fn target(&self) -> Option<Name> {
        Name::read(&self.data, 0).filter(|_| self.kind == CNAME).map(|(name, _)| name)
    }

    /// Adds it to a message (RFC 1035 section 4.1.3).
    pub fn write_to(&self, message: &mut Vec<u8>) {
        self.name.write_to(message);
        message.extend(self.kind.to_be_bytes());
        message.extend(crate::message::IN.to_be_bytes());
        message.extend(self.ttl.to_be_bytes());
        // At most 65,535: `parse_record` has seen to that.
        message.extend((self.data.len() as u16).to_be_bytes());
        message.extend(&self.data);
    }
}

/// `zone APEX`.
fn parse_apex(line: &[u8]) -> Option<Name> {
    match next_word(line) {
        (b"zone", rest) => match next_word(rest) {
            (apex, []) => Name::parse(apex),
            _ => None,
        },
        _ => None,
    }
}

/// `NAME TTL TYPE DATA`.
fn parse_record(line: &[u8]) -> Option<Record> {
    let (name, rest) = next_word(line);
    let (ttl, rest) = next_word(rest);
    let (kind, rest) = next_word(rest);
    let kind = record::number_of(str::from_utf8(kind).ok()?)?;
    let ttl = parse_number(ttl)?;
    let data = parse_data(kind, rest).filter(|data| data.len() <= usize::from(u16::MAX))?;
    // The highest bit is no part of a TTL (RFC 2181 section 8).
    (ttl <= i32::MAX as u32).then_some(Record { name: Name::parse(name)?, kind, ttl, data })
}

fn parse_data(kind: u16, text: &[u8]) -> Option<Vec<u8>> {
    if kind == TXT {
        return parse_strings(text);
    }
    let (first, rest) = next_word(text);
    let word = str::from_utf8(first).ok();
    let mut data = Vec::new();
    match (kind, next_word(rest)) {
        (A, (b"", _)) => data.extend(word?.parse::<Ipv4Addr>().ok()?.octets()),
        (AAAA, (b"", _)) => data.extend(word?.parse::<Ipv6Addr>().ok()?.octets()),
        (NS | CNAME, (b"", _)) => Name::parse(first)?.write_to(&mut data),
        (MX, (exchange, [])) => {
            let preference = u16::try_from(parse_number(first)?).ok()?;
            data.extend(preference.to_be_bytes());
            Name::parse(exchange)?.write_to(&mut data);
        }
        _ => return None,
    }
    Some(data)
}

/// `"one" "two"`, without escapes: each string behind its length.
fn parse_strings(text: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let [b'"', behind @ ..] = rest {
        let length = behind.iter().position(|byte| *byte == b'"')?;
        data.push(u8::try_from(length).ok()?);
        data.extend(&behind[..length]);
        rest = behind[length + 1..].trim_ascii_start();
    }
    (rest.is_empty() && !data.is_empty()).then_some(data)
}

/// The first word, and what stands behind it and its blanks.
fn next_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// Digits alone: `parse` takes a `+`, too.
fn parse_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# the examples\n\nzone example.test\r\n";

    fn zone(records: &str) -> Result<Zone, Error> {
        Zone::parse(format!("{HEAD}{records}").as_bytes())
    }

    fn name(text: &str) -> Name {
        Name::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn each_type_has_its_data() {
        let zone = zone(
            "example.test 300 MX 258 mail.example.test\na.example.test 1 a 127.0.0.1\n\
             a.example.test 1 AAAA ::1\ntxt.example.test 0 TXT \"one\"  \"a # b\"\n",
        )
        .unwrap();
        let data = |text, index: usize| zone.records(&name(text))[index].data.clone();
        assert_eq!(data("EXAMPLE.test", 0), b"\x01\x02\x04mail\x07example\x04test\0");
        assert_eq!(data("a.example.test", 0), [127, 0, 0, 1]);
        assert_eq!(data("a.example.test", 1), Ipv6Addr::LOCALHOST.octets());
        assert_eq!(data("txt.example.test", 0), b"\x03one\x05a # b");
    }

    #[test]
    fn a_name_in_between_is_known_and_has_no_record() {
        let zone = zone("a.deep.example.test 1 A 127.0.0.1\n").unwrap();
        assert!(zone.knows(&name("deep.example.test")) && zone.knows(&name("example.test")));
        assert!(zone.records(&name("deep.example.test")).is_empty());
        assert!(!zone.knows(&name("b.deep.example.test")) && !zone.knows(&name("test")));
        assert!(!zone.holds(&name("xexample.test")) && zone.holds(&name("b.example.test")));
    }

    #[test]
    fn a_bad_line_is_told_by_its_number() {
        for bad in [
            "a.example.test 300 A",
            "a.example.test 300 A 127.0.0.1 127.0.0.2",
            "a.example.test 300 A 127.0.0.256",
            "a.example.test +300 A 127.0.0.1",
            "a.example.test 2147483648 A 127.0.0.1",
            "a.example.test 300 SRV 0 0 1 a.example.test",
            "a.example.test. 300 A 127.0.0.1",
            "a.other.test 300 A 127.0.0.1",
            "a.example.test 300 MX mail.example.test",
            "a.example.test 300 MX 65536 mail.example.test",
            "a.example.test 300 TXT one",
            "a.example.test 300 TXT \"one",
            "a.example.test 300 TXT \"one\" two",
            "a.example.test 300 TXT",
            "zone example.test",
        ] {
            let error = zone(&format!("www.example.test 1 A 127.0.0.1\n{bad}\n")).err();
            assert!(matches!(error, Some(Error::Line(5))), "{bad}: {error:?}");
        }
        let long = format!("a.example.test 300 TXT \"{}\"", "x".repeat(256));
        assert!(matches!(zone(&long), Err(Error::Line(4))));
        assert!(matches!(Zone::parse(b"# nothing\n"), Err(Error::Line(1))));
        assert!(matches!(Zone::parse(b"a.b 1 A 127.0.0.1\n"), Err(Error::Line(1))));
    }

    #[test]
    fn a_name_that_stands_for_another_has_nothing_else() {
        let alias = "a.example.test 1 CNAME b.example.test\n";
        assert_eq!(
            zone(alias).unwrap().records(&name("a.example.test"))[0].target(),
            Some(name("b.example.test"))
        );
        for other in ["a.example.test 1 A 127.0.0.1\n", alias] {
            assert!(zone(&format!("{alias}{other}")).is_err());
        }
        assert!(zone(&format!("a.example.test 1 A 127.0.0.1\n{alias}")).is_err());
    }

    #[test]
    fn a_zone_has_at_most_ten_thousand_records() {
        let record = "a.example.test 1 A 127.0.0.1\n";
        assert!(zone(&record.repeat(MOST)).is_ok());
        assert!(matches!(zone(&record.repeat(MOST + 1)), Err(Error::Line(10_004))));
    }
}
