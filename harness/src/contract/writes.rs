//! Partial writes: a write may take less than it is given, and the rest is the program's to send.

use crate::net::{Connection, End, Got, likely};
use crate::trial::{Progress, Running, Trial, Verdict};
use crate::words::count;

/// How often the program is stopped in the middle of a write: nearly every time a part of it has
/// been taken by then, and never is what is not.
const TIMES: usize = 5;
/// What is read in between, in bytes: room for the next writes, so that it is blocked in another.
const ROOM: usize = 256 << 10;

impl Trial {
    /// Stops the program in the middle of a write, again and again, and lets it go on. On Linux a
    /// write that blocks takes everything unless a signal interrupts it: then it returns what it
    /// has taken so far. `again` makes room, and brings the program into the next write.
    pub fn interrupt_writes(
        &self,
        running: &Running,
        mut again: impl FnMut() -> Verdict,
    ) -> Verdict {
        for _ in 0..TIMES {
            let rest = self.settle(running)?;
            // Who waits for events writes what fits, and is never in the middle of a write.
            if !rest.is_ok_and(|now| now.is_blocked_in_send() || now.is_blocked_in_output()) {
                break;
            }
            self.freeze(running)?;
            self.thaw(running)?;
            let name = &running.name;
            self.note(format!(
                "the {name} was stopped in mid-write, and went on (SIGSTOP, SIGCONT)"
            ));
            again()?;
        }
        Ok(())
    }
}

impl Connection {
    /// Makes room for more: takes in some of what has come, and waits for no more than is there.
    pub fn take_some(&self, into: &mut Vec<u8>) -> Verdict {
        let (mut buffer, enough) = (vec![0; 64 * 1024], into.len() + ROOM);
        while into.len() < enough {
            match self.try_read(&mut buffer)? {
                Got::Bytes(bytes) => into.extend_from_slice(bytes),
                Got::End(_) | Got::Nothing => break,
            }
        }
        Ok(())
    }

    /// Expects what is left of `expected`, of which `seen` has come, of a program that was stopped
    /// in the middle of its writes.
    pub fn expect_rest_of(&self, expected: &[u8], mut seen: Vec<u8>) -> Verdict {
        let result = self.read(|got| match got {
            _ if seen.len() >= expected.len() => Progress::Done(None),
            Got::Bytes(bytes) => {
                seen.extend_from_slice(bytes);
                Progress::Moved
            }
            Got::End(end) => Progress::Done(Some(end)),
            Got::Nothing => Progress::Nothing,
        })?;
        if seen == expected && !matches!(result, Ok(Some(End::Reset))) {
            self.trial().note(format!("{} received all {}", self.name(), count(seen.len())));
            return Ok(());
        }
        let what = format!("all {}, in order", count(expected.len()));
        let stop = self.wrong_bytes(&what, expected, &seen, result);
        Err(if stop.has_cause(&[likely::LEFT_OUT]) { stop.because(SHORT) } else { stop })
    }
}

/// Bytes are missing after an interrupted write.
pub(crate) const SHORT: &str = "a write that is interrupted (here by the signals of Ctrl-Z and fg) returns \
    how many bytes it has taken until then. `write` leaves it to you to send the rest, `write_all` \
    sends it";
