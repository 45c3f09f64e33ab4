//! Cells: where programs under test run when their worker is isolated.
//!
//! A cell has process, mount and IPC namespaces of its own. Its first process, the [`warden`],
//! starts the programs; each has no capability and can gain none, no terminal, an environment
//! that was made for it, and a [`view`] of the file system in which nothing can be written but a
//! scratch folder. It sees its own processes and no other. Everything in a cell but the warden is
//! the program, whatever it has done to its parents, groups and sessions, and it ends with it.
//!
//! To make a cell costs some milliseconds, to start a program in it little more than the program:
//! a cell whose program has left nothing behind is used again.

pub mod enclosed;
pub mod view;
pub mod warden;

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;

use view::{SCRATCH, View};

use crate::json::Json;
use crate::kernel::{self, Family};
use crate::program::front;
use crate::sync::lock;

/// Where the programs of a system are.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
/// What a program that the user has named may know of the user's environment: where its language
/// finds its parts.
const KNOWN: &[&str] = &[
    "PATH",
    "LANG",
    "LC_",
    "TZ",
    // Not PYTHONUNBUFFERED: the same program would write in another way.
    "PYTHONHOME",
    "PYTHONPATH",
    "PYENV",
    "VIRTUAL_ENV",
    "NODE",
    "NVM_",
    "RUBY",
    "GEM_",
    "RBENV",
    "JAVA_",
    "JDK_",
    "GO",
    "PERL",
    "DOTNET_",
    "BUN_",
    "DENO_",
];
/// For each process of a program, and all that it starts. They end what runs wild before the
/// machine suffers; no right program comes near to them.
const LIMITS: &[&str] = &["--core=0", "--nproc=512", "--data=4294967296"];
/// One more of them: the largest file that it can write, in bytes.
pub(super) const LARGEST_FILE: u64 = 268_435_456;

/// Whether programs are started in cells, and the cells that nobody uses now.
static IDLE: Mutex<Option<Vec<Cell>>> = Mutex::new(None);

/// From now on every program of this process is started in a cell. For a process that has a user
/// namespace of its own.
pub fn enclose_programs() {
    lock(&IDLE).get_or_insert_default();
}

/// Whether programs are started in cells.
pub fn is_enclosing() -> bool {
    lock(&IDLE).is_some()
}

/// A cell, and its warden.
#[derive(Debug)]
struct Cell {
    view: View,
    /// `unshare`, which waits for the warden and takes it along when it is killed.
    child: Child,
    /// The warden, as this process knows it.
    warden: u32,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Cell {
    fn make(view: View) -> io::Result<Self> {
        let mut command = without_inherited("prlimit")?;
        command.args(LIMITS).arg(format!("--fsize={LARGEST_FILE}"));
        command.args(["--", "unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]);
        command.arg("--").arg(std::env::current_exe()?).args(["worker", "cell"]);
        // None of the tools has to read its translations: they are most of what `mount` opens.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut cell = Self { view, child, warden: 0, stdin, stdout: BufReader::new(stdout) };
        let order =
            Json::object([("worker", std::process::id().into()), ("view", cell.view.to_json())]);
        if let Err(error) = cell.ask(&order) {
            cell.stdin.take();
            let mut words = String::new();
            if let Some(mut stderr) = cell.child.stderr.take() {
                io::Read::read_to_string(&mut stderr, &mut words)?;
            }
            let words = words.trim().lines().next_back().unwrap_or_default().to_owned();
            let words = if words.is_empty() { error.to_string() } else { words };
            return Err(io::Error::other(format!("no cell for a program: {words}")));
        }
        let children = kernel::children(cell.child.id())?;
        cell.warden = *children.first().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(cell)
    }

    fn ask(&mut self, request: &Json) -> io::Result<Json> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        // In one write: nothing gathers what goes into a pipe.
        stdin.write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Json::parse(&line).map_err(|_| io::Error::other("a program's cell has ended"))
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        // The warden ends, and everything in the cell with it, before `unshare` ends.
        self.stdin.take();
        let _ = self.child.wait();
    }
}

/// A program that runs in a cell. Dropping it ends the cell, unless it was cleared.
#[derive(Debug)]
pub(super) struct Inmate {
    cell: Option<Cell>,
    /// Its first process: as this process knows it, and as the warden does.
    pid: u32,
    inner: u32,
    family: Family,
    status: Option<ExitStatus>,
}

impl Inmate {
    /// Starts the command in a cell with this view; the harness's ends of its standard input, where
    /// that is piped, and of its standard error.
    pub(super) fn start(
        command: &Command,
        view: View,
        piped: bool,
        stdout: PipeWriter,
    ) -> io::Result<(Self, Option<PipeWriter>, PipeReader)> {
        let mut cell = match take(&view) {
            Some(cell) => cell,
            None => Cell::make(view)?,
        };
        let stdin = if piped { Some(io::pipe()?) } else { None };
        let stderr = io::pipe()?;
        let number = |fd: i32| Json::from(fd.unsigned_abs());
        let words: Option<Vec<&str>> = [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|w| w.to_str())
            .collect();
        let words = words.ok_or_else(|| io::Error::other("a word that is not UTF-8"))?;
        let texts = |texts: Vec<String>| {
            Json::Array(texts.iter().map(|text| text.as_str().into()).collect())
        };
        let folder = command.get_current_dir().unwrap_or(&cell.view.folder);
        let order = Json::object([
            ("words", texts(words.iter().map(|word| (*word).to_owned()).collect())),
            ("environment", texts(environment(command, cell.view.wide))),
            ("folder", folder.to_string_lossy().as_ref().into()),
            ("stdin", stdin.as_ref().map_or(Json::Null, |(read, _)| number(read.as_raw_fd()))),
            ("stdout", number(stdout.as_raw_fd())),
            ("stderr", number(stderr.1.as_raw_fd())),
        ]);
        let answer = cell.ask(&Json::object([("start", order)]))?;
        let Some(inner) = answer.get("pid").and_then(Json::as_u64) else {
            give_back(cell)?;
            return Err(start_error(&answer));
        };
        let inner = inner as u32;
        let mut inmate = Self {
            family: Family::Inside(cell.warden),
            pid: 0,
            inner,
            status: None,
            cell: Some(cell),
        };
        inmate.wait_until_started()?;
        Ok((inmate, stdin.map(|(_, write)| write), stderr.0))
    }

    /// Waits until the program itself is executed: what stands in front of it is none of its.
    fn wait_until_started(&mut self) -> io::Result<()> {
        let Some(warden) = self.cell.as_ref().map(|cell| cell.warden) else { return Ok(()) };
        while self.pid == 0 && self.exited()?.is_none() {
            self.pid = kernel::child_called(warden, self.inner)?.unwrap_or(0);
        }
        front::wait_until_passed(front::ALL, self.pid, || Ok(self.exited()?.is_some()))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    /// How it ended, if it has.
    pub(super) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() && (self.pid == 0 || !kernel::runs(self.pid)) {
            let request = Json::object([("ended", self.inner.into())]);
            let cell = self.cell.as_mut().ok_or(io::ErrorKind::NotFound)?;
            self.status = status(&cell.ask(&request)?);
        }
        Ok(self.status)
    }

    /// Kills its first process, and waits for its end.
    pub(super) fn kill(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let request = Json::object([("kill", self.inner.into())]);
        let cell = self.cell.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let status = status(&cell.ask(&request)?);
        self.status = status;
        status.ok_or_else(|| io::Error::other("a program could not be killed"))
    }

    /// Kills everything in the cell, and waits until all of it is gone.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        if self.cell.is_none() {
            return Ok(());
        }
        self.kill()?;
        self.cell.take().map_or(Ok(()), give_back)
    }
}

