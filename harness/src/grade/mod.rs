//! Grading a class: many submissions, each judged from its sources alone.
//!
//! What was handed in is looked for (`handed_in`); its sources are laid out in a fresh tree of the
//! course's own, and judged there by a process of its own (`desk`), each lab (`unit`) `once`. Each has a record
//! (`marks`), which is written when it is complete: a run that was stopped goes on where it was. The
//! `results`, which are the `gradebook`, the `feedback` and the page about the `class`, are made of the
//! records, here or on another machine (`merge`), by the instructor's `scheme`.

mod account;
pub mod autograder;
mod class;
mod desk;
mod feedback;
mod gradebook;
mod handed_in;
mod ladders;
mod likeness;
mod marks;
mod merge;
mod once;
mod one;
mod page;
mod results;
mod scheme;
mod unit;
mod worksheet;

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use crate::labs::Lab;
use crate::run::isolation;
use crate::run::pool::Pool;
use crate::sync::lock;
use crate::workspace::{self, Error, contents};

use account::Account;
use desk::Desk;
use handed_in::Place;
use likeness::Runs;
use marks::Marks;

pub use merge::merge;
pub use one::{One, judge};
pub use scheme::Scheme;
pub use unit::judge_here;
pub use worksheet::Worksheet;

/// What is to be graded, and how.
#[derive(Debug)]
pub struct Class {
    /// Submissions, and folders of submissions.
    pub paths: Vec<PathBuf>,
    /// Where the results go.
    pub out: PathBuf,
    /// The labs that count; all, where it is empty.
    pub labs: Vec<&'static Lab>,
    /// What counts, and how much.
    pub scheme: Scheme,
    /// Moodle's worksheet, to be filled in.
    pub worksheet: Option<Worksheet>,
    /// How many submissions are judged side by side.
    pub jobs: usize,
    /// The account that judges where the system refuses namespaces, one after the other.
    pub user: Option<String>,
    /// Every so many are judged, from this one on: `(2, 3)` is the second of three parts.
    pub part: (usize, usize),
}

/// What came of it.
#[derive(Debug)]
pub struct Graded {
    /// How many submissions there are.
    pub submissions: usize,
    /// How many had been judged before, and have not changed since.
    pub known: usize,
    /// Those that could not be judged, each with the reason.
    pub faults: Vec<(String, String)>,
    /// What was found beside the submissions and is none.
    pub passed_over: Vec<String>,
    /// What there is to say of the worksheet.
    pub notes: Vec<String>,
    /// The class in words, for the terminal.
    pub text: String,
}

