//! The head of an HTTP message, read as one reads it who trusts nobody (RFC 9112 section 2.1).

use crate::words::{count, quote_short};

/// A request's or a reply's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The line before the fields.
    pub(super) first: String,
    /// The fields in their order, names in lower case.
    fields: Vec<(String, String)>,
    /// How many bytes it takes, with the empty line.
    pub(super) length: usize,
}

/// What the beginning of a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Whole(Head),
    /// It may become one.
    Part,
    /// It never will be one: what should have stood there, and what did.
    Wrong {
        expected: String,
        seen: String,
    },
}

/// Nobody needs a longer one.
const LONGEST: usize = 16 * 1024;
/// How much of a line is shown.
const SHOWN: usize = 80;

impl Head {
    /// The values of all fields of this name, in lower case.
    pub(super) fn all<'a>(&'a self, name: &str) -> Vec<&'a str> {
        let found = self.fields.iter().filter(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of the field of this name, where there is exactly one.
    pub(super) fn field<'a>(&'a self, name: &str) -> Option<&'a str> {
        if let [one] = self.all(name)[..] { Some(one) } else { None }
    }
}

/// Reads the head that `bytes` begin with.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let wrong = |expected: &str, seen: String| Parsed::Wrong { expected: expected.into(), seen };
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let head = &bytes[..end.unwrap_or(bytes.len())];
    let mut before = b'\n';
    for byte in head {
        if *byte == b'\n' && before != b'\r' {
            return wrong("lines that end with CRLF", quote_short(head, SHOWN));
        }
        before = *byte;
    }
    let Some(end) = end else {
        if bytes.len() < LONGEST {
            return Parsed::Part;
        }
        return wrong(
            "a head that ends with an empty line",
            format!("{} without one", count(bytes.len())),
        );
    };
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default().to_owned();
    let mut fields = Vec::new();
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if is_token(name) => {
                fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => {
                return wrong(
                    "a field: NAME, a colon, the value",
                    quote_short(line.as_bytes(), SHOWN),
                );
            }
        }
    }
    Parsed::Whole(Head { first, fields, length: end + 4 })
}

fn is_token(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fine)
}

/// The bytes of a percent-encoded text (RFC 3986 section 2.1); `None` where it is none.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push((high * 16 + low) as u8);
    }
    Some(bytes)
}

/// A name percent-encoded: all but letters, digits and `-._~` (RFC 3986 section 2.3).
pub(in crate::labs) fn encoded(name: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_its_empty_line() {
        let bytes = b"GET /a HTTP/1.1\r\nHost: b\r\nRange:bytes=1- \r\n\r\nmore";
        let Parsed::Whole(head) = parse(bytes) else { panic!() };
        assert_eq!((head.first.as_str(), head.length), ("GET /a HTTP/1.1", bytes.len() - 4));
        assert_eq!((head.field("host"), head.field("range")), (Some("b"), Some("bytes=1-")));
        assert_eq!(parse(b"GET /a HTTP/1.1\r\nHo"), Parsed::Part);
        for wrong in [&b"GET /a HTTP/1.1\n\n"[..], b"GET /a HTTP/1.1\r\nno field\r\n\r\n"] {
            assert!(matches!(parse(wrong), Parsed::Wrong { .. }), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_encoded_and_decoded() {
        assert_eq!(encoded("50% ü?.txt"), "50%25%20%C3%BC%3F.txt");
        assert_eq!(decoded("50%25%20%c3%BC%3F.txt").unwrap(), "50% ü?.txt".as_bytes());
        assert_eq!((decoded("%4"), decoded("%zz")), (None, None));
    }
}
