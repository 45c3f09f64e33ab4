//! One client's way through the program, of which the harness is both ends.

use super::program::Balance;
use crate::net::{Connection, Got, Put};
use crate::trial::{Progress, Verdict};
use crate::words::count;

/// One client's way through the program: both ends of it.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) client: Connection,
    /// The harness's end as a server.
    pub(super) server: Connection,
    /// Which of the backends that is, from 1.
    pub(super) number: usize,
}

impl Pair {
    /// The client sends these bytes, and the server must get them.
    pub(super) fn up(&mut self, bytes: &[u8]) -> Verdict {
        self.client.send(bytes)?;
        self.server.expect(bytes)
    }

    /// The server sends these bytes, and the client must get them.
    pub(super) fn down(&mut self, bytes: &[u8]) -> Verdict {
        self.server.send(bytes)?;
        self.client.expect(bytes)
    }

    /// A few bytes each way, which must arrive.
    pub(super) fn exchanges(&mut self) -> Verdict {
        self.up(b"a question\n")?;
        self.down(b"an answer\n")
    }

    /// Expects that neither side was ended.
    pub(super) fn expect_open(&mut self) -> Verdict {
        self.client.expect_nothing()?;
        self.server.expect_nothing()
    }

    /// Both sides close, and the program comes to rest over it: so it has noticed.
    pub(super) fn ends(self, balance: &Balance) -> Verdict {
        let (client, server) = (self.client.name().to_owned(), self.server.name().to_owned());
        drop((self.client, self.server));
        balance.rest()?;
        balance.trial().note(format!("{client} and {server} closed their connections"));
        Ok(())
    }
}

/// Has `from` send all of these bytes, and expects them at `to`: written and read in turn, so that
/// nothing but the program can hold them up.
pub(super) fn stream(from: &Connection, to: &Connection, bytes: &[u8]) -> Verdict {
    let (mut sent, mut seen) = (0, Vec::with_capacity(bytes.len()));
    let mut buffer = vec![0; 256 << 10];
    let t = from.trial();
    t.note(format!("{} sent {} while {} read", from.name(), count(bytes.len()), to.name()));
    let result = t.wait(from.running(), || {
        let mut moved = false;
        // How the program has ended a connection is told by reading from the other one.
        if let Put::Bytes(taken) = from.try_write(&bytes[sent..]) {
            moved |= taken > 0;
            sent += taken;
        }
        match to.try_read(&mut buffer)? {
            Got::Bytes(got) => {
                let begin = seen.len();
                seen.extend_from_slice(got);
                moved = true;
                if seen.len() >= bytes.len() || bytes[begin..seen.len()] != seen[begin..] {
                    return Ok(Progress::Done(None));
                }
            }
            Got::End(end) => return Ok(Progress::Done(Some(end))),
            Got::Nothing => {}
        }
        Ok(if moved { Progress::Moved } else { Progress::Nothing })
    })?;
    if seen == bytes {
        t.note_result("all of it arrived");
        return Ok(());
    }
    Err(to.wrong_bytes(&format!("the same {}", count(bytes.len())), bytes, &seen, result))
}
