//! Other right programs must pass: a check that fails one of them asks for more than the lab does.

use sockets_lab::labs::{self, Lab};

use super::corpus::{self, Body};
use super::runs::{Built, complaints, is_skipped};

fn judge(lab: &Lab, right: &Body) -> Vec<String> {
    let built = Built::new(lab, &right.name, &right.source);
    let run = built.check(lab, lab.name);
    let blamed = run.results.iter().filter(|result| !is_skipped(result));
    let blamed = blamed.filter(|result| result.outcome != "pass");
    blamed.map(|result| format!("{}: {}\n{}", right.name, result.id, result.record)).collect()
}

fn every_right_one_passes(lab: &str) {
    let lab = labs::lab(lab).expect("a lab");
    let bodies = corpus::bodies(&corpus::fixtures("right", lab), lab);
    let found = complaints(&bodies, |right| judge(lab, right));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_right_server_passes_all_checks() {
    every_right_one_passes("server");
}

#[test]
fn every_right_client_passes_all_checks() {
    every_right_one_passes("client");
}

#[test]
fn every_right_peer_passes_all_checks() {
    every_right_one_passes("peer");
}
