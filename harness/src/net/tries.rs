//! A program that asks again: when it did so, and when it gave up, as far as that can be known from
//! outside on a machine that has other things to do.
//!
//! A datagram has come between two looks. What a program does too early is early for certain where
//! even the later look is too soon after the program's start. What it does late is its own doing only
//! as far as it slept: the time for which it was ready to run and got no processor is the machine's,
//! and so is the time for which the harness itself got none.

use std::convert::Infallible;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::datagrams::{Answerer, Datagram};
use crate::program::describe_exit;
use crate::trial::{Progress, Running, Stall, StallKind, Stop, Trial, Verdict};

/// Longer than the harness means to pause between two looks: more than that is the machine's doing.
const PAUSE: Duration = Duration::from_millis(25);
/// So many looks at a program tell whether it sleeps.
const LOOKS: usize = 10;
/// Between two datagrams of whoever disturbs a program.
const DISTURBANCE: Duration = Duration::from_millis(50);

/// When something has happened: after one look, and by the next one.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    after: Instant,
    by: Instant,
    /// For how long the machine has held up the program or the harness until then, in all.
    held_up: Duration,
}

/// All that a program that asks has sent, and its end.
#[derive(Debug)]
pub struct Tries {
    trial: Trial,
    running: Rc<Running>,
    /// When the program was started, or before.
    began: Instant,
    /// What it has sent, and when.
    pub datagrams: Vec<(Datagram, Moment)>,
    /// How it has ended, and when.
    pub end: (ExitStatus, Moment),
    /// At how many looks behind its first datagram it was alive, and at how many of them all of its
    /// threads slept.
    looks: usize,
    asleep: usize,
}

impl Answerer {
    /// Takes all that the program sends until its end. It was started after `began`. Each datagram is
    /// lost; or, where there is `junk`, that is sent to the program again and again from then on.
    pub fn take_all(
        &self,
        running: &Rc<Running>,
        began: Instant,
        junk: Option<fn(&Datagram) -> Vec<u8>>,
        cause: &str,
    ) -> Verdict<Tries> {
        let trial = &self.end.trial;
        let mut datagrams: Vec<(Datagram, Moment)> = Vec::new();
        let [mut last_look, mut last_junk, mut alive] = [began; 3];
        let ([mut missed, mut waited], [mut looks, mut asleep]) = ([Duration::ZERO; 2], [0; 2]);
        // An interpreter has a lot to do before it asks for the first time.
        let stall = trial.wait_for_start(running, || {
            let after = last_look;
            last_look = Instant::now();
            missed += last_look.duration_since(after).saturating_sub(PAUSE);
            if running.program.exited()?.is_none() {
                alive = last_look;
            }
            // What has ended can't be looked at any more, and has waited as long as it had before.
            let snapshot = trial.look(running)?;
            waited = snapshot.waited().max(waited);
            if !datagrams.is_empty() && snapshot.threads().next().is_some() {
                looks += 1;
                asleep += usize::from(snapshot.threads().all(|(_, thread)| thread.state == 'S'));
            }
            while let Some(datagram) = self.end.receive()? {
                let moment = Moment { after, by: Instant::now(), held_up: missed + waited };
                datagrams.push((datagram, moment));
            }
            if let (Some(junk), Some((asked, _))) = (junk, datagrams.first())
                && last_junk.elapsed() >= DISTURBANCE
            {
                self.end.send_quietly(running, &junk(asked), asked.from)?;
                last_junk = Instant::now();
            }
            Ok(Progress::<Infallible>::Nothing)
        })?;
        let (from, count) = (datagrams.first().map(|(one, _)| one.from), datagrams.len());
        if let Some(from) = from {
            trial.name(from, &format!("the {}", running.name));
            let what = (self.end.words)(&datagrams[0].0.bytes);
            trial.note(match count {
                1 => format!("{} received one datagram from {from}: {what}", self.name()),
                _ => format!(
                    "{} received {count} datagrams from {from}, the first: {what}",
                    self.name()
                ),
            });
        }
        let status = match stall {
            Err(Stall { kind: StallKind::Ended(status) }) => status,
            Err(stall) if datagrams.is_empty() => {
                return Err(self.not_asked(running, &stall, cause));
            }
            Err(Stall { kind: StallKind::Busy }) => return Err(spins(trial, running)),
            Err(stall) => {
                return Err(trial
                    .fail(format!("the {} does not give up", running.name))
                    .expected("its end, although no answer comes")
                    .seen(stall.sentence(&running.name))
                    .cause(cause)
                    .stop());
            }
            Ok(never) => match never {},
        };
        running.program.stop()?;
        trial.note(format!("the {} ended, {}", running.name, describe_exit(status)));
        let end = Moment { after: alive, by: Instant::now(), held_up: missed + waited };
        let (trial, running) = (trial.clone(), Rc::clone(running));
        Ok(Tries { trial, running, began, datagrams, end: (status, end), looks, asleep })
    }
}

