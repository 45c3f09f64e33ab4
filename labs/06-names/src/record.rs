//! Resource records: their types, and how an answer's records read as text.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::Name;

/// Types of records (RFC 1035 section 3.2.2, RFC 3596).
pub const A: u16 = 1;
pub const NS: u16 = 2;
pub const CNAME: u16 = 5;
pub const MX: u16 = 15;
pub const TXT: u16 = 16;
pub const AAAA: u16 = 28;
/// What a question asks for that wants records of every type.
pub const ANY: u16 = 255;

const TYPES: [(&str, u16); 6] =
    [("A", A), ("NS", NS), ("CNAME", CNAME), ("MX", MX), ("TXT", TXT), ("AAAA", AAAA)];

/// The number of a type, by its name in any case.
pub fn number_of(name: &str) -> Option<u16> {
    TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
}

/// The name of a type: `MX`, and `TYPE65` for one that has no name here (RFC 3597).
pub fn name_of(number: u16) -> String {
    let known = TYPES.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| format!("TYPE{number}"), |(name, _)| (*name).to_owned())
}

/// The records of the answer section, a line each. The error says what is wrong with the message.
pub fn print(message: &[u8]) -> Result<Vec<String>, &'static str> {
    const CUT: &str = "it ends within its header";
    let questions = number(message, 4).ok_or(CUT)?;
    let answers = number(message, 6).ok_or(CUT)?;
    let mut at = 12;
    for _ in 0..questions {
        let (_, behind) = Name::read(message, at).ok_or("its question is broken")?;
        at = behind + 4;
    }
    let mut lines = Vec::new();
    for _ in 0..answers {
        let (line, behind) = one(message, at).ok_or("a record in it is broken, or cut off")?;
        lines.push(line);
        at = behind;
    }
    Ok(lines)
}

/// The record at `at` as a line, and where the message goes on behind it.
fn one(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (name, at) = Name::read(message, at)?;
    let kind = number(message, at)?;
    let ttl = message.get(at + 4..at + 8)?;
    let ttl = u32::from_be_bytes(ttl.try_into().ok()?);
    let (begin, length) = (at + 10, usize::from(number(message, at + 8)?));
    let end = begin + length;
    let data = message.get(begin..end)?;
    // A name in it may be compressed, so it is read as part of the whole message; and it has to
    // end where the record ends.
    let name_at = |at| Name::read(message, at).filter(|(_, behind)| *behind == end);
    let data = match kind {
        A => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        AAAA => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        NS | CNAME => name_at(begin)?.0.shown(),
        MX if length > 2 => {
            format!("{} {}", number(message, begin)?, name_at(begin + 2)?.0.shown())
        }
        MX => return None,
        TXT => strings(data)?,
        _ => unknown(data),
    };
    Some((format!("{} {ttl} {} {data}", name.shown(), name_of(kind)), end))
}

/// A number of two bytes, the high one first.
pub fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?))
}

/// The strings of a TXT record, each behind its length: `"one" "two"`.
fn strings(mut data: &[u8]) -> Option<String> {
    let mut shown = Vec::new();
    while let [length, rest @ ..] = data {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        let escaped = string.iter().map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            32..=126 => char::from(*byte).to_string(),
            _ => format!("\\{byte:03}"),
        });
        shown.push(format!("\"{}\"", escaped.collect::<String>()));
        data = rest;
    }
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// Data of a type that is not known here: `\# 4 0a0b0c0d` (RFC 3597 section 5).
fn unknown(data: &[u8]) -> String {
    let mut shown = format!("\\# {}", data.len());
    if !data.is_empty() {
        shown.push(' ');
    }
    for byte in data {
        // Writing to a String can't fail.
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with the question `a. A` and one record of this type and this data.
    fn message(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut message = b"\0\0\x84\0\0\x01\0\x01\0\0\0\0\x01a\0\0\x01\0\x01\xC0\x0C".to_vec();
        message.extend(kind.to_be_bytes());
        message.extend(b"\0\x01\0\x01\x02\x03");
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
        message
    }

    #[test]
    fn records_are_shown_in_the_words_of_their_type() {
        let shown = |kind, data: &[u8]| print(&message(kind, data)).unwrap().remove(0);
        assert_eq!(shown(A, &[127, 0, 0, 5]), "a 66051 A 127.0.0.5");
        assert_eq!(shown(AAAA, &Ipv6Addr::LOCALHOST.octets()), "a 66051 AAAA ::1");
        assert_eq!(shown(NS, b"\x02ns\xC0\x0C"), "a 66051 NS ns.a");
        assert_eq!(shown(MX, b"\x01\x02\xC0\x0C"), "a 66051 MX 258 a");
        assert_eq!(shown(MX, b"\0\0\0"), "a 66051 MX 0 .");
        assert_eq!(shown(TXT, b"\x03o\"e\x02\xFF\\"), r#"a 66051 TXT "o\"e" "\255\\""#);
        assert_eq!(shown(65, &[10, 11, 12, 13]), r"a 66051 TYPE65 \# 4 0a0b0c0d");
        assert_eq!(shown(65, &[]), r"a 66051 TYPE65 \# 0");
    }

    #[test]
    fn what_is_cut_or_does_not_fit_is_no_record() {
        for (kind, data) in
            [(A, &[1, 2, 3][..]), (MX, b"\0\0"), (NS, b"\x01a\0\0"), (TXT, b""), (TXT, b"\x02a")]
        {
            assert!(print(&message(kind, data)).is_err(), "{kind} {data:?}");
        }
        let whole = message(A, &[127, 0, 0, 5]);
        for length in 0..whole.len() {
            assert!(print(&whole[..length]).is_err(), "{length}");
        }
    }
}
