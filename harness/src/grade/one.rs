//! One submission by itself: for a platform that starts a machine for each, and asks for its result.

use std::env;
use std::path::Path;

use super::desk::Desk;
use super::handed_in;
use super::scheme::Scheme;
use crate::labs::{Check, Lab};
use crate::run::session::Record;
use crate::trial::Folder;
use crate::workspace::contents;
use crate::workspace::{Error, cannot};

/// What was judged, and what came of it.
#[derive(Debug)]
pub struct One {
    /// What is known of each check.
    pub records: Vec<Record>,
    /// Whether the programs were kept away from their judge.
    pub isolated: bool,
    /// What holds of all of it.
    pub notes: Vec<String>,
    /// Why it has to be judged again, if it has.
    pub trouble: Option<String>,
}

/// Judges the submission at this path, and keeps nothing of it.
///
/// # Errors
/// It can't be read, or not be judged here.
pub fn judge(
    course: &Path,
    path: &Path,
    labs: &[&'static Lab],
    scheme: &Scheme,
    user: Option<&str>,
) -> Result<One, Error> {
    let files = contents::to_judge_with(course)?;
    let account = super::account_needed(user)?;
    let place = handed_in::one(path)?;
    let handed_in = handed_in::read(&place, &files).map_err(cannot("read", path))?;
    let folder = Folder::new("grade").map_err(cannot("make a folder in", &env::temp_dir()))?;
    let mut desk = Desk::new(folder.path(), &files, labs, scheme, account.as_ref())?;
    desk.records_ladders = false;
    let marks = desk.judge(&place.name, 0, &handed_in).map_err(cannot("judge", path))?;
    let (trouble, mut notes) = (marks.trouble(), marks.notes);
    if marks.sources.is_empty() {
        notes.push("no source of a lab was found in what was handed in".into());
    }
    Ok(One { records: marks.records, isolated: marks.isolated, notes, trouble })
}

impl Scheme {
    /// What a check is worth where the points of all checks are added up, and come to what this scheme
    /// has for all. `checks` are those that were judged.
    pub fn worth(&self, check: &Check, checks: &[&Check]) -> f64 {
        let points = f64::from(self.points(check));
        if self.shares.is_empty() {
            return points;
        }
        let of_lab = checks.iter().filter(|other| other.lab == check.lab);
        let most: u32 = of_lab.map(|other| self.points(other)).sum();
        match (self.share(check.lab), most) {
            (Some(share), 1..) => f64::from(share) * points / f64::from(most),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn what_all_checks_are_worth_is_what_the_scheme_has_for_all() {
        let all = |names: &[&str]| {
            let labs = names.iter().filter_map(|name| labs::lab(name));
            labs.flat_map(|lab| lab.checks()).collect::<Vec<_>>()
        };
        let lab = |name| labs::lab(name).unwrap();
        let checks = all(&["server", "client"]);
        let sum = |scheme: &Scheme| -> f64 {
            checks.iter().map(|check| scheme.worth(check, &checks)).sum()
        };
        let points: u32 = checks.iter().map(|check| check.points).sum();
        assert!((sum(&Scheme::default()) - f64::from(points)).abs() < 1e-6);
        let shares = vec![(lab("server"), 30), (lab("client"), 12)];
        let mut scheme = Scheme { shares, ..Scheme::default() };
        assert!((sum(&scheme) - 42.0).abs() < 1e-6);
        for check in lab("client").checks() {
            scheme.points.insert(check.id(), 0);
        }
        assert!((sum(&scheme) - 30.0).abs() < 1e-6);
    }
}
