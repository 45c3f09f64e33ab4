//! The board: the whole course on one screen of 24 lines and 80 columns. A line for each lab, and
//! below it, where there is work, its steps with a mark for each check.

mod sums;
#[cfg(test)]
mod tests;

pub use self::sums::course;
pub(super) use self::sums::{next, notes};

use super::place::{Placed, grouped};
use crate::lab::Lab;
use crate::labs;
use crate::run::session::Record;
use crate::term::Style;
use crate::term::layout::{clip, columns, pad, pad_left};
use crate::verdict::{Blocked, Outcome};

/// Columns of the board, so that it fits the smallest terminal.
const WIDTH: usize = 80;
/// Lines of the board: the last one of the terminal is the prompt's.
const HEIGHT: usize = 23;
/// Marks on a line; a step with more checks takes another.
const MARKS: usize = 30;
/// Cells of a lab's bar, where the titles leave room for them.
const CELLS: usize = 10;
const CELLS_AT_LEAST: usize = 6;

/// The board of these records: the labs, the sums, what was skipped and why, the notes, and what
/// to do next. Ends with a newline.
pub fn render(records: &[Record], notes: &[String], style: Style) -> String {
    text(&Placed::all(records), notes, style)
}

pub(super) fn text(all: &[Placed<'_>], notes: &[String], style: Style) -> String {
    let whole = all.len() == labs::checks().count();
    board(all, notes, whole, style)
}

/// The record that a reader should look at first: of a lab, what shows a mistake itself, then what
/// is basic.
pub fn first_to_do(records: &[Record]) -> Option<&Record> {
    sums::first_open(&Placed::all(records)).map(|placed| placed.record)
}

/// `whole`: these are all checks of the course, so it can be said how far one is in it.
fn board(all: &[Placed<'_>], notes: &[String], whole: bool, style: Style) -> String {
    let labs: Vec<Row<'_>> = grouped(all, |placed| placed.lab.name)
        .into_iter()
        .map(|(_, checks)| Row { lab: checks[0].lab, checks })
        .collect();
    let focus = sums::first_open(all).map(|open| open.to_do().0.name);
    let mut below = Vec::new();
    if !labs.is_empty() {
        below.push(String::new());
    }
    if whole {
        below.push(sums::course_of(&labs, style));
    }
    below.extend(sums::summary(all, style));
    below.extend(sums::skipped(all, style));
    below.extend(sums::notes(notes, style));
    below.extend(sums::next(all, style));

    let layout = Layout::of(&labs);
    let free = HEIGHT.saturating_sub(labs.len() + below.len());
    let opened = opened(&labs, focus, free);
    let mut lines = Vec::new();
    for (row, opened) in labs.iter().zip(opened) {
        // What is still to come stands back behind what is being worked on.
        let dim = !opened && row.is_untouched() && focus != Some(row.lab.name);
        let line = row.heading(&layout, if dim { Style::plain() } else { style });
        lines.push(if dim { style.dim(&line) } else { line });
        if opened {
            lines.extend(row.steps(&layout, style));
        }
    }
    lines.extend(below);
    lines.join("\n") + "\n"
}

/// Which labs show their steps: one alone always; of several, as lines allow, the one to work on,
/// and then those where something went wrong.
fn opened(labs: &[Row<'_>], focus: Option<&str>, mut free: usize) -> Vec<bool> {
    if let [_] = labs {
        return vec![true];
    }
    let mut opened = vec![false; labs.len()];
    let is_focus = |row: &Row<'_>| focus == Some(row.lab.name);
    let has_failed = |row: &Row<'_>| row.has("fail") || row.has("fault");
    let wanted: [&dyn Fn(&Row<'_>) -> bool; 2] = [&is_focus, &has_failed];
    for is_wanted in wanted {
        for (row, opened) in labs.iter().zip(&mut opened) {
            let lines = row.height();
            if !*opened && is_wanted(row) && lines <= free {
                *opened = true;
                free -= lines;
            }
        }
    }
    opened
}

/// The widths of the board's columns.
struct Layout {
    number: usize,
    name: usize,
    title: usize,
    cells: usize,
    count: usize,
    points: usize,
    step: usize,
    marks: usize,
    step_count: usize,
}

impl Layout {
    fn of(labs: &[Row<'_>]) -> Self {
        let widest = |width: &dyn Fn(&Row<'_>) -> usize| labs.iter().map(width).max().unwrap_or(0);
        let number = widest(&|row| columns(&row.number()));
        let name = widest(&|row| columns(row.lab.name));
        let count = widest(&|row| columns(&row.count()));
        let points = widest(&|row| columns(&row.points()));
        // Two columns between the parts, and the sign before the count.
        let room = WIDTH.saturating_sub(number + name + count + points + 5 * 2 + 2);
        let longest = widest(&|row| columns(row.lab.title));
        let cells = room.saturating_sub(longest).clamp(CELLS_AT_LEAST, CELLS);
        let steps = labs.iter().flat_map(|row| &row.checks);
        let step = steps.map(|placed| columns(placed.step.name)).max().unwrap_or(0);
        let largest = widest(&|row| row.by_step().iter().map(Vec::len).max().unwrap_or(0));
        Self {
            number,
            name,
            title: room.saturating_sub(cells),
            cells,
            count,
            points,
            step,
            marks: largest.min(MARKS),
            step_count: columns(&format!("{largest} of {largest}")),
        }
    }
}

/// A lab, and the records of its checks.
struct Row<'p> {
    lab: &'static Lab,
    checks: Vec<&'p Placed<'p>>,
}

impl<'p> Row<'p> {
    fn number(&self) -> String {
        self.lab.number.map_or_else(String::new, |number| number.to_string())
    }

    /// `36 of 36`: what was skipped has not passed.
    fn count(&self) -> String {
        let (passed, all) = counts(&self.checks);
        format!("{passed} of {all}")
    }

    fn points(&self) -> String {
        points(self.checks.iter().copied())
    }

    fn has(&self, word: &str) -> bool {
        self.checks.iter().any(|placed| placed.word() == word)
    }

    /// Whether nothing of it is written that could be judged.
    fn is_untouched(&self) -> bool {
        let waits = |placed: &&Placed<'_>| {
            let outcome = placed.outcome();
            matches!(outcome, Outcome::Blocked(Blocked::Step(_) | Blocked::Elsewhere { .. }))
        };
        self.checks.iter().all(waits)
    }

    fn is_complete(&self) -> bool {
        self.checks.iter().all(|placed| placed.word() == "pass")
    }

    /// The records by step, in the order of the steps.
    fn by_step(&self) -> Vec<Vec<&'p Placed<'p>>> {
        let mut steps = grouped(self.checks.iter().copied(), |placed| placed.step.number);
        steps.sort_by_key(|(number, _)| *number);
        steps.into_iter().map(|(_, checks)| checks).collect()
    }

    /// How many lines its steps take.
    fn height(&self) -> usize {
        self.by_step().iter().map(|checks| checks.len().div_ceil(MARKS)).sum()
    }

    /// ` 1  server  bind, listen, accept  ■■■■■■■■■■  ● 36 of 36  78 of 78 points`
    fn heading(&self, layout: &Layout, style: Style) -> String {
        let number = pad_left(&self.number(), layout.number);
        let name = style.bold(&pad(self.lab.name, layout.name));
        let title = pad(&clip(self.lab.title, layout.title), layout.title);
        let bar = bar(counts(&self.checks), layout.cells, style);
        let sign = mark(self.worst(), style);
        let count = pad_left(&self.count(), layout.count);
        let points = pad_left(&self.points(), layout.points);
        format!("{number}  {name}  {title}  {bar}  {sign} {count}  {points}")
    }

    /// The outcome that says most about the lab.
    fn worst(&self) -> &'p Outcome {
        let of = |word: &&str| self.checks.iter().find(|placed| placed.word() == *word);
        let worst = ["fail", "fault", "blocked", "skipped"].iter().find_map(of);
        worst.unwrap_or(&self.checks[0]).outcome()
    }

    fn steps(&self, layout: &Layout, style: Style) -> Vec<String> {
        self.by_step().iter().flat_map(|checks| step_lines(checks, layout, style)).collect()
    }
}

fn step_lines(checks: &[&Placed<'_>], layout: &Layout, style: Style) -> Vec<String> {
    let step = checks[0].step;
    let indent = " ".repeat(layout.number + 2);
    let (passed, all) = counts(checks);
    let count = pad_left(&format!("{passed} of {all}"), layout.step_count);
    let mut lines = Vec::new();
    for (index, marks) in checks.chunks(MARKS).enumerate() {
        let head = match index {
            0 => format!("{} {}", step.number, step.name),
            _ => String::new(),
        };
        let head = pad(&head, layout.step + 2);
        let mut line = format!("{indent}{head}  ");
        let used = columns(&line) + layout.marks + 2 + columns(&count);
        line.extend(marks.iter().map(|placed| mark(placed.outcome(), style)));
        if index == 0 {
            line += &" ".repeat(layout.marks - marks.len());
            line += &format!("  {count}");
            let remark = clip(&remark(checks), WIDTH.saturating_sub(used + 2));
            if !remark.is_empty() {
                line += &format!("  {}", style.warn(&remark));
            }
        }
        lines.push(line);
    }
    lines
}

/// What the checks of this step wait for, or how many of them were skipped.
fn remark(checks: &[&Placed<'_>]) -> String {
    let blocked = checks.iter().find_map(|placed| match placed.outcome() {
        Outcome::Blocked(blocked) => Some((blocked, placed.step.number)),
        _ => None,
    });
    match blocked {
        Some((Blocked::Step(missing), own)) if *missing == own => "not written yet".to_owned(),
        Some((Blocked::Step(missing), _)) => format!("waits for step {missing}"),
        Some((Blocked::Elsewhere { lab, step }, _)) => format!("waits for {lab}, step {step}"),
        Some((Blocked::Build { lab, .. }, _)) if lab == checks[0].lab.name => {
            "does not build".to_owned()
        }
        Some((Blocked::Build { lab, .. }, _)) => format!("{lab} does not build"),
        None => match checks.iter().filter(|placed| placed.word() == "skipped").count() {
            0 => String::new(),
            skipped => format!("{skipped} skipped"),
        },
    }
}

/// A sign for each outcome's word: different signs, so that colour is never needed.
pub fn sign(word: &str) -> &'static str {
    match word {
        "pass" => "●",
        "fail" => "✗",
        "blocked" => "○",
        "skipped" => "–",
        _ => "!",
    }
}

/// The sign in its colour.
fn mark(outcome: &Outcome, style: Style) -> String {
    let sign = sign(outcome.word());
    match outcome {
        Outcome::Pass => style.good(sign),
        Outcome::Fail(_) => style.bad(sign),
        Outcome::Blocked(_) => style.warn(sign),
        Outcome::Skipped(_) => style.dim(sign),
        Outcome::Fault(_) => style.alarm(sign),
    }
}

/// How much of it passed. All cells are full only when everything passed, and none is only when
/// nothing did.
fn bar((passed, all): (usize, usize), cells: usize, style: Style) -> String {
    let full = match passed {
        0 => 0,
        _ => (passed * cells / all.max(1)).max(1),
    };
    style.good(&"■".repeat(full)) + &style.dim(&"·".repeat(cells - full))
}

/// How many passed, of how many.
fn counts(checks: &[&Placed<'_>]) -> (usize, usize) {
    (checks.iter().filter(|placed| placed.word() == "pass").count(), checks.len())
}

fn points<'a>(checks: impl Iterator<Item = &'a Placed<'a>> + Clone) -> String {
    let score: u32 = checks.clone().map(|placed| placed.record.score()).sum();
    let out_of: u32 = checks.map(|placed| placed.record.check.points).sum();
    format!("{score} of {out_of} points")
}
