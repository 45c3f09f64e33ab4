//! Step 4 of lab 6, `ask`: a client that nobody tells what was lost.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};

use super::client::{Client, GIVES_UP, TRIES, in_time};
use super::message::{A, AA, AAAA, CNAME, HEADER, MX, NS, NXDOMAIN, QR, Query, Record, TXT};
use super::reply::Reply;
use super::{LAB, fields};
use crate::net::{Answerer, Datagram};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Stall, StallKind, Stop, Trial, Verdict};

checks! { $ names_ask, "names" step 4:
    sends_a_right_question, 2 points: "sends one question and nothing else";
    "RD = 1, a random id, one question, no OPT (RFC 1035 section 4.1)."

    notices_a_dead_port, 2 points: "says at once that nobody is there";
    "The kernel tells a connected socket that nobody has the port: cannot ask SERVER, at once."

    asks_again, 2 points: "asks again when the first question is lost";
    "Tries with the same id at 0, 250 and 750 ms: the answer to any of them counts."

    takes_a_late_answer, 2 points: "takes the answer to its first try while it waits for the second";
    "Taken is the first datagram that answers the question, whichever try it answers."

    passes_over_strangers, 3 points: "takes nothing but an answer to this question from this server";
    "Taken is what comes from SERVER, has at least 12 bytes, QR = 1, this id, and this whole question (RFC 5452 section 9.1)."

    asks_over_ipv6, 1 point: "asks a server that has a name, and one that has an IPv6 address";
    "SERVER is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    refuses_bad_questions, 1 point: "refuses a name and a type that there can't be";
    "A NAME that can't be, an unknown TYPE, a dot at the end, an address without host or port: wrong usage, status 2."

    gives_up_in_time, 3 points, patient: "asks three times, and gives up";
    "Three tries with the same id, at 0, 250 and 750 ms; gives up at 1,750 ms: no answer from SERVER."

    is_not_kept_waiting, 2 points, patient: "gives up in time, whatever else comes";
    "Everything else is passed over, and does not lengthen the wait."
}

pub(super) const ASKS: &str =
    "a socket that is connected to the server, one send, and a receive that has a time-out";

/// The harness as the name server, and a client that asks it with these words.
pub(super) fn asked(t: &Trial, words: &[&str]) -> Verdict<(Answerer, Client)> {
    let answerer = t.answerer("the name server")?.in_words(fields::in_words);
    let client = Client::start(t, answerer.address, words)?;
    Ok((answerer, client))
}

/// The same, with the client's first question, for the address of `www.example.test`.
pub(super) fn asked_for_www(t: &Trial) -> Verdict<(Answerer, Client, Datagram)> {
    let (answerer, client) = asked(t, &["www.example.test"])?;
    let question = answerer.take(&client.running, ASKS)?;
    Ok((answerer, client, question))
}

/// Its address, and the line that the client prints of it.
pub(super) fn www() -> Record {
    Record::new("www.example.test", A, vec![127, 0, 0, 5])
}
pub(super) const WWW: &str = "www.example.test 300 A 127.0.0.5";

/// The right answer to a question for it.
fn whole(question: &Datagram) -> Vec<u8> {
    Reply::to(&question.bytes).with(&www()).bytes()
}

