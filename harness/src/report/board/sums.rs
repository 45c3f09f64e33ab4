//! What stands below the labs: how far one is, the sums, what was skipped, and what comes next.

use super::{Row, WIDTH, bar, mark, points};
use crate::labs;
use crate::report::place::{Placed, by_telling, chapter_file, grouped};
use crate::term::Style;
use crate::term::layout::{columns, hang};
use crate::verdict::{Blocked, Outcome};

/// Cells of the whole course's bar.
const CELLS: usize = 24;
/// Skipped checks that are named; more are counted.
const NAMED: usize = 4;
/// Below `next: `.
const INDENT: &str = "      ";
/// Between the sums.
const GAP: &str = "   ";

/// `course  ■■■■■■■■■■■·············  58 of 126 checks   1 of 3 labs complete`
pub(super) fn course_of(labs: &[Row<'_>], style: Style) -> String {
    let checks: Vec<_> = labs.iter().flat_map(|row| row.checks.iter().copied()).collect();
    let of_all = labs.iter().filter(|row| row.lab.is_lab());
    let complete = of_all.clone().filter(|row| row.is_complete()).count();
    course(super::counts(&checks), (complete, of_all.count()), style)
}

/// The same of these counts: checks that passed, labs that are complete, each of how many.
pub fn course(
    (passed, all): (usize, usize),
    (complete, of_all): (usize, usize),
    style: Style,
) -> String {
    let bar = bar((passed, all), CELLS, style);
    format!("course  {bar}  {passed} of {all} checks{GAP}{complete} of {of_all} labs complete")
}

/// The sums, which explain the marks at the same time.
pub(super) fn summary(all: &[Placed<'_>], style: Style) -> Vec<String> {
    if all.is_empty() {
        return vec!["nothing was checked".to_owned()];
    }
    // What is said, and how wide it is: colours take no column.
    let mut parts: Vec<(String, usize)> = Vec::new();
    for word in ["pass", "fail", "blocked", "skipped", "fault"] {
        let found: Vec<_> = all.iter().filter(|placed| placed.word() == word).collect();
        let Some(first) = found.first() else { continue };
        let said = match (word, found.len()) {
            ("pass", _) => "passed",
            ("fail", _) => "failed",
            ("fault", 2..) => "faults",
            _ => word,
        };
        let said = format!(" {} {said}", found.len());
        parts.push((mark(first.outcome(), style) + &said, 1 + columns(&said)));
    }
    let judged = all.iter().filter(|placed| placed.word() != "skipped").count();
    if judged < all.len() {
        let checked = format!("{judged} of {} checked", all.len());
        parts.push((checked.clone(), columns(&checked)));
    }
    let points = points(all.iter());
    parts.push((points.clone(), columns(&points)));

    let mut lines: Vec<(String, usize)> = Vec::new();
    for (part, width) in parts {
        match lines.last_mut() {
            Some((line, used)) if *used + columns(GAP) + width <= WIDTH => {
                *line = format!("{line}{GAP}{part}");
                *used += columns(GAP) + width;
            }
            _ => lines.push((part, width)),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

/// The skipped checks, by the reason.
pub(super) fn skipped(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let skipped = all.iter().filter_map(|placed| match placed.outcome() {
        Outcome::Skipped(why) => Some((placed.id(), why)),
        _ => None,
    });
    let mut lines = Vec::new();
    for (why, checks) in grouped(skipped, |(_, why)| *why) {
        let which = match checks.len() {
            ..=NAMED => checks.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", "),
            count => format!("{count} checks"),
        };
        lines.extend(hang("skipped: ", &format!("{why}: {which}"), WIDTH));
    }
    lines.iter().map(|line| style.dim(line)).collect()
}

/// What the reader must know about the run as a whole.
pub(in crate::report) fn notes(notes: &[String], style: Style) -> Vec<String> {
    let lines = notes.iter().flat_map(|note| hang("note: ", note, WIDTH));
    lines.map(|line| style.dim(&line)).collect()
}

/// What the reader should look at first: of what did not pass, in the order of the course. A fault
/// comes last, because the reader can do nothing about it but try again.
pub(super) fn first_open<'p, 'a>(all: &'p [Placed<'a>]) -> Option<&'p Placed<'a>> {
    let all = by_telling(all);
    let first = |words: &[&str]| all.iter().copied().find(|one| words.contains(&one.word()));
    first(&["fail", "blocked"]).or_else(|| first(&["fault"]))
}

/// What to do next.
pub(in crate::report) fn next(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let Some(first) = first_open(all) else { return Vec::new() };
    let (lab, step) = first.to_do();
    let kind = if lab.is_lab() { "lab " } else { "" };
    let place = format!("{kind}{} step {}, {}", lab.name, step.number, step.name);
    let read = format!("read {}, then: ", chapter_file(step));
    let whole_lab = format!("cargo lab check {}", lab.name);
    let (what, how, command) = match first.outcome() {
        Outcome::Blocked(Blocked::Build { lab: broken, .. }) => {
            let folder = labs::lab(broken).map_or(lab.folder, |broken| broken.folder);
            let what = format!("make lab {broken} build again: {folder}/src/main.rs");
            (what, "then: ".to_owned(), whole_lab)
        }
        Outcome::Blocked(Blocked::Step(_) | Blocked::Elsewhere { .. }) => {
            (format!("{place}: {}", step.task), read, whole_lab)
        }
        Outcome::Fault(_) => {
            let what = "the harness could not do its job".to_owned();
            (what, "once that is repaired: ".to_owned(), first.again())
        }
        // Also for whom the failure itself has scrolled off the screen.
        Outcome::Fail(failure) => (format!("{place}: {}", failure.headline), read, first.again()),
        _ => (place, read, first.again()),
    };
    let mut lines = hang("next: ", &what, WIDTH);
    let command_at = columns(INDENT) + columns(&how);
    if command_at + columns(&command) <= WIDTH {
        lines.push(format!("{INDENT}{how}{}", style.link(&command)));
    } else {
        lines.push(format!("{INDENT}{}", how.trim_end()));
        lines.push(format!("{INDENT}{}", style.link(&command)));
    }
    lines
}
