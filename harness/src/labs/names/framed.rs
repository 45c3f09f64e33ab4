//! Messages on a TCP connection: each behind its length, in two bytes (RFC 1035 section 4.2.2).

use std::time::{Duration, Instant};

use super::fields;
use super::inquirer::{Wanted, identified};
use super::message::{Query, Reply};
use crate::net::{Connection, Cut, Got};
use crate::trial::{End, Progress, Stall, Verdict};
use crate::words::count;

/// A message behind its length.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

/// The harness's end of a connection that carries messages.
#[derive(Debug)]
pub(super) struct Framed {
    pub(super) connection: Connection,
    /// What came and belongs to no message yet.
    ahead: Vec<u8>,
    end: Option<End>,
}

/// What came instead of a message.
enum Instead {
    /// The end of the connection.
    End(End),
    /// Nothing.
    Nothing(Stall),
}

impl Framed {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, ahead: Vec::new(), end: None }
    }

    /// Sends these queries in one write, each behind its length.
    pub(super) fn ask(&mut self, queries: &[&Query]) -> Verdict {
        let bytes: Vec<u8> = queries.iter().flat_map(|query| framed(&query.bytes())).collect();
        let what: Vec<_> = queries.iter().map(|query| fields::in_words(&query.bytes())).collect();
        let (trial, name) = (self.connection.trial(), self.connection.name());
        trial.note(match queries.len() {
            1 => format!("{name} sent {} behind its length", what[0]),
            _ => format!("{name} sent in one write, each behind its length: {}", what.join("; ")),
        });
        // That it is not taken is for the expectation that follows to judge.
        let _ = self.connection.write(&bytes)?;
        Ok(())
    }

    /// Sends any bytes, cut in this way.
    pub(super) fn send(&mut self, bytes: &[u8], cut: Cut) -> Verdict {
        self.connection.send_cut(bytes, cut)
    }

    /// Takes the next message off the stream.
    fn next(&mut self) -> Verdict<Result<Vec<u8>, Instead>> {
        let Self { connection, ahead, end } = self;
        let result = connection.read(|got| {
            let moved = match got {
                Got::Bytes(bytes) => {
                    ahead.extend_from_slice(bytes);
                    true
                }
                Got::End(how) => {
                    *end = Some(how);
                    false
                }
                Got::Nothing => false,
            };
            match (take_message(ahead), *end) {
                (Some(message), _) => Progress::Done(Ok(message)),
                (None, Some(end)) => Progress::Done(Err(Instead::End(end))),
                (None, None) if moved => Progress::Moved,
                (None, None) => Progress::Nothing,
            }
        })?;
        Ok(result.unwrap_or_else(|stall| Err(Instead::Nothing(stall))))
    }

    /// Expects a message next of which `fits` approves.
    pub(super) fn expect_message<T>(
        &mut self,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Verdict<T> {
        let next = self.next()?;
        let name = self.connection.name();
        let program = &self.connection.running().name;
        let trial = self.connection.trial();
        let (headline, seen) = match next {
            Ok(message) => match fits(&message) {
                Ok(found) => {
                    trial.note(format!("{name} received {}", fields::in_words(&message)));
                    return Ok(found);
                }
                Err(wrong) => (
                    format!("{name} received another message than it should have"),
                    vec![fields::in_words(&message), wrong],
                ),
            },
            Err(Instead::End(end)) => {
                let how = match end {
                    End::Stream => "the end of the stream (FIN)",
                    End::Reset => "a reset (RST)",
                };
                let headline = format!("the {program} ended the connection before its message");
                (headline, vec![format!("{}{how}", self.so_far())])
            }
            Err(Instead::Nothing(stall)) => {
                let headline = format!("no message came to {name}");
                (headline, vec![format!("{}{}", self.so_far(), stall.sentence(program))])
            }
        };
        let failure = trial.fail(headline).expected(expected);
        let failure = seen.into_iter().fold(failure, |failure, seen| failure.seen(seen));
        Err(failure.cause(cause).stop())
    }

    /// What there is of the next message.
    fn so_far(&self) -> String {
        match &self.ahead[..] {
            [] => String::new(),
            [_] => "one byte of its length, then ".into(),
            [high, low, rest @ ..] => {
                let length = u16::from_be_bytes([*high, *low]);
                format!("its length, {length}, and {} of it, then ", count(rest.len()))
            }
        }
    }

    /// Expects this answer to this query next.
    pub(super) fn expect(&mut self, query: &Query, wanted: &Wanted, cause: &str) -> Verdict {
        self.expect_message(&wanted.describe(), cause, |bytes| wanted.judge(query, bytes))
    }

    /// Expects an answer to this query next, of which `fits` approves.
    pub(super) fn expect_fitting(
        &mut self,
        query: &Query,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&Reply) -> Result<(), String>,
    ) -> Verdict {
        self.expect_message(expected, cause, |bytes| {
            identified(query, bytes)?;
            fits(&Reply::read(bytes)?)
        })
    }

    /// Expects the end of the stream (FIN) next, and nothing before it.
    pub(super) fn expect_end(&mut self) -> Verdict {
        match (self.end, &self.ahead[..]) {
            (Some(End::Stream), []) => Ok(()),
            _ => self.connection.expect_end(),
        }
    }

    /// Reads what comes next, looking so often that a message which leaves in two writes is seen
    /// in two parts. Returns the first part.
    pub(super) fn first_part(&mut self) -> Verdict<Vec<u8>> {
        /// A program that takes longer is not looked at so often.
        const SOON: Duration = Duration::from_millis(20);
        let began = Instant::now();
        let mut buffer = vec![0; 4096];
        while began.elapsed() < SOON {
            if let Got::Bytes(bytes) = self.connection.try_read(&mut buffer)? {
                return Ok(bytes.to_vec());
            }
        }
        let part = self.connection.read(|got| match got {
            Got::Bytes(bytes) => Progress::Done(bytes.to_vec()),
            Got::End(_) => Progress::Done(Vec::new()),
            Got::Nothing => Progress::Nothing,
        })?;
        Ok(part.unwrap_or_default())
    }

    /// Puts back what was read ahead.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.ahead.extend_from_slice(bytes);
    }

    /// Looks whether the connection has ended by now, in whatever way; throws away what comes.
    pub(super) fn has_ended(&mut self) -> Verdict<bool> {
        let mut piece = [0; 4096];
        while self.end.is_none() {
            match self.connection.try_read(&mut piece)? {
                Got::Bytes(_) => {}
                Got::End(end) => self.end = Some(end),
                Got::Nothing => break,
            }
        }
        Ok(self.end.is_some())
    }
}

/// The first message of `ahead`, where it is whole.
fn take_message(ahead: &mut Vec<u8>) -> Option<Vec<u8>> {
    let [high, low, ..] = ahead[..] else { return None };
    let end = 2 + usize::from(u16::from_be_bytes([high, low]));
    if ahead.len() < end {
        return None;
    }
    let rest = ahead.split_off(end);
    let mut message = std::mem::replace(ahead, rest);
    message.drain(..2);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_off_a_stream_one_by_one() {
        let mut ahead = [framed(b"one"), framed(b""), framed(b"two")].concat();
        ahead.pop();
        assert_eq!(take_message(&mut ahead).as_deref(), Some(&b"one"[..]));
        assert_eq!(take_message(&mut ahead).as_deref(), Some(&b""[..]));
        assert_eq!(take_message(&mut ahead), None);
        ahead.push(b'o');
        assert_eq!(take_message(&mut ahead).as_deref(), Some(&b"two"[..]));
        assert!(ahead.is_empty());
    }
}
