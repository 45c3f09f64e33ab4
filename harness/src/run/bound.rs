//! The bound of a check: however long a program makes it last, it ends.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::worker::{abandon, say};
use crate::json::Json;
use crate::kernel;
use crate::program::stop_all;
use crate::run::protocol::{LAST, Seal};
use crate::trial::patience;
use crate::verdict::{Failure, Outcome, json};

/// Ends this process, with an answer, when a check takes too long: whatever a program does, and
/// whatever the harness waits for.
pub(super) struct Watch {
    ended: mpsc::Sender<()>,
    /// Whether it is decided who answers: the check that has ended, or the watch that ends it.
    decided: Arc<AtomicBool>,
}

/// Far above what any check of a right program takes. Only time in which this process could have
/// worked is counted, and of time that many share its part: a busy machine is nobody's fault.
/// And processor time of the program and of the harness is counted, too: a program that makes the
/// machine busy by itself gains no time by that.
const BOUND: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(100);
/// Processor time is looked up at every so many ticks: that means to read all processes, so a check
/// that is over before the first of them costs nothing.
const TICKS_A_LOOK: u32 = 5;
/// But not longer than this times the bound, which is less than what the harness waits for a worker.
const MOST: u32 = 8;

/// The part of a processor that each has who could use one of so many now: 1 where nobody waits.
fn share_of_a_processor(cores: f64) -> f64 {
    // proc_loadavg(5): the fourth word is RUNNABLE/ALL.
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let runnable = load.split(' ').nth(3).and_then(|word| word.split('/').next()?.parse().ok());
    cores / runnable.unwrap_or(0.0_f64).max(cores)
}

/// More processes than any right program has at a time, and far fewer than a cell allows: many
/// that fork without end leave one another no processor time to be known by.
const TOO_MANY: usize = 256;

/// Processor time since the first look: of this process and all that it has started, and of the
/// latter alone.
#[derive(Default)]
struct Used {
    since: Duration,
    by_programs: Duration,
    /// Processes, this one included: the most at any look.
    processes: usize,
    /// What the kernel counted at the last look: of all, and of this process.
    last: Option<(Duration, Duration)>,
}

impl Used {
    fn now(&mut self) -> Option<(Duration, Duration)> {
        let (all, processes) = kernel::usage(process::id()).ok()?;
        self.processes = self.processes.max(processes);
        Some((all, kernel::processor_time_alone(process::id())?))
    }

    /// What has ended unwaited for has taken its time along: the sum may shrink.
    fn look(&mut self) {
        let Some(now) = self.now() else { return };
        if let Some(last) = self.last.replace(now) {
            let all = now.0.saturating_sub(last.0);
            self.since += all;
            self.by_programs += all.saturating_sub(now.1.saturating_sub(last.1));
        }
    }
}

/// What a check comes to that does not end: the program's trouble, if that has computed for most of
/// the time, or has filled the machine with processes.
fn without_end(bound: Duration, used: &Used) -> Outcome {
    let computes = used.by_programs >= bound / 2;
    if !computes && used.processes < TOO_MANY {
        return Outcome::Fault(format!(
            "this check did not end within {} s, whatever the program was doing",
            bound.as_secs()
        ));
    }
    let words = if computes { computed(used.by_programs) } else { multiplied(used.processes) };
    let [headline, expected, seen, cause] = words;
    Outcome::Fail(Box::new(Failure {
        headline,
        expected: vec![expected],
        seen: vec![seen],
        cause: vec![cause],
        ..Failure::default()
    }))
}

/// Headline, what is expected, what was seen, and the likely cause.
fn computed(time: Duration) -> [String; 4] {
    [
        "the program computes and computes, and the check does not come to its end".into(),
        "a program that waits in the kernel while it has nothing to do".into(),
        format!(
            "{:.1} s of processor time in this check, which takes a right program a part of a \
             second",
            time.as_secs_f64()
        ),
        "a loop that never blocks, or work that grows with the square of what has come: all of it \
         copied or searched again at each read"
            .into(),
    ]
}

fn multiplied(processes: usize) -> [String; 4] {
    [
        "the program starts process after process, and the check does not come to its end".into(),
        "a program that has no more processes than it has work for".into(),
        format!("{processes} processes at a time"),
        "a fork or a Command in a loop that does not wait for what it has started".into(),
    ]
}

impl Watch {
    /// From now on.
    pub(super) fn begin(seal: Seal) -> Self {
        let (sender, receiver) = mpsc::channel();
        let decided = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&decided);
        thread::spawn(move || {
            let bound = BOUND.mul_f64(patience::factor());
            let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
            let (began, mut spent) = (Instant::now(), Duration::ZERO);
            let mut used = Used::default();
            for number in 1_u32.. {
                let tick = Instant::now();
                match receiver.recv_timeout(TICK) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        spent += tick.elapsed().min(2 * TICK).mul_f64(share_of_a_processor(cores));
                    }
                    _ => return,
                }
                if number.is_multiple_of(TICKS_A_LOOK) {
                    used.look();
                }
                if spent.max(used.since) >= bound || began.elapsed() >= bound * MOST {
                    break;
                }
            }
            if own.swap(true, Ordering::SeqCst) {
                return;
            }
            used.look();
            let outcome = json::outcome_to_json(&without_end(bound, &used));
            let elapsed = Json::Number(began.elapsed().as_micros() as f64);
            stop_all();
            let answer = [("outcome", outcome), ("elapsed_us", elapsed), (LAST, true.into())];
            let _ = say(&seal.answer(Json::object(answer)));
            abandon();
        });
        Self { ended: sender, decided }
    }

    /// The check has ended by itself. Does not return where it has not: what has lost its programs fails
    /// in the middle of something, and that is no answer.
    pub(super) fn end(self) {
        while self.decided.swap(true, Ordering::SeqCst) {
            thread::park();
        }
        let _ = self.ended.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn who_has_kept_the_machine_busy_has_failed_and_who_has_not_is_not_to_blame() {
        let bound = Duration::from_secs(20);
        let outcome = |seconds, processes| {
            let by_programs = Duration::from_secs(seconds);
            without_end(bound, &Used { by_programs, processes, ..Used::default() })
        };
        assert!(matches!(outcome(9, 40), Outcome::Fault(words) if words.contains("within 20 s")));
        for (seconds, processes, seen) in
            [(11, 40, "11.0 s of processor time"), (1, 1_022, "1022 processes at a time")]
        {
            let Outcome::Fail(failure) = outcome(seconds, processes) else { panic!("{seen}") };
            assert!(failure.seen[0].starts_with(seen), "{failure:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn processor_time_of_everything_that_was_started_counts() {
        let mut used = Used::default();
        let mut child = Command::new("yes").stdout(Stdio::null()).spawn().unwrap();
        while used.by_programs.min(used.since) < Duration::from_millis(200) {
            thread::yield_now();
            used.look();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
