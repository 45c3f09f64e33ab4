//! `lab watch [LAB]`: checks a lab each time it is saved, and shows the first thing that is
//! wrong, or the step to write next. Single keys do the rest.

mod keys;
mod screen;
mod since;
mod terminal;

use std::path::PathBuf;
use std::time::Instant;

use self::keys::{Key, Keys};
use self::screen::Screen;
use self::since::Before;
use super::{CliError, hint, list, reset, select};
use crate::labs::{self, Check, LABS, Lab, Step};
use crate::report::board;
use crate::root;
use crate::run::session::Record;
use crate::run::session::{self, Judgement};
use crate::term::Progress;
use crate::verdict::{Blocked, Outcome};
use crate::workspace::fingerprint::Stamp;
use crate::workspace::last_run::LastRun;
use crate::workspace::steps::{self, StepState};

/// Checks and waits, until the user quits.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let root = root::find_root()?;
    let asked = match words {
        [] => None,
        [name] => Some(select::lab(name)?),
        _ => return Err(CliError::Usage("watch takes one lab: `cargo lab watch server`".into())),
    };
    let keys = Keys::of_stdin();
    let lab = match asked {
        Some(lab) => lab,
        None => first_to_do()?,
    };
    let screen = Screen::new(keys.single);
    Watch { root, lab, keys, screen, before: None, runs: 0 }.until_quit()?;
    Ok(0)
}

/// The first lab that is not complete; when all are, the first lab.
fn first_to_do() -> Result<&'static Lab, CliError> {
    for lab in labs::parts() {
        if judge(lab.checks())?.records.iter().any(is_open) {
            return Ok(lab);
        }
    }
    LABS.first().ok_or_else(|| CliError::Trouble("the course has no lab".into()))
}

/// Has these checks carried out.
fn judge(checks: impl Iterator<Item = &'static Check>) -> Result<Judgement, CliError> {
    let checks: Vec<_> = checks.collect();
    let progress = Progress::on_stderr();
    let judgement = session::judge(&checks, &[], &|what| progress.tell(what));
    drop(progress);
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
    /// How this lab was the time before.
    before: Option<Before>,
    runs: usize,
}

