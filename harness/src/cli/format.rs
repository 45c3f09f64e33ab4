//! The formats in which other programs read what came of a run.

use std::env;
use std::time::SystemTime;

use super::{CliError, check};
use crate::json::Json;
use crate::labs::Check;
use crate::report::document::{self, About};
use crate::report::{self, classroom50, gradescope, junit, tap};
use crate::run::session::Record;
use crate::term::Style;

/// How other programs read the records.
#[derive(Debug)]
pub(super) enum Format {
    Json,
    Junit,
    Gradescope,
    /// With what the runner says of the submission.
    Classroom50(Vec<(&'static str, String)>),
    Tap,
    /// Of each check what `lab check` says when it is asked for that alone, and its exit status:
    /// `cargo test` has a test for each.
    Singly,
}

impl Format {
    /// Asks for what a format needs, so that it is told before anything is judged.
    pub(super) fn parse(name: &str) -> Result<Self, CliError> {
        Ok(match name {
            "json" => Self::Json,
            "junit" => Self::Junit,
            "gradescope" => Self::Gradescope,
            "classroom50" => Self::Classroom50(
                classroom50::submission(&|name| env::var(name).ok()).map_err(|missing| {
                    CliError::Usage(format!(
                        "the runner of Classroom 50 says whose work it is, in its environment; \
                         missing: {missing}"
                    ))
                })?,
            ),
            "tap" => Self::Tap,
            "singly" => Self::Singly,
            _ => {
                let known = "json, junit, gradescope, classroom50, tap, singly";
                let words = format!("there is no format `{name}`; there are {known}");
                return Err(CliError::Usage(words));
            }
        })
    }

    pub(super) fn render(&self, records: &[Record], about: &About<'_>) -> String {
        match self {
            Self::Json => document::records_to_json(records, about).pretty(),
            Self::Junit => junit::render(records),
            Self::Gradescope => {
                let points = |check: &Check| f64::from(check.points);
                gradescope::render(records, about.notes, &points).pretty()
            }
            Self::Classroom50(submission) => {
                classroom50::render(records, submission, SystemTime::now()).pretty()
            }
            Self::Tap => tap::render(records),
            Self::Singly => {
                Json::Object(records.iter().map(|record| singly(record, about)).collect()).pretty()
            }
        }
    }
}

fn singly(record: &Record, about: &About<'_>) -> (String, Json) {
    let alone = std::slice::from_ref(record);
    let said = Json::object([
        ("status", u32::from(check::status(alone)).into()),
        ("text", report::text(alone, about.notes, Style::plain()).as_str().into()),
    ]);
    (record.check.id(), said)
}
