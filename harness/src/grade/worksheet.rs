//! Moodle's grading worksheet: filled in, to be uploaded again.
//!
//! It is the file of *Download grading worksheet*, comma-separated values (RFC 4180) with a line for
//! each participant. Only the column `Grade` is written to, and only where there are marks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::gradebook::quoted;
use super::marks::Marks;
use crate::workspace::{Error, cannot};

/// The columns that are needed, as Moodle calls them in English.
const COLUMNS: [&str; 3] = ["Identifier", "Grade", "Maximum Grade"];
/// What stands before the number in the column `Identifier`.
const PARTICIPANT: &str = "Participant ";

/// A worksheet as it was downloaded.
#[derive(Debug)]
pub struct Worksheet {
    /// All lines, the heading first.
    lines: Vec<Vec<String>>,
    identifier: usize,
    grade: usize,
    /// By line, from the heading on: what full marks are there.
    most: Vec<f64>,
}

impl Worksheet {
    /// Reads the file.
    ///
    /// # Errors
    /// It can't be read, or is no grading worksheet whose grades are numbers.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(cannot("read", file))?;
        Self::parse(&text).map_err(|what| {
            Error::Refused(format!(
                "{}: {what}. It has to be Moodle's own: in the assignment's submissions, \"Download grading \
                 worksheet\", with the site's language set to English",
                file.display()
            ))
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        // Moodle begins its file with a byte order mark, so that spreadsheets take it for UTF-8.
        let lines = lines(text.trim_start_matches('\u{feff}'))?;
        let heading = lines.first().ok_or("the file is empty")?;
        let column = |name: &str| {
            let found = heading.iter().position(|cell| cell == name);
            found.ok_or_else(|| format!("it has no column `{name}`"))
        };
        let [identifier, grade, most] = COLUMNS.map(column);
        let (identifier, grade, most) = (identifier?, grade?, most?);
        let mut full = vec![0.0];
        for (number, line) in lines.iter().enumerate().skip(1) {
            if line.len() != heading.len() {
                return Err(format!(
                    "line {} has {} cells, and the heading {}",
                    number + 1,
                    line.len(),
                    heading.len()
                ));
            }
            let points: Result<f64, _> = line[most].parse();
            full.push(points.map_err(|_| {
                format!("the maximum grade in line {} is no number: `{}`", number + 1, line[most])
            })?);
        }
        Ok(Self { lines, identifier, grade, most: full })
    }

    /// The file with the grades of these submissions, and what an instructor has to know of it: who is
    /// not in it, and who is meant by several.
    pub(super) fn filled_in(&self, marks: &[Marks<'_>]) -> (String, Vec<String>) {
        let mut lines = self.lines.clone();
        let mut notes = Vec::new();
        let mut graded: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for one in marks {
            let is_line = |line: &Vec<String>| {
                line[self.identifier].strip_prefix(PARTICIPANT) == one.participant.as_deref()
            };
            let line = lines.iter().position(is_line).filter(|_| one.participant.is_some());
            match line {
                // What has to be graded again is not graded.
                Some(number) if one.trouble().is_none() => {
                    lines[number][self.grade] = grade(one.total().share(), self.most[number]);
                    graded.entry(number).or_default().push(&one.name);
                }
                Some(_) => {}
                None => notes.push(format!("{} is not in the worksheet", one.name)),
            }
        }
        for (number, names) in graded.iter().filter(|(_, names)| names.len() > 1) {
            notes.push(format!(
                "{} has handed in {} submissions, {}: the grade is that of {}",
                lines[*number][self.identifier],
                names.len(),
                names.join(" and "),
                names[names.len() - 1]
            ));
        }
        let line = |line: &Vec<String>| {
            line.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(",") + "\r\n"
        };
        (lines.iter().map(line).collect(), notes)
    }
}

/// A grade with two decimals, which is what Moodle keeps, at most.
fn grade(share: f64, most: f64) -> String {
    format!("{:.2}", share * most)
}

/// The lines of comma-separated values: a cell in quotation marks may hold anything, quotation marks
/// twice.
fn lines(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '"' if is_quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    if is_quoted {
        return Err("a quotation mark has no second one".into());
    }
    if !cell.is_empty() || !line.is_empty() {
        line.push(cell);
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}Identifier,\"Full name\",Grade,\"Maximum Grade\",\"Feedback comments\"\r\n\
        \"Participant 7\",\"Example, Ann\",,100.00,\"one\n\"\"two\"\"\"\r\n\
        \"Participant 8\",-,,10.00,\r\n";

    #[test]
    fn what_is_not_filled_in_stays_as_it_came() {
        let (text, notes) = Worksheet::parse(FILE).unwrap().filled_in(&[]);
        let cells = |text: &str| lines(text.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(cells(&text), cells(FILE));
        assert_eq!(cells(FILE)[1][4], "one\n\"two\"");
        assert!(notes.is_empty());
    }

    #[test]
    fn a_file_that_is_none_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "the file is empty"),
            ("Identifier,Grade\n", "no column `Maximum Grade`"),
            ("Identifier,Grade,Maximum Grade\nParticipant 1,\n", "line 2 has 2 cells"),
            ("Identifier,Grade,Maximum Grade\nParticipant 1,,good\n", "is no number: `good`"),
            ("Identifier,\"Grade,Maximum Grade\n", "quotation mark"),
        ] {
            let error = Worksheet::parse(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_grade_is_the_share_of_full_marks() {
        assert_eq!(grade(0.5, 100.0), "50.00");
        assert_eq!(grade(1.0 / 3.0, 10.0), "3.33");
    }
}
