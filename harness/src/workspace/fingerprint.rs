//! Seeing from outside that a lab was edited.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::contents::{SOURCE, source_of};
use crate::labs::Lab;

/// What the files of labs look like: names, lengths and times. Two stamps are equal when nothing
/// was saved, renamed or deleted between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
    complete: bool,
}

impl Stamp {
    /// Of these labs as they are now. What is not there, or can't be looked at, is not in it.
    pub fn of(root: &Path, labs: &[&Lab]) -> Self {
        let mut files: Vec<_> = labs.iter().flat_map(|lab| look(root, lab)).collect();
        files.sort();
        let has = |source: PathBuf| files.iter().any(|(path, ..)| *path == source);
        let complete = labs.iter().all(|lab| has(source_of(root, lab)));
        Self { files, complete }
    }

    /// Whether something was saved after this moment.
    pub fn is_newer_than(&self, time: SystemTime) -> bool {
        // The moment is known to the second.
        let later = time + Duration::from_secs(1);
        self.files.iter().any(|(_, _, saved)| saved.is_some_and(|saved| saved > later))
    }

    /// Whether the source of each lab is there.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

/// What a lab's sources and its manifest look like.
fn look(root: &Path, lab: &Lab) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
    let folder = root.join(lab.folder);
    let sources = folder.join(SOURCE).parent().map(Path::to_owned).unwrap_or_default();
    let entries = fs::read_dir(sources).into_iter().flatten().flatten();
    let rust = entries.map(|entry| entry.path()).filter(|path| is_rust(path));
    let look = |path: PathBuf| {
        let seen = fs::metadata(&path).ok()?;
        Some((path, seen.len(), seen.modified().ok()))
    };
    rust.chain([folder.join("Cargo.toml")]).filter_map(look).collect()
}

/// An editor's own files beside a source are hidden, or have another ending.
fn is_rust(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|ending| ending == "rs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn a_stamp_changes_with_each_save_and_with_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let lab = labs::lab("server").unwrap();
        let source = source_of(root.path(), lab);
        let fingerprint = || Stamp::of(root.path(), &[lab]);
        let none = fingerprint();
        assert!(!none.is_complete());

        fs::create_dir_all(source.parent().unwrap()).unwrap();
        fs::write(&source, "one").unwrap();
        let one = fingerprint();
        assert!(one.is_complete());
        fs::write(source.with_file_name(".main.rs.swp"), "").unwrap();
        fs::write(source.with_file_name("main.rs~"), "").unwrap();
        assert_eq!(fingerprint(), one);

        fs::write(&source, "longer").unwrap();
        assert_ne!(fingerprint(), one);
        fs::rename(&source, source.with_file_name("old")).unwrap();
        assert_eq!(fingerprint(), none);
    }
}
