//! Having programs checked: many of them at a time, by one pool of workers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sockets_lab::labs::{self, Check, Lab};
use sockets_lab::program::Template;
use sockets_lab::run::build;
use sockets_lab::run::pool::Pool;
use sockets_lab::run::protocol::Request;
use sockets_lab::verdict::Outcome;

use super::builds::Built;
use super::corpus::{self, Program};

/// A program to be checked.
pub(crate) struct Job<'a> {
    pub(crate) name: &'a str,
    pub(crate) lab: &'static Lab,
    pub(crate) built: &'a Built,
    pub(crate) checks: Vec<&'static Check>,
}

/// What came of a check.
pub(crate) struct Result {
    pub(crate) check: &'static Check,
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
}

/// What came of all checks of a job.
pub(crate) struct Run {
    /// Whether each check had a network of its own. Without one, programs that take ports that
    /// they were not given get in each other's way.
    pub(crate) isolated: bool,
    pub(crate) results: Vec<Result>,
}

/// Four for each core, as in `lab check`, of which each of two tests has its half: what a wrong program
/// leads to is mostly that somebody waits.
fn lanes() -> usize {
    4 * thread::available_parallelism().map_or(2, usize::from) / TESTS_AT_A_TIME
}

/// Has all jobs done, in its turn. The runs are in their order. With `LAB_SLOWEST` set it tells which
/// checks took longest.
pub(crate) fn run(jobs: &[Job<'_>]) -> Vec<Run> {
    let _turn = turn();
    let pool = pool(lanes());
    let requests: Vec<_> = jobs.iter().flat_map(requests).collect();
    let answers = pool.run(&requests, |_, _| ());
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    let mut answers = answers.into_iter();
    let mut finish = |job: &Job<'_>| {
        let mut result = |check: &&'static Check| {
            let answer = answers.next().expect("an answer to each request");
            slowest.push((answer.elapsed, format!("{} on {}", check.id(), job.name)));
            Result { check, id: check.id(), outcome: answer.outcome }
        };
        let results = job.checks.iter().map(&mut result).collect();
        Run { isolated: pool.notes.is_empty(), results }
    };
    let runs = jobs.iter().map(&mut finish).collect();
    slowest.sort();
    let told = if std::env::var_os("LAB_SLOWEST").is_some() { 10 } else { 0 };
    for (elapsed, what) in slowest.iter().rev().take(told) {
        println!("{} ms: {what}", elapsed.as_millis());
    }
    runs
}

/// Builds programs of the corpus and has them checked; where a language is missing, not.
pub(crate) fn of_corpus<'a>(
    lab: &'static Lab,
    programs: &'a [Program],
    checks: impl Fn(&Program) -> Vec<&'static Check>,
) -> Vec<(&'a Program, Run)> {
    let built = Built::corpus(lab, programs);
    let built = programs.iter().zip(&built);
    let built: Vec<_> = built.filter_map(|(it, built)| Some((it, built.as_ref()?))).collect();
    let jobs: Vec<_> = built
        .iter()
        .map(|(it, built)| Job { name: &it.name, lab, built, checks: checks(it) })
        .collect();
    built.iter().map(|(program, _)| *program).zip(run(&jobs)).collect()
}

/// One check of one program, by a worker that has done nothing before.
pub(crate) fn run_alone(job: &Job<'_>) -> Run {
    let pool = pool(1);
    let answers = pool.run(&requests(job), |_, _| ());
    let results = job.checks.iter().zip(answers);
    let result = |(check, answer): (&&'static Check, sockets_lab::run::pool::Answer)| Result {
        check,
        id: check.id(),
        outcome: answer.outcome,
    };
    Run { isolated: pool.notes.is_empty(), results: results.map(result).collect() }
}

fn pool(lanes: usize) -> Pool {
    Pool::of(Path::new(env!("CARGO_BIN_EXE_lab")), lanes)
}

/// What a worker is asked for: the job's program, and where it meets others the solutions.
fn requests(job: &Job<'_>) -> Vec<Request> {
    let program = |name: &&'static str| {
        if *name == job.lab.name {
            (job.lab.name.to_owned(), job.built.template.clone())
        } else {
            ((*name).to_owned(), template(name))
        }
    };
    let request = |check: &&'static Check| Request {
        check: check.id(),
        programs: check.step().programs.iter().map(program).collect(),
    };
    job.checks.iter().map(request).collect()
}

/// The solution of the lab of this name, built once by cargo.
pub(crate) fn template(name: &str) -> Template {
    static BUILT: LazyLock<Mutex<BTreeMap<String, Template>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let new = || {
        let lab = labs::lab(name).expect("a lab");
        match build::build(corpus::root(), lab).expect("cargo") {
            build::Built::Program(file) => Template::new(&file, lab.arguments, lab.name),
            build::Built::Broken(words) => panic!("{words}"),
        }
    };
    built.entry(name.to_owned()).or_insert_with(new).clone()
}

/// Tests that have programs checked: one would leave the cores idle at its end, when it waits for the last
/// of them.
const TESTS_AT_A_TIME: usize = 2;
static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(TESTS_AT_A_TIME), Condvar::new());

/// Waits for its turn to have programs run.
pub(crate) fn turn() -> Turn {
    let free = TURNS.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut free =
        TURNS.1.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
    *free -= 1;
    Turn
}

/// A test's turn, which ends with it.
pub(crate) struct Turn;

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        TURNS.1.notify_one();
    }
}

/// A skipped check is a matter of this system: it is told, and tolerated.
pub(crate) fn is_skipped(result: &Result) -> bool {
    if let Outcome::Skipped(why) = &result.outcome {
        println!("note: {} was skipped: {why}", result.id);
        return true;
    }
    false
}

/// Does the work on each item, several at a time. The results are in the items' order.
pub(crate) fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let lane = || {
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = items.get(index) else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..lanes() {
            scope.spawn(lane);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
