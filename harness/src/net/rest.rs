//! A program at rest: it has done all that it will do by itself, and waits without using the
//! processor.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::causes::{BUSY, SPINS};
use crate::kernel::{Snapshot, State, Stillness};
use crate::trial::{Progress, Running, Stall, StallKind, Stop, Trial, Verdict};

/// Where a call has a time-out, the program is watched for so long.
const WINDOW: Duration = Duration::from_millis(200);
/// And so often, as long as it does not rest.
const WINDOWS: u32 = 3;

impl Trial {
    /// Waits until the program has come to rest, whatever it is blocked in, or has shown that it
    /// does not: that it runs idle is another check's matter. That it ends is a failure, in the
    /// words of `ended`.
    pub(crate) fn settle_or(
        &self,
        running: &Running,
        ended: impl FnOnce(ExitStatus) -> Stop,
    ) -> Verdict<Snapshot> {
        match self.settle(running)? {
            Ok(snapshot) => Ok(snapshot),
            Err(stall) => match stall.kind {
                StallKind::Ended(status) => Err(ended(status)),
                _ => self.look(running),
            },
        }
    }

    /// Expects that the program comes to rest, whatever it is blocked in.
    pub(crate) fn expect_rest(
        &self,
        running: &Running,
        ended: impl FnOnce(ExitStatus) -> Stop,
    ) -> Verdict<Snapshot> {
        let stall = match self.settle(running)? {
            Ok(snapshot) => return Ok(snapshot),
            Err(stall) => stall,
        };
        if let StallKind::Ended(status) = stall.kind {
            return Err(ended(status));
        }
        Err(self
            .fail(format!("the {} does not come to rest", running.name))
            .expected("every thread is blocked in a call when there is nothing to do")
            .seen(stall.sentence(&running.name))
            .cause(self.why_busy(running))
            .stop())
    }

    /// Why a program may run and run: one that holds the connection of somebody who has ended it
    /// reads what is no more.
    pub(crate) fn why_busy(&self, running: &Running) -> &'static str {
        let ended = |now: Snapshot| now.own_rows().iter().any(|row| row.state == State::CloseWait);
        if self.look(running).is_ok_and(ended) { BUSY } else { SPINS }
    }

    /// Expects that the program, which has come to rest in the look `first`, stays there. Two
    /// looks that find every thread asleep in the same call prove it at once; where a call has
    /// a time-out, processor time decides. That it ends is a failure, in the words of `ended`.
    pub(crate) fn expect_idle(
        &self,
        running: &Running,
        first: &Snapshot,
        ended: impl FnOnce(ExitStatus) -> Stop,
    ) -> Verdict {
        let name = &running.name;
        if first.stillness(first) == Stillness::Still {
            self.note(format!("the {name} is at rest: every thread is blocked"));
            return Ok(());
        }
        if first.only_sleeps() {
            return Err(self
                .fail(format!("the {name} sleeps instead of waiting"))
                .expected(
                    "blocked in a call on a socket (accept, read), which wakes it when there is \
                     something to do",
                )
                .seen(format!(
                    "no thread waits for a socket: the {name} sleeps, looks, and sleeps again"
                ))
                .cause(
                    "a blocking call costs nothing while it waits, and wakes at once: no sleep \
                     and no non-blocking mode is needed",
                )
                .stop());
        }
        // Something wakes by itself. What a runtime still does behind its work fades; who polls, polls
        // in each window.
        let mut windows = 0;
        let mut first = first.clone();
        let Window { elapsed, used, turns, .. } = loop {
            let window = match self.watch(running, &first)? {
                Ok(window) => window,
                Err(status) => return Err(ended(status)),
            };
            if window.is_quiet() {
                self.note(format!("the {name} is at rest"));
                return Ok(());
            }
            windows += 1;
            if windows == WINDOWS {
                break window;
            }
            first = window.last;
        };
        Err(self
            .fail(format!("the {name} asks again and again instead of waiting"))
            .expected("every thread is blocked in a call, and uses no processor time")
            .seen(format!(
                "woke {turns} times in {} ms, and used {} µs of processor time",
                elapsed.as_millis(),
                used.as_micros()
            ))
            .cause(if used * 5 > elapsed {
                BUSY
            } else {
                "a blocking call costs nothing while it waits: no sleep and no non-blocking mode \
                 is needed"
            })
            .stop())
    }

    /// Watches the program for a window, over at least ten of the harness's looks; or until it ends.
    fn watch(&self, running: &Running, first: &Snapshot) -> Verdict<Result<Window, ExitStatus>> {
        let began = Instant::now();
        let last = self.wait(running, || {
            let now = self.look(running)?;
            let over = began.elapsed() >= WINDOW;
            Ok(if over { Progress::Done(now) } else { Progress::Nothing })
        })?;
        let last = match last {
            Ok(last) => last,
            Err(Stall { kind: StallKind::Ended(status) }) => return Ok(Err(status)),
            Err(_) => self.look(running)?,
        };
        Ok(Ok(Window {
            elapsed: began.elapsed(),
            used: Duration::from_nanos(last.cpu_ns().saturating_sub(first.cpu_ns())),
            turns: last.turns().saturating_sub(first.turns()),
            last,
        }))
    }
}

/// What a program did while it was watched.
struct Window {
    elapsed: Duration,
    /// Processor time.
    used: Duration,
    /// How often one of its threads woke.
    turns: u64,
    last: Snapshot,
}

impl Window {
    /// Neither busy (a hundredth of the time) nor polling (every 25 ms).
    fn is_quiet(&self) -> bool {
        self.used * 100 <= self.elapsed && u128::from(self.turns) * 25 <= self.elapsed.as_millis()
    }
}
