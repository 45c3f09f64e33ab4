//! The class as a whole: how the points spread, where many stand, and what most have not found.

use super::marks::Marks;
use super::page::{bar, page};
use super::scheme::Total;
use crate::labs::{self, Check};
use crate::verdict::Outcome;
use crate::words::markup;

/// Tenths of the points.
const TENTHS: usize = 10;
/// Checks that are listed.
const MOST_CHECKS: usize = 10;

/// What there is to tell of a class.
#[derive(Debug)]
pub(super) struct Figures {
    /// Those that were judged, and what each has.
    judged: Vec<(String, Total)>,
    /// How many have from 0 to 9 per cent of the points, and so on; who has all stands in the last.
    tenths: [usize; TENTHS],
    /// The points of the one in the middle, in per cent.
    median: u32,
    /// For each check that failed, how often; the most frequent first.
    failed: Vec<(&'static Check, usize)>,
    /// The step that most have not passed all of, while they have passed all before it.
    hurdle: Option<(String, usize)>,
    faults: Vec<(String, String)>,
}

impl Figures {
    pub(super) fn of(marks: &[Marks<'_>], faults: &[(String, String)]) -> Self {
        let mut percents: Vec<u32> = marks.iter().map(|one| one.total().percent()).collect();
        percents.sort_unstable();
        let mut tenths = [0; TENTHS];
        for percent in &percents {
            tenths[(*percent as usize / 10).min(TENTHS - 1)] += 1;
        }
        let mut failed: Vec<(&'static Check, usize)> = labs::checks()
            .map(|check| {
                let fails = |one: &&Marks<'_>| {
                    one.records.iter().any(|record| {
                        (record.check.lab, record.check.name) == (check.lab, check.name)
                            && matches!(record.outcome, Outcome::Fail(_))
                    })
                };
                (check, marks.iter().filter(fails).count())
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        failed.sort_by_key(|(_, count)| usize::MAX - count);
        let median = percents.get(percents.len() / 2).copied().unwrap_or(0);
        let judged = marks.iter().map(|one| (one.name.clone(), one.total())).collect();
        let hurdle = hurdle(marks);
        Self { judged, tenths, median, failed, hurdle, faults: faults.to_vec() }
    }

    fn summary(&self) -> Vec<String> {
        let count = self.judged.len();
        let half = match count {
            0 => return vec!["there was no submission to judge".into()],
            1 => "it has",
            _ => "half of them have at least",
        };
        let judged = submissions(count);
        let mut lines = vec![format!("{judged} judged: {half} {} % of the points", self.median)];
        if let Some((step, count)) = &self.hurdle {
            let whose = submissions(*count);
            lines.push(format!(
                "the hurdle is {step}: the first step that {whose} did not pass whole"
            ));
        }
        if let Some((check, count)) = self.failed.first() {
            lines.push(format!(
                "the check that fails most: {}, in {} ({})",
                check.id(),
                submissions(*count),
                check.title
            ));
        }
        lines
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = self.summary().join("\n") + "\n\n";
        let most = self.tenths.iter().copied().max().unwrap_or(0).max(1);
        for (tenth, count) in self.tenths.iter().enumerate() {
            let bar = "■".repeat((count * 40).div_ceil(most));
            let line = format!("{}  {count:3}  {bar}", range(tenth));
            text.push_str(&format!("{}\n", line.trim_end()));
        }
        for (name, why) in &self.faults {
            text.push_str(&format!("\nnot judged: {name}: {why}\n"));
        }
        text
    }

    /// As a page of its own.
    pub(super) fn html(&self) -> String {
        let mut body = String::from("<h1>The class</h1>\n");
        for line in self.summary() {
            let (first, rest) = line.split_at(1);
            body.push_str(&format!("<p>{}{}.</p>\n", first.to_uppercase(), markup(rest)));
        }
        body.push_str("<h2>Points</h2>\n<table>\n");
        let most = self.tenths.iter().copied().max().unwrap_or(0).max(1);
        for (tenth, count) in self.tenths.iter().enumerate() {
            body.push_str(&format!(
                "<tr><td>{}</td><td>{}</td><td class=\"number\">{count}</td></tr>\n",
                range(tenth),
                bar(u32::try_from(100 * count / most).unwrap_or(100))
            ));
        }
        body.push_str("</table>\n");
        if !self.judged.is_empty() {
            body.push_str("<h2>Submissions</h2>\n<table>\n");
            for (name, total) in &self.judged {
                body.push_str(&format!(
                    "<tr><td><a href=\"feedback/{}.html\">{}</a></td><td>{}</td><td class=\"number\">{total} of {}</td></tr>\n",
                    in_an_address(name),
                    markup(name),
                    bar(total.percent()),
                    total.most
                ));
            }
            body.push_str("</table>\n");
        }
        if !self.failed.is_empty() {
            body.push_str("<h2>What fails most</h2>\n<table>\n");
            for (check, count) in self.failed.iter().take(MOST_CHECKS) {
                body.push_str(&format!(
                    "<tr><td><code>{}</code></td><td>{}</td><td class=\"number\">{count}</td></tr>\n",
                    check.id(),
                    markup(check.title)
                ));
            }
            body.push_str("</table>\n");
        }
        if !self.faults.is_empty() {
            body.push_str("<h2>Not judged</h2>\n<ul>\n");
            for (name, why) in &self.faults {
                body.push_str(&format!("<li>{}: {}</li>\n", markup(name), markup(why)));
            }
            body.push_str("</ul>\n");
        }
        page("The class", &body)
    }
}

fn submissions(count: usize) -> String {
    if count == 1 { "1 submission".into() } else { format!("{count} submissions") }
}

/// A file's name as a part of an address (RFC 3986, section 2.3).
fn in_an_address(name: &str) -> String {
    let part = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(part).collect()
}

/// ` 90 to 100 %`.
fn range(tenth: usize) -> String {
    let last = if tenth + 1 == TENTHS { 100 } else { 10 * tenth + 9 };
    format!("{:3} to {last:3} %", 10 * tenth)
}

/// The step at which most have their first failure, among those who have begun it.
fn hurdle(marks: &[Marks<'_>]) -> Option<(String, usize)> {
    let stops: Vec<(&str, u8)> = marks
        .iter()
        .filter_map(|one| {
            let wrong = |outcome: &Outcome| !matches!(outcome, Outcome::Pass | Outcome::Skipped(_));
            let first = one.records.iter().find(|record| wrong(&record.outcome))?;
            Some((first.check.lab, first.check.step))
        })
        .collect();
    let count = |stop: &(&str, u8)| stops.iter().filter(|other| *other == stop).count();
    let most = stops.iter().rev().max_by_key(|stop| count(stop))?;
    let (lab, number) = *most;
    let step = labs::lab(lab)?.steps.iter().find(|step| step.number == number)?;
    Some((format!("step {number} of lab {lab}, {}", step.name), count(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_address_whatever_stands_in_it() {
        assert_eq!(in_an_address("Ann-2"), "Ann-2");
        assert_eq!(in_an_address("Zoë, 50"), "Zo%C3%AB%2C%2050");
    }
}
