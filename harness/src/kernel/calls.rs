//! System calls by number, as `/proc/PID/task/TID/syscall` shows them, and what it means to be
//! blocked in each.
//!
//! The numbers are per architecture: `arch/x86/entry/syscalls/syscall_64.tbl` and
//! `include/uapi/asm-generic/unistd.h` (aarch64 and riscv64).

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
            let name = format!("system call {number}");
            return Self { name, waits: Waits::Unknown, fd: None, to: None, timed: false };
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
        Self { name: name.to_owned(), waits, fd, to, timed }
    }
}

type Entry = (i64, &'static str, Waits, Limit);

#[cfg(target_arch = "x86_64")]
const TABLE: &[Entry] = &[
    (0, "read", Waits::Receive, Limit::Never),
    (1, "write", Waits::Send, Limit::Never),
    (7, "poll", Waits::Events, Limit::Millis(2)),
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
    (128, "rt_sigtimedwait", Waits::Signal, Limit::Pointer(2)),
    (130, "rt_sigsuspend", Waits::Signal, Limit::Never),
    (202, "futex", Waits::Thread, Limit::Pointer(3)),
    (219, "restart_syscall", Waits::Time, Limit::Always),
    (230, "clock_nanosleep", Waits::Time, Limit::Always),
    (232, "epoll_wait", Waits::Events, Limit::Millis(3)),
    (247, "waitid", Waits::Child, Limit::Never),
    (270, "pselect6", Waits::Events, Limit::Pointer(4)),
    (271, "ppoll", Waits::Events, Limit::Pointer(2)),
    // What io::copy does between a socket and a pipe.
    (275, "splice", Waits::Splice, Limit::Never),
    (281, "epoll_pwait", Waits::Events, Limit::Millis(3)),
    (288, "accept", Waits::Accept, Limit::Never),
    (441, "epoll_pwait2", Waits::Events, Limit::Pointer(3)),
];

#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const TABLE: &[Entry] = &[
    (22, "epoll_pwait", Waits::Events, Limit::Millis(3)),
    (63, "read", Waits::Receive, Limit::Never),
    (64, "write", Waits::Send, Limit::Never),
    (65, "readv", Waits::Receive, Limit::Never),
    (66, "writev", Waits::Send, Limit::Never),
    (71, "sendfile", Waits::Send, Limit::Never),
    (72, "pselect6", Waits::Events, Limit::Pointer(4)),
    (73, "ppoll", Waits::Events, Limit::Pointer(2)),
    (76, "splice", Waits::Splice, Limit::Never),
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
    (260, "wait4", Waits::Child, Limit::Never),
    (441, "epoll_pwait2", Waits::Events, Limit::Pointer(3)),
];

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
        assert!(Call::parse(half_a_second).unwrap().timed);
    }
}
