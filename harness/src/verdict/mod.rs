//! The verdict on one check: one record, which every report is rendered from.
//!
//! Outcomes follow one rule: what did not run did not pass. [`Outcome::Pass`] is the only one
//! that gives points.

pub mod json;

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program did what the check's sentence says.
    Pass,
    /// It did not, and this is what was done, expected and seen.
    Fail(Box<Failure>),
    /// The check could not begin: the step is not written yet, or the lab does not build.
    /// Counts as failed.
    Blocked(Blocked),
    /// This system can't show what the check needs to see; the text says why. Neither a pass
    /// nor a failure; gives no points, and stays in the total.
    Skipped(String),
    /// The harness could not do its own job: never a pass, and never the program's fault.
    Fault(String),
}

impl Outcome {
    /// The outcome in a word, which every report uses.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Blocked(_) => "blocked",
            Self::Skipped(_) => "skipped",
            Self::Fault(_) => "fault",
        }
    }
}

/// Why a check could not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// A step of the check's own lab is not written yet: its number.
    Step(u8),
    /// A step of another lab, whose program the check needs, is not written yet.
    Elsewhere {
        /// The lab's name.
        lab: String,
        /// The step's number.
        step: u8,
    },
    /// A lab whose program the check needs does not build.
    Build {
        /// The lab's name.
        lab: String,
        /// rustc's own words.
        words: String,
    },
}

/// All that a report says about a failed check. Every line is plain text without colours and
/// without a full indentation; the renderer lays it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// One sentence: what is wrong.
    pub headline: String,
    /// Whether it shows the mistake itself, where other checks only suffer from it: such a
    /// failure is shown before the others of its lab.
    pub telling: bool,
    /// What was done, in order; rendered numbered.
    pub steps: Vec<String>,
    /// Every acceptable outcome of the last step.
    pub expected: Vec<String>,
    /// What was seen instead.
    pub seen: Vec<String>,
    /// The first place where bytes differ, when bytes were compared.
    pub difference: Option<Difference>,
    /// Where the program is: what each thread is blocked in, or how the program ended.
    pub program: Vec<String>,
    /// The likely cause, and what to look at.
    pub cause: Vec<String>,
    /// The last lines of the program's standard error.
    pub stderr: Vec<String>,
}

/// Two byte strings that should have been equal, cut to the neighbourhood of the first
/// difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Offset of the first byte that differs, counted from 0, in bytes.
    pub offset: usize,
    /// Offset at which the two excerpts begin, in bytes; at most `offset`.
    pub start: usize,
    /// What was expected from `start` on (an excerpt).
    pub expected: Vec<u8>,
    /// What was seen from `start` on (an excerpt).
    pub seen: Vec<u8>,
    /// Length of all that was expected, in bytes.
    pub expected_len: usize,
    /// Length of all that was seen, in bytes.
    pub seen_len: usize,
}

impl Difference {
    /// Bytes kept before and behind the first difference.
    const CONTEXT: usize = 12;

    /// The first difference between the two, or `None` when they are equal.
    pub fn between(expected: &[u8], seen: &[u8]) -> Option<Self> {
        if expected == seen {
            return None;
        }
        let offset = expected.iter().zip(seen).take_while(|(a, b)| a == b).count();
        let start = offset.saturating_sub(Self::CONTEXT);
        let excerpt = |bytes: &[u8]| {
            let end = bytes.len().min(offset + Self::CONTEXT);
            bytes.get(start..end).unwrap_or_default().to_vec()
        };
        Some(Self {
            offset,
            start,
            expected: excerpt(expected),
            seen: excerpt(seen),
            expected_len: expected.len(),
            seen_len: seen.len(),
        })
    }
}
