//! What `lab watch` shows.

use std::io::{self, Write};
use std::time::Duration;

use super::{CliError, is_open, next_after, passed, programs};
use crate::labs::Lab;
use crate::report;
use crate::run::session::Judgement;
use crate::term::hang;
use crate::term::style::{Style, clear_screen};
use crate::workspace::contents::SOURCE;

/// Columns, so that it fits the smallest terminal.
const WIDTH: usize = 80;

/// Standard output, as a terminal or not.
pub(super) struct Screen {
    style: Style,
    clear: &'static str,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { style: Style::for_stdout(), clear: clear_screen() }
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
    pub(super) fn verdict(&self, lab: &Lab, judged: &Judgement, before: Option<usize>) -> String {
        let mut text = report::first(&judged.records, &judged.notes, self.style);
        let now = passed(&judged.records);
        if now > 0 && !judged.records.iter().any(is_open) {
            text += "\n";
            text += &self.complete(lab);
        }
        match before {
            Some(before) if now > before => {
                text += &self.style.good(&format!("{} more than before\n", checks(now - before)));
            }
            Some(before) if now < before => {
                text += &self.style.warn(&format!("{} fewer than before\n", checks(before - now)));
            }
            _ => {}
        }
        text
    }

    /// What was learned, and what comes next.
    fn complete(&self, lab: &Lab) -> String {
        let name = match lab.number {
            0 => format!("The part {}", lab.name),
            number => format!("Lab {number}, {},", lab.name),
        };
        let head = format!("{name} is complete. You can now:");
        let mut lines = vec![self.style.good(&head)];
        for learned in lab.learned {
            lines.extend(hang("  - ", learned, WIDTH));
        }
        lines.push(match next_after(lab) {
            Some(next) => format!("Next: {}: {}. Type n and Enter.", next.name, next.title),
            None => "That was the last one: `cargo lab` checks everything.".to_owned(),
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
        self.style.dim("type a letter and Enter: n next lab, h hint, t trace, q quit")
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
