//! A lab that is written up to a step passes the checks up to that step, and nothing else: what is
//! not written never looks passed, and never spoils what is.

use sockets_lab::json::Json;
use sockets_lab::labs::{self, Lab, TOGETHER};
use sockets_lab::region;

use super::corpus;
use super::runs::{Built, Result, complaints, is_skipped};

/// The lab's source with the first `solved` steps as they should be, and stubs for the others.
pub(crate) fn written_up_to(lab: &Lab, solved: u8) -> String {
    let mut source = corpus::solution(lab);
    for step in lab.steps.iter().filter(|step| step.number > solved) {
        let file = corpus::fixtures("stubs", lab).join(format!("{}.rs", step.name));
        source = region::replace(&source, step.name, &corpus::read(&file)).expect("a region");
    }
    source
}

fn judge(lab: &Lab, solved: u8) -> Vec<String> {
    let what = format!("{} with {solved} steps written", lab.name);
    let built = Built::new(lab, &what, &written_up_to(lab, solved));
    let wrong = |result: &Result| {
        if is_skipped(result) {
            return None;
        }
        let check = labs::check(&result.id).expect("a check of the registry");
        let waits_for = result.record.get("waits_for_step").and_then(Json::as_u64);
        let is_right = match result.outcome.as_str() {
            "pass" => check.step <= solved,
            // The first step that is missing is what it waits for.
            "blocked" => check.step > solved && waits_for == Some(u64::from(solved) + 1),
            _ => false,
        };
        (!is_right).then(|| format!("{what}: {}: {}", result.id, result.record))
    };
    let mut found: Vec<_> = built.check(lab, lab.name).results.iter().filter_map(wrong).collect();
    found.extend(judge_together(lab, solved, &built));
    found
}

/// Where it meets other programs, every check waits for its first step that is missing.
fn judge_together(lab: &Lab, solved: u8, built: &Built) -> Vec<String> {
    let part = TOGETHER.steps.iter().find(|step| step.programs.contains(&lab.name));
    let part = format!("together/{}", part.expect("every lab meets another").name);
    let complete = usize::from(solved) == lab.steps.len();
    let wrong = |result: &Result| {
        let waits_for = result.record.get("waits_for");
        let is_right = match result.outcome.as_str() {
            "pass" => complete,
            "blocked" => waits_for.is_some_and(|waits_for| {
                waits_for.get("lab").and_then(Json::as_str) == Some(lab.name)
                    && waits_for.get("step").and_then(Json::as_u64) == Some(u64::from(solved) + 1)
            }),
            _ => is_skipped(result),
        };
        let (name, id) = (lab.name, &result.id);
        (!is_right).then(|| format!("{name} with {solved} steps: {id}: {}", result.record))
    };
    built.check(lab, &part).results.iter().filter_map(wrong).collect()
}

fn what_is_written_passes(lab: &Lab) {
    let all: Vec<u8> = (0..=lab.steps.len() as u8).collect();
    let found = complaints(&all, |solved| judge(lab, *solved));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab exactly_what_is_written_passes super::what_is_written_passes }