fn sends_a_right_question(t: &mut Trial) -> Verdict {
    let mut seen = Vec::new();
    // 255 bytes on the wire: the most that a name may have.
    let longest = [63, 63, 63, 61].map(|length| "a".repeat(length)).join(".");
    for (words, name, kind) in [
        (&["www.example.test"][..], "www.example.test", A),
        (&["wWw.Example.test", "mx"], "wWw.Example.test", MX),
        (&["example.test", "AAAA"], "example.test", AAAA),
        (&["example.test", "Txt"], "example.test", TXT),
        (&["example.test", "NS"], "example.test", NS),
        (&["a", "CNAME"], "a", CNAME),
        (&[&longest[..]], &longest, A),
    ] {
        t.new_scene()?;
        let (answerer, client) = asked(t, words)?;
        let datagram = answerer.take(&client.running, ASKS)?;
        let id = datagram.bytes.first_chunk().map_or(0, |two| u16::from_be_bytes(*two));
        let expected = Query::new(name, kind).with_id(id);
        if datagram.bytes != expected.bytes() {
            let (expected, seen) = (expected.bytes(), &datagram.bytes);
            let at = expected.iter().zip(seen).take_while(|(a, b)| a == b).count();
            let query = Query::new(name, kind);
            return Err(t
                .fail("the client asks something else than it should")
                .expected(format!("{}, and nothing else", fields::in_words(&expected)))
                .seen(fields::in_words(seen))
                .seen(format!("the first difference is in {}", fields::field_at(&query, at)))
                .difference(&expected, seen)
                .cause(if at < HEADER { HEADER_IS } else { QUESTION_IS })
                .stop());
        }
        seen.push((id, datagram.from.port()));
    }
    let all_the_same = |numbers: Vec<u16>| numbers.windows(2).all(|two| two[0] == two[1]);
    let (ids, ports): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    let what = match (all_the_same(ids.clone()), all_the_same(ports.clone())) {
        (true, _) => format!("in {} runs the id was {} each time", ids.len(), ids[0]),
        (_, true) => format!("in {} runs it asked from port {} each time", ports.len(), ports[0]),
        // The number of a process is one: whoever has seen an id knows what comes next.
        _ if ids.windows(2).all(|two| two[1].wrapping_sub(two[0]) < A_LITTLE) => {
            format!(
                "the ids count up: {}",
                ids.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
            )
        }
        _ => return Ok(()),
    };
    Err(t
        .fail("the client asks with an id or from a port that anybody can guess")
        .expected("a random id, and a port that the system chooses")
        .seen(what)
        .cause("whoever knows both can send a wrong answer before the right one comes (RFC 5452)")
        .stop())
}

const HEADER_IS: &str =
    "the header has six numbers of two bytes: the id, RD (0x0100), one question, and three times 0";
const QUESTION_IS: &str = "the question is NAME as it was typed, label by label, each behind its length, a zero, and then \
    the type and the class (IN, 1), two bytes each";

/// By chance no six ids follow each other so closely, one time in a thousand million.
const A_LITTLE: u16 = 1000;

fn notices_a_dead_port(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        // First one that answers: a client that fails always would pass.
        let (answerer, client, question) = asked_for_www(t)?;
        answerer.answer(&client.running, &question, &whole(&question))?;
        client.expect_lines(&[WWW], ASKS)?;
        t.new_scene()?;
        let address = t.addresses().free_address();
        t.note(format!("nobody has a socket on UDP {address}"));
        let client = Client::start(t, address, &["www.example.test"])?;
        client.expect_refusal(
        "cannot ask {server}…",
        "a socket that is connected (connect) is told by the kernel that nobody is there (ICMP), and the \
         next receive returns ConnectionRefused. One that is not connected waits in vain",
    )
    })?;
    t.new_scene()?;
    in_time(t, calls_a_server_as_typed)
}

/// A name for SERVER is asked at its address, and told of as it was typed.
fn calls_a_server_as_typed(t: &Trial) -> Verdict {
    let Some(addresses) = localhost(t)? else { return Ok(()) };
    let server = format!("localhost:{}", addresses[0].port());
    t.note(format!("nobody has a socket on UDP {server}"));
    let client = Client::start_named(t, &server, &["www.example.test"])?;
    client.expect_refusal(
        "cannot ask {server}…",
        "a name for SERVER is looked up, its first address is asked, and the line has SERVER as it was typed",
    )
}

fn asks_again(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "a datagram is lost without a word: when nothing has come for a while, the same \
        question is sent once more";
        let (answerer, client, lost) = asked_for_www(t)?;
        let again = answerer.take(&client.running, CAUSE)?;
        if again != lost {
            return Err(t
            .fail("the second question is not the first one again")
            .expected("the same datagram, from the same socket")
            .seen(format!("from {}: {}", again.from, fields::in_words(&again.bytes)))
            .difference(&lost.bytes, &again.bytes)
            .cause(
                "with another id, or from another socket, the answer to the first try is lost, too",
            )
            .stop());
        }
        let answer = Reply::to(&again.bytes).with(&www());
        answerer.answer(&client.running, &again, &answer.bytes())?;
        client.expect_lines(&[WWW], CAUSE)
    })
}

fn takes_a_late_answer(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "the first answer was only slow: it has the same id and the same question, and comes to \
        the same socket";
        let (answerer, client, first) = asked_for_www(t)?;
        let _second =
            answerer.take(&client.running, "when nothing has come for a while it asks again")?;
        // From a server that has it from somebody else: it does not say AA.
        let answer = Reply::to(&first.bytes).turned(AA).with(&www()).bytes();
        answerer.answer(&client.running, &first, &answer)?;
        // The answer to the second try is one too many, and disturbs nobody.
        answerer.answer(&client.running, &first, &answer)?;
        client.expect_lines(&[WWW], CAUSE)
    })
}