impl Tries {
    /// Expects tries at these times from the first one, and the end at `end`. A fifth less and half
    /// as much again are right, too.
    pub fn expect_times(&self, tries: &[Duration], end: Duration, cause: &str) -> Verdict {
        let name = &self.running.name;
        let shown = |time: &Duration| format!("{} ms", time.as_millis());
        let schedule: Vec<_> = tries.iter().map(shown).collect();
        let expected = format!("tries at {}, and the end at {}", schedule.join(", "), shown(&end));
        let wrong = |headline: String, seen: String| {
            Err(self.trial.fail(headline).expected(expected.clone()).seen(seen).cause(cause).stop())
        };
        if self.datagrams.len() != tries.len() {
            let headline = format!("the {name} did not ask as often as it should");
            let seen = match self.datagrams.len() {
                1 => "one datagram, and then its end".to_owned(),
                count => format!("{count} datagrams, and then its end"),
            };
            return wrong(headline, seen);
        }
        let last = self.end.1;
        let moments = self.datagrams.iter().map(|(_, moment)| *moment).chain([last]);
        let moments: Vec<Moment> = moments.collect();
        let times: Vec<Duration> = tries.iter().copied().chain([end]).collect();
        for (nth, (two, times)) in moments.windows(2).zip(times.windows(2)).enumerate() {
            let (what, gap) = (describe(nth + 1, tries.len()), times[1] - times[0]);
            let since_start = two[1].by.duration_since(self.began);
            let most = two[1].by.duration_since(two[0].after) + two[1].held_up;
            if since_start < times[1].mul_f64(0.8) || most < gap.mul_f64(0.8) {
                return wrong(
                    format!("the {name} does not wait long enough"),
                    format!("{what} came at most {} after the one before", shown(&most)),
                );
            }
            let held_up = two[1].held_up - two[0].held_up;
            let least = two[1].after.saturating_duration_since(two[0].by).saturating_sub(held_up);
            if least > gap.mul_f64(1.5) {
                return wrong(
                    format!("the {name} waits too long"),
                    format!("{what} came at least {} after the one before", shown(&least)),
                );
            }
        }
        let when = |moment: &Moment| shown(&moment.by.duration_since(moments[0].by));
        let seen: Vec<_> = moments.iter().skip(1).map(when).collect();
        self.trial
            .note(format!("after the first it asked, and ended, at about {}", seen.join(", ")));
        Ok(())
    }

    /// Expects that it has slept while it waited. Who sleeps for a second and three quarters is found
    /// asleep, however busy the machine is; who never is, at so many looks, looks again and again.
    pub fn expect_sleep(&self) -> Verdict {
        if self.asleep == 0 && self.looks >= LOOKS {
            return Err(spins(&self.trial, &self.running));
        }
        Ok(())
    }

    /// Expects that all tries are the same datagram from the same address.
    pub fn expect_the_same(&self, cause: &str) -> Result<(), Stop> {
        let Some(((first, _), rest)) = self.datagrams.split_first() else { return Ok(()) };
        for (nth, (other, _)) in rest.iter().enumerate() {
            let what = if other.from != first.from {
                format!(
                    "try {} comes from {}, and the first from {}",
                    nth + 2,
                    other.from,
                    first.from
                )
            } else if other.bytes != first.bytes {
                format!("try {} has other bytes than the first", nth + 2)
            } else {
                continue;
            };
            return Err(self
                .trial
                .fail(format!("the {} does not ask the same again", self.running.name))
                .expected("the same datagram, from the same socket")
                .seen(what)
                .difference(&first.bytes, &other.bytes)
                .cause(cause)
                .stop());
        }
        Ok(())
    }
}

/// The failure of a program that does not wait in the kernel.
fn spins(trial: &Trial, running: &Running) -> Stop {
    trial
        .fail(format!("the {} keeps the processor busy while it waits", running.name))
        .expected(
            "a call that waits in the kernel until something comes, or until its time is over",
        )
        .seen("a loop that looks again and again")
        .cause(
            "a socket that does not block (set_nonblocking) says WouldBlock at once, each time: \
             leave it blocking, and give its receive a time-out (set_read_timeout)",
        )
        .stop()
}

/// What the `nth` of so many tries is called, from 0; behind the last one comes the end.
fn describe(nth: usize, tries: usize) -> String {
    if nth == tries { "the end".into() } else { format!("try {}", nth + 1) }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn the_end_comes_after_the_last_try() {
        assert_eq!([0, 2, 3].map(|nth| describe(nth, 3)), ["try 1", "try 3", "the end"]);
    }
}
