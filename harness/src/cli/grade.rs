//! `lab grade PATH ... --out DIR`: grades a class. `lab gradebook RECORD ... --out DIR`: makes one of
//! what was graded in parts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::check::Progress;
use super::{CliError, print, scheme, select};
use crate::grade::{Class, Graded, Scheme, Worksheet, merge};
use crate::labs::Lab;
use crate::root;
use crate::sync::lock;

/// Submissions side by side, unless told otherwise: while one is compiled another one is checked.
const JOBS: usize = 2;

/// What both commands take: paths, where the results go, and what counts.
#[derive(Debug, Default)]
struct Options {
    paths: Vec<PathBuf>,
    out: Option<PathBuf>,
    scheme: Option<Scheme>,
    worksheet: Option<Worksheet>,
    labs: Vec<&'static Lab>,
    jobs: Option<usize>,
    part: Option<(usize, usize)>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self, CliError> {
        let mut order = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = |what: &str| {
                words.next().ok_or_else(|| CliError::Usage(format!("{word} needs {what} after it")))
            };
            match *word {
                "--out" => order.out = Some(value("a folder")?.into()),
                "--scheme" => order.scheme = Some(scheme::read(Path::new(value("a file")?))?),
                "--worksheet" => {
                    order.worksheet = Some(Worksheet::read(Path::new(value("a file")?))?);
                }
                "--jobs" => {
                    let number = value("a number")?;
                    let jobs = number.parse().ok().filter(|jobs| *jobs > 0);
                    order.jobs = Some(jobs.ok_or_else(|| {
                        CliError::Usage(format!("--jobs needs a number from 1 on, not `{number}`"))
                    })?);
                }
                "--part" => {
                    let text = value("a part, as in 2/3")?;
                    let part = text.split_once('/');
                    let part = part.and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
                    let part = part.filter(|(k, n)| (1..=*n).contains(k));
                    order.part = Some(part.ok_or_else(|| {
                        CliError::Usage(format!(
                            "--part needs one of so many, as 2/3, not `{text}`"
                        ))
                    })?);
                }
                "--labs" => {
                    for name in value("labs, as in server,client")?.split(',') {
                        order.labs.push(select::lab(name.trim())?);
                    }
                }
                option if option.starts_with('-') => {
                    return Err(CliError::Usage(format!("there is no option {option}")));
                }
                path => order.paths.push(path.into()),
            }
        }
        Ok(order)
    }

    fn out(&mut self) -> Result<PathBuf, CliError> {
        self.out.take().ok_or_else(|| {
            CliError::Usage("say where the results shall go, in a folder: --out DIR".into())
        })
    }

    fn class(mut self) -> Result<Class, CliError> {
        if self.paths.is_empty() {
            return Err(CliError::Usage(
                "grade needs submissions: `cargo lab grade SUBMISSIONS --out DIR`".into(),
            ));
        }
        let out = self.out()?;
        let scheme = self.scheme.unwrap_or_default();
        let shared: Vec<_> = scheme.shares.iter().map(|(lab, _)| *lab).collect();
        let labs = match (self.labs.is_empty(), shared.is_empty()) {
            (true, _) => shared,
            (false, true) => self.labs,
            (false, false) => {
                let words = "the scheme says which labs count: leave out --labs";
                return Err(CliError::Usage(words.into()));
            }
        };
        let (jobs, part) = (self.jobs.unwrap_or(JOBS), self.part.unwrap_or((1, 1)));
        let worksheet = self.worksheet;
        Ok(Class { paths: self.paths, out, labs, scheme, worksheet, jobs, part })
    }
}

/// What stands in the folder of results.
const RESULTS: &[(&str, &str)] = &[
    ("gradebook.csv", "the points"),
    ("feedback/", "a page for each student, as HTML and as Markdown"),
    ("class.html", "the class"),
];

/// There, too, where one was given.
const WORKSHEET: (&str, &str) = ("worksheet.csv", "Moodle's worksheet with the grades: upload it");

/// What stands there in any case, and the worksheet.
fn results(worksheet: Option<&Worksheet>) -> Vec<(&'static str, &'static str)> {
    RESULTS.iter().copied().chain(worksheet.map(|_| WORKSHEET)).collect()
}

/// Grades, and says what came of it. Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let class = Options::parse(words)?.class()?;
    let progress = Progress::new();
    let began = Instant::now();
    let last = Mutex::new(());
    let graded = class.grade(&root::find_root()?, &|done, all| {
        let _one_after_another = lock(&last);
        progress.show(&format!("{done} of {all} submissions{}", left(began.elapsed(), done, all)));
    })?;
    progress.clear();
    let mut files = results(class.worksheet.as_ref());
    files.push(("likeness.txt", "who has written alike: a hint to look, and no verdict"));
    files.push(("records/", "all that is known of each"));
    tell(graded, &class.out, &files)
}

/// Makes a class of records. Returns the exit status.
pub(super) fn gradebook(words: &[&str]) -> Result<u8, CliError> {
    let mut order = Options::parse(words)?;
    if order.jobs.is_some() || order.part.is_some() || !order.labs.is_empty() {
        let words = "gradebook judges nothing: --jobs, --part and --labs go with `cargo lab grade`";
        return Err(CliError::Usage(words.into()));
    }
    if order.paths.is_empty() {
        return Err(CliError::Usage(
            "gradebook needs records: `cargo lab gradebook RECORDS --out DIR`".into(),
        ));
    }
    let out = order.out()?;
    let scheme = order.scheme.unwrap_or_default();
    let worksheet = order.worksheet.as_ref();
    tell(merge(&order.paths, &out, &scheme, worksheet)?, &out, &results(worksheet))
}

fn tell(graded: Graded, out: &Path, files: &[(&str, &str)]) -> Result<u8, CliError> {
    let Graded { submissions, known, faults, passed_over, text } = graded;
    let out = out.display();
    let mut told = text;
    if known > 0 {
        told.push_str(&format!(
            "\n{known} of {submissions} had been judged before, and have not changed since\n"
        ));
    }
    for one in &passed_over {
        told.push_str(&format!("\npassed over: {one}\n"));
    }
    told.push('\n');
    for (file, what) in files {
        told.push_str(&format!("{out}/{file:<15} {what}\n"));
    }
    print(&told)?;
    Ok(if faults.is_empty() { 0 } else { 3 })
}

/// How long the others may take, once there is something to go by.
fn left(elapsed: Duration, done: usize, all: usize) -> String {
    let Some(seconds) = elapsed.as_secs().checked_div(done as u64) else { return String::new() };
    let left = seconds * (all - done) as u64;
    match left {
        0..60 => format!(", {left} s left or so"),
        _ => format!(", {} min left or so", left.div_ceil(60)),
    }
}
