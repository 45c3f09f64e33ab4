//! The command line: what the user asks for, and the way from there to a report. A module for
//! each command.

mod check;
mod demo;
mod format;
mod grade;
mod gradescope;
mod help;
mod hint;
mod judge;
mod kills;
mod list;
mod nearest;
mod ports;
mod record;
mod reset;
mod scheme;
mod select;
mod start;
mod trace;
mod update;
mod watch;

use std::fmt;
use std::io::{self, Write};

use crate::program::cell;
use crate::run::isolation::Layer;
use crate::run::worker;
use crate::workspace;

/// The commands that a user types.
const COMMANDS: [&str; 14] = [
    "check",
    "watch",
    "list",
    "hint",
    "reset",
    "start",
    "update",
    "grade",
    "gradebook",
    "gradescope-zip",
    "trace",
    "demo",
    "ports",
    "help",
];

/// What ends a command before its work is done.
#[derive(Debug)]
enum CliError {
    /// The user asked for something that there is not.
    Usage(String),
    /// What was asked for can't be had as things are; the text says what to do instead.
    Refused(String),
    /// The harness could not do its job.
    Trouble(String),
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Trouble(error.to_string())
    }
}

impl From<workspace::Error> for CliError {
    fn from(error: workspace::Error) -> Self {
        match error {
            workspace::Error::Io { .. } => Self::Trouble(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => {
                write!(f, "lab: {what}\n     `cargo lab help` shows what can be asked for")
            }
            Self::Refused(what) | Self::Trouble(what) => write!(f, "lab: {what}"),
        }
    }
}

/// Carries out a command line, without the program's name. Returns the exit status.
pub fn run(arguments: &[String]) -> u8 {
    cell::enclosed::allow();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] => check::run(&[]),
        ["help" | "--help" | "-h"] | ["help", "help", ..] => print(help::ALL).map(|()| 0),
        ["help", command, ..] => help::of(command).and_then(|text| print(&text)).map(|()| 0),
        [command, rest @ ..]
            if COMMANDS.contains(command) && rest.iter().any(|it| help::is_asked_for(it)) =>
        {
            help::of(command).and_then(|text| print(&text)).map(|()| 0)
        }
        ["check", rest @ ..] => check::run(rest),
        ["start", dir] => start::run(dir),
        ["start", ..] => {
            Err(CliError::Usage("start needs one folder: `cargo lab start DIR`".into()))
        }
        ["update", rest @ ..] => update::run(rest),
        ["list", rest @ ..] => list::run(rest),
        ["watch", rest @ ..] => watch::run(rest),
        ["hint", rest @ ..] => hint::run(rest),
        ["reset", what] => reset::run(what),
        ["reset", ..] => {
            Err(CliError::Usage("reset needs a step or a lab: `cargo lab reset server/3`".into()))
        }
        ["demo", rest @ ..] => demo::run(rest),
        ["trace", rest @ ..] => trace::run(rest),
        ["grade", rest @ ..] => grade::run(rest),
        ["gradebook", rest @ ..] => grade::gradebook(rest),
        ["gradescope-zip", rest @ ..] => gradescope::run(rest),
        ["ports", rest @ ..] => ports::run(rest),
        ["version" | "--version" | "-V", ..] => {
            print(concat!("sockets-lab ", env!("CARGO_PKG_VERSION"), "\n")).map(|()| 0)
        }
        // Not for users: the course's own recordings, and what the harness starts for itself.
        ["record", rest @ ..] => record::run(rest),
        ["judge", lanes, rest @ ..] => judge::run(lanes, rest),
        ["worker", "bind", address] => {
            crate::show::demo::bind_and_end(address).map(|()| 0).map_err(CliError::from)
        }
        ["worker", "keep", how, address, folder] => {
            crate::show::demo::keep(how, address, folder).map(|()| 0).map_err(CliError::from)
        }
        ["worker", "halves", address] => {
            crate::show::demo::halves(address).map(|()| 0).map_err(CliError::from)
        }
        ["worker", "stay", address] => {
            crate::show::demo::stay(address).map(|()| 0).map_err(CliError::from)
        }
        ["worker", "enclosed", order] => Err(CliError::from(cell::enclosed::enter(order))),
        ["worker", "cell"] => cell::warden::run().map(|()| 0).map_err(CliError::from),
        ["worker", stage] => match Layer::parse(stage) {
            Some(stage) => return worker::run(stage),
            None => Err(CliError::Usage(format!("there is no worker `{stage}`"))),
        },
        [other, ..] => Err(CliError::Usage(unknown(other))),
    };
    result.unwrap_or_else(|problem| {
        eprintln!("{problem}");
        match problem {
            CliError::Usage(_) | CliError::Refused(_) => 2,
            CliError::Trouble(_) => 3,
        }
    })
}

/// That there is no such command, and what was meant: another one, or what to check.
fn unknown(word: &str) -> String {
    let meant = match nearest::nearest(word, COMMANDS) {
        Some(command) => format!("; did you mean `cargo lab {command}`?"),
        None => match select::any(word) {
            Ok(_) => format!("; did you mean `cargo lab check {word}`?"),
            Err(_) => String::new(),
        },
    };
    format!("there is no command `{word}`{meant}")
}

/// Writes to standard output. A reader that has gone (`lab | head`) is no error.
fn print(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
