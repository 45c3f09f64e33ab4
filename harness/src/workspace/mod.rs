//! The student's workspace: a folder made from the course, with the same layout and stubs in the
//! places of the solutions. It is complete in itself: the course is not needed any more.
//!
//! [`contents`] says what of the course belongs into it, [`make`] writes it, [`update`] brings it
//! up to a newer course. [`steps`] finds out what is written of a lab, and puts stubs back;
//! [`hints`] reads what stands beside a lab to help with it.
//!
//! Nobody's work is ever lost: what is about to change is saved first ([`backup`]), and sources
//! are bytes throughout, since what a student saved need be neither UTF-8 nor end its lines in LF.

pub mod backup;
pub mod contents;
pub mod fingerprint;
pub mod given;
pub mod hints;
pub mod last_run;
pub mod make;
mod manifest;
pub mod steps;
pub mod update;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::region::RegionError;

/// Why something was not done. Nothing was changed then.
#[derive(Debug)]
pub enum Error {
    /// What was asked for can't be had: the text says why, and what to do instead.
    Refused(String),
    /// A file or a folder that could not be read or written.
    Io {
        /// What was tried, as in "cannot WRITE".
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The marks around a lab's steps are not in order.
    Marks {
        /// The lab's source.
        path: PathBuf,
        /// What is wrong, and on which line.
        error: RegionError,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Io { doing, path, error } => {
                write!(f, "cannot {doing} {}: {error}", path.display())
            }
            Self::Marks { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for Error {}

/// Makes an [`Error`] of a system's error.
pub(crate) fn cannot<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> Error + 'a {
    move |error| Error::Io { doing, path: path.to_owned(), error }
}

/// Makes an [`Error`] of marks that are not in order.
fn marks(path: &Path) -> impl FnOnce(RegionError) -> Error + '_ {
    move |error| Error::Marks { path: path.to_owned(), error }
}

/// The bytes of a file, `None` where there is no such file.
fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path)(error)),
    }
}

/// Writes a file whole or not at all: under another name first, then in the place of the old one.
/// Where a link stands, what it leads to is written, and the link stays.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let target;
    let path = match fs::canonicalize(path) {
        Ok(real) => {
            target = real;
            &target
        }
        Err(_) => path,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot("make the folder", folder))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lab-new");
    let new = path.with_file_name(name);
    fs::write(&new, bytes).map_err(cannot("write", &new))?;
    if let Ok(old) = fs::metadata(path) {
        // What could be run before can be run again.
        let _ = fs::set_permissions(&new, old.permissions());
    }
    fs::rename(&new, path).map_err(cannot("write", path))
}
