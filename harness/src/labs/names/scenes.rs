//! What the book shows of names: one thing in each scene.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::inquirer::Wanted;
use super::message::{A, AA, FORMERR, NXDOMAIN, QR, Query, RD, Record, header, name_on_the_wire};
use super::{LAB, Names};
use crate::lab::Scene;
use crate::net::Answerer;
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Running, Stall, StallKind, Trial, Verdict};

const START: &str = "The program starts, with the zone that it is to answer from.";
const TCP: &str = "The TCP half of the port. It is for answers that are too long for a datagram.";
const UDP: &str = "The UDP half, with the same number. For UDP that is all: no listen, no accept.";
const READY: &str = "Both halves are there: now it says so.";
const WAITS: &str = "One call, one datagram, and whose it is.";

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "askers",
        programs: &["names"],
        title: "Two clients and one socket, and a datagram with nothing in it",
        syscalls: false,
        why: &[
            START,
            TCP,
            UDP,
            READY,
            "A question from a port that the server has never seen. Nothing has to come before it.",
            WAITS,
            "The answer goes to where the question came from. Who that is, the server forgets at once.",
            "Another client, and the same socket. The first one has not even read its answer yet.",
            WAITS,
            "Each gets its own answer, although nothing tells the two apart but their addresses.",
            "The second client reads. It could not have got the first one's answer.",
            "The first client reads. Its answer has been waiting in its own kernel.",
            "A datagram without a byte in it. It is sent, carried and queued like any other.",
            "Received: Ok(0). It is no question, so it gets nothing, and it ends nothing.",
            "The next question.",
            "The server is there as before.",
            "An answer, as always.",
            "Whoever asks twice is answered twice.",
        ],
        run: askers,
    },
    Scene {
        name: "codes",
        programs: &["names"],
        title: "A name that is there, one that is not, and three messages that are no questions",
        syscalls: false,
        why: &[
            START,
            TCP,
            UDP,
            READY,
            "The header, a name, a type, a class. The figures above have it byte by byte.",
            WAITS,
            "The same id and the same question, the bit QR, and a record behind it.",
            "By the id the client knows which of its questions this is for.",
            "A name that the zone does not have.",
            WAITS,
            "NXDOMAIN, at once: the client knows it now, and need not wait.",
            "A whole answer, although it has no record.",
            "The first 20 bytes of a question. Its name announces more than has come.",
            "The server looks before it reads on, and finds that there is nothing to read.",
            "FORMERR: a header with the id, and no more. The question can't be copied.",
            "The client sees by the id which of its questions was broken.",
            "5 bytes: not even a header.",
            "No answer is possible without an id and the bit QR. Silence.",
            "An answer, as good as the server's own. Its name is in the zone.",
            "Silence again. Two servers that answered answers would never stop.",
        ],
        run: codes,
    },
    Scene {
        name: "asking-again",
        programs: &["names"],
        title: "Two questions are lost, and the third is answered",
        syscalls: false,
        why: &[
            "The client starts. It gets the address of a server, a name, and no type: then it is A.",
            "connect on a UDP socket: nothing is sent, and from now on nobody else is heard.",
            "The question goes out, and never arrives. Nobody is told.",
            "The time of the first try is over. The program was asleep until then.",
            "The second try: the same bytes from the same port. Lost again.",
            "The wait is twice as long now. Who does not answer may have too much to do.",
            "The third try.",
            "This one arrives. To the server it is the first question.",
            "The answer has the id that all three tries have had.",
            "It is printed; the time that was left of the third try is not waited for.",
            "Two losses, and for the user it was just a little slow.",
        ],
        run: asking_again,
    },
    Scene {
        name: "strangers",
        programs: &["names"],
        title: "Three datagrams that are not the answer, and one that is",
        syscalls: false,
        why: &[
            "The client starts. LAB_SLOW_MOTION makes its tries long, so that it does not ask again while it is drawn.",
            "connect: the kernel will let in what comes from this one address.",
            "The question, with an id that the client has chosen by chance.",
            "The server has it, and takes its time.",
            "A stranger has guessed the port, the id and the question. Its address is another one: the kernel drops it, and the program never wakes.",
            "From the server's own address, but the id is another question's. An answer that comes late looks like that.",
            "The program looks at it, passes over it, and goes on waiting for what is left of the time.",
            "The right id, and another name in the question. Perhaps somebody forges addresses, and has guessed.",
            "Passed over. It would be a lie about a name that nobody has asked for.",
            "The right address, the right id, the right question.",
            "This is the answer, and it is printed.",
            "None of the three has made the wait any longer.",
        ],
        run: strangers,
    },
    Scene {
        name: "too-long",
        programs: &["names"],
        title: "An answer that is too long for a datagram: TC, and the same question over TCP",
        syscalls: false,
        why: &[
            START,
            TCP,
            UDP,
            READY,
            "Over UDP first, as nearly everybody does.",
            WAITS,
            "As many whole records as have room in 512 bytes, and TC: there is more.",
            "The client sees TC, and throws these records away. They are not the answer.",
            "The same number, the other protocol. The three packets cost a whole way there and back.",
            "In a thread of its own, so that datagrams are answered meanwhile.",
            "The first of the two bytes that say the length. It may come alone.",
            "One byte of a length says nothing. The server reads on.",
            "The other byte, and the question: the same bytes as in the datagram.",
            "The length is known now, and so it is known that this is all.",
            "The length and all 60 records, in one write.",
            "2 bytes, then exactly so many as they say. The client need not guess where it ends.",
            "The client has no more questions.",
            "An end between two messages is an end in good order.",
            "So the server ends, too.",
        ],
        run: too_long,
    },
];

