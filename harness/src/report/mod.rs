//! Reports: the same records as text for a terminal, and in the formats that other programs read.
//!
//! It decides nothing: what a check came to is in its record. [`text`] is what a person reads after
//! a run; its parts are [`failure`] (one check, whole) and [`board`] (all of them, on one screen).
//! [`document`] (JSON), [`junit`], [`gradescope`], [`classroom50`] and [`tap`] are for programs.

pub mod board;
pub mod bytes;
pub mod classroom50;
mod compiler;
pub mod document;
pub mod failure;
pub mod gradescope;
pub mod junit;
mod place;
#[cfg(test)]
mod samples;
pub mod tap;

use self::place::{Placed, by_telling, grouped};
use crate::run::session::Record;
use crate::term::Style;
use crate::term::hang;
use crate::term::layout::{clip, columns};
use crate::verdict::{Blocked, Outcome};

/// Failures that are shown whole before the board; of the others only the headline. Who has
/// more than three should begin with the first.
const WHOLE: usize = 3;

/// What a person reads on standard output after a run: for one check its record, for several
/// what went wrong and then the board. Ends with a newline. The notes say what the reader must
/// know about the run as a whole.
pub fn text(records: &[Record], notes: &[String], style: Style) -> String {
    compose(&Placed::all(records), notes, style)
}

/// What a person reads again and again while working on a lab: the first thing that is wrong,
/// whole, and then the board, if both go into so many lines; else what is wrong alone, which says
/// all that there is to do. Ends with a newline.
pub fn first(records: &[Record], notes: &[String], lines: usize, style: Style) -> String {
    begin(&Placed::all(records), notes, lines, style)
}

/// A failure, to be shown whole.
#[derive(Clone, Debug)]
pub struct First<'a> {
    /// The record of the check that failed; a lab that does not build is none's.
    pub record: Option<&'a Record>,
    /// What there is to say of it. Ends with a newline.
    pub text: String,
}

/// The first failure of each step, whole: what follows from it is left out.
pub fn first_of_each_step(records: &[Record]) -> Vec<First<'_>> {
    let all = Placed::all(records);
    let failed = failed(&all);
    let steps = grouped(failed.iter().copied(), |placed| (placed.lab.name, placed.step.number));
    let firsts = steps.iter().filter_map(|(_, failed)| failed.first());
    let build = |text| First { record: None, text };
    let firsts = firsts
        .map(|one| First { record: Some(one.record), text: failure::text(one, Style::plain()) });
    builds(&all, Style::plain()).into_iter().map(build).chain(firsts).collect()
}

/// The board alone: how far each lab and each step is. Ends with a newline.
pub fn board_alone(records: &[Record], notes: &[String], style: Style) -> String {
    board::text(&Placed::all(records), notes, style)
}

