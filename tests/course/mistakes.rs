//! The harness is tested by mistakes: each must be caught by the checks that its head names, and
//! every check must catch at least one.

use std::collections::BTreeSet;

use sockets_lab::labs::{Check, Lab};

use super::corpus::{self, Program};
use super::runs::{Built, Result, complaints, is_skipped};

/// What is wrong with the judgement on one mistake.
fn judge(lab: &Lab, mistake: &Program) -> Vec<String> {
    let began = std::time::Instant::now();
    let Some(built) = Built::of(lab, mistake) else { return Vec::new() };
    let run = built.check(lab, lab.name);
    println!("{}: {} ms", mistake.name, began.elapsed().as_millis());
    let wrong = |result: &Result| {
        let (id, outcome) = (&result.id, result.outcome.as_str());
        let what = match (mistake.must.contains(id), outcome) {
            _ if is_skipped(result) => return None,
            (true, "fail") | (false, "pass") => return None,
            (false, "fail") if mistake.may.contains(id) || !run.isolated => return None,
            (true, _) => "must fail, and the outcome was",
            (false, _) => "must not fail, and the outcome was",
        };
        Some(format!("{}: {id} {what} {outcome}", mistake.name))
    };
    run.results.iter().filter_map(wrong).collect()
}

fn all_are_caught(lab: &Lab) {
    let found = complaints(&corpus::mistakes(lab), |mistake| judge(lab, mistake));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn each_check_catches_one(lab: &Lab) {
    let caught: BTreeSet<_> = corpus::mistakes(lab).into_iter().flat_map(|it| it.named).collect();
    let all = lab.checks().map(Check::id);
    let idle: Vec<_> = all.filter(|id| !caught.contains(id)).collect();
    assert!(idle.is_empty(), "no mistake names these checks: {}", idle.join(" "));
}

fn each_must_be_caught(lab: &Lab) {
    for mistake in corpus::mistakes(lab) {
        assert!(!mistake.must.is_empty(), "{} must fail nothing", mistake.name);
    }
}

sockets_lab::each_lab! { test_each_lab every_mistake_is_caught super::all_are_caught }
sockets_lab::each_lab! { test_each_lab every_check_catches_a_mistake super::each_check_catches_one }
sockets_lab::each_lab! { test_each_lab every_mistake_must_be_caught super::each_must_be_caught }
