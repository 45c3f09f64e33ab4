//! What has changed in a lab between two runs: which steps were edited, and which passed before.

use std::fs;
use std::path::Path;

use super::passed;
use crate::labs::{Lab, Step};
use crate::region;
use crate::run::session::Record;
use crate::verdict::{Blocked, Outcome};
use crate::workspace::contents::source_of;

/// How a lab was when it was checked.
pub(super) struct Before {
    /// What was written of each step, by its name; empty where that could not be told.
    bodies: Vec<(String, Vec<u8>)>,
    /// The steps all of whose checks passed.
    green: Vec<u8>,
    /// Whether it was built at all.
    pub(super) built: bool,
    /// How many checks passed.
    pub(super) passed: usize,
}

impl Before {
    /// What is written of each step now.
    pub(super) fn sources(root: &Path, lab: &Lab) -> Vec<(String, Vec<u8>)> {
        let source = fs::read(source_of(root, lab)).unwrap_or_default();
        let regions = region::parse(&source).unwrap_or_default();
        regions.into_iter().map(|one| (one.name, source[one.body].to_vec())).collect()
    }

    /// With these sources, these records came of it.
    pub(super) fn new(bodies: Vec<(String, Vec<u8>)>, records: &[Record]) -> Self {
        let has_passed = |step: u8| {
            let mut of_it = records.iter().filter(|record| record.check.step == step);
            of_it.all(|record| matches!(record.outcome, Outcome::Pass | Outcome::Skipped(_)))
        };
        let mut steps: Vec<u8> = records.iter().map(|record| record.check.step).collect();
        steps.dedup();
        let broken =
            |record: &Record| matches!(record.outcome, Outcome::Blocked(Blocked::Build { .. }));
        Self {
            bodies,
            green: steps.into_iter().filter(|step| has_passed(*step)).collect(),
            built: !records.iter().any(broken),
            passed: passed(records),
        }
    }

    /// `step 2, accept_loop, passed before this save; you changed step 3, serve`, where a step
    /// fails now that was not touched.
    pub(super) fn side_effect(&self, now: &Self, lab: &Lab) -> Option<String> {
        let is_changed = |step: &Step| {
            let body = |of: &Self| {
                of.bodies.iter().find(|(name, _)| name == step.name).map(|(_, body)| body.clone())
            };
            body(self) != body(now)
        };
        let (changed, same): (Vec<&Step>, Vec<&Step>) =
            lab.steps.iter().partition(|s| is_changed(s));
        let is_red =
            |step: &&&Step| self.green.contains(&step.number) && !now.green.contains(&step.number);
        let red: Vec<_> = same.iter().filter(is_red).map(|step| name(step)).collect();
        if changed.is_empty() || red.is_empty() {
            return None;
        }
        let changed: Vec<_> = changed.into_iter().map(name).collect();
        Some(format!(
            "{}, passed before this save; you changed {}",
            red.join(" and "),
            changed.join(" and ")
        ))
    }
}

fn name(step: &Step) -> String {
    format!("step {}, {}", step.number, step.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(bodies: [&str; 3], green: &[u8]) -> Before {
        let names = ["listen", "accept_loop", "serve"];
        let bodies = names.iter().zip(bodies);
        Before {
            bodies: bodies.map(|(name, body)| ((*name).to_owned(), body.into())).collect(),
            green: green.to_vec(),
            built: true,
            passed: 0,
        }
    }

    #[test]
    fn a_step_that_fails_now_and_was_not_touched_is_named_with_what_was() {
        let lab = crate::labs::lab("server").unwrap();
        let before = run(["a", "b", "todo"], &[1, 2]);
        let told = |now: &Before| before.side_effect(now, lab);
        assert_eq!(
            told(&run(["a", "b", "c"], &[1])).as_deref(),
            Some("step 2, accept_loop, passed before this save; you changed step 3, serve")
        );
        assert_eq!(told(&run(["a", "c", "todo"], &[1])), None, "it was changed itself");
        assert_eq!(told(&run(["a", "b", "c"], &[1, 2])), None, "it passes");
        assert_eq!(told(&run(["a", "b", "todo"], &[1])), None, "nothing was changed");
    }
}