fn passes_over_strangers(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "anybody can send to this port: look at the sender (connect does that), at the id, at \
        QR and at the whole question, and wait on where one of them is not right";
        let (answerer, client, question) = asked_for_www(t)?;
        let mut lies = 0;
        // Each with an address of its own, so that the one that was taken can be told.
        let mut lie = || {
            lies += 1;
            let address = Record::new("www.example.test", A, vec![127, 6, 6, lies]);
            Reply::to(&question.bytes).with(&address)
        };
        let [high, low] = lie().id;
        let asked = |name: &str, kind: u16| Query::new(name, kind).question();
        let other_class = [&asked("www.example.test", A)[..34 - HEADER - 2], &[0, 3]].concat();
        for answer in [
            Reply { id: [high, low.wrapping_add(1)], ..lie() },
            Reply { id: [high ^ 0x55, low], ..lie() },
            lie().turned(QR),
            Reply { question: asked("www.example.tesu", A), ..lie() },
            Reply { question: asked("ww.example.test", A), ..lie() },
            Reply { question: asked("www.example.test.org", A), ..lie() },
            Reply { question: asked("www.example.test", AAAA), ..lie() },
            // 0x01 and 0x21 differ as letters of the two cases do, and are no letters.
            Reply { question: asked("www.example.test", 0x21), ..lie() },
            Reply { question: other_class, ..lie() },
            Reply { question: asked("www.example.tesu", A), ..lie() }.code(NXDOMAIN),
            lie().without_question(),
        ] {
            answerer.answer(&client.running, &question, &answer.bytes())?;
        }
        for length in [0, 2, 5, 11] {
            answerer.answer(&client.running, &question, &lie().bytes()[..length])?;
        }
        answerer.answer_from_another_port(&client.running, &question, &lie().bytes())?;
        answerer.answer_from_another_host(&client.running, &question, &lie().bytes())?;
        answerer.answer(&client.running, &question, &whole(&question))?;
        client.expect_lines(&[WWW], CAUSE)
    })
}

/// The harness is the name server at each address of `localhost`: which is the first one is for the
/// client's own system to say.
fn asks_by_name(t: &Trial) -> Verdict {
    const CAUSE: &str = "SERVER is HOST:PORT, where HOST is IPv4, [IPv6] or a name: a name is looked up, and its first \
        address is asked";
    let Some(addresses) = localhost(t)? else { return Ok(()) };
    let answerer = |address: &SocketAddr| {
        Ok(t.answerer_on("the name server", *address)?.in_words(fields::in_words))
    };
    let answerers: Vec<_> = addresses.iter().map(answerer).collect::<Verdict<_>>()?;
    let server = format!("localhost:{}", addresses[0].port());
    let client = Client::start_named(t, &server, &["www.example.test"])?;
    let asked = t.wait_for_start(&client.running, || {
        for answerer in &answerers {
            if let Progress::Done(question) = answerer.look(&client.running)? {
                return Ok(Progress::Done((answerer, question)));
            }
        }
        Ok(Progress::Nothing)
    })?;
    let (answerer, question) = asked.map_err(|stall| {
        t.fail("the client did not ask")
            .expected(format!("a datagram to {server}"))
            .seen(stall.sentence("client"))
            .cause(CAUSE)
            .stop()
    })?;
    answerer.answer(&client.running, &question, &whole(&question))?;
    client.expect_lines(&[WWW], CAUSE)
}

/// The addresses of `localhost` here, with a port that nobody has there; nothing where one of them is
/// no address of this machine.
fn localhost(t: &Trial) -> Verdict<Option<Vec<SocketAddr>>> {
    let port = t.addresses().free_localhost()?.port();
    let Ok(addresses) = ("localhost", port).to_socket_addrs() else { return Ok(None) };
    let mut addresses: Vec<_> = addresses.collect();
    addresses.dedup();
    let free = addresses.iter().all(|address| UdpSocket::bind(address).is_ok());
    Ok(free.then_some(addresses))
}

