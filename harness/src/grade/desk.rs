//! Where a submission is judged: a fresh tree with the course's own files and the submission's
//! sources.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::handed_in::HandedIn;
use super::ladders::{self, LADDERS};
use super::marks::Marks;
use super::scheme::Scheme;
use crate::json::Json;
use crate::labs::Lab;
use crate::run::isolation;
use crate::show::trace::Recording;
use crate::workspace::contents::{self, File};
use crate::workspace::{Error, cannot, write_whole};

/// The member of a record that says what was judged.
pub(super) const HANDED_IN: &str = "handed_in";
/// The folder of a tree where things are built, and others are laid down.
const WRITABLE: &str = "target";
/// A manifest that makes the tree one of this course.
const MANIFEST: &str = "# Made to judge a submission.\n[workspace]\n";

#[derive(Debug)]
pub(super) struct Desk<'a> {
    out: PathBuf,
    trees: PathBuf,
    files: &'a [File],
    labs: &'a [&'static Lab],
    scheme: &'a Scheme,
    /// As whom everything is judged, where there are no namespaces.
    account: Option<&'a Account>,
    /// Whether failures are recorded, for the feedback.
    pub(super) records_ladders: bool,
    /// Of all that decides besides the submission.
    course: u64,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        out: &Path,
        files: &'a [File],
        labs: &'a [&'static Lab],
        scheme: &'a Scheme,
        account: Option<&'a Account>,
    ) -> Result<Self, Error> {
        let out = out.canonicalize().map_err(cannot("look at", out))?;
        let trees = out.join(".trees");
        // Of a run that was stopped.
        let _ = fs::remove_dir_all(&trees);
        fs::create_dir(&trees).map_err(cannot("make the folder", &trees))?;
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        for file in files.iter().filter(|file| contents::decides(&file.path)) {
            (&file.path, &file.bytes).hash(&mut hasher);
        }
        for lab in labs {
            lab.name.hash(&mut hasher);
        }
        // Weights do not decide what passes: with others nothing is judged again.
        scheme.conversations.hash(&mut hasher);
        // A harness that was built anew may judge in another way.
        let built = env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
        built.ok().hash(&mut hasher);
        // A record says whether there was isolation, and is not good for the other case.
        account.map(Account::name).hash(&mut hasher);
        let course = hasher.finish();
        Ok(Self { out, trees, files, labs, scheme, account, records_ladders: true, course })
    }

    pub(super) fn files(&self) -> &[File] {
        self.files
    }

    fn record(&self, name: &str) -> PathBuf {
        self.out.join("records").join(format!("{name}.json"))
    }

    /// Says whether a record is of this submission and this course.
    fn digest(&self, handed_in: &HandedIn) -> String {
        let mut hasher = DefaultHasher::new();
        (self.course, &handed_in.sources).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The marks of a record that is still right. What was a fault is judged again.
    pub(super) fn known(&self, name: &str, handed_in: &HandedIn) -> Option<Marks<'a>> {
        let record = Json::parse(&fs::read_to_string(self.record(name)).ok()?).ok()?;
        let digest = record.get(HANDED_IN)?.get("digest")?.as_str()?;
        let is_it = digest == self.digest(handed_in);
        let faults = record.get("faults").and_then(Json::as_u64);
        Marks::read(name, &record, self.scheme).filter(|_| is_it && faults == Some(0))
    }

    /// Judges a submission, and writes its record.
    pub(super) fn judge(
        &self,
        name: &str,
        number: usize,
        handed_in: &HandedIn,
    ) -> io::Result<Marks<'a>> {
        let tree = self.trees.join(number.to_string());
        let judged = self.judge_in(&tree, name, handed_in);
        let _ = fs::remove_dir_all(&tree);
        let (marks, record) = judged?;
        write_whole(&self.record(name), record.pretty().as_bytes())
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(marks)
    }

    /// The marks, and the record that they are read from.
    fn judge_in(
        &self,
        tree: &Path,
        name: &str,
        handed_in: &HandedIn,
    ) -> io::Result<(Marks<'a>, Json)> {
        let write = |path: &str, bytes: &[u8]| {
            let file = tree.join(path);
            fs::create_dir_all(file.parent().unwrap_or(tree))?;
            fs::write(file, bytes)
        };
        write("Cargo.toml", MANIFEST.as_bytes())?;
        for file in self.files.iter().filter(|file| contents::decides(&file.path)) {
            write(&file.path, &file.bytes)?;
        }
        for (path, bytes) in handed_in.sources.iter().chain(&self.scheme.conversations) {
            write(path, bytes)?;
        }
        let mut command = self.command(tree)?;
        command.arg("check").args(self.labs.iter().map(|lab| lab.name));
        // Nobody can write to a pipe by its name.
        command.args(["--submission", name, "--json"]);
        let output = command.output()?;
        let record = Json::parse(&String::from_utf8_lossy(&output.stdout));
        self.end_all()?;
        let Ok(Json::Object(mut members)) = record else {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(format!("`lab check` gave no record: {words}")));
        };
        if let Some(account) = self.account {
            members.retain(|(name, _)| name != "notes");
            members.push(("notes".into(), Json::Array(vec![account.note().as_str().into()])));
        }
        let names = |all: &mut dyn Iterator<Item = &String>| {
            Json::Array(all.map(|name| name.as_str().into()).collect())
        };
        let told = Json::object([
            ("digest", self.digest(handed_in).as_str().into()),
            ("participant", handed_in.participant.as_deref().map_or(Json::Null, Json::from)),
            ("sources", names(&mut handed_in.sources.keys())),
            ("unused", names(&mut handed_in.unused.iter())),
        ]);
        members.push((HANDED_IN.into(), told));
        let mut record = Json::Object(members);
        let mut marks = Marks::read(name, &record, self.scheme)
            .ok_or_else(|| io::Error::other("its record makes no sense"))?;
        if self.records_ladders {
            let folder = tree.join(WRITABLE);
            marks.ladders = ladders::record(&marks, &folder, &|| self.command(tree));
            self.end_all()?;
        }
        let recorded = marks.ladders.iter().map(Recording::to_json).collect();
        if let Json::Object(members) = &mut record {
            members.push((LADDERS.into(), Json::Array(recorded)));
        }
        Ok((marks, record))
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
        command.current_dir(tree).stdin(Stdio::null());
        if self.account.is_none() && !isolation::is_forgone() {
            command.env("LAB_STRICT", "1");
        }
        Ok(command)
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.trees);
    }
}
