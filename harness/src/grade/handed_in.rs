//! What was handed in: workspaces, files, and folders of them, however a platform has packed them.
//!
//! Nothing is taken but sources of labs, and no link is followed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::labs::{LABS, Lab};
use crate::workspace::contents::File;
use crate::workspace::{Error, cannot};

/// Where a submission lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whose it is: the name of the folder or file. It is a file's name, too.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// What was found in the folders that were named.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    pub(super) passed_over: Vec<String>,
}

/// A submission's sources.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HandedIn {
    /// The number that Moodle knows the student by, where Moodle has packed it.
    pub(super) participant: Option<String>,
    /// By their places in the course: `labs/01-server/src/main.rs`.
    pub(super) sources: BTreeMap<String, Vec<u8>>,
    /// What was there besides, and is not used; what is as in the course is left out.
    pub(super) unused: Vec<String>,
}

/// A source that is longer is none.
const LONGEST: u64 = 1 << 20;
/// Folders below a submission that are looked into.
const DEPTH: usize = 8;
/// Never looked into.
const NOBODYS_WORK: &[&str] = &["target", "node_modules", "__MACOSX"];

/// The submissions at these paths: each is one, or a folder of them.
pub(super) fn find(paths: &[PathBuf]) -> Result<Found, Error> {
    let mut found = Found::default();
    for path in paths {
        let metadata = fs::metadata(path).map_err(cannot("look at", path))?;
        if metadata.is_file() || is_submission(path) {
            found.add(path);
            continue;
        }
        let entries = fs::read_dir(path).map_err(cannot("read the folder", path))?;
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || NOBODYS_WORK.contains(&name.as_str()) {
                continue;
            }
            if entry.is_symlink() || !(entry.is_dir() || is_source(&entry)) {
                let why = if packed(&name) {
                    ": unpack it first"
                } else {
                    " is no folder and no .rs file"
                };
                found.passed_over.push(format!("{}{why}", entry.display()));
                continue;
            }
            found.add(&entry);
        }
    }
    Ok(found)
}

/// The one submission at this path, whatever it looks like.
pub(super) fn one(path: &Path) -> Result<Place, Error> {
    fs::metadata(path).map_err(cannot("look at", path))?;
    let mut found = Found::default();
    found.add(path);
    found.places.pop().ok_or_else(|| Error::Refused("there is no submission".into()))
}

impl Found {
    fn add(&mut self, path: &Path) {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.places.iter().any(|place| place.path == path) {
            return;
        }
        let name = if is_source(&path) { path.file_stem() } else { path.file_name() };
        let plain = readable(&name.unwrap_or_default().to_string_lossy());
        let mut name = plain.clone();
        let mut number = 2;
        // File systems that know no upper and lower case would write one over the other.
        let is_taken = |places: &[Place], name: &str| {
            places.iter().any(|place| place.name.to_lowercase() == name.to_lowercase())
        };
        while is_taken(&self.places, &name) {
            name = format!("{plain}-{number}");
            number += 1;
        }
        self.places.push(Place { name, path });
    }
}

/// A name for people and for files: without what Moodle adds, and without what a file system or a
/// spreadsheet would take for something else.
fn readable(name: &str) -> String {
    let name = by_moodle(name).map_or(name, |(person, _)| person);
    let plain = |c: char| if c.is_alphanumeric() || " ._-,@".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim().trim_start_matches(['.', '-', '@']).to_owned();
    if name.is_empty() { "submission".into() } else { name }
}

/// Whose a folder or a file is that Moodle has packed, and the number that it knows the person by:
/// `Ann Example_123_assignsubmission_file`.
fn by_moodle(name: &str) -> Option<(&str, &str)> {
    let (whose, _) = name.split_once("_assignsubmission_file")?;
    whose.rsplit_once('_')
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "rs") && path.is_file() && !path.is_symlink()
}

fn packed(name: &str) -> bool {
    [".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"].iter().any(|end| name.ends_with(end))
}

/// Whether a folder is one submission, and not a folder of them.
fn is_submission(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_part = |entry: fs::DirEntry| {
        let name = entry.file_name();
        name == "labs" || LABS.iter().any(|lab| lab.fixtures() == name.to_string_lossy())
    };
    entries.into_iter().any(is_part)
}

