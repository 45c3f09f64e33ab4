//! Where a submission is judged: a fresh tree with the course's own files and the submission's
//! sources.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::account::Account;
use super::handed_in::HandedIn;
use super::marks::Marks;
use super::once::{Found, Once};
use super::scheme::Scheme;
use super::unit::{Unit, Verdicts, units};
use crate::json::Json;
use crate::labs::Lab;
use crate::run::build;
use crate::run::isolation;
use crate::run::pool::lanes_beside;
use crate::workspace::contents::{self, File};
use crate::workspace::{Error, cannot, write_whole};

/// The member of a record that says what was judged.
pub(super) const HANDED_IN: &str = "handed_in";
/// Its member that says of each unit what its verdicts depend on.
const UNITS: &str = "units";
/// The folder of a tree where things are built, and others are laid down.
const WRITABLE: &str = "target";
/// The folder of what is played to programs, which is there once for all trees.
const FIXTURES: &str = "fixtures";
/// A manifest that makes the tree one of this course.
const MANIFEST: &str = "# Made to judge a submission.\n[workspace]\n";

#[derive(Debug)]
pub(super) struct Desk<'a> {
    out: PathBuf,
    trees: PathBuf,
    files: &'a [File],
    units: Vec<Unit>,
    scheme: &'a Scheme,
    /// As whom everything is judged, where there are no namespaces.
    account: Option<&'a Account>,
    /// The cargo to build with, so that nobody has to look for it again.
    cargo: Option<PathBuf>,
    /// How many submissions are judged side by side.
    pub(super) jobs: usize,
    /// Whether failures are recorded, for the feedback.
    pub(super) records_ladders: bool,
    /// Of all that decides besides the submission.
    course: u64,
    /// What was judged, by a number that nobody can aim at.
    known: Once<Verdicts>,
    secret: RandomState,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        out: &Path,
        files: &'a [File],
        labs: &[&'static Lab],
        scheme: &'a Scheme,
        account: Option<&'a Account>,
    ) -> Result<Self, Error> {
        let out = out.canonicalize().map_err(cannot("look at", out))?;
        let trees = out.join(".trees");
        // Of a run that was stopped.
        let _ = fs::remove_dir_all(&trees);
        fs::create_dir(&trees).map_err(cannot("make the folder", &trees))?;
        let played = files.iter().map(|file| (&file.path, &file.bytes));
        for (path, bytes) in played.chain(&scheme.conversations) {
            if path.split('/').next() == Some(FIXTURES) {
                write(&trees.join(path), bytes).map_err(cannot("write", &trees))?;
            }
        }
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        for file in files.iter().filter(|file| contents::decides(&file.path)) {
            (&file.path, &file.bytes).hash(&mut hasher);
        }
        // Weights do not decide what passes: with others nothing is judged again.
        scheme.conversations.hash(&mut hasher);
        // A harness that was built anew may judge in another way.
        let built = env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
        built.ok().hash(&mut hasher);
        // A record says whether there was isolation, and is not good for the other case.
        account.map(Account::name).hash(&mut hasher);
        Ok(Self {
            out,
            trees,
            files,
            units: units(labs),
            scheme,
            account,
            cargo: build::cargo().ok(),
            jobs: 1,
            records_ladders: true,
            course: hasher.finish(),
            known: Once::new(),
            secret: RandomState::new(),
        })
    }

    pub(super) fn files(&self) -> &[File] {
        self.files
    }

    fn record(&self, name: &str) -> PathBuf {
        self.out.join("records").join(format!("{name}.json"))
    }

    /// Says for each unit what its verdicts depend on, in a record.
    fn digests(&self, handed_in: &HandedIn) -> Vec<(String, Json)> {
        let digest = |unit: &Unit| {
            let mut hasher = DefaultHasher::new();
            self.course.hash(&mut hasher);
            unit.hash_sources(handed_in, self.files, &mut hasher);
            Json::from(format!("{:016x}", hasher.finish()).as_str())
        };
        self.units.iter().map(|unit| (unit.name.clone(), digest(unit))).collect()
    }

    /// The same among those that this run judges.
    pub(super) fn keys(&self, handed_in: &HandedIn) -> Vec<u64> {
        let key = |unit: &Unit| {
            let mut hasher = self.secret.build_hasher();
            unit.hash_sources(handed_in, self.files, &mut hasher);
            hasher.finish()
        };
        self.units.iter().map(key).collect()
    }

    /// The marks of a record that is still right. What was a fault is judged again, and where only some
    /// of it is right, only the rest.
    pub(super) fn known(&self, name: &str, handed_in: &HandedIn) -> Option<Marks<'a>> {
        let record = Json::parse(&fs::read_to_string(self.record(name)).ok()?).ok()?;
        let digests = record.get(HANDED_IN)?.get(UNITS)?;
        let verdicts = Verdicts::read(&record)?;
        let units = self.units.iter().zip(self.digests(handed_in)).zip(self.keys(handed_in));
        let mut right = 0;
        for ((unit, (unit_name, digest)), key) in units {
            let own = verdicts.of(unit);
            if digests.get(&unit_name) == Some(&digest) && own.is_complete(unit) {
                self.known.put(key, own);
                right += 1;
            }
        }
        // Other labs may have counted then, and other files have lain beside it.
        let is_it =
            right == self.units.len() && record.get(HANDED_IN) == Some(&self.told(handed_in));
        Marks::read(name, &record, self.scheme).filter(|_| is_it)
    }

    /// Judges a submission, and writes its record.
    pub(super) fn judge(
        &self,
        name: &str,
        number: usize,
        handed_in: &HandedIn,
    ) -> io::Result<Marks<'a>> {
        let verdicts = self.verdicts(number, handed_in)?;
        let record = verdicts.record(Some(name), vec![(HANDED_IN.into(), self.told(handed_in))]);
        let marks = Marks::read(name, &record, self.scheme)
            .ok_or_else(|| io::Error::other("its record makes no sense"))?;
        write_whole(&self.record(name), record.pretty().as_bytes())
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(marks)
    }

    /// What came of all units: of those that nobody has judged yet, judged here.
    fn verdicts(&self, number: usize, handed_in: &HandedIn) -> io::Result<Verdicts> {
        let keys = self.keys(handed_in);
        // What was a fault is nobody else's.
        let mut own: BTreeMap<u64, Arc<Verdicts>> = BTreeMap::new();
        loop {
            let missing: Vec<u64> =
                keys.iter().copied().filter(|key| !own.contains_key(key)).collect();
            let Found { values, mut to_make } = self.known.find(&missing);
            own.extend(values);
            let keyed = || keys.iter().zip(&self.units);
            let made: Vec<_> = keyed().filter(|(key, _)| to_make.keys().contains(key)).collect();
            if made.is_empty() {
                let all = keys.iter().filter_map(|key| own.get(key));
                return Ok(Verdicts::together(all.map(|verdicts| &**verdicts)));
            }
            let tree = self.trees.join(number.to_string());
            let judged = self.judge_in(
                &tree,
                handed_in,
                &made.iter().map(|(_, unit)| *unit).collect::<Vec<_>>(),
            );
            let _ = fs::remove_dir_all(&tree);
            let judged = judged?;
            for (key, unit) in made {
                let verdicts = judged.of(unit);
                if verdicts.is_complete(unit) {
                    to_make.done(*key, verdicts);
                } else {
                    own.insert(*key, Arc::new(verdicts));
                }
            }
        }
    }

    fn judge_in(&self, tree: &Path, handed_in: &HandedIn, units: &[&Unit]) -> io::Result<Verdicts> {
        write(&tree.join("Cargo.toml"), MANIFEST.as_bytes())?;
        let is_needed = |path: &str| units.iter().any(|unit| unit.is_source(path));
        for file in self.files.iter().filter(|file| is_needed(&file.path)) {
            write(&tree.join(&file.path), &file.bytes)?;
        }
        for (path, bytes) in handed_in.sources.iter().filter(|(path, _)| is_needed(path)) {
            write(&tree.join(path), bytes)?;
        }
        symlink(self.trees.join(FIXTURES), tree.join(FIXTURES))?;
        let mut command = self.command(tree)?;
        command.args(["judge", &lanes_beside(self.jobs).to_string()]);
        command.args(self.records_ladders.then_some("--ladders"));
        command.args(units.iter().map(|unit| &unit.name));
        // Nobody can write to a pipe by its name. The other one is a lifeline.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut judge = command.spawn()?;
        let lifeline = judge.stdin.take();
        let output = judge.wait_with_output()?;
        drop(lifeline);
        let record = Json::parse(&String::from_utf8_lossy(&output.stdout));
        self.end_all()?;
        let Some(mut verdicts) = record.ok().and_then(|record| Verdicts::read(&record)) else {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(format!("`lab judge` gave no record: {words}")));
        };
        if let Some(account) = self.account {
            verdicts.notes = vec![account.note()];
        }
        Ok(verdicts)
    }

    /// What a record says of what was handed in.
    fn told(&self, handed_in: &HandedIn) -> Json {
        let names = |all: &mut dyn Iterator<Item = &String>| {
            Json::Array(all.map(|name| name.as_str().into()).collect())
        };
        Json::object([
            (UNITS, Json::Object(self.digests(handed_in))),
            ("participant", handed_in.participant.as_deref().map_or(Json::Null, Json::from)),
            ("sources", names(&mut handed_in.sources.keys())),
            ("unused", names(&mut handed_in.unused.iter())),
        ])
    }

    /// Ends what a submission has left behind, where no namespace has done it.
    fn end_all(&self) -> io::Result<()> {
        self.account.map_or(Ok(()), Account::end_all)
    }

    /// This harness once more, where a submission is judged.
    fn command(&self, tree: &Path) -> io::Result<Command> {
        let harness = env::current_exe()?;
        let mut command = match self.account {
            Some(account) => account.command(&harness, &tree.join(WRITABLE))?,
            None => Command::new(harness),
        };
        command.current_dir(tree);
        if let Some(cargo) = &self.cargo {
            command.env("CARGO", cargo);
        }
        if self.account.is_none() && !isolation::is_forgone() {
            command.env("LAB_STRICT", "1");
        }
        Ok(command)
    }
}

/// Writes a file, and makes its folder.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, bytes)
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.trees);
    }
}
