//! The result file of a Gradescope autograder: `results.json`, as its documentation of autograders
//! describes it.

use super::place::Placed;
use super::{board, failure};
use crate::json::Json;
use crate::labs::Check;
use crate::run::session::Record;
use crate::term::Style;
use crate::verdict::Outcome;

/// The records as `results.json`: a test for each check, and the board as the output of all. `worth`
/// says what a check counts: there is no other sum than that of the tests.
pub fn render(records: &[Record], notes: &[String], worth: &dyn Fn(&Check) -> f64) -> Json {
    document(&Placed::all(records), notes, worth)
}

fn document(all: &[Placed<'_>], notes: &[String], worth: &dyn Fn(&Check) -> f64) -> Json {
    let time: f64 = all.iter().map(|placed| placed.record.elapsed.as_secs_f64()).sum();
    let tests = all.iter().enumerate().map(|(index, placed)| test(index + 1, placed, worth));
    Json::object([
        ("execution_time", Json::Number(time.round())),
        ("output", board::text(all, notes, Style::plain()).as_str().into()),
        ("output_format", "text".into()),
        ("test_output_format", "text".into()),
        // What a program prints may be anything.
        ("stdout_visibility", "hidden".into()),
        ("tests", Json::Array(tests.collect())),
    ])
}

fn test(number: usize, placed: &Placed<'_>, worth: &dyn Fn(&Check) -> f64) -> Json {
    let check = placed.record.check;
    let passed = *placed.outcome() == Outcome::Pass;
    let output = if passed { String::new() } else { failure::text(placed, Style::plain()) };
    // A share of the marks need not come out even.
    let most = (worth(check) * 1000.0).round() / 1000.0;
    Json::object([
        ("number", number.to_string().as_str().into()),
        ("name", format!("{}: {}", check.id(), check.title).as_str().into()),
        ("score", Json::Number(if passed { most } else { 0.0 })),
        ("max_score", Json::Number(most)),
        ("status", if passed { "passed" } else { "failed" }.into()),
        ("output", output.as_str().into()),
        ("tags", Json::Array(vec![placed.lab.name.into(), placed.step.name.into()])),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_check_is_a_test_and_what_did_not_pass_has_no_points_and_says_why() {
        let records = samples::one_of_each();
        let document = document(&samples::placed(&records), &[], &|check| f64::from(check.points));
        let tests = document.get("tests").and_then(Json::as_array).unwrap();
        assert_eq!(tests.len(), records.len());
        for (test, record) in tests.iter().zip(&records) {
            let passed = record.outcome == Outcome::Pass;
            let text = |name| test.get(name).and_then(Json::as_str).unwrap();
            assert_eq!(text("status"), if passed { "passed" } else { "failed" });
            assert_eq!(text("output").is_empty(), passed);
            let score = test.get("score").and_then(Json::as_u64);
            assert_eq!(score, Some(u64::from(record.score())));
            assert!(text("name").starts_with(&record.check.id()));
        }
    }
}
