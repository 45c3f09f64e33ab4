//! What happened in a check that failed, step by step: recorded where it was judged, with the programs
//! that were built for that.

use std::thread;
use std::time::Duration;

use crate::report;
use crate::run::session::{Record, Session};
use crate::show::trace::Recording;

/// Of so many failures of a lab, the most basic ones.
const MOST: usize = 2;
/// To record a check means to carry it out again. One that has taken longer is left alone.
const LONGEST: Duration = Duration::from_secs(5);
/// Nobody reads a longer one.
const STEPS: usize = 60;

/// Records the first failures of these again, side by side: a program that fails mostly waits.
pub(super) fn record(session: &Session<'_>, records: &[Record]) -> Vec<Recording> {
    let failed = report::first_of_each_step(records).into_iter();
    let failed = failed.filter_map(|one| one.record).filter(|record| record.elapsed < LONGEST);
    let mut chosen: Vec<&Record> = Vec::new();
    for record in failed {
        if chosen.iter().filter(|other| other.check.lab == record.check.lab).count() < MOST {
            chosen.push(record);
        }
    }
    thread::scope(|scope| {
        let trace = |record: &Record| {
            let check = record.check;
            scope.spawn(move || session.trace(check))
        };
        let traces: Vec<_> = chosen.into_iter().map(trace).collect();
        // A failure without a ladder is a failure all the same.
        let traced = traces.into_iter().filter_map(|trace| trace.join().ok()?.ok());
        // It has failed once more, or there is nothing to see.
        traced.filter(|one| one.shows_a_failure() && one.steps.len() <= STEPS).collect()
    })
}
