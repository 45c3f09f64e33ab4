//! Running a program under test: started in a process group of its own, its streams captured,
//! stopped with everything that it started.

mod capture;
pub mod cell;
mod feed;
mod front;
mod last_words;
mod place;
pub(crate) mod pump;
mod template;
mod tree;
mod words;

use std::io::{self, PipeWriter};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;

use capture::Capture;
pub use capture::Captured;
use cell::Inmate;
pub use cell::view::View;
use feed::Feed;
pub use front::takes_privileges;
pub use place::{Given, Place};
pub use template::{CommandError, Template};
pub use tree::stop_all;
pub use words::split_words;

use crate::kernel::{self, Family};
use crate::sync::lock;

/// A program that was started. Dropping it stops it, and everything that it started.
#[derive(Debug)]
pub struct Program {
    process: Mutex<Process>,
    pid: u32,
    family: Family,
    stdin: Feed,
    stdout: Capture,
    stderr: Capture,
}

#[derive(Debug)]
enum Process {
    /// A child of this process, in its namespaces.
    Child { child: Child, mark: String },
    /// In a cell.
    Inmate(Inmate),
}

/// Where a program's standard input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// Nothing: `/dev/null`.
    Null,
    /// What the harness writes: see [`Program::write_stdin`].
    Piped,
}

/// What becomes of a program's standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// It is read as it comes.
    #[default]
    Read,
    /// Nobody reads it before [`Program::release_stdout`].
    Held,
    /// The same, and its pipe is full from the beginning: who writes to it is blocked.
    Full,
}

impl Program {
    /// Starts the command: where programs are enclosed, in a cell with this view. Its process
    /// group's id is its process id.
    pub fn start(
        mut command: Command,
        stdin: Stdin,
        output: Output,
        view: View,
    ) -> io::Result<Self> {
        // A backtrace would push what a panic says out of the last lines that are shown.
        command.env("RUST_BACKTRACE", "0");
        let (reader, writer) = io::pipe()?;
        let filler = match output {
            Output::Full => Some(capture::fill(writer.try_clone()?)),
            Output::Read | Output::Held => None,
        };
        let piped = stdin == Stdin::Piped;
        let (process, stdin, stderr) = if cell::is_enclosing() {
            in_cell(&command, view, piped, writer)?
        } else {
            as_child(command, piped, writer)?
        };
        let stdout = match output {
            Output::Read => Capture::start(Some(reader)),
            Output::Held | Output::Full => Capture::start_held(Some(reader), filler),
        };
        let (pid, family) = match &process {
            Process::Child { child, .. } => (child.id(), Family::Of(child.id())),
            Process::Inmate(inmate) => (inmate.pid(), inmate.family()),
        };
        Ok(Self { process: Mutex::new(process), pid, family, stdin, stdout, stderr })
    }

