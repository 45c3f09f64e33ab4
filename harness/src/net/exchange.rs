//! Both directions of a connection at once, in one thread.

use std::io::{ErrorKind, Write};

use super::connection::{Connection, End, Got};
use crate::trial::{Act, Progress, Verdict};
use crate::words::count;

/// How the harness goes about an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Writes and reads whenever either is possible.
    Together,
    /// Writes until the queues are full and the program has come to rest; only then it reads.
    WriteFirst,
}

impl Connection {
    /// Sends `sent` and expects `expected` back, both directions under way at once.
    pub fn exchange(&mut self, sent: &[u8], expected: &[u8], flow: Flow) -> Verdict {
        let how = match flow {
            Flow::Together => "while it read what came",
            Flow::WriteFirst => "and read nothing before the queues were full",
        };
        let name = self.name().to_owned();
        self.trial.note(format!("{name} sent {}, {how}", count(sent.len())));
        let mut written = match flow {
            Flow::Together => 0,
            Flow::WriteFirst => self.fill_queues(sent)?,
        };
        let still = self.record_before(usize::MAX);
        let mut seen = Vec::with_capacity(expected.len());
        let mut buffer = vec![0; 256 * 1024];
        let result = self.trial.wait(&self.running, || {
            let mut moved = false;
            match (&self.stream).write(&sent[written..]) {
                Ok(taken) => {
                    moved |= taken > 0;
                    written += taken;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Reading tells how the program ended the connection.
                Err(_) => {}
            }
            match self.try_read(&mut buffer)? {
                Got::Bytes(n) => {
                    let from = seen.len();
                    seen.extend_from_slice(&buffer[..n]);
                    moved = true;
                    let here = expected.get(from..seen.len());
                    let wrong = here != Some(&seen[from..]);
                    if wrong || seen.len() >= expected.len() {
                        return Ok(Progress::Done(None));
                    }
                }
                Got::End(end) => return Ok(Progress::Done(Some(end))),
                Got::Nothing => {}
            }
            Ok(if moved { Progress::Moved } else { Progress::Nothing })
        })?;
        self.record(still, Act::Write(&sent[..written]));
        if seen == expected && !matches!(result, Ok(Some(End::Reset))) {
            self.trial.note_result("all came back");
            return Ok(());
        }
        let what = format!("the same {}", count(expected.len()));
        Err(self.wrong_bytes(&what, expected, &seen, result))
    }

    /// Sends as much of `bytes` as fits into the queues, and reads nothing: the program is then
    /// blocked in the middle of its reply. Returns how much was sent, in bytes.
    pub fn stall(&mut self, bytes: &[u8]) -> Verdict<usize> {
        self.trial
            .note(format!("{} sent as much as the queues take, and read nothing", self.name()));
        self.fill_queues(bytes)
    }

    /// Writes until nothing more fits and the program is at rest. Returns how much was written.
    fn fill_queues(&self, bytes: &[u8]) -> Verdict<usize> {
        let mut written = 0;
        let _ =
            self.trial.wait(&self.running, || match (&self.stream).write(&bytes[written..]) {
                Ok(0) => Ok(Progress::Done(())),
                Ok(taken) => {
                    written += taken;
                    Ok(Progress::Moved)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
                // Reading tells how the program ended the connection.
                Err(_) => Ok(Progress::Done(())),
            })?;
        self.trial.note_result(&format!("the queues were full after {}", count(written)));
        Ok(written)
    }
}
