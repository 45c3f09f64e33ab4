//! Replies, read as strictly as a client that trusts nobody reads them (RFC 9112).

use crate::words::{count, quote, quote_short};

/// What a reply answers: to HEAD, and with some statuses, it has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::labs) enum To {
    /// A request whose reply may have a body.
    Get,
    /// HEAD: the fields of GET, and no body.
    Head,
}

impl To {
    /// Of a request with this method.
    pub(super) fn of(method: &str) -> Self {
        if method == "HEAD" { Self::Head } else { Self::Get }
    }
}

/// One whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) struct Reply {
    /// The three digits.
    pub(in crate::labs) status: u16,
    /// The fields in their order, names in lower case.
    pub(in crate::labs) fields: Vec<(String, String)>,
    /// The body, as long as Content-Length says.
    pub(in crate::labs) body: Vec<u8>,
}

/// What the beginning of a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) enum Parsed {
    /// A reply, and how many bytes it takes.
    Whole(Reply, usize),
    /// It may become one: what is missing, in words.
    Part(String),
    /// It never will be one.
    Wrong(Fault),
}

/// Why bytes are not a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) struct Fault {
    /// What should have stood there.
    pub(in crate::labs) expected: String,
    /// What stood there.
    pub(in crate::labs) seen: String,
    /// What may have led to it.
    pub(in crate::labs) cause: &'static str,
}

/// A head that is longer is none: no reply of this lab needs so much.
const LONGEST_HEAD: usize = 16 * 1024;
/// How much of a line is shown.
const SHOWN: usize = 60;

impl Reply {
    /// The value of the field of this name, in lower case, if there is one.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// How many fields of this name there are.
    pub(super) fn count_of(&self, name: &str) -> usize {
        self.fields.iter().filter(|(known, _)| known == name).count()
    }

    /// Whether the connection goes on behind it, by its own word.
    pub(super) fn keeps_alive(&self) -> bool {
        let options = self.field("connection").unwrap_or_default().split(',');
        !options.map(str::trim).any(|option| option.eq_ignore_ascii_case("close"))
    }
}

/// Reads the reply that `bytes` begin with.
pub(in crate::labs) fn parse(bytes: &[u8], to: To) -> Parsed {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return match early_fault(bytes) {
            Some(fault) => Parsed::Wrong(fault),
            None => Parsed::Part("the empty line behind the head (CRLF CRLF)".into()),
        };
    };
    let (head, rest) = (&bytes[..end], &bytes[end + 4..]);
    let (status, fields) = match parse_head(head) {
        Ok(parsed) => parsed,
        Err(fault) => return Parsed::Wrong(fault),
    };
    let mut reply = Reply { status, fields, body: Vec::new() };
    let length = match length_of(&reply, to) {
        Ok(length) => length,
        Err(fault) => return Parsed::Wrong(fault),
    };
    match rest.get(..length) {
        Some(body) => {
            reply.body = body.to_vec();
            Parsed::Whole(reply, end + 4 + length)
        }
        None => Parsed::Part(format!("the body: {} of {}", rest.len(), count(length))),
    }
}

/// What shows before the head is whole.
fn early_fault(bytes: &[u8]) -> Option<Fault> {
    const BEGINNING: &[u8] = b"HTTP/1.1 ";
    let begun = &bytes[..bytes.len().min(BEGINNING.len())];
    if !BEGINNING.starts_with(begun) {
        return Some(Fault {
            expected: "a reply: HTTP/1.1, a blank and the status".into(),
            seen: quote_short(bytes, SHOWN),
            cause: NOT_A_REPLY,
        });
    }
    let line_ends = bytes.windows(2).filter(|two| two[1] == b'\n' && two[0] != b'\r').count();
    if line_ends > 0 {
        return Some(Fault {
            expected: "lines that end with CRLF".into(),
            seen: format!("a line that ends with LF alone, in {}", quote_short(bytes, SHOWN)),
            cause: "in HTTP a line ends with \\r\\n, also the empty one behind the head",
        });
    }
    (bytes.len() > LONGEST_HEAD).then(|| Fault {
        expected: "a head that ends with an empty line (CRLF CRLF)".into(),
        seen: format!("{} without one", count(bytes.len())),
        cause: "an empty line stands between the head and the body",
    })
}

type Fields = Vec<(String, String)>;