const RECORDED: &str = "a scene shows what a right program does";
/// After so long the client gives up.
const THREE_TRIES: Duration = Duration::from_millis(1750);
const WWW: &str = "www.example.test";

fn its_address() -> Vec<Record> {
    vec![Record::new(WWW, A, vec![127, 0, 0, 5])]
}

fn askers(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let [first, second] = [names.inquirer()?, names.inquirer()?];
    let one = Query::new(WWW, A);
    let other = Query::new("ns.example.test", A).with_id(0x1235);
    let its = Wanted::records(vec![Record::new("ns.example.test", A, vec![127, 0, 0, 1])]);
    first.ask(&one)?;
    second.ask(&other)?;
    second.expect(&other, &its, RECORDED)?;
    first.expect(&one, &Wanted::records(its_address()), RECORDED)?;
    second.send(b"")?;
    second.expect_nothing(RECORDED)?;
    first.expect_answer(&one, &Wanted::records(its_address()), RECORDED)
}

fn codes(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let client = names.inquirer()?;
    let www = Query::new(WWW, A);
    client.expect_answer(&www, &Wanted::records(its_address()), RECORDED)?;
    let nope = Query::new("nope.example.test", A).with_id(0x1235);
    client.expect_answer(&nope, &Wanted::no_record(NXDOMAIN), RECORDED)?;
    let cut = www.clone().with_id(0x1236);
    client.send(&cut.bytes()[..20])?;
    client.expect(&cut, &Wanted::refusal(FORMERR), RECORDED)?;
    client.send(&cut.bytes()[..5])?;
    client.expect_nothing(RECORDED)?;
    client.send(&answer(&www.with_id(0x1237).bytes()))?;
    client.expect_nothing(RECORDED)
}

/// An address for the name at byte 12, for 300 seconds: 127.0.0.5.
const ADDRESS: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 5];

/// The answer to a query for an address, as servers send it.
fn answer(query: &[u8]) -> Vec<u8> {
    let id = u16::from_be_bytes([query[0], query[1]]);
    let head = header(id, QR | AA | RD, [1, 1, 0, 0]);
    [&head, &query[12..], &ADDRESS].concat()
}

