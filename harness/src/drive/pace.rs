//! How well the harness keeps up with what comes on a connection.

use std::time::{Duration, Instant};

/// When the harness has read what came.
#[derive(Debug)]
pub(super) struct Pace {
    /// When all that had come was read.
    emptied: Instant,
    /// Whether something was read since.
    behind: bool,
    /// For how long nothing was read, where something had come meanwhile.
    pub(super) longest: Duration,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { emptied: Instant::now(), behind: false, longest: Duration::ZERO }
    }

    /// Something was read.
    pub(super) fn read(&mut self) {
        self.behind = true;
    }

    /// All that had come is read.
    pub(super) fn empty(&mut self) {
        if self.behind {
            self.longest = self.longest.max(self.emptied.elapsed());
        }
        (self.emptied, self.behind) = (Instant::now(), false);
    }
}
