//! One connection: request after request, the refusals, and the orderly end.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::http::{Failure, Method, Request, Status};
use crate::places::Places;
use crate::replies::{self, send_short};
use crate::{parse_request, read_request, respond, upload};

/// Serves one connection to its end. The client may keep it waiting for `limit`.
pub fn converse(stream: &TcpStream, places: &Places, root: &Path, limit: Duration) {
    let client = stream.peer_addr().map_or("?".to_owned(), |address| address.to_string());
    // A small write is sent at once, not when the one before it has been acknowledged (Nagle).
    let _ = stream.set_nodelay(true);
    // A client that takes nothing for so long is let go.
    let _ = stream.set_write_timeout(Some(limit));
    let mut ahead = Vec::new();
    loop {
        let head = match read_request(stream, &mut ahead, limit) {
            Ok(Some(head)) => head,
            Ok(None) => break,
            Err(Failure::Gone) => return,
            Err(Failure::Refused(status)) => {
                // What there is of the head is still in `ahead`.
                refuse(stream, &ahead, status, &client);
                break;
            }
        };
        let mut request = match parse_request(&head) {
            Ok(request) => request,
            Err(status) => {
                refuse(stream, &head, status, &client);
                break;
            }
        };
        // The last reply on this connection, where others wait for its place.
        request.keep_alive &= !places.all_taken();
        match answer(stream, &mut ahead, root, &request, limit) {
            Ok(status) => log(&client, &head, status),
            Err(Failure::Gone) => return,
            Err(Failure::Refused(status)) => {
                refuse(stream, &head, status, &client);
                break;
            }
        }
        if !request.keep_alive {
            break;
        }
    }
    end_in_good_order(stream, limit);
}

fn answer(
    stream: &TcpStream,
    ahead: &mut Vec<u8>,
    root: &Path,
    request: &Request,
    limit: Duration,
) -> Result<Status, Failure> {
    match request.method {
        Method::Get | Method::Head => respond(stream, root, request),
        Method::Put => {
            // As long for each piece of the body: `read_request` has left what it did not need.
            stream.set_read_timeout(Some(limit))?;
            let status = upload(stream, ahead, root, request)?;
            send_short(stream, request, status, "")
        }
    }
}

/// Tells the client that its request is refused. The connection ends after it: where a request
/// is not understood, nobody knows where the next one begins.
fn refuse(mut stream: &TcpStream, head: &[u8], status: Status, client: &str) {
    let allow = match status {
        Status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD, PUT\r\n",
        _ => "",
    };
    let reply = replies::short(status, false, allow, !head.starts_with(b"HEAD "));
    let _ = stream.write_all(reply.as_bytes());
    log(client, head, status);
}

/// `127.0.0.1:50234 GET /a.txt 200`.
fn log(client: &str, head: &[u8], status: Status) {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
    // What a client sends is for people to read here: control characters are escaped.
    let asked: String = line.split(" HTTP/").next().unwrap_or_default().escape_debug().collect();
    report(&format!("{client} {asked} {}", status.0));
}

/// A FIN after the reply; then what still comes is read and thrown away until the client's end. A
/// close over unread bytes would be a reset, and a reset destroys the reply on its way.
fn end_in_good_order(mut stream: &TcpStream, limit: Duration) {
    let end = Instant::now() + limit;
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

/// A line on standard error. Where nobody reads that any more the server goes on all the same:
/// `eprintln!` would panic.
pub fn report(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
