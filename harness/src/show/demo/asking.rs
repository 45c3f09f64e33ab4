//! Questions and answers without a connection: who answers, when, and whether at all.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::Demo;
use super::datagrams::{SILENCE, received, server_and_client, socket};
use super::stage::{Mismatch, Stage, about, outcome, success};
use crate::kernel;

pub(super) const TIME_OUT_EACH: Demo = Demo {
    name: "time-out-each",
    claim: "A time-out for each receive limits the wait for the answer.",
    truth: "It limits the wait for the next datagram, whatever that is. Each one that is not the \
        answer begins the time anew, and anybody can send such. What limits the wait is a deadline: \
        before each receive the time-out is set to what is left.",
    run: time_out_each,
};

/// As often junk comes within the limit.
const JUNK_A_LIMIT: u32 = 5;

fn time_out_each(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let here = client.local_addr()?;
    drop(server);
    let stranger = socket(here.ip())?;
    let junk = || -> Result<(), Mismatch> {
        thread::sleep(SILENCE / JUNK_A_LIMIT);
        stranger.send_to(b"junk", here)?;
        Ok(())
    };
    t.tell("the server answers nothing; a stranger sends the client junk, each 20 ms");
    client.set_read_timeout(Some(SILENCE))?;
    let began = Instant::now();
    let mut passed_over = 0;
    while began.elapsed() < 5 * SILENCE {
        junk()?;
        client.recv(&mut [0; 64])?;
        passed_over += 1;
    }
    t.tell("the client waits for its answer, with a time-out of 100 ms for each receive");
    t.show_if(
        format!(
            "after 500 ms and {} datagrams: no time-out yet, and it waits on",
            about(passed_over)
        ),
        passed_over > 0,
        "no time-out",
    )?;

    let deadline = Instant::now() + SILENCE;
    let mut passed_over = 0;
    loop {
        junk()?;
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            break;
        }
        client.set_read_timeout(Some(rest))?;
        passed_over += u32::from(client.recv(&mut [0; 64]).is_ok());
    }
    t.tell("the client gives each receive what is left of 100 ms, and no more");
    t.show_if(
        format!("after {} datagrams nothing is left, and it asks again", about(passed_over)),
        passed_over <= JUNK_A_LIMIT,
        "at most 5 datagrams",
    )
}

pub(super) const ID_IS_ENOUGH: Demo = Demo {
    name: "id-is-enough",
    claim: "The answer has the question's id, so it is from the server that was asked.",
    truth: "There are 65536 ids, and all of them can be sent within a second. A connected socket lets \
        in only what comes from the address that was asked. Besides the id, the question has to be the \
        one that was sent.",
    run: id_is_enough,
};

/// What the client has chosen by chance.
const ID: u16 = 0x1234;

fn answer(id: u16, text: &str) -> Vec<u8> {
    [&id.to_be_bytes(), text.as_bytes()].concat()
}

/// Receives until a datagram has the id: how many there were, and what that one says.
fn by_id(socket: &UdpSocket, mut before_each: impl FnMut()) -> Result<String, Mismatch> {
    let mut buffer = [0; 64];
    for number in 1.. {
        before_each();
        let length = socket.recv(&mut buffer)?;
        if buffer.starts_with(&ID.to_be_bytes()) {
            let text = String::from_utf8_lossy(&buffer[2..length]);
            return Ok(format!("datagram {number} has the id, and says {text:?}"));
        }
    }
    Ok("none has the id".into())
}

fn id_is_enough(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let (address, here) = (server.local_addr()?, client.local_addr()?);
    let stranger = socket(here.ip())?;
    client.send_to(&answer(ID, "where is www?"), address)?;
    t.tell("the client asks the server \"where is www?\", with the id 1234 (hexadecimal)");
    let mut ids = 0..=u16::MAX;
    let taken = by_id(&client, || {
        let guess = ids.next().map(|id| answer(id, "127.0.0.66"));
        let _ = guess.map(|guess| stranger.send_to(&guess, here));
    })?;
    t.expect(
        "a stranger, who has seen nothing of it, sends an answer for each id, from 0 on; the client \
         takes the first with its id",
        taken,
        "datagram 4661 has the id, and says \"127.0.0.66\"",
    )?;

    let client = socket(here.ip())?;
    client.connect(address)?;
    let here = client.local_addr()?;
    for id in 0..=u16::MAX {
        stranger.send_to(&answer(id, "127.0.0.66"), here)?;
    }
    server.send_to(&answer(ID, "127.0.0.5"), here)?;
    t.expect(
        "a client that is connected to the server asks the same; the stranger sends all 65536 ids, \
         and the server its answer",
        by_id(&client, || {})?,
        "datagram 1 has the id, and says \"127.0.0.5\"",
    )
}

