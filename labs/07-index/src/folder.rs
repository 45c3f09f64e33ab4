//! The folder of a peer: what it shares, and the files that are on their way into it.

use std::collections::BTreeMap;
use std::fs::{self, File as Opened, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::output::report;
use crate::sha1;
use crate::text::{File, Hit, is_file_name};

/// The most files that a peer shares.
pub const MOST_FILES: usize = 10_000;

/// What a folder has for others: the regular files directly in it, no links, under names that a
/// file may have.
pub fn read(folder: &Path) -> io::Result<BTreeMap<String, File>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().filter(|name| is_file_name(name));
        names.extend(name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())));
    }
    names.sort_unstable();
    names.truncate(MOST_FILES);
    let mut files = BTreeMap::new();
    for name in names {
        match sha1::of_file(&folder.join(&name)) {
            Ok((sha1, size)) => drop(files.insert(name, File { size, sha1 })),
            Err(error) => report(&format!("cannot share {name}: {error}")),
        }
    }
    Ok(files)
}

/// Opens a file that is shared, if it is still there and still as long as it was.
pub fn open(folder: &Path, name: &str, size: u64) -> Option<Opened> {
    let path = folder.join(name);
    let is_the_same = |at: &fs::Metadata| at.is_file() && at.len() == size;
    fs::symlink_metadata(&path).ok().filter(is_the_same)?;
    Opened::open(path).ok().filter(|file| file.metadata().is_ok_and(|at| is_the_same(&at)))
}

/// A file that is on its way: FILE.part, in which the first bytes of FILE stand.
#[derive(Debug)]
pub struct Part {
    opened: Opened,
    path: PathBuf,
    whole: PathBuf,
    sha1: String,
    /// How many bytes are there.
    pub length: u64,
}

impl Part {
    /// The part of this file, with what an earlier try has left in it. The error says why there
    /// can't be one.
    pub fn open(folder: &Path, hit: &Hit) -> Result<Self, String> {
        let name = &hit.file;
        let (path, whole) = (folder.join(format!("{name}.part")), folder.join(name));
        if fs::symlink_metadata(&whole).is_ok() {
            return Err("it is there already".into());
        }
        // What is no regular file may lead somewhere else, or never come to an end.
        match fs::symlink_metadata(&path) {
            Ok(at) if !at.is_file() => return Err(format!("{name}.part is no regular file")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(false).open(&path);
        let ready = opened.and_then(|mut opened| Ok((opened.seek(SeekFrom::End(0))?, opened)));
        let (length, opened) = ready.map_err(|error| error.to_string())?;
        let mut part = Self { opened, path, whole, sha1: hit.sha1.clone(), length };
        if length > hit.size {
            part.begin_anew().map_err(|error| error.to_string())?;
        }
        Ok(part)
    }

    /// Throws away what is there.
    pub fn begin_anew(&mut self) -> io::Result<()> {
        self.opened.set_len(0)?;
        self.length = self.opened.seek(SeekFrom::Start(0))?;
        Ok(())
    }

    /// Whether what is there has the sum that was promised.
    pub fn is_right(&self) -> io::Result<bool> {
        let (sha1, _) = sha1::of_file(&self.path)?;
        Ok(sha1.eq_ignore_ascii_case(&self.sha1))
    }

    /// Gives it the name of the whole file.
    pub fn finish(self) -> io::Result<()> {
        fs::rename(&self.path, &self.whole)
    }

    /// Deletes it.
    pub fn delete(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// What is written comes behind what is there.
impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.opened.write(bytes)?;
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.opened.flush()
    }
}
