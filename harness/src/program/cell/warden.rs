//! The first process of a cell: it starts the programs in it, and says how they ended.
//!
//! It keeps the capabilities that the programs lose, so they can neither look into it nor stop it
//! (the kernel lets nobody trace a process that may do more), and it is what their orphans fall
//! to. It does one thing after the other, from one thread: a request a line on its standard
//! input, an answer a line on its standard output. When its input ends it ends, and the kernel
//! ends everything in the cell with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, chroot};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::view::{SCRATCH, View};
use crate::json::Json;
use crate::program::front;

/// The warden's life.
///
/// # Errors
/// The cell can't be furnished; the text says what is missing.
pub fn run() -> io::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let mut stdout = io::stdout().lock();
    let Some(first) = lines.next() else { return Ok(()) };
    let mut warden = Warden::furnish(&first?)?;
    writeln!(stdout, "{{}}")?;
    stdout.flush()?;
    for line in lines {
        let answer = Json::parse(&line?).ok().and_then(|request| warden.answer(&request));
        writeln!(stdout, "{}", answer.unwrap_or(Json::Null))?;
        stdout.flush()?;
    }
    Ok(())
}

struct Warden {
    /// The descriptors of the worker, as a folder: where the programs' streams are found. It was
    /// opened before the root was changed, and no program inherits it.
    streams: File,
    /// What stood in the scratch folder at the beginning: where parts of the view are mounted.
    fresh: BTreeSet<PathBuf>,
    children: BTreeMap<u32, Child>,
}

impl Warden {
    fn furnish(line: &str) -> io::Result<Self> {
        let nonsense = || io::Error::other("the cell was not told what to show");
        let order = Json::parse(line).map_err(|_| nonsense())?;
        let worker = order.get("worker").and_then(Json::as_u64).ok_or_else(nonsense)?;
        let view = order.get("view").and_then(View::from_json).ok_or_else(nonsense)?;
        let streams = File::open(format!("/proc/{worker}/fd"))?;
        limit_processes();
        let root = view.mount()?;
        chroot(&root)?;
        std::env::set_current_dir(SCRATCH)?;
        let path = std::env::var("PATH").unwrap_or_default();
        if front::find(Path::new(front::ALL[0]), &path).is_none() {
            let words = "setpriv (of util-linux) is missing: programs would keep capabilities";
            return Err(io::Error::other(words));
        }
        Ok(Self { streams, fresh: scratch()?, children: BTreeMap::new() })
    }

    fn answer(&mut self, request: &Json) -> Option<Json> {
        let pid = |name: &str| u32::try_from(request.get(name)?.as_u64()?).ok();
        if let Some(order) = request.get("start") {
            return Some(match self.start(order) {
                Ok(pid) => Json::object([("pid", pid.into())]),
                Err(error) => Json::object([
                    ("error", error.to_string().as_str().into()),
                    (
                        "code",
                        error.raw_os_error().map_or(Json::Null, |code| code.unsigned_abs().into()),
                    ),
                ]),
            });
        }
        if let Some(pid) = pid("ended") {
            let status = self.children.get_mut(&pid)?.try_wait().ok()?;
            return Some(status.map_or(Json::Null, status_to_json));
        }
        if let Some(pid) = pid("kill") {
            let child = self.children.get_mut(&pid)?;
            child.kill().ok()?;
            return Some(status_to_json(child.wait().ok()?));
        }
        // Whether the cell is as it was at the beginning.
        request.get("clear").map(|_| self.clear().is_ok_and(|clear| clear).into())
    }

