//! Lines over a connection: what is said ends with a line end, and what comes is heard line by
//! line, whatever its segments were.

use super::causes::{BARE_LF, EMPTY_LINE, NO_LINE_END};
use super::connection::{Connection, End, Got};
use super::pace::Pace;
use super::pattern::Pattern;
use crate::kernel;
use crate::trial::{Progress, Stall, Trial, Verdict};
use crate::words::{count, quote_short, summary};

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`.
    Lf,
    /// `\r\n`, as most of the Internet's protocols in text have it.
    CrLf,
}

/// The harness's end of a connection on which lines are spoken.
#[derive(Debug)]
pub struct Lines {
    connection: Connection,
    line_end: LineEnd,
    /// What has come and was not expected yet.
    ahead: Vec<u8>,
    end: Option<End>,
    /// Whether the end was expected.
    over: bool,
    pace: Pace,
}

/// Bytes of a line that a sentence shows.
const SHOWN: usize = 80;

impl LineEnd {
    /// Its bytes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

impl Lines {
    /// Lines over `connection`.
    pub fn new(connection: Connection, line_end: LineEnd) -> Self {
        let (ahead, pace) = (Vec::new(), Pace::new());
        Self { connection, line_end, ahead, end: None, over: false, pace }
    }

    /// The same with another line end.
    #[must_use]
    pub fn ended_by(self, line_end: LineEnd) -> Self {
        Self { line_end, ..self }
    }

    /// Its connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What the reader calls the harness's end.
    pub fn name(&self) -> &str {
        self.connection.name()
    }

    fn trial(&self) -> &Trial {
        self.connection.trial()
    }

    /// What the reader calls the program.
    pub fn program(&self) -> String {
        self.connection.program().to_owned()
    }

    fn whole(&self, line: &str) -> Vec<u8> {
        format!("{line}{}", self.line_end.as_str()).into_bytes()
    }

    /// Sends a line: `text` and its end, in one write.
    pub fn say(&mut self, text: &str) -> Verdict {
        self.send(&self.whole(text))
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
            let result = self.trial().wait(self.connection.running(), || {
                let unread = kernel::unread(there, here)?;
                Ok(if unread == 0 { Progress::Done(()) } else { Progress::Nothing })
            })?;
            return Ok(result.is_ok());
        }
        Ok(taken)
    }

    /// Sends these bytes without a word. Returns whether the program took all of them.
    pub fn put(&self, bytes: &[u8]) -> Verdict<bool> {
        Ok(self.connection.write_recorded(bytes)?.stopped.is_none())
    }

    /// Sends `bytes` again and again until the program closes, or until `limit` bytes were sent
    /// or stand in the queues. Returns how many were sent.
    pub fn flood(&mut self, bytes: &[u8], limit: usize) -> Verdict<usize> {
        self.trial().note(format!(
            "{} sent {} again and again",
            self.name(),
            quote_short(bytes, 8)
        ));
        let mut sent = 0;
        while sent < limit {
            let written = self.connection.write(bytes)?;
            sent += written.bytes;
            if written.stopped.is_some() {
                break;
            }
        }
        self.trial().note_result(&format!("{} were taken", count(sent)));
        Ok(sent)
    }

    /// Expects this line next, with its end. `*` stands for anything in it. `cause` is what is
    /// likely wrong where it does not come.
    pub fn expect_line(&mut self, line: &str, cause: &str) -> Verdict {
        self.hear_line(line, cause).map(drop)
    }

    /// The same; returns the line with its end.
    pub fn hear_line(&mut self, line: &str, cause: &str) -> Verdict<Vec<u8>> {
        let pattern = Pattern::new(line);
        let result = self.read_until(|ahead| ahead.contains(&b'\n'), false)?;
        let (name, program) = (self.name().to_owned(), self.program());
        let whole = self.whole(line);
        let expected = format!("the line {}", quote_short(&whole, SHOWN));
        if result.is_ok()
            && let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n')
        {
            let heard: Vec<u8> = self.ahead.drain(..=end).collect();
            let text = heard.strip_suffix(self.line_end.as_str().as_bytes());
            if text.is_some_and(|text| pattern.fits(text)) {
                self.trial().note(format!("{name} heard {}", quote_short(&heard, SHOWN)));
                return Ok(heard);
            }
            let mut blame = self
                .trial()
                .fail(format!("the {program} sent {name} another line than expected"))
                .expected(expected)
                .seen(format!("the line {}", quote_short(&heard, SHOWN)));
            if !pattern.is_free() && pattern.begins_like(&heard) {
                blame = blame.difference(&whole, &heard);
            }
            let cause = match (self.line_end, &heard[..]) {
                (LineEnd::Lf, b"\n") => EMPTY_LINE,
                (LineEnd::CrLf, heard) if !heard.ends_with(b"\r\n") => BARE_LF,
                _ => cause,
            };
            return Err(blame.cause(cause).stop());
        }
        let part = if self.ahead.is_empty() {
            String::new()
        } else {
            format!("only {}, without a line end; then ", quote_short(&self.ahead, SHOWN))
        };
        let then = match (&result, self.end) {
            (_, Some(end)) => end.describe().to_owned(),
            (Err(stall), _) => stall.sentence(&program),
            (Ok(()), None) => String::new(),
        };
        Err(self
            .trial()
            .fail(match self.end {
                Some(_) => format!("the {program} closed the connection with {name}"),
                None => format!("{name} did not hear what the {program} should have sent"),
            })
            .expected(expected)
            .seen(format!("{part}{then}"))
            .cause(match (self.waiting(), self.ahead.is_empty()) {
                (Some(why), _) => why,
                (None, false) => NO_LINE_END,
                (None, true) => cause,
            })
            .stop())
    }

    /// Where nobody has accepted the connection yet, that is why nothing comes.
    pub(crate) fn waiting(&self) -> Option<&'static str> {
        let snapshot = self.trial().look(self.connection.running()).ok()?;
        let row = snapshot.connection(self.connection.there(), self.connection.here())?;
        let queued = row.stands_in_a_queue() && self.end.is_none();
        queued.then_some(NOT_ACCEPTED)
    }

    /// Expects exactly these bytes next, whatever follows them.
    pub fn expect_bytes(&mut self, bytes: &[u8], cause: &str) -> Verdict {
        let result = self.read_until(|ahead| ahead.len() >= bytes.len(), false)?;
        if self.ahead.starts_with(bytes) {
            self.ahead.drain(..bytes.len());
            self.trial().note(format!("{} heard {}", self.name(), quote_short(bytes, SHOWN)));
            return Ok(());
        }
        let (name, program) = (self.name(), self.program());
        let seen = &self.ahead[..self.ahead.len().min(bytes.len())];
        let then = match (&result, self.end) {
            (_, Some(end)) => format!("; then {}", end.describe()),
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
    /// come to rest; `cause` is why something may come.
    pub fn expect_silence(&mut self, cause: &str) -> Verdict {
        let _ = self.trial().settle(self.connection.running())?;
        self.expect_no_more(cause)
    }

    /// The same of a program that is known to be at rest.
    pub fn expect_no_more(&mut self, cause: &str) -> Verdict {
        let _ = self.read_until(|_| true, true)?;
        let (name, program) = (self.name(), self.program());
        if self.ahead.is_empty() && (self.end.is_none() || self.over) {
            self.trial().note(format!("{name} heard nothing, and the {program} was at rest"));
            return Ok(());
        }
        let blame = self.trial().fail(format!("{name} heard something that was not for it"));
        let blame = blame.expected("nothing: the connection stays open, and nobody speaks");
        Err(match self.end {
            Some(end) if self.ahead.is_empty() => blame.seen(end.describe()),
            _ => blame.seen(quote_short(&self.ahead, SHOWN)).cause(cause),
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
        if let Some(end) = self.end
            && self.ahead.is_empty()
            && (reset_too || end == End::Stream)
        {
            self.trial().note(format!("{} saw {}", self.name(), end.describe()));
            self.over = true;
            return Ok(());
        }
        let (name, program) = (self.name(), self.program());
        let expected = if reset_too {
            "the connection is closed (FIN or RST)"
        } else {
            "the end of the stream (FIN)"
        };
        let (headline, seen) = match (self.ahead.is_empty(), self.end) {
            (false, _) => (
                format!("the {program} sent {name} more than it should have"),
                quote_short(&self.ahead, SHOWN),
            ),
            (true, Some(end)) => (
                format!("the {program} reset the connection with {name}"),
                end.describe().to_owned(),
            ),
            (true, None) => (
                format!("the {program} did not end the connection with {name}"),
                result.map_or_else(|stall| stall.sentence(&program), |()| "nothing".to_owned()),
            ),
        };
        let cause = if self.ahead.is_empty() { cause } else { SENT_MORE };
        Err(self.trial().fail(headline).seen(seen).expected(expected).cause(cause).stop())
    }

    /// Takes in what is there, and does not wait.
    pub fn take_in(&mut self) -> Verdict {
        let mut buffer = vec![0; 64 * 1024];
        while self.end.is_none() {
            match self.connection.try_read(&mut buffer)? {
                Got::Nothing => {
                    self.pace.empty();
                    break;
                }
                got => take(got, &mut self.ahead, &mut self.end, &mut self.pace),
            }
        }
        Ok(())
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

    /// Waits until `enough` holds of all that is unread, or until the end; takes nothing of it.
    pub fn hear_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Verdict<Result<(), Stall>> {
        self.read_until(enough, false)
    }

    /// What has come and was not expected yet.
    pub fn unread(&self) -> &[u8] {
        &self.ahead
    }

    /// Takes so many bytes of what is unread.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        self.ahead.drain(..length.min(self.ahead.len())).collect()
    }

    /// How the program has ended the connection, if it has.
    pub fn ended(&self) -> Option<End> {
        self.end
    }

    /// Reads until `enough`, the end, or a stall; with `now`, only what is there.
    fn read_until(
        &mut self,
        enough: impl Fn(&[u8]) -> bool,
        now: bool,
    ) -> Verdict<Result<(), Stall>> {
        let Self { connection, ahead, end, pace, .. } = self;
        if end.is_some() || (!now && enough(ahead)) {
            return Ok(Ok(()));
        }
        connection.read(|got| {
            take(got, ahead, end, pace);
            match got {
                Got::Bytes(_) if !enough(ahead) => Progress::Moved,
                Got::Nothing if !now => Progress::Nothing,
                _ => Progress::Done(()),
            }
        })
    }

    /// Ends its sending side (FIN), and goes on listening.
    pub fn end(&mut self) -> Verdict {
        self.connection.half_close()
    }

    /// Tears the connection down (RST): closes with something of the program's unread.
    pub fn reset(self) -> Verdict {
        self.connection.reset()
    }

    /// Closes the connection.
    pub fn close(self) {
        self.connection.close();
    }
}

/// Keeps what a look has brought.
fn take(got: Got<'_>, ahead: &mut Vec<u8>, end: &mut Option<End>, pace: &mut Pace) {
    match got {
        Got::Bytes(bytes) => {
            pace.read(bytes.len());
            ahead.extend_from_slice(bytes);
        }
        Got::End(how) => {
            pace.empty();
            *end = Some(how);
        }
        Got::Nothing => pace.empty(),
    }
}

const SENT_MORE: &str = "the connection was to end here, and something was sent before that: an answer, a \
    farewell, or what others have said. Only what was asked for may be sent";
const NOT_ACCEPTED: &str = "the connection is still in the listener's queue: nobody has accepted it. The \
    thread that accepts must do nothing else: whatever it waits for, nobody can join meanwhile";
