//! Records with their place in the course: the only part of the reports that asks the
//! registry, so that the renderers can be tested with a course of their own.

use crate::labs::{self, Lab, Step};
use crate::net::causes::BUSY;
use crate::run::session::Record;
use crate::verdict::{Blocked, Outcome};

/// A record, with the lab and the step that its check belongs to.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) record: &'a Record,
    pub(super) lab: &'static Lab,
    pub(super) step: &'static Step,
}

impl<'a> Placed<'a> {
    pub(super) fn new(record: &'a Record) -> Self {
        Self { record, lab: record.check.lab(), step: record.check.step() }
    }

    pub(super) fn all(records: &'a [Record]) -> Vec<Self> {
        records.iter().map(Self::new).collect()
    }

    pub(super) fn id(&self) -> String {
        self.record.check.id()
    }

    pub(super) fn outcome(&self) -> &'a Outcome {
        &self.record.outcome
    }

    /// The lab and the step that the reader should look at: the step that is not written yet, the
    /// one where the cause lies, or the check's own.
    pub(super) fn to_do(self) -> (&'static Lab, &'static Step) {
        let (lab, missing) = match &self.record.outcome {
            Outcome::Blocked(Blocked::Step(number)) => (self.lab, *number),
            Outcome::Blocked(Blocked::Elsewhere { lab, step }) => {
                (labs::lab(lab).unwrap_or(self.lab), *step)
            }
            Outcome::Fail(failure) if failure.cause.iter().any(|cause| cause == BUSY) => {
                let reading = self.lab.reading_step.unwrap_or(self.step.number);
                (self.lab, self.step.number.max(reading))
            }
            _ => (self.lab, self.step.number),
        };
        match lab.steps.iter().find(|step| step.number == missing) {
            Some(step) => (lab, step),
            None => (self.lab, self.step),
        }
    }

    /// What came of it, in a word that every report uses.
    pub(super) fn word(&self) -> &'static str {
        self.record.outcome.word()
    }

    /// Why it did not pass, in one sentence; nothing for a pass.
    pub(super) fn reason(&self) -> String {
        match &self.record.outcome {
            Outcome::Pass => String::new(),
            Outcome::Fail(failure) => failure.headline.clone(),
            Outcome::Blocked(Blocked::Step(_)) => {
                let (_, step) = self.to_do();
                format!("step {}, {}, is not written yet", step.number, step.name)
            }
            Outcome::Blocked(Blocked::Elsewhere { .. }) => {
                let (lab, step) = self.to_do();
                let (lab, number, name) = (lab.name, step.number, step.name);
                format!("lab {lab}, step {number}, {name}, is not written yet")
            }
            Outcome::Blocked(Blocked::Build { lab, .. }) => format!("lab {lab} does not build"),
            Outcome::Skipped(why) | Outcome::Fault(why) => why.clone(),
        }
    }

    /// The command that runs this check again.
    pub(super) fn again(&self) -> String {
        self.command("check")
    }

    /// The command that shows this check step by step.
    pub(super) fn trace(&self) -> String {
        self.command("trace")
    }

    fn command(&self, what: &str) -> String {
        let command = format!("cargo lab {what} {}", self.id());
        let options = self.record.programs.iter().map(|(lab, program)| {
            let option = if *lab == self.lab.name { "program" } else { lab };
            // As a shell takes it: a quotation mark inside is closed, escaped and opened again.
            format!(" --{option} '{}'", program.replace('\'', r"'\''"))
        });
        command + &options.collect::<String>()
    }
}

/// In the order in which a reader should look at them: lab by lab, and of a lab first the
/// failures that show the mistake itself, then what is basic, then what is exotic.
pub(super) fn by_telling<'p, 'a>(all: &'p [Placed<'a>]) -> Vec<&'p Placed<'a>> {
    let rank = |placed: &&Placed<'_>| match placed.outcome() {
        Outcome::Fail(failure) if failure.telling => 0,
        _ if placed.record.check.exotic => 2,
        _ => 1,
    };
    let labs = grouped(all, |placed| placed.lab.name);
    let sorted = labs.into_iter().map(|(_, mut checks)| {
        checks.sort_by_key(rank);
        checks
    });
    sorted.flatten().collect()
}

/// The file that a chapter is in.
pub(super) fn chapter_file(step: &Step) -> String {
    format!("book/src/{}.md", step.chapter)
}

/// The values in groups by this key: groups in the order in which they first occur.
pub(super) fn grouped<T, K: PartialEq>(
    values: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for value in values {
        let key = key(&value);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
