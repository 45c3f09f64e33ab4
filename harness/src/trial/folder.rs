//! Folders on the disk: empty when they are asked for, and removed at the end, whatever happens.
//!
//! Where programs run in cells a folder serves one trial after the other, so that the cell that shows
//! it does so, too.

use std::fs::{self, Permissions};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::program::cell::is_enclosing;
use crate::sync::lock;

/// Folders that have to be removed: what [`remove_all`] does when a worker ends or is abandoned.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Those of them that are empty, and nobody's.
static FREE: Mutex<Vec<Folder>> = Mutex::new(Vec::new());

/// Removes all folders of all trials: for the end of the harness itself.
pub fn remove_all() {
    for path in lock(&LIVE).drain(..) {
        // Nobody is left to tell of an error.
        let _ = remove(&path);
    }
}

/// A folder on the disk, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// What the reader calls it.
    name: String,
    /// As it was made.
    permissions: Permissions,
    /// How large the disk is that is mounted here, in bytes, where it is one of its own.
    size: Option<u64>,
}

impl Folder {
    /// An empty one, below the system's folder for temporary files.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        Self::of(name, None)
    }

    /// A disk of its own, of so many bytes: for a process that may mount one.
    pub(super) fn disk(name: &str, size: u64) -> io::Result<Self> {
        Self::of(name, Some(size))
    }

    fn of(name: &str, size: Option<u64>) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut free = lock(&FREE);
        if let Some(found) = free.iter().position(|it| (&*it.name, it.size) == (name, size)) {
            return Ok(free.swap_remove(found));
        }
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = format!("sockets-lab-{name}-{}-{number}", process::id());
            let path = std::env::temp_dir().join(path);
            match fs::create_dir(&path) {
                Ok(()) => {
                    lock(&LIVE).push(path.clone());
                    if let Some(size) = size {
                        mount_disk(&path, size)?;
                    }
                    let permissions = fs::metadata(&path)?.permissions();
                    return Ok(Self { path, name: name.to_owned(), permissions, size });
                }
                // Process ids tell no workers apart: in a namespace each begins at 1.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(other) => return Err(other),
            }
        }
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the reader calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The text with this folder called by its name.
    pub(super) fn named_in(&self, text: &str) -> String {
        text.replace(&*self.path.to_string_lossy(), &self.name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Outside of a cell somebody may still have it.
        let is_made_anew = is_enclosing()
            && fs::set_permissions(&self.path, self.permissions.clone()).is_ok()
            && empty(&self.path).is_ok();
        if is_made_anew {
            let (path, name) = (mem::take(&mut self.path), mem::take(&mut self.name));
            let (permissions, size) = (self.permissions.clone(), self.size);
            lock(&FREE).push(Self { path, name, permissions, size });
        } else {
            let _ = remove(&self.path);
            lock(&LIVE).retain(|path| *path != self.path);
        }
    }
}

/// Removes all that stands in a folder.
pub(super) fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let removed = if entry.file_type()?.is_dir() {
            remove(&entry.path())
        } else {
            fs::remove_file(entry.path())
        };
        // What a program removes meanwhile is not there.
        removed.or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
    }
    Ok(())
}

fn mount_disk(path: &Path, size: u64) -> io::Result<()> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", &format!("size={size},mode=0755"), "tmpfs"]).arg(path);
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// Removes a folder, also where a disk of its own is mounted, or where a program has taken permissions
/// away from something in it.
fn remove(path: &Path) -> io::Result<()> {
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    let mut command = Command::new("umount");
    command.arg(path).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) && fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    let mut command = Command::new("chmod");
    command.args(["-R", "u+rwX", "--"]).arg(path).stderr(Stdio::null());
    command.status()?;
    fs::remove_dir_all(path)
}
