//! Step 1 of lab 6, `serve`: datagram in, datagram out, to whoever sent it.

use super::message::{A, Query};
use super::{Names, SERVES};
use crate::contract::{self};
use crate::trial::{Trial, Verdict};

checks! { $ names_serve, "names" step 1:
    answers_a_question, 2 points: "answers a datagram with a datagram";
    "Datagram in, datagram out: an answer has the id of its question, and QR (RFC 1035 section 4.1.1)."

    answers_the_sender, 2 points: "answers each to the address and the port that it asked from";
    "An answer goes to the address and the port that the question came from."

    answers_from_the_port_asked, 1 point: "answers from the address that was asked";
    "An answer comes from the address that the question was sent to (RFC 2181 section 4.1)."

    keeps_boundaries, 2 points: "takes two datagrams that wait for two questions";
    "A datagram is a message: two that wait in the queue are two questions, and get two answers (RFC 768). UDP is served in one thread, in order."

    survives_an_empty_datagram, 2 points: "takes an empty datagram for no end";
    "A datagram may have no byte, and says nothing about the ones to come: UDP has no end of a stream."

    survives_a_dead_asker, 2 points: "is not disturbed by an asker that has gone";
    "Who asks may be gone before the answer comes; that is no error of the server's."

    is_still_without_questions, 1 point: "costs nothing while nobody asks";
    "Blocking calls wait in the kernel, in receive and in accept: no processor time, no polling."
}

/// The question for number `n` of several.
fn numbered(n: u16) -> Query {
    Query::new("www.example.test", A).with_id(0x0100 * n + n)
}

fn answers_a_question(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    for n in 1..=3 {
        inquirer.ask(&numbered(n))?;
        inquirer.expect_some_answer(&numbered(n), "recv_from, then send_to, for ever")?;
    }
    inquirer.expect_nothing("one answer for each question")?;
    names.doors.expect_ready_lines("its standard output has the ready line, and nothing else")
}

fn answers_the_sender(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "recv_from says who has sent this datagram, and send_to takes whom to \
        answer, one datagram after the other: a socket that is connected to the first asker hears nobody else, \
        and in a buffer that threads share the next question stands in the place of this one";
    let names = Names::start(t)?;
    let [first, second] = [names.inquirer()?, names.inquirer()?];
    for (n, inquirer) in [(1, &first), (2, &second), (3, &first)] {
        inquirer.ask(&numbered(n))?;
        inquirer.expect_some_answer(&numbered(n), CAUSE)?;
    }
    // Crossed: both wait in the queue before one of them is answered.
    t.freeze(names.running())?;
    first.ask(&numbered(4))?;
    second.ask(&numbered(5))?;
    t.thaw(names.running())?;
    second.expect_some_answer(&numbered(5), CAUSE)?;
    first.expect_some_answer(&numbered(4), CAUSE)?;
    first.expect_nothing(CAUSE)?;
    second.expect_nothing(CAUSE)
}

fn answers_from_the_port_asked(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    // `expect_some_answer` looks at the sender, too: this check says so aloud.
    for n in 1..=2 {
        let inquirer = names.inquirer()?;
        inquirer.ask(&numbered(n))?;
        inquirer.expect_some_answer(
            &numbered(n),
            "a client drops what comes from somewhere else: send from the socket that received",
        )?;
    }
    names.doors.expect_no_other_door("one UDP socket is for both: to receive and to answer")
}

fn keeps_boundaries(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "each recv_from returns one datagram, whole, and never parts of two: take \
        one, answer it, and then take the next. Several threads answer in any order, and in a buffer \
        that they share the next question stands in the place of this one";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    t.freeze(names.running())?;
    t.note("the name server was stopped (SIGSTOP)");
    for n in 1..=3 {
        inquirer.ask(&numbered(n))?;
    }
    t.thaw(names.running())?;
    t.note("it goes on (SIGCONT)");
    for n in 1..=3 {
        inquirer.expect_some_answer(&numbered(n), CAUSE)?;
    }
    inquirer.expect_nothing(CAUSE)
}

fn survives_an_empty_datagram(t: &mut Trial) -> Verdict {
    const CAUSE: &str = "a read of 0 bytes is the end of a stream, and a datagram of 0 bytes is a \
        datagram: the loop goes on";
    let names = Names::start(t)?;
    let inquirer = names.inquirer()?;
    inquirer.send(b"")?;
    inquirer.ask(&numbered(1))?;
    inquirer.expect_some_answer(&numbered(1), CAUSE)?;
    inquirer.expect_nothing("to a datagram without a byte there is nothing to say")?;
    names.expect_service()
}

fn survives_a_dead_asker(t: &mut Trial) -> Verdict {
    let names = Names::start(t)?;
    // The first question shows that it answers at all.
    names.expect_service()?;
    t.freeze(names.running())?;
    t.note("the name server was stopped (SIGSTOP)");
    let inquirer = names.inquirer()?;
    for n in 1..=3 {
        inquirer.ask(&numbered(n))?;
    }
    t.note(format!("the socket on {} was closed", inquirer.here()));
    drop(inquirer);
    t.thaw(names.running())?;
    t.note("the name server goes on (SIGCONT), and its answers find nobody");
    let _ = t.settle(names.running())?;
    names.expect_service()
}

fn is_still_without_questions(t: &mut Trial) -> Verdict {
    contract::is_idle(t, &SERVES)?;
    // Idle after it has worked, too.
    t.new_scene()?;
    let names = Names::start(t)?;
    names.expect_service()?;
    names.service().expect_idle()
}
