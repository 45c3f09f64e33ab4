//! Copies of what is about to be changed, below `saved/` in a folder with the date for its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Error, cannot};
use crate::calendar;

/// The folder, below the root.
pub const FOLDER: &str = "saved";

/// Saves these files, paths from the root, in a new folder of which it returns the path. What is
/// not there is left out.
pub fn save(root: &Path, paths: &[&str]) -> Result<PathBuf, Error> {
    let folder = new_folder(&root.join(FOLDER))?;
    for path in paths {
        let (from, to) = (root.join(path), folder.join(path));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(cannot("make the folder", parent))?;
        }
        match fs::copy(&from, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => drop(result.map_err(cannot("save a copy of", &from))?),
        }
    }
    Ok(folder)
}

/// A folder that nobody had before: two in the same second get different names.
fn new_folder(above: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(above).map_err(cannot("make the folder", above))?;
    let name = calendar::name(SystemTime::now());
    for number in 1_u32.. {
        let folder = match number {
            1 => above.join(&name),
            _ => above.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|()| folder.clone()).map_err(cannot("make", &folder)),
        }
    }
    Err(Error::Refused(format!("there is no free name in {}", above.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_saved_over_what_was_saved_before() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"\xff\r\n").unwrap();
        let first = save(root.path(), &["a", "not/there"]).unwrap();
        let second = save(root.path(), &["a"]).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(first.join("a")).unwrap(), b"\xff\r\n");
    }
}
