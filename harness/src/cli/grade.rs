//! `lab grade PATH ... --out DIR`: grades a class. `lab gradebook RECORD ... --out DIR`: makes one of
//! what was graded in parts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::format::Format;
use super::{CliError, print, scheme, select};
use crate::grade::{self, Class, Graded, One, Scheme, Worksheet, merge};
use crate::labs::{Check, Lab};
use crate::report::document::About;
use crate::report::gradescope;
use crate::root;
use crate::sync::lock;
use crate::term::Progress;

/// Submissions side by side for each processor, unless told otherwise: while some wait for time to pass,
/// others are compiled and checked.
const JOBS: usize = 2;

/// What both commands take: paths, where the results go, and what counts.
#[derive(Debug, Default)]
struct Options {
    paths: Vec<PathBuf>,
    out: Option<PathBuf>,
    scheme: Option<Scheme>,
    worksheet: Option<Worksheet>,
    labs: Vec<&'static Lab>,
    user: Option<String>,
    /// The result of one submission is printed, and nothing is kept.
    format: Option<Format>,
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
                "--user" => order.user = Some(value("an account")?.to_string()),
                "--format" => order.format = Some(Format::parse(value("a format")?)?),
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
                "--labs" => order.labs.extend(select::labs(value("labs, as in server,client")?)?),
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
        let labs = self.counting_labs()?;
        let scheme = self.scheme.unwrap_or_default();
        let jobs = self
            .jobs
            .unwrap_or_else(|| JOBS * thread::available_parallelism().map_or(1, usize::from));
        let part = self.part.unwrap_or((1, 1));
        let (worksheet, user) = (self.worksheet, self.user);
        Ok(Class { paths: self.paths, out, labs, scheme, worksheet, jobs, user, part })
    }

    /// The labs that count: the scheme's, or those that were named; none stands for all.
    fn counting_labs(&mut self) -> Result<Vec<&'static Lab>, CliError> {
        let shares = self.scheme.iter().flat_map(|scheme| &scheme.shares);
        let shared: Vec<_> = shares.map(|(lab, _)| *lab).collect();
        scheme::expect_one_list(&self.labs, !shared.is_empty())?;
        Ok(if shared.is_empty() { std::mem::take(&mut self.labs) } else { shared })
    }

    /// One submission's result, as `format` has it. Returns the exit status: that something failed
    /// is a result.
    fn print_one(mut self, format: &Format) -> Result<u8, CliError> {
        let [path] = self.paths.as_slice() else {
            let words = "--format prints the result of one submission: `cargo lab grade SUBMISSION --format json`";
            return Err(CliError::Usage(words.into()));
        };
        let path = path.to_owned();
        let is_for_many = self.out.is_some() || self.worksheet.is_some();
        if is_for_many || self.jobs.is_some() || self.part.is_some() {
            let words = "--format prints one result and writes no file: leave out --out, --worksheet, --jobs and --part";
            return Err(CliError::Usage(words.into()));
        }
        let labs = self.counting_labs()?;
        let scheme = self.scheme.unwrap_or_default();
        let is_weighed = !scheme.shares.is_empty() || !scheme.points.is_empty();
        if is_weighed && !matches!(format, Format::Gradescope) {
            let words = "only gradescope has other points than the course: leave out the scheme's";
            return Err(CliError::Usage(words.into()));
        }
        let user = self.user.as_deref();
        let One { records, isolated, notes, trouble } =
            grade::judge(&root::find_root()?, &path, &labs, &scheme, user)?;
        let about = About {
            submission: path.file_name().and_then(|name| name.to_str()),
            isolated,
            notes: &notes,
        };
        print(&if is_weighed {
            let checks: Vec<&Check> = records.iter().map(|record| record.check).collect();
            let worth = |check: &Check| scheme.worth(check, &checks);
            gradescope::render(&records, &notes, &worth).pretty()
        } else {
            format.render(&records, &about)
        })?;
        match trouble {
            Some(trouble) => Err(CliError::Trouble(trouble)),
            None => Ok(0),
        }
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
    let mut order = Options::parse(words)?;
    if let Some(format) = order.format.take() {
        return order.print_one(&format);
    }
    let class = order.class()?;
    let progress = Progress::on_stderr();
    let began = Instant::now();
    let last = Mutex::new(());
    let graded = class.grade(&root::find_root()?, &|done, all| {
        let _one_after_another = lock(&last);
        progress.tell(&format!("{done} of {all} submissions{}", left(began.elapsed(), done, all)));
    })?;
    drop(progress);
    let mut files = results(class.worksheet.as_ref());
    files.push(("likeness.txt", "who has written alike: a hint to look, and no verdict"));
    files.push(("records/", "all that is known of each"));
    tell(graded, &class.out, &files)
}

/// Makes a class of records. Returns the exit status.
pub(super) fn gradebook(words: &[&str]) -> Result<u8, CliError> {
    let mut order = Options::parse(words)?;
    let how = order.jobs.is_some() || order.user.is_some() || order.format.is_some();
    if how || order.part.is_some() || !order.labs.is_empty() {
        let words = "gradebook judges nothing: --jobs, --user, --format, --part and --labs go with \
                     `cargo lab grade`";
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
    let Graded { submissions, known, faults, passed_over, notes, text } = graded;
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
    for note in &notes {
        told.push_str(&format!("\nnote: {note}\n"));
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
