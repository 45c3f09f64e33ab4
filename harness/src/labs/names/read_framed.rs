//! Step 5 of lab 6, `read_framed`, in the server: a stream has no messages, so each brings its length.

use std::time::{Duration, Instant};

use super::framed::{Framed, framed};
use super::inquirer::Wanted;
use super::message::{A, AA, FORMERR, NOTIMP, NXDOMAIN, QR, Query, Record, TC, TXT, compare};
use super::parse_query::raw;
use super::records::{addresses, filling, many};
use super::{Names, SERVES, ZONE, fields};
use crate::contract;
use crate::kernel::data_segments_sent;
use crate::net::Cut;
use crate::trial::{Progress, Trial, Verdict};

checks! { $ names_read_framed, "names" step 5:
    answers_over_tcp, 2 points: "answers a question over TCP, and another one on the same connection";
    "Over TCP a message has its length before it, in two bytes; query after query on one connection (RFC 7766 sections 6 and 8). A query that UDP would ignore ends it."

    takes_a_question_in_pieces, 2 points: "takes a question that comes in pieces";
    "A read returns what is there: part of a length, part of a message (RFC 7766 section 8)."

    takes_questions_that_come_together, 2 points: "answers all questions that come in one segment, in order";
    "Query after query, answered in order, also where several come in one segment (RFC 7766 section 6.2.1)."

    whole_over_tcp, 2 points: "gives over TCP all that did not fit into a datagram";
    "The limit over TCP is 65,535 bytes: what TC has announced is there."

    truncates_at_65535, 1 point: "leaves out what does not fit into 65,535 bytes, and says so";
    "Up to 65,535 bytes over TCP; what does not fit is left out, with TC."

    takes_the_longest_question, 1 point: "takes a message of 65,535 bytes";
    "A length of two bytes goes up to 65,535, and all of it belongs to this message."

    sends_length_and_message_together, 1 point: "sends an answer and its length in one write";
    "Length and message leave in one write (RFC 7766 section 8)."

    ends_with_an_end_of_stream, 2 points: "ends a connection behind its answers, and without a reset";
    "A query that UDP would ignore ends the connection: a FIN behind the answers; unread input is first read away."

    survives_cut_messages, 1 point: "ends a connection that was cut off within a message";
    "The end of the stream within a message ends the connection, and nothing else."

    silent_client_holds_nobody, 2 points: "lets a silent client hold up neither UDP nor others";
    "One thread a connection, as many as come: who does not send, or does not read, delays nobody else."

    keeps_nothing_of_many_clients, 1 point: "keeps no socket and no thread of clients that have gone";
    "What has ended is closed, and its thread is done."

    survives_few_descriptors, 1 point, exotic: "recovers when it was out of descriptors";
    "Out of descriptors: one line on stderr, the listener goes on, without spinning."

    gives_up_on_a_silent_client, 2 points, patient: "ends a connection on which no whole question comes";
    "5 s without a whole query end the connection, however many bytes have come; times of a second and more follow LAB_TEMPO."
}

const CAUSE: &str = "two bytes of length first, high byte first, then so many of the message; then the next one, until \
    the client ends";

impl Names {
    /// A new client, that asks over TCP.
    fn caller(&self) -> Verdict<Framed> {
        Ok(Framed::new(self.service().connect()?))
    }
}

/// The question for `www.example.test`, with this id.
fn www(id: u16) -> Query {
    Query::new("www.example.test", A).with_id(id)
}

/// Its answer.
fn its_address() -> Wanted {
    Wanted::records(vec![Record::new("www.example.test", A, vec![127, 0, 0, 5])])
}

fn answers_over_tcp(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let mut caller = names.caller()?;
    for id in 1..=3 {
        caller.ask(&[&www(id)])?;
        caller.expect(&www(id), &its_address(), CAUSE)?;
    }
    let missing = Query::new("nope.example.test", A);
    caller.ask(&[&missing])?;
    caller.expect(&missing, &Wanted::no_record(NXDOMAIN), CAUSE)?;
    for (broken, code) in [(raw([0; 4], b""), FORMERR), (www(6).with_flags(STATUS), NOTIMP)] {
        caller.ask(&[&broken])?;
        caller.expect(&broken, &Wanted::refusal(code), ANSWERED)?;
        caller.ask(&[&www(5)])?;
        caller.expect(&www(5), &its_address(), ANSWERED)?;
    }
    caller.connection.half_close()?;
    caller.expect_end()?;
    names.expect_service()?;
    let mut open = names.caller()?;
    open.ask(&[&www(4)])?;
    open.expect(&www(4), &its_address(), CAUSE)?;
    names.doors.kill_and_start_again()?;
    Ok(())
}