fn parse_head(head: &[u8]) -> Result<(u16, Fields), Fault> {
    let fault = |expected: &str, line: &[u8], cause| {
        let (expected, seen) = (expected.to_owned(), quote_short(line, SHOWN));
        Fault { expected, seen, cause }
    };
    // A CR of its own stays, and is found next.
    let mut lines: Vec<_> = head.split(|byte| *byte == b'\n').collect();
    if let Some((_, ended)) = lines.split_last_mut() {
        for line in ended {
            *line = line.strip_suffix(b"\r").unwrap_or(line);
        }
    }
    if let Some(line) = lines.iter().find(|line| line.iter().any(|b| b"\r\n\0".contains(b))) {
        return Err(fault(
            "lines that end with CRLF, and no CR, LF or NUL inside",
            line,
            "in HTTP a line ends with \\r\\n, also the empty one behind the head",
        ));
    }
    let words = lines[0].strip_prefix(b"HTTP/1.1 ");
    let digits =
        words.and_then(|words| words.get(..3)).filter(|d| d.iter().all(u8::is_ascii_digit));
    let after = words.and_then(|words| words.get(3));
    let (Some(digits), None | Some(b' ')) = (digits, after) else {
        return Err(fault("HTTP/1.1, a blank, three digits, a blank", lines[0], NOT_A_REPLY));
    };
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let mut fields = Vec::new();
    for line in lines.iter().skip(1) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or_default();
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b)) {
            return Err(fault(
                "a field: NAME, a colon, the value",
                line,
                "between the status line and the empty line stands nothing but fields",
            ));
        }
        let value = String::from_utf8_lossy(&line[colon + 1..]).trim().to_owned();
        fields.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value));
    }
    Ok((status, fields))
}

/// How long the body is, in bytes.
fn length_of(reply: &Reply, to: To) -> Result<usize, Fault> {
    let fault = |expected: &str, seen: String, cause| {
        Err(Fault { expected: expected.to_owned(), seen, cause })
    };
    if (100..200).contains(&reply.status) || reply.status == 204 {
        return Ok(0);
    }
    let lengths = reply.fields.iter().filter(|(name, _)| name == "content-length");
    let lengths: Vec<&str> = lengths.map(|(_, value)| value.as_str()).collect();
    match lengths[..] {
        [digits] if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            let length = digits.parse().unwrap_or(usize::MAX);
            Ok(if to == To::Head { 0 } else { length })
        }
        [] => fault(
            "Content-Length, so that the client knows where the reply ends",
            format!("a {} without it", reply.status),
            "a connection that goes on has no other sign for the end of a body (RFC 9112 section 6.3)",
        ),
        [one] => fault(
            "Content-Length with digits and nothing else",
            format!("Content-Length: {}", quote(one.as_bytes())),
            "the length is a decimal number of bytes",
        ),
        _ => fault(
            "one Content-Length",
            format!("{} of them", lengths.len()),
            "two lengths are two opinions about where the body ends",
        ),
    }
}

const NOT_A_REPLY: &str = "a reply begins with its status line; where a body was longer than its \
    Content-Length, what is left of it stands here, in the place of the next reply";

#[cfg(test)]
mod tests {
    use super::{Parsed, To, parse};

    #[test]
    fn a_reply_is_its_head_and_as_much_as_its_length_says() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\r\n\r\nhiHTTP/1.1 4";
        let Parsed::Whole(reply, length) = parse(bytes, To::Get) else { panic!() };
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"hi"[..]));
        assert_eq!(&bytes[length..], b"HTTP/1.1 4");
        assert_eq!(reply.field("x"), Some("a"));
        let Parsed::Whole(reply, length) = parse(bytes, To::Head) else { panic!() };
        assert!(reply.body.is_empty());
        assert!(bytes[length..].starts_with(b"hi"));
    }

    #[test]
    fn what_is_not_whole_yet_is_told_from_what_is_wrong() {
        for part in
            [&b""[..], b"HT", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"]
        {
            assert!(matches!(parse(part, To::Get), Parsed::Part(_)), "{part:?}");
        }
        for wrong in [
            &b"hello"[..],
            b"HTTP/1.0 200 OK\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        ] {
            assert!(matches!(parse(wrong, To::Get), Parsed::Wrong(_)), "{wrong:?}");
        }
    }

    #[test]
    fn some_statuses_have_no_body_and_no_length() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let Parsed::Whole(first, length) = parse(bytes, To::Get) else { panic!() };
        assert_eq!((first.status, length), (100, 25));
        assert!(
            matches!(parse(&bytes[length..], To::Get), Parsed::Whole(reply, _) if reply.status == 204)
        );
    }
}
