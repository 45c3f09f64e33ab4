//! The board: all labs on one screen of 24 lines and 80 columns, a mark for each check.

use super::place::{Placed, by_telling, chapter_file, grouped};
use crate::labs::{self, Lab};
use crate::run::session::Record;
use crate::term::Style;
use crate::term::layout::{clip, columns, hang, pad};
use crate::verdict::{Blocked, Outcome};

/// Columns of the board, so that it fits the smallest terminal.
const WIDTH: usize = 80;
/// Marks on a line; a step with more checks takes another.
const MARKS: usize = 30;

/// The board of these records: per lab its steps with a mark for each check, the sums, what
/// was skipped and why, the notes, and what to do next. Ends with a newline.
pub fn render(records: &[Record], notes: &[String], style: Style) -> String {
    text(&Placed::all(records), notes, style)
}

pub(super) fn text(all: &[Placed<'_>], notes: &[String], style: Style) -> String {
    let columns_of_names = |name: fn(&Placed<'_>) -> &'static str| {
        all.iter().map(|placed| columns(name(placed))).max().unwrap_or(0)
    };
    let lab_width = columns_of_names(|placed| placed.lab.name);
    let step_width = columns_of_names(|placed| placed.step.name);
    let mut lines = Vec::new();
    for (_, lab) in grouped(all, |placed| placed.lab.name) {
        lines.push(heading(lab[0].lab, &lab, lab_width, style));
        let mut steps = grouped(lab, |placed| placed.step.number);
        steps.sort_by_key(|(number, _)| *number);
        for (_, step) in steps {
            lines.extend(step_lines(&step, step_width, style));
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(summary(all, style));
    lines.extend(skipped(all, style));
    lines.extend(self::notes(notes, style));
    lines.extend(next(all, style));
    lines.join("\n") + "\n"
}

/// `1  server  bind, listen, accept          38 of 38 checks   76 of 76 points`
fn heading(lab: &Lab, checks: &[&Placed<'_>], name_width: usize, style: Style) -> String {
    let (passed, counted) = counts(checks);
    let sums = format!("{passed} of {counted} checks   {}", points(checks.iter().copied()));
    let name = pad(lab.name, name_width);
    let number = match lab.number {
        0 => " ".to_owned(),
        number => number.to_string(),
    };
    let room = WIDTH.saturating_sub(columns(&number) + 2 + columns(&name) + 2 + columns(&sums) + 3);
    let title = pad(&clip(lab.title, room), room);
    format!("{number}  {}  {title}   {sums}", style.bold(&name))
}

fn step_lines(checks: &[&Placed<'_>], name_width: usize, style: Style) -> Vec<String> {
    let step = checks[0].step;
    let count = match counts(checks) {
        (_, 0) => "skipped".to_owned(),
        (passed, counted) => format!("{passed} of {counted}"),
    };
    let remark = remark(checks);
    let mut lines = Vec::new();
    for (index, marks) in checks.chunks(MARKS).enumerate() {
        let head =
            if index == 0 { format!("{} {}", step.number, step.name) } else { String::new() };
        let head = pad(&head, name_width + 2);
        let row: String = marks.iter().map(|placed| mark(placed.outcome(), style)).collect();
        let count = match index {
            0 => format!("{}  {count}", " ".repeat(MARKS - marks.len())),
            _ => String::new(),
        };
        let remark = match (index, remark.as_str()) {
            (0, remark) if !remark.is_empty() => format!("  {}", style.warn(remark)),
            _ => String::new(),
        };
        lines.push(format!("   {head}  {row}{count}{remark}"));
    }
    lines
}

/// What the checks of this step wait for.
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
        None => String::new(),
    }
}

/// A sign for each outcome: different signs, so that colour is never needed.
fn mark(outcome: &Outcome, style: Style) -> String {
    match outcome {
        Outcome::Pass => style.good("●"),
        Outcome::Fail(_) => style.bad("✗"),
        Outcome::Blocked(_) => style.warn("○"),
        Outcome::Skipped(_) => style.dim("–"),
        Outcome::Fault(_) => style.alarm("!"),
    }
}

/// How many passed, of how many that could: skipped checks are in neither.
fn counts(checks: &[&Placed<'_>]) -> (usize, usize) {
    let is = |word: &str| checks.iter().filter(|placed| placed.word() == word).count();
    (is("pass"), checks.len() - is("skipped"))
}

fn points<'a>(checks: impl Iterator<Item = &'a Placed<'a>> + Clone) -> String {
    let score: u32 = checks.clone().map(|placed| placed.record.score()).sum();
    let out_of: u32 = checks.map(|placed| placed.record.out_of()).sum();
    format!("{score} of {out_of} points")
}

/// The sums, which explain the marks at the same time.
fn summary(all: &[Placed<'_>], style: Style) -> String {
    let mut parts = Vec::new();
    for word in ["pass", "fail", "blocked", "skipped", "fault"] {
        let found: Vec<_> = all.iter().filter(|placed| placed.word() == word).collect();
        let Some(first) = found.first() else { continue };
        let said = match (word, found.len()) {
            ("pass", _) => "passed",
            ("fail", _) => "failed",
            ("fault", 2..) => "faults",
            _ => word,
        };
        parts.push(format!("{} {} {said}", mark(first.outcome(), style), found.len()));
    }
    if parts.is_empty() {
        return "nothing was checked".to_owned();
    }
    parts.push(points(all.iter()));
    parts.join("   ")
}

/// The skipped checks, by the reason.
fn skipped(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let skipped = all.iter().filter_map(|placed| match placed.outcome() {
        Outcome::Skipped(why) => Some((placed.id(), why)),
        _ => None,
    });
    let mut lines = Vec::new();
    for (why, checks) in grouped(skipped, |(_, why)| *why) {
        let ids: Vec<_> = checks.iter().map(|(id, _)| id.as_str()).collect();
        lines.extend(hang("skipped: ", &format!("{why}: {}", ids.join(", ")), WIDTH));
    }
    lines.iter().map(|line| style.dim(line)).collect()
}

/// What the reader must know about the run as a whole.
pub(super) fn notes(notes: &[String], style: Style) -> Vec<String> {
    let lines = notes.iter().flat_map(|note| hang("note: ", note, WIDTH));
    lines.map(|line| style.dim(&line)).collect()
}

/// What to do next: the first thing in the course's order that did not pass. A fault comes
/// last, because the reader can do nothing about it but try again.
pub(super) fn next(all: &[Placed<'_>], style: Style) -> Vec<String> {
    let open = |placed: &&Placed<'_>| matches!(placed.word(), "fail" | "blocked");
    let fault = |placed: &&Placed<'_>| placed.word() == "fault";
    let all = by_telling(all);
    let Some(first) = all.iter().copied().find(open).or_else(|| all.iter().copied().find(fault))
    else {
        return Vec::new();
    };
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
    lines.push(format!("      {how}{}", style.link(&command)));
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::samples;
    use super::*;
    use crate::labs::{Check, Step};

    fn board(records: &[Record], notes: &[String]) -> String {
        text(&samples::placed(records), notes, Style::plain())
    }

    #[test]
    fn a_board_that_is_all_green_has_nothing_to_do_next() {
        let golden = "\
1  server  bind, listen, accept                  5 of 5 checks   10 of 10 points
   1 listen       ●                               1 of 1
   2 accept_loop  ●●                              2 of 2
   3 serve        ●●                              2 of 2

● 5 passed   10 of 10 points
";
        assert_eq!(board(&samples::records([const { Outcome::Pass }; 5]), &[]), golden);
    }

    #[test]
    fn every_outcome_has_a_sign_of_its_own_and_its_place_in_the_sums() {
        let records = samples::records([
            Outcome::Skipped("this system has no /proc".to_owned()),
            Outcome::Pass,
            samples::failure(),
            Outcome::Fault("out of ports".to_owned()),
            Outcome::Blocked(Blocked::Step(3)),
        ]);
        let notes = ["the program shares the host's network: ports can be taken".to_owned()];
        let golden = "\
1  server  bind, listen, accept                    1 of 4 checks   2 of 8 points
   1 listen       –                               skipped
   2 accept_loop  ●✗                              1 of 2
   3 serve        !○                              0 of 2  not written yet

● 1 passed   ✗ 1 failed   ○ 1 blocked   – 1 skipped   ! 1 fault   2 of 8 points
skipped: this system has no /proc: server/listens
note: the program shares the host's network: ports can be taken
next: lab server step 2, accept_loop: the client got none of its bytes back
      read book/src/05-accept.md, then: cargo lab check server/next-client
";
        assert_eq!(board(&records, &notes), golden);
    }

    #[test]
    fn an_empty_workspace_is_told_where_to_begin() {
        let records = samples::records([const { Outcome::Blocked(Blocked::Step(1)) }; 5]);
        let text = board(&records, &[]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[1].ends_with("0 of 1  not written yet"));
        assert!(lines[3].ends_with("0 of 2  waits for step 1"));
        assert_eq!(lines[6], "next: lab server step 1, listen: bind and listen");
        assert!(lines[7].ends_with("book/src/04-bind-and-listen.md, then: cargo lab check server"));
    }

    #[test]
    fn a_lab_that_does_not_build_is_to_be_built_first() {
        let records = samples::records([samples::broken("error")]);
        let text = board(&records, &[]);
        let golden = "\
next: make lab server build again: labs/01-server/src/main.rs
      then: cargo lab check server
";
        assert!(text.ends_with(golden), "{text}");
    }

    #[test]
    fn checks_of_the_same_reason_are_skipped_together() {
        let why = || Outcome::Skipped("this system has no /proc".to_owned());
        let text = board(&samples::records([(); 3].map(|()| why())), &[]);
        let golden = "\
– 3 skipped   0 of 0 points
skipped: this system has no /proc: server/listens, server/one-client,
         server/next-client
";
        assert!(text.ends_with(golden), "{text}");
    }

    #[test]
    fn four_labs_of_four_steps_fit_one_screen() {
        static LABS: [Lab; 4] =
            [lab(1, "a-lab"), lab(2, "b-lab"), lab(3, "c-lab"), lab(4, "d-lab")];
        static STEPS: [Step; 4] = [step(1), step(2), step(3), step(4)];
        static CHECK: Check = Check {
            lab: "a-lab",
            name: "a-check",
            title: "",
            step: 1,
            points: 1,
            exotic: false,
            requirement: "",
            run: |_| unreachable!("the reports run no checks"),
        };
        const fn lab(number: u8, name: &'static str) -> Lab {
            let title = "a title as long as a title of a lab may be, or even longer";
            let folder = "labs/a-lab";
            Lab {
                number,
                name,
                title,
                folder,
                arguments: &[],
                steps: &STEPS,
                checks: &[],
                learned: &[],
            }
        }
        const fn step(number: u8) -> Step {
            Step { number, name: "a_long_step_name", task: "", chapter: "", programs: &[] }
        }
        let record = Record {
            check: &CHECK,
            outcome: Outcome::Pass,
            elapsed: Duration::from_secs(1),
            programs: Vec::new(),
        };
        let steps = LABS.iter().flat_map(|lab| lab.steps.iter().map(move |step| (lab, step)));
        let all: Vec<_> =
            steps.flat_map(|(lab, step)| [Placed { record: &record, lab, step }; MARKS]).collect();
        let text = text(&all, &[], Style::plain());
        // One line is the prompt's.
        assert!(text.lines().count() < 24, "{text}");
        assert!(text.lines().all(|line| columns(line) <= WIDTH), "{text}");
    }

    #[test]
    fn a_step_with_many_checks_takes_another_line() {
        let records = samples::records([Outcome::Pass]);
        let many = samples::placed(&records).repeat(MARKS + 2);
        let text = text(&many, &[], Style::plain());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], format!("   1 listen  {}  32 of 32", "●".repeat(MARKS)));
        assert_eq!(lines[2], "             ●●");
    }
}
