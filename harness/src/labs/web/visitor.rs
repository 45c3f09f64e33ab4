//! The harness as a client that speaks HTTP: what it sends, and what it takes in. What it expects
//! stands in [`expect`].

mod expect;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::net::{Connection, Cut, End, Got};
use crate::trial::{Progress, Stall, Trial, Verdict};
use crate::words::count;

/// One connection to a web server, and what has come on it and was not looked at yet.
#[derive(Debug)]
pub(in crate::labs) struct Visitor {
    connection: Connection,
    ahead: Vec<u8>,
    end: Option<End>,
}

/// Between two bytes of a head that dribbles.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a head that dribbles: after ten of them a second has passed, and it must have ended. The
/// rest leaves room for a busy machine.
const MOST_DRIBBLED: usize = 60;

impl Visitor {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, ahead: Vec::new(), end: None }
    }

    pub(super) fn trial(&self) -> &Trial {
        self.connection.trial()
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The harness's own address.
    pub(super) fn here(&self) -> SocketAddr {
        self.connection.here()
    }

    fn name(&self) -> String {
        self.connection.name().to_owned()
    }

    fn program(&self) -> String {
        self.connection.running().name.clone()
    }

    /// Sends these bytes in one write.
    pub(in crate::labs) fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.connection.send(bytes)
    }

    /// The same, and the story tells of all such clients together.
    pub(super) fn send_quietly(&mut self, bytes: &[u8]) -> Verdict {
        let _ = self.connection.write(bytes)?;
        Ok(())
    }

    /// Sends these bytes, cut into pieces.
    pub(in crate::labs) fn send_cut(&mut self, bytes: &[u8], cut: Cut) -> Verdict {
        self.connection.send_cut(bytes, cut)
    }

    /// Sends a request without a body, and with the one field that it must have.
    pub(super) fn ask(&mut self, method: &str, path: &str) -> Verdict {
        self.ask_with(method, path, "")
    }

    /// The same with further fields, each ended by CRLF.
    pub(super) fn ask_with(&mut self, method: &str, path: &str, fields: &str) -> Verdict {
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes())
    }

    /// Sends the head of an upload of so many bytes, and its body or a part of it with it.
    pub(super) fn put(&mut self, path: &str, length: usize, body: &[u8]) -> Verdict {
        let head =
            format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        self.send(&[head.as_bytes(), body].concat())
    }

    /// Ends the client's sending side (FIN).
    pub(in crate::labs) fn half_close(&mut self) -> Verdict {
        self.connection.half_close()
    }

    /// Closes the connection.
    pub(super) fn close(self) {
        self.connection.close();
    }

    /// The same, and the story tells of all such clients together.
    pub(super) fn close_quietly(self) {
        drop(self);
    }

    /// Vanishes: closes with something unread, which makes the kernel send a reset.
    pub(super) fn reset(self) -> Verdict {
        self.connection.reset()
    }

    /// Waits for so long, and says nothing. Returns whether nothing came meanwhile.
    pub(super) fn hears_nothing_for(&mut self, time: Duration) -> Verdict<bool> {
        let over = Instant::now() + time;
        let Self { connection, ahead, end } = self;
        let heard = connection.read(|got| match got {
            Got::Bytes(bytes) => {
                ahead.extend_from_slice(bytes);
                Progress::Done(true)
            }
            Got::End(how) => {
                *end = Some(how);
                Progress::Done(true)
            }
            Got::Nothing if Instant::now() >= over => Progress::Done(false),
            Got::Nothing => Progress::Nothing,
        })?;
        Ok(heard.is_ok_and(|heard| !heard))
    }

    /// Sends `begin`, and then one `byte` after the other, each when the program has taken the one
    /// before, until the program answers or ends the connection.
    pub(super) fn dribble(&mut self, begin: &[u8], byte: u8, cause: &str) -> Verdict {
        self.send(begin)?;
        let name = self.name();
        self.trial().note(format!("{name} goes on, with a byte each 100 ms"));
        for _ in 0..MOST_DRIBBLED {
            if !self.hears_nothing_for(PAUSE)? {
                return Ok(());
            }
            // That it is not taken any more is for the next look to tell.
            let _ = self.connection.try_write(&[byte]);
        }
        let program = self.program();
        Err(self
            .trial()
            .fail(format!("the {program} waits for ever for a head that dribbles"))
            .expected("after SECONDS (1) for the whole head it answers 408 and ends the connection")
            .seen(format!("after {MOST_DRIBBLED} bytes, one each 100 ms, it still waits for more"))
            .cause(cause)
            .stop())
    }

    /// Sends `byte` until the program takes no more or has answered, at most `limit` times.
    pub(super) fn flood(&mut self, byte: u8, limit: usize) -> Verdict {
        let piece = vec![byte; 64 * 1024];
        let (name, mut sent) = (self.name(), 0);
        self.trial().note(format!("{name} sent bytes without end and without a line end"));
        while sent < limit {
            let written = self.connection.write(&piece)?;
            sent += written.bytes;
            self.take_in()?;
            if written.stopped.is_some() || !self.ahead.is_empty() || self.end.is_some() {
                break;
            }
        }
        self.trial().note_result(&format!("{} were taken", count(sent)));
        Ok(())
    }

    /// Reads until at least so many bytes have come, and forgets them.
    pub(super) fn read_at_least(&mut self, bytes: usize) -> Verdict {
        let mut total = self.ahead.len();
        self.ahead.clear();
        let result = self.connection.read(|got| match got {
            Got::Bytes(piece) => {
                total += piece.len();
                if total >= bytes { Progress::Done(()) } else { Progress::Moved }
            }
            Got::End(_) => Progress::Done(()),
            Got::Nothing => Progress::Nothing,
        })?;
        let (name, program) = (self.name(), self.program());
        if total >= bytes {
            self.trial().note(format!("{name} received {}", count(total)));
            return Ok(());
        }
        let then = result.err().map_or("the end".into(), |stall| stall.sentence(&program));
        Err(self
            .trial()
            .fail(format!("the reply to {name} is not whole"))
            .expected(format!("at least {}", count(bytes)))
            .seen(format!("{}; then {then}", count(total)))
            .stop())
    }

    /// Stops the program in the middle of a write, and lets it go on: the write then returns with
    /// a part of what it was given.
    pub(super) fn freeze_and_thaw(&self) -> Verdict {
        let running = self.connection.running();
        self.trial().freeze(running)?;
        self.trial().thaw(running)?;
        let program = self.program();
        self.trial().note(format!("the {program} was stopped and continued (SIGSTOP, SIGCONT)"));
        Ok(())
    }

    /// Takes in what is there, and does not wait.
    pub(super) fn take_in(&mut self) -> Verdict {
        let mut buffer = vec![0; 64 * 1024];
        while self.end.is_none() {
            match self.connection.try_read(&mut buffer)? {
                Got::Bytes(bytes) => self.ahead.extend_from_slice(bytes),
                Got::End(end) => self.end = Some(end),
                Got::Nothing => break,
            }
        }
        Ok(())
    }

    /// Reads until `enough`, the end, or until the program can make no progress.
    fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Verdict<Result<(), Stall>> {
        let Self { connection, ahead, end } = self;
        if end.is_some() || enough(ahead) {
            return Ok(Ok(()));
        }
        connection.read(|got| match got {
            Got::Bytes(bytes) => {
                ahead.extend_from_slice(bytes);
                if enough(ahead) { Progress::Done(()) } else { Progress::Moved }
            }
            Got::End(how) => {
                *end = Some(how);
                Progress::Done(())
            }
            Got::Nothing => Progress::Nothing,
        })
    }
}
