//! What counts, and how much: as the course says, unless an instructor says otherwise.

use std::collections::BTreeMap;
use std::fmt;

use crate::labs::{Check, Lab};

/// What an instructor has decided. Without anything in it, all that is judged counts as in the course.
#[derive(Debug, Default)]
pub struct Scheme {
    /// The labs that count, each with its share of the marks; none: all labs by their points.
    pub shares: Vec<(&'static Lab, u32)>,
    /// Points of checks, by their ids, where they are not the course's. One with 0 counts nothing.
    pub points: BTreeMap<String, u32>,
    /// Conversations that are played beside the course's, by their places in it.
    pub conversations: BTreeMap<String, Vec<u8>>,
}

/// Points, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Points {
    pub(super) score: u32,
    pub(super) most: u32,
}

/// The marks for everything. In tenths, because shares do not divide evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    tenths: u32,
    pub(super) most: u32,
}

impl Scheme {
    /// The points of a check.
    pub(super) fn points(&self, check: &Check) -> u32 {
        self.points.get(&check.id()).copied().unwrap_or(check.points)
    }

    /// The share of a part of the course, where shares were given.
    pub(super) fn share(&self, part: &str) -> Option<u32> {
        self.shares.iter().find(|(lab, _)| lab.name == part).map(|(_, share)| *share)
    }

    /// The marks of what was judged: a part and its points for each.
    pub(super) fn total(&self, parts: &[(&str, Points)]) -> Total {
        if self.shares.is_empty() {
            let sum = |of: fn(&Points) -> u32| parts.iter().map(|(_, points)| of(points)).sum();
            let score: u32 = sum(|points| points.score);
            return Total { tenths: 10 * score, most: sum(|points| points.most) };
        }
        let share = |(lab, share): &(&'static Lab, u32)| {
            let points = parts.iter().find(|(part, _)| *part == lab.name).map(|(_, points)| points);
            let Points { score, most } = points.copied().unwrap_or_default();
            match most {
                0 => 0.0,
                _ => 10.0 * f64::from(*share) * f64::from(score) / f64::from(most),
            }
        };
        let tenths: f64 = self.shares.iter().map(share).sum();
        let most = self.shares.iter().map(|(_, share)| share).sum();
        Total { tenths: tenths.round() as u32, most }
    }
}

impl Points {
    /// From 0 to 100, downwards: 100 is all.
    pub(super) fn percent(self) -> u32 {
        (100 * self.score).checked_div(self.most).unwrap_or(0)
    }
}

impl Total {
    /// From 0.0 to 1.0, which is all.
    pub(super) fn share(self) -> f64 {
        if self.most == 0 { 0.0 } else { f64::from(self.tenths) / f64::from(10 * self.most) }
    }

    /// From 0 to 100, downwards: 100 is all.
    pub(super) fn percent(self) -> u32 {
        (10 * self.tenths).checked_div(self.most).unwrap_or(0)
    }
}

/// `87`, or `87.5`.
impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tenths % 10 {
            0 => write!(f, "{}", self.tenths / 10),
            tenth => write!(f, "{}.{tenth}", self.tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn a_share_is_of_the_marks_and_not_of_the_points() {
        let lab = |name| labs::lab(name).unwrap();
        let parts = [
            ("server", Points { score: 41, most: 82 }),
            ("client", Points { score: 30, most: 30 }),
            ("peer", Points { score: 1, most: 3 }),
        ];
        let plain = Scheme::default().total(&parts);
        assert_eq!((plain.to_string(), plain.most, plain.percent()), ("72".into(), 115, 62));
        let shares = vec![(lab("server"), 25), (lab("peer"), 50), (lab("together"), 25)];
        let weighed = Scheme { shares, ..Scheme::default() }.total(&parts);
        assert_eq!((weighed.to_string(), weighed.most), ("29.2".into(), 100));
        assert_eq!(weighed.percent(), 29);
    }
}
