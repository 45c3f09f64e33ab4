//! Steps that are not written yet: what their stubs tell, and what a trial needs.

use super::{Running, Stop, Trial, Verdict};
use crate::kernel::available;

/// What an unwritten step says of itself: `todo!`'s words, then the step's number.
const UNWRITTEN: &str = "not yet implemented: step ";

/// Which steps have to be written for what a trial does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Those up to this one.
    UpTo(u8),
    /// All of every program that it runs.
    All,
}

impl Needs {
    pub(super) fn includes(self, step: u8) -> bool {
        match self {
            Self::UpTo(last) => step <= last,
            Self::All => true,
        }
    }
}

/// A step that is not written, as its stub tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// Its number.
    pub step: u8,
    /// Its name.
    pub name: String,
}

/// The first unwritten step that a program's standard error tells of: `2, accept_loop: …`.
pub(super) fn unwritten(stderr: &str) -> Option<Unwritten> {
    let steps = stderr.split(UNWRITTEN).skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at(digits);
        let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let name = rest.trim_start_matches(", ").chars().take_while(is_name).collect();
        Some(Unwritten { step: number.parse().ok()?, name })
    });
    steps.min_by_key(|unwritten| unwritten.step)
}

impl Running {
    /// Whether a stub has spoken, of whatever step: how this program ends is then the stub's doing.
    pub fn has_a_stub(&self) -> bool {
        unwritten(&String::from_utf8_lossy(&self.program.stderr().head)).is_some()
    }
}

impl Trial {
    /// Ends the check where a program has told of an unwritten step that the check is about: for
    /// what a stub does too, so that it is no proof of anything.
    pub fn expect_written(&self) -> Verdict {
        for running in self.running() {
            if available().is_ok() && running.program.exited()?.is_none() {
                // What it has printed is then here.
                let _ = self.settle(&running)?;
            }
            if running.program.exited()?.is_some() {
                // So is what it has printed at its end.
                running.program.stop()?;
            }
            self.expect_no_stub(&running)?;
        }
        Ok(())
    }

    /// The same behind an answer of a program: a stub tells of its step before it answers, so what
    /// a program does afterwards is not waited for.
    pub fn expect_written_so_far(&self) -> Verdict {
        for running in self.running() {
            let all_is_here = || Ok(self.is_all_moved(&running).then_some(()));
            let _ = self.look_until(all_is_here)?;
            self.expect_no_stub(&running)?;
        }
        Ok(())
    }

    /// Ends the check where any program has told of such a step until now.
    pub(super) fn expect_no_stubs(&self) -> Verdict {
        self.running().iter().try_for_each(|running| self.expect_no_stub(running))
    }

    fn expect_no_stub(&self, running: &Running) -> Verdict {
        let stderr = running.program.stderr();
        match unwritten(&String::from_utf8_lossy(&stderr.head)) {
            Some(unwritten) if self.0.needs.includes(unwritten.step) => {
                Err(Stop::Unwritten(unwritten))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwritten_step_is_known_by_its_own_words() {
        let panic = "thread 'main' panicked:\nnot yet implemented: step 2, accept_loop: accept\n";
        let step = Unwritten { step: 2, name: "accept_loop".to_owned() };
        assert_eq!(unwritten(panic), Some(step));
        assert_eq!(unwritten("not yet implemented"), None);
    }

    #[test]
    fn of_several_unwritten_steps_the_first_is_to_be_written_next() {
        let stderr = "not yet implemented: step 4, d: d\nnot yet implemented: step 3, c: c\n";
        assert_eq!(unwritten(stderr).map(|unwritten| unwritten.step), Some(3));
    }
}
