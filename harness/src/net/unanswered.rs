//! A reply that did not come, or not whole.

use crate::net::End;
use crate::trial::{FailureBuilder, Stall, Trial};
use crate::words::quote_short;

/// Bytes that are shown of what came.
const SHOWN: usize = 80;

/// What there was instead of the reply that somebody waited for.
pub(crate) struct Unanswered<'a> {
    /// Who waited: `client 1`.
    pub name: &'a str,
    /// For whom.
    pub program: &'a str,
    /// What came, which is not whole.
    pub unread: &'a [u8],
    /// What it lacks.
    pub missing: &'a str,
    /// How the connection has ended, if it has.
    pub ended: Option<End>,
    /// Why nothing more comes, where it has not.
    pub stall: Option<&'a Stall>,
}

impl Unanswered<'_> {
    /// The failure: its headline and what was seen.
    pub(crate) fn blame(&self, trial: &Trial) -> FailureBuilder {
        let Self { name, program, unread, .. } = self;
        let then = match (self.ended, self.stall) {
            (Some(end), _) => end.describe().to_owned(),
            (None, Some(stall)) => stall.sentence(program),
            (None, None) => "nothing".to_owned(),
        };
        let headline = match (unread.is_empty(), self.ended) {
            (true, None) => format!("the {program} does not answer {name}"),
            (true, Some(End::Stream)) => {
                format!("the {program} closed the connection instead of answering {name}")
            }
            (true, Some(End::Reset)) => {
                format!("the {program} reset the connection instead of answering {name}")
            }
            (false, _) => format!("the reply to {name} is not whole"),
        };
        let seen = if unread.is_empty() {
            then
        } else {
            let came = quote_short(unread, SHOWN);
            format!("{came}; missing is {}; then {then}", self.missing)
        };
        trial.fail(headline).seen(seen)
    }
}
