//! What of the course belongs into a workspace.
//!
//! It fails closed: what no rule knows stays out, and a test of the course asks for a rule for
//! each of its files. The list comes from the folders themselves, so that a course that was
//! unpacked from an archive, without git, is as good as a clone.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Error, cannot, given, manifest, marks, read_if_there};
use crate::labs::{LABS, Lab, parts};
use crate::region;

/// What becomes of a file of the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It goes in as it is.
    Copy,
    /// A lab's source: it goes in with stubs in the places of the solutions.
    Stubs,
    /// The manifest: it goes in without what only the course's own tests need.
    Manifest,
    /// It goes in below the workspace's own root: this folder is its beginning.
    Overlay,
    /// It stays with the course.
    Leave,
}

/// Folders (they end in `/`) and files. The longest that fits a path decides.
const RULES: &[(&str, Rule)] = &[
    (".cargo/", Rule::Copy),
    (".devcontainer/", Rule::Copy),
    (manifest::FILE, Rule::Manifest),
    ("LICENSE", Rule::Copy),
    ("LICENSE-APACHE", Rule::Copy),
    ("LICENSE-MIT", Rule::Copy),
    ("book/", Rule::Copy),
    ("clippy.toml", Rule::Copy),
    ("fixtures/tables/", Rule::Copy),
    ("harness/", Rule::Copy),
    ("rustfmt.toml", Rule::Copy),
    ("tests/", Rule::Copy),
    // A README, a .gitignore and a CI file for students.
    (OVERLAY, Rule::Overlay),
    // Close to solutions, or of no use without them.
    (".ci/", Rule::Leave),
    (".gitignore", Rule::Leave),
    // It locks what only the course's own tests need; cargo writes another in a moment.
    ("Cargo.lock", Rule::Leave),
    ("README.md", Rule::Leave),
    ("fixtures/README.md", Rule::Leave),
    ("fixtures/attacks/", Rule::Leave),
    ("harness/bench/", Rule::Leave),
    ("tests/course/", Rule::Leave),
    ("tests/proptest-regressions/", Rule::Leave),
];

/// The kinds of fixtures that each part of the course has: `fixtures/01-server/stubs/`.
const KINDS: &[(&str, Rule)] = &[
    ("conversations", Rule::Copy),
    // The book shows them: what the harness says of mistakes, without the mistakes.
    ("golden", Rule::Copy),
    ("stubs", Rule::Copy),
    // What real clients and public lists ask of the solution.
    ("cases", Rule::Leave),
    ("clients", Rule::Leave),
    ("mistakes", Rule::Leave),
    ("right", Rule::Leave),
    ("users", Rule::Leave),
    ("zones", Rule::Leave),
];

/// Only the course has this folder: a workspace can't be made of a workspace.
const OVERLAY: &str = "fixtures/workspace/";
/// What belongs to a lab besides its source: nothing else is taken from a lab's folder.
const LAB_FILES: &[&str] = &["Cargo.toml", "HINTS.md", "README.md"];
/// A lab's source in its folder.
pub const SOURCE: &str = "src/main.rs";

/// The rule for a file of the course: its path from the root, with `/`. `None`: nobody knows it.
pub fn rule(path: &str) -> Option<Rule> {
    if path.starts_with("labs/") {
        let (lab, file) = lab_file(path)?;
        return match file {
            SOURCE => Some(Rule::Stubs),
            _ => (LAB_FILES.contains(&file) || is_given(lab, file)).then_some(Rule::Copy),
        };
    }
    if let Some(kind) = kind_of_fixture(path) {
        return KINDS.iter().find(|(name, _)| *name == kind).map(|(_, rule)| *rule);
    }
    let fits = |name: &str| if name.ends_with('/') { path.starts_with(name) } else { path == name };
    let best = RULES.iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len());
    best.map(|(_, rule)| *rule)
}

