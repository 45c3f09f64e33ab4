//! Processes and threads, from `/proc/PID`: who descends from whom, what each thread is blocked
//! in, how much processor time it has had, and which sockets each process holds.
//!
//! Processes come and go while we read: whatever has vanished in between is left out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::calls::Call;
use super::family::{Family, process_tree};
use super::text::read_text;

/// One process of the program under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// The command's name, at most 15 bytes of it.
    pub name: String,
    /// At least one, except for a process that is just ending.
    pub threads: Vec<Thread>,
    /// Open descriptors.
    pub descriptors: Vec<Descriptor>,
}

/// One thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Its thread id; the main thread's is the process id.
    pub tid: u32,
    /// Its name: the one given to `thread::Builder::name`, else the process's.
    pub name: String,
    /// `R` running or ready to, `S` blocked, `D` blocked in the disk, `T` stopped, `Z` ended.
    pub state: char,
    /// The system call that it is blocked in.
    pub call: Option<Call>,
    /// Processor time that it has had, in nanoseconds.
    pub cpu_ns: u64,
    /// How often it was put on a processor: grows by one each time that it wakes.
    pub turns: u64,
    /// For how long it was ready to run and waited for a processor, in nanoseconds.
    pub waited_ns: u64,
}

/// An open descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its number.
    pub fd: u32,
    /// What it refers to.
    pub target: Target,
}

/// What a descriptor refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The socket with this inode.
    Socket(u64),
    /// A pipe.
    Pipe,
    /// Anything else: a file, a terminal, `/dev/null`.
    Other,
}

/// Id, parent and group of a process that exists: one line of [`list`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Process id.
    pub pid: u32,
    /// The parent's process id.
    pub parent: u32,
    /// The process group's id.
    pub group: u32,
}

/// Processor time of a program so far, and how many processes it has. The time is that of all of
/// them, and of those that they have waited for: one that was never waited for takes its time along.
pub fn usage(family: impl Into<Family>) -> io::Result<(Duration, usize)> {
    let processes = process_tree(family)?;
    let count = processes.len();
    let ticks: u64 = processes.into_iter().filter_map(stat_of).map(|stat| stat.ticks).sum();
    Ok((TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)), count))
}

/// Processor time of a process itself so far: of what it has started, nothing.
pub fn processor_time_alone(pid: u32) -> Option<Duration> {
    let stat = stat_of(pid)?;
    Some(TICK.saturating_mul(u32::try_from(stat.own_ticks).unwrap_or(u32::MAX)))
}

/// Processor time of the thread that asks; zero where nothing tells.
pub fn own_processor_time() -> Duration {
    Duration::from_nanos(read_schedstat(Path::new("/proc/thread-self"))[0])
}

/// The id of the thread that asks, among the threads of this process.
pub fn own_thread() -> Option<u32> {
    fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}

/// Whether a thread of this process is blocked in a call. One that has been woken is not, nor is one
/// that the kernel is at work for (`D`): in the middle of `read`, say, it waits for a page of the
/// buffer while another thread forks, and the bytes are as good as on their way.
pub fn is_blocked(thread: u32) -> bool {
    let file = |name| read_text(format!("/proc/self/task/{thread}/{name}")).ok();
    let in_call = file("syscall").is_some_and(|text| Call::parse(&text).is_some());
    // A thread that is being woken, on its way to another processor, still has its call; but it
    // counts as running.
    in_call && file("stat").and_then(|text| parse_stat(&text)).is_some_and(|it| it.state == 'S')
}

/// The descriptors of this process, besides the three streams, that a program which it executes
/// inherits.
pub fn inheritable_descriptors() -> io::Result<Vec<u32>> {
    /// `O_CLOEXEC`, as fdinfo shows it (octal).
    const CLOSES: u32 = 0o2_000_000;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        let entry = entry?;
        // What has been closed meanwhile is inherited by nobody.
        let text = read_text(entry.path()).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        let fd = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(fd @ 3..), Some(flags)) = (fd, flags)
            && flags & CLOSES == 0
        {
            found.push(fd);
        }
    }
    Ok(found)
}