/// An opcode that nobody uses any more: 2.
const STATUS: u16 = 0x1000;
const ANSWERED: &str = "what is no question that can be answered gets an error over TCP, too, and the next message is read behind \
    it: only what UDP would not answer at all ends the connection";

fn takes_a_question_in_pieces(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "a read returns what is there, and that may be one byte of the length, or half of the message: \
        read on until all of it is there";
    let names = Names::start(t)?;
    let mut caller = names.caller()?;
    // Few of them: for all of it a server has 5 s, and a busy harness is slow.
    caller.send(&framed(&www(1).bytes()), Cut::Behind(&[1, 2, 3, 20]))?;
    caller.expect(&www(1), &its_address(), CAUSE)?;
    // The first byte of the next length comes with the end of a message.
    let two = [framed(&www(2).bytes()), framed(&www(3).bytes())].concat();
    let middle = two.len() / 2 + 1;
    caller.send(&two[..middle], Cut::Whole)?;
    caller.expect(&www(2), &its_address(), CAUSE)?;
    caller.send(&two[middle..], Cut::Behind(&[3, 10]))?;
    caller.expect(&www(3), &its_address(), CAUSE)
}

fn takes_questions_that_come_together(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "what comes behind a message is the next one: take no more from the stream than this message, or \
        keep the rest";
    let names = Names::start(t)?;
    let mut caller = names.caller()?;
    let missing = Query::new("nope.example.test", A).with_id(2);
    caller.ask(&[&www(1), &missing, &www(3)])?;
    caller.connection.half_close()?;
    caller.expect(&www(1), &its_address(), CAUSE)?;
    caller.expect(&missing, &Wanted::no_record(NXDOMAIN), CAUSE)?;
    caller.expect(&www(3), &its_address(), CAUSE)?;
    caller.expect_end()
}

fn whole_over_tcp(t: &mut Trial) -> Verdict {
    let names = Names::over(t, &many(600))?;
    let query = Query::new("many.example.test", A);
    let inquirer = names.inquirer()?;
    inquirer.ask(&query)?;
    inquirer.expect_header(&query, "an answer with TC", CAUSE, |flags| match flags & TC {
        0 => Err("byte 2: TC (truncated) is missing".into()),
        _ => Ok(()),
    })?;
    let mut caller = names.caller()?;
    caller.ask(&[&query])?;
    caller.expect(
        &query,
        &Wanted::records(addresses(600)),
        "over TCP an answer may have 65,535 bytes: the limit of 512 is that of a datagram. A client that gets \
         TC here, too, can do nothing more",
    )
}

fn truncates_at_65535(t: &mut Trial) -> Verdict {
    const MANY: usize = 5000;
    let names = Names::over(t, &many(MANY))?;
    let query = Query::new("many.example.test", A);
    let mut caller = names.caller()?;
    caller.ask(&[&query])?;
    let least = (65_535 - 35) / (query.name.len() + 14);
    let expected =
        "at most 65,535 bytes: NOERROR, AA, TC, and as many whole records as fit, or none";
    let cause = "the length has two bytes: what does not fit is left out whole, TC tells of it, and ANCOUNT counts what \
        is there";
    caller.expect_fitting(&query, expected, cause, |reply| {
        fields::flags(QR | query.flags | AA | TC, reply.flags).map_or(Ok(()), Err)?;
        let [_, surplus] = compare(&addresses(MANY), &reply.records);
        match (surplus.first(), reply.records.len()) {
            (Some(record), _) => Err(format!("this record should not be there: {record}")),
            (None, count) if count == 0 || count >= least => Ok(()),
            (None, count) => {
                Err(format!("{count} records, where {least} fit: as many as fit, or none"))
            }
        }
    })?;
    // What follows is found where the length has said.
    caller.ask(&[&www(7)])?;
    caller.expect(&www(7), &its_address(), cause)?;
    t.new_scene()?;
    gives_65535_whole(t)
}

