//! The echo that a server owes: both directions of a connection at once, in one thread.

use crate::net::{Connection, End, Got, Put, Service, Terms, likely};
use crate::trial::{Act, Progress, Verdict};
use crate::words::count;

/// What an echo server owes on a connection.
pub(super) const ECHO: Terms =
    Terms { owed: "the bytes that were sent, back", silence: likely::silence, ..Terms::ANSWERS };

impl Service {
    /// Expects a new client to be served: what it sends comes back.
    pub fn expect_service(&self) -> Verdict {
        let mut client = self.connect()?;
        let text = format!("hello from {}\n", client.name());
        client.send(text.as_bytes())?;
        client.expect(text.as_bytes())?;
        client.close();
        Ok(())
    }
}

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
        self.trial().note(format!("{name} sent {}, {how}", count(sent.len())));
        let mut written = match flow {
            Flow::Together => 0,
            Flow::WriteFirst => self.fill_queues(sent)?,
        };
        let still = self.record_before(usize::MAX);
        let mut seen = Vec::with_capacity(expected.len());
        let mut buffer = vec![0; 256 * 1024];
        let result = self.trial().wait(self.running(), || {
            let mut moved = false;
            match self.try_write(&sent[written..]) {
                Put::Bytes(taken) => {
                    moved |= taken > 0;
                    written += taken;
                }
                // Reading tells how the program ended the connection.
                Put::Full | Put::Gone(_) => {}
            }
            match self.try_read(&mut buffer)? {
                Got::Bytes(bytes) => {
                    let from = seen.len();
                    seen.extend_from_slice(bytes);
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
            self.trial().note_result("all came back");
            return Ok(());
        }
        let what = format!("the same {}", count(expected.len()));
        Err(self.wrong_bytes(&what, expected, &seen, result))
    }
}
