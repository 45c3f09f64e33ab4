//! Messages for the book and the traces: what one is in a few words, and its fields one by one.

use super::message::{A, AA, HEADER, OPCODE, QR, RD, TC};
use super::shown::{code_name, shown_name, type_name};
use crate::lab::{Carried, Field, Messages, Specimen};
use crate::words::quote;

pub(super) const MESSAGES: Messages = Messages {
    alike,
    describe,
    fields,
    specimens: &[
        Specimen {
            name: "question-bytes",
            title: "A question, byte by byte: the address of www.example.test",
            scene: "codes",
            message: 1,
        },
        Specimen {
            name: "answer-bytes",
            title: "The answer, byte by byte: one record",
            scene: "codes",
            message: 2,
        },
    ],
};

/// The id that the first message of a recording gets; others are as far from it as they were.
const ID: u16 = 0x1234;

/// Over a stream the harness asks, and always the same.
fn alike(first: &[u8], carried: Carried, message: &mut [u8]) {
    if carried == Carried::Datagram
        && let (Some(begin), Some(id)) = (number(first, 0), number(message, 0))
        && message.len() >= HEADER
    {
        let new = id.wrapping_sub(begin).wrapping_add(ID);
        message[..2].copy_from_slice(&new.to_be_bytes());
    }
}

/// `question 1234, www.example.test A`, `answer 1234, NXDOMAIN`. All of that stands at the
/// beginning, so of a long message no more is needed.
fn describe(bytes: &[u8], carried: Carried) -> Option<String> {
    if let Carried::Stream(carried) = carried {
        let length = number(bytes, 0).filter(|length| usize::from(*length) + 2 == carried)?;
        let message = describe(&bytes[2..], Carried::Datagram)?;
        return Some(format!("length {length}, and the {message}"));
    }
    let [id, flags, questions, answers] = [0, 2, 4, 6].map(|at| number(bytes, at));
    let (id, flags, questions, answers) = (id?, flags?, questions?, answers?);
    number(bytes, HEADER - 2)?;
    if flags & QR == 0 {
        let asked = match (questions, question(bytes)) {
            (1, Some((name, kind))) => format!("{name} {}", type_name(kind)),
            (1, None) => "cut within the name".to_owned(),
            (n, _) => format!("QDCOUNT {n}"),
        };
        return Some(format!("question {id:04x}, {asked}"));
    }
    let mut text = format!("answer {id:04x}, {}", code_name(flags & 0xf));
    if flags & TC != 0 {
        text += ", TC";
    }
    match answers {
        0 => {}
        1 => text += ", 1 record",
        n => text += &format!(", {n} records"),
    }
    Some(text)
}

/// The name and the type of the question.
fn question(bytes: &[u8]) -> Option<(String, u16)> {
    let end = HEADER + name_length(bytes.get(HEADER..)?)?;
    number(bytes, end + 2)?;
    Some((shown_name(&bytes[HEADER..end]), number(bytes, end)?))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([two[0], two[1]]))
}

/// How many bytes a name takes where it stands: to its end, or with the pointer that goes on.
fn name_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length @ 1..64 => at += 1 + usize::from(length),
            _ => return bytes.get(at + 1).map(|_| at + 2),
        }
    }
}

/// Takes fields off the front of a message.
struct Cursor<'a> {
    rest: &'a [u8],
    fields: Vec<Field>,
}

impl<'a> Cursor<'a> {
    /// A field of so many bytes; what it says is made of them.
    fn take(
        &mut self,
        length: usize,
        name: &str,
        why: impl Into<String>,
        value: impl Fn(&'a [u8]) -> String,
    ) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
        let (name, value, why) = (name.to_owned(), value(bytes), why.into());
        self.fields.push(Field { length: bytes.len(), name, value, why });
        self.rest = rest;
        bytes
    }

    fn number(&mut self, name: &str, why: &str, value: impl Fn(u16) -> String) -> u16 {
        let bytes =
            self.take(2, name, why, |bytes| number(bytes, 0).map_or_else(String::new, &value));
        number(bytes, 0).unwrap_or_default()
    }

    fn name(&mut self, why: &str) {
        let length = name_length(self.rest).unwrap_or(self.rest.len());
        self.take(length, "name", why, shown_name);
    }

    fn type_and_class(&mut self, why: &str) -> u16 {
        let kind = self.number("type", why, |kind| format!("{kind}: {}", type_name(kind)));
        self.number("class", "IN, the Internet. You will hardly meet another one.", |class| {
            if class == 1 { "1: IN".to_owned() } else { class.to_string() }
        });
        kind
    }

