//! Memory stays bounded, whatever passes through a program.

use crate::kernel;
use crate::trial::{Running, Trial, Verdict};
use crate::words::count;

/// What a program may need more of once it is at work: buffers, stacks, its allocator's reserve.
const ROOM: u64 = 4 << 20;

impl Trial {
    /// How much memory the program uses (resident), in bytes.
    pub fn memory(&self, running: &Running) -> Verdict<u64> {
        self.needs_watching()?;
        Ok(kernel::resident_bytes(running.program.family())?)
    }

    /// Expects that a program keeps little of the `first` bytes that have passed through it since
    /// it used `before` bytes of memory.
    ///
    /// Garbage that is not collected yet is no leak, and a program may have tens of megabytes of
    /// it. So where it uses much more than before, `more` has [`MORE`] pass through it, again and
    /// again: what is kept grows with the stream each time, what is garbage does not.
    pub fn expect_bounded(
        &self,
        running: &Running,
        before: u64,
        first: usize,
        mut more: impl FnMut() -> Verdict,
    ) -> Verdict {
        let mut after = self.memory(running)?;
        let grown = after.saturating_sub(before);
        if grown < ROOM {
            return Ok(());
        }
        let mut kept = Vec::new();
        for _ in 0..TIMES {
            more()?;
            let now = self.memory(running)?;
            let again = now.saturating_sub(after);
            if again < MORE as u64 / 2 {
                return Ok(());
            }
            kept.push(count(again as usize));
            after = now;
        }
        Err(self
            .fail(format!("the {} keeps the stream in memory", running.name))
            .expected("memory stays bounded, however long the stream is")
            .seen(format!("{} more memory after {}", count(grown as usize), count(first)))
            .seen(format!("then, after each {} more: {}", count(MORE), kept.join(", ")))
            .cause("each piece can be passed on and forgotten; nothing needs to be collected")
            .stop())
    }
}

/// How often that is done before a program is blamed.
const TIMES: usize = 3;

/// How much passes through a program that may keep what passes through it, in bytes.
pub(crate) const MORE: usize = 64 << 20;
