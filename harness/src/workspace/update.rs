//! Bringing a workspace up to a newer course: everything that was given becomes the newer, and
//! what the student wrote stays, byte for byte.
//!
//! What the student changed of what was given, and the course has not changed since, stays as
//! well. Where both changed the same file there is a conflict, which only the student can decide:
//! until then nothing at all is changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::contents::{self, File};
use super::given::{self, Handout, fingerprint};
use super::steps::{Stubs, with_line_ends_of};
use super::{Error, backup, cannot, make, read_if_there, write_whole};
use crate::labs::Lab;
use crate::region::{self, RegionError};

/// What to do where the student and the course changed the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is changed: the conflicts are only shown.
    Show,
    /// The student's files stay as they are.
    Keep,
    /// The course's files take their places; of a lab's source, the student's steps stay.
    Take,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is newer.
    Changed,
    /// The course has it no more.
    Removed,
    /// The student changed it: it stays, for this reason.
    Kept(&'static str),
    /// The student and the course changed it: what is in the way.
    Conflict(String),
}

/// What an update did; with conflicts that nobody decided, what it would have done.
#[derive(Debug)]
pub struct Summary {
    /// The files that are not what they were, or could not be made newer; by path.
    pub changes: Vec<(String, Change)>,
    /// Where everything that was changed is saved as it was; `None` when nothing
    /// that was there was changed.
    pub saved: Option<PathBuf>,
}

impl Summary {
    /// The conflicts.
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.changes.iter().filter_map(|(path, change)| match change {
            Change::Conflict(why) => Some((path.as_str(), why.as_str())),
            _ => None,
        })
    }
}

/// Brings a workspace up to this course.
pub fn update(course: &Path, workspace: &Path, choice: OnConflict) -> Result<Summary, Error> {
    let Some(given) = given::read(workspace)? else {
        return Err(Error::Refused(format!(
            "{} is not a workspace: `cargo lab start DIR` in the course makes one",
            workspace.display()
        )));
    };
    let files = contents::of(course)?;
    let plan = plan(&files, &given, workspace)?;
    let changes: Vec<_> = plan.iter().map(|p| (p.path.clone(), p.change.clone())).collect();
    let mut summary = Summary { changes, saved: None };
    if choice == OnConflict::Show && summary.conflicts().next().is_some() {
        return Ok(summary);
    }
    let doing: Vec<_> = plan.iter().filter(|planned| planned.is_done(choice)).collect();
    let old = doing.iter().filter(|planned| planned.change != Change::Added);
    let old: Vec<_> = old.map(|planned| planned.path.as_str()).collect();
    if !old.is_empty() {
        summary.saved = Some(backup::save(workspace, &old)?);
    }
    for planned in doing {
        match &planned.new {
            Some(file) => make::write(workspace, file)?,
            None => {
                let path = workspace.join(&planned.path);
                fs::remove_file(&path).map_err(cannot("remove", &path))?;
            }
        }
    }
    // Last of all: an update that was cut short can be done again.
    let given = given::of(&files).map_err(super::marks(course))?;
    write_whole(&workspace.join(given::FILE), &given::render(&given))?;
    Ok(summary)
}

/// What is to become of one file.
struct Planned {
    path: String,
    change: Change,
    /// What is to be written in its place; `None` to remove it.
    new: Option<File>,
}

impl Planned {
    fn is_done(&self, choice: OnConflict) -> bool {
        match self.change {
            Change::Added | Change::Changed | Change::Removed => true,
            Change::Kept(_) => false,
            Change::Conflict(_) => choice == OnConflict::Take,
        }
    }
}

/// What is to become of each file that is not already as it should be.
fn plan(files: &[File], given: &Handout, workspace: &Path) -> Result<Vec<Planned>, Error> {
    let new = |path: &str| files.binary_search_by(|file| (*file.path).cmp(path)).ok();
    let paths: BTreeSet<_> =
        files.iter().map(|file| &file.path).chain(given.keys()).map(String::as_str).collect();
    let mut plan = Vec::new();
    for path in paths {
        let mine = read_if_there(&workspace.join(path))?;
        let new = new(path).map(|index| &files[index]);
        let planned = match (contents::lab_of_source(path), mine, new) {
            (Some(lab), Some(mine), Some(new)) => {
                source(lab, &mine, new, given.get(path), &old_stubs(workspace, lab))
            }
            (_, mine, new) => plain(path, mine.as_deref(), new, given.get(path)),
        };
        let planned = planned.map_err(super::marks(Path::new(path)))?;
        plan.extend(planned.map(|(change, new)| Planned { path: path.to_owned(), change, new }));
    }
    Ok(plan)
}

