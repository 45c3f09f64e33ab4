//! Copies of what is about to be changed, below `saved/` in a folder with the date for its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Error, cannot};

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
    let name = fingerprint(SystemTime::now());
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

/// `2026-11-21-074227`: the time in UTC.
fn fingerprint(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{second:02}")
}

/// The date so many days after 1 January 1970.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted in years that begin in March, so that the leap day is the last one of its year;
    // 400 of them have always 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stamp_is_the_date_and_the_time() {
        for (seconds, expected) in [
            (0, "1970-01-01-000000"),
            (951_782_399, "2000-02-28-235959"),
            (951_782_400, "2000-02-29-000000"),
            (951_868_800, "2000-03-01-000000"),
            (1_795_246_947, "2026-11-21-074227"),
            (4_107_542_400, "2100-03-01-000000"),
        ] {
            assert_eq!(fingerprint(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

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
