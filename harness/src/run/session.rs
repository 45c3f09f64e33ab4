//! One run of the harness: builds what is asked for, has every check carried out, and returns
//! the records.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::json::Json;
use crate::labs::{self, Check};
use crate::program::Template;
use crate::root;
use crate::run::build::{self, Built, How};
use crate::run::isolation;
use crate::run::pool::{Pool, lanes_beside};
use crate::run::protocol::{Request, SYSCALLS, TRACE};
use crate::show::demo::{self, Demo, Shown};
use crate::show::trace::Recording;
use crate::verdict::{Blocked, Outcome};

/// The record of one check that was asked for.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which check.
    pub check: &'static Check,
    /// What came of it.
    pub outcome: Outcome,
    /// Wall time that the check took.
    pub elapsed: Duration,
    /// The command lines that were checked instead of labs' own programs, as the user typed
    /// them, each with the lab's name.
    pub programs: Vec<(&'static str, String)>,
}

impl Record {
    /// The points that this record earns, of its check's points: none for what was not judged.
    pub fn score(&self) -> u32 {
        match self.outcome {
            Outcome::Pass => self.check.points,
            _ => 0,
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Judgement {
    /// One for each check, in the order in which they were asked for.
    pub records: Vec<Record>,
    /// Whether the programs were kept away from their judge.
    pub isolated: bool,
    /// What holds of all of them, such as that there was no isolation.
    pub notes: Vec<String>,
}

/// `LAB_STRICT=1`: for grading. What was not judged does not count as well, and nothing is judged
/// without isolation unless `LAB_ISOLATION=off` asks for that.
pub fn is_strict() -> bool {
    std::env::var("LAB_STRICT").is_ok_and(|value| !matches!(value.as_str(), "" | "0"))
}

/// Builds what is needed, has every check carried out, and returns the records in order.
/// `given` are programs to check instead of labs' own, by the lab's name; `progress` is told
/// what is being done.
///
/// # Errors
/// The harness's own trouble: no course here, no cargo, no worker.
pub fn judge(
    checks: &[&'static Check],
    given: &[(&'static str, Template)],
    progress: &(dyn Fn(&str) + Sync),
) -> io::Result<Judgement> {
    let session = Session::open(checks, given, How::Again, lanes_beside(1), progress)?;
    let records = session.judge(checks, progress);
    Ok(Judgement { records, isolated: session.is_isolated(), notes: session.pool.notes })
}

/// The programs that checks run, and the workers that carry them out.
#[derive(Debug)]
pub struct Session<'a> {
    given: &'a [(&'static str, Template)],
    programs: BTreeMap<&'static str, Result<Template, String>>,
    pool: Pool,
}

impl<'a> Session<'a> {
    /// Builds in this way what these checks need, but for what is `given`, and starts so many workers.
    ///
    /// # Errors
    /// As [`judge`].
    pub fn open(
        checks: &[&'static Check],
        given: &'a [(&'static str, Template)],
        how: How,
        lanes: usize,
        progress: &(dyn Fn(&str) + Sync),
    ) -> io::Result<Self> {
        // Workers take some milliseconds to start, and the compiler leaves a processor free for that.
        let (programs, pool) = thread::scope(|scope| {
            let pool = scope.spawn(|| {
                let pool = Pool::of(&std::env::current_exe()?, lanes);
                pool.prepare(checks.len());
                Ok::<_, io::Error>(pool)
            });
            let programs = programs(checks, given, how, progress);
            let none = |_| Err(io::Error::other("no worker was started"));
            (programs, pool.join().unwrap_or_else(none))
        });
        let (programs, pool) = (programs?, pool?);
        if is_strict() && !pool.is_isolated() && !isolation::is_forgone() {
            return Err(io::Error::other(format!(
                "LAB_STRICT=1 does not grade without isolation. {}. LAB_ISOLATION=off says that you \
                 want that",
                pool.notes.join("; ")
            )));
        }
        Ok(Self { given, programs, pool })
    }

    /// Whether the programs are kept away from their judge.
    pub fn is_isolated(&self) -> bool {
        self.pool.is_isolated()
    }

    /// What holds of all that is judged.
    pub fn notes(&self) -> &[String] {
        &self.pool.notes
    }

    /// Has every check carried out, and returns the records in order.
    pub fn judge(
        &self,
        checks: &[&'static Check],
        progress: &(dyn Fn(&str) + Sync),
    ) -> Vec<Record> {
        let requests: Vec<_> = checks.iter().map(|check| request(check, &self.programs)).collect();
        let possible: Vec<Request> = requests.iter().flatten().cloned().collect();
        let done = AtomicUsize::new(0);
        let answers = self.pool.run(&possible, |_, _| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(&format!("checked {done} of {}", possible.len()));
        });
        let mut answers = answers.into_iter();
        let record = |(check, request): (&&'static Check, Result<Request, Blocked>)| {
            let (outcome, elapsed) = match request {
                Err(blocked) => (Outcome::Blocked(blocked), Default::default()),
                Ok(_) => match answers.next() {
                    Some(answer) => (answer.outcome, answer.elapsed),
                    None => (Outcome::Fault("it was not carried out".into()), Default::default()),
                },
            };
            let used = self.given.iter().filter(|(lab, _)| check.step().programs.contains(lab));
            let used = used.map(|(lab, template)| (*lab, template.shown().to_owned()));
            Record { check, outcome, elapsed, programs: used.collect() }
        };
        checks.iter().zip(requests).map(record).collect()
    }

    /// Has a check recorded by a worker of its own, with the programs that are built already.
    ///
    /// # Errors
    /// The harness's own trouble, and a program that does not build.
    pub fn trace(&self, check: &Check) -> io::Result<Recording> {
        let request = request(check, &self.programs)
            .map_err(|_| io::Error::other("a program that it needs does not build"))?;
        trace(&self.pool, &request, false)
    }
}

/// The programs of the labs that these checks run: given ones, or what the labs were built to.
fn programs(
    checks: &[&'static Check],
    given: &[(&'static str, Template)],
    how: How,
    progress: &(dyn Fn(&str) + Sync),
) -> io::Result<BTreeMap<&'static str, Result<Template, String>>> {
    let needed = checks.iter().flat_map(|check| check.step().programs).copied();
    let is_own = |lab: &&str| given.iter().all(|(name, _)| name != lab);
    let own: Vec<&str> = needed.filter(is_own).collect::<BTreeSet<_>>().into_iter().collect();
    if !own.is_empty() {
        progress(&format!("building {}", own.join(", ")));
    }
    // Side by side: each is a package of its own, and most of a build is one thread.
    let built = thread::scope(|scope| {
        let builds: Vec<_> = own.iter().map(|lab| scope.spawn(|| built_as(how, lab))).collect();
        let ended = builds.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|result| result.unwrap_or_else(|_| Err(io::Error::other("a build was given up"))))
            .collect::<io::Result<Vec<_>>>()
    })?;
    let mut programs: BTreeMap<_, _> = own.into_iter().zip(built).collect();
    for (lab, template) in given {
        programs.insert(lab, Ok(template.clone()));
    }
    Ok(programs)
}

/// What a worker is asked for; or what the check waits for, where a program does not build.
fn request(
    check: &Check,
    programs: &BTreeMap<&str, Result<Template, String>>,
) -> Result<Request, Blocked> {
    let mut needed = Vec::new();
    for lab in check.step().programs {
        match programs.get(lab) {
            Some(Ok(template)) => needed.push(((*lab).to_owned(), template.clone())),
            Some(Err(words)) => {
                let (lab, words) = ((*lab).to_owned(), words.clone());
                return Err(Blocked::Build { lab, words });
            }
            None => {}
        }
    }
    Ok(Request { check: check.id(), programs: needed })
}

/// The own program of the lab of this name, or rustc's words.
pub(crate) fn built(lab: &str) -> io::Result<Result<Template, String>> {
    built_as(How::Again, lab)
}

fn built_as(how: How, lab: &str) -> io::Result<Result<Template, String>> {
    let lab = labs::lab(lab).ok_or_else(|| io::Error::other(format!("there is no lab {lab}")))?;
    let root = root::find_root()?;
    Ok(match build::build_as(how, &root, lab)? {
        Built::Program(file) => Ok(Template::new(&file, lab.arguments, lab.name)),
        Built::Broken(words) => Err(words),
    })
}

/// Has the check or the scene that the request names recorded by a worker of its own.
///
/// # Errors
/// The harness's own trouble. A check that fails is a recording all the same, with a note.
pub fn trace(pool: &Pool, request: &Request, syscalls: bool) -> io::Result<Recording> {
    let mut order = request.to_json();
    if let Json::Object(members) = &mut order {
        members.push((TRACE.into(), Json::object([(SYSCALLS, syscalls.into())])));
    }
    let answer = pool.ask_alone(&order)?;
    if let Some(why) = answer.get("fault").and_then(Json::as_str) {
        return Err(io::Error::other(why.to_owned()));
    }
    Recording::from_json(&answer).ok_or_else(|| io::Error::other("the worker made no sense"))
}

/// Has a misconception demonstrated by a worker of its own.
///
/// # Errors
/// The harness's own trouble; that the demonstration failed is part of the result.
pub fn show(demo: &Demo, pool: &Pool) -> io::Result<Shown> {
    let answer = pool.ask_alone(&Json::object([(demo::REQUEST, demo.name.into())]))?;
    Shown::from_json(&answer).ok_or_else(|| io::Error::other("the worker made no sense"))
}