pub(super) const NEW_TRY_NEW_ID: Demo = Demo {
    name: "new-try-new-id",
    claim: "Each new try is a new question, and needs a new id.",
    truth: "Nobody knows whether the question was lost, or the answer is only late. With the same id \
        and the same socket a late answer to the first try is an answer. With new ones it is thrown \
        away, and the slower a server is, the fewer of its answers count.",
    run: new_try_new_id,
};

fn new_try_new_id(t: &mut Stage) -> Result<(), Mismatch> {
    for (second, outcome) in [
        (ID + 1, "the answer to 1234 is passed over; then nothing: Err(WouldBlock)"),
        (ID, "the answer to 1234 is taken"),
    ] {
        let (server, client) = server_and_client(t)?;
        client.set_read_timeout(Some(SILENCE))?;
        client.send_to(&answer(ID, "?"), server.local_addr()?)?;
        t.expect(
            "the client asks with the id 1234, and waits for 100 ms; the server is slow",
            received(&client, 64),
            "Err(WouldBlock)",
        )?;
        client.send_to(&answer(second, "?"), server.local_addr()?)?;
        let mut first = [0; 2];
        let (_, from) = server.recv_from(&mut first)?;
        server.send_to(&answer(u16::from_be_bytes(first), "127.0.0.5"), from)?;
        let mut buffer = [0; 64];
        client.recv(&mut buffer)?;
        let id = u16::from_be_bytes([buffer[0], buffer[1]]);
        let seen = if id == second {
            format!("the answer to {id:04x} is taken")
        } else {
            let then = received(&client, 64);
            format!("the answer to {id:04x} is passed over; then nothing: {then}")
        };
        t.expect(
            format!(
                "it asks again, with the id {second:04x}; now the answer to its first try comes, and \
                 the second try is lost"
            ),
            seen,
            outcome,
        )?;
    }
    Ok(())
}

pub(super) const SILENCE_IS_NO: Demo = Demo {
    name: "silence-is-no",
    claim: "No answer means that there is no such name.",
    truth: "A server says so: NXDOMAIN is an answer. Silence says nothing, neither about the name nor \
        about the server. The question may be lost, or the answer; so ask again, and at the end tell \
        the user that nobody has answered.",
    run: silence_is_no,
};

/// RFC 1035 section 4.1.1: the lowest four bits of byte 3.
fn code(message: &[u8]) -> &'static str {
    match message.get(3).map(|byte| byte & 15) {
        Some(0) => "NOERROR",
        Some(3) => "NXDOMAIN",
        _ => "another code",
    }
}

fn silence_is_no(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    client.set_read_timeout(Some(SILENCE))?;
    let mut buffer = [0; 512];
    let mut ask = |name: &str, lost: bool| -> Result<String, Mismatch> {
        client.send_to(&query(name), server.local_addr()?)?;
        let (length, from) = server.recv_from(&mut buffer)?;
        // QR and AA; and the code, by what the server has.
        let rcode = if name == "www" { 0 } else { 3 };
        (buffer[2], buffer[3]) = (0x84, rcode);
        if !lost {
            server.send_to(&buffer[..length], from)?;
        }
        let mut seen = [0; 512];
        Ok(match client.recv(&mut seen) {
            Ok(length) => format!("{length} bytes: {}", code(&seen[..length])),
            silence => outcome(&silence),
        })
    };
    t.tell("the server has the name www, and no other; the client waits for 100 ms each time");
    t.expect("the client asks for nope", ask("nope", false)?, "22 bytes: NXDOMAIN")?;
    t.expect(
        "the client asks for www, and the answer is lost",
        ask("www", true)?,
        "Err(WouldBlock)",
    )?;
    t.expect("the client asks for www again", ask("www", false)?, "21 bytes: NOERROR")
}