/// `stubs` in `fixtures/01-server/stubs/serve.rs`: the folders of fixtures that belong to a lab, or
/// to what is not a lab, are named as the labs' folders are.
fn kind_of_fixture(path: &str) -> Option<&str> {
    let (part, rest) = path.strip_prefix("fixtures/")?.split_once('/')?;
    let known = parts().any(|lab| lab.fixtures() == part);
    rest.split_once('/').filter(|_| known).map(|(kind, _)| kind)
}

/// The lab that a path is of, and the rest of the path.
fn lab_file(path: &str) -> Option<(&'static Lab, &str)> {
    LABS.iter().find_map(|lab| Some((lab, path.strip_prefix(lab.folder)?.strip_prefix('/')?)))
}

/// Whether it is a module that the lab's program has besides what the student writes.
fn is_given(lab: &Lab, file: &str) -> bool {
    let module = file.strip_prefix("src/").and_then(|file| file.strip_suffix(".rs"));
    module.is_some_and(|module| lab.given.contains(&module))
}

/// The lab that has this path for its source.
pub fn lab_of_source(path: &str) -> Option<&'static Lab> {
    lab_file(path).filter(|(_, file)| *file == SOURCE).map(|(lab, _)| lab)
}

/// A file as a workspace gets it.
#[derive(Clone, Debug)]
pub struct File {
    /// From the workspace's root, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether it can be run: a script.
    pub executable: bool,
}

