//! Which processes belong to a program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::process::{Relation, list, list_but};
use super::text::read_text;

/// How the processes of a program are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// This process, all that descend from it, and all in its process group (those stay findable
    /// when their parent has ended). A process that leaves the group, and whose parent ends, is
    /// lost.
    Of(u32),
    /// All that descend from this process, itself left out: the first process of a process
    /// namespace. An orphan becomes its child, so nothing is ever lost.
    Inside(u32),
}

impl From<u32> for Family {
    fn from(pid: u32) -> Self {
        Self::Of(pid)
    }
}

impl Family {
    fn has_first(self, one: &Relation) -> bool {
        match self {
            Self::Of(root) => one.pid == root || one.group == root,
            Self::Inside(init) => one.parent == init,
        }
    }
}

/// The ids of the processes of a program.
pub fn process_tree(family: impl Into<Family>) -> io::Result<Vec<u32>> {
    let family = family.into();
    match family {
        Family::Inside(init) if shows_children() => Ok(descendants(init)),
        _ => chosen_from_all(family),
    }
}

/// Whether this kernel lists the children of a thread (CONFIG_PROC_CHILDREN).
fn shows_children() -> bool {
    static SHOWS: LazyLock<bool> =
        LazyLock::new(|| Path::new("/proc/thread-self/children").exists());
    *SHOWS
}

/// All that descend from the first process of a process namespace, itself left out. Only they are
/// read: what else runs on this machine costs nothing.
fn descendants(init: u32) -> Vec<u32> {
    let mut known: Vec<u32> = Vec::new();
    loop {
        // Who loses its parent while we look becomes a child of the first process: so we look
        // there again until nobody is new.
        let mut new = children_of(init, init);
        new.retain(|pid| !known.contains(pid));
        if new.is_empty() {
            known.retain(|pid| runs(*pid));
            return known;
        }
        while let Some(pid) = new.pop() {
            known.push(pid);
            for thread in threads(pid) {
                let mut children = children_of(pid, thread);
                children.retain(|child| !known.contains(child));
                new.extend(children);
            }
        }
    }
}

/// The ids of the threads of a process; none where it has ended.
fn threads(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The processes that a thread has started; none where it has ended.
fn children_of(pid: u32, thread: u32) -> Vec<u32> {
    let text = read_text(format!("/proc/{pid}/task/{thread}/children"));
    text.unwrap_or_default().split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// For each program the processes that are none of its, and since when that is known. Who belongs to
/// another family and another group stays there, and its number is not given to somebody else within
/// so short a time.
static STRANGERS: Mutex<BTreeMap<u32, (Instant, BTreeSet<u32>)>> = Mutex::new(BTreeMap::new());
const KNOWN_FOR: Duration = Duration::from_secs(1);

fn chosen_from_all(family: Family) -> io::Result<Vec<u32>> {
    let (Family::Of(root) | Family::Inside(root)) = family;
    let mut families = STRANGERS.lock().unwrap_or_else(PoisonError::into_inner);
    families.retain(|_, (since, _)| since.elapsed() < KNOWN_FOR);
    let (_, strangers) = families.entry(root).or_insert_with(|| (Instant::now(), BTreeSet::new()));
    let all = list_but(strangers)?;
    let mut known: BTreeSet<u32> = BTreeSet::new();
    let mut found: Vec<u32> = Vec::new();
    loop {
        let before = found.len();
        for one in &all {
            let belongs = family.has_first(one) || known.contains(&one.parent);
            if belongs && known.insert(one.pid) {
                found.push(one.pid);
            }
        }
        if found.len() == before {
            // Whose parent was missed is not known yet: both may have come while the list was read.
            let listed: BTreeSet<u32> = all.iter().map(|one| one.pid).collect();
            let placed = |pid| pid == 0 || listed.contains(&pid) || strangers.contains(&pid);
            let others = all.iter().filter(|one| !known.contains(&one.pid) && placed(one.parent));
            let others: Vec<u32> = others.map(|one| one.pid).collect();
            strangers.extend(others);
            return Ok(found);
        }
    }
}

/// The child of `init` that is called `inner` in the process namespace of which `init` is the
/// first process.
pub fn child_called(init: u32, inner: u32) -> io::Result<Option<u32>> {
    let is_it = |pid: &u32| {
        let status = read_text(format!("/proc/{pid}/status")).unwrap_or_default();
        let names = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        names.and_then(|names| names.split_ascii_whitespace().next_back()?.parse().ok())
            == Some(inner)
    };
    Ok(children(init)?.into_iter().find(is_it))
}

/// The children of a process whose only thread that has any is its first.
pub fn children(parent: u32) -> io::Result<Vec<u32>> {
    if shows_children() {
        return Ok(children_of(parent, parent));
    }
    let all = list()?.into_iter();
    Ok(all.filter(|one| one.parent == parent).map(|one| one.pid).collect())
}

/// The processes in whose environment a variable began with this value when they were executed, as
/// far as this user may look into them.
pub fn processes_with(name: &str, value: &str) -> io::Result<Vec<u32>> {
    let wanted = format!("{name}={value}");
    let has = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|pair| pair.starts_with(wanted.as_bytes()))
    };
    Ok(list()?.into_iter().map(|one| one.pid).filter(has).collect())
}

/// Whether a process exists that has not ended.
pub fn runs(pid: u32) -> bool {
    let stat = read_text(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Whether a process was started with these words first, and has executed nothing else since.
pub fn is_still(pid: u32, words: &[&str]) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut seen = line.split(|byte| *byte == 0);
    words.iter().all(|word| seen.next() == Some(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A process, its child, and the child's child: all of them end with standard input.
    const THREE: &str = "exec 3<&0; cat <&3 & (cat; :) <&3 & wait";

    #[test]
    #[cfg(target_os = "linux")]
    fn who_descends_is_found_by_the_children_of_each_as_by_the_parents_of_all() {
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", THREE]).stdin(Stdio::piped()).spawn().unwrap();
        let family = Family::Inside(shell.id());
        let mut all = Vec::new();
        while all.len() < 3 {
            all = chosen_from_all(family).unwrap();
        }
        let mut found = process_tree(family).unwrap();
        found.sort_unstable();
        all.sort_unstable();
        assert_eq!(found, all);
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert!(process_tree(family).unwrap().is_empty());
    }
}
