//! The marks of one submission: its record, read again.

use super::desk::HANDED_IN;
use super::scheme::{Points, Scheme, Total};
use super::unit::{Verdicts, texts};
use crate::json::Json;
use crate::run::session::Record;
use crate::show::trace::Recording;
use crate::verdict::Outcome;

#[derive(Debug)]
pub(super) struct Marks<'a> {
    pub(super) name: String,
    pub(super) scheme: &'a Scheme,
    pub(super) records: Vec<Record>,
    pub(super) isolated: bool,
    pub(super) notes: Vec<String>,
    /// The number that Moodle knows the student by.
    pub(super) participant: Option<String>,
    /// Sources that were judged, and what was not used.
    pub(super) sources: Vec<String>,
    pub(super) unused: Vec<String>,
    /// What happened in some of the checks that failed.
    pub(super) ladders: Vec<Recording>,
}

impl<'a> Marks<'a> {
    /// Of a record, as the desk has written it.
    pub(super) fn read(name: &str, record: &Json, scheme: &'a Scheme) -> Option<Self> {
        let Verdicts { records, ladders, isolated, notes } = Verdicts::read(record)?;
        let handed_in = record.get(HANDED_IN)?;
        Some(Self {
            name: name.to_owned(),
            scheme,
            records,
            isolated,
            notes,
            participant: handed_in.get("participant").and_then(Json::as_str).map(str::to_owned),
            sources: texts(handed_in.get("sources")),
            unused: texts(handed_in.get("unused")),
            ladders,
        })
    }

    /// The marks for all that counts.
    pub(super) fn total(&self) -> Total {
        self.scheme.total(&self.parts())
    }

    /// The parts of the course that count, in order: labs, and `together`, each with its points.
    pub(super) fn parts(&self) -> Vec<(&'static str, Points)> {
        let mut parts: Vec<(&'static str, Points)> = Vec::new();
        for record in &self.records {
            let check = record.check;
            if !self.scheme.shares.is_empty() && self.scheme.share(check.lab).is_none() {
                continue;
            }
            if parts.last().is_none_or(|(part, _)| *part != check.lab) {
                parts.push((check.lab, Points::default()));
            }
            let most = self.scheme.points(check);
            if let Some((_, points)) = parts.last_mut() {
                points.most += most;
                points.score += if record.outcome == Outcome::Pass { most } else { 0 };
            }
        }
        parts
    }

    /// The checks that it was judged by: lab and name of each.
    pub(super) fn checks(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.records.iter().map(|record| (record.check.lab, record.check.name))
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
}
