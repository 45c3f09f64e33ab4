//! HTTP, as much as downloads need (RFC 9112): heads, escapes, and the side that gives files.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use crate::failure::Failure;
use crate::folder::Folder;
use crate::times::{FAREWELL, at_tempo};

/// The longest head, in bytes.
const LONGEST_HEAD: usize = 8192;

/// The head of a request or a reply.
#[derive(Debug)]
pub struct Head {
    /// Its lines; the first one is always there.
    pub lines: Vec<String>,
    /// What came together with it and stands behind it: the beginning of the body.
    pub ahead: Cursor<Vec<u8>>,
}

/// Reads a head, up to the empty line behind it. `begun` is what has been read of it already.
pub fn read_head(mut stream: &TcpStream, mut begun: Vec<u8>) -> Result<Head, Failure> {
    let mut room = [0; 1024];
    loop {
        if let Some(end) = begun.windows(4).position(|four| four == b"\r\n\r\n") {
            let ahead = Cursor::new(begun.split_off(end + 4));
            let text = String::from_utf8_lossy(&begun[..end]);
            return Ok(Head { lines: text.split("\r\n").map(str::to_owned).collect(), ahead });
        }
        if begun.len() >= LONGEST_HEAD {
            return Err(Failure::Broke("a head of more than 8192 bytes"));
        }
        match stream.read(&mut room) {
            Ok(0) => return Err(Failure::Broke("the stream ended within the head")),
            Ok(count) => begun.extend(&room[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The length of the body, where the head tells it.
pub fn content_length(lines: &[String]) -> Option<u64> {
    let mut fields = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"))?;
    // `parse` takes a `+`, too.
    let value = value.trim();
    value.parse().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A name as a part of a target: each byte that has a meaning there, or none at all, becomes `%20`
/// and the like (RFC 3986 section 2.1).
pub fn escape(name: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(escaped).collect()
}

/// The same back. `None`: an escape that is none, or what is not UTF-8.
fn unescape(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Gives a file to a caller whose request begins with these bytes, or says that there is none.
pub fn give(mut stream: &TcpStream, begun: Vec<u8>, folder: &Folder) -> Result<(), Failure> {
    let head = read_head(stream, begun)?;
    match wanted(&head.lines[0], folder) {
        Some((file, size)) => {
            let start = format!(
                "HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: \
                 {size}\r\n\r\n"
            );
            stream.write_all(start.as_bytes())?;
            // Not more than the head says, should the file grow meanwhile.
            io::copy(&mut file.take(size.into()), &mut stream)?;
        }
        None => stream.write_all(
            b"HTTP/1.0 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nnot \
              here\r\n",
        )?,
    }
    end_in_good_order(stream);
    Ok(())
}

/// What the line `GET /get/INDEX/NAME/ HTTP/1.0` asks for: the number and the name must be right.
fn wanted(line: &str, folder: &Folder) -> Option<(File, u32)> {
    let target = line.strip_prefix("GET /get/")?.split(' ').next()?;
    let (index, name) = target.strip_suffix('/')?.split_once('/')?;
    folder.open(index.parse().ok()?, &unescape(name)?)
}

/// A FIN behind the file; then what still comes is read and thrown away. A close over unread bytes
/// would be a reset, and a reset destroys what is on its way.
fn end_in_good_order(mut stream: &TcpStream) {
    let end = Instant::now() + at_tempo(FAREWELL);
    let mut thrown_away = [0; 8192];
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() || stream.set_read_timeout(Some(rest)).is_err() {
            return;
        }
        match stream.read(&mut thrown_away) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_come_back() {
        assert_eq!(escape("my song.ogg"), "my%20song.ogg");
        for name in ["a%b?c#d/e", "\u{fc}ber", "+&=", "100 %"] {
            assert!(!escape(name).contains([' ', '?', '#', '/']), "{name}");
            assert_eq!(unescape(&escape(name)).as_deref(), Some(name));
        }
        for bad in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(unescape(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_length_is_digits_behind_its_name() {
        let length = |field: &str| content_length(&["HTTP 200 OK".into(), field.into()]);
        assert_eq!(length("Content-Length: 12"), Some(12));
        assert_eq!(length("content-length:12 "), Some(12));
        for bad in ["Content-Length: +12", "Content-Length: -1", "Content-Length:", "Length: 12"] {
            assert_eq!(length(bad), None, "{bad}");
        }
    }
}
