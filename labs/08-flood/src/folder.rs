//! The shared folder: what is in it, what a question finds there, and what is being got.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::Failure;

/// The most files in one answer.
const MOST_HITS: usize = 100;

/// A file that is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Its number, which it keeps for as long as the program runs.
    pub index: u32,
    /// Its size in bytes, as it was when it was first seen.
    pub size: u32,
    /// Its name, directly in the folder.
    pub name: String,
}

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    shared: Mutex<Vec<Shared>>,
    /// The names of the files that are being got.
    getting: Mutex<HashSet<String>>,
}

/// The right to get a file, which nobody else has meanwhile. It is given back when this is dropped.
#[derive(Debug)]
pub struct Claim<'a> {
    folder: &'a Folder,
    name: String,
}

impl Folder {
    /// Looks into a folder: its regular files are shared, but no links and no other folders.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let size = match entry.metadata() {
                Ok(file) if file.is_file() => u32::try_from(file.len()),
                // Something else, or gone already.
                Ok(_) | Err(_) => continue,
            };
            // A size of 4 GiB and more can't be told.
            if let (true, Ok(size)) = (is_file_name(&name), size) {
                found.push((name, size));
            }
        }
        found.sort();
        let folder =
            Self { path: path.to_owned(), shared: Mutex::default(), getting: Mutex::default() };
        for (name, size) in found {
            folder.add(name, size);
        }
        Ok(folder)
    }

    /// Shares one file more, behind the others.
    pub fn add(&self, name: String, size: u32) {
        let mut shared = lock(&self.shared);
        let index = shared.len() as u32;
        shared.push(Shared { index, size, name });
    }

    /// How many files are shared, and how many kilobytes.
    pub fn counts(&self) -> (u32, u32) {
        let shared = lock(&self.shared);
        let bytes: u64 = shared.iter().map(|file| u64::from(file.size)).sum();
        (shared.len() as u32, u32::try_from(bytes / 1024).unwrap_or(u32::MAX))
    }

    /// The files whose names contain all of these words, without regard to upper and lower case
    /// (ASCII): the first 100. No words find nothing.
    pub fn matching(&self, words: &[&[u8]]) -> Vec<Shared> {
        if words.is_empty() {
            return Vec::new();
        }
        let contains = |name: &str, word: &[u8]| {
            name.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
        };
        let is_meant = |file: &&Shared| words.iter().all(|word| contains(&file.name, word));
        lock(&self.shared).iter().filter(is_meant).take(MOST_HITS).cloned().collect()
    }

    /// Opens the shared file of this number and name. `None`: there is none, or it is no longer what
    /// is told of it.
    pub fn open(&self, index: u32, name: &str) -> Option<(File, u32)> {
        let shared = lock(&self.shared);
        let file = shared.get(index as usize).filter(|file| file.name == name)?;
        let (path, size) = (self.path(name), file.size);
        drop(shared);
        // A link that stands in its place leads out of the folder.
        if !fs::symlink_metadata(&path).ok()?.is_file() {
            return None;
        }
        let file = File::open(path).ok()?;
        (file.metadata().ok()?.len() == u64::from(size)).then_some((file, size))
    }

    /// Claims a name for a file that is to be got.
    pub fn claim(&self, name: &str) -> Result<Claim<'_>, Failure> {
        if !lock(&self.getting).insert(name.to_owned()) {
            return Err(Failure::Broke("it is being got"));
        }
        let claim = Claim { folder: self, name: name.to_owned() };
        match fs::symlink_metadata(self.path(name)) {
            Ok(_) => Err(Failure::Broke("it is there already")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(claim),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the file of this name stands, or will stand.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the file of this name stands while it is being got. It is never shared.
    pub fn part(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.part"))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        lock(&self.folder.getting).remove(&self.name);
    }
}

/// Whether a file may have this name: 1 to 200 bytes that lead nowhere else, and do not begin with a
/// dot or end in `.part`. Names come from strangers.
pub fn is_file_name(name: &str) -> bool {
    let is_bad = |byte: u8| byte == b'/' || byte == b'\\' || byte.is_ascii_control();
    (1..=200).contains(&name.len())
        && !name.bytes().any(is_bad)
        && !name.starts_with('.')
        && !name.ends_with(".part")
}

/// A thread that panicked leaves a list that is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> Folder {
        let folder =
            Folder { path: PathBuf::new(), shared: Mutex::default(), getting: Mutex::default() };
        for name in names {
            folder.add((*name).to_owned(), 1000);
        }
        folder
    }

    fn found(folder: &Folder, words: &[&str]) -> Vec<u32> {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
        folder.matching(&words).iter().map(|file| file.index).collect()
    }

    #[test]
    fn a_file_is_found_by_all_of_its_words_in_any_case() {
        let folder = folder(&["My Song.ogg", "another song.ogg", "letter.txt"]);
        assert_eq!(found(&folder, &["song"]), [0, 1]);
        assert_eq!(found(&folder, &["SONG", "my"]), [0]);
        assert_eq!(found(&folder, &["song", "letter"]), [0; 0]);
        assert_eq!(found(&folder, &[]), [0; 0]);
    }

    #[test]
    fn of_many_the_first_hundred_are_found() {
        let names: Vec<_> = (0..300).map(|number| format!("{number:03}.txt")).collect();
        let folder = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found(&folder, &["txt"]), (0..100).collect::<Vec<_>>());
        assert_eq!(folder.counts(), (300, 292));
    }

    #[test]
    fn a_file_name_leads_nowhere_else() {
        assert!(is_file_name("my song.ogg") && is_file_name("\u{fc}.partly"));
        let long = "a".repeat(201);
        for bad in ["", ".", "..", ".a", "../a", "a/b", "a\\b", "a\nb", "a.part", &long] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }

    #[test]
    fn nobody_gets_a_file_twice_at_once() {
        let folder = Folder { path: "/nowhere".into(), ..folder(&[]) };
        let claim = folder.claim("song.ogg");
        assert!(claim.is_ok());
        assert!(folder.claim("song.ogg").is_err());
        assert!(folder.claim("another.ogg").is_ok());
        drop(claim);
        assert!(folder.claim("song.ogg").is_ok());
    }
}
