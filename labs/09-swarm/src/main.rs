//! Lab 9: swarm. A peer of BitTorrent (BEP 3): it gets a file in pieces, from many others at once, and
//! gives each piece to whoever asks for it, from the first one on.
//!
//! You write the five marked regions. Given, in the modules beside this file: `swarm` (the accept
//! loop, dialling, events), `links` (the connections, a queue and a writer for each), `message` (what
//! peers say to each other), `store` and `choice` (the file, and which piece is fetched next), `torrent` and
//! `bencode`, `announcer` (when the tracker is asked), `http`, `tracker` (a small one), `contacts`,
//! `sha1` and `times`. What each step must do stands in this folder's README.md.

mod announcer;
mod arguments;
mod bencode;
mod choice;
mod contacts;
mod failure;
mod http;
mod links;
mod message;
mod output;
mod sha1;
mod store;
mod swarm;
mod times;
mod torrent;
mod tracker;

use std::io::{Read, Write};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use announcer::{Answer, PeerId, Status};
use arguments::{Arguments, USAGE};
use bencode::{Kind, Value};
use failure::Failure;
use links::{Link, Part, Role};
use message::{
    BITFIELD, BLOCK, Bits, Block, CANCEL, CHOKE, HAVE, INTERESTED, Message, NOT_INTERESTED, PIECE,
    REQUEST, UNCHOKE, numbers,
};
use output::{print, report};
use sha1::Hash;
use store::Finish;
use swarm::Swarm;
use times::{INTERVAL, Until, at_tempo};

/// How a greeting begins: the length of a name, and the name.
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
/// The longest answer of a tracker.
const LONGEST_ANSWER: usize = 1 << 20;
/// So many requests are in flight on a connection. With one at a time each block would cost a whole
/// round trip; with very many the first peer that is met would be asked for everything.
const IN_FLIGHT: usize = 16;

/// Step 1, `announce`: tells the tracker what this peer has and where it listens, and what has
/// happened (`started`, `completed`, `stopped`). Returns when to ask again, and the peers that the
/// tracker knows. The error is the reason why it does not say.
fn announce(
    tracker: &str,
    status: &Status,
    event: Option<&str>,
    deadline: Instant,
) -> Result<Answer, String> {
    // ANCHOR: announce
    // Any 20 bytes, not text: letters and digits stand for themselves, all else is `%` and two digits.
    let escape = |bytes: &[u8]| -> String {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let escaped = |&byte: &u8| match is_plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        bytes.iter().map(escaped).collect()
    };
    let Status { port, uploaded, downloaded, left, .. } = status;
    let (hash, id) = (escape(&status.info_hash), escape(&status.peer_id));
    // The URL may have a query already: by it some trackers know their users.
    let joint = if tracker.contains('?') { '&' } else { '?' };
    let mut url = format!(
        "{tracker}{joint}info_hash={hash}&peer_id={id}&port={port}&uploaded={uploaded}\
         &downloaded={downloaded}&left={left}&compact=1"
    );
    if let Some(event) = event {
        url += &format!("&event={event}");
    }

    let body = http::get(&url, LONGEST_ANSWER, deadline)?;
    let answer = Value::parse(&body).map_err(|error| format!("its answer is broken: {error}"))?;
    if let Some(reason) = answer.bytes("failure reason") {
        return Err(String::from_utf8_lossy(reason).into_owned());
    }
    // At least a second: a tracker that says 0 would be asked without a pause.
    let interval = answer.integer("interval").map(|seconds| seconds.max(1).unsigned_abs());
    let interval = interval.map_or(at_tempo(INTERVAL), Duration::from_secs);
    let peers = match answer.get("peers").map(|peers| &peers.kind) {
        // Six bytes for each: four of the address, two of the port.
        Some(Kind::Bytes(bytes)) => {
            let peer = |[a, b, c, d, high, low]: &[u8; 6]| {
                let ip = IpAddr::from([*a, *b, *c, *d]);
                SocketAddr::new(ip, u16::from_be_bytes([*high, *low]))
            };
            bytes.as_chunks().0.iter().map(peer).collect()
        }
        // Or a dictionary for each.
        Some(Kind::List(list)) => {
            let peer = |entry: &Value| {
                let port = u16::try_from(entry.integer("port")?).ok()?;
                (entry.text("ip")?, port).to_socket_addrs().ok()?.next()
            };
            list.iter().filter_map(peer).collect()
        }
        _ => Vec::new(),
    };
    Ok(Answer { interval, peers })
    // ANCHOR_END: announce
}

