//! What comes from a program, compared with what the file expects.

use super::cast::Cast;
use super::{Bytes, Expected, Fact, Transcript};
use crate::trial::{Progress, Stop, Verdict};
use crate::words::{quote_short, summary};

/// Bytes that a sentence shows.
const SHOWN: usize = 80;

impl Cast<'_> {
    /// A line, on the connection of this side of the harness.
    pub(super) fn expect_line(&mut self, side: usize, text: &str) -> Verdict {
        let stage = &*self.stage;
        let Some(link) = &mut self.links[side] else { return Err(no_link()) };
        let cause = stage.cause(Expected::Line(text));
        link.heard.extend(link.remote.hear_line(text, cause)?);
        Ok(())
    }

    /// These bytes, on the connection of this side of the harness.
    pub(super) fn expect_bytes(&mut self, side: usize, bytes: &Bytes) -> Verdict {
        let stage = &*self.stage;
        let Some(link) = &mut self.links[side] else { return Err(no_link()) };
        let length = bytes.like(b"", &self.memory).len();
        let _ = link.remote.hear_until(|unread| unread.len() >= length)?;
        let (remote, seen) = (&link.remote, link.remote.unread());
        let expected = bytes.like(seen, &self.memory);
        if !seen.starts_with(&expected)
            && let Some((wanted, told)) = stage.in_words(&expected, seen)
        {
            let (name, program) = (remote.name(), remote.program());
            let headline = format!("the {program} sent {name} another message than expected");
            let blame = self.trial.fail(headline).expected(wanted);
            let blame = told.into_iter().fold(blame, |blame, seen| blame.seen(seen));
            return Err(blame.cause(stage.cause(Expected::Message)).stop());
        }
        link.remote.expect_bytes(&expected, SAYS)?;
        bytes.remember(&expected, &mut self.memory);
        link.heard.extend(expected);
        Ok(())
    }

    /// One whole reply, on the connection of this side of the harness.
    pub(super) fn expect_reply(&mut self, side: usize, pattern: &str) -> Verdict {
        let stage = &*self.stage;
        let Some(link) = &mut self.links[side] else { return Err(no_link()) };
        let (service, sent, heard) = (link.service, &link.sent, &link.heard);
        let length = |unread: &[u8]| stage.reply(&Transcript { service, sent, heard, unread });
        let result = link.remote.hear_until(|unread| length(unread).is_some())?;
        let remote = &mut link.remote;
        let (name, program) = (remote.name().to_owned(), remote.program());
        let expected = format!("a reply that is {pattern}");
        let cause = stage.cause(Expected::Reply(pattern));
        if let Some(length) = length(remote.unread()) {
            let reply = remote.take(length);
            if stage.is_reply(pattern, &reply) {
                self.trial.note(format!("{name} heard {}", quote_short(&reply, SHOWN)));
                link.heard.extend(reply);
                return Ok(());
            }
            return Err(self
                .trial
                .fail(format!("the {program} sent {name} another reply than expected"))
                .expected(expected)
                .seen(format!("the reply {}", quote_short(&reply, 4 * SHOWN)))
                .cause(cause)
                .stop());
        }
        let part = match remote.unread() {
            [] => String::new(),
            unread => format!("only {}, which is not a whole reply; then ", summary(unread, SHOWN)),
        };
        let then = match (remote.ended(), result) {
            (Some(end), _) => end.describe().into(),
            (None, Err(stall)) => stall.sentence(&program),
            (None, Ok(())) => "nothing".into(),
        };
        Err(self
            .trial
            .fail(match remote.ended() {
                Some(_) => format!("the {program} closed the connection with {name}"),
                None => format!("{name} did not hear what the {program} should have sent"),
            })
            .expected(expected)
            .seen(format!("{part}{then}"))
            .cause(remote.waiting().unwrap_or(cause))
            .stop())
    }

    /// A file with this content, or no file, as soon as the programs are at rest.
    pub(super) fn expect_file(&mut self, name: &str, content: Option<&[u8]>) -> Verdict {
        let folder = self.stage.folder();
        let folder = folder.ok_or_else(|| Stop::Fault(format!("{name}: there is no folder")))?;
        let mut seen = None;
        let on = self.any_program()?;
        let result = self.trial.wait(&on, || {
            seen = folder.read(name)?;
            let done = seen.as_deref() == content;
            Ok(if done { Progress::Done(()) } else { Progress::Nothing })
        })?;
        let place = folder.shown(name);
        let shown = |content: Option<&[u8]>| match content {
            Some(content) => format!("{place}, {}", summary(content, SHOWN)),
            None => format!("no file {place}"),
        };
        let Err(stall) = result else {
            self.trial.note(format!("there was {}", shown(content)));
            return Ok(());
        };
        let headline = match (content, &seen) {
            (Some(_), None) => format!("there is no file {place}"),
            (Some(_), Some(_)) => format!("{place} does not hold what it should"),
            (None, _) => format!("there is a file {place}"),
        };
        let mut blame = self.trial.fail(headline).expected(shown(content));
        blame = blame.seen(shown(seen.as_deref())).seen(stall.stays(&on.name));
        if let (Some(expected), Some(seen)) = (content, &seen) {
            blame = blame.difference(expected, seen);
        }
        Err(blame.cause(self.stage.cause(Expected::Fact(name))).stop())
    }

    /// What only the room knows to be so, as soon as the programs are at rest.
    pub(super) fn expect_fact(&mut self, fact: &Fact) -> Verdict {
        let on = self.any_program()?;
        let (stage, mut seen) = (&mut *self.stage, String::new());
        let result = self.trial.wait(&on, || {
            Ok(match stage.holds(fact)? {
                Ok(()) => Progress::Done(()),
                Err(what) => {
                    seen = what;
                    Progress::Nothing
                }
            })
        })?;
        let Err(stall) = result else {
            self.trial.note(format!("{fact}"));
            return Ok(());
        };
        Err(self
            .trial
            .fail(format!("this is not so: {fact}"))
            .expected(fact.to_string())
            .seen(seen)
            .seen(stall.stays(&on.name))
            .cause(self.stage.cause(Expected::Fact(fact.form)))
            .stop())
    }
}

fn no_link() -> Stop {
    Stop::Fault("this side has no connection".into())
}

const SAYS: &str = "the file tells what is sent, byte by byte";
