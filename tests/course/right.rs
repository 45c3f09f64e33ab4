//! Other right programs must pass: a check that fails one of them asks for more than the lab does.
//!
//! A whole program is tried by all checks. A body of a region is tried by its step's checks, and by those
//! of the steps behind it (to those before it the program is the lab's own): they are dealt out, so that
//! each one meets some of the bodies, and with `LAB_CORPUS=step` all of them. A plain `cargo test` leaves
//! out the steps behind, and deals out all checks.

use sockets_lab::labs::{Check, Lab};
use sockets_lab::verdict::Outcome;

use super::corpus::{self, Asked, Program};
use super::runs::{self, Run, is_skipped};

fn complaints(right: &Program, run: &Run) -> Vec<String> {
    let blamed = run.results.iter().filter(|result| {
        result.outcome != Outcome::Pass && !is_skipped(result) && !right.may.contains(&result.id)
    });
    blamed.map(|result| format!("{}: {}: {:#?}", right.name, result.id, result.outcome)).collect()
}

/// Where checks are dealt out, each of the programs for the same region takes every third one, and so do the
/// whole ones.
const SHARES: usize = 3;

fn all_pass(lab: &'static Lab) {
    let programs = corpus::programs("right", lab);
    let is_dealt = |right: &Program, index: usize| {
        let like = programs.iter().filter(|other| other.region == right.region);
        let shares = like.clone().count().min(SHARES);
        let share = like.map(|other| &other.name).position(|name| *name == right.name);
        share.is_some_and(|share| index % shares == share % shares)
    };
    let run = runs::of_corpus(lab, &programs, |right| {
        assert!(right.must.is_empty(), "{}: what is right must fail no check", right.name);
        let steps = lab.steps.iter().filter(|step| right.region.as_deref() == Some(step.name));
        let first = steps.map(|step| step.number).next().unwrap_or(1);
        let is_asked = |(index, check): &(usize, &Check)| {
            let is_own = right.region.is_none() || check.step == first;
            match corpus::asked() {
                Asked::Sample => is_own && is_dealt(right, *index),
                Asked::Proof => is_own || (check.step > first && is_dealt(right, *index)),
                Asked::Step => check.step >= first,
                Asked::All => true,
            }
        };
        lab.checks().enumerate().filter(is_asked).map(|(_, check)| check).collect()
    });
    let found: Vec<_> = run.iter().flat_map(|(right, run)| complaints(right, run)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab every_right_program_passes_all_checks super::all_pass }
