//! `lab trace`: records a conversation, and shows it step by step.

use std::fs;
use std::path::PathBuf;

use super::{Problem, print};
use crate::course;
use crate::pool::Pool;
use crate::program::Template;
use crate::record::{self, SCENES};
use crate::report::{ladder, style::Style, svg};
use crate::session;
use crate::worker::Request;

/// What `lab trace` was asked for.
#[derive(Debug, Default)]
struct Order {
    what: String,
    program: Option<Template>,
    syscalls: bool,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
}

impl Order {
    fn parse(words: &[&str]) -> Result<Self, Problem> {
        let mut order = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = |what: &str| {
                words.next().ok_or_else(|| Problem::Usage(format!("{word} needs {what} after it")))
            };
            match *word {
                "--syscalls" => order.syscalls = true,
                "--json" => order.json = Some(value("a file name")?.into()),
                "--svg" => order.svg = Some(value("a file name")?.into()),
                "--program" => {
                    let template = Template::parse(value("a command in quotes")?);
                    order.program = Some(template.map_err(|e| Problem::Usage(e.to_string()))?);
                }
                option if option.starts_with('-') => {
                    return Err(Problem::Usage(format!("there is no option {option}")));
                }
                what if order.what.is_empty() => order.what = what.to_owned(),
                more => return Err(Problem::Usage(format!("one at a time: what is `{more}`?"))),
            }
        }
        Ok(order)
    }

    /// The labs whose programs take part.
    fn labs(&self) -> Result<Vec<&'static str>, Problem> {
        if let Some(scene) = record::scene(&self.what) {
            return Ok(vec![scene.lab]);
        }
        let check = course::check(&self.what).ok_or_else(|| {
            let what = &self.what;
            Problem::Usage(format!(
                "there is no check and no scene `{what}`; `lab list` shows the checks, `lab trace` \
                 the scenes"
            ))
        })?;
        Ok(check.step().programs.to_vec())
    }

    fn request(&self) -> Result<Request, Problem> {
        let labs = self.labs()?;
        if let (Some(template), Some(lab)) =
            (&self.program, labs.first().and_then(|l| course::lab(l)))
        {
            let places = template.has_places_of(lab.arguments);
            places.map_err(|error| Problem::Usage(error.to_string()))?;
        }
        let mut programs = Vec::new();
        for lab in labs {
            let template = match &self.program {
                Some(template) => template.clone(),
                None => session::built(lab)?.map_err(|words| {
                    Problem::Trouble(format!("lab {lab} does not build:\n{words}"))
                })?,
            };
            programs.push((lab.to_owned(), template));
        }
        Ok(Request { check: self.what.clone(), programs })
    }
}

/// Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, Problem> {
    let order = Order::parse(words)?;
    if order.what.is_empty() {
        return print(&scenes(Style::for_stdout())).map(|()| 0);
    }
    crate::watch::available().map_err(Problem::Trouble)?;
    let request = order.request()?;
    let syscalls = order.syscalls || record::scene(&order.what).is_some_and(|scene| scene.syscalls);
    let pool = Pool::open()?;
    let mut recording = record::record(&pool, &request, syscalls)?;
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

fn write(file: &PathBuf, text: &str) -> Result<(), Problem> {
    fs::write(file, text)
        .map_err(|error| Problem::Trouble(format!("cannot write {}: {error}", file.display())))
}

fn scenes(style: Style) -> String {
    let mut text = String::from("Conversations of the book:\n\n");
    for scene in SCENES {
        text += &format!("  {}\n      {}\n", style.bold(scene.name), scene.title);
    }
    text + "\n`lab trace NAME` records one with your program; `lab trace server/half-close` any check\n"
}
