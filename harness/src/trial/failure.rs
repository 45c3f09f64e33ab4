//! Saying what a program did wrong, so that its author learns from it.

use std::rc::Rc;

use super::unwritten::unwritten;
use super::{Running, Stall, StallKind, Stop, Trial};
use crate::kernel::{Snapshot, available};
use crate::program::describe_exit;
use crate::verdict::{Difference, Failure};

/// A failure in the making: see [`Trial::fail`].
#[derive(Debug)]
#[must_use = "a failure counts only when `stop` is returned"]
pub struct FailureBuilder {
    trial: Trial,
    failure: Failure,
}

/// Lines of standard error that are shown.
const STDERR_LINES: usize = 6;
/// Lines about the threads of one program that are shown.
const MOST_LINES: usize = 20;

impl FailureBuilder {
    pub(super) fn new(trial: Trial, headline: String) -> Self {
        Self { trial, failure: Failure { headline, ..Failure::default() } }
    }

    /// Adds an acceptable outcome.
    pub fn expected(mut self, what: impl Into<String>) -> Self {
        self.failure.expected.push(what.into());
        self
    }

    /// Adds what was seen instead.
    pub fn seen(mut self, what: impl Into<String>) -> Self {
        self.failure.seen.push(what.into());
        self
    }

    /// Adds the first difference of two byte strings, if there is one.
    pub fn difference(mut self, expected: &[u8], seen: &[u8]) -> Self {
        self.failure.difference = Difference::between(expected, seen);
        self
    }

    /// Adds a likely cause.
    pub fn cause(mut self, what: impl Into<String>) -> Self {
        self.failure.cause.push(what.into());
        self
    }

    /// Adds where the program is now, stops it, and ends the check.
    ///
    /// The programs are stopped before their standard error is read, so that it is complete:
    /// that an unwritten step was reached is never a matter of who was faster.
    pub fn stop(mut self) -> Stop {
        let running = self.trial.running();
        let last_of_its_name = |one: &Rc<Running>| {
            let last = running.iter().rfind(|other| other.name == one.name);
            last.is_some_and(|last| Rc::ptr_eq(last, one))
        };
        // Where a program was started again, how it ended before is told by the steps.
        let ended = |one: &Rc<Running>| matches!(one.program.exited(), Ok(Some(_)));
        let (told, past): (Vec<_>, Vec<_>) =
            running.iter().partition(|one| last_of_its_name(one) || !ended(one));
        let several = told.len() > 1;
        for one in told.iter().copied() {
            let before = if several { format!("{}: ", one.name) } else { String::new() };
            match one.program.exited() {
                Ok(Some(status)) => {
                    self.failure.program.push(format!("{before}ended, {}", describe_exit(status)));
                }
                _ if available().is_err() => {}
                _ => {
                    // Where it comes to rest says more than where it was a moment ago; of a busy
                    // program it is known that it does not.
                    let rest =
                        if self.trial.0.busy.get() { None } else { self.trial.settle(one).ok() };
                    if let Some(Err(Stall { kind: StallKind::Ended(status) })) = rest {
                        let how = describe_exit(status);
                        self.failure.program.push(format!("{before}ended, {how}"));
                        continue;
                    }
                    let rest = rest.and_then(Result::ok);
                    let now = || Snapshot::take(one.program.family()).ok();
                    if let Some(snapshot) = rest.or_else(now) {
                        let place = snapshot.place(&self.trial.names());
                        let place = shortened(place);
                        let place = place.into_iter().map(|line| format!("{before}{line}"));
                        self.failure.program.extend(place);
                    }
                }
            }
        }
        // Before the programs are stopped: that would end their streams, too.
        let carried: Vec<_> =
            self.trial.0.in_flight.borrow().iter().flat_map(|c| c.tell()).collect();
        // Of a program that was started several times the last run is the one that is judged.
        for (one, judged) in
            past.iter().map(|one| (one, false)).chain(told.iter().map(|one| (one, true)))
        {
            if let Err(error) = one.program.stop() {
                return error.into();
            }
            let stderr = one.program.stderr();
            if let Some(unwritten) = unwritten(&String::from_utf8_lossy(&stderr.head))
                && self.trial.0.needs.includes(unwritten.step)
            {
                return Stop::Unwritten(unwritten);
            }
            if judged {
                self.failure.stderr.extend(stderr.telling_lines(STDERR_LINES));
            }
        }
        self.failure.steps = self.trial.0.log.borrow().clone();
        self.failure.steps.extend(carried);
        let Failure { headline, expected, seen, program, stderr, cause, .. } = &mut self.failure;
        *seen = shortened(std::mem::take(seen));
        let texts = [expected, seen, program, stderr, cause].into_iter().flatten();
        for text in texts.chain([headline]) {
            *text = self.trial.with_folders_named(std::mem::take(text));
        }
        Stop::Fail(Box::new(self.failure))
    }
}

/// A program of thousands of threads, or sockets, is not told of one by one.
fn shortened(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() <= MOST_LINES {
        return lines;
    }
    let rest = lines.split_off(MOST_LINES / 2);
    let what = if rest.iter().all(|line| line.contains("thread ")) {
        "threads"
    } else {
        "lines like these"
    };
    lines.push(format!("and {} more {what}", rest.len()));
    lines
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn of_thousands_of_threads_ten_are_told() {
        let lines = |count| (0..count).map(|n| format!("thread {n} waits")).collect::<Vec<_>>();
        assert_eq!(shortened(lines(20)), lines(20));
        let cut = shortened(lines(2000));
        assert_eq!((cut.len(), cut[10].as_str()), (11, "and 1990 more threads"));
    }
}