/// What the lab's client is given, which asks the harness's name server.
fn asks(server: SocketAddr) -> Given {
    Given::arguments(["ask", &server.to_string(), WWW])
}

fn client(t: &Trial, given: Given) -> Verdict<Rc<Running>> {
    t.start_as("client", LAB.name, given, Stdin::Null)
}

/// Its end, which is told where it is recorded.
fn expect_end(t: &Trial, client: &Rc<Running>) -> Verdict {
    if let Err(Stall { kind: StallKind::Ended(status) }) =
        t.wait(client, || Ok(Progress::<()>::Nothing))?
    {
        t.record_program(client, "exit", || {
            describe_exit(status).trim_start_matches("exit ").to_owned()
        });
        return Ok(());
    }
    Err(t.fail("the client does not end").expected(RECORDED).stop())
}

fn asking_again(t: &mut Trial) -> Verdict {
    t.allow_waiting(THREE_TRIES);
    let server = t.answerer("name server")?;
    let client = client(t, asks(server.address))?;
    server.wait(&client, RECORDED)?;
    let asked = Instant::now();
    let first = server.lose(&client, RECORDED)?;
    let asked = again(t, &server, &client, asked)?;
    let second = server.lose(&client, RECORDED)?;
    again(t, &server, &client, asked)?;
    let third = server.take(&client, RECORDED)?;
    if [&first.bytes, &second.bytes] != [&third.bytes; 2] {
        return Err(t.fail("the question has changed").expected(RECORDED).stop());
    }
    server.answer(&client, &third, &answer(&third.bytes))?;
    expect_end(t, &client)
}

/// Waits for the next try, and records how long that is after the one before; when it came.
fn again(t: &Trial, server: &Answerer, client: &Rc<Running>, before: Instant) -> Verdict<Instant> {
    server.wait(client, RECORDED)?;
    let now = Instant::now();
    let waited = now.duration_since(before).as_millis();
    t.record_program(client, "recv", || format!("nothing, for ≈{waited} ms"));
    Ok(now)
}

fn strangers(t: &mut Trial) -> Verdict {
    t.allow_time_outs();
    let server = t.answerer("name server")?;
    // Its first try lasts 25 seconds: on no machine it is over in the middle of the scene.
    let client = client(t, asks(server.address).environment("LAB_SLOW_MOTION", 100))?;
    let question = server.take(&client, RECORDED)?;
    let right = answer(&question.bytes);
    server.answer_from_another_port(&client, &question, &right)?;
    let mut wrong = right.clone();
    wrong[1] = wrong[1].wrapping_add(1);
    server.answer(&client, &question, &wrong)?;
    let other = name_on_the_wire("ftp.example.test");
    let mut wrong = right.clone();
    wrong[12..12 + other.len()].copy_from_slice(&other);
    server.answer(&client, &question, &wrong)?;
    server.answer(&client, &question, &right)?;
    expect_end(t, &client)
}

fn too_long(t: &mut Trial) -> Verdict {
    let records = (1..=60).map(|n| format!("many.example.test 300 A 127.0.1.{n}\n"));
    let zone: String = std::iter::once("zone example.test\n".to_owned()).chain(records).collect();
    let names = Names::over(t, &zone)?;
    let client = names.inquirer()?;
    let many = Query::new("many.example.test", A);
    client.ask(&many)?;
    client.expect_fitting(&many, "an answer with TC", RECORDED, |reply| {
        if reply.is_cut() { Ok(()) } else { Err("TC is missing".to_owned()) }
    })?;
    let mut stream = names.service().connect_as("asker 1".to_owned(), true)?;
    let question = many.bytes();
    let framed = [&[0, question.len() as u8], &question[..]].concat();
    stream.send(&framed[..1])?;
    stream.send(&framed[1..])?;
    stream.wait_for_answer()?;
    stream.discard()?;
    stream.close();
    names.service().settle().map(drop)
}
