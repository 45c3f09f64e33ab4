//! The folders where mail is kept: for each user a Maildir, `SPOOL/NAME/{tmp,new,cur}`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The folders of all users.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    /// The users whose maildrop a session has.
    locked: Arc<Mutex<HashSet<String>>>,
}

/// A message in a maildrop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The name of its file, which it keeps for ever.
    pub id: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its file.
    pub path: PathBuf,
}

/// The maildrop of a user, for one session alone. It is given back when this is dropped, whether
/// the session returns or panics.
#[derive(Debug)]
pub struct Lock {
    name: String,
    locked: Arc<Mutex<HashSet<String>>>,
}

impl Message {
    /// What LIST says about it, or UIDL.
    pub fn about(&self, verb: &str) -> String {
        if verb == "LIST" { self.size.to_string() } else { self.id.clone() }
    }
}

impl Spool {
    /// Makes the folders of these users. What a delivery left in a `tmp` that was never finished is
    /// removed: its sender was not told that it is stored.
    pub fn open<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> io::Result<Self> {
        if !fs::metadata(folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let spool = Self { folder: folder.to_owned(), locked: Arc::default() };
        for name in names {
            for part in ["tmp", "new", "cur"] {
                fs::create_dir_all(spool.mailbox(name).join(part))?;
            }
            for entry in fs::read_dir(spool.mailbox(name).join("tmp"))? {
                let path = entry?.path();
                if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
            }
            for message in spool.maildrop(name)? {
                not_before(&message.id);
            }
        }
        Ok(spool)
    }

    /// The folder of a user, in which `tmp` and `new` are.
    pub fn mailbox(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The messages of a user that are there now, the oldest first.
    pub fn maildrop(&self, name: &str) -> io::Result<Vec<Message>> {
        let mut messages = Vec::new();
        for entry in fs::read_dir(self.mailbox(name).join("new"))? {
            let entry = entry?;
            let Ok(id) = entry.file_name().into_string() else { continue };
            let path = entry.path();
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_file() => {
                    messages.push(Message { id, size: found.len(), path });
                }
                // Something else, or gone already.
                Ok(_) | Err(_) => {}
            }
        }
        messages.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(messages)
    }

    /// Takes the maildrop of a user; `None` while another session has it.
    pub fn lock(&self, name: &str) -> Option<Lock> {
        let is_free = set(&self.locked).insert(name.to_owned());
        is_free.then(|| Lock { name: name.to_owned(), locked: Arc::clone(&self.locked) })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        set(&self.locked).remove(&self.name);
    }
}

fn set<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of the last name, in nanoseconds since 1970.
static LAST: Mutex<u64> = Mutex::new(0);

/// A name for a message that no other one has, and that sorts behind all names before it: the time,
/// and the process. A clock that is set back makes none of them twice.
pub fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let mut last = set(&LAST);
    *last = now.max(*last + 1);
    format!("{:020}.{}", *last, process::id())
}

/// Names from now on sort behind this one, which was made before a restart.
fn not_before(id: &str) {
    let time = id.split('.').next().filter(|time| time.len() == 20);
    if let Some(time) = time.and_then(|time| time.parse().ok()) {
        let mut last = set(&LAST);
        *last = last.max(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;

    fn spool(called: &str) -> (PathBuf, Spool) {
        let folder = env::temp_dir().join(format!("mail-{called}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let spool = Spool::open(&folder, ["alice", "bob"].into_iter()).unwrap();
        (folder, spool)
    }

    #[test]
    fn names_are_unique_and_in_order() {
        let names: Vec<_> = (0..1000).map(|_| unique()).collect();
        assert!(names.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn names_come_behind_those_of_the_future() {
        let future = "09000000000000000000.1";
        not_before(future);
        assert!(unique().as_str() > future);
    }

    #[test]
    fn a_maildrop_has_the_files_of_new_in_order() {
        let (folder, spool) = spool("order");
        let new = spool.mailbox("bob").join("new");
        fs::create_dir(new.join("folder")).unwrap();
        for (id, text) in [("b", "12"), ("a", "1"), ("c", "")] {
            fs::write(new.join(id), text).unwrap();
        }
        let messages = spool.maildrop("bob").unwrap();
        let told: Vec<_> = messages.iter().map(|m| (m.id.as_str(), m.size)).collect();
        assert_eq!(told, [("a", 1), ("b", 2), ("c", 0)]);
        assert_eq!(spool.maildrop("alice").unwrap(), []);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_stands_in_tmp_is_gone_after_a_restart() {
        let (folder, spool) = spool("tmp");
        let half = spool.mailbox("bob").join("tmp/half");
        fs::write(&half, "Return-Pa").unwrap();
        drop(Spool::open(&folder, ["bob"].into_iter()).unwrap());
        assert!(!half.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_maildrop_is_of_one_session_until_its_lock_is_dropped() {
        let (folder, spool) = spool("lock");
        let lock = spool.lock("bob");
        assert!(lock.is_some() && spool.lock("bob").is_none() && spool.lock("alice").is_some());
        drop(lock);
        assert!(spool.lock("bob").is_some());
        fs::remove_dir_all(folder).unwrap();
    }
}