/// Records that fill an answer to its last byte, where each has its name whole.
fn gives_65535_whole(t: &Trial) -> Verdict {
    let (zone, records) = filling(65_535);
    let names = Names::over(t, &zone)?;
    let query = Query::new("many.example.test", TXT);
    let mut caller = names.caller()?;
    caller.ask(&[&query])?;
    let expected = format!("NOERROR, AA, no TC, and all {} records", records.len());
    let cause = "the length of a message has two bytes, and says up to 65,535; these two bytes do not count themselves";
    caller.expect_fitting(&query, &expected, cause, |reply| {
        fields::flags(QR | query.flags | AA, reply.flags).map_or(Ok(()), Err)?;
        match compare(&records, &reply.records).each_ref().map(Vec::len) {
            [0, 0] => Ok(()),
            [missing, _] => Err(format!("{missing} of the records are missing")),
        }
    })
}

fn takes_the_longest_question(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "the length says how long the message is, and the buffer is made so long; what is not looked at has \
        to be read all the same, or it is taken for the next message";
    let names = Names::start(t)?;
    let mut caller = names.caller()?;
    for length in [65_535, 4096, 513] {
        let mut query = www(length as u16);
        query.behind = vec![0; length - query.bytes().len()];
        let bytes = [framed(&query.bytes()), framed(&www(1).bytes())].concat();
        caller.send(&bytes, Cut::Whole)?;
        caller.expect(&query, &its_address(), CAUSE)?;
        caller.expect(&www(1), &its_address(), CAUSE)?;
    }
    Ok(())
}

fn sends_length_and_message_together(t: &mut Trial) -> Verdict {
    /// So often that two writes are seen apart at least once, where segments can't be counted.
    const ROUNDS: u16 = 30;
    let names = Names::start(t)?;
    let mut caller = names.caller()?;
    let apart = |seen: String| {
        Err(t
            .fail("the name server sends the length of an answer before the answer")
            .expected("both in one write, so that they leave in one segment")
            .seen(seen)
            .cause(
                "the second of two small writes may wait until the first is acknowledged, 40 ms and more (Nagle): \
                 put both into one buffer, and write that",
            )
            .stop())
    };
    let before = data_segments_sent();
    for id in 0..ROUNDS {
        caller.ask(&[&www(id)])?;
        let part = caller.first_part()?;
        if part.len() == 1 || part.len() == 2 {
            return apart(format!("in answer {}: its length, and the rest later", id + 1));
        }
        caller.put_back(&part);
        caller.expect(&www(id), &its_address(), CAUSE)?;
        t.new_story();
    }
    t.note(format!("{} asked {ROUNDS} questions, one after the other", caller.connection.name()));
    // Where nobody else sends, each segment is one of theirs: a question is one, and so is an answer.
    let sent = before.and_then(|before| Some(data_segments_sent()? - before));
    match sent.filter(|_| t.addresses().is_isolated()) {
        Some(sent) if sent > 2 * u64::from(ROUNDS) => {
            apart(format!("{} segments with data for {ROUNDS} answers", sent - u64::from(ROUNDS)))
        }
        _ => Ok(()),
    }
}

fn ends_with_an_end_of_stream(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let answer = www(2).with_flags(QR);
    for (what, not_a_query) in [
        ("an answer", framed(&answer.bytes())),
        ("a message of five bytes", framed(&www(2).bytes()[..5])),
        ("a message without a byte", framed(b"")),
    ] {
        t.new_story();
        let mut caller = names.caller()?;
        t.note(format!(
            "a question, then {what}, then 20,000 bytes that nobody is going to answer"
        ));
        let behind = framed(&www(3).bytes()).repeat(20_000 / 36);
        let bytes = [framed(&www(1).bytes()), not_a_query, behind].concat();
        caller.send(&bytes, Cut::Whole)?;
        caller.expect(
            &www(1),
            &its_address(),
            "a close over unread bytes is a reset, and destroys the answers that are on their way",
        )?;
        caller.expect_end()?;
    }
    names.expect_service()
}

