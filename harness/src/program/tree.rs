//! Everything that the harness has started and that must not outlive it.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::kernel;
use crate::sync::lock;

/// The groups that run now: what [`stop_all`] has to end.
static LIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The variable by which a process that has left its family is known all the same.
pub(super) const MARK: &str = "SOCKETS_LAB_PROGRAM";

/// A value of it that no other program has.
pub(super) fn new_mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}{}.", own_marks(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// How the marks of all programs of this process begin.
fn own_marks() -> String {
    format!("{}-", std::process::id())
}

pub(super) fn register(group: u32) {
    lock(&LIVE).insert(group);
}

/// Kills everything that any [`super::Program`] has started: for the end of the harness itself.
pub fn stop_all() {
    for group in lock(&LIVE).iter() {
        let family = kernel::process_tree(*group).unwrap_or_else(|_| vec![*group]);
        let pids: Vec<String> = family.iter().map(u32::to_string).collect();
        // Each process by its id, and the group for what was forked meanwhile.
        let _ = kill("-KILL", &pids);
        let _ = kill("-KILL", &[format!("-{group}")]);
    }
    let left = if super::cell::is_enclosing() {
        // In a namespace of its own this process takes everything along when it ends. But a program
        // in the middle of a splice keeps its pipe locked, and this process would wait for ever to
        // close its own end of it: so they go first.
        let own = std::process::id();
        let inside = kernel::process_tree(own).unwrap_or_default();
        inside.into_iter().filter(|pid| *pid != own).collect()
    } else {
        kernel::processes_with(MARK, &own_marks()).unwrap_or_default()
    };
    let pids: Vec<String> = left.iter().map(u32::to_string).collect();
    if !pids.is_empty() {
        let _ = kill("-KILL", &pids);
    }
}

/// Kills the group of `child` and its descendants, until none is left.
pub(super) fn stop(group: u32, mark: &str, child: &mut Child) -> io::Result<()> {
    if !lock(&LIVE).contains(&group) {
        return Ok(());
    }
    // Looked up before the first kill: an orphan is no longer known by its parent. A descendant
    // may have left the group (setsid), so each is killed by its own id.
    let mut known = others(group, None, &[])?;
    child.kill()?;
    child.wait()?;
    // The mark has to be looked for in every process, so only now, when few are left; and again as
    // long as something was: it may have started another.
    loop {
        known = others(group, Some(mark), &known)?;
        if known.is_empty() {
            break;
        }
        let pids: Vec<String> = known.iter().map(u32::to_string).collect();
        kill("-KILL", &pids)?;
    }
    lock(&LIVE).remove(&group);
    Ok(())
}

/// Processes of the family besides its first, those of `known` that still exist, and those that bear
/// the mark, wherever they have gone.
fn others(group: u32, mark: Option<&str>, known: &[u32]) -> io::Result<Vec<u32>> {
    if kernel::available().is_err() {
        return Ok(Vec::new());
    }
    let mut pids = kernel::process_tree(group)?;
    if !known.is_empty() {
        let all = kernel::list()?;
        pids.extend(all.iter().map(|kin| kin.pid).filter(|pid| known.contains(pid)));
    }
    if let Some(mark) = mark {
        pids.extend(kernel::processes_with(MARK, mark)?);
    }
    pids.retain(|pid| *pid != group);
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

/// `kill SIGNAL -- TARGET …`; std can send no signal but SIGKILL, and that only to a child.
/// A target that has ended meanwhile is no error.
pub(super) fn kill(signal: &str, targets: &[String]) -> io::Result<()> {
    let mut command = Command::new("kill");
    command.arg(signal).arg("--").args(targets);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map(drop)
}
