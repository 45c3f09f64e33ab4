//! Waiting for a state that is meant, and noticing that it can never come.

use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use super::patience::Patience;
use super::{Running, Trial, Verdict};
use crate::kernel::{self, Snapshot, Stillness, Thread};
use crate::program::describe_exit;

/// What one look at the thing that is waited for has shown.
#[derive(Debug)]
pub enum Progress<T> {
    /// It is there.
    Done(T),
    /// Not yet, but something has moved since the last look.
    Moved,
    /// Nothing new.
    Nothing,
}

/// Waiting was given up: what is waited for can't come any more.
#[derive(Debug)]
pub struct Stall {
    /// What makes that certain, or likely enough.
    pub kind: StallKind,
}

/// Why waiting was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StallKind {
    /// The program has ended.
    Ended(ExitStatus),
    /// Every thread is blocked, and nothing is under way.
    Blocked,
    /// It uses the processor, and nothing comes of it.
    Busy,
    /// The backstop, which is so long: it may still be going to, but nobody would wait for that.
    Patience(Duration),
}

impl Stall {
    /// What was seen, as a sentence for [`super::FailureBuilder::seen`].
    pub fn sentence(&self, name: &str) -> String {
        match self.kind {
            StallKind::Ended(status) => {
                format!("nothing more: the {name} has ended, {}", describe_exit(status))
            }
            StallKind::Blocked => format!(
                "nothing, and nothing can come: every thread of the {name} is blocked, \
                 and nothing is under way to it"
            ),
            StallKind::Busy => {
                format!("nothing, while the {name} kept the processor busy all the time")
            }
            StallKind::Patience(limit) => {
                format!("nothing, although the {name} had {}", seconds(limit))
            }
        }
    }
}

impl Stall {
    /// Why what was seen is not going to change, as a sentence to stand below it.
    pub fn stays(&self, name: &str) -> String {
        match self.kind {
            StallKind::Ended(status) => format!("the {name} has ended, {}", describe_exit(status)),
            StallKind::Blocked => format!(
                "it stays so: every thread of the {name} is blocked, and nothing is under way to it"
            ),
            StallKind::Busy => format!("it stays so, while the {name} keeps the processor busy"),
            StallKind::Patience(limit) => format!("it stayed so for {}", seconds(limit)),
        }
    }
}

/// `two seconds`, `4.6 seconds`.
fn seconds(time: Duration) -> String {
    let rounded = (time.as_secs_f64() * 10.0).floor() / 10.0;
    if rounded == 2.0 { "two seconds".into() } else { format!("{rounded} seconds") }
}

/// Between two looks: short at first, since most things are there within a fraction of a
/// millisecond, then longer, to leave the processor to the program.
const PAUSES_US: [u64; 7] = [0, 50, 100, 200, 500, 1_000, 2_000];
/// After those, a twentieth of the time that it has taken so far, within these bounds.
const LATER: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(20)];

/// The pauses of one wait.
struct Pauses {
    looks: usize,
    began: Instant,
}

impl Pauses {
    fn begin() -> Self {
        Self { looks: 0, began: Instant::now() }
    }

    /// Sleeps until the next look.
    fn sleep(&mut self) {
        let [least, most] = LATER;
        thread::sleep(match PAUSES_US.get(self.looks) {
            Some(pause) => Duration::from_micros(*pause),
            None => (self.began.elapsed() / 20).clamp(least, most),
        });
        self.looks += 1;
    }
}

/// Looks that have to find a program still before its start is given up: of 5 ms each, and more.
const STILL_AT_START: u32 = 20;

impl Trial {
    /// Looks again and again until `look` is done, or until the programs can't make any
    /// progress. `on` is the program that is waited for: its end ends the waiting.
    pub fn wait<T>(
        &self,
        on: &Running,
        look: impl FnMut() -> Verdict<Progress<T>>,
    ) -> Verdict<Result<T, Stall>> {
        self.wait_with(Patience::new(self.0.allowance.get()), 1, on, look)
    }

    /// The same with this patience; it has to be found still so many times before that counts.
    fn wait_with<T>(
        &self,
        mut patience: Patience,
        still_enough: u32,
        on: &Running,
        mut look: impl FnMut() -> Verdict<Progress<T>>,
    ) -> Verdict<Result<T, Stall>> {
        let mut watcher = Watcher::default();
        let mut pauses = Pauses::begin();
        // A reason to give up counts only when one more look still shows nothing.
        let mut last_words: Option<StallKind> = None;
        let mut still = 0;
        loop {
            match look()? {
                Progress::Done(value) => return Ok(Ok(value)),
                Progress::Moved => {
                    // Where time-outs are at work, it is all delays together that count.
                    if !self.0.time_outs.get() {
                        patience.renew();
                    }
                    patience.excuse();
                    watcher = Watcher::default();
                    (pauses, last_words) = (Pauses::begin(), None);
                    continue;
                }
                Progress::Nothing => {}
            }
            if last_words == Some(StallKind::Blocked) {
                still += 1;
                last_words = last_words.filter(|_| still >= still_enough);
            }
            if let Some(kind) = last_words {
                self.0.busy.set(kind == StallKind::Busy);
                return Ok(Err(Stall { kind }));
            }
            match on.program.exited()? {
                // What it has printed last may still be on its way to us.
                Some(_) if !self.is_all_moved(on) && !patience.is_over() => {
                    patience.charge(false);
                }
                Some(status) => {
                    last_words = Some(StallKind::Ended(status));
                    continue;
                }
                // The first looks only wait: a healthy program answers before the second.
                None if pauses.looks >= 3 => {
                    last_words = self.give_up(&mut watcher, &mut patience)?
                }
                None => {}
            }
            pauses.sleep();
        }
    }

