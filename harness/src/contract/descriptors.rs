//! Out of descriptors: `accept` fails for a while, and that is no reason to end or to spin.

use crate::kernel::Process;
use crate::net::Service;
use crate::trial::{Stall, StallKind, Stop, Verdict};

/// Descriptors for any program with a few clients.
const ENOUGH: u32 = 500;

impl Service {
    /// From now on the program gets no descriptor beside those that it has.
    pub(crate) fn withhold_descriptors(&self) -> Verdict {
        let t = self.trial();
        t.needs_watching()?;
        let held = self.settle()?;
        let program = &self.running.program;
        let free = held.processes.iter().find(|process| process.pid == program.pid());
        let free = free.map_or(0, Process::lowest_free_descriptor);
        program.limit_descriptors(free).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Stop::Skip(error.to_string()),
            _ => error.into(),
        })?;
        let name = &self.running.name;
        t.note(format!("the {name} gets no more descriptors (RLIMIT_NOFILE is {free} now)"));
        Ok(())
    }

    /// Expects that the program does not spin while accept fails.
    pub(crate) fn expect_rest_without_descriptors(&self) -> Verdict {
        let (t, name) = (self.trial(), &self.running.name);
        if !matches!(t.settle(&self.running)?, Err(Stall { kind: StallKind::Busy })) {
            return Ok(());
        }
        Err(t
            .fail(format!("the {name} spins while it is out of descriptors"))
            .expected("it waits a moment before it calls accept again")
            .seen("accept fails and is called again at once, with all of the processor's time")
            .cause(
                "the caller stays in the queue as long as there is no descriptor for it, so \
                 the next accept fails at once, too: sleep for some milliseconds after an error",
            )
            .stop())
    }

    /// The program gets as many as it needs again.
    pub(crate) fn restore_descriptors(&self) -> Verdict {
        self.running.program.limit_descriptors(ENOUGH)?;
        self.trial().note("it gets descriptors again");
        Ok(())
    }

    /// Expects that the program waits while it is out of descriptors, and goes on when it gets
    /// some again.
    pub fn expect_to_outlast_few_descriptors(&self) -> Verdict {
        self.withhold_descriptors()?;
        // Linux has set one aside for the accept that waits: it is the one after that which fails.
        self.connect()?.close();
        self.expect_rest_without_descriptors()?;
        self.settle()?;
        let client = self.connect()?;
        self.restore_descriptors()?;
        self.wait_until_accepted()?;
        client.close();
        Ok(())
    }
}
