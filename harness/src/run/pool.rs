//! Workers side by side: hands out checks, and collects the outcomes.
//!
//! A worker that dies, or that does not answer, takes only its own check with it: the outcome
//! is a fault, and another worker goes on.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::json::Json;
use crate::run::isolation;
use crate::run::protocol::{LAST, Request, Seal};
use crate::run::queue::{Queue, is_patient};
use crate::sync::lock;
use crate::trial::patience;
use crate::verdict::{Outcome, json};

/// A worker ends a check by itself that takes too long. One that does not even do that would hold
/// everybody up.
const BACKSTOP: Duration = Duration::from_secs(200);

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outcome of the check.
    pub outcome: Outcome,
    /// Wall time that it took.
    pub elapsed: Duration,
}

/// Workers of one kind.
#[derive(Debug)]
pub struct Pool {
    /// What is started as a worker.
    program: PathBuf,
    isolated: bool,
    size: usize,
    /// What the user should know: that isolation was refused, and why.
    pub notes: Vec<String>,
    /// Workers that were started and have nothing to do yet.
    ready: Mutex<Vec<Worker>>,
}

impl Pool {
    /// Workers of this program, as many as [`lanes_beside`] says for one run alone.
    ///
    /// # Errors
    /// This system does not say which program this is.
    pub fn open() -> io::Result<Self> {
        Ok(Self::of(&std::env::current_exe()?, lanes_beside(1)))
    }

    /// At most `size` workers of `program`, the command line of the harness. Finds out whether
    /// they can be isolated here; `LAB_ISOLATION=off` forgoes it.
    pub fn of(program: &Path, size: usize) -> Self {
        let wanted = !isolation::is_forgone();
        let program = program.to_owned();
        let ready = Mutex::default();
        let mut pool = Self { program, isolated: wanted, size, notes: Vec::new(), ready };
        if !wanted {
            pool.notes.push(not_isolated("LAB_ISOLATION=off"));
            return pool;
        }
        let missing = isolation::missing_tools();
        if !missing.is_empty() {
            pool.isolated = false;
            let why = format!("{} (of util-linux) is not installed", missing.join(", "));
            pool.notes.push(not_isolated(&why));
            return pool;
        }
        match Worker::start(&pool.program, true) {
            Ok(worker) => pool.ready = Mutex::new(vec![worker]),
            Err(error) => {
                pool.isolated = false;
                let why = format!("this system refuses namespaces ({error})");
                pool.notes.push(not_isolated(&why));
            }
        }
        pool
    }

    /// Starts the workers that so many checks will need, so that they are there when the checks
    /// are. One that does not start now is tried again then.
    pub fn prepare(&self, checks: usize) {
        let lanes = self.size.min(checks);
        while lock(&self.ready).len() < lanes {
            match Worker::start(&self.program, self.isolated) {
                Ok(worker) => lock(&self.ready).push(worker),
                Err(_) => return,
            }
        }
    }

    /// Whether programs are kept away from their judge.
    pub fn is_isolated(&self) -> bool {
        self.isolated
    }

