//! Memory stays bounded, whatever passes through a program.

use crate::kernel;
use crate::net::Connection;
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
    /// it. So where it uses much more than before, `more` has `MORE` pass through it, again and
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

/// Many times what the queues of a connection take, in bytes.
const FLOOD: usize = 64 << 20;

impl Connection {
    /// Expects that the program stops reading from this connection when it can't pass anything on,
    /// since `who` does not read: else it would have to keep all of it.
    pub fn expect_to_be_held_up(&mut self, who: &str) -> Verdict {
        let (t, running) = (self.trial().clone(), self.running().clone());
        let before = t.memory(&running)?;
        // Lines without a character: who waits for a line end has one.
        let taken = self.stall(&vec![b'\n'; FLOOD])?;
        let grown = t.memory(&running)?.saturating_sub(before);
        if taken < FLOOD || grown < FLOOD as u64 / 2 {
            return Ok(());
        }
        let name = &running.name;
        Err(t
            .fail(format!("the {name} collects in memory what {who} does not read"))
            .expected("it stops reading when it can't write any more: memory stays bounded")
            .seen(format!("it took {}, and uses {} more", count(taken), count(grown as usize)))
            .cause(
                "a program that reads on while nothing can be written keeps the difference. A blocking write \
                 waits; with events or callbacks wait for the write (drain, flush, pipe) before \
                 you read again",
            )
            .stop())
    }
}
