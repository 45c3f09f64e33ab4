//! Lab 8: flood. A servent (server and client in one) of Gnutella 0.4, a network without a middle:
//! a question goes to everybody who is linked, they pass it on, and the answers come back the way
//! the question went. Files then go directly, by HTTP, from the one who has them.
//!
//! You write the five marked regions. Given, in the modules beside this file: `servent` (the accept
//! loop, calls, the user's commands, events), `links` (the links, a queue and a writer for each),
//! `seen` (which questions came, and from where), `descriptor` and `payload` (the messages), `folder`
//! (the files), `http` and `times`. What each step must do stands in this folder's README.md.

mod arguments;
mod descriptor;
mod failure;
mod folder;
mod http;
mod links;
mod payload;
mod seen;
mod servent;
mod times;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use descriptor::{Descriptor, HEADER, LONGEST_PAYLOAD, PING, PONG, QUERY, QUERY_HIT};
use failure::Failure;
use folder::Folder;
use http::Head;
use links::{Greeting, Link, Links, Role};
use payload::Hit;
use seen::Way;
use servent::Servent;
use times::{SILENCE, at_tempo};

/// What the side that dialled says first.
const CONNECT: &[u8] = b"GNUTELLA CONNECT/0.4\n\n";
/// What the other side answers.
const OK: &[u8] = b"GNUTELLA OK\n\n";
/// How a download begins, on the same port.
const GET: &[u8] = b"GET ";
/// A question goes no further than so many links, whatever its TTL says.
const MOST_HOPS: u8 = 7;

/// Step 1, `handshake`: greets the other side of a new connection, and is greeted, by the deadline.
///
/// Takes a place among the links before it agrees to one; without a free place there is no OK. A
/// caller that begins with `GET ` wants a file, and not a link: what has been read of its request
/// is then returned.
fn handshake(
    mut stream: &TcpStream,
    role: Role,
    links: &Links,
    deadline: Instant,
) -> Result<Greeting, Failure> {
    // ANCHOR: handshake
    let awaited = match role {
        Role::Client => {
            stream.write_all(CONNECT)?;
            OK
        }
        Role::Server => CONNECT,
    };
    let mut room = [0; CONNECT.len()];
    let mut filled = 0;
    while room[..filled] != *awaited {
        // What is left of the time, and not all of it again: a caller that sends a byte a second
        // would never be late for a single read.
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::Broke("its greeting took too long"));
        }
        stream.set_read_timeout(Some(left))?;
        // Never more than the greeting: what comes behind it is the first descriptor.
        filled += match stream.read(&mut room[filled..awaited.len()]) {
            Ok(0) => return Err(Failure::Broke("it ended within its greeting")),
            Ok(count) => count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                0
            }
            Err(error) => return Err(Failure::Lost(error)),
        };
        let heard = &room[..filled];
        let accepts = role == Role::Server;
        if accepts && heard.starts_with(GET) {
            return Ok(Greeting::Download(heard.to_vec()));
        }
        if !(awaited.starts_with(heard) || accepts && GET.starts_with(heard)) {
            return Err(Failure::Broke("it does not greet as Gnutella 0.4 does"));
        }
    }
    let Some(place) = links.take_place() else { return Ok(Greeting::NoPlace) };
    if role == Role::Server {
        stream.write_all(OK)?;
    }
    Ok(Greeting::Link(place))
    // ANCHOR_END: handshake
}

/// Step 2, `read_descriptor`: reads the next descriptor of a link: its header of 23 bytes, and then
/// as many bytes of payload as the header says, if they are not too many.
fn read_descriptor(reader: &mut impl Read) -> Result<Descriptor, Failure> {
    // ANCHOR: read_descriptor
    let mut header = [0; HEADER];
    // However the bytes come: a read returns what is there, and that may be half a header.
    reader.read_exact(&mut header)?;
    let [id @ .., kind, ttl, hops, a, b, c, d] = header;
    // Unlike most protocols, this one sends the lowest byte of a number first.
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > LONGEST_PAYLOAD {
        return Err(Failure::Broke("a payload of more than 65536 bytes"));
    }
    let mut payload = vec![0; length as usize];
    reader.read_exact(&mut payload)?;
    Ok(Descriptor { id, kind, ttl, hops, payload })
    // ANCHOR_END: read_descriptor
}

