//! What is judged by itself: a lab, or a step of `together`, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::io;
use std::time::Duration;

use super::handed_in::HandedIn;
use super::ladders;
use crate::json::Json;
use crate::labs::{self, Check, Lab};
use crate::report::document::{About, records_to_json};
use crate::run::build::How;
use crate::run::session::{Record, Session};
use crate::show::trace::Recording;
use crate::verdict::Outcome;
use crate::verdict::json::outcome_from_json;
use crate::workspace::contents::File;

/// The member of a record that says what happened in some of the checks that failed.
const LADDERS: &str = "ladders";

/// A part of the course whose verdicts depend on no other source than those of its programs.
#[derive(Debug)]
pub(super) struct Unit {
    /// As `lab check` is asked for it: `server`, `together/1`.
    pub(super) name: String,
    checks: Vec<&'static Check>,
    /// The folders of the sources of its programs.
    folders: Vec<String>,
}

/// The units of these labs, in order; of the whole course, where there are none.
pub(super) fn units(chosen: &[&'static Lab]) -> Vec<Unit> {
    let all: Vec<&'static Lab> = labs::parts().collect();
    let chosen = if chosen.is_empty() { &all } else { chosen };
    chosen.iter().flat_map(|lab| of_part(lab)).collect()
}

fn of_part(part: &Lab) -> Vec<Unit> {
    if part.is_lab() {
        return vec![Unit::new(part.name.to_owned(), part.checks().collect())];
    }
    let steps = part.steps.iter().map(|step| {
        let checks = part.checks().filter(|check| check.step == step.number);
        Unit::new(format!("{}/{}", part.name, step.number), checks.collect())
    });
    steps.collect()
}

/// Where the sources of a lab's program are: `labs/01-server/src/`.
fn folder(lab: &Lab) -> String {
    format!("{}/src/", lab.folder)
}

impl Unit {
    fn new(name: String, checks: Vec<&'static Check>) -> Self {
        let programs = checks.iter().flat_map(|check| check.step().programs);
        let folders: BTreeSet<_> =
            programs.filter_map(|name| labs::lab(name)).map(folder).collect();
        Self { name, checks, folders: folders.into_iter().collect() }
    }

    /// Hashes all that its verdicts depend on of a submission. What was not handed in is as in the course.
    pub(super) fn hash_sources(&self, handed_in: &HandedIn, course: &[File], to: &mut impl Hasher) {
        let given = course.iter().map(|file| (file.path.as_str(), &file.bytes));
        let own = handed_in.sources.iter().map(|(path, bytes)| (path.as_str(), bytes));
        let sources: BTreeMap<_, _> =
            given.chain(own).filter(|(path, _)| self.is_source(path)).collect();
        (&self.name, sources).hash(to);
    }

    /// Whether it is a source of one of its programs: a path in the course.
    pub(super) fn is_source(&self, path: &str) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether a check is one of it.
    fn has(&self, id: &str) -> bool {
        self.checks.iter().any(|check| check.id() == id)
    }
}

/// What came of one unit or of several.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    pub(super) records: Vec<Record>,
    /// What happened in some of the checks that failed.
    pub(super) ladders: Vec<Recording>,
    pub(super) isolated: bool,
    pub(super) notes: Vec<String>,
}

impl Verdicts {
    /// Of a record.
    pub(super) fn read(record: &Json) -> Option<Self> {
        let checks = record.get("checks")?.as_array()?.iter().map(|check| {
            Some(Record {
                check: labs::check(check.get("id")?.as_str()?)?,
                outcome: outcome_from_json(check).ok()?,
                elapsed: Duration::from_millis(check.get("elapsed_ms")?.as_u64()?),
                programs: Vec::new(),
            })
        });
        let ladders = record.get(LADDERS).and_then(Json::as_array).unwrap_or_default();
        Some(Self {
            records: checks.collect::<Option<_>>()?,
            ladders: ladders.iter().filter_map(Recording::from_json).collect(),
            isolated: record.get("isolated")?.as_bool()?,
            notes: texts(record.get("notes")),
        })
    }

    /// As a record: whose it is, and more members of it.
    pub(super) fn record(&self, whose: Option<&str>, more: Vec<(String, Json)>) -> Json {
        let about = About { submission: whose, isolated: self.isolated, notes: &self.notes };
        let ladders = Json::Array(self.ladders.iter().map(Recording::to_json).collect());
        match records_to_json(&self.records, &about) {
            Json::Object(mut members) => {
                members.extend(more);
                members.push((LADDERS.into(), ladders));
                Json::Object(members)
            }
            other => other,
        }
    }

    /// Those of this unit alone.
    pub(super) fn of(&self, unit: &Unit) -> Self {
        let records = self.records.iter().filter(|record| unit.has(&record.check.id()));
        let ladders = self.ladders.iter().filter(|ladder| unit.has(&ladder.id));
        Self {
            records: records.cloned().collect(),
            ladders: ladders.cloned().collect(),
            ..self.clone()
        }
    }

    /// All of these, in order.
    pub(super) fn together<'v>(parts: impl IntoIterator<Item = &'v Self>) -> Self {
        let mut all = Self { isolated: true, ..Self::default() };
        for part in parts {
            all.records.extend(part.records.iter().cloned());
            all.ladders.extend(part.ladders.iter().cloned());
            all.isolated &= part.isolated;
            let new = part.notes.iter().filter(|note| !all.notes.contains(note));
            let new: Vec<_> = new.cloned().collect();
            all.notes.extend(new);
        }
        all
    }

    /// Whether everything was judged: what was a fault has to be judged again.
    pub(super) fn is_complete(&self, unit: &Unit) -> bool {
        let is_fault = |record: &Record| matches!(record.outcome, Outcome::Fault(_));
        self.records.len() == unit.checks.len() && !self.records.iter().any(is_fault)
    }
}

/// Judges what is in the tree that is the current folder, with so many workers, for the harness that has
/// laid it out: a record.
///
/// # Errors
/// The harness's own trouble.
pub fn judge_here(checks: &[&'static Check], lanes: usize, with_ladders: bool) -> io::Result<Json> {
    let session = Session::open(checks, &[], How::Once, lanes, &|_| ())?;
    let records = session.judge(checks, &|_| ());
    let ladders = if with_ladders { ladders::record(&session, &records) } else { Vec::new() };
    let (isolated, notes) = (session.is_isolated(), session.notes().to_vec());
    Ok(Verdicts { records, ladders, isolated, notes }.record(None, Vec::new()))
}

/// The texts of a list.
pub(super) fn texts(json: Option<&Json>) -> Vec<String> {
    let all = json.and_then(Json::as_array).unwrap_or_default();
    all.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}
