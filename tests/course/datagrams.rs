//! The harness's ends of datagrams and its lossy wire, against a program that is right or wrong in
//! one way at a time: what is right passes, and what is wrong is told in true words.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use sockets_lab::net::{Asker, Door, Fate, LossyWire, Rule};
use sockets_lab::trial::{Progress, Running, Trial, Verdict};

use super::specimens::{fails, passes, says, start, trial};

/// The specimen in a mode in which it receives datagrams.
fn receiver(t: &Trial, mode: &str) -> Verdict<(Rc<Running>, SocketAddr)> {
    let address = t.addresses().free_address();
    let running = start(t, &[mode, &address.to_string()])?;
    let doors = t.doors(running, &[Door::udp(address)])?;
    Ok((doors.running.clone(), address))
}

const ECHO: &str = "every datagram comes back";

#[test]
fn a_program_that_answers_datagrams_is_ready_and_judged() {
    passes(|t| {
        let (running, address) = receiver(t, "echo")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"hello")?;
        asker.expect(b"hello", ECHO)?;
        asker.send(b"")?;
        asker.expect(b"", ECHO)?;
        asker.send(&[7; 60_000])?;
        asker.expect(&[7; 60_000], ECHO)?;
        asker.expect_nothing(ECHO)
    });
}

#[test]
fn a_program_that_does_not_answer_is_told_where_it_waits() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "silent")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"hello")?;
        asker.expect(b"hello", ECHO)
    });
    let Some(failure) = failure else { return };
    assert!(says(&failure.seen, "nothing can come"), "{failure:#?}");
    let place = &failure.program[0];
    assert!(place.starts_with("thread main is blocked in recv_from on UDP 127."), "{place}");
    assert!(!place.contains("connection") && !place.contains("CLOSED"), "{place}");
}

#[test]
fn a_program_that_does_not_read_holds_datagrams_and_drops_what_has_no_room() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "deaf")?;
        let asker = t.asker(&running, address)?;
        for _ in 0..40 {
            asker.send(&[1; 20_000])?;
        }
        let dropped = asker.socket_of_program()?.map_or(0, |row| row.drops);
        assert!(dropped > 0, "40 datagrams of 20,000 bytes are too many for a queue of 212,992");
        asker.expect(b"hello", ECHO)
    });
    let Some(failure) = failure else { return };
    assert!(says(&failure.program, "holds datagrams that nobody has read"), "{failure:#?}");
    assert!(says(&failure.program, "which the kernel has dropped"), "{failure:#?}");
}

#[test]
fn an_answer_that_is_wrong_is_shown_at_the_first_difference() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "shouting")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"1: hello")?;
        asker.expect(b"1: hello", ECHO)
    });
    let Some(failure) = failure else { return };
    assert_eq!(failure.difference.unwrap().offset, 3);
}

#[test]
fn an_answer_can_be_judged_by_its_fields() {
    let judge = |bytes: &[u8]| match bytes.first() {
        Some(b'1') => Ok(()),
        _ => Err("its first byte is not 1"),
    };
    passes(|t| {
        let (running, address) = receiver(t, "echo")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"1: hello")?;
        asker.expect_one("an answer with the number 1", ECHO, judge).map(drop)
    });
    let failure = fails(|t| {
        let (running, address) = receiver(t, "echo")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"2: hello")?;
        asker.expect_one("an answer with the number 1", ECHO, judge).map(drop)
    });
    let Some(failure) = failure else { return };
    assert!(says(&failure.seen, "its first byte is not 1"), "{failure:#?}");
}

#[test]
fn an_answer_from_another_socket_is_noticed() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "elsewhere")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"hello")?;
        asker.expect(b"hello", ECHO)
    });
    let Some(failure) = failure else { return };
    let headline = "the datagram does not come from the address that was asked";
    assert_eq!(failure.headline, headline);
}

#[test]
fn a_second_answer_is_one_too_many() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "twice")?;
        let asker = t.asker(&running, address)?;
        asker.send(b"hello")?;
        asker.expect(b"hello", ECHO)?;
        asker.expect_nothing("one answer for each question")
    });
    let Some(failure) = failure else { return };
    assert!(failure.headline.contains("should not have been sent"), "{failure:#?}");
}

const ASKS: &str = "it asks three times: at 0, 250 and 500 ms";

/// Waits until an asking program has ended; what it has printed.
fn printed(t: &Trial, running: &Running) -> Verdict<Vec<u8>> {
    let _ = t.wait(running, || Ok(Progress::<()>::Nothing))?;
    running.program.stop()?;
    Ok(running.program.stdout().head)
}

