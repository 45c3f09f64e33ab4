//! Stopping a program and letting it go on (SIGSTOP, SIGCONT), as a user does with Ctrl-Z and
//! `fg`: it holds a program still in the middle of what it does, and wakes its blocked calls.

use super::{Progress, Running, Trial, Verdict};

impl Trial {
    /// Stops all threads of the program. It can be stopped where it is: in the middle of a call.
    pub fn freeze(&self, running: &Running) -> Verdict {
        running.program.signal_all("STOP")?;
        // A thread may run for a moment before the signal reaches it.
        let _ = self.wait(running, || {
            let stopped = self.look(running)?.is_stopped();
            Ok(if stopped { Progress::Done(()) } else { Progress::Nothing })
        })?;
        Ok(())
    }

    /// Lets a frozen program go on.
    pub fn thaw(&self, running: &Running) -> Verdict {
        Ok(running.program.signal_all("CONT")?)
    }
}
