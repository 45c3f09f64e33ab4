//! Recording a check or a scene, in a worker.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::{Recorder, scene};
use crate::course;
use crate::json::Json;
use crate::protocol::Request;
use crate::trial::{Site, Stop, Trial, Verdict};

/// The member of a worker's request that asks for a recording.
pub(crate) const REQUEST: &str = "trace";
/// Whether system calls are recorded, too.
pub(crate) const SYSCALLS: &str = "syscalls";

/// The worker's part: a [`Recording`], or `fault`, as JSON.
pub(crate) fn answer(order: &Json, site: &Site) -> Json {
    let Some(request) = Request::from_json(order) else { return Json::Null };
    let syscalls = order.get(REQUEST).and_then(|order| order.get(SYSCALLS));
    let recorder = Rc::new(Recorder::new(matches!(syscalls, Some(Json::Bool(true)))));
    let Some((title, needs, run)) = find(&request.check) else {
        return fault(&format!("there is no check or scene {}", request.check));
    };
    let mut trial = Trial::recorded(request.programs, site.clone(), needs, recorder.clone());
    let verdict = catch_unwind(AssertUnwindSafe(|| run(&mut trial)));
    trial.record_heard();
    let mut recording = recorder.recording(&request.check, title);
    let end = trial.end();
    match verdict {
        Ok(verdict) => match verdict.and(end).err() {
            None => {}
            Some(Stop::Fault(why)) => return fault(&why),
            Some(Stop::Fail(failure)) => {
                recording.notes.push(format!("the check failed here: {}", failure.headline));
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
fn find(what: &str) -> Option<(&'static str, u8, Run)> {
    if let Some(scene) = scene(what) {
        return Some((scene.title, u8::MAX, scene.run));
    }
    course::check(what).map(|check| (check.title, check.needs(), check.run))
}
