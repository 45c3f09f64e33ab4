//! Messages of bytes over a connection: what is no line is sent and told by its name.

use super::lines::Lines;
use super::payload::Cut;
use crate::trial::Verdict;

impl Lines {
    /// Sends any bytes, cut into pieces that are a read each; the story calls them `what`.
    pub(crate) fn send_pieces(&mut self, bytes: &[u8], cut: Cut, what: &str) -> Verdict {
        self.connection().trial().note(format!("{} sent {what}{}", self.name(), cut.describe()));
        for piece in cut.pieces(bytes) {
            if !self.send_alone(piece)? {
                break;
            }
        }
        Ok(())
    }

    /// Sends any bytes in one write; the story calls them `what`. That the program does not take
    /// them is for what is expected next to judge.
    pub(crate) fn send_as(&mut self, bytes: &[u8], what: &str) -> Verdict {
        self.connection().trial().note(format!("{} sent {what}", self.name()));
        self.put(bytes).map(drop)
    }

    /// Expects that nothing comes, and that the connection stays, of a program that is at rest. What comes
    /// is something `that it should not have`; `first` tells what it begins with, and `cause` why it may come.
    pub(crate) fn expect_no_message(
        &mut self,
        that: &str,
        first: impl FnOnce(&[u8]) -> String,
        cause: &str,
    ) -> Verdict {
        self.take_in()?;
        let (name, program, trial) = (self.name(), self.program(), self.connection().trial());
        let (headline, seen) = match (self.unread(), self.ended()) {
            ([], None) => {
                trial.note(format!("nothing came to {name}, and the {program} was at rest"));
                return Ok(());
            }
            ([], Some(end)) => (
                format!("the {program} ended the connection with {name}"),
                end.describe().to_owned(),
            ),
            (unread, _) => (format!("the {program} sent {name} something {that}"), first(unread)),
        };
        Err(trial
            .fail(headline)
            .expected("nothing, and the connection stays")
            .seen(seen)
            .cause(cause)
            .stop())
    }
}