/// An idle cell with this view. One with another view is not kept: its program's turn is over.
fn take(view: &View) -> Option<Cell> {
    let mut idle = lock(&IDLE);
    let idle = idle.as_mut()?;
    let found = idle.iter().position(|cell| cell.view == *view)?;
    Some(idle.swap_remove(found))
}

/// Keeps a cell for the next program, if it is as it was before the first; else it ends.
fn give_back(mut cell: Cell) -> io::Result<()> {
    if cell.ask(&Json::object([("clear", true.into())]))? == Json::Bool(true)
        && let Some(idle) = lock(&IDLE).as_mut()
    {
        idle.push(cell);
    }
    Ok(())
}

/// A command that hands on no descriptor but the three streams. Whoever has
/// started the harness may have left some open, a terminal or a file of results, and what is
/// inherited once is inherited by every program.
fn without_inherited(program: &str) -> io::Result<Command> {
    let inherited = kernel::inheritable_descriptors()?;
    if inherited.is_empty() {
        return Ok(Command::new(program));
    }
    let close: String = inherited.iter().map(|fd| format!("exec {fd}>&-; ")).collect();
    // Not every sh knows a descriptor of two digits.
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{close}exec \"$@\""), "bash", program]);
    Ok(command)
}

/// All that a program knows of its surroundings.
fn environment(command: &Command, wide: bool) -> Vec<String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name.to_owned(), value.to_owned()));
    };
    put("PATH", PATH);
    put("LANG", "C.UTF-8");
    if wide {
        let known = |name: &str| KNOWN.iter().any(|begin| name.starts_with(begin));
        for (name, value) in std::env::vars_os() {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && known(name)
            {
                put(name, value);
            }
        }
    }
    put("HOME", SCRATCH);
    put("TMPDIR", SCRATCH);
    for (name, value) in command.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            put(name, value);
        }
    }
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn start_error(answer: &Json) -> io::Error {
    let code = answer.get("code").and_then(Json::as_u64).and_then(|code| i32::try_from(code).ok());
    match (code, answer.get("error").and_then(Json::as_str)) {
        (Some(code), _) => io::Error::from_raw_os_error(code),
        (None, Some(words)) => io::Error::other(words.to_owned()),
        (None, None) => io::Error::other("a program's cell made no sense"),
    }
}

fn status(answer: &Json) -> Option<ExitStatus> {
    let raw = answer.get("status")?.as_f64()?;
    Some(ExitStatus::from_raw(raw as i32))
}
