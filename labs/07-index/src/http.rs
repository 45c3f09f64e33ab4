//! As much of HTTP/1.1 (RFC 9110, RFC 9112) as it takes to give a file, and to get one.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::times;

/// The longest head, in bytes, with the empty line at its end.
const LONGEST_HEAD: u64 = 8192;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, or whatever else it says.
    pub method: String,
    /// What it wants, as it came.
    pub target: String,
    /// What the field Range asks for, where it has the form `bytes=N-` or `bytes=N-M`: the first
    /// byte, and the last one if it names one.
    pub range: Option<(u64, Option<u64>)>,
}

/// What a server answers before the body.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// What the field Content-Range says: the first byte of the body, and the length of all.
    pub range: Option<(u64, u64)>,
    /// Whether the body is not simply all bytes up to the end of the stream.
    pub is_coded: bool,
}

/// Why there is no request to answer.
#[derive(Debug)]
pub enum Failure {
    /// The client has gone, or takes too long.
    Gone,
    /// It is told this status.
    Refused(u16),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::FileTooLarge => Self::Refused(431),
            ErrorKind::InvalidData => Self::Refused(400),
            _ => Self::Gone,
        }
    }
}

impl Request {
    /// Reads the one request of a connection. Its head has to be whole in time, however it comes.
    pub fn read(stream: &TcpStream) -> Result<Self, Failure> {
        let in_time = Hurried { stream, deadline: Instant::now() + times::patience() };
        let head = read_head(&mut BufReader::new(in_time))?;
        Ok(Self::parse(&head).ok_or(ErrorKind::InvalidData).map_err(io::Error::from)?)
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let is_token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
        if words.next().is_some() || !is_token || target.is_empty() {
            return None;
        }
        if !["HTTP/1.0", "HTTP/1.1"].contains(&version) {
            return None;
        }
        let fields = fields(lines)?;
        let range = field(&fields, "range").and_then(bytes_from);
        Some(Self { method: method.to_owned(), target: target.to_owned(), range })
    }

    /// The name of a file that the target is: what stands behind the `/`, with its escapes decoded
    /// once (RFC 3986 section 2.1).
    pub fn file(&self) -> Option<String> {
        unescape(self.target.strip_prefix('/')?)
    }
}

impl Response {
    /// Reads the head of an answer.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        Self::parse(&read_head(reader)?).ok_or(ErrorKind::InvalidData.into())
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.splitn(3, ' ');
        let (version, status) = (words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || status.len() != 3 {
            return None;
        }
        let fields = fields(lines)?;
        Some(Self {
            status: digits(status)?.try_into().ok()?,
            range: field(&fields, "content-range").and_then(content_range),
            is_coded: field(&fields, "transfer-encoding").is_some(),
        })
    }
}

/// Sends a status and these fields, each ended by CRLF, as the head of an answer behind which the
/// connection ends.
pub fn send_head(mut stream: &TcpStream, status: u16, fields: &str) -> io::Result<()> {
    let words = words_for(status);
    let head = format!("HTTP/1.1 {status} {words}\r\n{fields}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())
}

/// Sends a status that refuses what was asked for, with these fields, and no body.
pub fn refuse(stream: &TcpStream, status: u16, fields: &str) -> io::Result<()> {
    send_head(stream, status, &format!("{fields}Content-Length: 0\r\n"))
}

/// What a status means, for people; programs look at the number only.
fn words_for(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        _ => "Bad Request",
    }
}

/// A stream that gives nothing any more when the time is over.
struct Hurried<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl Read for Hurried<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(ErrorKind::TimedOut));
        }
        let most = Some(left);
        self.stream.set_read_timeout(most)?;
        self.stream.read(buffer)
    }
}

/// Reads a head up to its empty line; empty lines before it are skipped. What follows stays in the
/// reader.
fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let (mut head, mut reader) = (Vec::new(), reader.take(LONGEST_HEAD));
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            let is_long = reader.limit() == 0;
            let why = if is_long { ErrorKind::FileTooLarge } else { ErrorKind::UnexpectedEof };
            return Err(why.into());
        }
        if head == b"\r\n" {
            head.clear();
        }
    }
    head.truncate(head.len() - b"\r\n\r\n".len());
    // Nothing that matters here has other bytes than ASCII.
    Ok(head.iter().map(|byte| char::from(*byte)).collect())
}

