//! The harness's own peer at the other end of a connection: it speaks lines, and hears them.

use std::io::{ErrorKind, Write};

use super::causes::{EMPTY_LINE, NO_LINE_END};
use super::connection::{Connection, End, Got};
use super::pace::Pace;
use super::pattern::Pattern;
use crate::kernel;
use crate::trial::{Act, Progress, Trial, Verdict};
use crate::words::{count, quote_short, summary};

/// A peer of the harness, connected to the program.
#[derive(Debug)]
pub struct RemotePeer {
    connection: Connection,
    /// What has come and was not expected yet.
    ahead: Vec<u8>,
    end: Option<End>,
    /// Whether the end was expected.
    over: bool,
    pace: Pace,
}

/// Bytes of a line that a sentence shows.
const SHOWN: usize = 80;

impl RemotePeer {
    /// The peer at the harness's end of `connection`.
    pub fn new(connection: Connection) -> Self {
        Self { connection, ahead: Vec::new(), end: None, over: false, pace: Pace::new() }
    }

    /// Its connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Its name: also what the reader calls it.
    pub fn name(&self) -> String {
        self.connection.name().to_owned()
    }

    fn trial(&self) -> &Trial {
        &self.connection.trial
    }

    fn program(&self) -> String {
        self.connection.running.name.clone()
    }

    /// Sends a line: `text` and LF, in one write.
    pub fn say(&mut self, text: &str) -> Verdict {
        self.send(format!("{text}\n").as_bytes())
    }

