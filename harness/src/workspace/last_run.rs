//! What came of each check when it last ran: how far one is, without running anything again.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Error, cannot, write_whole};
use crate::lab::{Check, Lab};
use crate::labs;
use crate::run::session::Record;
use crate::verdict::{Blocked, Outcome};

/// The file, below the root: a line for each outcome, `server/half-close pass 1700000000`; the last
/// one of a check counts. Of no importance: without it, nothing is known until the next run.
const FILE: &str = ".lab/last-run";

/// From this length on, in bytes, it is written anew with a line for each check.
const LARGE: u64 = 128 * 1024;

/// What came of checks, and when.
#[derive(Clone, Debug, Default)]
pub struct LastRun {
    /// By the check's id: the outcome's word, and when it ran, in seconds of the Unix epoch.
    checks: BTreeMap<String, (String, u64)>,
}

/// How many checks passed, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// How many did.
    pub passed: usize,
    /// Of how many.
    pub of: usize,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.passed, self.of)
    }
}

impl LastRun {
    /// What is known below this root.
    pub fn read(root: &Path) -> Self {
        let text = fs::read_to_string(root.join(FILE)).unwrap_or_default();
        let line = |line: &str| {
            let mut words = line.split(' ');
            let (id, outcome, time) = (words.next()?, words.next()?, words.next()?);
            Some((id.to_owned(), (outcome.to_owned(), time.parse().ok()?)))
        };
        // What the course has no more is forgotten; the last line of a check counts.
        let known = text.lines().filter_map(line).filter(|(id, _)| labs::check(id).is_some());
        Self { checks: known.collect() }
    }

    /// Notes what came of these checks, of the labs' own programs. Returns all that is known. A lab
    /// that does not build says nothing about its checks: what was known of them stays.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn note(root: &Path, records: &[Record]) -> Result<Self, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let line =
            |record: &Record| format!("{} {} {now}\n", record.check.id(), record.outcome.word());
        let built =
            |record: &&Record| !matches!(record.outcome, Outcome::Blocked(Blocked::Build { .. }));
        let lines: String = records.iter().filter(built).map(line).collect();
        let path = root.join(FILE);
        if fs::metadata(&path).is_ok_and(|file| file.len() > LARGE) {
            write_whole(&path, Self::read(root).to_text().as_bytes())?;
        }
        // Added in one write: `cargo test` has many checks note their outcomes at the same time.
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(cannot("make the folder", folder))?;
        let file = File::options().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(cannot("write", &path))?;
        Ok(Self::read(root))
    }

    /// As in the file, each check once.
    fn to_text(&self) -> String {
        let line =
            |(id, (outcome, time)): (&String, &(String, u64))| format!("{id} {outcome} {time}\n");
        self.checks.iter().map(line).collect()
    }

    /// The word for what came of a check; `None` where it never ran.
    pub fn outcome(&self, check: &Check) -> Option<&str> {
        self.checks.get(&check.id()).map(|(outcome, _)| outcome.as_str())
    }

    /// How many of these checks passed; `None` where one of them never ran.
    pub fn passed<'a>(&self, checks: impl Iterator<Item = &'a Check>) -> Option<Passed> {
        let mut sum = Passed { passed: 0, of: 0 };
        for check in checks {
            sum.passed += usize::from(self.outcome(check)? == Outcome::Pass.word());
            sum.of += 1;
        }
        Some(sum)
    }

    /// Of the whole course; what never ran has not passed.
    pub fn course(&self) -> Passed {
        let passed =
            self.checks.values().filter(|(outcome, _)| *outcome == Outcome::Pass.word()).count();
        Passed { passed, of: labs::checks().count() }
    }

    /// Whether every check of this lab passed.
    pub fn is_complete(&self, lab: &Lab) -> bool {
        self.passed(lab.checks()).is_some_and(|sum| sum.passed == sum.of)
    }

    /// When the oldest of these checks' outcomes is from; `None` where none of them ever ran.
    pub fn since<'a>(&self, checks: impl Iterator<Item = &'a Check>) -> Option<SystemTime> {
        let times = checks.filter_map(|check| Some(self.checks.get(&check.id())?.1));
        Some(UNIX_EPOCH + Duration::from_secs(times.min()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, outcome: Outcome) -> Record {
        let check = labs::check(id).unwrap();
        Record { check, outcome, elapsed: Duration::ZERO, programs: Vec::new() }
    }

    #[test]
    fn what_ran_is_known_afterwards_and_what_runs_again_is_known_anew() {
        let root = tempfile::tempdir().unwrap();
        let known = || LastRun::read(root.path()).course().passed;
        assert_eq!(known(), 0);
        let records = [
            record("server/echoes", Outcome::Pass),
            record("server/half-close", Outcome::Skipped("no /proc".to_owned())),
        ];
        LastRun::note(root.path(), &records).unwrap();
        assert_eq!(known(), 1);
        LastRun::note(root.path(), &[record("server/half-close", Outcome::Pass)]).unwrap();
        assert_eq!(known(), 2);
        let broken = Blocked::Build { lab: "server".to_owned(), words: String::new() };
        LastRun::note(root.path(), &[record("server/echoes", Outcome::Blocked(broken))]).unwrap();
        assert_eq!(known(), 2, "nothing was judged");
        LastRun::note(root.path(), &[record("server/echoes", Outcome::Fault(String::new()))])
            .unwrap();
        assert_eq!(known(), 1);
        let server = labs::lab("server").unwrap();
        let all = LastRun::read(root.path());
        assert_eq!(all.passed(server.checks()), None, "most of them never ran");
        assert!(all.since(server.checks()).is_some_and(|since| since <= SystemTime::now()));
        assert!(!all.is_complete(server));
    }

    #[test]
    fn a_long_file_is_cut_to_a_line_for_each_check() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(FILE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = "server/echoes fail 1\nnot a line\nno/such-check pass 1\n";
        fs::write(&path, line.repeat(LARGE as usize / line.len() + 1)).unwrap();
        let all =
            LastRun::note(root.path(), &[record("server/half-close", Outcome::Pass)]).unwrap();
        assert_eq!(all.course().passed, 1);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("server/echoes fail 1\nserver/half-close pass "), "{text}");
        assert_eq!(text.lines().count(), 2);
    }
}
