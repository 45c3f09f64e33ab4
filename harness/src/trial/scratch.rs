//! A folder for one trial: what a program is given to serve, to read or to write into.
//!
//! In stories and failures it is called by its name, `ROOT/a.txt`: where it really lies is nobody's
//! business.

use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use super::folder::{Folder, empty};
use super::{Stop, Trial, Verdict};
use crate::program::cell::is_enclosing;
use crate::words::count;

/// A folder of a trial.
#[derive(Clone, Debug)]
pub struct Scratch {
    trial: Trial,
    folder: Rc<Folder>,
}

/// What stands in a folder, all the way down: see [`Scratch::list`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Below the folder, with `/` behind a folder, `|` behind a FIFO, and `@` behind a link.
    name: String,
    length: u64,
    /// What a file holds, as a number: equal where the bytes are.
    contents: u64,
}

impl Listing {
    /// The names, in order: `a.txt`, `folder/`, `folder/.hidden`, `fifo|`, `link@`.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// What has such a name.
    fn of(&self, counts: fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|entry| counts(&entry.name)).cloned().collect())
    }

    /// The length of the longest file, in bytes.
    pub fn longest(&self) -> u64 {
        self.0.iter().map(|entry| entry.length).max().unwrap_or_default()
    }

    /// What is there and was not, is not there and was, or is not what it was.
    fn changes_since(&self, before: &Self) -> Vec<String> {
        let find =
            |listing: &Self, name: &str| listing.0.iter().find(|entry| entry.name == name).cloned();
        let mut changes = Vec::new();
        for entry in &self.0 {
            match find(before, &entry.name) {
                None => changes.push(format!("{} is new ({} bytes)", entry.name, entry.length)),
                Some(old) if old != *entry => changes.push(format!("{} has changed", entry.name)),
                Some(_) => {}
            }
        }
        let gone = before.0.iter().filter(|old| find(self, &old.name).is_none());
        changes.extend(gone.map(|old| format!("{} is gone", old.name)));
        changes
    }
}

impl Trial {
    /// A new folder, which the reader knows as `name`: `ROOT`.
    pub fn scratch(&self, name: &str) -> Verdict<Scratch> {
        self.scratch_on(Folder::new(name)?)
    }

    /// A new folder with room for so many bytes, where this process can make a disk of its own: where
    /// programs are isolated. Elsewhere nothing.
    pub fn small_disk(&self, name: &str, size: usize) -> Verdict<Option<Scratch>> {
        if !is_enclosing() {
            return Ok(None);
        }
        let disk = self.scratch_on(Folder::disk(name, size as u64)?)?;
        self.note(format!("{name} is on a disk with room for {}", count(size)));
        Ok(Some(disk))
    }

    fn scratch_on(&self, folder: Folder) -> Verdict<Scratch> {
        let folder = Rc::new(folder);
        self.keep(Rc::clone(&folder));
        Ok(Scratch { trial: self.clone(), folder })
    }
}

