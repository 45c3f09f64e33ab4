//! `lab grade PATH ... --out DIR`: grades a class.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::check::Progress;
use super::{CliError, print, select};
use crate::grade::{Class, Graded};
use crate::root;
use crate::sync::lock;

/// Submissions side by side, unless told otherwise: while one is compiled another one is checked.
const JOBS: usize = 2;

fn parse(words: &[&str]) -> Result<Class, CliError> {
    let mut class = Class { paths: Vec::new(), out: PathBuf::new(), labs: Vec::new(), jobs: JOBS };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |what: &str| {
            words.next().ok_or_else(|| CliError::Usage(format!("{word} needs {what} after it")))
        };
        match *word {
            "--out" => class.out = value("a folder")?.into(),
            "--jobs" => {
                let number = value("a number")?;
                let jobs = number.parse().ok().filter(|jobs| *jobs > 0);
                class.jobs = jobs.ok_or_else(|| {
                    CliError::Usage(format!("--jobs needs a number from 1 on, not `{number}`"))
                })?;
            }
            "--labs" => {
                for name in value("labs, as in server,client")?.split(',') {
                    class.labs.push(select::lab(name.trim())?);
                }
            }
            option if option.starts_with('-') => {
                return Err(CliError::Usage(format!("there is no option {option}")));
            }
            path => class.paths.push(path.into()),
        }
    }
    if class.paths.is_empty() {
        return Err(CliError::Usage(
            "grade needs submissions: `cargo lab grade SUBMISSIONS --out DIR`".into(),
        ));
    }
    if class.out.as_os_str().is_empty() {
        return Err(CliError::Usage("grade needs a folder for its results: --out DIR".into()));
    }
    Ok(class)
}

/// Grades, and says what came of it. Returns the exit status.
pub(super) fn run(words: &[&str]) -> Result<u8, CliError> {
    let class = parse(words)?;
    let progress = Progress::new();
    let began = Instant::now();
    let last = Mutex::new(());
    let Graded { submissions, known, faults, passed_over, text } =
        class.grade(&root::find_root()?, &|done, all| {
            let _one_after_another = lock(&last);
            progress
                .show(&format!("{done} of {all} submissions{}", left(began.elapsed(), done, all)));
        })?;
    progress.clear();
    let out = class.out.display();
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
    for (file, what) in [
        ("gradebook.csv", "the points"),
        ("feedback/", "a page for each student, as HTML and as Markdown"),
        ("class.html", "the class"),
        ("likeness.txt", "who has written alike: a hint to look, and no verdict"),
        ("records/", "all that is known of each"),
    ] {
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
