//! What a workspace was given: a fingerprint of each file, in `.lab/given`. An update tells by it
//! what the student has changed since, and what the course has.

use std::collections::BTreeMap;
use std::path::Path;

use super::contents::{self, File};
use super::steps::with_lf;
use super::{Error, read_if_there};
use crate::region::{self, RegionError};

/// The list, below the workspace's root.
pub const FILE: &str = ".lab/given";

const HEAD: &str = "# What this workspace was given, so that `cargo lab update` can tell what you changed. \
                    Not for editing.\n";

/// Fingerprints by path.
pub type Handout = BTreeMap<String, u64>;

/// The fingerprint of a file: of a lab's source without what stands between the marks, and of
/// every file without a difference between LF and CRLF.
pub fn fingerprint(path: &str, bytes: &[u8]) -> Result<u64, RegionError> {
    match contents::lab_of_source(path) {
        Some(_) => Ok(of_bytes(&region::fill(bytes, |_| Some(&[]))?)),
        None => Ok(of_bytes(bytes)),
    }
}

/// The fingerprint of any file but a lab's source: FNV-1a, 64 bits, the same on every system and
/// with every version of Rust.
pub(super) fn of_bytes(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    with_lf(bytes).iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The list of these files.
pub fn of(files: &[File]) -> Result<Handout, RegionError> {
    files
        .iter()
        .map(|file| Ok((file.path.clone(), fingerprint(&file.path, &file.bytes)?)))
        .collect()
}

/// The list as it is written.
pub fn render(given: &Handout) -> Vec<u8> {
    let line = |(path, print): (&String, &u64)| format!("{print:016x} {path}\n");
    (HEAD.to_owned() + &given.iter().map(line).collect::<String>()).into_bytes()
}

/// The list of a workspace; `None` where there is none: that is no workspace.
pub fn read(workspace: &Path) -> Result<Option<Handout>, Error> {
    let path = workspace.join(FILE);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    let given: Option<Handout> = lines
        .map(|(_, line)| {
            let (print, path) = line.split_once(' ')?;
            Some((path.to_owned(), u64::from_str_radix(print, 16).ok()?))
        })
        .collect();
    given.map(Some).ok_or_else(|| {
        Error::Refused(format!(
            "{} was changed and can't be read: put it back (`git restore {FILE}`)",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let given = Handout::from([("a b/ü".to_owned(), 7), ("c".to_owned(), u64::MAX)]);
        super::super::write_whole(&folder.path().join(FILE), &render(&given)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(given));
    }

    #[test]
    fn a_damaged_list_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        super::super::write_whole(&folder.path().join(FILE), b"nonsense\n").unwrap();
        assert!(matches!(read(folder.path()), Err(Error::Refused(_))));
    }

    #[test]
    fn a_lab_s_source_is_known_by_what_stands_around_the_steps() {
        let print =
            |text: &str| fingerprint("labs/01-server/src/main.rs", text.as_bytes()).unwrap();
        let stub = print("a\n// ANCHOR: b\ntodo!()\n// ANCHOR_END: b\n");
        assert_eq!(stub, print("a\r\n// ANCHOR: b\r\ndone()\r\n// ANCHOR_END: b\r\n"));
        assert_ne!(stub, print("x\n// ANCHOR: b\ntodo!()\n// ANCHOR_END: b\n"));
        assert!(fingerprint("labs/01-server/src/main.rs", b"// ANCHOR: b\n").is_err());
    }
}
