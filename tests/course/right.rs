//! Other right programs must pass: a check that fails one of them asks for more than the lab does.

use sockets_lab::labs::Lab;
use sockets_lab::verdict::Outcome;

use super::corpus::{self, Program};
use super::runs::{self, Run, is_skipped};

fn complaints(right: &Program, run: &Run) -> Vec<String> {
    let blamed = run.results.iter().filter(|result| {
        result.outcome != Outcome::Pass && !is_skipped(result) && !right.may.contains(&result.id)
    });
    blamed.map(|result| format!("{}: {}: {:#?}", right.name, result.id, result.outcome)).collect()
}

fn all_pass(lab: &'static Lab) {
    let programs = corpus::programs("right", lab);
    let run = runs::of_corpus(lab, &programs, |right| {
        assert!(right.must.is_empty(), "{}: what is right must fail no check", right.name);
        lab.checks().collect()
    });
    let found: Vec<_> = run.iter().flat_map(|(right, run)| complaints(right, run)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab every_right_program_passes_all_checks super::all_pass }
