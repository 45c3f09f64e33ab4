//! Making a workspace, all of it or nothing.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::contents::{self, File};
use super::{Error, cannot, given, write_whole};

/// Writes a workspace made from the course into `dir`, which must not be there yet or be empty.
/// Returns its full path.
///
/// It is written beside `dir`, and gets its name when it is complete.
pub fn make(course: &Path, dir: &Path) -> Result<PathBuf, Error> {
    let place = free_place(course, dir)?;
    let files = contents::of(course)?;
    let beside = beside(&place)?;
    let written = write_all(&beside, &files).and_then(|()| {
        // An empty folder gives way; one that got something meanwhile does not.
        match fs::remove_dir(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot("take the place of", &place)(error))
            }
            _ => fs::rename(&beside, &place).map_err(cannot("make", &place)),
        }
    });
    if written.is_err() {
        let _ = fs::remove_dir_all(&beside);
    }
    written.map(|()| place)
}

/// Where `dir` really is, if a workspace can be there.
fn free_place(course: &Path, dir: &Path) -> Result<PathBuf, Error> {
    let shown = dir.display();
    let place = match dir.canonicalize() {
        Ok(place) => {
            if !place.is_dir() {
                return Err(Error::Refused(format!("{shown} is a file: name a new folder")));
            }
            let mut entries = fs::read_dir(&place).map_err(cannot("read the folder", dir))?;
            if entries.next().is_some() {
                return Err(Error::Refused(format!("{shown} is not empty: name a new folder")));
            }
            place
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = dir.file_name().ok_or_else(|| {
                Error::Refused(format!("{shown} does not end in a name: name a new folder"))
            })?;
            if dir.symlink_metadata().is_ok() {
                return Err(Error::Refused(format!("{shown} is a link that leads nowhere")));
            }
            parent(dir)?.join(name)
        }
        Err(error) => return Err(cannot("look at", dir)(error)),
    };
    let course = course.canonicalize().map_err(cannot("look at", course))?;
    if place.starts_with(&course) {
        return Err(Error::Refused(format!(
            "{shown} is inside the course: name a folder outside, such as {}",
            Path::new("..").join("my-sockets").display()
        )));
    }
    Ok(place)
}

/// The folder that a new one is to be in.
fn parent(dir: &Path) -> Result<PathBuf, Error> {
    let parent = match dir.parent() {
        Some(parent) if parent != OsStr::new("") => parent,
        _ => Path::new("."),
    };
    match parent.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Refused(format!(
            "there is no folder {} to put it into: make that first",
            parent.display()
        ))),
        result => result.map_err(cannot("look at", parent)),
    }
}

/// A new folder in the same place, so that a rename is all that is left to do.
fn beside(place: &Path) -> Result<PathBuf, Error> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let beside = place.with_file_name(format!(".{name}.{}", std::process::id()));
    fs::create_dir(&beside).map_err(cannot("make the folder", &beside))?;
    Ok(beside)
}

fn write_all(root: &Path, files: &[File]) -> Result<(), Error> {
    for file in files {
        write(root, file)?;
    }
    let given = given::of(files).map_err(super::marks(root))?;
    write_whole(&root.join(given::FILE), &given::render(&given))
}

/// Writes one file of a workspace.
pub(super) fn write(root: &Path, file: &File) -> Result<(), Error> {
    let path = root.join(&file.path);
    write_whole(&path, &file.bytes)?;
    if file.executable { make_executable(&path) } else { Ok(()) }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(cannot("look at", path))?.permissions().mode();
    // Whoever may read it may run it.
    let permissions = fs::Permissions::from_mode(mode | (mode & 0o444) >> 2);
    fs::set_permissions(path, permissions).map_err(cannot("make executable", path))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<(), Error> {
    Ok(())
}
