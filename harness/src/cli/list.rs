//! `lab list`: labs, their steps, and how far each is; of one lab, its checks too.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{CliError, print, select};
use crate::labs::{self, Check, LABS, Lab, TOGETHER};
use crate::report::board;
use crate::root;
use crate::term::Style;
use crate::term::layout::clip;
use crate::workspace::fingerprint;
use crate::workspace::last_run::{LastRun, Passed};
use crate::workspace::steps::{self, StepState};

/// Prints the course, or one lab with its checks.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let text = match words {
        [] => course(&root::find_root()?),
        [name] => lab_with_checks(select::lab(name)?, &LastRun::read(&root::find_root()?)),
        _ => {
            return Err(CliError::Usage(
                "list shows one lab, as in `cargo lab list server`".into(),
            ));
        }
    };
    print(&text)?;
    Ok(0)
}

fn course(root: &Path) -> String {
    let steps = LABS.iter().flat_map(|lab| lab.steps);
    let width = steps.map(|step| step.name.len()).max().unwrap_or(0);
    let last = LastRun::read(root);
    let mut text = String::new();
    for lab in LABS {
        text +=
            &format!("{}{}  {}   ({}/README.md)\n", number(lab), lab.name, lab.title, lab.folder);
        let states = steps::states(root, lab);
        for (index, step) in lab.steps.iter().enumerate() {
            let state = match &states {
                Ok(states) => states.get(index).copied().map_or("", word),
                Err(_) => "?",
            };
            let (number, name, chapter) = (step.number, step.name, step.chapter);
            let checks = lab.checks().filter(|check| check.step == number);
            let passed = last.passed(checks).map_or(String::new(), |sum| sum.to_string());
            text += &format!(
                "   {number} {name:<width$}  {state:<15}  {passed:>8}  book/src/{chapter}.md\n"
            );
        }
        if let Err(error) = states {
            text += &format!("   {error}\n");
        }
    }
    let passed = last.passed(TOGETHER.checks()).map_or(String::new(), |sum| format!("   {sum}"));
    text += &format!("   {}  {}{passed}\n\n", TOGETHER.name, TOGETHER.title);
    text += &course_line(&last, Style::for_stdout());
    text += &format!("\n{}\n", age(root, &last));
    text + "`cargo lab list server` shows the checks of a lab, `cargo lab` checks them all.\n"
}

/// How far one is in the course.
pub(super) fn course_line(last: &LastRun, style: Style) -> String {
    let Passed { passed, of } = last.course();
    let complete = LABS.iter().filter(|lab| last.is_complete(lab)).count();
    board::course((passed, of), (complete, LABS.len()), style)
}

/// When the figures are from, and which labs were saved since.
fn age(root: &Path, last: &LastRun) -> String {
    let Some(since) = last.since(labs::checks()) else {
        return "nothing was checked yet".to_owned();
    };
    let ago = SystemTime::now().duration_since(since).unwrap_or_default();
    let saved = LABS.iter().filter(|lab| {
        let checked = last.since(lab.checks());
        checked.is_some_and(|checked| fingerprint::Stamp::of(root, &[lab]).is_newer_than(checked))
    });
    let saved: Vec<_> = saved.map(|lab| lab.name).collect();
    let saved = match saved.as_slice() {
        [] => String::new(),
        labs => format!("; saved since then: {}", labs.join(", ")),
    };
    format!("passed: as of the last run, {} ago{saved}", rough(ago))
}

/// A duration as one says it.
fn rough(time: Duration) -> String {
    let said =
        |count: u64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match time.as_secs() {
        seconds @ ..60 => said(seconds, "second"),
        seconds @ ..3600 => said(seconds / 60, "minute"),
        seconds @ ..86_400 => said(seconds / 3600, "hour"),
        seconds => said(seconds / 86_400, "day"),
    }
}

/// How far a step is.
fn word(state: StepState) -> &'static str {
    match state {
        StepState::Unwritten => "not written yet",
        StepState::Begun => "begun",
        StepState::Written => "written",
    }
}

/// The checks of a lab, each on one line of so many columns.
pub(super) fn checks(lab: &Lab, last: &LastRun, width: usize) -> String {
    let name = |check: &Check| check.name.replace('_', "-");
    let widest = lab.checks().map(|check| name(check).len()).max().unwrap_or(0);
    let mut text = String::new();
    for step in lab.steps {
        text += &format!("step {}, {}\n", step.number, step.name);
        for check in lab.checks().filter(|check| check.step == step.number) {
            let sign = last.outcome(check).map_or(" ", board::sign);
            let line = format!("  {sign} {:<widest$}  {}", name(check), check.title);
            text += &format!("{}\n", clip(&line, width));
        }
    }
    text
}

/// `1  `, before a lab's name.
fn number(lab: &Lab) -> String {
    lab.number.map_or_else(String::new, |number| format!("{number}  "))
}

/// A mark before each check, where it is known what came of it.
fn lab_with_checks(lab: &Lab, last: &LastRun) -> String {
    let mut text = format!("{}{}  {}\n", number(lab), lab.name, lab.title);
    for step in lab.steps {
        text += &format!("\nstep {}, {}: {}\n", step.number, step.name, step.task);
        for check in lab.checks().filter(|check| check.step == step.number) {
            let sign = last.outcome(check).map_or(" ", board::sign);
            text += &format!("{sign} {:<42} {}\n", check.id(), check.title);
        }
    }
    text
}
