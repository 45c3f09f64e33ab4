//! What public lists of cases ask of a server, asked of lab 4's own solution: the cases stand in
//! `fixtures/04-web/cases/of-lists.txt`, which names the lists and says what of them does not apply.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use sockets_lab::labs;

use super::clients::Server;
use super::corpus;

/// For one reply; nothing here waits for a time-out of the server.
const BACKSTOP: Duration = Duration::from_secs(120);

struct Case {
    what: String,
    /// For each reply, in order, the statuses that are right.
    replies: Vec<Vec<u16>>,
    bytes: Vec<u8>,
}

impl Case {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, " | ");
        let (statuses, what, bytes) = (parts.next()?, parts.next()?, parts.next()?);
        let one = |reply: &str| reply.split('/').map(|it| it.parse().ok()).collect();
        let replies: Option<Vec<Vec<u16>>> = match statuses {
            "-" => Some(Vec::new()),
            _ => statuses.split(" + ").map(one).collect(),
        };
        Some(Self { what: what.into(), replies: replies?, bytes: unescape(bytes)? })
    }

    fn judge(&self, server: &Server) -> Result<(), String> {
        let seen = ask(server, &self.bytes).map_err(|error| error.to_string());
        let seen = seen.and_then(|stream| statuses(&stream, self.bytes.starts_with(b"HEAD ")));
        let is_right = |seen: &[u16]| {
            seen.len() == self.replies.len()
                && seen.iter().zip(&self.replies).all(|(one, right)| right.contains(one))
        };
        match seen {
            Ok(seen) if is_right(&seen) => Ok(()),
            other => Err(format!("{}: {:?}, and not {other:?}", self.what, self.replies)),
        }
    }
}

/// The bytes that a text stands for; `None` where it is no such text.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '¶' => bytes.extend(b"\r\n"),
            '{' => {
                let (inner, behind) = rest.split_once('}')?;
                let (piece, count) = inner.rsplit_once('*')?;
                bytes.extend(unescape(piece)?.repeat(count.parse().ok()?));
                rest = behind;
            }
            '\\' => {
                let (code, length) = match rest.chars().next()? {
                    'r' => (b'\r', 1),
                    'n' => (b'\n', 1),
                    't' => (b'\t', 1),
                    '0' => (0, 1),
                    'x' => (u8::from_str_radix(rest.get(1..3)?, 16).ok()?, 3),
                    _ => return None,
                };
                bytes.push(code);
                rest = &rest[length..];
            }
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(bytes)
}

fn connect(server: &Server) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server.address)?;
    stream.set_read_timeout(Some(BACKSTOP))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// All that comes, up to the end of the stream: a reset is an error.
fn ask(server: &Server, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = connect(server)?;
    stream.write_all(bytes)?;
    finish(&mut stream)
}

fn finish(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.shutdown(Shutdown::Write)?;
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen)?;
    Ok(seen)
}

/// The final statuses in a stream that is made of whole replies and nothing else.
fn statuses(stream: &[u8], first_is_to_head: bool) -> Result<Vec<u16>, String> {
    let mut statuses = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let text = || String::from_utf8_lossy(&rest[..rest.len().min(80)]).into_owned();
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(text)?;
        let head = str::from_utf8(&rest[..end]).map_err(|_| text())?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
        let status: u16 = status.and_then(|it| it.get(..3)?.parse().ok()).ok_or_else(text)?;
        let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
        let mut length: usize = length.map_or(Ok(0), str::parse).map_err(|_| text())?;
        if first_is_to_head && statuses.is_empty() {
            length = 0;
        }
        rest = rest.get(end + 4 + length..).ok_or("a body that is cut off")?;
        if status != 100 {
            statuses.push(status);
        }
    }
    Ok(statuses)
}

fn server() -> Server {
    let server = Server::start("web 127.0.0.1:0 ROOT");
    let root = server.root();
    for folder in ["sub", "put"] {
        std::fs::create_dir(root.join(folder)).unwrap();
    }
    for file in ["a.txt", "index.html", "sub/index.html"] {
        std::fs::write(root.join(file), "hello from a file\n").unwrap();
    }
    server
}

#[test]
fn every_case_of_the_lists_is_answered_as_it_must_be() {
    let text =
        corpus::read(&corpus::fixtures("cases", labs::lab("web").unwrap()).join("of-lists.txt"));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cases: Vec<_> =
        lines.map(|line| Case::parse(line).unwrap_or_else(|| panic!("no case: {line}"))).collect();
    assert!(cases.len() >= 200, "{} cases were read", cases.len());
    let server = server();
    let wrong: Vec<_> = cases.iter().filter_map(|case| case.judge(&server).err()).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases", cases.len());
    let left = std::fs::read_dir(server.root().join("put")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    let bad = left.iter().filter(|name| *name == "bad" || name.as_encoded_bytes()[0] == b'.');
    assert_eq!(bad.count(), 0, "what was refused is there: {left:?}");
}

/// Whatever the place, nothing is answered before the rest has come, and all of it is one request.
#[test]
fn a_request_may_be_cut_at_every_place() {
    const REQUEST: &[u8] = b"PUT /put/cut HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    let server = server();
    let try_at = |at: usize| -> io::Result<()> {
        let mut stream = connect(&server)?;
        stream.write_all(&REQUEST[..at])?;
        // Long enough for most servers to have read the piece; if not, the case proves less.
        stream.set_read_timeout(Some(Duration::from_millis(30)))?;
        match stream.read(&mut [0; 16]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            other => panic!("cut at {at}: {other:?} came before the rest was sent"),
        }
        stream.set_read_timeout(Some(BACKSTOP))?;
        stream.write_all(&REQUEST[at..])?;
        let seen = finish(&mut stream)?;
        let seen = statuses(&seen, false);
        assert!(seen == Ok(vec![201]) || seen == Ok(vec![204]), "cut at {at}: {seen:?}");
        Ok(())
    };
    thread::scope(|scope| {
        for first in 0..4 {
            let try_at = &try_at;
            scope.spawn(move || {
                for at in (1..REQUEST.len()).skip(first).step_by(4) {
                    try_at(at).unwrap();
                }
            });
        }
    });
}

#[test]
fn bytes_are_written_as_they_are_documented() {
    let bytes = unescape("a¶{b\\t*2}\\r\\n\\0\\xff").unwrap();
    assert_eq!(bytes, b"a\r\nb\tb\t\r\n\0\xff");
    for bad in ["\\", "\\q", "\\xg0", "{a*}", "{a", "{a*x}"] {
        assert_eq!(unescape(bad), None, "{bad}");
    }
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(statuses(&ok.repeat(2), false), Ok(vec![200, 200]));
    assert!(statuses(&ok[..ok.len() - 1], false).is_err());
    assert!(statuses(b"hi", false).is_err());
}
