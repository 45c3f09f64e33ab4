//! The command line: what the user asks for, and the way from there to a report. A module for
//! each command.

mod check;
mod demo;
mod format;
mod grade;
mod gradescope;
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

const HELP: &str = "\
The sockets lab: checks the labs, and shows what is right, what is wrong and why.

cargo lab                     check every lab and show the board
cargo lab check [WHAT ...]    check labs (server, or 1), steps (server/1, or listen)
                              or checks (server/half-close)
    --program 'CMD'           check this program instead of the lab's own, in any
                              language; {addr}, or {host} and {port}, stand where
                              it takes the address, {args} for all that the lab's
                              own program takes
    --server 'CMD'            the same for one lab of several (--client, --peer),
                              also where they meet:
                              `cargo lab check together --client 'nc -N {host} {port}'`
    --json                    the record as JSON on standard output, and no board
    --format NAME             the same in a format that others read: json, junit,
                              gradescope, classroom50, tap, or singly: of each
                              check what it says of that alone
    --record FILE             the same record into FILE, beside the board
    --junit FILE              the record as JUnit XML into FILE, too
    --submission NAME         whose work it is, for the record
cargo lab watch [LAB]         check at each save, and say what comes next
cargo lab list [LAB]          labs, steps, and how far they are; of a lab, its checks
cargo lab hint [STEP]         a hint for a step, each time a clearer one
cargo lab reset STEP|LAB      put the stub back, and save what was written
cargo lab start DIR           make a workspace for a student in a new folder
cargo lab update COURSE       bring a workspace up to a newer course; what you wrote
                              stays
cargo lab grade PATH ... --out DIR
                              grade a class: PATH is a submission, or a folder of
                              them; DIR gets a gradebook, a record and feedback for
                              each, and a page about the class
    --labs server,client      only these labs count
    --scheme FILE             what counts, and how much: a line `server 25` for each lab
    --worksheet FILE          fill in Moodle's grading worksheet: DIR/worksheet.csv
    --jobs N                  judge N submissions side by side (two a processor)
    --part 2/3                judge every third one, from the second on
    --user NAME               where the system refuses namespaces: judge as this
                              account, which has no rights (only root can)
    --format NAME             PATH is one submission: print its result, as for check,
                              and keep nothing; status 0 means judged
cargo lab gradebook RECORD ... --out DIR
                              the same of records that were made in parts, or
                              elsewhere; nothing is judged
cargo lab gradescope-zip FILE  an autograder for Gradescope, without the solutions;
                              --labs and --scheme as above
cargo lab trace [WHAT]        record a check, or one of the book's scenes, and show
                              both ends step by step, with what the kernel shows
    --program 'CMD'           of this program instead of the lab's own
    --syscalls                with the program's system calls (needs strace)
    --json FILE               the recording as JSON into FILE, too
    --svg FILE                the recording as a figure into FILE, too
cargo lab demo [NAME | --all] show that what many believe about sockets is wrong
cargo lab demo who-pays [--chart FILE]
                              measure how long it takes until many have a file, from
                              one and from each other, with your lab 9 (3 minutes)
cargo lab demo pipelining [--chart FILE]
                              measure how long a file takes over a long line, by how
                              many requests are in flight, with your lab 9 (a minute)
cargo lab demo kills [--kills N] [--seed N]
                              kill one process after another of two balancers, three
                              web servers and a name server, your own, and count what
                              clients notice; haproxy and nginx as well (5 minutes)
cargo lab ports [--all]       the ports that the lab's programs (all: your programs)
                              have in use
cargo lab help, --version

In the course `cargo run` is the same program: `cargo run -- check server`.

LAB_PATIENCE=10      wait ten times as long (a slow machine, a debugger)
LAB_STRICT=1         for grading: a skipped check counts as failed, and nothing is
                     judged without isolation
LAB_ISOLATION=off    use the system's own network instead of a namespace
NO_COLOR=1           no colours

exit status: 0 nothing failed, 1 something failed, 2 wrong usage,
             3 the harness could not do its job
";

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
        ["help" | "--help" | "-h", ..] => print(HELP).map(|()| 0),
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