    /// Carries out all requests, `tell` being called as each is done. The answers are in the
    /// order of the requests.
    pub fn run(&self, requests: &[Request], tell: impl Fn(usize, &Answer) + Sync) -> Vec<Answer> {
        let patient = requests.iter().filter(|request| is_patient(request)).count();
        let queue = Mutex::new(Queue::of(requests));
        let answers = Mutex::new(vec![None; requests.len()]);
        thread::scope(|scope| {
            // A run of many programs has hundreds of patient checks: there is an end to it.
            let workers = self.size + patient.min(self.size);
            for _ in 0..workers.min(requests.len()) {
                scope.spawn(|| {
                    let (mut worker, mut group) = (None, None);
                    let take = |group| lock(&queue).take(group);
                    while let Some((index, its)) = take(group) {
                        group = Some(its);
                        let request = &requests[index];
                        let answer = self.ask(&mut worker, request);
                        tell(index, &answer);
                        lock(&answers)[index] = Some(answer);
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let missing = || fault("no worker took this check".into());
        answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
    }

    /// Has a request of another kind carried out by a worker of its own; all of its answer.
    ///
    /// # Errors
    /// The worker can't be started, or does not answer.
    pub fn ask_alone(&self, request: &Json) -> io::Result<Json> {
        Worker::start(&self.program, self.isolated)?.exchange(request)
    }

    fn ask(&self, worker: &mut Option<Worker>, request: &Request) -> Answer {
        let mut ready = match worker.take().or_else(|| lock(&self.ready).pop()) {
            Some(ready) => ready,
            None => match Worker::start(&self.program, self.isolated) {
                Ok(ready) => ready,
                Err(error) => return fault(format!("cannot start a worker: {error}")),
            },
        };
        match ready.ask(request) {
            Ok((answer, goes_on)) => {
                *worker = Some(ready).filter(|_| goes_on);
                answer
            }
            // The worker is dropped, and ends.
            Err(error) => fault(format!("the worker failed: {error}")),
        }
    }
}

/// How many workers each of so many runs side by side has: four for each core where it is one, since
/// checks mostly wait for each other's processes, and eight where they are many, all together.
pub fn lanes_beside(runs: usize) -> usize {
    let cores = thread::available_parallelism().map_or(2, usize::from);
    (8 * cores / runs.max(1)).clamp(2, 4 * cores)
}

/// What the reader of a board has to know.
fn not_isolated(why: &str) -> String {
    format!(
        "NOT ISOLATED: {why}. Programs run in the system's own network, with the rights of the user \
         who judges them: fine for one's own work, not for grading (see the chapter for instructors)"
    )
}

fn fault(what: String) -> Answer {
    Answer { outcome: Outcome::Fault(what), elapsed: Duration::ZERO }
}

/// One worker process. Dropping it ends it: its standard input is its lifeline.
#[derive(Debug)]
struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    seal: Seal,
    lines: mpsc::Receiver<io::Result<String>>,
}

impl Worker {
    fn start(program: &Path, isolated: bool) -> io::Result<Self> {
        let mut command = isolation::command(program, isolated);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let Some(stdout) = child.stdout.take() else {
            return Err(io::Error::other("a worker without standard output"));
        };
        let mut worker = Self { child, stdin, seal: Seal::new(), lines: lines(stdout) };
        let secret = worker.seal.secret().to_owned();
        // A worker that has ended says more on its standard error than this error would.
        let _ = worker.write(&secret);
        match worker.line().map(|line| Json::parse(&line)) {
            Ok(Ok(line)) if worker.seal.open(&line).is_some() => Ok(worker),
            _ => {
                worker.stdin.take();
                let output = worker.finish();
                Err(io::Error::other(output.unwrap_or_else(|| "it said nothing".into())))
            }
        }
    }

    /// The last line of its standard error, once it has ended.
    fn finish(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut stderr = self.child.stderr.take()?;
        io::Read::read_to_string(&mut stderr, &mut text).ok()?;
        text.lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    fn line(&self) -> io::Result<String> {
        let backstop = BACKSTOP.mul_f64(patience::factor().max(1.0));
        match self.lines.recv_timeout(backstop) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::other(format!("no answer within {} s", backstop.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("it has ended")),
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        stdin.write_all(format!("{line}\n").as_bytes())?;
        stdin.flush()
    }

    fn exchange(&mut self, request: &Json) -> io::Result<Json> {
        if self.lines.try_recv().is_ok_and(|line| line.is_ok()) {
            return Err(io::Error::other("an answer came that nobody had asked for"));
        }
        let line = self.seal.ask(request.clone()).to_string();
        self.write(&line)?;
        let line = self.line()?;
        let answer = Json::parse(&line).map_err(|error| io::Error::other(error.to_string()))?;
        let forged = || io::Error::other("an answer came that the worker had not given");
        self.seal.open(&answer).cloned().ok_or_else(forged)
    }

    /// The answer, and whether the worker takes another request.
    fn ask(&mut self, request: &Request) -> io::Result<(Answer, bool)> {
        let answer = self.exchange(&request.to_json())?;
        let outcome = answer.get("outcome").ok_or_else(|| io::Error::other("no outcome"))?;
        let outcome = json::outcome_from_json(outcome).map_err(io::Error::other)?;
        let micros = answer.get("elapsed_us").and_then(Json::as_u64).unwrap_or_default();
        let goes_on = answer.get(LAST).is_none();
        Ok((Answer { outcome, elapsed: Duration::from_micros(micros) }, goes_on))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stdin.take();
        // It ends by itself, also in the middle of a check. A worker that does not is one of
        // ours that hangs: its namespace goes with it.
        let _ = self.child.wait();
    }
}

/// The lines of a worker's standard output, from a thread of their own.
fn lines(stdout: ChildStdout) -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