    fn record(&mut self) {
        self.name("The name again. It may be written out, or be a pointer to the question's.");
        let kind = self.type_and_class("What the data is.");
        let ttl = |bytes: &[u8]| match bytes {
            [a, b, c, d] => format!("{} seconds", u32::from_be_bytes([*a, *b, *c, *d])),
            _ => String::new(),
        };
        self.take(4, "TTL", "For so long others may remember it, and need not ask again.", ttl);
        let why = "How many bytes of data follow: so a type that nobody knows can be skipped.";
        let length = self.number("length", why, |length| length.to_string());
        let address = |bytes: &[u8]| match (kind, bytes) {
            (A, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
            _ => quote(bytes),
        };
        self.take(length.into(), "data", "Of an A record the four bytes of the address.", address);
    }
}

fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut cursor = Cursor { rest: bytes, fields: Vec::new() };
    let flags = number(bytes, 2).unwrap_or_default();
    let is_answer = flags & QR != 0;
    let pick =
        |question: &'static str, answer: &'static str| if is_answer { answer } else { question };
    cursor.number(
        "id",
        pick("Chosen by the client. The answer will have the same.", "Copied from the question."),
        |id| format!("{id:04x}"),
    );
    let bit = |bit: u16| u16::from(flags & bit != 0);
    cursor.take(
        1,
        "flags",
        pick(
            "QR is 0: a question. RD is 1: ask others, if you have to. This server will not.",
            "QR is 1: an answer. AA is 1: the server has this zone, and need not ask anybody.",
        ),
        |_| {
            let opcode = (flags & OPCODE) >> 11;
            let [qr, aa, tc, rd] = [QR, AA, TC, RD].map(bit);
            format!("QR {qr}, opcode {opcode}, AA {aa}, TC {tc}, RD {rd}")
        },
    );
    cursor.take(
        1,
        "flags and code",
        pick("Nothing here is for a question.", "The code says what came of it: no error."),
        |_| format!("RA {}, Z 0, code {}: {}", bit(0x80), flags & 0xf, code_name(flags & 0xf)),
    );
    let count = |count: u16| count.to_string();
    let questions = cursor.number("questions", "One message, one question.", count);
    let why = pick("A question has no answers in it.", "So many records follow the question.");
    let answers = cursor.number("answers", why, count);
    cursor.number(
        "authorities",
        "A section for other servers' names. The lab leaves it empty.",
        count,
    );
    cursor.number("additional", "A section for what may help. dig puts a record into it.", count);
    for _ in 0..questions {
        cursor.name(pick(
            "Before each label stands its length. A length of 0 ends the name.",
            "The question comes back, byte for byte.",
        ));
        cursor.type_and_class(pick(
            "What is wanted of this name: an IPv4 address.",
            "As it was asked.",
        ));
    }
    for _ in 0..answers {
        cursor.record();
    }
    if !cursor.rest.is_empty() {
        cursor.take(cursor.rest.len(), "rest", "What no count has announced.", quote);
    }
    cursor.fields
}

#[cfg(test)]
mod tests {
    use super::super::message::{Query, header};
    use super::*;

    fn query() -> Query {
        Query::new("www.example.test", A)
    }

    fn answer() -> Vec<u8> {
        let record = vec![0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 5];
        [header(0x1234, QR | AA, [1, 1, 0, 0]), query().question(), record].concat()
    }

    #[test]
    fn the_fields_are_all_of_the_message() {
        for message in [query().bytes(), answer()] {
            let fields = fields(&message);
            assert_eq!(fields.iter().map(|field| field.length).sum::<usize>(), message.len());
            assert!(fields.iter().all(|field| field.why.ends_with('.')), "{fields:#?}");
        }
        let last = fields(&answer()).pop().unwrap();
        assert_eq!((last.name.as_str(), last.value.as_str()), ("data", "127.0.0.5"));
    }

    #[test]
    fn a_message_that_was_cut_anywhere_has_fields_and_words_or_none() {
        let answer = answer();
        for end in 0..answer.len() {
            let fields = fields(&answer[..end]);
            assert_eq!(fields.iter().map(|field| field.length).sum::<usize>(), end);
            assert_eq!(
                describe(&answer[..end], Carried::Datagram).is_some(),
                end >= HEADER,
                "{end}"
            );
        }
    }

    #[test]
    fn a_message_in_a_few_words() {
        let words = |bytes: &[u8]| describe(bytes, Carried::Datagram).unwrap();
        assert_eq!(words(&query().bytes()), "question 1234, www.example.test A");
        assert_eq!(words(&query().bytes()[..20]), "question 1234, cut within the name");
        assert_eq!(words(&answer()), "answer 1234, NOERROR, 1 record");
        let framed = [&[0, 34], &query().bytes()[..]].concat();
        assert_eq!(
            describe(&framed, Carried::Stream(36)).unwrap(),
            "length 34, and the question 1234, www.example.test A"
        );
        assert_eq!(describe(&framed[..1], Carried::Stream(1)), None);
        assert_eq!(describe(&framed[1..], Carried::Stream(35)), None);
    }

    #[test]
    fn ids_are_as_far_from_each_other_as_they_were() {
        let first = query().with_id(0xffff).bytes();
        let mut other = query().with_id(0).bytes();
        alike(&first, Carried::Datagram, &mut other);
        assert_eq!(other[..2], [0x12, 0x35]);
    }
}
