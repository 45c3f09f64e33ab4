//! `lab trace`: records a conversation, and shows it step by step.

use std::fs;
use std::path::PathBuf;

use super::check::{lab_option, template};
use super::select::{self, Selected};
use super::{CliError, print};
use crate::labs;
use crate::program::Template;
use crate::run::pool::Pool;
use crate::run::protocol::Request;
use crate::run::session;
use crate::show::{ladder, svg};
use crate::term::Style;

/// What `lab trace` was asked for.
#[derive(Debug, Default)]
struct Options {
    what: String,
    /// The command to trace instead of the one lab's own program.
    program: Option<String>,
    /// Programs to trace instead of labs' own, by the lab's name.
    programs: Vec<(&'static str, Template)>,
    syscalls: bool,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, CliError> {
        let mut order = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = |what: &str| {
                words.next().ok_or_else(|| CliError::Usage(format!("{word} needs {what} after it")))
            };
            match *word {
                "--syscalls" => order.syscalls = true,
                "--json" => order.json = Some(value("a file name")?.into()),
                "--svg" => order.svg = Some(value("a file name")?.into()),
                "--program" => order.program = Some(value("a command in quotes")?.to_string()),
                option if option.starts_with('-') => {
                    let lab = lab_option(option)
                        .ok_or_else(|| CliError::Usage(format!("there is no option {option}")))?;
                    let command = template(value("a command in quotes")?, lab)?;
                    order.programs.push((lab.name, command));
                }
                what if order.what.is_empty() => order.what = what.to_owned(),
                more => return Err(CliError::Usage(format!("one at a time: what is `{more}`?"))),
            }
        }
        Ok(order)
    }

    /// The id of what is to be recorded, and the labs whose programs take part.
    fn subject(&self) -> Result<(String, Vec<&'static str>), CliError> {
        let what = &self.what;
        if let Some(scene) = labs::scene(what) {
            return Ok((what.clone(), scene.programs.to_vec()));
        }
        match select::any(what) {
            Ok(Selected::Check(check)) => Ok((check.id(), check.step().programs.to_vec())),
            Ok(_) => Err(CliError::Usage(format!(
                "`{what}` has several checks: say which one; `cargo lab list` shows them"
            ))),
            Err(_) => Err(CliError::Usage(format!(
                "there is no check and no scene `{what}`; `cargo lab list server` shows the checks \
                 of a lab, `cargo lab trace` the scenes"
            ))),
        }
    }

    fn request(&self) -> Result<Request, CliError> {
        let (check, labs) = self.subject()?;
        let programs = labs.iter().map(|lab| Ok(((*lab).to_owned(), self.program_of(lab, &labs)?)));
        let programs = programs.collect::<Result<_, CliError>>()?;
        Ok(Request { check, programs })
    }

    /// The program that was given for a lab, or the lab's own.
    fn program_of(&self, lab: &str, labs: &[&str]) -> Result<Template, CliError> {
        if let (Some(text), [_], Some(lab)) = (&self.program, labs, labs::lab(lab)) {
            return template(text, lab);
        }
        if let Some((_, given)) = self.programs.iter().find(|(name, _)| *name == lab) {
            return Ok(given.clone());
        }
        let built = session::built(lab)?;
        built.map_err(|words| CliError::Trouble(format!("lab {lab} does not build:\n{words}")))
    }
}

/// Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let order = Options::parse(words)?;
    if order.what.is_empty() {
        return print(&scenes(Style::for_stdout())).map(|()| 0);
    }
    crate::kernel::available().map_err(CliError::Trouble)?;
    let request = order.request()?;
    let syscalls = order.syscalls || labs::scene(&order.what).is_some_and(|scene| scene.syscalls);
    let pool = Pool::open()?;
    let mut recording = session::trace(&pool, &request, syscalls)?;
    recording.notes.extend(pool.notes.iter().cloned());
    if let Some(file) = &order.json {
        write(file, &recording.to_json().pretty())?;
    }
    if let Some(file) = &order.svg {
        write(file, &svg::document(&recording))?;
    }
    print(&ladder::render(&recording, Style::for_stdout()))?;
    Ok(0)
}

fn write(file: &PathBuf, text: &str) -> Result<(), CliError> {
    fs::write(file, text)
        .map_err(|error| CliError::Trouble(format!("cannot write {}: {error}", file.display())))
}

fn scenes(style: Style) -> String {
    let mut text = String::from("Conversations of the book:\n\n");
    for scene in labs::scenes() {
        text += &format!("  {}\n      {}\n", style.bold(scene.name), scene.title);
    }
    text + "\n`cargo lab trace NAME` records one with your program; `cargo lab trace server/half-close` any check\n"
}
