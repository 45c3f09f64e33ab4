//! A message in words: what it is, for the story, and where two of them differ, field by field.

use super::message::{AA, HEADER, IN, OPCODE, QR, Query, RD, Reply, TC};
use super::shown::{code_name, shown_name, type_name};
use crate::words::{count, summary};

/// How much is shown of what is no message.
const SHOWN: usize = 40;

/// A datagram in a few words: `the question www.example.test A, id 1234 (34 bytes)`.
pub(super) fn in_words(bytes: &[u8]) -> String {
    let length = count(bytes.len());
    if bytes.len() < HEADER {
        return format!("{length}, where a header has {HEADER}");
    }
    let Ok(reply) = Reply::read(bytes) else { return summary(bytes, SHOWN) };
    let id = format!("id {:02x}{:02x}", bytes[0], bytes[1]);
    let question = match reply.counts[0] {
        0 => "without a question".to_owned(),
        1 => {
            let (name, rest) = reply.question.split_at(reply.question.len() - 4);
            let [kind, class] = [0, 2].map(|at| u16::from_be_bytes([rest[at], rest[at + 1]]));
            let class = if class == IN { String::new() } else { format!(" of class {class}") };
            format!("{} {}{class}", shown_name(name), type_name(kind))
        }
        several => format!("{several} questions"),
    };
    if reply.flags & QR == 0 {
        return format!("a query, {question}, {id} ({length})");
    }
    let records = match &reply.records[..] {
        [one] => one.to_string(),
        several => format!("{} records", several.len()),
    };
    let cut = if reply.is_cut() { ", TC" } else { "" };
    format!("an answer, {question}, {id}: {}{cut}, {records} ({length})", code_name(reply.code()))
}

/// The flags that have names, from the left.
const FLAGS: [(u16, &str); 8] = [
    (QR, "QR (an answer)"),
    (AA, "AA (authoritative)"),
    (TC, "TC (truncated)"),
    (RD, "RD (recursion desired)"),
    (0x0080, "RA (recursion available)"),
    (0x0040, "Z (reserved)"),
    (0x0020, "AD (authentic data)"),
    (0x0010, "CD (checking disabled)"),
];

/// Where bytes 2 and 3 differ, bit by bit; `None` where they do not.
pub(super) fn flags(expected: u16, seen: u16) -> Option<String> {
    if expected == seen {
        return None;
    }
    let mut wrong: Vec<String> = Vec::new();
    for (bit, name) in FLAGS {
        match (expected & bit != 0, seen & bit != 0) {
            (true, false) => wrong.push(format!("{name} is missing")),
            (false, true) => wrong.push(format!("{name} is set")),
            _ => {}
        }
    }
    if (expected ^ seen) & OPCODE != 0 {
        let opcode = |flags: u16| (flags & OPCODE) >> 11;
        wrong.push(format!("OPCODE is {}, not {}", opcode(seen), opcode(expected)));
    }
    let code = |flags: u16| code_name(flags & 0x000F);
    if code(expected) != code(seen) {
        wrong.push(format!("RCODE is {}, not {}", code(seen), code(expected)));
    }
    let [[first, second], [its_first, its_second]] = [expected, seen].map(u16::to_be_bytes);
    let bytes = match (first == its_first, second == its_second) {
        (false, true) => {
            format!("byte 2: QR OPCODE AA TC RD = {its_first:02x}, expected {first:02x}")
        }
        (true, _) => format!("byte 3: RA Z AD CD RCODE = {its_second:02x}, expected {second:02x}"),
        _ => format!(
            "bytes 2 and 3: QR OPCODE AA TC RD RA Z AD CD RCODE = {its_first:02x} {its_second:02x}, \
             expected {first:02x} {second:02x}"
        ),
    };
    Some(format!("{bytes}: {}", wrong.join(", ")))
}

/// The name of the field of a query that a byte belongs to.
pub(super) fn field_at(query: &Query, at: usize) -> &'static str {
    const FIELDS: [&str; 6] = ["ID", "the flags", "QDCOUNT", "ANCOUNT", "NSCOUNT", "ARCOUNT"];
    let name_end = HEADER + query.name.len();
    match at {
        0..HEADER => FIELDS[at / 2],
        _ if at < name_end => "QNAME",
        _ if at < name_end + 2 => "QTYPE",
        _ if at < name_end + 4 => "QCLASS",
        _ => "what stands behind the question",
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{A, header};
    use super::*;

    #[test]
    fn flags_that_differ_are_told_by_their_names() {
        assert_eq!(flags(0x8500, 0x8500), None);
        assert_eq!(
            flags(0x8500, 0x8100).as_deref(),
            Some("byte 2: QR OPCODE AA TC RD = 81, expected 85: AA (authoritative) is missing")
        );
        assert_eq!(
            flags(0x8503, 0x8580).as_deref(),
            Some(
                "byte 3: RA Z AD CD RCODE = 80, expected 03: RA (recursion available) is set, \
                 RCODE is NOERROR, not NXDOMAIN"
            )
        );
        let both = flags(0x9000, 0x0581).unwrap();
        assert!(both.contains("QR (an answer) is missing") && both.contains("OPCODE is 0, not 2"));
    }

    #[test]
    fn a_message_is_told_in_a_few_words() {
        let query = Query::new("www.example.test", A);
        assert_eq!(in_words(&query.bytes()), "a query, www.example.test A, id 1234 (34 bytes)");
        let answer = [header(0x1234, 0x8603, [1, 0, 0, 0]), query.question()].concat();
        assert_eq!(
            in_words(&answer),
            "an answer, www.example.test A, id 1234: NXDOMAIN, TC, 0 records (34 bytes)"
        );
        assert_eq!(in_words(b"hi"), "2 bytes, where a header has 12");
        assert_eq!(in_words(&query.bytes()[..20]), summary(&query.bytes()[..20], SHOWN));
    }

    #[test]
    fn each_byte_of_a_query_belongs_to_a_field() {
        let query = Query::new("www.example.test", A);
        assert_eq!(
            [0, 3, 11, 12, 29, 30, 33].map(|at| field_at(&query, at)),
            ["ID", "the flags", "ARCOUNT", "QNAME", "QNAME", "QTYPE", "QCLASS"]
        );
    }
}
