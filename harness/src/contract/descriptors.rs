//! Out of descriptors: `accept` fails for a while, and that is no reason to end or to spin.

use crate::kernel::Process;
use crate::net::Service;
use crate::trial::{Stall, StallKind, Stop, Verdict};

/// Descriptors for any program with one client.
const ENOUGH: u32 = 200;

impl Service {
    /// Expects that the program waits while it is out of descriptors, and goes on when it gets
    /// some again.
    pub fn expect_to_outlast_few_descriptors(&self) -> Verdict {
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
        // Linux has set one aside for the accept that waits: it is the one after that which fails.
        self.connect()?.close();
        if matches!(t.settle(&self.running)?, Err(Stall { kind: StallKind::Busy })) {
            return Err(t
                .fail(format!("the {name} spins while it is out of descriptors"))
                .expected("it waits a moment before it calls accept again")
                .seen("accept fails and is called again at once, with all of the processor's time")
                .cause(
                    "the caller stays in the queue as long as there is no descriptor for it, so \
                     the next accept fails at once, too: sleep for some milliseconds after an error",
                )
                .stop());
        }
        self.settle()?;
        let client = self.connect()?;
        program.limit_descriptors(ENOUGH)?;
        t.note("it gets descriptors again");
        self.wait_until_accepted()?;
        client.close();
        Ok(())
    }
}
