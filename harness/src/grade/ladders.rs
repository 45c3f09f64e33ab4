//! What happened in a check that failed, step by step: recorded where it was judged.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::marks::Marks;
use crate::json::Json;
use crate::report;
use crate::show::trace::Recording;

/// The member of a record that has them.
pub(super) const LADDERS: &str = "ladders";
/// Of so many failures, the most basic ones.
const MOST: usize = 3;
/// To record a check means to carry it out again. One that has taken longer is left alone.
const LONGEST: Duration = Duration::from_secs(5);
/// Nobody reads a longer one.
const STEPS: usize = 60;

/// Records the first failures again, in the tree where they were found.
pub(super) fn record(tree: &Path, marks: &Marks<'_>) -> Vec<Recording> {
    let failed = report::first_of_each_step(&marks.records).into_iter();
    let quick = failed.filter_map(|one| one.record).filter(|record| record.elapsed < LONGEST);
    // A failure without a ladder is a failure all the same.
    quick.take(MOST).filter_map(|record| trace(tree, &record.check.id())).collect()
}

fn trace(tree: &Path, id: &str) -> Option<Recording> {
    let file = tree.join("recording.json");
    let mut command = Command::new(env::current_exe().ok()?);
    command.args(["trace", id, "--json"]).arg(&file).current_dir(tree);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let traced = command.status().ok()?.success();
    let json = Json::parse(&fs::read_to_string(&file).ok()?).ok();
    fs::remove_file(&file).ok()?;
    // It has failed once more, or there is nothing to see.
    let found = Recording::from_json(&json?).filter(|one| traced && one.shows_a_failure());
    found.filter(|one| one.steps.len() <= STEPS)
}
