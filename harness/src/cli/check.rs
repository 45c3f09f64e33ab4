//! `lab check`: checks labs, steps or single checks, and reports.

use std::fs;
use std::path::{Path, PathBuf};

use super::format::Format;
use super::{CliError, print, select};
use crate::labs::{self, Check, LABS, Lab};
use crate::program::Template;
use crate::report::document::About;
use crate::report::{self, junit};
use crate::root;
use crate::run::session::Record;
use crate::run::session::{self, Judgement};
use crate::term::{Progress, Style};
use crate::verdict::Outcome;
use crate::workspace::last_run::LastRun;

/// What `lab check` was asked for.
#[derive(Debug, Default)]
struct Options {
    checks: Vec<&'static Check>,
    /// Programs to check instead of labs' own, by the lab's name.
    programs: Vec<(&'static str, Template)>,
    /// What is printed in place of the board.
    format: Option<Format>,
    /// Where the same goes, beside the board.
    record: Option<PathBuf>,
    junit: Option<PathBuf>,
    /// Whose work it is, for the record.
    submission: Option<String>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, CliError> {
        let mut order = Self::default();
        let mut program = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = |what: &str| {
                words.next().ok_or_else(|| CliError::Usage(format!("{word} needs {what} after it")))
            };
            match *word {
                "--json" => order.format = Some(Format::Json),
                "--format" => order.format = Some(Format::parse(value("a format")?)?),
                "--record" => order.record = Some(value("a file name")?.into()),
                "--submission" => order.submission = Some(value("a name")?.to_string()),
                "--junit" => order.junit = Some(value("a file name")?.into()),
                "--program" => program = Some(value("a command in quotes")?.to_string()),
                option if option.starts_with('-') => {
                    let Some(lab) = lab_option(option) else {
                        return Err(CliError::Usage(format!("there is no option {option}")));
                    };
                    order.give(lab, value("a command in quotes")?)?;
                }
                what => {
                    for check in select::any(what)?.checks() {
                        if !order.checks.iter().any(|known| known.id() == check.id()) {
                            order.checks.push(check);
                        }
                    }
                }
            }
        }
        if order.checks.is_empty() {
            order.checks = labs::checks().collect();
        }
        if let Some(text) = program {
            let only = order.only_lab().ok_or_else(|| {
                CliError::Usage(
                    "--program goes with one lab: say which, as in `cargo lab check server --program …`; \
                     --server, --client and --peer go with all"
                        .into(),
                )
            })?;
            order.give(only, &text)?;
        }
        Ok(order)
    }

    /// The one lab whose checks were asked for.
    fn only_lab(&self) -> Option<&'static Lab> {
        let lab = self.checks.first()?.lab();
        let same = self.checks.iter().all(|check| check.lab == lab.name);
        (same && lab.is_lab()).then_some(lab)
    }

    fn give(&mut self, lab: &'static Lab, text: &str) -> Result<(), CliError> {
        self.programs.push((lab.name, template(text, lab)?));
        Ok(())
    }
}

/// The lab that the option `--server` gives a program for.
pub(super) fn lab_option(option: &str) -> Option<&'static Lab> {
    let name = option.strip_prefix("--")?;
    LABS.iter().find(|lab| lab.name == name)
}

/// The command that a user gave in place of this lab's own program.
pub(super) fn template(text: &str, lab: &Lab) -> Result<Template, CliError> {
    Template::parse(text, lab.arguments).map_err(|error| CliError::Usage(error.to_string()))
}

/// Carries it out. Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let order = Options::parse(words)?;
    let progress = Progress::on_stderr();
    let Judgement { records, isolated, notes } =
        session::judge(&order.checks, &order.programs, &|what| progress.tell(what))?;
    drop(progress);
    if order.programs.is_empty() {
        // Nobody needs to hear that it could not be noted.
        let _ = root::find_root().map(|root| LastRun::note(&root, &records));
    }
    if let Some(file) = &order.junit {
        write(file, &junit::render(&records))?;
    }
    let about = About { submission: order.submission.as_deref(), isolated, notes: &notes };
    if let Some(file) = &order.record {
        write(file, &Format::Json.render(&records, &about))?;
    }
    print(&match &order.format {
        None => report::text(&records, &notes, Style::for_stdout()),
        Some(format) => format.render(&records, &about),
    })?;
    Ok(status(&records))
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    fs::write(file, text)
        .map_err(|error| CliError::Trouble(format!("cannot write {}: {error}", file.display())))
}

/// The exit status that these records come to.
pub(super) fn status(records: &[Record]) -> u8 {
    let any = |kind: fn(&Outcome) -> bool| records.iter().any(|record| kind(&record.outcome));
    if any(|outcome| matches!(outcome, Outcome::Fault(_))) {
        3
    } else if any(|outcome| matches!(outcome, Outcome::Fail(_) | Outcome::Blocked(_)))
        || (session::is_strict() && any(|outcome| matches!(outcome, Outcome::Skipped(_))))
    {
        1
    } else {
        0
    }
}
