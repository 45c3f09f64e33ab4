//! Silence is no offence: a program does not give up by itself on one that says nothing.

use std::time::Duration;

use crate::kernel::{Snapshot, Waits};
use crate::trial::{Running, Stop, Trial, Verdict};

/// How long nothing is said. Longer time-outs than this show only where a call is interrupted, or
/// says itself how long it waits.
const SILENCE: Duration = Duration::from_millis(2200);
/// The longest time-out that is waited for.
const MOST: Duration = Duration::from_secs(10);
/// What a program that has given up needs to show it, on a machine that is not busy.
const MARGIN: Duration = Duration::from_millis(200);

impl Trial {
    /// Says nothing to a program for a while, and expects that it goes on waiting: `still_there`
    /// says whether it does.
    ///
    /// A time-out of a socket (SO_RCVTIMEO) does not show in /proc. But a read that has one, and no
    /// other, returns EINTR when the program is stopped and goes on (signal(7)): so that comes first.
    pub fn be_silent(
        &self,
        running: &Running,
        mut still_there: impl FnMut() -> Verdict,
    ) -> Verdict {
        self.needs_watching()?;
        // Who hangs up at once has not waited at all.
        still_there()?;
        let rest = self.settle(running)?.map_err(|_| ()).ok();
        let silence = rest.as_ref().map_or(SILENCE, silence_for);
        let plain_reads = rest.is_some_and(|now| {
            now.threads().all(|(_, thread)| {
                let waits = thread.call.as_ref().map(|call| call.waits);
                matches!(waits, Some(Waits::Receive | Waits::Accept | Waits::Thread | Waits::Child))
            })
        });
        if plain_reads {
            self.freeze(running)?;
            self.thaw(running)?;
            self.note(format!("the {} was stopped and went on (SIGSTOP, SIGCONT)", running.name));
            still_there().map_err(|stop| stop.because(INTERRUPTED))?;
        }
        self.let_pass(silence);
        self.note(format!("nobody said anything for {} seconds", silence.as_secs_f32()));
        still_there().map_err(|stop: Stop| stop.because(GAVE_UP))
    }
}

/// How long is long enough: poll and epoll_wait say for how long they wait.
fn silence_for(now: &Snapshot) -> Duration {
    let calls = now.threads().filter_map(|(_, thread)| thread.call.as_ref()?.time_out);
    let longest = calls.filter(|time_out| *time_out <= MOST).max().unwrap_or_default();
    SILENCE.max(longest + MARGIN)
}

const INTERRUPTED: &str = "a read that waits without a limit goes on waiting when the program was \
    stopped (Ctrl-Z, fg). One with a time-out (set_read_timeout) returns the error Interrupted \
    instead. Nobody asked for a time-out here: silence is no offence";
const GAVE_UP: &str = "silence is no offence: only an end of the stream or an error is a reason to \
    close. A time-out that nobody asked for (set_read_timeout, settimeout, an alarm) hangs up on \
    somebody who is still thinking";
