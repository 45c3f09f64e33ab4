//! System calls by number, as `/proc/PID/task/TID/syscall` shows them, and what it means to be
//! blocked in each.
//!
//! The numbers are per architecture: `arch/x86/entry/syscalls/syscall_64.tbl` and
//! `include/uapi/asm-generic/unistd.h` (aarch64 and riscv64).

use std::time::Duration;

/// What a thread that is blocked in a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// A connection, on the listener in the first argument.
    Accept,
    /// Bytes (or their end), on the descriptor in the first argument.
    Receive,
    /// Room for bytes, on the descriptor in the first argument.
    Send,
    /// Bytes on the descriptor in the first argument, or room for them on the one in the third.
    Splice,
    /// The answer to a SYN, on the descriptor in the first argument.
    Connect,
    /// An event on one of several descriptors.
    Events,
    /// Another thread: a lock, a condition, a channel, a join.
    Thread,
    /// A child process.
    Child,
    /// Only the clock.
    Time,
    /// A signal.
    Signal,
    /// The file system: a disk, a lock on a file, the other end of a FIFO.
    File,
    /// Something that this table does not know.
    Unknown,
}

/// How a call says that it gives up waiting.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// It does not: it waits for ever (but for socket time-outs, which `/proc` does not show).
    Never,
    /// Milliseconds in this argument; negative is for ever.
    Millis(usize),
    /// A pointer in this argument; null is for ever.
    Pointer(usize),
    /// Always.
    Always,
}

/// A call that a thread is blocked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its POSIX or Linux name; `system call N` where this table has none.
    pub name: String,
    /// What it waits for.
    pub waits: Waits,
    /// The descriptor that it waits on, where it is one.
    pub fd: Option<u32>,
    /// The descriptor that it writes to, where it reads from `fd` and writes in one call.
    pub to: Option<u32>,
    /// Whether it gives up by itself after some time.
    pub timed: bool,
    /// After how long from its beginning, where that stands in the call itself.
    pub time_out: Option<Duration>,
    /// Whether it asks where the bytes come from, or says where they go: `recvfrom` and `sendto`
    /// with an address, which std calls `recv_from` and `send_to`.
    pub addressed: bool,
}

impl Call {
    /// Reads `/proc/PID/task/TID/syscall`: `NUMBER ARG0 … ARG5 SP PC`. `None` where the thread
    /// runs, or is blocked outside a call (a page fault).
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        if number < 0 {
            return None;
        }
        let mut arguments = [0_u64; 6];
        for argument in &mut arguments {
            let word = words.next()?.strip_prefix("0x")?;
            *argument = u64::from_str_radix(word, 16).ok()?;
        }
        Some(Self::new(number, arguments))
    }

    fn new(number: i64, arguments: [u64; 6]) -> Self {
        let known = TABLE.iter().find(|(candidate, ..)| *candidate == number);
        let Some(&(_, name, waits, limit)) = known else {
            return Self::of(&format!("system call {number}"));
        };
        let splices = waits == Waits::Splice;
        let on_fd = matches!(waits, Waits::Accept | Waits::Receive | Waits::Send | Waits::Connect);
        // The kernel takes the low 32 bits of an int argument; the rest may be anything.
        let fd = (on_fd || splices).then_some(arguments[0] as u32);
        let to = splices.then_some(arguments[2] as u32);
        let timed = match limit {
            Limit::Never => false,
            Limit::Millis(index) => arguments[index] as i32 >= 0,
            Limit::Pointer(index) => arguments[index] != 0,
            Limit::Always => true,
        };
        let time_out = match limit {
            Limit::Millis(index) => u64::try_from(arguments[index] as i32).ok(),
            _ => None,
        };
        let time_out = time_out.map(Duration::from_millis);
        let addressed = ADDRESSED.contains(&number) && arguments[4] != 0;
        Self { waits, fd, to, timed, time_out, addressed, ..Self::of(name) }
    }

    /// What std calls it on a UDP socket.
    pub fn datagram_name(&self) -> &str {
        match (self.name.as_str(), self.addressed) {
            ("read", true) => "recv_from",
            ("read", false) => "recv",
            ("write", true) => "send_to",
            ("write", false) => "send",
            (name, _) => name,
        }
    }

    /// A call of this name of which nothing else is known.
    pub(super) fn of(name: &str) -> Self {
        let (name, waits) = (name.to_owned(), Waits::Unknown);
        Self { name, waits, fd: None, to: None, timed: false, time_out: None, addressed: false }
    }
}

