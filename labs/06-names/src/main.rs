//! Lab 6: names. A server that answers questions from a zone file, and a client that asks one:
//! DNS over UDP and TCP, as much of RFC 1035 as that needs.
//!
//! You write the five marked regions. Given, in the modules beside this file: `name` and `record`
//! (their forms on the wire and for people), `zone` (the zone file), `message` (the header, what a
//! query comes to), `stream` (the connections of both sides over TCP) and `arguments`. What each
//! step must do stands in this folder's README.md.

mod arguments;
mod message;
mod name;
mod record;
mod stream;
mod zone;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arguments::{Arguments, USAGE};
use message::{
    AA, Code, HEADER, IN, LIMIT_TCP, LIMIT_UDP, OPCODE, Problem, QR, Query, Question, RD, TC,
};
use name::Name;
use record::{ANY, CNAME, number};
use stream::{Failure, report};
use zone::{Record, Zone};

/// When a try is over and the next one begins, counted from the first.
const TRIES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(750), Duration::from_millis(1750)];
/// The most CNAMEs that are followed for one question.
const MOST_ALIASES: usize = 8;

/// Step 1, `serve`: opens a UDP socket and a TCP listener on the same port, hands the listener to
/// `opened`, and then answers datagrams for ever: `respond` makes the answer, or says that there
/// is none.
fn serve(
    address: &str,
    opened: impl FnOnce(SocketAddr, TcpListener) -> io::Result<()>,
    respond: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> io::Result<()> {
    // ANCHOR: serve
    let (socket, listener) = loop {
        let socket = UdpSocket::bind(address)?;
        // TCP gets the number that UDP has got, which the system may have chosen.
        match TcpListener::bind(socket.local_addr()?) {
            Ok(listener) => break (socket, listener),
            // Chosen among those that are free in UDP: in TCP it may be taken.
            Err(error) if error.kind() == ErrorKind::AddrInUse && address.ends_with(":0") => {}
            Err(error) => return Err(error),
        }
    };
    opened(socket.local_addr()?, listener)?;
    // No datagram is longer. What does not fit into a buffer is lost.
    let mut buffer = [0; 65_535];
    loop {
        let (length, asker) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            // Some systems tell here that an earlier answer found nobody.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => continue,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Some(reply) = respond(&buffer[..length]) {
            // Where it can't be sent it is lost, as a datagram may be: whoever needs it asks again.
            let _ = socket.send_to(&reply, asker);
        }
    }
    // ANCHOR_END: serve
}

/// Step 2, `parse_query`: makes a query of the bytes of a message, or says what they come to.
fn parse_query(message: &[u8]) -> Result<Query, Problem> {
    // ANCHOR: parse_query
    // To answer an answer would begin a conversation of two servers that never ends.
    if message.len() < HEADER || message[2] & 0x80 != 0 {
        return Err(Problem::Ignore);
    }
    let [id, flags, questions] =
        [0, 2, 4].map(|at| u16::from_be_bytes([message[at], message[at + 1]]));
    if flags & OPCODE != 0 {
        return Err(Problem::Refuse(Code::NOT_IMPLEMENTED));
    }
    let broken = Problem::Refuse(Code::FORMAT_ERROR);
    if questions != 1 {
        return Err(broken);
    }
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        // Each length is somebody else's word: `get` looks whether there is so much.
        let length = usize::from(*message.get(at).ok_or(broken)?);
        at += 1;
        match length {
            0 => break,
            1..=63 => labels.push(message.get(at..at + length).ok_or(broken)?.to_vec()),
            // A pointer among them: in the first name there is nothing to point to.
            _ => return Err(broken),
        }
        at += length;
    }
    let name = Name::new(labels).ok_or(broken)?;
    let kind = number(message, at).ok_or(broken)?;
    let class = number(message, at + 2).ok_or(broken)?;
    let question = message[HEADER..at + 4].to_vec();
    Ok(Query { id, flags, question, name, kind, class })
    // ANCHOR_END: parse_query
}

/// Step 3, `answer`: the answer to a query from the zone, in at most `limit` bytes.
fn answer(zone: &Zone, query: &Query, limit: usize) -> Vec<u8> {
    // ANCHOR: answer
    let mut records: Vec<&Record> = Vec::new();
    let (mut flags, mut code) = (QR | (query.flags & RD), Code::NO_ERROR);
    if query.class != IN || !zone.holds(&query.name) {
        code = Code::REFUSED;
    } else {
        flags |= AA;
        let mut name = query.name.clone();
        for aliases in 0.. {
            if !zone.knows(&name) {
                code = Code::NAME_ERROR;
                break;
            }
            let here = zone.records(&name);
            let wanted = |record: &&Record| [record.kind, ANY].contains(&query.kind);
            records.extend(here.iter().filter(wanted));
            let alias = here.iter().find(|_| ![CNAME, ANY].contains(&query.kind));
            let Some((alias, target)) = alias.and_then(|alias| Some((alias, alias.target()?)))
            else {
                break;
            };
            if aliases == MOST_ALIASES {
                (code, records) = (Code::SERVER_FAILURE, Vec::new());
                break;
            }
            records.push(alias);
            // What the other name has is for another server to say.
            if !zone.holds(&target) {
                break;
            }
            name = target;
        }
    }

    let mut reply = Vec::new();
    for number in [query.id, 0, 1, 0, 0, 0] {
        reply.extend(number.to_be_bytes());
    }
    reply.extend(&query.question);
    let mut count: u16 = 0;
    for record in records {
        let before = reply.len();
        record.write_to(&mut reply);
        // Records are whole, or they are not there.
        if reply.len() > limit {
            reply.truncate(before);
            flags |= TC;
            break;
        }
        count += 1;
    }
    reply[2..4].copy_from_slice(&(flags | code.0).to_be_bytes());
    reply[6..8].copy_from_slice(&count.to_be_bytes());
    reply
    // ANCHOR_END: answer
}

