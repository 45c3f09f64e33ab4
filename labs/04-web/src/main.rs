//! Lab 4: a web server. It serves the files below a folder to browsers, and takes files from
//! clients that upload: HTTP/1.1, as much of RFC 9110 and RFC 9112 as that needs.
//!
//! You write the five marked regions. Given, in the modules beside this file: `conversation` (one
//! connection, request after request), `http` (what a request, a status and a failure are),
//! `replies` (how a reply begins), `places`, `names`, `dates` and `media`. What each step must do
//! stands in this folder's README.md.

mod arguments;
mod conversation;
mod dates;
mod http;
mod media;
mod names;
mod places;
mod replies;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arguments::{Arguments, USAGE};
use conversation::{converse, report};
use http::{Failure, Method, Request, Status};
use names::{decode, is_token, trim, upload_name};
use places::Places;
use replies::{send_short, start_of};

/// The longest head of a request, its end included, in bytes.
const LONGEST_HEAD: usize = 8192;
/// The largest upload, in bytes.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;
/// What is read and written at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Step 1, `read_request`: reads the head of the next request, up to and with its empty line.
///
/// What the client sent after the head stays in `ahead`, and what came after the last request
/// is there already. The whole head has `limit` from now. `None`: the client has ended, or said
/// nothing at all in that time.
fn read_request(
    mut stream: &TcpStream,
    ahead: &mut Vec<u8>,
    limit: Duration,
) -> Result<Option<Vec<u8>>, Failure> {
    // ANCHOR: read_request
    let deadline = Instant::now() + limit;
    let mut buffer = [0; 4096];
    loop {
        // Some clients send an empty line after a body; it belongs to no request.
        let empty = ahead.chunks_exact(2).take_while(|two| *two == b"\r\n").count();
        ahead.drain(..2 * empty);
        // The whole of `ahead` is searched: the end may have come in two reads.
        let end = ahead.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if end.unwrap_or(ahead.len() + 1) > LONGEST_HEAD {
            return Err(Failure::Refused(Status::HEAD_TOO_LARGE));
        }
        if let Some(end) = end {
            let behind = ahead.split_off(end);
            return Ok(Some(mem::replace(ahead, behind)));
        }
        // What is left of the time, and not all of it again: a client that sends a byte a second
        // would never be late for a single read.
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return if ahead.is_empty() { Ok(None) } else { Err(Status::REQUEST_TIMEOUT.into()) };
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) if ahead.is_empty() => return Ok(None),
            Ok(0) => return Err(Failure::Refused(Status::BAD_REQUEST)),
            Ok(count) => ahead.extend_from_slice(&buffer[..count]),
            // The time is over, or a signal came: the next turn looks at the clock.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => return Err(Failure::Gone),
        }
    }
    // ANCHOR_END: read_request
}

