//! Those who find each other by a tracker: what it has, what it is told, and what a peer id is for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::Demo;
use super::stage::{Mismatch, Stage, about};

pub(super) const TRACKER_HAS_IT: Demo = Demo {
    name: "tracker-has-it",
    claim: "The tracker has the file.",
    truth: "The tracker has a list of addresses, for a while. It tells who else is there, in six bytes for \
        each, and everything after that happens without it. It could not give a byte of the file if it \
        wanted to.",
    run: tracker_has_it,
};

const FILE: usize = 1 << 20;

fn tracker_has_it(t: &mut Stage) -> Result<(), Mismatch> {
    let (tracker, ann) = (TcpListener::bind(t.address())?, TcpListener::bind(t.address())?);
    let (at_tracker, at_ann) = (tracker.local_addr()?, ann.local_addr()?);
    t.tell(format!(
        "ann has a file of {FILE} bytes, and has told the tracker where she listens: {at_ann}"
    ));
    let mut bob = TcpStream::connect(at_tracker)?;
    let question = format!("GET /announce?info_hash={}&port=6881&left={FILE}", "%2F".repeat(20));
    bob.write_all(format!("{question} HTTP/1.1\r\nHost: {at_tracker}\r\n\r\n").as_bytes())?;
    let (mut asked, _) = tracker.accept()?;
    let asked_for = read_head(&mut asked)?.len();
    let answer = [b"d8:intervali1800e5:peers6:", &compact(at_ann)[..], b"e"].concat();
    asked.write_all(&answer)?;
    drop(asked);
    let mut told = Vec::new();
    bob.read_to_end(&mut told)?;
    let six = told.len() - 7..told.len() - 1;
    let to_dial = address(&told[six.clone()]).map(|address| address.to_string());
    t.expect(
        "bob asks the tracker who else is there; six bytes of its answer are an address",
        to_dial.clone().unwrap_or_default(),
        at_ann.to_string(),
    )?;
    let bytes = asked_for + told.len();
    let little = bytes < 1000;
    t.show_if(format!("bytes to the tracker and from it: {}", about(bytes)), little, "few")?;
    drop(tracker);
    t.tell("the tracker's program ends");
    let giving = thread::spawn(move || ann.accept()?.0.write_all(&vec![b'a'; FILE]));
    let mut got = Vec::new();
    TcpStream::connect(at_ann)?.read_to_end(&mut got)?;
    let _ = giving.join();
    t.expect(
        "bob dials that address, and reads until the end",
        format!("{} bytes, all of them from ann", got.len()),
        format!("{FILE} bytes, all of them from ann"),
    )
}

/// Six bytes: an IPv4 address and a port.
fn compact(address: SocketAddr) -> Vec<u8> {
    let SocketAddr::V4(address) = address else { return Vec::new() };
    [&address.ip().octets()[..], &address.port().to_be_bytes()].concat()
}

fn address(six: &[u8]) -> Option<SocketAddr> {
    let [a, b, c, d, high, low] = *six else { return None };
    Some(SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low]))))
}

fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head)
}

pub(super) const HASH_IN_A_URL: Demo = Demo {
    name: "hash-in-a-url",
    claim: "A hash can be put into a URL as it is.",
    truth: "A URL is text, and some characters of it have a meaning: a blank ends it, & ends a value. A \
        hash is 20 bytes of which each can be any of 256. Each byte that is no letter or digit is \
        written as % and two hexadecimal digits, and no byte is made text before.",
    run: hash_in_a_url,
};

/// Of the 256 bytes those that make trouble, and some that don't.
const HASH: [u8; 20] = *b"\xc3La\xff9%41+&port=7 \x00\r/";