#[test]
fn a_program_that_asks_is_answered_at_the_second_try_and_the_late_answer_is_passed_over() {
    passes(|t| {
        t.allow_waiting(Duration::from_millis(750));
        let answerer = t.answerer("the name server")?;
        let asks = start(t, &["ask", &answerer.address.to_string(), "www"])?;
        let lost = answerer.take(&asks, ASKS)?;
        let again = answerer.take(&asks, ASKS)?;
        assert_eq!(lost, again, "the same question from the same socket");
        answerer.answer(&asks, &again, b"127.0.0.5\n")?;
        answerer.answer(&asks, &lost, b"late\n")?;
        assert_eq!(printed(t, &asks)?, b"127.0.0.5\n");
        Ok(())
    });
}

#[test]
fn who_takes_an_answer_from_a_stranger_is_found_out() {
    let answered = |mode: &'static str, other_host: bool| {
        let t = trial();
        let check = || {
            t.allow_waiting(Duration::from_millis(750));
            let answerer = t.answerer("the name server")?;
            let asks = start(&t, &[mode, &answerer.address.to_string(), "www"])?;
            let question = answerer.take(&asks, ASKS)?;
            if other_host {
                answerer.answer_from_another_host(&asks, &question, b"forged")?
            } else {
                answerer.answer_from_another_port(&asks, &question, b"forged")?
            }
            answerer.answer(&asks, &question, b"true")?;
            printed(&t, &asks)
        };
        check().unwrap()
    };
    for other_host in [false, true] {
        assert_eq!(answered("ask", other_host), b"true");
        assert_eq!(answered("ask-any", other_host), b"forged");
    }
}

#[test]
fn a_program_that_never_asks_is_told_apart_from_one_that_does() {
    let failure = fails(|t| {
        let answerer = t.answerer("the name server")?;
        let (running, _) = receiver(t, "silent")?;
        answerer.expect_nothing(&running, "nobody has asked it to")?;
        answerer.take(&running, ASKS).map(drop)
    });
    let Some(failure) = failure else { return };
    assert_eq!(failure.headline, "the specimen did not ask");
}

/// An asker of the harness behind a wire with these rules, in front of an echo.
fn over_a_wire(rules: &[Rule], check: impl Fn(&LossyWire, &Asker) -> Verdict) {
    passes(|t| {
        let (running, address) = receiver(t, "echo")?;
        let wire = t.lossy_wire("the asker", "the echo", address, rules)?;
        let asker = t.asker(&running, wire.address)?;
        check(&wire, &asker)
    });
}

#[test]
fn a_wire_loses_what_its_rules_say_and_nothing_else() {
    over_a_wire(&[Rule::up(1, Fate::Dropped), Rule::down(2, Fate::Dropped)], |wire, asker| {
        asker.send(b"one")?;
        asker.expect_nothing("the question was lost")?;
        asker.send(b"two")?;
        asker.expect(b"two", ECHO)?;
        asker.send(b"three")?;
        asker.expect_nothing("the answer was lost")?;
        asker.send(b"four")?;
        asker.expect(b"four", ECHO)?;
        let fates: Vec<_> = wire.carried().iter().map(|one| one.fate).collect();
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Dropped).count(), 2);
        assert_eq!(fates.len(), 7, "four questions, and three answers");
        Ok(())
    });
}

#[test]
fn a_wire_doubles_reorders_and_holds() {
    let rules =
        [Rule::down(1, Fate::Doubled), Rule::down(2, Fate::Overtaken), Rule::down(4, Fate::Held)];
    over_a_wire(&rules, |wire, asker| {
        asker.send(b"one")?;
        asker.expect(b"one", ECHO)?;
        asker.expect(b"one", ECHO)?;
        asker.send(b"two")?;
        asker.expect_nothing("it waits for the next one")?;
        asker.send(b"three")?;
        asker.expect(b"three", ECHO)?;
        asker.expect(b"two", ECHO)?;
        asker.send(b"four")?;
        asker.expect_nothing("it is held")?;
        wire.release();
        asker.expect(b"four", ECHO)
    });
}

#[test]
fn what_a_wire_has_lost_is_told_in_the_failure() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "echo")?;
        let rules = [Rule::up(1, Fate::Dropped)];
        let wire = t.lossy_wire("the asker", "the echo", address, &rules)?;
        let asker = t.asker(&running, wire.address)?;
        asker.send(b"one")?;
        asker.expect(b"one", ECHO)
    });
    let Some(failure) = failure else { return };
    let carried = "to the wire came from the asker to the echo: 1 datagram; the 1st is dropped";
    assert!(says(&failure.steps, carried), "{failure:#?}");
}

#[test]
fn an_answer_from_a_stranger_on_the_wire_is_not_from_where_it_was_asked() {
    let failure = fails(|t| {
        let (running, address) = receiver(t, "echo")?;
        let rules = [Rule::down(1, Fate::FromStranger)];
        let wire = t.lossy_wire("the asker", "the echo", address, &rules)?;
        let asker = t.asker(&running, wire.address)?;
        asker.send(b"one")?;
        asker.expect(b"one", ECHO)
    });
    let Some(failure) = failure else { return };
    assert!(failure.headline.contains("does not come from the address"), "{failure:#?}");
}