/// A query of one label, for its address.
fn query(label: &str) -> Vec<u8> {
    let mut message = ID.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.push(u8::try_from(label.len()).unwrap_or_default());
    message.extend(label.as_bytes());
    message.extend([0, 0, 1, 0, 1]);
    message
}

pub(super) const DNS_IS_UDP_ONLY: Demo = Demo {
    name: "dns-is-udp-only",
    claim: "DNS is a protocol over UDP: a name server needs no TCP.",
    truth: "It needs both, on one port number. Over UDP an answer of more than 512 bytes is cut, and \
        says so with the bit TC. The client then asks again over TCP, where each message has its \
        length before it, in two bytes.",
    run: dns_is_udp_only,
};

const RECORDS: u16 = 60;
/// RFC 1035 section 4.2.1.
const LIMIT: usize = 512;

/// The answer with so many addresses, or without any and with TC where that is too long.
fn addresses(query: &[u8], limit: usize) -> Vec<u8> {
    let mut whole = query.to_vec();
    (whole[2], whole[7]) = (0x84, RECORDS.to_be_bytes()[1]);
    for record in 0..RECORDS {
        // The question's name, A, IN, a TTL of 300 seconds, 4 bytes.
        whole.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
        whole.extend([127, 0, 0, record.to_be_bytes()[1]]);
    }
    if whole.len() <= limit {
        return whole;
    }
    let mut cut = query.to_vec();
    cut[2] = 0x86;
    cut
}

fn described(message: &[u8]) -> String {
    let cut = if message[2] & 2 == 0 { "whole" } else { "TC" };
    let number = u16::from_be_bytes([message[6], message[7]]);
    format!("{} bytes, {cut}, {number} records", message.len())
}

fn dns_is_udp_only(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let address = server.local_addr()?;
    let mut space = [0; 4096];
    client.send_to(&query("www"), address)?;
    let (length, from) = server.recv_from(&mut space)?;
    server.send_to(&addresses(&space[..length], LIMIT), from)?;
    let length = client.recv(&mut space)?;
    t.expect(
        "the client asks for a name that has 60 addresses, over UDP",
        described(&space[..length]),
        "21 bytes, TC, 0 records",
    )?;
    let refused = TcpStream::connect(address).map(drop);
    t.expect(
        format!("it goes to TCP: connect({address})"),
        success(&refused),
        "Err(ConnectionRefused)",
    )?;

    let listener = TcpListener::bind(address)?;
    let rows = kernel::socket_table()?;
    let mut kinds: Vec<_> =
        rows.iter().filter(|row| row.local == address).map(|row| row.table.file()).collect();
    kinds.sort_unstable();
    t.expect(
        "a server that has a listener, too; the kernel's tables that have this address",
        kinds.join(", "),
        "tcp, udp",
    )?;
    let mut caller = TcpStream::connect(address)?;
    caller.set_read_timeout(Some(Duration::from_secs(10)))?;
    caller.write_all(&framed(&query("www")))?;
    let (mut accepted, _) = listener.accept()?;
    let asked = message(&mut accepted)?;
    accepted.write_all(&framed(&addresses(&asked, u16::MAX.into())))?;
    let mut length = [0; 2];
    caller.read_exact(&mut length)?;
    t.expect(
        "the client connects, asks the same, and reads two bytes",
        format!("{length:02x?}: {} bytes follow", u16::from_be_bytes(length)),
        "[03, d5]: 981 bytes follow",
    )?;
    let mut whole = vec![0; u16::from_be_bytes(length).into()];
    caller.read_exact(&mut whole)?;
    t.expect("it reads those", described(&whole), "981 bytes, whole, 60 records")
}

/// With its length before it.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), message].concat()
}

fn message(stream: &mut TcpStream) -> Result<Vec<u8>, Mismatch> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message)?;
    Ok(message)
}