fn begin(all: &[Placed<'_>], notes: &[String], lines: usize, style: Style) -> String {
    let failed = failed(all).into_iter().next();
    let mut blocks = builds(all, style);
    blocks.extend(failed.map(|placed| failure::text(placed, style)));
    blocks.extend(faults(all, style));
    blocks.truncate(1);
    let wrong = blocks.concat();
    blocks.push(board::text(all, notes, style));
    let whole = blocks.join("\n");
    if whole.lines().count() > lines && !wrong.is_empty() { wrong } else { whole }
}

fn compose(all: &[Placed<'_>], notes: &[String], style: Style) -> String {
    if let [only] = all {
        let mut text = failure::text(only, style);
        if matches!(only.outcome(), Outcome::Blocked(_)) {
            text.push_str(&board::next(all, style).join("\n"));
            text.push('\n');
        }
        for note in board::notes(notes, style) {
            text.push_str(&note);
            text.push('\n');
        }
        return text;
    }
    let mut blocks = builds(all, style);
    blocks.extend(failures(all, style));
    blocks.extend(faults(all, style));
    blocks.push(board::text(all, notes, style));
    blocks.join("\n")
}

/// The build errors: each once, however many checks wait for it.
fn builds(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let broken = all.iter().filter_map(|placed| match placed.outcome() {
        Outcome::Blocked(Blocked::Build { lab, words }) => Some((lab, words)),
        _ => None,
    });
    let block = |((lab, words), waiting): ((&String, &String), Vec<_>)| {
        let word = style.warn("WAIT");
        let name = style.bold(lab);
        let checks = if waiting.len() == 1 { "check waits" } else { "checks wait" };
        let head = format!("{word}  {name}  does not build: {} {checks}", waiting.len());
        [vec![head], compiler::lines(words, style)].concat().join("\n") + "\n"
    };
    grouped(broken, |broken| *broken).into_iter().map(block).collect()
}

/// The failures, the most telling and basic ones of each lab first.
fn failed<'p, 'a>(all: &'p [Placed<'a>]) -> Vec<&'p Placed<'a>> {
    let mut all = by_telling(all);
    all.retain(|placed| matches!(placed.outcome(), Outcome::Fail(_)));
    all
}

fn failures(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let failed = failed(all);
    let (whole, rest) = failed.split_at(failed.len().min(WHOLE));
    let mut blocks: Vec<_> = whole.iter().map(|placed| failure::text(placed, style)).collect();
    if let Some(first) = rest.first() {
        let mut lines: Vec<_> = rest.iter().map(|placed| headline(placed, style)).collect();
        lines.push(format!("      to see one whole: {}", style.link(&first.again())));
        blocks.push(lines.join("\n") + "\n");
    }
    blocks
}

/// `FAIL  server/half-close  the client got none of its bytes back`
fn headline(placed: &Placed<'_>, style: Style) -> String {
    let id = placed.id();
    let reason = clip(&placed.reason(), style.width.saturating_sub(columns(&id) + 8));
    format!("{}  {}  {reason}", style.alarm("FAIL"), style.bold(&id))
}

/// The harness's own troubles: each once, with the checks that it touched.
fn faults(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let touched = all.iter().filter_map(|placed| match placed.outcome() {
        Outcome::Fault(why) => Some((placed, why)),
        _ => None,
    });
    let block = |(why, touched): (&String, Vec<(&Placed<'_>, _)>)| {
        let ids: Vec<_> = touched.iter().map(|(placed, _)| placed.id()).collect();
        let mut lines = hang("FAULT ", &ids.join(", "), style.width);
        if let Some(ids) = lines.first().and_then(|line| line.strip_prefix("FAULT")) {
            lines[0] = style.warn("FAULT") + ids;
        }
        lines.extend(failure::fault(why, style));
        lines.join("\n") + "\n"
    };
    grouped(touched, |(_, why)| *why).into_iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Failure;

    fn composed(records: &[Record], notes: &[&str]) -> String {
        let notes: Vec<_> = notes.iter().map(|&note| note.to_owned()).collect();
        compose(&samples::placed(records), &notes, Style::plain())
    }

    #[test]
    fn a_run_without_checks_never_looks_passed() {
        assert_eq!(composed(&[], &[]), "nothing was checked\n");
    }

    #[test]
    fn a_single_check_needs_no_board() {
        let text = composed(&[samples::half_close(Outcome::Pass)], &["no namespace"]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("PASS  server/half-close"));
        assert_eq!(lines[1], "note: no namespace");
    }

    #[test]
    fn a_single_check_that_waits_says_what_to_do() {
        let record = samples::half_close(Outcome::Blocked(Blocked::Step(2)));
        let golden = "\
WAIT  server/half-close  step 2, accept_loop, is not written yet
next: lab server step 2, accept_loop: accept clients
      read book/src/05-accept.md, then: cargo lab check server
";
        assert_eq!(composed(&[record], &[]), golden);
    }

    #[test]
    fn three_failures_are_whole_and_the_others_one_line_each() {
        let records = samples::records([(); 5].map(|()| samples::failure()));
        let text = composed(&records, &[]);
        assert_eq!(text.matches("Required   ").count(), 3);
        let rest = "\
FAIL  server/half-close  the client got none of its bytes back
FAIL  server/echoes-in-pieces  the client got none of its bytes back
      to see one whole: cargo lab check server/half-close

1  server";
        assert!(text.contains(rest), "{text}");
    }

    #[test]
    fn who_works_on_a_lab_sees_the_first_failure_whole_and_no_other() {
        let outcomes = || [Outcome::Pass, samples::failure(), samples::failure()];
        let text = begin(&samples::placed(&samples::records(outcomes())), &[], 50, Style::plain());
        assert!(text.starts_with("FAIL  server/one-client"), "{text}");
        assert_eq!(text.matches("FAIL").count(), 1);
        assert_eq!(text.matches("Required   ").count(), 1);
        assert!(text.contains("\n\n1  server"), "{text}");
        let short = begin(&samples::placed(&samples::records(outcomes())), &[], 24, Style::plain());
        assert_eq!(
            text.strip_prefix(&short).map(|rest| rest.starts_with("\n1  server")),
            Some(true)
        );
    }

    #[test]
    fn what_is_exotic_is_shown_last_and_what_is_telling_first() {
        let telling = || match samples::failure() {
            Outcome::Fail(failure) => {
                Outcome::Fail(Box::new(Failure { telling: true, ..*failure }))
            }
            other => other,
        };
        let outcomes =
            [Outcome::Pass, samples::failure(), samples::failure(), telling(), Outcome::Pass];
        let mut records = samples::records(outcomes);
        let order = |records: &[Record]| {
            let placed = samples::placed(records);
            failed(&placed).iter().map(|placed| placed.id()).collect::<Vec<_>>()
        };
        let [basic, next, telling] =
            ["server/one-client", "server/next-client", "server/half-close"];
        assert_eq!(order(&records), [telling, basic, next]);
        records[1].check = samples::exotic();
        assert_eq!(order(&records), [telling, next, "server/out-of-memory"]);
        let board = board::text(&samples::placed(&records[..3]), &[], Style::plain());
        assert!(board.ends_with("cargo lab check server/next-client\n"), "{board}");
    }

    #[test]
    fn a_build_error_is_shown_once() {
        let broken = || samples::broken("error: expected `;`\n");
        let text = composed(&samples::records([(); 5].map(|()| broken())), &[]);
        let head = "WAIT  server  does not build: 5 checks wait\nerror: expected `;`\n\n1  ";
        assert!(text.starts_with(head), "{text}");
        assert_eq!(text.matches("expected `;`").count(), 1);
    }

    #[test]
    fn a_fault_is_shown_once_with_the_checks_that_it_touched() {
        let fault = || Outcome::Fault("cannot read /proc/net/tcp".to_owned());
        let text = composed(&samples::records([fault(), Outcome::Pass, fault()]), &[]);
        let head = "FAULT server/listens, server/next-client\n      cannot read /proc/net/tcp\n";
        assert!(text.starts_with(head), "{text}");
        assert_eq!(text.matches("/proc/net/tcp").count(), 1);
    }
}
