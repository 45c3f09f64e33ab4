//! Lab 6's own solution among thousands of messages that are none, or nearly: random ones, and real
//! queries and answers that were damaged. What must come back is worked out in `due`.

mod damage;
mod due;

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use sockets_lab::kernel;

use damage::damaged;
use due::{Due, due, judge};

use super::clients::Server;

const ZONE: &str = "names serve 127.0.0.1:0 fixtures/06-names/zones/clients.zone";
/// For one answer; nothing here waits for a time-out of the server.
const BACKSTOP: Duration = Duration::from_secs(120);
/// What a server may have grown by after all of that, in bytes: stacks of threads, and what an
/// allocator keeps in reserve.
const GROWTH: u64 = 4 << 20;

/// A message with this header behind its id, these labels, and these bytes behind them.
fn message(header: [u8; 10], name: &str, rest: &[u8]) -> Vec<u8> {
    let mut message = [&[0x12, 0x34][..], &header].concat();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(rest);
    message
}

fn query(name: &str, kind: u8) -> Vec<u8> {
    message([1, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, kind, 0, 1])
}

fn queries() -> Vec<Vec<u8>> {
    let label = "x".repeat(63);
    let with_opt: &[u8] = &[0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    vec![
        query("www.example.test", 1),
        query("wWw.EXAMPLE.test", 28),
        query("example.test", 255),
        query("web.example.test", 1),
        query("old.example.test", 1),
        query("many.example.test", 1),
        query("empty.example.test", 16),
        query(&format!("{label}.{label}.{label}.{}.example.test", "y".repeat(48)), 1),
        query("other.test", 1),
        query("", 2),
        message([1, 32, 0, 1, 0, 0, 0, 0, 0, 1], "www.example.test", with_opt),
        message([1, 0, 0, 1, 0, 0, 0, 0, 0, 0], "version.bind", &[0, 16, 0, 3]),
        message([0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0], "www.example.test", &[0, 1, 0, 1]),
    ]
}

fn told(what: String) -> TestCaseError {
    TestCaseError::fail(what)
}

/// UDP is answered in order: what comes before the answer to a question that stands behind a
/// message is the answer to the message.
fn ask(socket: &UdpSocket, message: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let behind = query("ns.example.test", 1);
    let mut answers = Vec::new();
    for datagram in [message, &behind] {
        socket.send(datagram).map_err(|error| error.to_string())?;
    }
    loop {
        let mut buffer = [0; 65_535];
        let length = socket.recv(&mut buffer).map_err(|error| format!("no answer: {error}"))?;
        let answer = &buffer[..length];
        if answer.ends_with(&[0, 4, 127, 0, 0, 1]) && judge(&behind, answer, 512).is_ok() {
            break;
        }
        answers.push(answer.to_vec());
    }
    match answers.len() {
        0 | 1 => Ok(answers.pop()),
        many => Err(format!("{many} answers: {answers:02x?}")),
    }
}

fn udp(server: &Server) -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.connect(server.address).unwrap();
    socket.set_read_timeout(Some(BACKSTOP)).unwrap();
    socket
}

/// The answers to what is sent over one connection, up to its end: a reset is an error.
fn converse(server: &Server, bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut stream = TcpStream::connect(server.address).map_err(|error| error.to_string())?;
    let mut seen = Vec::new();
    let mut talk = || {
        stream.set_read_timeout(Some(BACKSTOP))?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        stream.read_to_end(&mut seen).map(drop)
    };
    talk().map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    let mut rest = seen.as_slice();
    while let [high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (answer, behind) = behind.split_at_checked(length).ok_or("an answer that is cut")?;
        answers.push(answer.to_vec());
        rest = behind;
    }
    if rest.is_empty() { Ok(answers) } else { Err("half a length".into()) }
}

/// The messages of a stream that are answered: whole ones, up to the first that gets none.
fn answered(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let [high, low, rest @ ..] = stream {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((message, behind)) = rest.split_at_checked(length) else { break };
        if due(message) == Due::Silence {
            break;
        }
        messages.push(message);
        stream = behind;
    }
    messages
}

/// Nothing that came before has done any harm.
fn still_right(server: &Server) {
    let questions = [query("www.example.test", 1), query("many.example.test", 1)];
    let socket = udp(server);
    let small = ask(&socket, &questions[0]).unwrap().unwrap();
    assert!(small.ends_with(&[0, 4, 127, 0, 0, 5]) && small[3] == 0, "{small:02x?}");
    let framed: Vec<u8> = questions.iter().flat_map(|it| frame(it)).collect();
    let answers = converse(server, &framed).unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0], small);
    assert_eq!(answers[1][6..8], [0, 60], "sixty records, whole over TCP");
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

/// What it has grown by since it was asked first; nothing where the kernel does not tell.
fn memory(server: &Server) -> Option<u64> {
    kernel::resident_bytes(server.id()).ok()
}

fn not_grown(server: &Server, before: Option<u64>) {
    let grown = memory(server).zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
    assert!(grown < GROWTH, "it has grown by {grown} bytes");
}