fn survives_cut_messages(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let whole = framed(&www(1).bytes());
    for length in [0, 1, 2, 3, whole.len() - 1] {
        t.new_story();
        let mut caller = names.caller()?;
        if length > 0 {
            caller.send(&whole[..length], Cut::Whole)?;
        }
        caller.connection.half_close()?;
        caller.expect_end()?;
    }
    let mut caller = names.caller()?;
    caller.ask(&[&www(1)])?;
    caller.expect(
        &www(1),
        &its_address(),
        "one connection's end is no other connection's problem",
    )?;
    names.expect_service()
}

fn silent_client_holds_nobody(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "a client that says nothing keeps its own thread waiting: UDP, the listener and each connection have a \
        thread of their own";
    let names = Names::over(t, &many(60))?;
    let mut silent = [names.caller()?, names.caller()?];
    silent[1].send(&framed(&www(1).bytes())[..1], Cut::Whole)?;
    let _crowd = names.crowd()?;
    names.expect_all_accepted()?;
    names.service().expect_idle()?;
    // And one that asks, and does not read the answers: the server is blocked in a write to it.
    let greedy = names.caller()?;
    let many = framed(&Query::new("many.example.test", A).bytes()).repeat(60_000);
    t.note("another client asks again and again, and reads no answer");
    let _ = greedy.connection.fill_queues(&many)?;
    names.expect_service()?;
    let mut caller = names.caller()?;
    caller.ask(&[&www(1)])?;
    caller.expect(&www(1), &its_address(), CAUSE)
}

fn keeps_nothing_of_many_clients(t: &mut Trial) -> Verdict {
    contract::keeps_nothing_of_many_clients(t, &SERVES)?;
    t.new_scene()?;
    answers_over_tcp(t)
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    contract::survives_few_descriptors(t, &SERVES)?;
    t.new_scene()?;
    answers_over_tcp(t)
}

fn gives_up_on_a_silent_client(t: &mut Trial) -> Verdict {
    const LIMIT: Duration = Duration::from_secs(5);
    const CAUSE: &str = "one moment is the limit for the whole message: a time-out that begins anew with each byte never ends \
        for a client that sends one now and then";
    let names = Names::at_tempo(t, ZONE)?;
    // A program that does not know LAB_TEMPO takes its time.
    t.allow_waiting(LIMIT);
    let began = Instant::now();
    let mut silent = names.caller()?;
    let mut dribbling = names.caller()?;
    dribbling.send(&60_000_u16.to_be_bytes(), Cut::Whole)?;
    t.note("the first says nothing, and the second sends a byte now and then");
    let mut last = Instant::now();
    let mut ended = [None, None];
    let waited = t.wait(names.running(), || {
        for (one, ended) in [&mut silent, &mut dribbling].into_iter().zip(&mut ended) {
            if ended.is_none() && one.has_ended()? {
                *ended = Some(Instant::now());
            }
        }
        if ended[1].is_none() && last.elapsed() > Duration::from_millis(50) {
            let _ = dribbling.connection.try_write(b"a");
            last = Instant::now();
        }
        let both = ended.iter().all(Option::is_some);
        Ok(if both { Progress::Done(()) } else { Progress::Nothing })
    })?;
    let names_of = ["the client that says nothing", "the client that sends a byte now and then"];
    if let Err(stall) = waited {
        let open = names_of.into_iter().zip(ended).find(|(_, ended)| ended.is_none());
        return Err(t
            .fail(format!(
                "the name server waits for ever for {}",
                open.map_or("", |(name, _)| name)
            ))
            .expected("the end of the connection, when 5 seconds have passed without a whole query")
            .seen(stall.stays(super::CALLED))
            .cause(CAUSE)
            .stop());
    }
    // Nobody is let go before his time.
    let least = LIMIT.mul_f64(super::TEMPO * 0.8);
    for (name, ended) in names_of.into_iter().zip(ended) {
        let after = ended.map_or(LIMIT, |ended| ended.duration_since(began));
        if after < least {
            return Err(t
                .fail(format!("the name server did not wait for {name}"))
                .expected(format!(
                    "at least {} ms, at a tempo of {}",
                    least.as_millis(),
                    super::TEMPO
                ))
                .seen(format!("the end of the connection after {} ms", after.as_millis()))
                .cause("a client may think between two questions, and a network may be slow")
                .stop());
        }
    }
    // Over UDP there is no time to be late in.
    names.expect_service()
}
