//! The command line: what the user asks for, and the way from there to a report.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::build::{self, Built};
use crate::course::{self, Check, LABS, Lab};
use crate::isolation::Stage;
use crate::pool::Pool;
use crate::program::Template;
use crate::report::{self, junit, style::Style, wire};
use crate::verdict::{Blocked, Outcome, Record};
use crate::worker::{self, Request};

const HELP: &str = "\
The sockets lab: checks the labs, and shows what is right, what is wrong and why.

usage: lab                      check every lab and show the board
       lab check [WHAT ...]     check labs (server), steps (server/1) or checks (server/half-close)
           --program 'CMD'      check this program instead of the lab's own, in any language;
                                {addr}, or {host} and {port}, stand where it takes the address;
                                for the peer also {name} and {peers}
           --json               the result as JSON on standard output
           --junit FILE         the result as JUnit XML into FILE, too
       lab list                 labs, steps and checks
       lab help                 this text

`cargo run` and `cargo lab` are this program: `cargo lab check server`.

LAB_PATIENCE=10      waits ten times as long (a slow machine, a debugger)
LAB_ISOLATION=off    uses the system's own network instead of a namespace
NO_COLOR=1           no colours

exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 the harness could not do its job
";

/// What ends a command before its work is done.
#[derive(Debug)]
enum Problem {
    /// The user asked for something that there is not.
    Usage(String),
    /// The harness could not do its job.
    Trouble(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Trouble(error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => {
                write!(f, "lab: {what}\n     `lab help` shows what can be asked for")
            }
            Self::Trouble(what) => write!(f, "lab: {what}"),
        }
    }
}

/// Carries out a command line, without the program's name. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] => check(&[]),
        ["check", rest @ ..] => check(rest),
        ["list"] => print(&list()).map(|()| 0),
        ["help" | "--help" | "-h", ..] => print(HELP).map(|()| 0),
        // Not for users: what the harness starts for itself.
        ["worker", stage] => match Stage::parse(stage) {
            Some(stage) => return worker::run(stage),
            None => Err(Problem::Usage(format!("there is no worker `{stage}`"))),
        },
        [other, ..] => Err(Problem::Usage(format!("there is no command `{other}`"))),
    };
    result.unwrap_or_else(|problem| {
        eprintln!("{problem}");
        match problem {
            Problem::Usage(_) => 2,
            Problem::Trouble(_) => 3,
        }
    })
}

/// Writes to standard output. A reader that has gone (`lab | head`) is no error.
fn print(text: &str) -> Result<(), Problem> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// What `lab check` was asked for.
#[derive(Debug, Default)]
struct Order {
    checks: Vec<&'static Check>,
    program: Option<Template>,
    json: bool,
    junit: Option<PathBuf>,
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
                "--json" => order.json = true,
                "--junit" => order.junit = Some(value("a file name")?.into()),
                "--program" => {
                    let text = value("a command in quotes")?;
                    let template =
                        Template::parse(text).map_err(|e| Problem::Usage(e.to_string()))?;
                    order.program = Some(template);
                }
                option if option.starts_with('-') => {
                    return Err(Problem::Usage(format!("there is no option {option}")));
                }
                what => {
                    for check in select(what)? {
                        if !order.checks.iter().any(|known| known.id() == check.id()) {
                            order.checks.push(check);
                        }
                    }
                }
            }
        }
        if order.checks.is_empty() {
            order.checks = course::checks().collect();
        }
        if order.program.is_some() {
            let labs: Vec<_> = order.checks.iter().map(|check| check.lab).collect();
            if labs.iter().any(|lab| *lab != labs[0]) {
                let what =
                    "--program goes with one lab: say which, as in `lab check server --program …`";
                return Err(Problem::Usage(what.into()));
            }
        }
        if let (Some(template), Some(check)) = (&order.program, order.checks.first()) {
            let places = template.has_places_of(check.lab().arguments);
            places.map_err(|error| Problem::Usage(error.to_string()))?;
        }
        Ok(order)
    }
}

/// The checks that `LAB`, `LAB/STEP` or `LAB/CHECK` stands for.
fn select(what: &str) -> Result<Vec<&'static Check>, Problem> {
    let (name, part) = what.split_once('/').unwrap_or((what, ""));
    let Some(lab) = course::lab(name) else {
        let labs: Vec<_> = LABS.iter().map(|lab| lab.name).collect();
        return Err(Problem::Usage(format!(
            "there is no lab `{name}`; the labs: {}",
            labs.join(", ")
        )));
    };
    let step = |check: &&Check| part == check.step.to_string() || part == check.step().name;
    let found: Vec<_> = match part {
        "" => lab.checks.iter().collect(),
        _ => lab.checks.iter().filter(|c| c.id() == what || c.name == part || step(c)).collect(),
    };
    match found.is_empty() {
        false => Ok(found),
        true => Err(Problem::Usage(format!(
            "there is no check `{what}`; `lab list` shows all{}",
            nearest(lab, part)
        ))),
    }
}

