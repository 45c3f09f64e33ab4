//! HTTP, as much as asking a tracker needs (RFC 9112).

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use crate::times::Until;

/// The longest head, in bytes.
pub const LONGEST_HEAD: usize = 8192;

/// Gets what is at this URL: its bytes, at most `limit` of them, by the deadline. The error is the
/// reason why there are none.
pub fn get(url: &str, limit: usize, deadline: Instant) -> Result<Vec<u8>, String> {
    let (address, target) = parts(url).ok_or("its URL is not http")?;
    let stream = connect(&address, deadline).map_err(|error| reason(&error))?;
    let mut reader = Until::new(&stream, deadline);
    let body = exchange(&stream, &mut reader, &address, &target, limit);
    body.unwrap_or_else(|error| Err(reason(&error)))
}

/// The host with its port, and the target of a request, path and query, of an `http` URL.
pub fn parts(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") || rest.contains(|c: char| c.is_control() || c == ' ') {
        return None;
    }
    let rest = rest.split('#').next()?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    // The colons of an IPv6 address stand in brackets.
    let behind = host.rsplit(']').next()?;
    let address = match behind.rsplit_once(':') {
        Some((_, port)) => port.parse::<u16>().ok().map(|_| host.to_owned())?,
        None => format!("{host}:80"),
    };
    (!host.is_empty() && !host.starts_with(':')).then_some((address, target))
}

fn connect(address: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::other("its host has no address");
    for address in address.to_socket_addrs()? {
        let still = deadline.saturating_duration_since(Instant::now());
        if still.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, still) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn exchange(
    mut stream: &TcpStream,
    reader: &mut Until,
    host: &str,
    target: &str,
    limit: usize,
) -> io::Result<Result<Vec<u8>, String>> {
    let asked = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes())?;
    let Some((head, mut body)) = read_head(reader)? else {
        return Ok(Err("its answer is not HTTP".into()));
    };
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let is_http = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
    match words.next() {
        Some("200") if is_http => {}
        Some(status) if is_http => return Ok(Err(format!("it answers with status {status}"))),
        _ => return Ok(Err("its answer is not HTTP".into())),
    }
    let (mut length, mut is_coded) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        is_coded |= name.eq_ignore_ascii_case("Transfer-Encoding");
        if name.eq_ignore_ascii_case("Content-Length") {
            length = Some(value.trim().parse::<usize>());
        }
    }
    if is_coded {
        return Ok(Err("its answer is in chunks".into()));
    }
    // One byte more than may come shows that there is more.
    let wanted = match length {
        Some(Ok(length)) if length <= limit => length,
        Some(Ok(_)) => return Ok(Err("its answer is too long".into())),
        Some(Err(_)) => return Ok(Err("its Content-Length is malformed".into())),
        None => limit + 1,
    };
    // It may have come together with the head, or in part.
    body.truncate(wanted);
    let missing = wanted - body.len();
    reader.take(missing as u64).read_to_end(&mut body)?;
    if length.is_some() && body.len() < wanted {
        return Ok(Err("its answer is cut off".into()));
    }
    if body.len() > limit {
        return Ok(Err("its answer is too long".into()));
    }
    Ok(Ok(body))
}

/// Reads a head, up to the empty line behind it, and returns what came with it of the body besides.
/// `None`: it has not ended where it must.
pub fn read_head(reader: &mut impl Read) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut room = [0; 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            bytes.truncate(end);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), body)));
        }
        if bytes.len() >= LONGEST_HEAD {
            return Ok(None);
        }
        match reader.read(&mut room) {
            Ok(0) => return Ok(None),
            Ok(count) => bytes.extend(&room[..count]),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

/// An error in words. `Resource temporarily unavailable`, as the system puts it, helps nobody.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "it does not answer in time".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_with_a_port_and_a_target() {
        let of = |url| parts(url).unwrap_or_else(|| panic!("{url}"));
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("http://a.test:6969/announce?k=1"), pair("a.test:6969", "/announce?k=1"));
        assert_eq!(of("HTTP://a.test"), pair("a.test:80", "/"));
        assert_eq!(of("http://a.test?k=1#x"), pair("a.test:80", "/?k=1"));
        assert_eq!(of("http://[::1]/a"), pair("[::1]:80", "/a"));
        assert_eq!(of("http://[::1]:1/a"), pair("[::1]:1", "/a"));
    }

    #[test]
    fn other_urls_are_none() {
        for url in [
            "",
            "a",
            "udp://a:1/",
            "https://a/",
            "http://",
            "http:///a",
            "http://:1/a",
            "http://a:x/",
            "http://a:65536/",
            "http://a/\r\nHost: b",
            "http://a/ b",
        ] {
            assert_eq!(parts(url), None, "{url}");
        }
    }

    #[test]
    fn a_head_ends_with_an_empty_line_and_what_follows_is_the_body() {
        let head = |mut bytes: &[u8]| read_head(&mut bytes).unwrap();
        let (lines, body) = head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\n\r\nx").unwrap();
        assert_eq!(
            (lines.as_str(), body.as_slice()),
            ("HTTP/1.1 200 OK\r\nA: b", &b"\r\n\r\nx"[..])
        );
        assert_eq!(head(b"HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(head(&[b'a'; 2 * LONGEST_HEAD]), None);
    }
}
