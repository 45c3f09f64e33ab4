//! One run of the harness: builds what is asked for, has every check carried out, and returns
//! the records.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::build::{self, Built};
use crate::course::{Check, Lab};
use crate::pool::Pool;
use crate::program::Template;
use crate::verdict::{Blocked, Outcome, Record};
use crate::worker::Request;

/// What came of a run.
#[derive(Debug)]
pub struct Judgement {
    /// One for each check, in the order in which they were asked for.
    pub records: Vec<Record>,
    /// What holds of all of them, such as that there was no isolation.
    pub notes: Vec<String>,
}

/// Builds what is needed, has every check carried out, and returns the records in order.
/// `progress` is told what is being done.
///
/// # Errors
/// The harness's own trouble: no course here, no cargo, no worker.
pub fn judge(
    checks: &[&'static Check],
    program: Option<&Template>,
    progress: &(dyn Fn(&str) + Sync),
) -> io::Result<Judgement> {
    let mut programs: BTreeMap<&str, Result<Template, String>> = BTreeMap::new();
    for check in checks {
        if programs.contains_key(check.lab) {
            continue;
        }
        let program = match program {
            Some(template) => Ok(template.clone()),
            None => {
                progress(&format!("building {}", check.lab));
                built(check.lab())?
            }
        };
        programs.insert(check.lab, program);
    }
    let requests: Vec<Request> = checks
        .iter()
        .filter_map(|check| {
            let template = programs.get(check.lab)?.as_ref().ok()?;
            let programs = vec![(check.lab.to_owned(), template.clone())];
            Some(Request { check: check.id(), programs })
        })
        .collect();
    let pool = Pool::open()?;
    let done = AtomicUsize::new(0);
    let answers = pool.run(&requests, |_, _| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(&format!("checked {done} of {}", requests.len()));
    });
    let mut answers = answers.into_iter();
    let records = checks.iter().map(|check| {
        let (outcome, elapsed) = match programs.get(check.lab) {
            Some(Err(words)) => {
                (Outcome::Blocked(Blocked::Build(words.clone())), Default::default())
            }
            _ => match answers.next() {
                Some(answer) => (answer.outcome, answer.elapsed),
                None => (Outcome::Fault("it was not carried out".into()), Default::default()),
            },
        };
        let program = program.map(|template| template.shown().to_owned());
        Record { check, outcome, elapsed, program }
    });
    Ok(Judgement { records: records.collect(), notes: pool.notes })
}

/// The lab's own program, or rustc's words.
fn built(lab: &Lab) -> io::Result<Result<Template, String>> {
    let root = build::find_root()?;
    Ok(match build::build(&root, lab)? {
        Built::Program(file) => Ok(Template::new(&file, lab.arguments, lab.name)),
        Built::Broken(words) => Err(words),
    })
}