type Entry = (i64, &'static str, Waits, Limit);

#[cfg(target_arch = "x86_64")]
const TABLE: &[Entry] = &[
    (0, "read", Waits::Receive, Limit::Never),
    (1, "write", Waits::Send, Limit::Never),
    (2, "open", Waits::File, Limit::Never),
    (7, "poll", Waits::Events, Limit::Millis(2)),
    (17, "pread", Waits::File, Limit::Never),
    (18, "pwrite", Waits::File, Limit::Never),
    (19, "readv", Waits::Receive, Limit::Never),
    (20, "writev", Waits::Send, Limit::Never),
    (23, "select", Waits::Events, Limit::Pointer(4)),
    (34, "pause", Waits::Signal, Limit::Never),
    (35, "nanosleep", Waits::Time, Limit::Always),
    (40, "sendfile", Waits::Send, Limit::Never),
    (42, "connect", Waits::Connect, Limit::Always),
    (43, "accept", Waits::Accept, Limit::Never),
    // std's TcpStream reads with recvfrom and writes with sendto: the reader wrote `read` and
    // `write`, and POSIX says that without flags they are the same.
    (44, "write", Waits::Send, Limit::Never),
    (45, "read", Waits::Receive, Limit::Never),
    (46, "sendmsg", Waits::Send, Limit::Never),
    (47, "recvmsg", Waits::Receive, Limit::Never),
    (61, "wait4", Waits::Child, Limit::Never),
    (72, "fcntl", Waits::File, Limit::Never),
    (73, "flock", Waits::File, Limit::Never),
    (74, "fsync", Waits::File, Limit::Never),
    (75, "fdatasync", Waits::File, Limit::Never),
    (77, "ftruncate", Waits::File, Limit::Never),
    (82, "rename", Waits::File, Limit::Never),
    (83, "mkdir", Waits::File, Limit::Never),
    (84, "rmdir", Waits::File, Limit::Never),
    (87, "unlink", Waits::File, Limit::Never),
    (128, "rt_sigtimedwait", Waits::Signal, Limit::Pointer(2)),
    (130, "rt_sigsuspend", Waits::Signal, Limit::Never),
    (202, "futex", Waits::Thread, Limit::Pointer(3)),
    (217, "getdents", Waits::File, Limit::Never),
    (219, "restart_syscall", Waits::Time, Limit::Always),
    (230, "clock_nanosleep", Waits::Time, Limit::Always),
    (232, "epoll_wait", Waits::Events, Limit::Millis(3)),
    (247, "waitid", Waits::Child, Limit::Never),
    (257, "openat", Waits::File, Limit::Never),
    (263, "unlinkat", Waits::File, Limit::Never),
    (264, "renameat", Waits::File, Limit::Never),
    (270, "pselect6", Waits::Events, Limit::Pointer(4)),
    (271, "ppoll", Waits::Events, Limit::Pointer(2)),
    // What io::copy does between a socket and a pipe.
    (275, "splice", Waits::Splice, Limit::Never),
    (281, "epoll_pwait", Waits::Events, Limit::Millis(3)),
    (288, "accept", Waits::Accept, Limit::Never),
    (299, "recvmmsg", Waits::Receive, Limit::Pointer(4)),
    (307, "sendmmsg", Waits::Send, Limit::Never),
    (316, "renameat2", Waits::File, Limit::Never),
    (326, "copy_file_range", Waits::File, Limit::Never),
    (441, "epoll_pwait2", Waits::Events, Limit::Pointer(3)),
];

/// `sendto` and `recvfrom`.
#[cfg(target_arch = "x86_64")]
const ADDRESSED: [i64; 2] = [44, 45];

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const TABLE: &[Entry] = &[
    (22, "epoll_pwait", Waits::Events, Limit::Millis(3)),
    (25, "fcntl", Waits::File, Limit::Never),
    (32, "flock", Waits::File, Limit::Never),
    (34, "mkdirat", Waits::File, Limit::Never),
    (35, "unlinkat", Waits::File, Limit::Never),
    (38, "renameat", Waits::File, Limit::Never),
    (46, "ftruncate", Waits::File, Limit::Never),
    (56, "openat", Waits::File, Limit::Never),
    (61, "getdents", Waits::File, Limit::Never),
    (63, "read", Waits::Receive, Limit::Never),
    (64, "write", Waits::Send, Limit::Never),
    (65, "readv", Waits::Receive, Limit::Never),
    (66, "writev", Waits::Send, Limit::Never),
    (67, "pread", Waits::File, Limit::Never),
    (68, "pwrite", Waits::File, Limit::Never),
    (71, "sendfile", Waits::Send, Limit::Never),
    (72, "pselect6", Waits::Events, Limit::Pointer(4)),
    (73, "ppoll", Waits::Events, Limit::Pointer(2)),
    (76, "splice", Waits::Splice, Limit::Never),
    (82, "fsync", Waits::File, Limit::Never),
    (83, "fdatasync", Waits::File, Limit::Never),
    (95, "waitid", Waits::Child, Limit::Never),
    (98, "futex", Waits::Thread, Limit::Pointer(3)),
    (101, "nanosleep", Waits::Time, Limit::Always),
    (115, "clock_nanosleep", Waits::Time, Limit::Always),
    (128, "restart_syscall", Waits::Time, Limit::Always),
    (133, "rt_sigsuspend", Waits::Signal, Limit::Never),
    (137, "rt_sigtimedwait", Waits::Signal, Limit::Pointer(2)),
    (202, "accept", Waits::Accept, Limit::Never),
    (203, "connect", Waits::Connect, Limit::Always),
    (206, "write", Waits::Send, Limit::Never),
    (207, "read", Waits::Receive, Limit::Never),
    (211, "sendmsg", Waits::Send, Limit::Never),
    (212, "recvmsg", Waits::Receive, Limit::Never),
    (242, "accept", Waits::Accept, Limit::Never),
    (243, "recvmmsg", Waits::Receive, Limit::Pointer(4)),
    (260, "wait4", Waits::Child, Limit::Never),
    (269, "sendmmsg", Waits::Send, Limit::Never),
    (276, "renameat2", Waits::File, Limit::Never),
    (285, "copy_file_range", Waits::File, Limit::Never),
    (441, "epoll_pwait2", Waits::Events, Limit::Pointer(3)),
];

/// `sendto` and `recvfrom`.
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const ADDRESSED: [i64; 2] = [206, 207];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
const ADDRESSED: [i64; 0] = [];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
const TABLE: &[Entry] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_thread_is_in_no_call() {
        assert_eq!(Call::parse("running\n"), None);
        assert_eq!(Call::parse("-1 0x7ffe427b29d8 0x7f9fb38092ad"), None);
        assert_eq!(Call::parse(""), None);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn accept4_on_descriptor_3_is_accept() {
        let call = Call::parse("288 0x3 0x7ffd0 0x7ffd8 0x80000 0x0 0x0 0x7ffd 0x7f9f").unwrap();
        assert_eq!((call.name.as_str(), call.fd), ("accept", Some(3)));
        assert_eq!(call.waits, Waits::Accept);
        assert!(!call.timed);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn receiving_from_anybody_is_told_from_receiving() {
        let from_anybody = "45 0x3 0x7ffd0 0x200 0x0 0x7ffe0 0x7ffe8 0x7ffd 0x7f9f";
        assert!(Call::parse(from_anybody).unwrap().addressed);
        let receiving = "45 0x3 0x7ffd0 0x200 0x0 0x0 0x0 0x7ffd 0x7f9f";
        assert!(!Call::parse(receiving).unwrap().addressed);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn what_a_file_makes_a_thread_wait_for_has_a_name() {
        let name = |number| Call::parse(&format!("{number} 0x3 0x0 0x0 0x0 0x0 0x0 0x7 0x7"));
        for (number, expected) in
            [(74, "fsync"), (75, "fdatasync"), (82, "rename"), (257, "openat")]
        {
            let call = name(number).unwrap();
            assert_eq!((call.name.as_str(), call.waits), (expected, Waits::File));
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn splice_has_two_descriptors() {
        let call = Call::parse("275 0x0 0x0 0x4 0x0 0x7ffff000 0x0 0x7ffd 0x7f9f").unwrap();
        assert_eq!((call.waits, call.fd, call.to), (Waits::Splice, Some(0), Some(4)));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn poll_with_a_negative_time_out_waits_for_ever() {
        let for_ever = "7 0x7ffd0 0x1 0xffffffff 0x0 0x0 0x0 0x7ffd 0x7f9f";
        assert!(!Call::parse(for_ever).unwrap().timed);
        let half_a_second = "7 0x7ffd0 0x1 0x1f4 0x0 0x0 0x0 0x7ffd 0x7f9f";
        let call = Call::parse(half_a_second).unwrap();
        assert!(call.timed);
        assert_eq!(call.time_out, Some(Duration::from_millis(500)));
    }
}