impl Watch {
    fn until_quit(mut self) -> Result<(), CliError> {
        let mut hasty = false;
        loop {
            let seen = self.fingerprint();
            let shown = if seen.is_complete() {
                let began = Instant::now();
                let written = Before::sources(&self.root, self.lab);
                let judgement = judge(self.lab.checks())?;
                // Saved meanwhile, or half of it: the verdict is on something else. But once is
                // enough: whoever saves without end wants to see something, too.
                if self.fingerprint() != seen && !hasty {
                    hasty = true;
                    continue;
                }
                hasty = false;
                self.runs += 1;
                self.screen.fit();
                let now = Before::new(written, &judgement.records);
                let mut text = self.screen.verdict(self.lab, &judgement);
                text += &self.task(&judgement.records);
                // A program that was not built says nothing about any step.
                if now.built {
                    if let Some(before) = &self.before {
                        text += &self.screen.since(self.lab, before, &now);
                    }
                    self.before = Some(now);
                }
                text += &self.course(&judgement.records);
                let last = self.screen.last_line(self.lab, self.runs, began.elapsed());
                self.screen.show(&format!("{text}{last}"))?;
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

    /// How far one is in the course, from what was known and these records.
    fn course(&self, records: &[Record]) -> String {
        // Where it can't be noted, what is known is all that there is to show.
        let last = LastRun::note(&self.root, records);
        let last = last.unwrap_or_else(|_| LastRun::read(&self.root));
        format!("\n{}\n", list::course_line(&last, self.screen.style))
    }

    /// What the step to write asks for, where that is what comes next.
    fn task(&self, records: &[Record]) -> String {
        let failed = |record: &Record| matches!(record.outcome, Outcome::Fail(_));
        let unwritten = |record: &Record| {
            matches!(record.outcome, Outcome::Blocked(Blocked::Step(_) | Blocked::Elsewhere { .. }))
        };
        if records.iter().any(failed) || !records.iter().any(unwritten) {
            return String::new();
        }
        let task = self.to_do(records).and_then(|(lab, step)| steps::task(&self.root, lab, step));
        task.map_or(String::new(), |task| self.screen.task(&task))
    }

    /// Until something is saved, or the user wants something that ends the waiting.
    fn wait(&mut self, seen: &Stamp, records: &[Record]) -> Result<Next, CliError> {
        let mut asked = None;
        loop {
            if let Some(key) = self.keys.pause() {
                // Whatever is typed but `y` is a no.
                match asked.take() {
                    Some((lab, step)) if key == Key::Yes => self.reset(lab, step)?,
                    Some(_) => self.screen.say("Nothing was changed.")?,
                    None => {
                        if let Some(next) = self.answer(key, records, &mut asked)? {
                            return Ok(next);
                        }
                    }
                }
            }
            if self.fingerprint() != *seen {
                self.settle();
                return Ok(Next::Check);
            }
        }
    }

    /// Does what a key asks for; returns what ends the waiting.
    fn answer(
        &self,
        key: Key,
        records: &[Record],
        asked: &mut Option<(&'static Lab, &'static Step)>,
    ) -> Result<Option<Next>, CliError> {
        let step = self.to_do(records);
        match key {
            Key::Again => return Ok(Some(Next::Check)),
            Key::Quit => return Ok(Some(Next::Quit)),
            Key::Next | Key::Previous | Key::Lab(_) => match self.other_lab(key) {
                Ok(lab) => return Ok(Some(Next::Lab(lab))),
                Err(why) => self.screen.say(&why)?,
            },
            Key::All => self.all()?,
            Key::List => {
                let last = LastRun::read(&self.root);
                self.screen.say(list::checks(self.lab, &last, screen::WIDTH).trim_end())?;
            }
            Key::Hint => self.hint(step)?,
            Key::Trace => self.trace(records)?,
            Key::Chapter => self.chapter(step)?,
            Key::Reset => match step {
                Some((lab, step)) => {
                    *asked = Some((lab, step));
                    self.screen.say(&format!(
                        "Put the stub of {} step {}, {}, back? Your file is saved first. y or n",
                        lab.name, step.number, step.name
                    ))?;
                }
                None => self.screen.say(
                    "Every step here passes. `cargo lab reset STEP` puts a stub back all the same.",
                )?,
            },
            Key::Help => self.screen.say(screen::HELP)?,
            Key::Yes | Key::Unknown => self.screen.say(&self.screen.keys())?,
        }
        Ok(None)
    }

    /// The lab that a key leads to, or why there is none.
    fn other_lab(&self, key: Key) -> Result<&'static Lab, String> {
        match key {
            Key::Next => next_after(self.lab).ok_or("This is the last lab.".to_owned()),
            Key::Previous => {
                let before = labs::parts().take_while(|other| other.name != self.lab.name).last();
                before.ok_or("This is the first lab.".to_owned())
            }
            Key::Lab(number) => {
                let lab = LABS.iter().find(|lab| lab.number == Some(number));
                lab.ok_or_else(|| format!("There are labs 1 to {}, and no {number}.", LABS.len()))
            }
            _ => Ok(self.lab),
        }
    }

    /// The board of the whole course.
    fn all(&self) -> Result<(), CliError> {
        let Judgement { records, notes, .. } = judge(labs::checks())?;
        // Nobody needs to hear that it could not be noted.
        let _ = LastRun::note(&self.root, &records);
        let text = board::render(&records, &notes, self.screen.style);
        self.screen.show(&format!("{text}\n{}", self.screen.keys()))
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

    fn hint(&self, step: Option<(&'static Lab, &'static Step)>) -> Result<(), CliError> {
        match step {
            Some((lab, step)) => match hint::text(&self.root, lab, step, None) {
                Ok(text) => self.screen.say(text.trim_end()),
                Err(problem) => self.screen.say(&problem.to_string()),
            },
            None => self.screen.say("Nothing waits for a step: there is nothing to hint at."),
        }
    }

    fn chapter(&self, step: Option<(&'static Lab, &'static Step)>) -> Result<(), CliError> {
        let step = step.map(|(_, step)| step).or(self.lab.steps.first());
        let chapter = step.map_or("", |step| step.chapter);
        self.screen
            .say(&format!("book/src/{chapter}.md, or `mdbook serve book` in another terminal"))
    }

    /// Puts a stub back. What is then saved is checked, as ever.
    fn reset(&self, lab: &'static Lab, step: &'static Step) -> Result<(), CliError> {
        match reset::put_back(&self.root, lab, &[step]) {
            Ok(said) => self.screen.say(said.trim_end()),
            Err(problem) => self.screen.say(&problem.to_string()),
        }
    }

    /// The lab and the step that the first check that did not pass is about.
    fn to_do(&self, records: &[Record]) -> Option<(&'static Lab, &'static Step)> {
        let open = board::first_to_do(records)?;
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
        let failed = board::first_to_do(records)
            .filter(|record| matches!(record.outcome, Outcome::Fail(_)))
            .map(|record| record.check.id());
        match failed {
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
