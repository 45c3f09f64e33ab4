//! The harness is tested by mistakes: each must be caught by the checks that its head names, and
//! every check must catch at least one.

use std::collections::BTreeSet;

use sockets_lab::labs::{self, Check, LABS, Lab};

use super::corpus::{self, Body};
use super::runs::{Built, Result, complaints, is_skipped};

fn corpus_of(lab: &Lab) -> Vec<Body> {
    corpus::bodies(&corpus::fixtures("mistakes", lab), lab)
}

/// What is wrong with the judgement on one mistake.
fn judge(lab: &Lab, mistake: &Body) -> Vec<String> {
    let began = std::time::Instant::now();
    let built = Built::new(lab, &mistake.name, &mistake.source);
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

fn every_mistake_is_caught(lab: &str) {
    let lab = labs::lab(lab).expect("a lab");
    let found = complaints(&corpus_of(lab), |mistake| judge(lab, mistake));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_mistake_in_a_server_is_caught() {
    every_mistake_is_caught("server");
}

#[test]
fn every_mistake_in_a_client_is_caught() {
    every_mistake_is_caught("client");
}

#[test]
fn every_mistake_in_a_peer_is_caught() {
    every_mistake_is_caught("peer");
}

#[test]
fn every_check_catches_a_mistake() {
    for lab in LABS {
        let caught: BTreeSet<_> = corpus_of(lab).into_iter().flat_map(|body| body.must).collect();
        let all = lab.checks().map(Check::id);
        let idle: Vec<_> = all.filter(|id| !caught.contains(id)).collect();
        assert!(idle.is_empty(), "no mistake must fail these checks: {}", idle.join(" "));
    }
}

#[test]
fn every_mistake_must_be_caught_by_something() {
    for lab in LABS {
        for mistake in corpus_of(lab) {
            assert!(!mistake.must.is_empty(), "{} must fail nothing", mistake.name);
        }
    }
}