/// Step 3, `flood`: a Ping or a Query has come from the link `from`. Answers it, and passes it on to
/// all other links, once.
fn flood(servent: &Servent, from: &Arc<Link>, question: Descriptor) {
    // ANCHOR: flood
    let words = match question.kind {
        QUERY => payload::words(&question.payload),
        _ => Some(Vec::new()),
    };
    // A question that nobody can read is not passed on, either.
    let Some(words) = words else { return };
    // To look and to remember is one step: the same question may come by two links at once.
    if !servent.seen.remember(&question, Way::Link(Arc::downgrade(from))) {
        return;
    }

    let address = servent.address_on(from);
    let answer = if question.kind == PING {
        let (files, kilobytes) = servent.folder.counts();
        Some((PONG, payload::pong(address, files, kilobytes)))
    } else {
        let files = servent.folder.matching(&words);
        (!files.is_empty()).then(|| (QUERY_HIT, payload::query_hit(address, &files, &servent.id)))
    };
    if let Some((kind, payload)) = answer {
        // As far as the question has come, and no further.
        let ttl = question.hops.saturating_add(1);
        from.send(&Descriptor { id: question.id, kind, ttl, hops: 0, payload });
    }

    // The TTL is a stranger's word: 255 would take it through the whole network.
    let ttl = question.ttl.min(MOST_HOPS.saturating_sub(question.hops));
    if ttl > 1 {
        let onward = Descriptor { ttl: ttl - 1, hops: question.hops + 1, ..question };
        for link in servent.links.all() {
            if !Arc::ptr_eq(&link, from) {
                link.send(&onward);
            }
        }
    }
    // ANCHOR_END: flood
}

/// Step 4, `route_back`: a Pong or a QueryHit has come. Sends it back along the way that its
/// question came, or shows it where the question was the user's own.
fn route_back(servent: &Servent, answer: Descriptor) {
    // ANCHOR: route_back
    let question = if answer.kind == PONG { PING } else { QUERY };
    match servent.seen.way(answer.id, question) {
        Some(Way::Here) => servent.show(&answer),
        Some(Way::Link(link)) => {
            // Gone, perhaps, since it asked: then nobody waits for the answer any more.
            if let Some(link) = link.upgrade()
                && answer.ttl > 1
            {
                let hops = answer.hops.saturating_add(1);
                link.send(&Descriptor { ttl: answer.ttl - 1, hops, ..answer });
            }
        }
        // An answer to what nobody asked.
        None => {}
    }
    // ANCHOR_END: route_back
}

/// Step 5, `fetch`: gets the file of a hit from the one who has it, into the folder: under its name
/// when it is whole, and not before.
fn fetch(hit: &Hit, folder: &Folder) -> Result<(), Failure> {
    // ANCHOR: fetch
    // The address stands in the hit. Those who passed it on have nothing to do with the file.
    let mut stream = TcpStream::connect_timeout(&hit.address.into(), at_tempo(SILENCE))?;
    stream.set_read_timeout(Some(at_tempo(SILENCE)))?;
    let name = http::escape(&hit.name);
    let request =
        format!("GET /get/{}/{name}/ HTTP/1.0\r\nHost: {}\r\n\r\n", hit.index, hit.address);
    stream.write_all(request.as_bytes())?;

    let Head { lines, ahead } = http::read_head(&stream, Vec::new())?;
    // The first line of HTTP has a version behind the name; that of Gnutella's document has none.
    let mut words = lines[0].split(' ');
    if !words.next().is_some_and(|word| word.starts_with("HTTP")) || words.next() != Some("200") {
        return Err(Failure::Broke("it does not give the file"));
    }
    if http::content_length(&lines) != Some(hit.size.into()) {
        return Err(Failure::Broke("its file has another size than the hit says"));
    }

    let part = folder.part(&hit.name);
    // What is left of an earlier try, or a link that leads elsewhere.
    let _ = fs::remove_file(&part);
    // The head may have come together with the beginning of the file.
    let mut body = ahead.chain(stream).take(hit.size.into());
    let got = io::copy(&mut body, &mut File::create_new(&part)?)?;
    if got < hit.size.into() {
        return Err(Failure::Broke("the stream ended before the file"));
    }
    fs::rename(part, folder.path(&hit.name))?;
    Ok(())
    // ANCHOR_END: fetch
}

fn main() -> ExitCode {
    servent::run()
}