/// Reads what was handed in. `course` is what a workspace has from the course.
pub(super) fn read(place: &Place, course: &[File]) -> io::Result<HandedIn> {
    let packed_as = place.path.file_name().unwrap_or_default().to_string_lossy();
    let participant = by_moodle(&packed_as).map(|(_, number)| number.to_owned());
    let mut handed_in = HandedIn { participant, ..HandedIn::default() };
    let mut top = place.path.as_path();
    let mut files = Vec::new();
    if top.is_file() {
        files.push(top.file_name().unwrap_or_default().to_string_lossy().into_owned());
        top = top.parent().unwrap_or(Path::new("/"));
    } else {
        walk(top, "", DEPTH, &mut handed_in, &mut files)?;
    }
    // The nearest to the top is meant where there are several.
    files.sort_by_key(|path| (path.matches('/').count(), path.clone()));
    let mut loose = Vec::new();
    for path in files {
        let bytes = match read_source(&top.join(&path)) {
            Ok(bytes) => bytes,
            Err(why) => {
                handed_in.unused.push(format!("{path}: {why}"));
                continue;
            }
        };
        match in_the_course(&path) {
            Some(known) if handed_in.sources.contains_key(&known) => {
                handed_in.unused.push(format!("{path}: a second copy"));
            }
            Some(known) => drop(handed_in.sources.insert(known, bytes)),
            None => loose.push((path, bytes)),
        }
    }
    let course: HashMap<&str, &[u8]> =
        course.iter().map(|file| (file.path.as_str(), &file.bytes[..])).collect();
    for (path, bytes) in loose {
        if is_as_in_the_course(&path, &bytes, &course) {
            continue;
        }
        let main = lab_of(&path, &bytes).map(|lab| format!("{}/src/main.rs", lab.folder));
        match main.filter(|main| !handed_in.sources.contains_key(main)) {
            Some(main) => drop(handed_in.sources.insert(main, bytes)),
            None => handed_in.unused.push(path),
        }
    }
    handed_in.unused.sort();
    Ok(handed_in)
}

fn walk(
    top: &Path,
    below: &str,
    depth: usize,
    handed_in: &mut HandedIn,
    files: &mut Vec<String>,
) -> io::Result<()> {
    for entry in fs::read_dir(top.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            handed_in.unused.push(format!("{path}: a link"));
        } else if kind.is_dir() {
            if depth > 0 && !name.starts_with('.') && !NOBODYS_WORK.contains(&name.as_str()) {
                walk(top, &format!("{path}/"), depth - 1, handed_in, files)?;
            }
        } else if kind.is_file() {
            files.push(path);
        } else {
            handed_in.unused.push(format!("{path}: no regular file"));
        }
    }
    Ok(())
}

fn read_source(path: &Path) -> Result<Vec<u8>, String> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > LONGEST => Err("longer than 1 MiB".into()),
        Ok(_) => fs::read(path).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// The place in the course of a source that stands in a lab's folder, wherever that is.
fn in_the_course(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    if !path.ends_with(".rs") || parts.contains(&"..") {
        return None;
    }
    LABS.iter().find_map(|lab| {
        let at = parts.windows(2).position(|two| two == [lab.fixtures(), "src"])?;
        Some(format!("{}/{}", lab.folder, parts[at + 1..].join("/")))
    })
}

/// Whether it is a file that every workspace has from the course. Hidden files and results of a run
/// are nobody's work.
fn is_as_in_the_course(path: &str, bytes: &[u8], course: &HashMap<&str, &[u8]>) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    // A workspace may lie in a folder of what was handed in.
    let below = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    let mut places = [path].into_iter().chain(below);
    name.starts_with('.')
        || name == "Cargo.lock"
        || places.any(|place| course.get(place).is_some_and(|given| *given == bytes))
}

/// The lab that a single file is of: its marks say so, or its name.
fn lab_of(path: &str, bytes: &[u8]) -> Option<&'static Lab> {
    let text = String::from_utf8_lossy(bytes);
    let has = |name: &str| {
        text.contains(&format!("ANCHOR: {name}\n")) || text.contains(&format!("ANCHOR: {name}\r"))
    };
    let by_marks = LABS.iter().find(|lab| lab.steps.iter().all(|step| has(step.name)));
    let stem = Path::new(path).file_stem()?.to_str()?.to_lowercase();
    let by_name = || LABS.iter().find(|lab| stem == lab.name || stem == lab.fixtures());
    by_marks.or_else(by_name).filter(|_| path.ends_with(".rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_persons_and_can_be_a_files() {
        assert_eq!(readable("Ann Example_123_assignsubmission_file"), "Ann Example");
        assert_eq!(readable("Ann Example_123_assignsubmission_file_main"), "Ann Example");
        assert_eq!(readable("lab-1-ann"), "lab-1-ann");
        assert_eq!(readable("=cmd|' /C calc'"), "_cmd__ _C calc_");
        assert_eq!(readable("../../x"), "_.._x");
        assert_eq!(readable("-"), "submission");
    }

    #[test]
    fn a_source_is_known_by_its_folder_by_its_marks_and_by_its_name() {
        let known = |path| in_the_course(path);
        let main = || Some("labs/01-server/src/main.rs".to_owned());
        assert_eq!(known("labs/01-server/src/main.rs"), main());
        assert_eq!(known("ann/my sockets/labs/01-server/src/main.rs"), main());
        assert_eq!(known("01-server/src/main.rs"), main());
        assert_eq!(known("labs/01-server/src/../../02-client/src/main.rs"), None);
        assert_eq!(known("labs/01-server/build.rs"), None);
        let marks = "// ANCHOR: connect\n// ANCHOR: send\n// ANCHOR: send_and_receive\n";
        assert_eq!(lab_of("solution.rs", marks.as_bytes()).map(|lab| lab.name), Some("client"));
        assert_eq!(lab_of("Server.rs", b"fn main() {}").map(|lab| lab.name), Some("server"));
        assert!(lab_of("solution.rs", b"fn main() {}").is_none());
    }
}