/// Whether a process ignores the signal of this number (`SigIgn`, proc_pid_status(5)).
pub fn ignores_signal(pid: u32, signal: u32) -> io::Result<bool> {
    let status = read_text(format!("/proc/{pid}/status"))?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    let mask = u64::from_str_radix(mask.trim(), 16).map_err(io::Error::other)?;
    Ok(mask >> (signal - 1) & 1 == 1)
}

/// All processes that `/proc` shows and that have not ended.
pub fn list() -> io::Result<Vec<Relation>> {
    list_but(&BTreeSet::new())
}

/// The same without these, which are not even read: to read one costs 20 µs and more.
pub(super) fn list_but(known: &BTreeSet<u32>) -> io::Result<Vec<Relation>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if known.contains(&pid) {
            continue;
        }
        let Some(stat) = stat_of(pid) else { continue };
        if !matches!(stat.state, 'Z' | 'X') {
            all.push(Relation { pid, parent: stat.parent, group: stat.group });
        }
    }
    Ok(all)
}

/// How many threads a program has, over all of its processes. To read a thread costs 50 µs and
/// more; of a program with thousands of them they can be counted, but not each be looked at.
pub fn count_threads(family: impl Into<Family>) -> io::Result<u32> {
    Ok(process_tree(family)?.into_iter().filter_map(stat_of).map(|stat| stat.threads).sum())
}

impl Process {
    /// Reads process `pid`; `None` when it has ended.
    pub fn read(pid: u32) -> Option<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let name = read_text(folder.join("comm")).ok()?.trim_end().to_owned();
        let threads = read_threads(&folder.join("task"))?;
        let descriptors = read_descriptors(&folder.join("fd"));
        Some(Self { pid, name, threads, descriptors })
    }

    /// Memory that it has in use (resident), in bytes; `None` when it has ended.
    pub fn resident_bytes(pid: u32) -> Option<u64> {
        let status = read_text(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// The inodes of its sockets.
    pub fn sockets(&self) -> impl Iterator<Item = u64> + '_ {
        self.descriptors.iter().filter_map(|descriptor| match descriptor.target {
            Target::Socket(inode) => Some(inode),
            _ => None,
        })
    }

    /// The number that its next descriptor gets: the lowest that is free (POSIX).
    pub fn lowest_free_descriptor(&self) -> u32 {
        let taken = |fd: &u32| self.descriptors.iter().any(|descriptor| descriptor.fd == *fd);
        (0..).find(|fd| !taken(fd)).unwrap_or_default()
    }

    /// What descriptor `fd` refers to.
    pub fn target(&self, fd: u32) -> Option<&Target> {
        let found = self.descriptors.iter().find(|descriptor| descriptor.fd == fd);
        found.map(|descriptor| &descriptor.target)
    }
}

impl Thread {
    /// Reads a thread; and how many threads its process has at that moment.
    fn read(folder: &Path) -> Option<(Self, u32)> {
        let tid = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = read_stat(folder)?;
        let call = read_text(folder.join("syscall")).ok();
        let [cpu_ns, waited_ns, turns] = read_schedstat(folder);
        let thread = Self {
            tid,
            name: stat.name,
            state: stat.state,
            call: call.as_deref().and_then(Call::parse),
            cpu_ns,
            turns,
            waited_ns,
        };
        Some((thread, stat.threads))
    }
}

/// How often the threads are read where some are missing: one that starts meanwhile may be.
const MOST_READS: usize = 4;

/// All threads of a process. While some begin and end the list may lack others, which are at work all
/// the same: a list that is shorter than the process's own count is not believed.
fn read_threads(folder: &Path) -> Option<Vec<Thread>> {
    let mut threads = Vec::new();
    for _ in 0..MOST_READS {
        threads.clear();
        let mut all = 0;
        for entry in fs::read_dir(folder).ok()?.flatten() {
            if let Some((thread, count)) = Thread::read(&entry.path()) {
                threads.push(thread);
                all = count as usize;
            }
        }
        if threads.len() >= all {
            break;
        }
    }
    threads.sort_by_key(|thread| thread.tid);
    Some(threads)
}