impl Scratch {
    /// Where it lies: for the program's arguments.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the reader calls something in it: `ROOT/a.txt`.
    pub fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.name())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; folders on the way to it are made.
    pub fn file(&self, name: &str, bytes: &[u8]) -> Verdict {
        if let Some(parent) = self.at(name).parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(self.at(name), bytes)?;
        self.trial.note(format!("{} was written: {}", self.shown(name), count(bytes.len())));
        Ok(())
    }

    /// Writes more bytes behind those that a file has.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Verdict {
        fs::OpenOptions::new().append(true).open(self.at(name))?.write_all(bytes)?;
        self.trial.note(format!("{} has grown by {}", self.shown(name), count(bytes.len())));
        Ok(())
    }

    /// Makes a file of so many bytes, all zero, that takes no room on the disk.
    pub fn hole(&self, name: &str, length: u64) -> Verdict {
        self.sparse(name, length)?;
        self.trial.note(format!("{} was made: {}", self.shown(name), count(length as usize)));
        Ok(())
    }

    /// The same, and the story does not tell of it.
    pub fn sparse(&self, name: &str, length: u64) -> Verdict {
        Ok(fs::File::create(self.at(name))?.set_len(length)?)
    }

    /// Makes a folder in it.
    pub fn folder(&self, name: &str) -> Verdict {
        fs::create_dir_all(self.at(name))?;
        self.trial.note(format!("{}/ was made", self.shown(name)));
        Ok(())
    }

    /// Makes a link to `target`, as it stands.
    pub fn link(&self, name: &str, target: &str) -> Verdict {
        symlink(target, self.at(name))?;
        self.trial.note(format!("{} was made, a link to {target}", self.shown(name)));
        Ok(())
    }

    /// Makes a FIFO: who opens it waits until somebody opens its other end.
    pub fn fifo(&self, name: &str) -> Verdict {
        let made = Command::new("mkfifo").arg(self.at(name)).output()?;
        if !made.status.success() {
            let words = String::from_utf8_lossy(&made.stderr).trim().to_owned();
            return Err(Stop::Fault(format!("mkfifo: {words}")));
        }
        self.trial.note(format!("{} was made, a FIFO", self.shown(name)));
        Ok(())
    }

    /// Sets the permissions of something in it: `0o000` forbids everything.
    pub fn permit(&self, name: &str, mode: u32) -> Verdict {
        fs::set_permissions(self.at(name), Permissions::from_mode(mode))?;
        self.trial.note(format!("{} got the permissions {mode:03o}", self.shown(name)));
        Ok(())
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> Verdict {
        fs::remove_file(self.at(name))?;
        self.trial.note(format!("{} was removed", self.shown(name)));
        Ok(())
    }

    /// Removes all that stands in it. The folder itself stays: a program that is running has it.
    pub fn clear(&self) -> Verdict {
        empty(self.folder.path())?;
        self.trial.note(format!("{} was emptied", self.folder.name()));
        Ok(())
    }

    /// The bytes of a file; `None` where there is no such file.
    pub fn read(&self, name: &str) -> Verdict<Option<Vec<u8>>> {
        match fs::symlink_metadata(self.at(name)) {
            // A FIFO would be waited for.
            Ok(metadata) if metadata.is_file() => Ok(Some(fs::read(self.at(name))?)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All that stands in it now, hidden files too.
    pub fn list(&self) -> Verdict<Listing> {
        let mut entries = Vec::new();
        list_into(&mut entries, self.folder.path(), "")?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Listing(entries))
    }

    /// Expects that a file is there and holds exactly these bytes.
    pub fn expect_file(&self, name: &str, bytes: &[u8], cause: &str) -> Verdict {
        let seen = self.read(name)?;
        let shown = self.shown(name);
        if seen.as_deref() == Some(bytes) {
            self.trial.note(format!("{shown} holds what it should: {}", count(bytes.len())));
            return Ok(());
        }
        let failure = match &seen {
            Some(seen) => self
                .trial
                .fail(format!("{shown} does not hold what it should"))
                .seen(count(seen.len()))
                .difference(bytes, seen),
            None => self.trial.fail(format!("{shown} is not there")).seen(format!(
                "in {}: {}",
                self.folder.name(),
                told(&self.list()?.names())
            )),
        };
        Err(failure.expected(format!("{shown}, {}", count(bytes.len()))).cause(cause).stop())
    }

    /// Expects that exactly these names stand in it, as [`Listing::names`] has them.
    pub fn expect_names(&self, names: &[&str], cause: &str) -> Verdict {
        let listing = self.list()?;
        let name = self.folder.name();
        let expected = format!("in {name}: {}", told(names));
        if listing.names() == names {
            self.trial.note(expected);
            return Ok(());
        }
        Err(self
            .trial
            .fail(format!("{name} does not hold what it should"))
            .expected(expected)
            .seen(format!("in {name}: {}", told(&listing.names())))
            .cause(cause)
            .stop())
    }

    /// Expects that nothing in it has changed since `before`: no name, and no byte of any file.
    pub fn expect_same_listing(&self, before: &Listing, cause: &str) -> Verdict {
        self.expect_same_of(|_| true, before, cause)
    }

    /// The same for what has such a name, as [`Listing::names`] has it: the rest is the program's.
    pub fn expect_same_of(
        &self,
        counts: fn(&str) -> bool,
        before: &Listing,
        cause: &str,
    ) -> Verdict {
        let before = before.of(counts);
        let changes = self.list()?.of(counts).changes_since(&before);
        if changes.is_empty() {
            self.trial.note(format!("{} is as it was", self.folder.name()));
            return Ok(());
        }
        let name = self.folder.name();
        let mut failure = self.trial.fail(format!("{name} is not as it was"));
        for change in changes {
            failure = failure.seen(format!("{name}/{change}"));
        }
        Err(failure.expected(format!("in {name}: {}", told(&before.names()))).cause(cause).stop())
    }
}

fn told(names: &[&str]) -> String {
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

fn list_into(entries: &mut Vec<Entry>, folder: &Path, below: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{below}{name}");
        // What a program removes meanwhile is not there.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let kind = metadata.file_type();
        let mark = match () {
            () if kind.is_dir() => "/",
            () if kind.is_fifo() => "|",
            () if kind.is_symlink() => "@",
            () => "",
        };
        let bytes = if kind.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let (length, contents) = (bytes.len() as u64, hasher.finish());
        entries.push(Entry { name: format!("{name}{mark}"), length, contents });
        if kind.is_dir() {
            list_into(entries, &path, &format!("{name}/"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Addresses, Needs};

    fn scratch() -> (Trial, Scratch) {
        let trial = Trial::new(Vec::new(), Addresses::shared(), Needs::UpTo(1));
        let scratch = trial.scratch("ROOT").unwrap();
        (trial, scratch)
    }

    fn failure(verdict: Verdict) -> crate::verdict::Failure {
        match verdict {
            Err(Stop::Fail(failure)) => *failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_in_a_folder_is_listed_hidden_files_too() {
        let (_trial, root) = scratch();
        root.file("b/.hidden", b"x").unwrap();
        root.file("a.txt", b"hello").unwrap();
        root.fifo("fifo").unwrap();
        root.link("out", "/etc/passwd").unwrap();
        let names = ["a.txt", "b/", "b/.hidden", "fifo|", "out@"];
        assert_eq!(root.list().unwrap().names(), names);
        assert_eq!(root.read("a.txt").unwrap().unwrap(), b"hello");
        assert_eq!(root.read("fifo").unwrap(), None, "and nobody waits for it");
        root.clear().unwrap();
        assert_eq!(root.list().unwrap(), Listing::default());
    }

    #[test]
    fn a_file_that_changed_is_told_from_one_that_is_new() {
        let (_trial, root) = scratch();
        root.file("a.txt", b"hello").unwrap();
        root.file("b.txt", b"there").unwrap();
        let before = root.list().unwrap();
        root.expect_same_listing(&before, "").unwrap();
        fs::write(root.path().join("a.txt"), b"hullo").unwrap();
        fs::remove_file(root.path().join("b.txt")).unwrap();
        root.file(".upload-1", b"").unwrap();
        let seen = failure(root.expect_same_listing(&before, "a part of an upload stays")).seen;
        let told =
            ["ROOT/.upload-1 is new (0 bytes)", "ROOT/a.txt has changed", "ROOT/b.txt is gone"];
        assert_eq!(seen, told);
    }

    #[test]
    fn a_file_with_other_bytes_is_shown_at_the_first_difference() {
        let (_trial, root) = scratch();
        root.file("a.txt", b"hello").unwrap();
        root.expect_file("a.txt", b"hello", "").unwrap();
        assert_eq!(failure(root.expect_file("a.txt", b"help", "")).difference.unwrap().offset, 3);
        let missing = failure(root.expect_file("c.txt", b"", ""));
        assert_eq!(missing.seen, ["in ROOT: a.txt"]);
    }

    #[test]
    fn the_folder_is_gone_when_its_trial_is_also_where_something_in_it_is_forbidden() {
        let (trial, root) = scratch();
        root.file("locked/a.txt", b"").unwrap();
        root.permit("locked", 0o000).unwrap();
        let path = root.path().to_owned();
        drop(root);
        assert!(path.is_dir(), "the trial keeps it until its programs have ended");
        drop(trial);
        assert!(!path.exists());
    }

    #[test]
    fn nobody_reads_where_the_folder_lies() {
        let (trial, root) = scratch();
        trial.note(format!("started: web {}", root.path().display()));
        assert_eq!(failure(Err(trial.fail("it").stop())).steps, ["started: web ROOT"]);
    }
}
