//! Recording a check or a scene, in a worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::{Recorder, Recording};
use crate::json::Json;
use crate::labs;
use crate::program::Template;
use crate::trial::{Addresses, Needs, Stop, Trial, Verdict};

/// How a note begins that says what a check has failed for.
const FAILED: &str = "the check failed here: ";

impl Recording {
    /// Whether it is of a check that has failed.
    pub fn shows_a_failure(&self) -> bool {
        self.notes.iter().any(|note| note.starts_with(FAILED))
    }
}

/// The worker's part: a [`Recording`] of the check or scene `what`, or `fault`, as JSON.
pub(crate) fn record(
    what: &str,
    programs: Vec<(String, Template)>,
    syscalls: bool,
    addresses: &Addresses,
) -> Json {
    let recorder = Rc::new(Recorder::new(syscalls));
    let Some((title, needs, run)) = find(what) else {
        return fault(&format!("there is no check or scene {what}"));
    };
    let messages = programs.iter().find_map(|(lab, _)| labs::lab(lab)?.messages);
    let mut trial = Trial::recorded(programs, addresses.clone(), needs, recorder.clone());
    let verdict = catch_unwind(AssertUnwindSafe(|| run(&mut trial)));
    trial.record_heard();
    let mut recording = recorder.recording(what, title);
    if let Some(messages) = messages {
        recording.explain(messages);
    }
    let end = trial.end();
    match verdict {
        Ok(verdict) => match verdict.and(end).err() {
            None => {}
            Some(Stop::Fault(why)) => return fault(&why),
            Some(Stop::Fail(failure)) => {
                recording.notes.push(format!("{FAILED}{}", failure.headline));
            }
            Some(Stop::Skip(why)) => recording.notes.push(format!("skipped: {why}")),
            Some(Stop::Unwritten(step)) => {
                let (number, name) = (step.step, step.name);
                recording.notes.push(format!("step {number}, {name}, is not written yet"));
            }
        },
        Err(_) => return fault("the harness panicked"),
    }
    recording.to_json()
}

fn fault(why: &str) -> Json {
    Json::object([("fault", why.into())])
}

type Run = fn(&mut Trial) -> Verdict;

/// Title, steps that are needed, and what is run.
fn find(what: &str) -> Option<(&'static str, Needs, Run)> {
    if let Some(scene) = labs::scene(what) {
        return Some((scene.title, Needs::All, scene.run));
    }
    labs::check(what).map(|check| (check.title, check.needs(), check.run))
}