/// The check whose name shares the most words with what was typed.
fn nearest(lab: &Lab, part: &str) -> String {
    let words: Vec<_> = part.split(['-', '_']).filter(|word| word.len() > 2).collect();
    let shared = |check: &&Check| words.iter().filter(|word| check.name.contains(**word)).count();
    let like = lab.checks.iter().max_by_key(shared).filter(|check| shared(check) > 0);
    like.map_or(String::new(), |check| format!("; did you mean {}?", check.id()))
}

fn check(words: &[&str]) -> Result<u8, Problem> {
    let order = Order::parse(words)?;
    let (records, notes) = carry_out(&order)?;
    if let Some(file) = &order.junit {
        fs::write(file, junit::render(&records)).map_err(|error| {
            Problem::Trouble(format!("cannot write {}: {error}", file.display()))
        })?;
    }
    if order.json {
        print(&wire::records_to_json(&records, &notes).pretty())?;
    } else {
        print(&report::text(&records, &notes, Style::for_stdout()))?;
    }
    Ok(status(&records))
}

fn status(records: &[Record]) -> u8 {
    let any = |kind: fn(&Outcome) -> bool| records.iter().any(|record| kind(&record.outcome));
    if any(|outcome| matches!(outcome, Outcome::Fault(_))) {
        3
    } else if any(|outcome| matches!(outcome, Outcome::Fail(_) | Outcome::Blocked(_))) {
        1
    } else {
        0
    }
}

/// Builds what is needed, has every check carried out, and returns the records in order.
fn carry_out(order: &Order) -> Result<(Vec<Record>, Vec<String>), Problem> {
    let progress = Progress::new();
    let mut programs: BTreeMap<&str, Result<Template, String>> = BTreeMap::new();
    for check in &order.checks {
        if programs.contains_key(check.lab) {
            continue;
        }
        let program = match &order.program {
            Some(template) => Ok(template.clone()),
            None => {
                progress.show(&format!("building {}", check.lab));
                built(check.lab())?
            }
        };
        programs.insert(check.lab, program);
    }
    let requests: Vec<Request> = order
        .checks
        .iter()
        .filter_map(|check| {
            let template = programs.get(check.lab)?.as_ref().ok()?;
            let programs = vec![(check.lab.to_owned(), template.clone())];
            Some(Request { check: check.id(), programs })
        })
        .collect();
    let pool = Pool::open()?;
    let done = AtomicUsize::new(0);
    let answers = pool.run(&requests, |_, _| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.show(&format!("checked {done} of {}", requests.len()));
    });
    progress.clear();
    let mut answers = answers.into_iter();
    let records = order.checks.iter().map(|check| {
        let (outcome, elapsed) = match programs.get(check.lab) {
            Some(Err(words)) => {
                (Outcome::Blocked(Blocked::Build(words.clone())), Default::default())
            }
            _ => match answers.next() {
                Some(answer) => (answer.outcome, answer.elapsed),
                None => (Outcome::Fault("it was not carried out".into()), Default::default()),
            },
        };
        let program = order.program.as_ref().map(|template| template.shown().to_owned());
        Record { check, outcome, elapsed, program }
    });
    Ok((records.collect(), pool.notes))
}

/// The lab's own program, or rustc's words.
fn built(lab: &Lab) -> Result<Result<Template, String>, Problem> {
    let root = build::find_root()?;
    Ok(match build::build(&root, lab)? {
        Built::Program(file) => Ok(Template::new(&file, lab.arguments, lab.name)),
        Built::Broken(words) => Err(words),
    })
}

/// One line on standard error that says what is being done; only on a terminal.
struct Progress {
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self { terminal: io::stderr().is_terminal() }
    }

    fn show(&self, what: &str) {
        if self.terminal {
            eprint!("\r\x1b[K{what} ");
        }
    }

    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}

fn list() -> String {
    let mut text = String::new();
    for lab in LABS {
        text += &format!("{} {}: {}\n", lab.number, lab.name, lab.title);
        for step in lab.steps {
            let chapter = step.chapter;
            text += &format!(
                "  step {} {}: {}   (book/src/{chapter}.md)\n",
                step.number, step.name, step.task
            );
            for check in lab.checks.iter().filter(|check| check.step == step.number) {
                text += &format!("    {:<42} {}\n", check.id(), check.title);
            }
        }
    }
    text
}
