//! The board of the sample course, and of one with ten labs.

use std::time::Duration;

use super::super::samples;
use super::*;
use crate::lab::{Check, Step};

fn board_of(records: &[Record], notes: &[String]) -> String {
    text(&samples::placed(records), notes, Style::plain())
}

#[test]
fn a_board_that_is_all_green_has_nothing_to_do_next() {
    let golden = "\
1  server  bind, listen, accept            ■■■■■■■■■■  ● 5 of 5  10 of 10 points
   1 listen       ●   1 of 1
   2 accept_loop  ●●  2 of 2
   3 serve        ●●  2 of 2

● 5 passed   10 of 10 points
";
    assert_eq!(board_of(&samples::records([const { Outcome::Pass }; 5]), &[]), golden);
}

#[test]
fn every_outcome_has_a_sign_of_its_own_and_its_place_in_the_sums() {
    let records = samples::records([
        Outcome::Skipped("this system has no /proc".to_owned()),
        Outcome::Pass,
        samples::failure(),
        Outcome::Fault("out of ports".to_owned()),
        Outcome::Blocked(Blocked::Step(3)),
    ]);
    let notes = ["the program shares the host's network: ports can be taken".to_owned()];
    let golden = "\
1  server  bind, listen, accept             ■■········  ✗ 1 of 5  2 of 10 points
   1 listen       –   0 of 1  1 skipped
   2 accept_loop  ●✗  1 of 2
   3 serve        !○  0 of 2  not written yet

● 1 passed   ✗ 1 failed   ○ 1 blocked   – 1 skipped   ! 1 fault   4 of 5 checked
2 of 10 points
skipped: this system has no /proc: server/listens
note: the program shares the host's network: ports can be taken
next: lab server step 2, accept_loop: the client got none of its bytes back
      read book/src/05-accept.md, then: cargo lab check server/next-client
";
    assert_eq!(board_of(&records, &notes), golden);
}

#[test]
fn an_empty_workspace_is_told_where_to_begin() {
    let records = samples::records([const { Outcome::Blocked(Blocked::Step(1)) }; 5]);
    let text = board_of(&records, &[]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].ends_with("0 of 1  not written yet"));
    assert!(lines[3].ends_with("0 of 2  waits for step 1"));
    assert_eq!(lines[6], "next: lab server step 1, listen: bind and listen");
    assert!(lines[7].ends_with("book/src/04-bind-and-listen.md, then: cargo lab check server"));
}

#[test]
fn a_lab_that_does_not_build_is_to_be_built_first() {
    let records = samples::records([samples::broken("error")]);
    let text = board_of(&records, &[]);
    let golden = "\
next: make lab server build again: labs/01-server/src/main.rs
      then: cargo lab check server
";
    assert!(text.ends_with(golden), "{text}");
}

#[test]
fn what_was_not_judged_is_worth_nothing_and_stays_in_the_total() {
    let why = || Outcome::Skipped("this system has no /proc".to_owned());
    let text = board_of(&samples::records([Outcome::Pass, why(), why(), why(), why()]), &[]);
    let golden = "\
● 1 passed   – 4 skipped   1 of 5 checked   2 of 10 points
skipped: this system has no /proc: server/one-client, server/next-client,
         server/half-close, server/echoes-in-pieces
";
    assert!(text.ends_with(golden), "{text}");
    assert!(text.starts_with("1  server  bind, listen, accept "), "{text}");
    assert!(text.contains("■■········  – 1 of 5  2 of 10 points\n"), "{text}");
}

#[test]
fn a_step_with_many_checks_takes_another_line() {
    let records = samples::records([Outcome::Pass]);
    let many = samples::placed(&records).repeat(MARKS + 2);
    let text = text(&many, &[], Style::plain());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1], format!("   1 listen  {}  32 of 32", "●".repeat(MARKS)));
    assert_eq!(lines[2], "             ●●");
}

/// Checks of a step of the course with ten labs.
const CHECKS: usize = 9;
const WAITS: Outcome = Outcome::Blocked(Blocked::Step(1));
const STEPS: usize = 4;

static TEN: [Lab; 10] = [
    lab(Some(1), "server", "bind, listen, accept"),
    lab(Some(2), "client", "connect, send, receive"),
    lab(Some(3), "peer", "both at once, peer to peer"),
    lab(Some(4), "web", "request and response, download and upload"),
    lab(Some(5), "mail", "store and forward"),
    lab(Some(6), "names", "datagrams"),
    lab(Some(7), "index", "a directory in the middle"),
    lab(Some(8), "flood", "no middle at all"),
    lab(Some(9), "swarm", "everybody gives while getting"),
    lab(Some(10), "balance", "one address, many servers"),
];
static TOGETHER: Lab =
    Lab { steps: STEPS_OF_TOGETHER, ..lab(None, "together", "your programs meet") };
static STEPS_OF_A_LAB: [Step; STEPS] =
    [step(1, "listen_and_dial"), step(2, "greet"), step(3, "receive"), step(4, "broadcast")];
static STEPS_OF_TOGETHER: &[Step] = &[step(1, "pair"), step(2, "peers")];
static CHECK: Check = Check {
    lab: "a-lab",
    name: "a-check",
    title: "",
    step: 1,
    points: 2,
    exotic: false,
    patient: false,
    requirement: "",
    run: |_| unreachable!("the reports run no checks"),
};