impl Class {
    /// Judges all of them, and writes the results. `progress` is told how many are done.
    ///
    /// # Errors
    /// There is nothing to judge, or the results can't be written. A submission that can't be judged
    /// is no error: it is told in the result.
    pub fn grade(
        &self,
        course: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Graded, Error> {
        let files = contents::to_judge_with(course)?;
        let account = account_needed(self.user.as_deref())?;
        let account = account.as_ref();
        let mut found = handed_in::find(&self.paths)?;
        if found.places.is_empty() {
            return Err(Error::Refused(
                "there is no submission: name folders with labs/, folders of such folders, or .rs files"
                    .into(),
            ));
        }
        let (part, parts) = self.part;
        let mut number = 0..;
        found.places.retain(|_| number.next().is_some_and(|number| number % parts == part - 1));
        let records = self.out.join("records");
        fs::create_dir_all(&records).map_err(workspace::cannot("make the folder", &records))?;
        let mut desk = Desk::new(&self.out, &files, &self.labs, &self.scheme, account)?;
        // What is left of one submission must not meet the next.
        let jobs = if account.is_some() { 1 } else { self.jobs };
        desk.jobs = jobs.min(found.places.len());
        let waiting: Mutex<VecDeque<(usize, &Place)>> =
            Mutex::new(news_first(&desk, &found.places));
        let done: Mutex<Vec<(usize, Marked<'_>)>> = Mutex::default();
        progress(0, found.places.len());
        thread::scope(|scope| {
            for _ in 0..jobs.min(found.places.len()) {
                scope.spawn(|| {
                    let next = || lock(&waiting).pop_front();
                    while let Some((number, place)) = next() {
                        let marked = mark(&desk, place, number);
                        let mut done = lock(&done);
                        done.push((number, marked));
                        progress(done.len(), found.places.len());
                    }
                });
            }
        });
        drop(desk);
        let mut all = done.into_inner().unwrap_or_default();
        all.sort_by_key(|(number, _)| *number);
        let known = all.iter().filter(|(_, one)| one.known).count();
        let faults = all
            .iter()
            .filter_map(|(_, one)| Some((one.name.clone(), one.marks.as_ref().err()?.clone())));
        let mut faults: Vec<_> = faults.collect();
        let (mut marks, mut runs) = (Vec::new(), Vec::new());
        for (_, one) in all {
            runs.push((one.name, one.runs));
            marks.extend(one.marks);
        }
        let results::Written { text, notes } =
            results::write(&self.out, &marks, &faults, self.worksheet.as_ref())?;
        let alike = likeness::text(&likeness::pairs(&runs));
        workspace::write_whole(&self.out.join("likeness.txt"), alike.as_bytes())?;
        faults.extend(marks.iter().filter_map(|one| Some((one.name.clone(), one.trouble()?))));
        let (submissions, passed_over) = (found.places.len(), found.passed_over);
        Ok(Graded { submissions, known, faults, passed_over, notes, text })
    }
}

/// The places in an order in which nobody has to wait for what somebody else is just judging: those at
/// the end hold nothing that was not in one before.
fn news_first<'p>(desk: &Desk<'_>, places: &'p [Place]) -> VecDeque<(usize, &'p Place)> {
    let mut seen = BTreeSet::new();
    let (news, others): (Vec<_>, Vec<_>) = places.iter().enumerate().partition(|(_, place)| {
        let keys = handed_in::read(place, desk.files()).map(|handed_in| desk.keys(&handed_in));
        // One that can't be read is news, too.
        keys.map_or(true, |keys| keys.into_iter().filter(|key| seen.insert(*key)).count() > 0)
    });
    news.into_iter().chain(others).collect()
}

/// The account to judge with, where there are no namespaces: they are better.
fn account_needed(user: Option<&str>) -> Result<Option<Account>, Error> {
    let pool = Pool::open().map_err(cannot_start)?;
    match user {
        _ if pool.is_isolated() => Ok(None),
        Some(user) => Account::find(user).map(Some),
        None if isolation::is_forgone() => Ok(None),
        None => Err(Error::Refused(format!(
            "nothing is graded without isolation. {}. As root, `--user nobody` judges as an account \
             that has no rights; LAB_ISOLATION=off says that you want none",
            pool.notes.join("; ")
        ))),
    }
}

fn cannot_start(error: io::Error) -> Error {
    workspace::cannot("start", Path::new("a worker"))(error)
}

/// One submission, when it is done.
#[derive(Debug)]
struct Marked<'a> {
    name: String,
    known: bool,
    marks: Result<Marks<'a>, String>,
    /// What it is compared by.
    runs: Runs,
}

fn mark<'a>(desk: &Desk<'a>, place: &Place, number: usize) -> Marked<'a> {
    let name = place.name.clone();
    let handed_in = match handed_in::read(place, desk.files()) {
        Ok(handed_in) => handed_in,
        Err(error) => {
            let words = format!("{} can't be read: {error}", place.path.display());
            return Marked { name, known: false, marks: Err(words), runs: Runs::new() };
        }
    };
    let runs = likeness::runs(&handed_in, desk.files());
    if let Some(marks) = desk.known(&name, &handed_in) {
        return Marked { name, known: true, marks: Ok(marks), runs };
    }
    let marks = desk.judge(&name, number, &handed_in).map_err(|error: io::Error| error.to_string());
    Marked { name, known: false, marks, runs }
}
