//! What the threads of a program are blocked in, at one look.

use super::Snapshot;
use super::calls::Waits;
use super::process::{Process, Target, Thread};

impl Snapshot {
    /// Whether the program only waits for time to pass: some thread sleeps, and none waits for a
    /// socket or any other descriptor.
    pub fn only_sleeps(&self) -> bool {
        let waits = |(_, thread): (&Process, &Thread)| thread.call.as_ref().map(|call| call.waits);
        let idle = [Waits::Time, Waits::Thread, Waits::Child, Waits::Signal];
        self.threads().map(waits).all(|waits| waits.is_some_and(|waits| idle.contains(&waits)))
            && self.threads().map(waits).any(|waits| waits == Some(Waits::Time))
    }

    /// Whether every thread is blocked in a call at this moment, whatever may wake it.
    pub fn is_asleep(&self) -> bool {
        self.threads().all(|(_, thread)| thread.state == 'S' && thread.call.is_some())
    }

    /// Whether every thread is stopped by a signal (SIGSTOP).
    pub fn is_stopped(&self) -> bool {
        self.threads().all(|(_, thread)| matches!(thread.state, 'T' | 't'))
    }

    /// Whether the main thread of a process waits for another thread, for as long as that takes, and
    /// none of its threads waits for input or for events: a runtime with threads of its own parks
    /// the first one, and another one waits for whatever comes next.
    pub fn waits_for_a_thread(&self) -> bool {
        let call = |thread: &Thread| thread.call.clone();
        self.processes.iter().any(|process| {
            let first = process.threads.first().and_then(call);
            first.is_some_and(|call| call.waits == Waits::Thread && !call.timed)
                && !process.threads.iter().filter_map(call).any(|call| match call.waits {
                    Waits::Events => true,
                    Waits::Receive => call.fd == Some(0),
                    _ => false,
                })
        })
    }

    /// Whether a thread is blocked in sending on a socket.
    pub fn is_blocked_in_send(&self) -> bool {
        self.threads().any(|(process, thread)| {
            let Some(call) = &thread.call else { return false };
            let fd = match call.waits {
                Waits::Send => call.fd,
                Waits::Splice => call.to,
                _ => None,
            };
            matches!(fd.and_then(|fd| process.target(fd)), Some(Target::Socket(_)))
        })
    }

    /// Whether a thread is blocked in writing to a pipe: to its standard output, which nobody reads.
    pub fn is_blocked_in_output(&self) -> bool {
        self.threads().any(|(process, thread)| {
            let call = thread.call.as_ref().filter(|call| call.waits == Waits::Send);
            let fd = call.and_then(|call| call.fd);
            fd.and_then(|fd| process.target(fd)) == Some(&Target::Pipe)
        })
    }

    /// Whether a thread does nothing but wait for time to pass.
    pub fn sleeps(&self) -> bool {
        let waits = |thread: &Thread| thread.call.as_ref().map(|call| call.waits);
        self.threads().any(|(_, thread)| waits(thread) == Some(Waits::Time))
    }
}