/// All files of a workspace, as this course makes them, in the order of their paths.
pub fn of(course: &Path) -> Result<Vec<File>, Error> {
    if !course.join(OVERLAY).is_dir() {
        return Err(Error::Refused(format!(
            "{} is not the course but a workspace: say this in the course's own folder",
            course.display()
        )));
    }
    let mut files = Vec::new();
    for path in paths(course)? {
        let Some(rule) = rule(&path).filter(|rule| *rule != Rule::Leave) else { continue };
        let from = course.join(&path);
        let bytes = fs::read(&from).map_err(cannot("read", &from))?;
        let bytes = match rule {
            Rule::Stubs => with_stubs(course, &path, &bytes)?,
            Rule::Manifest => manifest::of_workspace(&bytes)?,
            _ => bytes,
        };
        let place = if rule == Rule::Overlay { path.trim_start_matches(OVERLAY) } else { &path };
        files.push(File { path: place.to_owned(), bytes, executable: is_executable(&from)? });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// What submissions are judged with: of the course, what a workspace gets; of a workspace, what it was
/// given, with the stubs in their places again.
///
/// # Errors
/// Something in a workspace that decides over a verdict is not as it was given.
pub fn to_judge_with(root: &Path) -> Result<Vec<File>, Error> {
    let Some(given) = given::read(root)? else { return of(root) };
    let mut files = Vec::new();
    for (path, print) in given {
        let from = root.join(&path);
        let bytes = match read_if_there(&from)? {
            Some(bytes) if lab_of_source(&path).is_some() => Some(with_stubs(root, &path, &bytes)?),
            other => other,
        };
        let found = bytes.as_ref().map(|bytes| given::fingerprint(&path, bytes));
        match (found.transpose().map_err(marks(&from))?, bytes) {
            (Some(found), Some(bytes)) if found == print => {
                files.push(File { path, bytes, executable: is_executable(&from)? });
            }
            _ if decides(&path) => {
                return Err(Error::Refused(format!(
                    "{} is not as it was given: judge from a workspace that `lab start` has just made, \
                     or from the course",
                    from.display()
                )));
            }
            _ => {}
        }
    }
    Ok(files)
}

/// Whether a verdict depends on this file of a workspace: on the labs with their stubs, and on what is
/// played to them.
pub fn decides(path: &str) -> bool {
    path.starts_with("labs/") || path.starts_with("fixtures/")
}

/// A lab's source with nothing written. Every region must be a step, and every step a region.
fn with_stubs(course: &Path, path: &str, source: &[u8]) -> Result<Vec<u8>, Error> {
    let Some(lab) = lab_of_source(path) else {
        return Err(Error::Refused(format!("{path} is the source of no lab")));
    };
    let names: Vec<_> = lab.steps.iter().map(|step| step.name).collect();
    region::parse_exactly(source, &names).map_err(marks(&course.join(path)))?;
    let stubs = super::steps::stubs(course, lab)?;
    let stub = |name: &str| stubs.iter().find(|(step, _)| *step == name).map(|(_, stub)| &**stub);
    region::fill(source, stub).map_err(marks(&course.join(path)))
}

/// The paths of all files of the course, from its root, with `/`. What is hidden or is nobody's
/// work (`target`, the built book, an editor's copies) is not looked at.
pub fn paths(course: &Path) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let here = course.join(&folder);
        for entry in fs::read_dir(&here).map_err(cannot("read the folder", &here))? {
            let entry = entry.map_err(cannot("read the folder", &here))?;
            let Some(path) = entry.file_name().to_str().map(|name| format!("{folder}{name}"))
            else {
                continue;
            };
            if is_junk(&path) {
                continue;
            }
            let kind = entry.file_type().map_err(cannot("look at", &entry.path()))?;
            if kind.is_dir() {
                folders.push(path + "/");
            } else if kind.is_file() {
                found.push(path);
            } else if rule(&path).is_some_and(|rule| rule != Rule::Leave) {
                return Err(Error::Refused(format!(
                    "{} is neither a file nor a folder: put the file itself there",
                    entry.path().display()
                )));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What nobody wrote for the course. Hidden files are junk, but for those that have a rule.
fn is_junk(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = name.starts_with('.')
        && !path.starts_with(OVERLAY)
        && rule(path).or_else(|| rule(&format!("{path}/"))).is_none_or(|_| path.contains('/'));
    let copy = [".bak", ".orig", ".rej", ".swp", "~"].iter().any(|end| name.ends_with(end));
    hidden || copy || name.starts_with('#') || name == "target" || path == "book/book"
}

#[cfg(unix)]
fn is_executable(path: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path).map_err(cannot("look at", path))?.permissions();
    Ok(permissions.mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> Result<bool, Error> {
    Ok(false)
}

/// Where a lab's source is.
pub fn source_of(root: &Path, lab: &Lab) -> PathBuf {
    root.join(lab.folder).join(SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_decides() {
        assert_eq!(rule("tests/server.rs"), Some(Rule::Copy));
        assert_eq!(rule("tests/course/main.rs"), Some(Rule::Leave));
        assert_eq!(rule("fixtures/workspace/README.md"), Some(Rule::Overlay));
    }

    #[test]
    fn what_nobody_knows_has_no_rule() {
        for path in ["notes.txt", "fixtures/new/file", "Cargo.toml.old", "solutions/server.rs"] {
            assert_eq!(rule(path), None, "{path}");
        }
    }

    #[test]
    fn of_a_lab_only_what_every_lab_has_is_known() {
        assert_eq!(rule("labs/01-server/src/main.rs"), Some(Rule::Stubs));
        assert_eq!(rule("labs/01-server/Cargo.toml"), Some(Rule::Copy));
        assert_eq!(rule("labs/01-server/src/solution.rs"), None);
        assert_eq!(rule("labs/04-web/src/places.rs"), Some(Rule::Copy));
        assert_eq!(rule("labs/99-unknown/src/main.rs"), None);
    }

    #[test]
    fn junk_is_what_nobody_wrote_for_the_course() {
        for path in [".git", "target", "labs/target", "book/book", "tests/.x.swp", "tests/a.rs~"] {
            assert!(is_junk(path), "{path}");
        }
        for path in [".cargo", ".ci", ".gitignore", "fixtures/workspace/.gitignore", "book/src"] {
            assert!(!is_junk(path), "{path}");
        }
    }
}
