//! What happened in a check that failed, step by step: recorded where it was judged.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
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

/// Records the first failures again, side by side: a program that fails mostly waits. `harness` is a
/// command that runs where they were found, in which `folder` can be written to.
pub(super) fn record(
    marks: &Marks<'_>,
    folder: &Path,
    harness: &(dyn Fn() -> io::Result<Command> + Sync),
) -> Vec<Recording> {
    let failed = report::first_of_each_step(&marks.records).into_iter();
    let quick = failed.filter_map(|one| one.record).filter(|record| record.elapsed < LONGEST);
    let checks = quick.take(MOST).map(|record| record.check.id()).enumerate();
    thread::scope(|scope| {
        let trace = |(number, id): (usize, String)| {
            let file = folder.join(format!("recording-{number}.json"));
            scope.spawn(move || trace(harness().ok()?, &id, &file))
        };
        let traces: Vec<_> = checks.map(trace).collect();
        // A failure without a ladder is a failure all the same.
        traces.into_iter().filter_map(|trace| trace.join().ok().flatten()).collect()
    })
}

fn trace(mut command: Command, id: &str, file: &Path) -> Option<Recording> {
    command.args(["trace", id, "--json"]).arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let traced = command.status().ok()?.success();
    let json = Json::parse(&fs::read_to_string(file).ok()?).ok();
    fs::remove_file(file).ok()?;
    // It has failed once more, or there is nothing to see.
    let found = Recording::from_json(&json?).filter(|one| traced && one.shows_a_failure());
    found.filter(|one| one.steps.len() <= STEPS)
}