    /// The id of its first process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// All of its processes.
    pub fn family(&self) -> Family {
        self.family
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> io::Result<Option<ExitStatus>> {
        match &mut *lock(&self.process) {
            Process::Child { child, .. } => child.try_wait(),
            Process::Inmate(inmate) => inmate.exited(),
        }
    }

    /// What it has written to its standard output so far.
    pub fn stdout(&self) -> Captured {
        self.stdout.so_far()
    }

    /// What it has written to its standard error so far.
    pub fn stderr(&self) -> Captured {
        self.stderr.so_far()
    }

    /// What it has written to its standard output from byte `from` on (of the first 16 MiB).
    pub fn stdout_since(&self, from: usize) -> Vec<u8> {
        self.stdout.since(from)
    }

    /// How many bytes it has written to its standard output so far.
    pub fn stdout_len(&self) -> u64 {
        self.stdout.len()
    }

    /// Writes to its standard input, behind all that was given before; never blocks. An error
    /// when the program has closed its end, or [`Program::close_stdin`] was called.
    pub fn write_stdin(&self, bytes: &[u8]) -> io::Result<()> {
        if self.stdin.give(bytes.to_vec()) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    }

    /// Ends its standard input, behind all that was given.
    pub fn close_stdin(&self) {
        self.stdin.end();
    }

    /// Whether the harness's own threads have no work left: all of the input that it can take
    /// was written, and all of the output that it has written was read.
    pub(crate) fn is_all_moved(&self) -> bool {
        [self.stdin.is_at_rest(), self.stdout.is_at_rest(), self.stderr.is_at_rest()] == [true; 3]
    }

    /// Closes the harness's end of its standard output at the next byte that comes. When
    /// [`Captured::ended`] says so it is closed, and a write there is a broken pipe.
    pub fn close_stdout(&self) {
        self.stdout.close();
    }

    /// The same for its standard error.
    pub fn close_stderr(&self) {
        self.stderr.close();
    }

    /// Reads this many bytes of a standard output that is held, and no more: see [`Output`].
    pub fn take_stdout(&self, count: usize) {
        self.stdout.take(count);
    }

    /// Reads a standard output that was held, from now on.
    pub fn release_stdout(&self) {
        self.stdout.release();
    }

    /// Sends a signal by name (`STOP`, `CONT`) to all of its processes.
    pub fn signal_all(&self, name: &str) -> io::Result<()> {
        let mut pids = kernel::process_tree(self.family).unwrap_or_default();
        if pids.is_empty() {
            pids.push(self.pid);
        }
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        tree::kill(&format!("-{name}"), &pids)
    }

    /// Sends a signal by name (`TERM`, `STOP`, `CONT`) to its first process.
    pub fn signal(&self, name: &str) -> io::Result<()> {
        tree::kill(&format!("-{name}"), &[self.pid.to_string()])
    }

    /// Lets its first process have no descriptor of this number or above (`RLIMIT_NOFILE`, soft);
    /// those that it has stay.
    ///
    /// # Errors
    /// Where the program `prlimit` is missing or may not do it.
    pub fn limit_descriptors(&self, limit: u32) -> io::Result<()> {
        self.limit(&format!("--nofile={limit}:"))
    }

    /// Lets no file that its first process writes to grow beyond so many bytes (`RLIMIT_FSIZE`,
    /// soft); `None`: as large as at the start.
    ///
    /// # Errors
    /// Where the program `prlimit` is missing or may not do it.
    pub fn limit_files(&self, bytes: Option<u64>) -> io::Result<()> {
        let limit = bytes.unwrap_or(cell::LARGEST_FILE);
        self.limit(&format!("--fsize={limit}:"))
    }

    fn limit(&self, option: &str) -> io::Result<()> {
        let mut command = Command::new("prlimit");
        command.arg("--pid").arg(self.pid.to_string()).arg(option);
        let output = command.stdin(Stdio::null()).output().map_err(|error| {
            io::Error::new(error.kind(), format!("prlimit (of util-linux) is missing: {error}"))
        })?;
        if output.status.success() || self.exited()?.is_some() {
            Ok(())
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim()))
        }
    }

    /// Kills the first process alone, as a crash would end it, and waits for its end.
    pub fn crash(&self) -> io::Result<ExitStatus> {
        match &mut *lock(&self.process) {
            Process::Child { child, .. } => {
                child.kill()?;
                child.wait()
            }
            Process::Inmate(inmate) => inmate.kill(),
        }
    }

    /// Kills it and everything that it started, and waits until all of it is gone.
    pub fn stop(&self) -> io::Result<()> {
        self.close_stdin();
        match &mut *lock(&self.process) {
            Process::Child { child, mark } => tree::stop(self.pid, mark, child)?,
            Process::Inmate(inmate) => inmate.stop()?,
        }
        self.stdout.finish();
        self.stderr.finish();
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nobody is left to tell of an error; what could not be stopped dies with the
        // worker's namespace.
        let _ = self.stop();
    }
}

type Started = (Process, Feed, Capture);

fn in_cell(command: &Command, view: View, piped: bool, stdout: PipeWriter) -> io::Result<Started> {
    let (inmate, stdin, stderr) = Inmate::start(command, view, piped, stdout)?;
    Ok((Process::Inmate(inmate), Feed::start(stdin), Capture::start(Some(stderr))))
}

fn as_child(command: Command, piped: bool, stdout: PipeWriter) -> io::Result<Started> {
    let path = std::env::var("PATH").unwrap_or_default();
    front::check(Path::new(command.get_program()), &path, Path::new(""))?;
    let mut command = front::put_before(front::words(), command);
    let mark = tree::new_mark();
    command.env(tree::MARK, &mark);
    command.process_group(0).stdout(stdout).stderr(Stdio::piped());
    command.stdin(if piped { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn()?;
    let pid = child.id();
    tree::register(pid);
    front::wait_until_passed(front::words(), pid, || Ok(child.try_wait()?.is_some()))?;
    let (stdin, stderr) = (Feed::start(child.stdin.take()), Capture::start(child.stderr.take()));
    Ok((Process::Child { child, mark }, stdin, stderr))
}

/// How a program ended, in words: `exit status 1`, `signal 9 (SIGKILL)`.
pub fn describe_exit(status: ExitStatus) -> String {
    if let Some(code) = status.code() {
        return match code {
            101 => "exit status 101 (a panic)".into(),
            code => format!("exit status {code}"),
        };
    }
    let signal = status.signal().unwrap_or_default();
    let name = match signal {
        2 => "SIGINT",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}