/// Step 2, `greet`: greets the other side of a new connection, and is greeted, by the deadline.
/// Whoever dialled speaks first. Returns the id of the other side.
fn greet(
    mut stream: &TcpStream,
    role: Role,
    info_hash: &Hash,
    id: &PeerId,
    deadline: Instant,
) -> Result<PeerId, Failure> {
    // ANCHOR: greet
    // The eight bytes in the middle are for extensions. This program has none.
    let mine = [&PROTOCOL[..], &[0; 8], info_hash, id].concat();
    let mut theirs = Until::new(stream, deadline);
    if role == Role::Client {
        stream.write_all(&mine)?;
    }
    // The first byte alone: whoever begins otherwise, with an encrypted greeting perhaps, is
    // not kept waiting for more.
    let stranger = Failure::Broke("it does not speak BitTorrent");
    let [length] = theirs.array()?;
    if length != PROTOCOL[0] {
        return Err(stranger);
    }
    let name: [u8; 19] = theirs.array()?;
    if name != PROTOCOL[1..] {
        return Err(stranger);
    }
    let _extensions: [u8; 8] = theirs.array()?;
    let hash: Hash = theirs.array()?;
    if hash != *info_hash {
        return Err(Failure::Broke("it wants another torrent"));
    }
    // Before its peer id has come: it may be waiting for this greeting before it sends that.
    if role == Role::Server {
        stream.write_all(&mine)?;
    }
    Ok(theirs.array()?)
    // ANCHOR_END: greet
}

/// Step 3, `read_message`: reads the next message of a peer. Its length, which counts the id and the
/// payload, is at most `longest`.
fn read_message(reader: &mut impl Read, longest: u32) -> Result<Message, Failure> {
    // ANCHOR: read_message
    let mut length = [0; 4];
    // A length of 0 is a sign of life, and no message.
    while length == [0; 4] {
        reader.read_exact(&mut length)?;
    }
    let length = u32::from_be_bytes(length);
    // Checked before anything is allocated: four bytes can claim four gigabytes.
    if length > longest {
        return Err(Failure::Broke("a message that is too long"));
    }
    let mut bytes = vec![0; length as usize];
    reader.read_exact(&mut bytes)?;

    let wrong = || Failure::Broke("a message of the wrong length");
    let (id, payload) = (bytes[0], &bytes[1..]);
    let message = match (id, payload) {
        (CHOKE, []) => Message::Choke,
        (UNCHOKE, []) => Message::Unchoke,
        (INTERESTED, []) => Message::Interested,
        (NOT_INTERESTED, []) => Message::NotInterested,
        (HAVE, _) => {
            let [piece] = numbers(payload).ok_or_else(wrong)?;
            Message::Have(piece)
        }
        (BITFIELD, _) => Message::Bitfield(payload.to_vec()),
        (REQUEST | CANCEL, _) => {
            let [piece, begin, length] = numbers(payload).ok_or_else(wrong)?;
            let block = Block { piece, begin, length };
            if id == REQUEST { Message::Request(block) } else { Message::Cancel(block) }
        }
        (PIECE, _) => {
            let (head, block) = payload.split_at_checked(8).ok_or_else(wrong)?;
            let [piece, begin] = numbers(head).ok_or_else(wrong)?;
            Message::Piece { piece, begin, bytes: block.to_vec() }
        }
        (CHOKE | UNCHOKE | INTERESTED | NOT_INTERESTED, _) => return Err(wrong()),
        // From an extension, perhaps. What is not known is skipped.
        _ => Message::Other,
    };
    Ok(message)
    // ANCHOR_END: read_message
}

/// Step 4, `upload`: a peer wants something of us, or does not any more. Answers what it may have.
fn upload(swarm: &Swarm, link: &Link, message: Message) -> Result<(), Failure> {
    // ANCHOR: upload
    let mut peer = link.peer();
    match message {
        Message::Interested if !peer.is_unchoked => {
            peer.is_unchoked = true;
            link.send(&Message::Unchoke);
        }
        Message::Request(block) => {
            if !peer.is_unchoked {
                return Err(Failure::Broke("a request before it was unchoked"));
            }
            if block.length == 0 || block.length > BLOCK {
                return Err(Failure::Broke("a request for 0 bytes, or for more than 16384"));
            }
            if !swarm.store.torrent().contains(block) || !swarm.store.has(block.piece) {
                return Err(Failure::Broke("a request for what is not here"));
            }
            // Only queued: another thread reads and writes the bytes when their turn comes.
            if !link.send_block(block) {
                return Err(Failure::Broke("too many requests at once"));
            }
        }
        // Not interested, or a cancel: what was asked for is sent all the same.
        _ => {}
    }
    Ok(())
    // ANCHOR_END: upload
}