/// Step 4, `ask`: sends the query to the server, and returns the first datagram that answers it.
/// `tries` says how often: the moments at which each try is over, counted from the first.
/// `Ok(None)`: nothing of the kind has come.
fn ask(server: SocketAddr, query: &[u8], tries: [Duration; 3]) -> io::Result<Option<Vec<u8>>> {
    // ANCHOR: ask
    let any = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any)?;
    // From now on the kernel passes on what comes from the server alone, and tells when there is
    // nobody at its address.
    socket.connect(server)?;
    let question = Question::read(query);
    let is_answer = |message: &[u8]| {
        if message.len() < HEADER || message[..2] != query[..2] || message[2] & 0x80 == 0 {
            return false;
        }
        // Who has not understood the question may leave it out of an error.
        let has_none = message[4..6] == [0, 0] && Code::of(message) != Code::NO_ERROR;
        has_none || Question::read(message) == question
    };

    let first = Instant::now();
    let mut room = [0; 4096];
    for end in tries {
        socket.send(query)?;
        loop {
            // What is left of this try. With the whole time for each read, anybody who sends
            // something now and then could keep us waiting for ever.
            let left = (first + end).saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            match socket.recv(&mut room) {
                Ok(length) if is_answer(&room[..length]) => {
                    return Ok(Some(room[..length].to_vec()));
                }
                // From somebody who guesses, or an answer to another question.
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
    // ANCHOR_END: ask
}

/// Step 5, `read_framed`: reads a message from a stream: two bytes that say its length, and so
/// many. All of it has to be there by the deadline. `None`: the stream has ended before it.
fn read_framed(mut stream: &TcpStream, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
    // ANCHOR: read_framed
    let mut bytes = vec![0; 2];
    let mut filled = 0;
    loop {
        if filled == 2 {
            // The length is known now: the rest of the buffer is for the message.
            bytes.resize(2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), 0);
        }
        if filled == bytes.len() {
            return Ok(Some(bytes.split_off(2)));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        // Never more than this message: what comes behind it is the next one.
        match stream.read(&mut bytes[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    // ANCHOR_END: read_framed
}

fn main() -> ExitCode {
    let done = match Arguments::given() {
        Some(Arguments::Serve { address, zone }) => run_server(&address, &zone),
        Some(Arguments::Ask { server, name, typed, kind }) => {
            run_client(&server, &name, &typed, kind)
        }
        None => {
            report(USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            report(&line);
            ExitCode::FAILURE
        }
    }
}

/// Answers from the zone file, over UDP and over TCP.
fn run_server(address: &str, file: &Path) -> Result<(), String> {
    let zone = Zone::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let zone = Arc::new(zone);
    let shared = Arc::clone(&zone);
    let mut listens = false;
    let opened = |bound: SocketAddr, listener: TcpListener| {
        listens = true;
        // Before anybody knows the address there is nobody to keep waiting.
        thread::Builder::new().spawn(move || {
            stream::accept(&listener, move |message| respond(&shared, message, LIMIT_TCP));
        })?;
        let mut stdout = io::stdout();
        // Where nobody reads it any more, nobody needs it.
        let _ = writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush());
        Ok(())
    };
    let served = serve(address, opened, |message| respond(&zone, message, LIMIT_UDP));
    let what = if listens { "serve" } else { "listen" };
    served.map_err(|error| format!("cannot {what} on {address}: {error}"))
}

/// The answer to a message, in at most `limit` bytes; `None` where silence is the answer.
fn respond(zone: &Zone, message: &[u8], limit: usize) -> Option<Vec<u8>> {
    match parse_query(message) {
        Ok(query) => Some(answer(zone, &query, limit)),
        Err(Problem::Refuse(code)) => Some(message::refusal(message, code)),
        Err(Problem::Ignore) => None,
    }
}

/// Asks one question, and prints what the answer has. The error is the line that says why not.
fn run_client(server: &str, name: &Name, typed: &str, kind: u16) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot ask {server}: {error}");
    let bad = |reason: &str| format!("bad answer from {server}: {reason}");
    let silent = || format!("no answer from {server}");

    let address = server.to_socket_addrs().map_err(cannot)?.next();
    let address = address.ok_or_else(|| cannot(ErrorKind::NotFound.into()))?;
    let query = message::query(message::random_id(), name, kind);
    let tries = stream::in_slow_motion(TRIES);
    let mut answer = ask(address, &query, tries).map_err(cannot)?.ok_or_else(silent)?;
    if message::is_cut(&answer) {
        // Part of an answer is none: all of it is to be had over TCP.
        answer = stream::ask(address, &query).map_err(|failure| match failure {
            Failure::Unreachable(error) => cannot(error),
            Failure::Late => silent(),
            Failure::Cut => bad("the connection ended within it"),
        })?;
        let same =
            answer.starts_with(&query[..2]) && Question::read(&answer) == Question::read(&query);
        if !same || message::is_query(&answer) {
            return Err(bad("it belongs to another question"));
        }
    }
    match Code::of(&answer) {
        Code::NO_ERROR => {}
        code => return Err(format!("{server} answered {} for {typed}", code.shown())),
    }
    let lines = record::print(&answer).map_err(bad)?;
    if lines.is_empty() {
        return Err(format!("{server} has no {} record for {typed}", record::name_of(kind)));
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot print: {error}"))
}
