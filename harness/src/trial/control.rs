//! What a user does to a program that runs: kills it, tells it to end, starts it again.

use std::rc::Rc;

use super::{Progress, Running, StallKind, Trial, Verdict};
use crate::program::{Given, Stdin, describe_exit};

/// How a program was started, so that it can be started again in the same way.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// Which program it is.
    pub(super) program: String,
    pub(super) given: Given,
    pub(super) stdin: Stdin,
}

impl Trial {
    /// Ends a program as a crash or a power cut would: SIGKILL, without a chance to clean up, to
    /// everything that it has started.
    pub fn kill(&self, running: &Running) -> Verdict {
        running.program.stop()?;
        self.note(format!("the {} was killed (SIGKILL)", running.name));
        self.record_program(running, "killed", || "SIGKILL".into());
        Ok(())
    }

    /// Tells a program to end (SIGTERM), and expects that it does, in whatever way.
    pub fn terminate(&self, running: &Running) -> Verdict {
        running.program.signal("TERM")?;
        self.note(format!("the {} was told to end (SIGTERM)", running.name));
        let name = &running.name;
        match self.wait(running, || Ok(Progress::<()>::Nothing))? {
            Err(stall) => match stall.kind {
                StallKind::Ended(status) => {
                    self.note_result(&describe_exit(status));
                    // What it has started ends with it.
                    Ok(running.program.stop()?)
                }
                _ => Err(self
                    .fail(format!("the {name} does not end when it is told to"))
                    .expected("SIGTERM ends it, with or without a last word")
                    .seen(stall.stays(name))
                    .stop()),
            },
            Ok(()) => Ok(()),
        }
    }

    /// Starts a program that has ended once more, in the same way: on the same addresses, with the
    /// same folders, under the same name.
    pub fn start_again(&self, running: &Running) -> Verdict<Rc<Running>> {
        let Some(Start { program, given, stdin }) = running.start.clone() else {
            let what = format!("the {} was started by a command of its own", running.name);
            return Err(super::Stop::Fault(what));
        };
        self.start_as(&running.name, &program, given, stdin)
    }
}
