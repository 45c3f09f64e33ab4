//! How well the harness keeps up with what comes on a connection.

use std::time::{Duration, Instant};

/// A peer may give up on a reader whose queues are full, and it must not take the harness for
/// such a one. Shorter than any limit that a peer would set.
const ABSENCE: Duration = Duration::from_millis(50);
/// Less than the queues between two programs hold, in bytes.
const QUEUED: usize = 32 * 1024;

/// When the harness has read what came.
#[derive(Debug)]
pub(super) struct Pace {
    /// When all that had come was read.
    emptied: Instant,
    /// Bytes that were read since.
    since: usize,
    late: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { emptied: Instant::now(), since: 0, late: false }
    }

    /// So many bytes were read.
    pub(super) fn read(&mut self, bytes: usize) {
        self.since += bytes;
    }

    /// All that had come is read.
    pub(super) fn empty(&mut self) {
        if self.since > 0 {
            self.late = self.since > QUEUED && self.emptied.elapsed() > ABSENCE;
        }
        (self.emptied, self.since) = (Instant::now(), 0);
    }

    /// Whether the last that came may have waited in full queues, since nobody read it.
    pub(super) fn is_late(&self) -> bool {
        self.late
    }
}
