//! The gradebook: a line a submission, as comma-separated values (RFC 4180).

use super::marks::Marks;
use crate::verdict::Outcome;

/// All lines, the heading first. Those that could not be judged have a note, and no points.
pub(super) fn csv(marks: &[Marks<'_>], faults: &[(String, String)]) -> String {
    let parts = marks.first().map(Marks::parts).unwrap_or_default();
    let mut heading: Vec<String> = ["submission", "score", "max_score"].map(str::to_owned).into();
    for (part, _) in &parts {
        heading.extend([(*part).to_owned(), format!("{part}_max")]);
    }
    let counts = ["passed", "failed", "blocked", "skipped", "faults"];
    heading.extend(counts.iter().chain(&["isolated", "note"]).map(|name| (*name).to_owned()));
    let mut lines = vec![heading];
    for one in marks {
        let total = one.total();
        let mut line = vec![one.name.clone(), total.to_string(), total.most.to_string()];
        for (_, points) in one.parts() {
            line.extend([points.score.to_string(), points.most.to_string()]);
        }
        let count = |is: fn(&Outcome) -> bool| {
            one.records.iter().filter(|record| is(&record.outcome)).count().to_string()
        };
        line.extend([
            count(|outcome| *outcome == Outcome::Pass),
            count(|outcome| matches!(outcome, Outcome::Fail(_))),
            count(|outcome| matches!(outcome, Outcome::Blocked(_))),
            count(|outcome| matches!(outcome, Outcome::Skipped(_))),
            count(|outcome| matches!(outcome, Outcome::Fault(_))),
            one.isolated.to_string(),
            note(one),
        ]);
        lines.push(line);
    }
    for (name, why) in faults {
        let mut line = vec![String::new(); lines[0].len()];
        line[0].clone_from(name);
        if let Some(last) = line.last_mut() {
            last.clone_from(why);
        }
        lines.push(line);
    }
    let line = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().map(|text| cell(text)).collect();
        cells.join(",") + "\r\n"
    };
    lines.iter().map(line).collect()
}

/// What an instructor has to look at.
fn note(one: &Marks<'_>) -> String {
    let nothing = || one.sources.is_empty().then(|| "no source of a lab was found".into());
    one.trouble().or_else(nothing).unwrap_or_default()
}

/// A cell: in quotation marks where it must be, and never a formula.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    quoted(&text)
}

/// A cell whose text is as it is.
pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_stands_in_it() {
        assert_eq!(cell("Ann"), "Ann");
        assert_eq!(cell("Example, Ann"), "\"Example, Ann\"");
        assert_eq!(cell("the \"one\""), "\"the \"\"one\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }
}
