//! The result file of an autograder of Classroom 50: `result.json`, as its documentation of advanced
//! autograding describes it.

use std::time::SystemTime;

use super::failure;
use super::place::Placed;
use crate::calendar;
use crate::json::Json;
use crate::run::session::Record;
use crate::term::Style;
use crate::verdict::Outcome;

/// What the runner says of a submission, in its environment: the field, and the variable. The last
/// one need not be set.
pub const FIELDS: [(&str, &str); 6] = [
    ("classroom", "CLASSROOM"),
    ("assignment", "ASSIGNMENT"),
    ("submission", "SUBMISSION_TAG"),
    ("commit", "COMMIT_URL"),
    ("release", "RELEASE_URL"),
    ("review", "REVIEW_URL"),
];

/// What holds of a submission, from the runner's environment.
///
/// # Errors
/// The names of the variables that are missing.
pub fn submission(
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(&'static str, String)>, String> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    // Where there is no review, the commit is where to look.
    let found = FIELDS.map(|(field, name)| match field {
        "review" => (field, name, value(name).or_else(|| value("COMMIT_URL"))),
        _ => (field, name, value(name)),
    });
    let missing = found.iter().filter(|(_, _, value)| value.is_none());
    let missing: Vec<&str> = missing.map(|(_, name, _)| *name).collect();
    if missing.is_empty() {
        Ok(found.into_iter().map(|(field, _, value)| (field, value.unwrap_or_default())).collect())
    } else {
        Err(missing.join(", "))
    }
}

/// The records as `result.json`: a test for each check.
pub fn render(records: &[Record], submission: &[(&'static str, String)], time: SystemTime) -> Json {
    document(&Placed::all(records), submission, time)
}

fn document(all: &[Placed<'_>], submission: &[(&'static str, String)], time: SystemTime) -> Json {
    let sum = |of: fn(&Record) -> u32| all.iter().map(|placed| of(placed.record)).sum::<u32>();
    let mut members = vec![("schema", "classroom50/result/v1".into())];
    members.extend(submission.iter().map(|(field, value)| (*field, value.as_str().into())));
    members.extend([
        ("datetime", calendar::timestamp(time).as_str().into()),
        ("score", sum(Record::score).into()),
        ("max-score", sum(|record| record.check.points).into()),
        ("tests", Json::Array(all.iter().map(test).collect())),
    ]);
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// `output` is a field of our own: others are kept.
fn test(placed: &Placed<'_>) -> Json {
    let check = placed.record.check;
    let passed = *placed.outcome() == Outcome::Pass;
    let output = if passed { String::new() } else { failure::text(placed, Style::plain()) };
    Json::object([
        ("test-name", format!("{}: {}", check.id(), check.title).as_str().into()),
        ("passed", passed.into()),
        ("score", placed.record.score().into()),
        ("max-score", check.points.into()),
        ("output", output.as_str().into()),
    ])
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::super::samples;
    use super::*;

    #[test]
    fn all_fields_are_there_and_the_sums_are_those_of_the_tests() {
        let records = samples::one_of_each();
        let variable = |name: &str| (name != "REVIEW_URL").then(|| format!("the {name}"));
        let submission = submission(&variable).unwrap();
        let result = document(&samples::placed(&records), &submission, UNIX_EPOCH);
        let text = |name| result.get(name).and_then(Json::as_str).unwrap();
        assert_eq!(text("schema"), "classroom50/result/v1");
        assert_eq!(text("datetime"), "1970-01-01T00:00:00Z");
        assert_eq!((text("classroom"), text("review")), ("the CLASSROOM", "the COMMIT_URL"));
        for field in FIELDS.map(|(field, _)| field) {
            assert!(!text(field).is_empty(), "{field}");
        }
        let tests = result.get("tests").and_then(Json::as_array).unwrap();
        assert_eq!(tests.len(), records.len());
        for sum in ["score", "max-score"] {
            let of = |json: &Json| json.get(sum).and_then(Json::as_u64).unwrap();
            assert_eq!(of(&result), tests.iter().map(of).sum::<u64>(), "{sum}");
        }
    }

    #[test]
    fn what_the_runner_did_not_say_is_named() {
        let variable = |name: &str| (name != "ASSIGNMENT").then(|| "x".to_owned());
        assert_eq!(submission(&variable).unwrap_err(), "ASSIGNMENT");
    }
}