fn asks_over_ipv6(t: &mut Trial) -> Verdict {
    in_time(t, asks_by_name)?;
    t.new_scene()?;
    in_time(t, |t| {
        let Some(address) = t.addresses().free_address_v6() else {
            return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
        };
        let answerer = t.answerer_on("the name server", address)?.in_words(fields::in_words);
        let client = Client::start(t, address, &["www.example.test"])?;
        const CAUSE: &str = "a socket that is bound to an IPv4 address can't be connected to an IPv6 one: bind [::] for \
        that, with port 0";
        let question = answerer.take(&client.running, CAUSE)?;
        answerer.answer(&client.running, &question, &whole(&question))?;
        client.expect_lines(&[WWW], CAUSE)
    })
}

fn refuses_bad_questions(t: &mut Trial) -> Verdict {
    // First one that is right: a client that refuses everything would pass.
    let (answerer, client, question) = asked_for_www(t)?;
    answerer.answer(&client.running, &question, &whole(&question))?;
    client.expect_lines(&[WWW], ASKS)?;
    let server = answerer.address.to_string();
    let (label, long) = ("a".repeat(64), ["a"; 128].join("."));
    for (words, what) in [
        (&[&server[..]][..], "no NAME"),
        (&[&server, ""], "an empty NAME"),
        (&[&server, "www..test"], "an empty label"),
        (&[&server, "www.test."], "a dot at the end of NAME"),
        (&[&server, &label], "a label of 64 bytes"),
        (&[&server, &long], "a NAME of 257 bytes"),
        (&[&server, "www.test", "SRV"], "a TYPE that it does not know"),
        (&[&server, "www.test", "A", "A"], "an argument too many"),
        (&["127.0.0.1", "www.test"], "a SERVER without a port"),
        (&[":53", "www.test"], "a SERVER without a host"),
    ] {
        t.new_scene()?;
        let given = Given::arguments(["ask"].iter().chain(words));
        let running = t.start_as("client", LAB.name, given, Stdin::Null)?;
        let stall = t.wait(&running, || Ok(Progress::<()>::Nothing))?;
        let status = match stall {
            Err(Stall { kind: StallKind::Ended(status) }) => Some(status),
            _ => None,
        };
        running.program.stop()?;
        let lines = running.program.stderr().last_lines(usize::MAX);
        if status.and_then(|status| status.code()) == Some(2) && lines.len() == 1 {
            continue;
        }
        let told = match &lines[..] {
            [] => "nothing on standard error".to_owned(),
            [one] => format!("one line on standard error: {one}"),
            lines => format!("{} lines on standard error", lines.len()),
        };
        return Err(t
            .fail(format!("given {what}, the client does not say how it is used"))
            .expected("one usage line on standard error; exit status 2")
            .seen(format!("{told}; {}", status.map_or("it goes on".into(), describe_exit)))
            .cause("what can't be asked is said before anything is sent")
            .stop());
    }
    Ok(())
}

const GIVES_UP_CAUSE: &str = "three sends of the same datagram, each followed by a wait of its own: 250 ms, 500 ms and \
    1 s. What is left of the wait is what a receive may take: the moment of its end is known from the first send on";

fn gives_up_in_time(t: &mut Trial) -> Verdict {
    let (answerer, client) = asked(t, &["www.example.test"])?;
    let tries = answerer.take_all(&client.running, client.began, None, GIVES_UP_CAUSE)?;
    tries.expect_times(&TRIES, GIVES_UP, GIVES_UP_CAUSE)?;
    tries.expect_sleep()?;
    tries.expect_the_same(
        "the answer to any of the tries counts: all have the same id and one socket",
    )?;
    client.expect_refusal("no answer from {server}", "nothing has come, and the user is told so")
}

fn is_not_kept_waiting(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "whoever sends something now and then must not keep the client: a time-out that begins \
        anew with each datagram never ends. Wait for what is left until a moment that is fixed";
    let (answerer, client) = asked(t, &["www.example.test"])?;
    t.note("somebody answers another question again and again");
    let junk = |asked: &Datagram| {
        let reply =
            Reply::to(&asked.bytes).with(&Record::new("www.example.test", A, vec![127, 6, 6, 6]));
        Reply { id: [reply.id[0], !reply.id[1]], ..reply }.bytes()
    };
    let tries = answerer.take_all(&client.running, client.began, Some(junk), CAUSE)?;
    tries.expect_times(&TRIES, GIVES_UP, CAUSE)?;
    client.expect_refusal("no answer from {server}", CAUSE)
}
