//! A small course and its records, for the reports' tests: what the reports say must not
//! change when a lab's wording does.

use std::time::Duration;

use super::place::Placed;
use crate::labs::{Check, Lab, Step};
use crate::run::session::Record;
use crate::verdict::{Blocked, Difference, Failure, Outcome};

static STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "listen",
        task: "bind and listen",
        chapter: "04-bind-and-listen",
        programs: &["server"],
    },
    Step {
        number: 2,
        name: "accept_loop",
        task: "accept clients",
        chapter: "05-accept",
        programs: &["server"],
    },
    Step {
        number: 3,
        name: "serve",
        task: "echo every byte",
        chapter: "06-endings",
        programs: &["server"],
    },
];

const fn check(name: &'static str, title: &'static str, step: u8) -> Check {
    Check {
        lab: "server",
        name,
        title,
        step,
        points: 2,
        exotic: false,
        patient: false,
        requirement: "The server echoes every byte until the client ends its stream (RFC 9293, \
                      section 3.6: a side that has sent its FIN may still receive).",
        run: |_| unreachable!("the reports run no checks"),
    }
}

static CHECKS: &[Check] = &[
    check("listens", "it listens on the address that it was given", 1),
    check("one-client", "one client gets its bytes back", 2),
    check("next-client", "the next client is served after the first", 2),
    check("half-close", "a half-closed client still gets all of its bytes", 3),
    check("echoes-in-pieces", "pieces are echoed as they come", 3),
];

pub(super) static LAB: Lab = Lab {
    number: Some(1),
    name: "server",
    title: "bind, listen, accept",
    folder: "labs/01-server",
    given: &[],
    arguments: &[],
    steps: STEPS,
    checks: &[CHECKS],
    scenes: &[],
    messages: None,
    learned: &[],
    reading_step: Some(3),
};

/// The records of the sample lab's checks, in order, with these outcomes.
pub(super) fn records<const N: usize>(outcomes: [Outcome; N]) -> Vec<Record> {
    let elapsed = Duration::from_millis(12);
    let record = |(check, outcome)| Record { check, outcome, elapsed, programs: Vec::new() };
    CHECKS.iter().zip(outcomes).map(record).collect()
}

/// The records of five checks, of which the first alone has passed.
pub(super) fn one_of_each() -> Vec<Record> {
    records([
        Outcome::Pass,
        failure(),
        Outcome::Skipped("no IPv6 here".to_owned()),
        Outcome::Blocked(Blocked::Step(3)),
        Outcome::Fault("out of ports".to_owned()),
    ])
}

/// The record of `server/half-close`.
pub(super) fn half_close(outcome: Outcome) -> Record {
    Record {
        check: &CHECKS[3],
        outcome,
        elapsed: Duration::from_millis(2003),
        programs: Vec::new(),
    }
}

/// A check whose title takes two lines.
pub(super) fn long_title() -> &'static Check {
    static CHECK: Check = check(
        "long",
        "a title of so many words that it takes more than one line of the report, which has 100 \
         columns",
        3,
    );
    &CHECK
}

/// A check of what a beginner meets last.
pub(super) fn exotic() -> &'static Check {
    static CHECK: Check =
        Check { exotic: true, ..check("out-of-memory", "it survives without memory", 1) };
    &CHECK
}

/// The records with their places in the sample course.
pub(super) fn placed(records: &[Record]) -> Vec<Placed<'_>> {
    let place = |record: &'static Check| &STEPS[usize::from(record.step) - 1];
    records.iter().map(|record| Placed { record, lab: &LAB, step: place(record.check) }).collect()
}

/// The lab does not build.
pub(super) fn broken(words: &str) -> Outcome {
    let (lab, words) = ("server".to_owned(), words.to_owned());
    Outcome::Blocked(Blocked::Build { lab, words })
}

/// A failure with all that a failure can say.
pub(super) fn failure() -> Outcome {
    let lines = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
    Outcome::Fail(Box::new(Failure {
        headline: "the client got none of its bytes back".to_owned(),
        telling: false,
        steps: lines(&[
            "started server 127.0.0.1:7007",
            "client 1 connected from 127.0.0.1:50234",
            "client 1 sent 6 bytes, \"hello\\n\", and ended its side of the stream; then it \
             waited for the end of the other side",
        ]),
        expected: lines(&["6 bytes, \"hello\\n\", then end of stream", "a reset"]),
        seen: lines(&["end of stream after 0 bytes"]),
        difference: Difference::between(b"hello\n", b""),
        program: lines(&["thread main is blocked in accept on 127.0.0.1:7007"]),
        cause: lines(&["the loop ends when read gives 0 bytes, before what was read is written"]),
        stderr: lines(&["listening on 127.0.0.1:7007", "\x1b[31mclient 1 is done"]),
    }))
}