/// Step 2, `parse_request`: makes a request of the bytes of a head, or says which rule is broken.
fn parse_request(head: &[u8]) -> Result<Request, Status> {
    // ANCHOR: parse_request
    // Nothing is guessed: where two programs read the same bytes differently, the one that
    // checks and the one that acts, somebody smuggles a request between them.
    let text = head.strip_suffix(b"\r\n\r\n").ok_or(Status::BAD_REQUEST)?;
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    if lines.iter().any(|line| line.iter().any(|byte| b"\r\n\0".contains(byte))) {
        return Err(Status::BAD_REQUEST);
    }

    let words: Vec<&[u8]> = lines[0].split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else { return Err(Status::BAD_REQUEST) };
    let target = str::from_utf8(target).map_err(|_| Status::BAD_REQUEST)?;
    if !is_token(method) || target.is_empty() || !target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Status::BAD_REQUEST);
    }
    let is_1_0 = match version {
        b"HTTP/1.0" => true,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => false,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            return Err(Status::VERSION_NOT_SUPPORTED);
        }
        _ => return Err(Status::BAD_REQUEST),
    };
    let method = match method {
        b"GET" => Method::Get,
        b"HEAD" => Method::Head,
        b"PUT" => Method::Put,
        _ => return Err(Status::METHOD_NOT_ALLOWED),
    };

    let (mut hosts, mut lengths, mut expectations) = (0, Vec::new(), Vec::new());
    let (mut encoded, mut ranged) = (false, false);
    let (mut close, mut keep_alive) = (false, false);
    for line in &lines[1..] {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Status::BAD_REQUEST)?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        // A blank before the colon is no part of any name, so this refuses it.
        if !is_token(name) || value.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
            return Err(Status::BAD_REQUEST);
        }
        match name.to_ascii_lowercase().as_slice() {
            b"host" => hosts += 1,
            b"content-length" => lengths.push(value),
            b"transfer-encoding" => encoded = true,
            b"content-range" => ranged = true,
            b"expect" => expectations.push(value),
            b"connection" => {
                for option in value.split(|byte| *byte == b',').map(trim) {
                    close |= option.eq_ignore_ascii_case(b"close");
                    keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
    }
    if hosts > 1 || (hosts == 0 && !is_1_0) {
        return Err(Status::BAD_REQUEST);
    }

    // Where the body ends must be beyond doubt, or the rest of it is taken for a request.
    let length = match lengths[..] {
        [] if encoded => return Err(Status::LENGTH_REQUIRED),
        [] if method == Method::Put => return Err(Status::LENGTH_REQUIRED),
        [] => 0,
        // `parse` takes a `+`, too. A number of any length is one that is too large.
        [digits] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && !encoded => {
            let number = str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
            number.unwrap_or(u64::MAX)
        }
        _ => return Err(Status::BAD_REQUEST),
    };
    if length > LARGEST_BODY {
        return Err(Status::CONTENT_TOO_LARGE);
    }
    if (method == Method::Put && ranged) || (method != Method::Put && length > 0) {
        return Err(Status::BAD_REQUEST);
    }
    let expects_continue = match expectations[..] {
        _ if is_1_0 => false,
        [] => false,
        [one] if one.eq_ignore_ascii_case(b"100-continue") => true,
        _ => return Err(Status::EXPECTATION_FAILED),
    };

    // A proxy is sent `http://HOST/PATH`, and so is a server that is taken for one.
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map(|slash| &rest[slash..]).ok_or(Status::BAD_REQUEST)?,
        None => target,
    };
    let path = path.split('?').next().unwrap_or_default();
    let name = path.strip_prefix('/').ok_or(Status::BAD_REQUEST)?;
    // First decoded, then judged, and never decoded again: `%2e%2e` is `..`.
    let file = decode(name).ok_or(Status::BAD_REQUEST)?;
    let names: Vec<&str> = file.split('/').collect();
    let is_empty = |name: &&str| name.is_empty();
    if names[..names.len() - 1].iter().any(is_empty) || names.iter().any(|n| n.starts_with('.')) {
        return Err(Status::FORBIDDEN);
    }
    let keep_alive = !close && (keep_alive || !is_1_0);
    Ok(Request { method, path: path.to_owned(), file, length, expects_continue, keep_alive })
    // ANCHOR_END: parse_request
}

/// Step 3, `respond`: answers GET and HEAD with a file below `root`. Returns what it has answered,
/// or why it could not.
fn respond(mut stream: &TcpStream, root: &Path, request: &Request) -> Result<Status, Failure> {
    // ANCHOR: respond
    let is_folder = request.file.is_empty() || request.file.ends_with('/');
    let mut name = root.join(&request.file);
    if is_folder {
        name.push("index.html");
    }
    // Looked at before it is opened: to open a FIFO would wait for a writer.
    let found = fs::metadata(&name);
    if found.as_ref().is_ok_and(fs::Metadata::is_dir) && !is_folder {
        // With the slash, so that what is relative in its index.html is looked for inside.
        let location = format!("Location: {}/\r\n", request.path);
        return send_short(stream, request, Status::MOVED_PERMANENTLY, &location);
    }
    let file = match found {
        Ok(found) if found.is_file() => File::open(&name),
        Ok(_) => Err(ErrorKind::NotFound.into()),
        Err(error) => Err(error),
    };
    let file = match file {
        Ok(file) => file,
        Err(error) => match Status::of(&error) {
            Status::NOT_FOUND => return send_short(stream, request, Status::NOT_FOUND, ""),
            other => return Err(Failure::Refused(other)),
        },
    };

    // The length is a promise: so many bytes follow, whatever becomes of the file meanwhile.
    let length = file.metadata()?.len();
    let mut head = start_of(Status::OK, request.keep_alive);
    head += &format!("Content-Type: {}\r\nContent-Length: {length}\r\n\r\n", media::of(&name));
    if request.method == Method::Head {
        stream.write_all(head.as_bytes())?;
        return Ok(Status::OK);
    }
    // The head and the beginning of the file leave in one write, and the rest in pieces:
    // what does not fit in memory is served, too.
    let mut first = head.into_bytes();
    let begun = (&file).take(length.min(PIECE as u64)).read_to_end(&mut first)? as u64;
    stream.write_all(&first)?;
    let copied = io::copy(&mut (&file).take(length - begun), &mut stream)?;
    // The file has shrunk. Only the early end of the connection can tell the client.
    if begun + copied < length { Err(Failure::Gone) } else { Ok(Status::OK) }
    // ANCHOR_END: respond
}

