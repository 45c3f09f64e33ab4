//! Step 5 of lab 6, `read_framed`, in the client: what a datagram had no room for.

use std::time::Duration;

use super::ask::{ASKS, WWW, asked, www};
use super::client::{Client, in_time};
use super::fields;
use super::framed::{Framed, framed};
use super::message::{A, Query, Record, SERVFAIL, TC};
use super::reply::Reply;
use crate::net::{Answerer, Cut, Listener, Terms};
use crate::trial::{Trial, Verdict};

checks! { $ names_over_tcp, "names" step 5:
    ask_goes_to_tcp, 2 points: "asks over TCP where the answer did not fit, and takes it in pieces";
    "TC = 1: the records are dropped and the same question is asked over TCP (RFC 7766 section 5)."

    ask_takes_many_records, 1 point: "takes an answer of 600 records over TCP";
    "An answer over TCP has up to 65,535 bytes, and comes in as many segments as it likes."

    ask_says_refused_over_tcp, 1 point: "says that nobody takes its connection";
    "Refused over TCP: cannot ask SERVER."

    ask_says_bad_over_tcp, 2 points: "says that an answer over TCP is cut off, or is no answer to its question";
    "An early end, another id or question over TCP: bad answer."

    ask_gives_up_over_tcp, 1 point, patient: "gives up on a server that says nothing over TCP";
    "2 s for all of it over TCP: no answer; times of a second and more follow LAB_TEMPO."
}

/// What the client owes on its connection.
const OWES: Terms = Terms { owed: "the question", nothing_came: "sent nothing", ..Terms::ANSWERS };

/// A client whose first answer is cut, and the harness's listener on the same port.
struct Truncated {
    client: Client,
    listener: Listener,
    _answerer: Answerer,
}

const GOES: &str = "TC says that the answer is not all: what has come is dropped, and all of it is asked for over TCP, at the \
    same address";

impl Truncated {
    /// It has got an answer with TC and one record, and with this code.
    fn start(t: &Trial, code: u16) -> Verdict<Self> {
        let (answerer, client) = asked(t, &["www.example.test"])?;
        Self::of(t, answerer, client, code)
    }

    fn of(t: &Trial, answerer: Answerer, client: Client, code: u16) -> Verdict<Self> {
        let listener = t.listen_as("the name server over TCP", &[answerer.address], &OWES)?;
        let question = answerer.take(&client.running, ASKS)?;
        let wrong = Record::new("www.example.test", A, vec![127, 6, 6, 6]);
        let cut = Reply::to(&question.bytes).turned(TC).with(&wrong).code(code);
        answerer.answer(&client.running, &question, &cut.bytes())?;
        Ok(Self { client, listener, _answerer: answerer })
    }

    /// Its connection, and the answer to what it has asked on that: the same question again.
    fn accept(&self) -> Verdict<(Framed, Reply)> {
        let mut stream = Framed::new(self.listener.accept(&self.client.running, GOES)?);
        let expected = Query::new("www.example.test", A).bytes();
        let query =
            stream.expect_message("the same question, behind its length", GOES, |bytes| {
                // Its id may be another one: it is a connection of its own.
                if bytes.get(2..) == Some(&expected[2..]) {
                    Ok(bytes.to_vec())
                } else {
                    Err("it is another question than before".to_owned())
                }
            })?;
        Ok((stream, Reply::to(&query)))
    }
}

fn ask_goes_to_tcp(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const PIECES: &str =
            "a read returns what is there: read until the length says that it is all";
        for (code, cut) in [(0, Cut::Behind(&[1, 2, 10, 40])), (SERVFAIL, Cut::Whole)] {
            t.new_scene()?;
            let truncated = Truncated::start(t, code)?;
            let (mut stream, answer) = truncated.accept()?;
            stream.send(&framed(&answer.with(&www()).bytes()), cut)?;
            truncated.client.expect_lines(&[WWW], PIECES)?;
        }
        Ok(())
    })
}

fn ask_takes_many_records(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        let truncated = Truncated::start(t, 0)?;
        let (mut stream, answer) = truncated.accept()?;
        let all = super::records::addresses(600);
        let answer = all.iter().fold(answer, Reply::with);
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        stream.send(&framed(&answer.bytes()), Cut::Whole)?;
        truncated.client.expect_lines(
            &lines,
            "a message of 20,000 bytes comes in several segments, and takes more than one read",
        )
    })
}

fn ask_says_refused_over_tcp(t: &mut Trial) -> Verdict {
    ask_goes_to_tcp(t)?;
    t.new_scene()?;
    in_time(t, |t| {
        let (answerer, client) = asked(t, &["www.example.test"])?;
        let question = answerer.take(&client.running, ASKS)?;
        t.note("nobody listens on that port with TCP");
        let cut = Reply::to(&question.bytes).turned(TC);
        answerer.answer(&client.running, &question, &cut.bytes())?;
        client.expect_refusal(
            "cannot ask {server}…",
            "the user is told what can't be done, and with whom",
        )
    })
}

fn ask_says_bad_over_tcp(t: &mut Trial) -> Verdict {
    in_time(t, |t| {
        const CAUSE: &str = "an answer that ends before its length says so is none, and neither is one to another question: this \
        connection has nothing else to say";
        type Spoil = fn(Reply) -> Vec<u8>;
        let spoilt: [(&str, Spoil); 7] = [
            ("nothing", |_| Vec::new()),
            ("half of a length", |_| vec![0]),
            ("a length, and no message", |reply| framed(&reply.bytes())[..2].to_vec()),
            ("an answer without its last byte", |reply| {
                let bytes = framed(&reply.bytes());
                bytes[..bytes.len() - 1].to_vec()
            }),
            ("an answer with another id", |reply| {
                let [high, low] = reply.id;
                framed(&Reply { id: [!high, low], ..reply }.bytes())
            }),
            ("an answer to another question", |reply| {
                let question = Query::new("www.example.tesu", A).question();
                framed(&Reply { question, ..reply }.bytes())
            }),
            ("a message of five bytes", |reply| framed(&reply.bytes()[..5])),
        ];
        for (what, spoil) in spoilt {
            t.new_scene()?;
            let truncated = Truncated::start(t, 0)?;
            let (mut stream, answer) = truncated.accept()?;
            t.note(format!("what comes over TCP is {what}, and then the end"));
            let bytes = spoil(answer.with(&www()));
            if !bytes.is_empty() {
                stream.send(&bytes, Cut::Whole)?;
            }
            stream.connection.half_close()?;
            truncated.client.expect_refusal("bad answer from {server}: …", CAUSE)?;
        }
        Ok(())
    })
}

fn ask_gives_up_over_tcp(t: &mut Trial) -> Verdict {
    const CAUSE: &str =
        "2 s are the limit for all of it: connecting, asking, and every byte of the answer";
    let answerer = t.answerer("the name server")?.in_words(fields::in_words);
    let client = Client::start_at(t, super::TEMPO, answerer.address, &["www.example.test"])?;
    let truncated = Truncated::of(t, answerer, client, 0)?;
    let (stream, answer) = truncated.accept()?;
    // Part of the answer is no answer. The client's time is short here: it may have gone already.
    let _ = stream.connection.write(&framed(&answer.with(&www()).bytes())[..20])?;
    // On top of the tries, which have their own time.
    t.allow_waiting(Duration::from_millis(1750) + Duration::from_secs(2));
    truncated.client.expect_refusal("no answer from {server}", CAUSE)
}