    fn give_up(
        &self,
        watcher: &mut Watcher,
        patience: &mut Patience,
    ) -> Verdict<Option<StallKind>> {
        let seen = watcher.look(self)?;
        if seen.stillness != Stillness::Moving {
            // What a stub does later is not waited for. Until now another one may have told of an
            // earlier step.
            self.expect_no_stubs()?;
        }
        // What runs, or would run if it got a processor, is not late: its processor time counts.
        patience.charge(seen.ready);
        Ok(match seen.stillness {
            Stillness::Still if !self.0.time_outs.get() => Some(StallKind::Blocked),
            _ if patience.is_busy(seen.cpu_ns) => Some(StallKind::Busy),
            _ if patience.is_over() => Some(StallKind::Patience(patience.limit())),
            _ => None,
        })
    }

    /// The same while a program starts: more processor time is allowed then, and since one runtime
    /// after another may be at work, it stands still only where it does for a while.
    pub fn wait_for_start<T>(
        &self,
        on: &Running,
        look: impl FnMut() -> Verdict<Progress<T>>,
    ) -> Verdict<Result<T, Stall>> {
        let patience = Patience::for_a_start(self.0.allowance.get());
        self.wait_with(patience, STILL_AT_START, on, look)
    }

    /// Looks again and again until `look` has found something, or until the backstop. For what
    /// comes after a program's end, when there is nobody left who could stand still.
    pub fn look_until<T>(
        &self,
        mut look: impl FnMut() -> Verdict<Option<T>>,
    ) -> Verdict<Option<T>> {
        let mut patience = Patience::new(Duration::ZERO);
        let mut pauses = Pauses::begin();
        loop {
            let found = look()?;
            if found.is_some() || patience.is_over() {
                return Ok(found);
            }
            pauses.sleep();
            patience.charge(false);
        }
    }

    /// Lets time pass: for what a program must not do by itself, however long nothing happens. A
    /// check that needs this is marked `patient`.
    pub fn let_pass(&self, time: Duration) {
        thread::sleep(time);
    }

    /// Waits until the program has done all that it will do by itself: every thread is blocked
    /// and nothing is under way. Timed waits count as blocked here. `Err` where it does not
    /// come to rest.
    pub fn settle(&self, running: &Running) -> Verdict<Result<Snapshot, Stall>> {
        self.needs_watching()?;
        let mut earlier: Option<Snapshot> = None;
        self.wait(running, || {
            let family = running.program.family();
            // Twice in a row, too: a program that polls every few milliseconds is at rest between.
            for _ in 0..2 {
                let moved = self.is_all_moved(running);
                let now = Snapshot::take(family)?;
                let rest = earlier.as_ref().is_some_and(|e| now.stillness(e) != Stillness::Moving);
                if rest && moved {
                    return Ok(Progress::Done(now));
                }
                earlier = Some(now);
            }
            Ok(Progress::Nothing)
        })
    }
}

/// Compares looks at all programs that run.
#[derive(Default)]
struct Watcher {
    earlier: Option<Vec<Snapshot>>,
    cpu_at_start: Option<u64>,
}

struct Seen {
    stillness: Stillness,
    /// Processor time of all programs since the waiting began, in nanoseconds.
    cpu_ns: u64,
    /// Whether some thread was running or ready to run at this look, or the kernel was at work for
    /// it: whoever asks for the addresses of the interfaces, as getaddrinfo does, waits there while
    /// others make or remove network namespaces.
    ready: bool,
}

impl Watcher {
    fn look(&mut self, trial: &Trial) -> Verdict<Seen> {
        if kernel::available().is_err() {
            let stillness = Stillness::Moving;
            return Ok(Seen { stillness, cpu_ns: 0, ready: false });
        }
        let (mut now, mut moving) = (Vec::new(), false);
        for running in trial.running() {
            if running.program.exited()?.is_none() {
                // Asked between the two looks that are compared: see `Snapshot::stillness`.
                moving |= !trial.is_all_moved(&running);
                now.push(Snapshot::take(running.program.family())?);
            }
        }
        let cpu: u64 = now.iter().map(Snapshot::cpu_ns).sum();
        let cpu_at_start = *self.cpu_at_start.get_or_insert(cpu);
        let earlier = self.earlier.take().unwrap_or_default();
        let stillness = if moving { Stillness::Moving } else { compare(&now, &earlier) };
        let works = |(_, thread): (&_, &Thread)| matches!(thread.state, 'R' | 'D');
        let ready = now.iter().flat_map(Snapshot::threads).any(works);
        self.earlier = Some(now);
        Ok(Seen { stillness, cpu_ns: cpu.saturating_sub(cpu_at_start), ready })
    }
}

/// The programs together are as still as the least still of them.
fn compare(now: &[Snapshot], earlier: &[Snapshot]) -> Stillness {
    if now.is_empty() || now.len() != earlier.len() {
        return Stillness::Moving;
    }
    let each = now.iter().zip(earlier).map(|(now, earlier)| now.stillness(earlier));
    each.fold(Stillness::Still, |all, one| match (all, one) {
        (Stillness::Moving, _) | (_, Stillness::Moving) => Stillness::Moving,
        (Stillness::Timed, _) | (_, Stillness::Timed) => Stillness::Timed,
        _ => Stillness::Still,
    })
}
