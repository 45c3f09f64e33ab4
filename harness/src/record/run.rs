//! Recording a check or a scene, in a worker.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Recorder, Recording, scene};
use crate::course;
use crate::json::Json;
use crate::pool::Pool;
use crate::trial::{Site, Stop, Trial, Verdict};
use crate::worker::Request;

/// The member of a worker's request that asks for a recording.
pub(crate) const REQUEST: &str = "trace";
/// Whether system calls are recorded, too.
const SYSCALLS: &str = "syscalls";

/// Has the check or the scene that the request names recorded by a worker of its own.
///
/// # Errors
/// The harness's own trouble. A check that fails is a recording all the same, with a note.
pub fn record(pool: &Pool, request: &Request, syscalls: bool) -> io::Result<Recording> {
    let mut order = request.to_json();
    if let Json::Object(members) = &mut order {
        members.push((REQUEST.into(), Json::object([(SYSCALLS, syscalls.into())])));
    }
    let answer = pool.ask_alone(&order)?;
    if let Some(why) = answer.get("fault").and_then(Json::as_str) {
        return Err(io::Error::other(why.to_owned()));
    }
    Recording::from_json(&answer).ok_or_else(|| io::Error::other("the worker made no sense"))
}

/// The worker's part: a [`Recording`], or `fault`, as JSON.
pub(crate) fn answer(order: &Json, site: &Site) -> Json {
    let Some(request) = Request::from_json(order) else { return Json::Null };
    let syscalls = order.get(REQUEST).and_then(|order| order.get(SYSCALLS));
    let recorder = Recorder::new(matches!(syscalls, Some(Json::Bool(true))));
    let Some((title, needs, run)) = find(&request.check) else {
        return fault(&format!("there is no check or scene {}", request.check));
    };
    let mut trial = Trial::recorded(request.programs, site.clone(), needs, recorder);
    let verdict = catch_unwind(AssertUnwindSafe(|| run(&mut trial)));
    trial.record_heard();
    let mut recording = trial.recording(&request.check, title);
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
