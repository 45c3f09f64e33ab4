//! `swarm track ADDR`: a small tracker. It tells peers of each other, and sees no byte of any file. What
//! it is told it says again on standard error, for whoever wants to watch.

use std::collections::HashMap;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::announcer::PeerId;
use crate::bencode;
use crate::http;
use crate::output::{lock, print, report};
use crate::sha1::Hash;
use crate::times::{ANSWER, PAUSE, Until, at_tempo};

/// In seconds: so often it wants to hear of a peer.
const INTERVAL: u64 = 10;
/// It forgets a peer of which it has not heard for so long.
const MEMORY: Duration = Duration::from_secs(3 * INTERVAL);
/// The most peers in one answer.
const MOST_TOLD: usize = 50;
/// The most peers that it knows.
const MOST_KNOWN: usize = 10_000;

/// Who has something of which torrent, or wants it.
type Known = HashMap<(Hash, PeerId), Peer>;

#[derive(Debug)]
struct Peer {
    address: SocketAddrV4,
    left: u64,
    heard: Instant,
}

/// What a peer says of itself.
#[derive(Debug)]
struct Announce {
    hash: Hash,
    id: PeerId,
    port: u16,
    left: u64,
    event: String,
}

/// Tracks for ever. The error is the line that tells why it can't.
pub fn run(listen: &str) -> Result<(), String> {
    let bound =
        TcpListener::bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) =
        bound.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    print(&format!("listening on {address}"));
    let known = Arc::new(Mutex::new(Known::new()));
    loop {
        let taken = listener.accept().and_then(|(stream, address)| {
            let known = Arc::clone(&known);
            thread::Builder::new().spawn(move || attend(&known, &stream, address))
        });
        if let Err(error) = taken {
            report(&format!("cannot take a connection: {error}"));
            // No descriptor left: to try again at once would keep the processor busy.
            thread::sleep(PAUSE);
        }
    }
}

/// Answers one request.
fn attend(known: &Mutex<Known>, mut stream: &TcpStream, source: SocketAddr) {
    let deadline = Instant::now() + at_tempo(ANSWER);
    let Ok(Some((head, _))) = http::read_head(&mut Until::new(stream, deadline)) else { return };
    let target = head.split(' ').nth(1).unwrap_or_default();
    let body = match read(target) {
        Ok(announce) => {
            let Announce { port, left, event, .. } = &announce;
            let what = if event.is_empty() { "is still there" } else { event };
            report(&format!("{} with port {port}: {what}, {left} bytes are left", source.ip()));
            answer(&mut lock(known), &announce, source.ip(), Instant::now())
        }
        Err(reason) => [b"d14:failure reason", &*bencode::string(reason), b"e"].concat(),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Whoever does not take it has gone.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

/// What the target of a request says. The error is the reason why it is no announce.
fn read(target: &str) -> Result<Announce, &'static str> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/announce" {
        return Err("only /announce is known here");
    }
    let value = |key: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).next()
    };
    let twenty = |key| value(key).and_then(unescape)?.try_into().ok();
    let event = value("event").unwrap_or_default();
    if !matches!(event, "" | "started" | "completed" | "stopped" | "empty") {
        return Err("there is no such event");
    }
    Ok(Announce {
        hash: twenty("info_hash").ok_or("info_hash is not 20 bytes")?,
        id: twenty("peer_id").ok_or("peer_id is not 20 bytes")?,
        port: value("port")
            .and_then(|port| port.parse().ok())
            .ok_or("port is not a port number")?,
        left: value("left").and_then(|left| left.parse().ok()).ok_or("left is not a number")?,
        event: event.to_owned(),
    })
}

/// Bytes that were escaped as `%20` and the like.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? * 16 + digit(rest.next()?)?,
            _ => byte,
        });
    }
    Some(bytes)
}

/// Remembers a peer, or forgets it, and tells it of the others.
fn answer(known: &mut Known, announce: &Announce, from: IpAddr, now: Instant) -> Vec<u8> {
    known.retain(|_, peer| now.duration_since(peer.heard) < MEMORY);
    let key = (announce.hash, announce.id);
    if announce.event == "stopped" {
        known.remove(&key);
    } else if let IpAddr::V4(ip) = from.to_canonical()
        && known.len() < MOST_KNOWN
    {
        // The port has to be told: it has called from another one. Its host is seen, and not told: whoever
        // could name any could send the whole swarm to a stranger.
        let address = SocketAddrV4::new(ip, announce.port);
        known.insert(key, Peer { address, left: announce.left, heard: now });
    }
    let (mut complete, mut incomplete, mut peers) = (0, 0, Vec::new());
    for ((hash, id), Peer { address, left, .. }) in known {
        if *hash == announce.hash {
            complete += u32::from(*left == 0);
            incomplete += u32::from(*left > 0);
            if *id != announce.id && peers.len() < 6 * MOST_TOLD {
                peers.extend(address.ip().octets());
                peers.extend(address.port().to_be_bytes());
            }
        }
    }
    let numbers =
        format!("d8:completei{complete}e10:incompletei{incomplete}e8:intervali{INTERVAL}e5:peers");
    [numbers.as_bytes(), &bencode::string(peers), b"e"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALHOST: [u8; 4] = [127, 0, 0, 1];

    fn announce(id: u8, left: u64, event: &str) -> Announce {
        Announce {
            hash: [7; 20],
            id: [id; 20],
            port: 7000 + u16::from(id),
            left,
            event: event.into(),
        }
    }

    #[test]
    fn an_announce_is_read_from_its_target() {
        let query = format!(
            "info_hash={}&peer_id=-SL0100-abcdefghijkl&port=7001&left=5",
            "%00%ffx".repeat(6) + "ab"
        );
        let read = read(&format!("/announce?{query}&event=started&other")).unwrap();
        assert_eq!(read.hash[..4], [0, 255, b'x', 0]);
        assert_eq!((&read.id, read.port, read.left), (b"-SL0100-abcdefghijkl", 7001, 5));
        assert_eq!(read.event, "started");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(read("/").unwrap_err(), "only /announce is known here");
        assert_eq!(read("/announce").unwrap_err(), "info_hash is not 20 bytes");
        assert_eq!(read("/announce?info_hash=%zz").unwrap_err(), "info_hash is not 20 bytes");
    }

    #[test]
    fn a_peer_is_told_of_the_others_and_not_of_itself() {
        let (mut known, now) = (Known::new(), Instant::now());
        let mut say = |announce, now| answer(&mut known, &announce, LOCALHOST.into(), now);
        let alone = b"d8:completei0e10:incompletei1e8:intervali10e5:peers0:e";
        assert_eq!(say(announce(1, 5, "started"), now), alone);
        let first = b"d8:completei1e10:incompletei1e8:intervali10e5:peers6:\x7f\0\0\x01\x1b\x59e";
        assert_eq!(say(announce(2, 0, "started"), now), first);
        // One that stops is not told of any more, and neither is one that has not been heard of.
        let second = b"d8:completei1e10:incompletei0e8:intervali10e5:peers6:\x7f\0\0\x01\x1b\x5ae";
        assert_eq!(say(announce(1, 5, "stopped"), now), second);
        assert_eq!(say(announce(1, 5, "started"), now + MEMORY), alone);
    }
}
