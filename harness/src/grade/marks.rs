//! The marks of one submission: its record, read again.

use std::time::Duration;

use super::desk::HANDED_IN;
use crate::json::Json;
use crate::labs;
use crate::run::session::Record;
use crate::verdict::Outcome;
use crate::verdict::json::outcome_from_json;

#[derive(Debug)]
pub(super) struct Marks {
    pub(super) name: String,
    pub(super) records: Vec<Record>,
    pub(super) isolated: bool,
    pub(super) notes: Vec<String>,
    /// Sources that were judged, and what was not used.
    pub(super) sources: Vec<String>,
    pub(super) unused: Vec<String>,
}

/// Points, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Points {
    pub(super) score: u32,
    pub(super) most: u32,
}

impl Points {
    /// From 0 to 100, downwards: 100 is all.
    pub(super) fn percent(self) -> u32 {
        (100 * self.score).checked_div(self.most).unwrap_or(0)
    }
}

impl Marks {
    /// Of a record, as the desk has written it.
    pub(super) fn read(name: &str, record: Json) -> Option<Self> {
        let checks = record.get("checks")?.as_array()?;
        let records = checks.iter().map(|check| {
            Some(Record {
                check: labs::check(check.get("id")?.as_str()?)?,
                outcome: outcome_from_json(check).ok()?,
                elapsed: Duration::from_millis(check.get("elapsed_ms")?.as_u64()?),
                programs: Vec::new(),
            })
        });
        let texts = |json: Option<&Json>| -> Vec<String> {
            let all = json.and_then(Json::as_array).unwrap_or_default();
            all.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
        };
        let handed_in = record.get(HANDED_IN)?;
        Some(Self {
            name: name.to_owned(),
            records: records.collect::<Option<_>>()?,
            isolated: record.get("isolated")?.as_bool()?,
            notes: texts(record.get("notes")),
            sources: texts(handed_in.get("sources")),
            unused: texts(handed_in.get("unused")),
        })
    }

    /// The points of all that was asked for.
    pub(super) fn points(&self) -> Points {
        self.points_of(|_| true)
    }

    /// The points of the checks that `is_of` says.
    pub(super) fn points_of(&self, is_of: impl Fn(&Record) -> bool) -> Points {
        self.records.iter().filter(|record| is_of(record)).fold(Points::default(), |sum, one| {
            Points { score: sum.score + one.score(), most: sum.most + one.check.points }
        })
    }

    /// Why it has to be graded again, if it has.
    pub(super) fn trouble(&self) -> Option<String> {
        let faults = self.records.iter().filter(|one| matches!(one.outcome, Outcome::Fault(_)));
        match faults.count() {
            0 => None,
            1 => Some("a check could not be carried out: grade again".into()),
            count => Some(format!("{count} checks could not be carried out: grade again")),
        }
    }

    /// The parts of the course that were judged, in order: labs, and `together`.
    pub(super) fn parts(&self) -> Vec<&'static str> {
        let mut parts: Vec<&'static str> = Vec::new();
        for record in &self.records {
            if !parts.contains(&record.check.lab) {
                parts.push(record.check.lab);
            }
        }
        parts
    }
}