/// What becomes of a file, and what is written; `None` where it is as it should be.
type Decision = Result<Option<(Change, Option<File>)>, RegionError>;

/// Of a file that is the course's as a whole.
fn plain(path: &str, mine: Option<&[u8]>, new: Option<&File>, base: Option<&u64>) -> Decision {
    let print = |bytes: &[u8]| fingerprint(path, bytes);
    Ok(match (mine, new) {
        (None, None) => None,
        (None, Some(new)) => Some((Change::Added, Some(new.clone()))),
        // Also where it can't be read as what it was: then it is not as it was given.
        (Some(mine), None) if print(mine).ok().as_ref() == base => Some((Change::Removed, None)),
        (Some(_), None) => Some((Change::Kept("yours; the course has it no more"), None)),
        (Some(mine), Some(new)) => {
            let (mine, theirs) = (print(mine)?, print(&new.bytes)?);
            if mine == theirs {
                None
            } else if base == Some(&mine) {
                Some((Change::Changed, Some(new.clone())))
            } else if base == Some(&theirs) {
                Some((Change::Kept("you changed it, the course did not"), None))
            } else {
                let why = "you changed it, and so did the course".to_owned();
                Some((Change::Conflict(why), Some(new.clone())))
            }
        }
    })
}

/// Of a lab's source: the student's are the steps, the course's is what stands around them.
fn source(lab: &Lab, mine: &[u8], new: &File, base: Option<&u64>, old_stubs: &Stubs) -> Decision {
    let theirs = fingerprint(&new.path, &new.bytes)?;
    let steps = match Steps::of(mine, old_stubs) {
        Ok(steps) => steps,
        Err(_) if base == Some(&theirs) => return Ok(None),
        Err(error) => {
            return Ok(Some((Change::Conflict(error.to_string()), Some(new.clone()))));
        }
    };
    let frame = fingerprint(&new.path, mine)?;
    let merged = |frame: &[u8]| {
        let bytes = steps.fill(frame, &new.bytes)?;
        Ok(Some(File { bytes, ..new.clone() }))
    };
    if frame == theirs || base == Some(&theirs) {
        // Only a stub can be out of date.
        let renewed = merged(mine)?;
        let same = renewed.as_ref().is_some_and(|file| file.bytes == mine);
        return Ok((!same).then_some((Change::Changed, renewed)));
    }
    let merged = merged(&with_line_ends_of(mine, &new.bytes))?;
    let homeless = steps.written.iter().find(|(name, _)| !lab.steps.iter().any(|s| s.name == name));
    Ok(Some(if base != Some(&frame) {
        let why = "you changed it around the steps, and so did the course".to_owned();
        (Change::Conflict(why), merged)
    } else if let Some((name, _)) = homeless {
        let why = format!("the course has no step {name} any more, and you have written it");
        (Change::Conflict(why), merged)
    } else {
        (Change::Changed, merged)
    }))
}

/// What the student wrote between the marks, by step; stubs are not of it.
struct Steps<'a> {
    written: Vec<(String, &'a [u8])>,
}

impl<'a> Steps<'a> {
    fn of(source: &'a [u8], stubs: &Stubs) -> Result<Self, RegionError> {
        let bodies = region::parse(source)?;
        let bodies = bodies.into_iter().map(|region| (region.name, &source[region.body]));
        Ok(Self { written: bodies.filter(|(name, body)| !stubs.has(name, body)).collect() })
    }

    /// The frame with what is written in it, and the new stubs where nothing is.
    fn fill(&self, frame: &[u8], new: &[u8]) -> Result<Vec<u8>, RegionError> {
        let stubs: Vec<_> = region::parse(new)?
            .into_iter()
            .map(|region| (region.name, with_line_ends_of(frame, &new[region.body])))
            .collect();
        let written = |name: &str| self.written.iter().find(|(step, _)| step == name);
        let stub = |name: &str| stubs.iter().find(|(step, _)| step == name);
        region::fill(frame, |name| match written(name) {
            Some((_, body)) => Some(*body),
            None => stub(name).map(|(_, stub)| &**stub),
        })
    }
}

/// The stubs that the workspace has now. One that is missing can't be told from what is written.
fn old_stubs(workspace: &Path, lab: &Lab) -> Stubs {
    Stubs::of(workspace, lab).unwrap_or_default()
}

impl Change {
    /// In a word, for lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added => "new",
            Self::Changed => "newer",
            Self::Removed => "removed",
            Self::Kept(_) => "kept",
            Self::Conflict(_) => "conflict",
        }
    }
}