fn hash_in_a_url(t: &mut Stage) -> Result<(), Mismatch> {
    let quoted: String = HASH.iter().map(|byte| byte.escape_ascii().to_string()).collect();
    t.tell(format!("the 20 bytes of a hash: {quoted}"));
    let hex: String = HASH.iter().map(|byte| format!("{byte:02x}")).collect();
    let escaped = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    let escaped: String = HASH.iter().map(|byte| escaped(*byte)).collect();
    let lossy = String::from_utf8_lossy(&HASH).replace([' ', '\r'], "+").replace('&', "%26");
    for (how, sent, expected) in [
        ("as they are", &HASH[..], "7 bytes, and they are not the hash"),
        ("made a String first", lossy.as_bytes(), "22 bytes, and they are not the hash"),
        ("as 40 hexadecimal letters", hex.as_bytes(), "40 bytes, and they are not the hash"),
        (
            "each as % and two digits, but for letters and digits",
            escaped.as_bytes(),
            "20 bytes: the hash",
        ),
    ] {
        let heard = heard(t, sent)?;
        let verdict = if heard == HASH { ": the hash" } else { ", and they are not the hash" };
        let seen = format!("{} bytes{verdict}", heard.len());
        t.expect(format!("they are sent in a GET, {how}; the tracker finds"), seen, expected)?;
    }
    Ok(())
}

/// What a tracker finds behind `info_hash=` in a request that has these bytes there.
fn heard(t: &Stage, value: &[u8]) -> Result<Vec<u8>, Mismatch> {
    let mut pair = t.pair_unseen()?;
    let request = [b"GET /announce?info_hash=", value, b"&port=6881 HTTP/1.1\r\n\r\n"].concat();
    pair.client.write_all(&request)?;
    let head = read_head(&mut pair.server)?;
    let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let query = target.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
    let mut values = query.split(|byte| *byte == b'&');
    let value = values.find_map(|one| one.strip_prefix(b"info_hash=")).unwrap_or_default();
    Ok(unescape(value))
}

/// With `%41` as `A`.
fn unescape(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let [first, behind @ ..] = rest {
        let escaped = match behind {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        bytes.push(escaped.map_or(*first, |(high, low)| (high * 16 + low) as u8));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    bytes
}

pub(super) const ONE_ID: Demo = Demo {
    name: "one-peer-id",
    claim: "There is one connection for each peer id.",
    truth: "The id names a program, and not a connection. Two who dial each other at the same moment have \
        two connections, each with two ports, and only the ids tell that both lead to the same \
        program. And who finds its own id at the other end has called itself.",
    run: one_id,
};

fn one_id(t: &mut Stage) -> Result<(), Mismatch> {
    let (ann, bob) = (TcpListener::bind(t.address())?, TcpListener::bind(t.address())?);
    let (at_ann, at_bob) = (ann.local_addr()?, bob.local_addr()?);
    t.tell(format!(
        "ann listens on {at_ann}, and bob on {at_bob}; the tracker has told both of both"
    ));
    let (dialled, dials) = (TcpStream::connect(at_bob)?, TcpStream::connect(at_ann)?);
    let (accepts, accepted) = (bob.accept()?.0, ann.accept()?.0);
    greet(&dialled, b"ann")?;
    greet(&accepts, b"bob")?;
    greet(&dials, b"bob")?;
    greet(&accepted, b"ann")?;
    t.tell("both dial at the same moment, both accept, and on each connection both greet");
    let ends = [dialled.peer_addr()?, accepted.peer_addr()?];
    t.show_if(
        format!("ann has two connections: one to {}, one with {}", ends[0], ends[1]),
        ends[0] == at_bob && ends[1] != at_bob,
        "two addresses, of which one is bob's",
    )?;
    let ids = [greeted(&dialled)?, greeted(&accepted)?];
    t.also(
        format!("the id at the other end of the first: {}, of the second: {}", ids[0], ids[1]),
        "the id at the other end of the first: bob, of the second: bob",
    )?;
    t.kernel(dialled.local_addr()?, at_bob, "ESTABLISHED")?;
    t.kernel(at_ann, ends[1], "ESTABLISHED")?;
    let (herself, caller) = (TcpStream::connect(at_ann)?, ann.accept()?.0);
    greet(&herself, b"ann")?;
    greet(&caller, b"ann")?;
    t.expect(
        "the tracker's list has ann as well; she dials that address, and reads the id there",
        greeted(&herself)?,
        "ann",
    )
}

fn greet(mut stream: &TcpStream, id: &[u8; 3]) -> io::Result<()> {
    stream.write_all(id)
}

fn greeted(mut stream: &TcpStream) -> io::Result<String> {
    let mut id = [0; 3];
    stream.read_exact(&mut id)?;
    String::from_utf8(id.to_vec()).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}
