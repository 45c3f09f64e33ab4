//! `lab watch [LAB]`: checks a lab each time it is saved, and shows the first thing that is
//! wrong. A letter and Enter do the rest.

mod keys;
mod screen;

use std::path::PathBuf;
use std::time::Instant;

use self::keys::{Key, Keys};
use self::screen::Screen;
use super::check::Progress;
use super::{CliError, hint, select};
use crate::labs::{self, LABS, Lab, Step};
use crate::root;
use crate::run::session::Record;
use crate::run::session::{self, Judgement};
use crate::verdict::{Blocked, Outcome};
use crate::workspace::fingerprint::Stamp;
use crate::workspace::steps::{self, StepState};

/// Checks and waits, until the user quits.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let root = root::find_root()?;
    let lab = match words {
        [] => first_to_do()?,
        [name] => select::lab(name)?,
        _ => return Err(CliError::Usage("watch takes one lab: `lab watch server`".into())),
    };
    let (keys, screen) = (Keys::of_stdin(), Screen::new());
    Watch { root, lab, keys, screen, before: None, runs: 0 }.until_quit()?;
    Ok(0)
}

/// The first lab that is not complete; when all are, the first lab.
fn first_to_do() -> Result<&'static Lab, CliError> {
    for lab in labs::parts() {
        if judge(lab)?.records.iter().any(is_open) {
            return Ok(lab);
        }
    }
    LABS.first().ok_or_else(|| CliError::Trouble("the course has no lab".into()))
}

/// Has all checks of a lab carried out.
fn judge(lab: &Lab) -> Result<Judgement, CliError> {
    let checks: Vec<_> = lab.checks().collect();
    let progress = Progress::new();
    let judgement = session::judge(&checks, &[], &|what| progress.show(what));
    progress.clear();
    Ok(judgement?)
}

/// What comes next, after something was shown.
enum Next {
    Check,
    Lab(&'static Lab),
    Quit,
}

/// Watching one lab, and then maybe another.
struct Watch {
    root: PathBuf,
    lab: &'static Lab,
    keys: Keys,
    screen: Screen,
    /// How many checks of this lab passed the time before.
    before: Option<usize>,
    runs: usize,
}

impl Watch {
    fn until_quit(mut self) -> Result<(), CliError> {
        let mut hasty = false;
        loop {
            let seen = self.fingerprint();
            let shown = if seen.is_complete() {
                let began = Instant::now();
                let judgement = judge(self.lab)?;
                // Saved meanwhile, or half of it: the verdict is on something else. But once is
                // enough: whoever saves without end wants to see something, too.
                if self.fingerprint() != seen && !hasty {
                    hasty = true;
                    continue;
                }
                hasty = false;
                self.runs += 1;
                let text = self.screen.verdict(self.lab, &judgement, self.before);
                let last = self.screen.last_line(self.lab, self.runs, began.elapsed());
                self.before = Some(passed(&judgement.records));
                self.screen.show(&format!("{text}\n{last}"))?;
                judgement.records
            } else {
                self.before = None;
                self.screen.show(&self.screen.gone(self.lab))?;
                Vec::new()
            };
            match self.wait(&seen, &shown)? {
                Next::Check => {}
                Next::Lab(lab) => {
                    self.lab = lab;
                    self.before = None;
                }
                Next::Quit => return Ok(()),
            }
        }
    }

    /// What the sources look like now.
    fn fingerprint(&self) -> Stamp {
        Stamp::of(&self.root, &programs(self.lab))
    }

    /// Until something is saved, or the user wants something that ends the waiting.
    fn wait(&mut self, seen: &Stamp, records: &[Record]) -> Result<Next, CliError> {
        loop {
            match self.keys.pause() {
                None => {}
                Some(Key::Again) => return Ok(Next::Check),
                Some(Key::Quit) => return Ok(Next::Quit),
                Some(Key::Next) => match next_after(self.lab) {
                    Some(lab) => return Ok(Next::Lab(lab)),
                    None => self.screen.say("This is the last lab.")?,
                },
                Some(Key::Hint) => self.hint(records)?,
                Some(Key::Trace) => self.trace(records)?,
                Some(Key::Unknown) => self.screen.say(&self.screen.keys())?,
            }
            if self.fingerprint() != *seen {
                self.settle();
                return Ok(Next::Check);
            }
        }
    }

    /// An editor saves in several steps: empties and writes, or writes another and renames it.
    fn settle(&self) {
        let mut last = self.fingerprint();
        for _ in 0..10 {
            std::thread::sleep(keys::PAUSE);
            let now = self.fingerprint();
            if now == last {
                return;
            }
            last = now;
        }
    }

    fn hint(&self, records: &[Record]) -> Result<(), CliError> {
        match self.to_do(records) {
            Some((lab, step)) => match hint::text(&self.root, lab, step, None) {
                Ok(text) => self.screen.say(text.trim_end()),
                Err(problem) => self.screen.say(&problem.to_string()),
            },
            None => self.screen.say("Nothing waits for a step: there is nothing to hint at."),
        }
    }

    /// The lab and the step that the first check that did not pass is about.
    fn to_do(&self, records: &[Record]) -> Option<(&'static Lab, &'static Step)> {
        let open = records.iter().find(|record| is_open(record))?;
        match &open.outcome {
            Outcome::Blocked(Blocked::Step(number)) => step(self.lab, *number),
            Outcome::Blocked(Blocked::Elsewhere { lab, step: number }) => {
                step(labs::lab(lab)?, *number)
            }
            // Nothing could be checked: it is the last one that something was written for.
            Outcome::Blocked(Blocked::Build { lab, .. }) => {
                let lab = labs::lab(lab)?;
                let states = steps::states(&self.root, lab).unwrap_or_default();
                let begun = states.iter().rposition(|state| *state != StepState::Unwritten);
                Some((lab, lab.steps.get(begun.unwrap_or(0))?))
            }
            // Programs that meet have no steps of their own.
            _ if !self.lab.is_lab() => None,
            _ => step(self.lab, open.check.step),
        }
    }

    fn trace(&self, records: &[Record]) -> Result<(), CliError> {
        let failed = records.iter().find(|record| matches!(record.outcome, Outcome::Fail(_)));
        match failed.map(|record| record.check.id()) {
            // It says itself what comes of it.
            Some(id) => {
                super::run(&["trace".to_owned(), id]);
                Ok(())
            }
            None => self.screen.say("No check failed: there is nothing to trace."),
        }
    }
}

fn step(lab: &'static Lab, number: u8) -> Option<(&'static Lab, &'static Step)> {
    lab.steps.iter().find(|step| step.number == number).map(|step| (lab, step))
}

/// The labs whose programs are checked there: of a lab its own, together those of all.
fn programs(lab: &'static Lab) -> Vec<&'static Lab> {
    let runs = |program: &&Lab| lab.steps.iter().any(|step| step.programs.contains(&program.name));
    LABS.iter().filter(runs).collect()
}

/// The lab that comes after this one.
fn next_after(lab: &Lab) -> Option<&'static Lab> {
    labs::parts().skip_while(|other| other.name != lab.name).nth(1)
}

/// Whether the record's check is one that the user has to do something about.
fn is_open(record: &Record) -> bool {
    !matches!(record.outcome, Outcome::Pass | Outcome::Skipped(_))
}

fn passed(records: &[Record]) -> usize {
    records.iter().filter(|record| record.outcome == Outcome::Pass).count()
}
