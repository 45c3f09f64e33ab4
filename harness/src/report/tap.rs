//! The Test Anything Protocol, version 14: <https://testanything.org/tap-version-14-specification.html>.

use super::failure;
use super::place::Placed;
use crate::run::session::Record;
use crate::term::Style;
use crate::verdict::Outcome;

/// The records as TAP: a line for each check, and below one that did not pass what is to be said.
pub fn render(records: &[Record]) -> String {
    document(&Placed::all(records))
}

fn document(all: &[Placed<'_>]) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", all.len());
    for (index, placed) in all.iter().enumerate() {
        let passed = *placed.outcome() == Outcome::Pass;
        let word = if passed { "ok" } else { "not ok" };
        let check = placed.record.check;
        let name =
            format!("{} {}", check.id(), check.title).replace('\\', "\\\\").replace('#', "\\#");
        let (number, kind) = (index + 1, placed.word());
        out.push_str(&format!("{word} {number} - {name}\n"));
        if !passed {
            out.push_str(&format!(
                "  ---\n  outcome: {kind}\n  points: {}\n  message: |\n",
                check.points
            ));
            for line in failure::text(placed, Style::plain()).lines() {
                out.push_str(format!("    {line}").trim_end());
                out.push('\n');
            }
            out.push_str("  ...\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn there_are_as_many_lines_as_the_plan_says_and_a_skip_is_no_ok() {
        let records = samples::one_of_each();
        let text = document(&samples::placed(&records));
        assert!(text.starts_with(&format!("TAP version 14\n1..{}\n", records.len())));
        let is_point = |line: &&str| line.starts_with("ok ") || line.starts_with("not ok ");
        assert_eq!(text.lines().filter(is_point).count(), records.len());
        let passed = records.iter().filter(|record| record.outcome == Outcome::Pass).count();
        assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), passed);
        let opened = text.lines().filter(|line| *line == "  ---").count();
        let closed = text.lines().filter(|line| *line == "  ...").count();
        assert_eq!((opened, closed), (records.len() - passed, records.len() - passed));
    }
}
