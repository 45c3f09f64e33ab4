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
        // Something wakes by itself. Count how often, over at least ten of the harness's looks. What a
        // runtime still does behind its work fades; who polls, polls in each window.
        let (mut first, mut windows) = (first.clone(), 0);
        let (elapsed, used, turns) = loop {
            let began = Instant::now();
            let last = self.wait(running, || {
                let now = self.look(running)?;
                let over = began.elapsed() >= WINDOW;
                Ok(if over { Progress::Done(now) } else { Progress::Nothing })
            })?;
            let last = match last {
                Ok(last) => last,
                Err(Stall { kind: StallKind::Ended(status) }) => return Err(ended(status)),
                Err(_) => self.look(running)?,
            };
            let elapsed = began.elapsed();
            let used = last.cpu_ns().saturating_sub(first.cpu_ns());
            let turns = last.turns().saturating_sub(first.turns());
            let busy = u128::from(used) * 100 > elapsed.as_nanos();
            let polling = u128::from(turns) * 25 > elapsed.as_millis();
            if !busy && !polling {
                self.note(format!("the {name} is at rest"));
                return Ok(());
            }
            windows += 1;
            if windows == WINDOWS {
                break (elapsed, used, turns);
            }
            first = last;
        };
        Err(self
            .fail(format!("the {name} asks again and again instead of waiting"))
            .expected("every thread is blocked in a call, and uses no processor time")
            .seen(format!(
                "woke {turns} times in {} ms, and used {} µs of processor time",
                elapsed.as_millis(),
                used / 1000
            ))
            .cause(if u128::from(used) * 5 > elapsed.as_nanos() {
                BUSY
            } else {
                "a blocking call costs nothing while it waits: no sleep and no non-blocking mode \
                 is needed"
            })
            .stop())
    }
}