    /// Sends these bytes in one write. That the program does not want them (it has closed) is
    /// for what is expected next to judge.
    pub fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.trial().note(format!("{} sent {}", self.name(), summary(bytes, SHOWN)));
        self.put(bytes).map(drop)
    }

    /// Sends these bytes without a word, and waits until the program has taken them or has come
    /// to rest over something else: what follows is then a read of its own.
    pub fn send_alone(&mut self, bytes: &[u8]) -> Verdict<bool> {
        let taken = self.put(bytes)?;
        if taken && kernel::available().is_ok() {
            let (here, there) = (self.connection.here(), self.connection.there());
            let result = self.trial().wait(&self.connection.running, || {
                let unread = kernel::unread(there, here)?;
                Ok(if unread == 0 { Progress::Done(()) } else { Progress::Nothing })
            })?;
            return Ok(result.is_ok());
        }
        Ok(taken)
    }

    /// Whether the program took all of the bytes.
    pub fn put(&self, bytes: &[u8]) -> Verdict<bool> {
        let mut sent = 0;
        let mut stream = &self.connection.stream;
        let still = self.connection.record_before(bytes.len());
        let result =
            self.trial().wait(&self.connection.running, || match stream.write(&bytes[sent..]) {
                Ok(taken) => {
                    sent += taken;
                    Ok(if sent == bytes.len() { Progress::Done(true) } else { Progress::Moved })
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Progress::Moved),
                // It has closed.
                Err(_) => Ok(Progress::Done(false)),
            })?;
        self.connection.record(still, Act::Write(&bytes[..sent]));
        Ok(result.unwrap_or(false))
    }

    /// Expects this line next, ended by LF. `*` stands for anything in it. `cause` is what is
    /// likely wrong where it does not come.
    pub fn expect_line(&mut self, line: &str, cause: &str) -> Verdict {
        let pattern = Pattern::new(line);
        let result = self.read_until(|ahead| ahead.contains(&b'\n'), false)?;
        let (name, program) = (self.name(), self.program());
        if result.is_ok()
            && let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n')
        {
            let heard: Vec<u8> = self.ahead.drain(..=end).collect();
            if pattern.fits(&heard[..end]) {
                self.trial().note(format!("{name} heard {}", quote_short(&heard, SHOWN)));
                return Ok(());
            }
            let mut blame = self
                .trial()
                .fail(format!("the {program} sent {name} another line than expected"))
                .expected(format!(
                    "the line {}",
                    quote_short(format!("{line}\n").as_bytes(), SHOWN)
                ))
                .seen(format!("the line {}", quote_short(&heard, SHOWN)));
            if !pattern.is_free() && pattern.begins_like(&heard) {
                blame = blame.difference(format!("{line}\n").as_bytes(), &heard);
            }
            let is_empty = heard == b"\n";
            return Err(blame.cause(if is_empty { EMPTY_LINE } else { cause }).stop());
        }
        let part = match self.ahead.is_empty() {
            true => String::new(),
            false => format!("only {}, without a line end; then ", quote_short(&self.ahead, SHOWN)),
        };
        let then = match (&result, self.end) {
            (_, Some(end)) => describe(end).to_owned(),
            (Err(stall), _) => stall.sentence(&program),
            (Ok(()), None) => String::new(),
        };
        Err(self
            .trial()
            .fail(match self.end {
                Some(_) => format!("the {program} closed the connection with {name}"),
                None => format!("{name} did not hear what the {program} should have sent"),
            })
            .expected(format!("the line {}", quote_short(format!("{line}\n").as_bytes(), SHOWN)))
            .seen(format!("{part}{then}"))
            .cause(match (self.waiting(), self.ahead.is_empty()) {
                (Some(why), _) => why,
                (None, false) => NO_LINE_END,
                (None, true) => cause,
            })
            .stop())
    }

    /// Where nobody has accepted the connection yet, that is why nothing comes.
    fn waiting(&self) -> Option<&'static str> {
        let snapshot = self.trial().look(&self.connection.running).ok()?;
        let row = snapshot.connection(self.connection.there(), self.connection.here())?;
        (row.inode == 0).then_some(NOT_ACCEPTED)
    }

    /// Expects exactly these bytes next, whatever follows them.
    pub fn expect_bytes(&mut self, bytes: &[u8], cause: &str) -> Verdict {
        let result = self.read_until(|ahead| ahead.len() >= bytes.len(), false)?;
        let (name, program) = (self.name(), self.program());
        if self.ahead.starts_with(bytes) {
            self.ahead.drain(..bytes.len());
            self.trial().note(format!("{name} heard {}", quote_short(bytes, SHOWN)));
            return Ok(());
        }
        let seen = &self.ahead[..self.ahead.len().min(bytes.len())];
        let then = match (&result, self.end) {
            (_, Some(end)) => format!("; then {}", describe(end)),
            (Err(stall), _) => format!("; then {}", stall.sentence(&program)),
            _ => String::new(),
        };
        Err(self
            .trial()
            .fail(format!("{name} did not hear what the {program} should have sent"))
            .expected(summary(bytes, SHOWN))
            .seen(format!("{}{then}", summary(seen, SHOWN)))
            .difference(bytes, seen)
            .cause(cause)
            .stop())
    }

    /// Expects that nothing comes, and that the connection stays as it is, when the program has
    /// come to rest.
    pub fn expect_silence(&mut self) -> Verdict {
        let _ = self.trial().settle(&self.connection.running)?;
        self.expect_no_more()
    }

    /// The same of a program that is known to be at rest.
    pub fn expect_no_more(&mut self) -> Verdict {
        let _ = self.read_until(|_| true, true)?;
        let (name, program) = (self.name(), self.program());
        if self.ahead.is_empty() && (self.end.is_none() || self.over) {
            self.trial().note(format!("{name} heard nothing, and the {program} was at rest"));
            return Ok(());
        }
        let blame = self.trial().fail(format!("{name} heard something that was not for it"));
        let blame = blame.expected("nothing: the connection stays open, and nobody speaks");
        Err(match self.end {
            Some(end) if self.ahead.is_empty() => blame.seen(describe(end)),
            _ => blame.seen(quote_short(&self.ahead, SHOWN)).cause(NOT_FOR_IT),
        }
        .stop())
    }

    /// Expects the program's orderly end (FIN), with nothing before it.
    pub fn expect_end(&mut self, cause: &str) -> Verdict {
        self.expect_over(false, cause)
    }

    /// Expects that the program closes: an orderly end or a reset, and nothing before it.
    pub fn expect_closed(&mut self, cause: &str) -> Verdict {
        self.expect_over(true, cause)
    }

    fn expect_over(&mut self, reset_too: bool, cause: &str) -> Verdict {
        let result = self.read_until(|ahead| !ahead.is_empty(), false)?;
        let (name, program) = (self.name(), self.program());
        let expected = match reset_too {
            true => "the connection is closed (FIN or RST)",
            false => "the end of the stream (FIN)",
        };
        match (self.end, self.ahead.is_empty()) {
            (Some(end), true) if reset_too || end == End::Stream => {
                self.trial().note(format!("{name} saw {}", describe(end)));
                self.over = true;
                return Ok(());
            }
            _ => {}
        }
        let blame = match (self.ahead.is_empty(), self.end) {
            (false, _) => self
                .trial()
                .fail(format!("the {program} sent {name} more than it should have"))
                .seen(quote_short(&self.ahead, SHOWN)),
            (true, Some(end)) => self
                .trial()
                .fail(format!("the {program} reset the connection with {name}"))
                .seen(describe(end)),
            (true, None) => {
                let what = match &result {
                    Err(stall) => stall.sentence(&program),
                    Ok(()) => "nothing".into(),
                };
                self.trial()
                    .fail(format!("the {program} did not end the connection with {name}"))
                    .seen(what)
            }
        };
        Err(blame.expected(expected).cause(cause).stop())
    }

    /// Takes in what is there, and does not wait.
    pub fn take_in(&mut self) -> Verdict {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.connection.try_read(&mut buffer)? {
                Got::Bytes(n) => {
                    self.pace.read(n);
                    self.ahead.extend_from_slice(&buffer[..n]);
                }
                Got::End(how) => {
                    self.pace.empty();
                    self.end = Some(how);
                    return Ok(());
                }
                Got::Nothing => {
                    self.pace.empty();
                    return Ok(());
                }
            }
        }
    }

    /// Whether the program may have given up on this end, since the harness had no time to read.
    pub fn may_be_given_up(&self) -> bool {
        self.pace.is_late()
    }

    /// Everything that comes until `enough` holds of all that is unread, or until the end.
    pub fn read_all_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Verdict<Vec<u8>> {
        let _ = self.read_until(enough, false)?;
        Ok(std::mem::take(&mut self.ahead))
    }

    /// Reads until `enough`, the end, or stall; with `now`, only what is there.
    fn read_until(
        &mut self,
        enough: impl Fn(&[u8]) -> bool,
        now: bool,
    ) -> Verdict<Result<(), crate::trial::Stall>> {
        let Self { connection, ahead, end, pace, .. } = self;
        if end.is_some() || (!now && enough(ahead)) {
            return Ok(Ok(()));
        }
        let mut buffer = vec![0; 64 * 1024];
        connection.trial.wait(&connection.running, || {
            Ok(match connection.try_read(&mut buffer)? {
                Got::Bytes(n) => {
                    pace.read(n);
                    ahead.extend_from_slice(&buffer[..n]);
                    if enough(ahead) { Progress::Done(()) } else { Progress::Moved }
                }
                Got::End(how) => {
                    pace.empty();
                    *end = Some(how);
                    Progress::Done(())
                }
                Got::Nothing => {
                    pace.empty();
                    if now { Progress::Done(()) } else { Progress::Nothing }
                }
            })
        })
    }

    /// Ends its sending side (FIN), and goes on listening.
    pub fn end(&mut self) -> Verdict {
        self.trial().note(format!("{} ended its sending side (FIN)", self.name()));
        self.connection.end_sending()
    }

    /// Tears the connection down (RST): closes with something of the program's unread.
    pub fn reset(self) -> Verdict {
        self.connection.reset()
    }

    /// Closes the connection.
    pub fn close(self) {
        self.connection.close();
    }

    /// Sends `bytes` again and again until the program closes, or until `limit` bytes were sent
    /// or stand in the queues. Returns how many were sent.
    pub fn flood(&mut self, bytes: &[u8], limit: usize) -> Verdict<usize> {
        let (name, mut sent, mut offset) = (self.name(), 0, 0);
        self.trial().note(format!("{name} sent {} again and again", quote_short(bytes, 8)));
        let mut stream = &self.connection.stream;
        let _ = self.trial().wait(&self.connection.running, || {
            if sent >= limit {
                return Ok(Progress::Done(()));
            }
            Ok(match stream.write(&bytes[offset..]) {
                Ok(taken) => {
                    (sent, offset) = (sent + taken, (offset + taken) % bytes.len());
                    Progress::Moved
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Progress::Nothing,
                Err(_) => Progress::Done(()),
            })
        })?;
        self.trial().note_result(&format!("{} were taken", count(sent)));
        Ok(sent)
    }
}

const NOT_FOR_IT: &str = "a connection carries HELLO, what this peer's own user types, and BYE: who joins, \
    who leaves and what others say is printed, and told to nobody";
const NOT_ACCEPTED: &str = "the connection stands in the listener's queue: nobody has accepted it. The \
    thread that accepts must do nothing else: whatever it waits for, nobody can join meanwhile";

fn describe(end: End) -> &'static str {
    match end {
        End::Stream => "the end of the stream (FIN)",
        End::Reset => "a reset (RST)",
    }
}
