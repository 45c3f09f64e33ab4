//! Other right programs must pass: a check that fails one of them asks for more than the lab does.

use sockets_lab::labs::Lab;

use super::corpus::{self, Program};
use super::runs::{Built, complaints, is_skipped};

fn judge(lab: &Lab, right: &Program) -> Vec<String> {
    if !right.must.is_empty() {
        return vec![format!("{}: what is right must fail no check", right.name)];
    }
    let Some(built) = Built::of(lab, right) else { return Vec::new() };
    let run = built.check(lab, lab.name);
    let blamed = run.results.iter().filter(|result| !is_skipped(result));
    let blamed =
        blamed.filter(|result| result.outcome != "pass" && !right.may.contains(&result.id));
    blamed.map(|result| format!("{}: {}\n{}", right.name, result.id, result.record)).collect()
}

fn all_pass(lab: &Lab) {
    let found = complaints(&corpus::programs("right", lab), |right| judge(lab, right));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab every_right_program_passes_all_checks super::all_pass }
