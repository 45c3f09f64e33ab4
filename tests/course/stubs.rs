//! A lab that is written up to a step passes the checks up to that step, and nothing else: what is
//! not written never looks passed, and never spoils what is.
//!
//! Each step's checks are tried with the steps before it written, and with that one as well; with
//! `LAB_CORPUS=all` they are tried with each number of steps that are written. A plain `cargo test` tries
//! them with the steps before it alone: with all of them written they are the lab's graded tests.

use sockets_lab::labs::{Check, Lab, TOGETHER};
use sockets_lab::region;
use sockets_lab::verdict::{Blocked, Outcome};

use super::builds::Built;
use super::corpus::{self, Asked};
use super::runs::{self, Job, Result, is_skipped};

/// The lab's source with the first `solved` steps as they should be, and stubs for the others.
pub(crate) fn written_up_to(lab: &Lab, solved: u8) -> String {
    let mut source = corpus::solution(lab);
    for step in lab.steps.iter().filter(|step| step.number > solved) {
        let file = corpus::fixtures("stubs", lab).join(format!("{}.rs", step.name));
        source = region::replace(&source, step.name, &corpus::read(&file)).expect("a region");
    }
    source
}

/// Whether a check has come to what it must where `solved` steps of the lab are written: it passes,
/// or waits for a step that is missing. That need not be the first one: an upload can be tried before
/// a download is written. Where programs meet, they may do so without the last steps: what passes
/// then has waited, in the lab with one step less (`before`), for the step that is written now.
fn is_right(lab: &Lab, solved: u8, check: &Check, before: Option<&Outcome>, now: &Outcome) -> bool {
    let is_missing = |step: &u8| *step > solved;
    match (check.lab == lab.name, now) {
        (true, Outcome::Pass) => check.step <= solved,
        (true, Outcome::Blocked(Blocked::Step(step))) => is_missing(step) && *step <= check.step,
        (false, Outcome::Pass) => match before {
            Some(Outcome::Blocked(Blocked::Elsewhere { step, .. })) => *step == solved,
            Some(Outcome::Pass) => true,
            _ => false,
        },
        (false, Outcome::Blocked(Blocked::Elsewhere { lab: other, step })) => {
            other == lab.name && is_missing(step)
        }
        _ => false,
    }
}

fn what_is_written_passes(lab: &'static Lab) {
    let solved = 0..=lab.steps.len() as u8;
    let sources = solved.map(|solved| (format!("written_{solved}"), written_up_to(lab, solved)));
    let sources: Vec<_> = sources.collect();
    let built = Built::all(lab, &sources);
    let meets = |check: &&Check| check.step().programs.contains(&lab.name);
    // What passes with its own step written is not tried again with each further one, and what waits
    // for that step not with each that is missing besides.
    let is_new = |check: &Check, solved| match corpus::asked() {
        Asked::Sample => check.step == solved + 1,
        Asked::Proof | Asked::Step => check.step == solved || check.step == solved + 1,
        Asked::All => true,
    };
    let checks = |solved: u8| {
        let own = lab.checks().filter(move |check| is_new(check, solved));
        own.chain(TOGETHER.checks().filter(meets)).collect()
    };
    let jobs = (0..).zip(built.iter().zip(&sources));
    let jobs = jobs.map(|(solved, (built, (name, _)))| {
        let checks = checks(solved);
        Job { name, lab, built, checks }
    });
    let runs = runs::run(&jobs.collect::<Vec<_>>());
    let mut found = Vec::new();
    for (solved, run) in (0..).zip(&runs) {
        let before = |id: &str| {
            let run = runs.get(usize::from(solved).checked_sub(1)?)?;
            run.results.iter().find(|result| result.id == id).map(|result| &result.outcome)
        };
        let wrong = |result: &&Result| {
            let before = before(&result.id);
            !is_right(lab, solved, result.check, before, &result.outcome) && !is_skipped(result)
        };
        found.extend(
            run.results.iter().filter(wrong).map(|result| {
                format!("{solved} steps written: {}: {:?}", result.id, result.outcome)
            }),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab exactly_what_is_written_passes super::what_is_written_passes }

/// What a stub says when it ends is no cause: the mistake is in the step that is written.
#[test]
fn a_stubs_own_line_is_never_the_cause() {
    let check = sockets_lab::labs::check("client/ends-only-its-side").unwrap();
    let lab = check.lab();
    let source = written_up_to(lab, 2).replace("Shutdown::Write", "Shutdown::Both");
    let sources = [("ends_both_directions".to_owned(), source)];
    let built = Built::all(lab, &sources);
    let job = Job { name: &sources[0].0, lab, built: &built[0], checks: vec![check] };
    let run = runs::run(&[job]).remove(0);
    let outcome = &run.results[0].outcome;
    let Outcome::Fail(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.cause[0].contains("Shutdown::Both"), "{failure:?}");
}