/// Step 5, `download`: a peer has said what it has, whether it gives, or has given a block. Asks for
/// what is missing, puts it together, and tells the others.
///
/// When a connection has ended this is called once more, with [`Message::Choke`].
fn download(swarm: &Swarm, link: &Link, message: Message) -> Result<(), Failure> {
    // ANCHOR: download
    let store = &swarm.store;
    // Says whether we are interested, and keeps requests in flight.
    let ask = |link: &Link| {
        let mut peer = link.peer();
        let peer = &mut *peer;
        let is_interested = store.wants(&peer.has);
        if peer.knows_our_interest != is_interested {
            peer.knows_our_interest = is_interested;
            let interest = if is_interested { Message::Interested } else { Message::NotInterested };
            link.send(&interest);
        }
        // Some of them may have come from somebody else in the meantime.
        peer.parts.retain(|part| !store.has(part.piece));
        while !peer.is_choking && peer.in_flight.len() < IN_FLIGHT {
            // The rest of a piece that was begun, then the next piece: without a pause between the two.
            let Some(part) = peer.parts.iter_mut().find(|part| part.asked < part.length()) else {
                let mine: Vec<u32> = peer.parts.iter().map(|part| part.piece).collect();
                let Some(piece) = store.claim(&peer.has, &mine) else { return };
                peer.parts.push(Part::new(piece, store.length_of(piece)));
                continue;
            };
            let length = BLOCK.min(part.length() - part.asked);
            let block = Block { piece: part.piece, begin: part.asked, length };
            part.asked += length;
            peer.in_flight.push(block);
            link.send(&Message::Request(block));
        }
    };

    let mut peer = link.peer();
    let mut whole = None;
    let mut concerns_all = false;
    match message {
        Message::Bitfield(bytes) => {
            let bits = Bits::parse(&bytes, store.pieces());
            let bits = bits.ok_or(Failure::Broke("a bitfield that does not fit the torrent"))?;
            // It adds to what is known: some peers send another one later.
            bits.pieces().for_each(|piece| store.learn(&mut peer.has, piece));
        }
        Message::Have(piece) | Message::Piece { piece, .. } if piece >= store.pieces() => {
            return Err(Failure::Broke("a piece number out of range"));
        }
        Message::Have(piece) => store.learn(&mut peer.has, piece),
        Message::Unchoke => peer.is_choking = false,
        Message::Choke => {
            peer.is_choking = true;
            peer.in_flight.clear();
            link.take_back_requests();
            // Now others may fetch those pieces, and a link with nothing to do has to hear of it.
            concerns_all = !peer.parts.is_empty();
            peer.parts.drain(..).for_each(|part| store.release(part.piece));
        }
        Message::Piece { piece, begin, bytes } => {
            let block = Block { piece, begin, length: bytes.len() as u32 };
            let Some(at) = peer.in_flight.iter().position(|asked| *asked == block) else {
                // Nobody asked for it.
                return Ok(());
            };
            peer.in_flight.remove(at);
            swarm.downloaded.fetch_add(block.length.into(), Ordering::Relaxed);
            // There is no such part where the piece has come from somebody else.
            let part = peer.parts.iter_mut().find(|part| part.piece == piece);
            if let Some(part) = part
                && part.put(begin, &bytes)
            {
                // The part stays, without its bytes, until the piece has been checked: so it is not
                // claimed for this link once more.
                whole = Some((piece, mem::take(&mut part.bytes)));
            }
        }
        _ => {}
    }
    drop(peer);

    if let Some((piece, bytes)) = whole {
        match store.finish(piece, &bytes)? {
            // The end of the connection makes the piece free again.
            Finish::Wrong => return Err(Failure::Broke("a piece with the wrong SHA-1")),
            Finish::Known => {}
            Finish::Right => {
                print(&format!("piece {piece} from {}", link.address));
                for other in swarm.links() {
                    other.send(&Message::Have(piece));
                }
                // One step: of two threads with the last two pieces only one may see that none is left.
                if store.count_down() == 0 {
                    swarm.complete();
                }
                concerns_all = true;
            }
        }
    }
    if concerns_all {
        swarm.links().iter().for_each(|link| ask(link));
    } else {
        ask(link);
    }
    Ok(())
    // ANCHOR_END: download
}

fn main() -> ExitCode {
    let done = match Arguments::given() {
        Some(Arguments::Share { torrent, folder, listen, peers }) => {
            swarm::run(&torrent, &folder, &listen, peers)
        }
        Some(Arguments::Track { listen }) => tracker::run(&listen),
        Some(Arguments::Make { file, tracker, torrent }) => {
            torrent::make(&file, &tracker, &torrent)
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