#[test]
fn datagrams_of_all_kinds_get_what_is_due_to_them() {
    let server = Server::start(ZONE);
    let socket = udp(&server);
    still_right(&server);
    let before = memory(&server);
    let silent = Cell::new(0);
    proptest!(ProptestConfig::with_cases(9_000), |(message in damaged(queries()))| {
        let answer = ask(&socket, &message).map_err(told)?;
        match answer {
            Some(answer) => judge(&message, &answer, 512).map_err(told)?,
            None if due(&message) == Due::Silence => silent.set(silent.get() + 1),
            None => return Err(told(format!("no answer, and {:?} is due", due(&message)))),
        }
    });
    assert!(silent.get() > 100, "{} messages that are not answered", silent.get());
    not_grown(&server, before);
    still_right(&server);
}

#[test]
fn streams_of_all_kinds_get_what_is_due_to_them_and_an_end() {
    let server = Server::start(ZONE);
    still_right(&server);
    let before = memory(&server);
    // A frame is right, or its length is another one's word.
    let framed =
        (damaged(queries()), prop_oneof![6 => Just(None), 1 => any::<u16>().prop_map(Some)]);
    let framed = framed.prop_map(|(message, length)| match length {
        Some(length) => [&length.to_be_bytes()[..], &message].concat(),
        None => frame(&message),
    });
    let streams = proptest::collection::vec(framed, 0..6).prop_map(|frames| frames.concat());
    proptest!(ProptestConfig::with_cases(1_000), |(stream in streams)| {
        let due = answered(&stream);
        let answers = converse(&server, &stream).map_err(told)?;
        prop_assert_eq!(answers.len(), due.len(), "answers to {:02x?}", due);
        for (message, answer) in due.into_iter().zip(&answers) {
            judge(message, answer, 65_535).map_err(told)?;
        }
    });
    not_grown(&server, before);
    still_right(&server);
}

/// An answer to a query, and its damaged kin.
fn answers() -> Vec<Vec<u8>> {
    let answer = |records: &[u8], count: u8| {
        let mut answer =
            message([0x85, 0, 0, 1, 0, count, 0, 0, 0, 0], "www.example.test", &[0, 1, 0, 1]);
        answer.extend(records);
        answer
    };
    let a = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x05";
    let cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03web\xc0\x10";
    let mx = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x09\0\x0a\x04mail\xc0\x10";
    let txt = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x08\x03one\x03two";
    let other = b"\xc0\x0c\0\x41\0\x01\0\0\0\x3c\0\x04\x0a\x0b\x0c\x0d";
    let all = [&a[..], cname, mx, txt, other].concat();
    let mut nxdomain = answer(b"", 0);
    nxdomain[3] = 3;
    vec![answer(a, 1), answer(&all, 5), answer(b"", 0), nxdomain]
}

/// What is sent before the right answer is passed over, or is an answer that the client takes: in
/// either case it ends, with one line or with records, and nothing else.
#[test]
fn a_client_that_is_answered_with_anything_ends_in_good_order() {
    let program = Server::start(ZONE).program().to_owned();
    let socket = RefCell::new(UdpSocket::bind(("127.0.0.1", 0)).unwrap());
    let address = socket.borrow().local_addr().unwrap().to_string();
    socket.borrow().set_read_timeout(Some(BACKSTOP)).unwrap();
    proptest!(ProptestConfig::with_cases(300), |(answer in damaged(answers()))| {
        let mut asks = Command::new(&program);
        asks.args(["ask", &address, "www.example.test"]).stdin(Stdio::null());
        let asks = asks.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut question = [0; 512];
        let (length, asker) = socket.borrow().recv_from(&mut question).unwrap();
        let with_id = |answer: &[u8]| {
            let mut answer = answer.to_vec();
            answer.iter_mut().zip(&question[..2]).for_each(|(byte, id)| *byte = *id);
            answer
        };
        // TC would send it to TCP, where nobody is.
        let mut forged = with_id(&answer);
        forged.get_mut(2).into_iter().for_each(|flags| *flags &= !0x02);
        for datagram in [forged, with_id(&answers()[0])] {
            socket.borrow().send_to(&datagram, asker).unwrap();
        }
        let output = asks.wait_with_output().unwrap();
        let (stdout, stderr) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        prop_assert!(question[..length].ends_with(&[0, 1, 0, 1]));
        match output.status.code() {
            Some(0) => prop_assert!(stderr.is_empty() && stdout.ends_with(b"\n"), "{}", stderr),
            Some(1) => prop_assert!(stdout.is_empty() && stderr.lines().count() == 1, "{}", stderr),
            other => return Err(told(format!("its exit status is {other:?}: {stderr}"))),
        }
        // It may have asked again meanwhile.
        socket.borrow().set_nonblocking(true).unwrap();
        loop {
            match socket.borrow().recv(&mut question) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // The client has gone before the second answer came.
                Err(_) => {}
            }
        }
        socket.borrow().set_nonblocking(false).unwrap();
    });
}