/// A thread's time on a processor and its time of waiting for one, in nanoseconds, and how often it
/// was put on one.
fn read_schedstat(folder: &Path) -> [u64; 3] {
    let text = read_text(folder.join("schedstat")).unwrap_or_default();
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

struct Stat {
    name: String,
    state: char,
    parent: u32,
    group: u32,
    /// Processor time, its own and that of the children that it has waited for, in [`TICK`]s.
    ticks: u64,
    /// Its own alone.
    own_ticks: u64,
    threads: u32,
}

/// What proc_pid_stat(5) counts processor time in: USER_HZ, which is 100 a second everywhere.
const TICK: Duration = Duration::from_millis(10);

fn stat_of(pid: u32) -> Option<Stat> {
    read_stat(&Path::new("/proc").join(pid.to_string()))
}

fn read_stat(folder: &Path) -> Option<Stat> {
    parse_stat(&read_text(folder.join("stat")).ok()?)
}

/// `PID (NAME) STATE PPID PGRP …`, times in columns 14 to 17, the number of threads in column 20
/// (proc_pid_stat(5)). The name may hold spaces and brackets, so the last bracket ends it.
fn parse_stat(text: &str) -> Option<Stat> {
    let open = text.find('(')?;
    let close = text.rfind(')')?;
    let name = text.get(open + 1..close)?.to_owned();
    let mut words = text.get(close + 1..)?.split_ascii_whitespace();
    let state = words.next()?.chars().next()?;
    let parent = words.next()?.parse().ok()?;
    let group = words.next()?.parse().ok()?;
    let mut words = words.skip(8);
    let mut two = || {
        let (user, system): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(user.saturating_add(system))
    };
    let own_ticks = two()?;
    let ticks = own_ticks.saturating_add(two()?);
    let threads = words.nth(2)?.parse().ok()?;
    Some(Stat { name, state, parent, group, ticks, own_ticks, threads })
}

fn read_descriptors(folder: &Path) -> Vec<Descriptor> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<Descriptor> = entries
        .filter_map(|entry| {
            let fd = entry.file_name().to_str()?.parse().ok()?;
            let target = parse_target(&fs::read_link(entry.path()).ok()?.to_string_lossy());
            Some(Descriptor { fd, target })
        })
        .collect();
    all.sort_by_key(|descriptor| descriptor.fd);
    all
}

fn parse_target(link: &str) -> Target {
    let inode = |link: &str| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    match inode(link) {
        Some(inode) => Target::Socket(inode),
        None if link.starts_with("pipe:[") => Target::Pipe,
        None => Target::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_columns() {
        let times = format!("{}1 20 300 4000 0 0", "0 ".repeat(8));
        let stat = parse_stat(&format!("42 (a) b (c) S 7 40 {times} 3 0")).unwrap();
        assert_eq!((stat.name.as_str(), stat.state), ("a) b (c", 'S'));
        assert_eq!((stat.parent, stat.group, stat.threads), (7, 40, 3));
        assert_eq!((stat.own_ticks, stat.ticks), (21, 4321));
    }

    #[test]
    fn a_cut_stat_line_is_no_process() {
        for text in ["", "42", "42 (a", "42 )a( S 1 1", "42 (a) S x 1", "42 (a) S 1 1 0"] {
            assert!(parse_stat(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn descriptors_tell_sockets_from_pipes() {
        assert_eq!(parse_target("socket:[1581]"), Target::Socket(1581));
        assert_eq!(parse_target("pipe:[77]"), Target::Pipe);
        assert_eq!(parse_target("/dev/null"), Target::Other);
        assert_eq!(parse_target("socket:[x]"), Target::Other);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_can_be_read() {
        let me = Process::read(std::process::id()).unwrap();
        assert!(me.threads.iter().any(|thread| thread.state == 'R'), "{me:?}");
        assert!(Process::resident_bytes(me.pid).unwrap() > 0);
        assert!(process_tree(me.pid).unwrap().contains(&me.pid));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_threads_of_a_program_are_counted_without_reading_each() {
        let before = count_threads(std::process::id()).unwrap();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = std::sync::Mutex::new(ended);
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| ended.lock().unwrap().recv());
            }
            // Tests run side by side, and those have threads, too.
            let now = count_threads(std::process::id()).unwrap();
            drop(end);
            assert!(now >= 50 && before >= 1, "{before} threads, then {now}");
        });
    }
}