/// The fields of a head: each one's name in small letters, and its value.
fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<(String, &'a str)>> {
    let field = |line: &'a str| {
        let (name, value) = line.split_once(':')?;
        let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then(|| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
    };
    lines.map(field).collect()
}

/// The value of the first field of this name.
fn field<'a>(fields: &[(String, &'a str)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(one, _)| one == name).map(|(_, value)| *value)
}

/// `bytes=N-` or `bytes=N-M`. Every other range may be ignored (RFC 9110 section 14.2).
fn bytes_from(text: &str) -> Option<(u64, Option<u64>)> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.split_once('-')?;
    let first = digits(first)?;
    let last = if last.is_empty() { None } else { Some(digits(last)?) };
    let is_range = unit.eq_ignore_ascii_case("bytes") && last.is_none_or(|last| last >= first);
    is_range.then_some((first, last))
}

/// `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size) = (digits(first)?, digits(last)?, digits(size)?);
    (first <= last && last < size).then_some((first, size))
}

fn digits(text: &str) -> Option<u64> {
    // `parse` takes a `+`, too.
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A name as a target may have it: every byte but letters, digits and `-._~` is escaped.
pub fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

/// Replaces each `%41` by the byte that it stands for, once. `None` for an escape that is none, for
/// what is not UTF-8, and where a query or a fragment begins.
fn unescape(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars().map(u32::from).map(u8::try_from);
    while let Some(byte) = rest.next() {
        bytes.push(match byte.ok()? {
            b'%' => digit(rest.next()?.ok()?)? * 16 + digit(rest.next()?.ok()?)?,
            b'?' | b'#' => return None,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Option<Request> {
        Request::parse(head)
    }

    #[test]
    fn a_request_is_three_words_and_its_fields() {
        let head = "GET /my%20song.ogg HTTP/1.1\r\nHost: x\r\nrange:  bytes=5- ";
        let asked = request(head).unwrap();
        assert_eq!(asked.file().as_deref(), Some("my song.ogg"));
        assert_eq!(asked.range, Some((5, None)));
        for bad in [
            "",
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET / HTTP/1.1 x",
            "GET / HTTP/1.1\r\nno field",
            "GET / HTTP/1.1\r\nbad name: x",
        ] {
            assert_eq!(request(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_range_that_is_not_understood_is_none() {
        assert_eq!(bytes_from("bytes=0-0"), Some((0, Some(0))));
        assert_eq!(bytes_from("Bytes=7-"), Some((7, None)));
        for other in ["bytes=-5", "bytes=0-1,3-4", "bytes=5-4", "lines=1-", "bytes 1-", "bytes=+1-"]
        {
            assert_eq!(bytes_from(other), None, "{other}");
        }
    }

    #[test]
    fn an_answer_says_what_its_body_begins_with() {
        let head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10";
        let answer = Response { status: 206, range: Some((5, 10)), is_coded: false };
        assert_eq!(Response::parse(head), Some(answer));
        for bad in ["bytes 5-9/*", "bytes 5-4/10", "bytes 5-10/10", "bytes */10", "5-9/10"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
        assert_eq!(Response::parse("SSH-2.0-x 200 OK"), None);
    }

    #[test]
    fn names_are_escaped_and_decoded_once() {
        for name in ["my song.ogg", "100%.txt", "\u{fc}?#&", "%41"] {
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
        for bad in ["%", "%4", "%zz", "%ff", "a?b"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_head_has_a_bound_and_leaves_what_is_behind_it() {
        let mut bytes = &b"\r\nA\r\nB\r\n\r\nbody"[..];
        assert_eq!(read_head(&mut bytes).unwrap(), "A\r\nB");
        assert_eq!(bytes, b"body");
        let long = vec![b'x'; 10_000];
        assert_eq!(read_head(&mut &long[..]).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
