//! Nothing is left of those who have gone: descriptors and threads do not grow with the clients.

use crate::net::Service;
use crate::trial::Verdict;

/// Clients after the first batch: enough to tell what grows with them from what comes and goes.
const ENOUGH: usize = 30;

impl Service {
    /// Expects that the program keeps nothing of those who have come and gone. `batch` lets some
    /// come and go, and returns how many.
    ///
    /// A runtime may open sockets of its own at the first client, and keep a pool of threads: so
    /// the first batch is not counted, and what is judged is what grows with the others.
    pub fn expect_no_growth(
        &self,
        whom: &str,
        mut batch: impl FnMut() -> Verdict<usize>,
    ) -> Verdict {
        self.trial().needs_watching()?;
        let first = batch()?;
        let before = self.settle()?;
        let mut more = 0;
        while more < ENOUGH {
            more += batch()?;
        }
        self.trial().note(format!("{first} {whom} came and went, and then {more} more"));
        let (sockets, threads) = (before.socket_descriptors(), before.threads().count());
        let cause = "each of them leaves something behind: a stream that is kept, or a clone of \
                     it, or a thread that never ends";
        self.expect_shown(
            &format!("the {} keeps something of those who have gone", self.running.name),
            &format!("sockets: {sockets}, threads: {threads}, as after the first {first}"),
            cause,
            |now| match (now.socket_descriptors(), now.threads().count()) {
                (s, n) if s < sockets + more / 2 && n < threads + more / 2 => Ok(()),
                (s, n) => Err(format!("sockets: {s}, threads: {n}")),
            },
        )?;
        Ok(())
    }
}