/// Step 4, `upload`: stores the body of a PUT as a file below `root`: whole under its name, or
/// not at all. Returns what to answer: 201 for a new file, 204 for one that was replaced.
fn upload(
    mut stream: &TcpStream,
    ahead: &mut Vec<u8>,
    root: &Path,
    request: &Request,
) -> Result<Status, Failure> {
    // ANCHOR: upload
    let name = root.join(&request.file);
    let is_folder = request.file.is_empty() || request.file.ends_with('/') || name.is_dir();
    let folder = name.parent().filter(|folder| folder.is_dir());
    let Some(folder) = folder.filter(|_| !is_folder) else {
        return Err(Failure::Refused(Status::CONFLICT));
    };
    // A name of its own beside the target: in the same folder, so that the rename is one step,
    // and not the target's, so that readers have the old file until then.
    let part = folder.join(upload_name());
    let mut store = || {
        let mut file = File::create_new(&part).map_err(|error| Status::of_upload(&error))?;
        if request.expects_continue && ahead.is_empty() && request.length > 0 {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut left = request.length as usize;
        let mut buffer = vec![0; PIECE];
        while left > 0 {
            // Never more than the body: what comes after it is the next request.
            let most = left.min(PIECE);
            let count = if ahead.is_empty() {
                match stream.read(&mut buffer[..most]) {
                    Ok(0) => return Err(Failure::Refused(Status::BAD_REQUEST)),
                    Ok(count) => count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        return Err(Failure::Refused(Status::REQUEST_TIMEOUT));
                    }
                    Err(_) => return Err(Failure::Gone),
                }
            } else {
                let count = ahead.len().min(most);
                buffer[..count].copy_from_slice(&ahead[..count]);
                ahead.drain(..count);
                count
            };
            file.write_all(&buffer[..count]).map_err(|error| Status::of_upload(&error))?;
            left -= count;
        }
        let is_new = fs::symlink_metadata(&name).is_err();
        fs::rename(&part, &name).map_err(|error| Status::of_upload(&error))?;
        Ok(if is_new { Status::CREATED } else { Status::NO_CONTENT })
    };
    let stored = store();
    if stored.is_err() {
        let _ = fs::remove_file(&part);
    }
    stored
    // ANCHOR_END: upload
}

/// Step 5, `serve_many`: accepts for ever, and serves each connection in a thread of its own, as
/// many at once as there are places.
fn serve_many(
    listener: &TcpListener,
    places: &Places,
    serve: impl Fn(&TcpStream) + Send + Sync + 'static,
) -> io::Result<()> {
    // ANCHOR: serve_many
    let serve = Arc::new(serve);
    loop {
        // Waits while all are taken. Whoever is not accepted meanwhile waits in the listener's
        // queue, and needs no thread for that.
        let place = places.take();
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                report(&format!("cannot accept: {error}"));
                thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        let serve = Arc::clone(&serve);
        // The place moves into the thread, and is given back however the thread ends.
        let thread = thread::Builder::new().spawn(move || {
            let _place = place;
            serve(&stream);
        });
        if let Err(error) = thread {
            // The closure is dropped, and with it the connection and its place.
            report(&format!("cannot start a thread: {error}"));
        }
    }
    // ANCHOR_END: serve_many
}

fn main() -> ExitCode {
    let Some(Arguments { address, root, limit }) = Arguments::given() else {
        report(USAGE);
        return ExitCode::from(2);
    };
    // Looked at before anything listens: nobody is to be told that there is a server.
    if let Err(error) = fs::read_dir(&root) {
        report(&format!("cannot serve {}: {error}", root.display()));
        return ExitCode::FAILURE;
    }
    match run(&address, root, limit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Listens, says so once a client can connect, and serves.
fn run(address: &str, root: PathBuf, limit: Duration) -> Result<(), String> {
    let listener = TcpListener::bind(address);
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (bound, listener) = bound.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    let mut stdout = io::stdout();
    // Where nobody reads it any more, nobody needs it.
    let _ = writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush());

    let places = Places::new();
    let shared = places.clone();
    let serve = move |stream: &TcpStream| converse(stream, &shared, &root, limit);
    serve_many(&listener, &places, serve).map_err(|e| format!("cannot serve on {bound}: {e}"))
}