const fn lab(number: Option<u8>, name: &'static str, title: &'static str) -> Lab {
    let steps = &STEPS_OF_A_LAB;
    Lab {
        number,
        name,
        title,
        folder: "labs",
        given: &[],
        arguments: &[],
        steps,
        checks: &[],
        scenes: &[],
        messages: None,
        learned: &[],
        reading_step: None,
    }
}

const fn step(number: u8, name: &'static str) -> Step {
    let task = "a task that is described in so many words that they take a second line";
    Step { number, name, task, chapter: "09-one-program-both-roles", programs: &[] }
}

/// The board of the course with ten labs; `outcome` says what came of the checks of a lab's step,
/// by the numbers of both.
fn ten(outcome: impl Fn(u8, u8) -> Outcome, notes: &[&str]) -> Vec<String> {
    let labs = TEN.iter().chain([&TOGETHER]);
    let steps = labs.flat_map(|lab| lab.steps.iter().map(move |step| (lab, step)));
    let record = |outcome| Record {
        check: &CHECK,
        outcome,
        elapsed: Duration::from_secs(1),
        programs: Vec::new(),
    };
    let all: Vec<_> = steps
        .flat_map(|(lab, step)| (0..CHECKS).map(move |_| (lab, step)))
        .map(|(lab, step)| (record(outcome(lab.number.unwrap_or(0), step.number)), lab, step))
        .collect();
    let placed: Vec<_> =
        all.iter().map(|(record, lab, step)| Placed { record, lab, step }).collect();
    let notes: Vec<_> = notes.iter().map(|&note| note.to_owned()).collect();
    let text = board(&placed, &notes, true, Style::plain());
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(lines.len() <= HEIGHT, "{} lines:\n{text}", lines.len());
    assert!(lines.iter().all(|line| columns(line) <= WIDTH), "{text}");
    lines
}

#[test]
fn ten_green_labs_take_a_line_each() {
    let lines = ten(|_, _| Outcome::Pass, &[]);
    assert_eq!(lines.len(), 14, "{}", lines.join("\n"));
    assert_eq!(
        [&lines[0], &lines[9]],
        [
            " 1  server    bind, listen, accept           ■■■■■■  ● 36 of 36  72 of 72 points",
            "10  balance   one address, many servers      ■■■■■■  ● 36 of 36  72 of 72 points",
        ]
    );
    assert_eq!(
        lines[12],
        format!("course  {}  378 of 378 checks   10 of 10 labs complete", "■".repeat(24))
    );
    assert_eq!(lines[13], "● 378 passed   756 of 756 points");
}

#[test]
fn ten_unwritten_labs_show_the_steps_of_the_first() {
    let lines = ten(|_, step| Outcome::Blocked(Blocked::Step(step)), &["not isolated"]);
    let steps = lines.iter().filter(|line| line.contains("○○")).count();
    assert_eq!(steps, STEPS, "{}", lines.join("\n"));
    assert!(lines[1].starts_with("    1 listen_and_dial  ○○○○○○○○○  0 of 9  not written yet"));
    assert!(
        lines.iter().any(|line| line.starts_with("next: lab server step 1, listen_and_dial: "))
    );
}

#[test]
fn in_the_middle_the_lab_to_work_on_is_open() {
    let lines = ten(
        |lab, step| match (lab, step) {
            (1..=4, _) | (5, 1) => Outcome::Pass,
            (5, 2) => samples::failure(),
            _ => WAITS,
        },
        &[],
    );
    let text = lines.join("\n");
    assert!(lines[4].starts_with(" 5  mail "), "{text}");
    assert!(lines[4].contains("✗  9 of 36"), "{text}");
    assert!(lines[6].starts_with("    2 greet            ✗✗✗✗✗✗✗✗✗  0 of 9"), "{text}");
    assert!(lines[9].starts_with(" 6  names "), "{text}");
    assert!(text.contains("4 of 10 labs complete"), "{text}");
}

#[test]
fn where_every_lab_failed_the_first_is_open_and_the_others_are_counted() {
    let notes =
        ["a note that says what the reader must know about the run as a whole, in two lines"];
    let lines = ten(|_, _| samples::failure(), &notes);
    let opened = lines.iter().filter(|line| line.contains("✗✗")).count();
    assert_eq!(opened, STEPS, "{}", lines.join("\n"));
}

#[test]
fn a_short_part_is_opened_where_a_longer_one_finds_no_room() {
    let lines = ten(
        |lab, step| match (lab, step) {
            (0, 2) | (2 | 7, 1) => samples::failure(),
            _ => Outcome::Pass,
        },
        &[],
    );
    let text = lines.join("\n");
    assert!(lines[2].starts_with("    1 listen_and_dial  ✗✗✗✗✗✗✗✗✗  0 of 9"), "{text}");
    assert!(text.contains("\n    2 peers            ✗✗✗✗✗✗✗✗✗  0 of 9"), "{text}");
    assert_eq!(text.matches("listen_and_dial  ").count(), 1, "{text}");
}

#[test]
fn what_is_still_to_come_stands_back() {
    let records = samples::records([const { WAITS }; 5]);
    let mut placed = samples::placed(&records);
    let other: Vec<_> = placed.iter().map(|one| Placed { lab: &TEN[9], ..*one }).collect();
    placed.extend(other);
    let text = board(&placed, &[], true, Style::coloured());
    let dim = text.lines().filter(|line| line.starts_with("\x1b[2m"));
    assert_eq!(dim.count(), 1, "{text}");
    assert!(text.contains("\x1b[2m10  balance"), "{text}");
}
