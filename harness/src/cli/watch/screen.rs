//! What `lab watch` shows.

use std::io::{self, Write};
use std::time::Duration;

use super::since::Before;
use super::{CliError, is_open, next_after, passed, programs};
use crate::labs::Lab;
use crate::report;
use crate::run::session::Judgement;
use crate::term::hang;
use crate::term::layout::wrap;
use crate::term::style::{Style, clear_screen, size};
use crate::workspace::contents::SOURCE;

/// Columns, so that it fits the smallest terminal.
pub(super) const WIDTH: usize = 80;

/// Lines below the board: how it was before, how far one is in the course, the keys.
const BELOW: usize = 8;

/// What each key does.
pub(super) const HELP: &str = "\
n p    the next lab, the previous one        h   a hint, each time a clearer one
1-9    the lab of that number (0: lab 10)    t   the failed check, step by step
r      run again                             x   put the step's stub back (asks)
a      check the whole course                c   where the step's chapter is
l      the checks of this lab                q   quit (so do Ctrl-C and Ctrl-D)";

/// Standard output, as a terminal or not.
pub(super) struct Screen {
    pub(super) style: Style,
    clear: &'static str,
    /// Whether keys come without Enter.
    single: bool,
}

impl Screen {
    pub(super) fn new(single: bool) -> Self {
        Self { style: Style::for_stdout(), clear: clear_screen(), single }
    }

    /// Lays out for the terminal as wide as it is now: it may have been resized.
    pub(super) fn fit(&mut self) {
        self.style = Style::for_stdout();
    }

    /// Shows this text and nothing else; where there is no screen, below a line.
    pub(super) fn show(&self, text: &str) -> Result<(), CliError> {
        let begin = if self.clear.is_empty() { "----\n" } else { self.clear };
        write(&format!("{begin}{text}\n"))
    }

    /// Adds a text to what is shown.
    pub(super) fn say(&self, text: &str) -> Result<(), CliError> {
        write(&format!("\n{text}\n"))
    }

    /// The first thing that is wrong, and the board; of a lab that is complete, what comes next.
    pub(super) fn verdict(&self, lab: &Lab, judged: &Judgement) -> String {
        let mut text = report::first(&judged.records, &judged.notes, self.lines(), self.style);
        if passed(&judged.records) > 0 && !judged.records.iter().any(is_open) {
            text += "\n";
            text += &self.complete(lab);
        }
        text
    }

    /// Lines for what went wrong and the board: the others are for what stands below them.
    fn lines(&self) -> usize {
        match size() {
            Some((lines, _)) if self.single => lines.saturating_sub(BELOW),
            _ => usize::MAX,
        }
    }

    /// What the step that comes next asks for, in the words of its source.
    pub(super) fn task(&self, task: &str) -> String {
        let lines: Vec<_> = task
            .lines()
            .flat_map(|line| match line {
                "" => vec![String::new()],
                line => wrap(line, WIDTH),
            })
            .collect();
        format!("\n{}\n", lines.join("\n"))
    }

    /// What has become better or worse.
    pub(super) fn since(&self, lab: &Lab, before: &Before, now: &Before) -> String {
        let (was, is) = (before.passed, now.passed);
        let mut text = match is {
            _ if is > was => self.style.good(&format!("\n{} more than before\n", checks(is - was))),
            _ if is < was => {
                self.style.warn(&format!("\n{} fewer than before\n", checks(was - is)))
            }
            _ => String::new(),
        };
        if let Some(said) = before.side_effect(now, lab) {
            let lines = wrap(&said, WIDTH).into_iter().map(|line| self.style.warn(&line) + "\n");
            text.extend(lines);
        }
        text
    }

    /// What was learned, and what comes next.
    fn complete(&self, lab: &Lab) -> String {
        let name = match lab.number {
            None => format!("The part {}", lab.name),
            Some(number) => format!("Lab {number}, {},", lab.name),
        };
        let head = format!("{name} is complete. You can now:");
        let mut lines = vec![self.style.good(&head)];
        for learned in lab.learned {
            lines.extend(hang("  - ", learned, WIDTH));
        }
        let enter = if self.single { "" } else { " and Enter" };
        lines.push(match next_after(lab) {
            Some(next) => format!("Next: {}: {}. Press n{enter}.", next.name, next.title),
            None => format!("That was the last one: a{enter} checks the whole course."),
        });
        lines.join("\n") + "\n"
    }

    /// That the source of a lab is not there.
    pub(super) fn gone(&self, lab: &'static Lab) -> String {
        let wait = format!("{} is not there; waiting for it.", sources(lab));
        let lost = "If it is lost: `cargo lab update COURSE` brings it back, with stubs, and saved/ \
                    may have a copy.";
        format!("{}\n{lost}\n\n{}", self.style.warn(&wait), self.keys())
    }

    /// What is watched, and the keys.
    pub(super) fn last_line(&self, lab: &'static Lab, runs: usize, took: Duration) -> String {
        let took = took.as_secs_f64();
        let line = format!("run {runs}, {took:.1} s; watching {}", sources(lab));
        format!("{}\n{}", self.style.dim(&line), self.keys())
    }

    /// The keys that there are.
    pub(super) fn keys(&self) -> String {
        self.style.dim(if self.single {
            "n next lab, h hint, t trace, l checks, a all labs, ? all keys, q quit"
        } else {
            "a letter and Enter: n next lab, h hint, t trace, ? all keys, q quit"
        })
    }
}

/// The file that is watched, or the files.
fn sources(lab: &'static Lab) -> String {
    match programs(lab).as_slice() {
        [only] => format!("{}/{SOURCE}", only.folder),
        _ => format!("labs/*/{SOURCE}"),
    }
}

fn checks(count: usize) -> String {
    format!("{count} {}", if count == 1 { "check" } else { "checks" })
}

/// When nobody reads it any more, there is nothing to watch for.
fn write(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    Ok(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())?)
}