    fn start(&mut self, order: &Json) -> io::Result<u32> {
        let nonsense = || io::Error::other("the cell was not told what to start");
        let texts = |name: &str| -> Option<Vec<&str>> {
            order.get(name)?.as_array()?.iter().map(Json::as_str).collect()
        };
        let words = texts("words").ok_or_else(nonsense)?;
        let environment = texts("environment").ok_or_else(nonsense)?;
        let folder = order.get("folder").and_then(Json::as_str).ok_or_else(nonsense)?;
        let path = environment.iter().find_map(|pair| pair.strip_prefix("PATH="));
        let program = Path::new(words.first().ok_or_else(nonsense)?);
        front::check(program, path.unwrap_or_default(), Path::new(folder))?;
        let mut command = Command::new(program);
        command.args(&words[1..]);
        let mut command = front::put_before(front::ALL, command);
        command.env_clear().envs(environment.iter().filter_map(|pair| pair.split_once('=')));
        command.current_dir(folder).process_group(0);
        command.stdin(self.stream(order.get("stdin"), OpenOptions::new().read(true))?);
        command.stdout(self.stream(order.get("stdout"), OpenOptions::new().write(true))?);
        command.stderr(self.stream(order.get("stderr"), OpenOptions::new().write(true))?);
        let child = command.spawn()?;
        let pid = child.id();
        self.children.insert(pid, child);
        Ok(pid)
    }

    /// One of the worker's descriptors, opened anew.
    fn stream(&self, number: Option<&Json>, how: &OpenOptions) -> io::Result<Stdio> {
        match number.and_then(Json::as_u64) {
            Some(number) => {
                let folder = self.streams.as_raw_fd();
                Ok(how.open(format!("/proc/self/fd/{folder}/{number}"))?.into())
            }
            None => Ok(Stdio::null()),
        }
    }

    /// Whether no program and nothing of a program's is left. An orphan that has ended is left, too:
    /// nobody waits for it here, and it keeps its number, of which there are few.
    fn clear(&mut self) -> io::Result<bool> {
        for (_, mut child) in std::mem::take(&mut self.children) {
            child.kill()?;
            child.wait()?;
        }
        for entry in fs::read_dir("/proc")? {
            let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
            if pid.is_some_and(|pid: u32| pid != 1) {
                return Ok(false);
            }
        }
        Ok(scratch()? == self.fresh)
    }
}

/// As many processes and threads there may be in a cell: far more than any right program has.
const PROCESSES: u32 = 1024;

/// Limits the processes of this cell. RLIMIT_NPROC does not hold for root; the highest process id
/// does, and since Linux 6.14 each process namespace has its own. Before that the number is the whole
/// machine's, and not ours to change.
fn limit_processes() {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if has_its_own_highest_id(&release) {
        // Where it can't be set, the other limits are what there is.
        let _ = fs::write("/proc/sys/kernel/pid_max", PROCESSES.to_string());
    }
}

/// Whether the kernel of this release (`6.18.5-amd64`) keeps `pid_max` for each namespace.
fn has_its_own_highest_id(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map(|word| word.trim().parse::<u32>().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    matches!(version, (Some(major), Some(minor)) if (major, minor) >= (6, 14))
}

/// All that stands in the scratch folder itself, what is mounted there left out.
fn scratch() -> io::Result<BTreeSet<PathBuf>> {
    let device = fs::metadata(SCRATCH)?.dev();
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from(SCRATCH)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            if metadata.is_dir() && metadata.dev() == device {
                folders.push(path.clone());
            }
            found.insert(path);
        }
    }
    Ok(found)
}

fn status_to_json(status: ExitStatus) -> Json {
    Json::object([("status", status.into_raw().unsigned_abs().into())])
}

#[cfg(test)]
mod tests {
    #[test]
    fn process_ids_are_limited_only_where_that_is_the_namespaces_own_matter() {
        for release in ["6.18.5-amd64\n", "6.14.0", "7.0.1"] {
            assert!(super::has_its_own_highest_id(release), "{release}");
        }
        for release in ["6.13.9", "5.15.0-91-generic", "4.19", ""] {
            assert!(!super::has_its_own_highest_id(release), "{release}");
        }
    }
}
