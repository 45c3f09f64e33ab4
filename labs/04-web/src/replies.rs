//! How replies begin, and the short ones as a whole.

use std::io::Write;
use std::net::TcpStream;
use std::time::SystemTime;

use crate::dates;
use crate::http::{Failure, Method, Request, Status};

/// The beginning of a reply: its status line, Date and Connection. What a reply has besides, and
/// the empty line, follow.
pub fn start_of(status: Status, keep_alive: bool) -> String {
    format!(
        "HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n",
        status.0,
        status.words(),
        dates::imf_fixdate(SystemTime::now()),
        if keep_alive { "keep-alive" } else { "close" }
    )
}

/// A whole reply whose body, where it may have one, is its status in words. `fields` are further
/// ones, each ended by CRLF.
pub fn short(status: Status, keep_alive: bool, fields: &str, has_body: bool) -> String {
    let mut reply = start_of(status, keep_alive) + fields;
    // 204 has neither a body nor a length (RFC 9110 section 8.6).
    if status == Status::NO_CONTENT {
        return reply + "\r\n";
    }
    let body = format!("{} {}\n", status.0, status.words());
    reply += &format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    if has_body { reply + &body } else { reply }
}

/// Sends a short reply to this request, and returns its status.
pub fn send_short(
    mut stream: &TcpStream,
    request: &Request,
    status: Status,
    fields: &str,
) -> Result<Status, Failure> {
    let reply = short(status, request.keep_alive, fields, request.method != Method::Head);
    stream.write_all(reply.as_bytes())?;
    Ok(status)
}
