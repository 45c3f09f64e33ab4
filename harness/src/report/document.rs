//! Records as JSON: the public document of `--json`, and outcomes there and back again for
//! what one process of the harness tells another.

use super::place::Placed;
use crate::json::Json;
use crate::run::session::Record;
use crate::verdict::Outcome;
use crate::verdict::json::outcome_members;

/// The document's name and version: a field can be added to a version, none can change.
pub const SCHEMA: &str = "sockets-lab/result/v1";

/// The whole result of a run: the sums, the notes, and every record with all that it knows.
pub fn records_to_json(records: &[Record], isolated: bool, notes: &[String]) -> Json {
    document(&Placed::all(records), isolated, notes)
}

fn document(all: &[Placed<'_>], isolated: bool, notes: &[String]) -> Json {
    let count = |word: &str| all.iter().filter(|placed| placed.word() == word).count();
    let sum = |of: fn(&Record) -> u32| all.iter().map(|placed| of(placed.record)).sum::<u32>();
    Json::object([
        ("schema", SCHEMA.into()),
        ("score", sum(Record::score).into()),
        ("max_score", sum(|record| record.check.points).into()),
        ("passed", count("pass").into()),
        ("failed", count("fail").into()),
        ("blocked", count("blocked").into()),
        ("skipped", count("skipped").into()),
        ("faults", count("fault").into()),
        ("isolated", isolated.into()),
        ("notes", notes.into()),
        ("checks", Json::Array(all.iter().map(check).collect())),
    ])
}

fn check(placed: &Placed<'_>) -> Json {
    let check = placed.record.check;
    let mut members = vec![
        ("id".to_owned(), check.id().as_str().into()),
        ("lab".to_owned(), placed.lab.name.into()),
        ("step".to_owned(), u32::from(placed.step.number).into()),
        ("step_name".to_owned(), placed.step.name.into()),
        ("title".to_owned(), check.title.into()),
        ("requirement".to_owned(), check.requirement.into()),
        ("chapter".to_owned(), placed.step.chapter.into()),
        ("points".to_owned(), check.points.into()),
        ("score".to_owned(), placed.record.score().into()),
        ("elapsed_ms".to_owned(), Json::Number(placed.record.elapsed.as_millis() as f64)),
    ];
    members.extend(outcome_members(placed.outcome()));
    if matches!(placed.outcome(), Outcome::Blocked(_)) {
        members.push(("reason".to_owned(), placed.reason().as_str().into()));
    }
    Json::Object(members)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::samples;
    use super::*;
    use crate::verdict::json::{outcome_from_json, outcome_to_json, unhex};
    use crate::verdict::{Blocked, Difference, Failure};

    /// Lengths are exact below 2^53, and none is larger.
    const LENGTH: std::ops::Range<usize> = 0..1 << 53;

    fn any_difference() -> impl Strategy<Value = Difference> {
        let bytes = || any::<Vec<u8>>();
        (LENGTH, LENGTH, bytes(), bytes(), LENGTH, LENGTH).prop_map(
            |(offset, start, expected, seen, expected_len, seen_len)| Difference {
                offset,
                start,
                expected,
                seen,
                expected_len,
                seen_len,
            },
        )
    }

    fn any_failure() -> impl Strategy<Value = Failure> {
        let difference = proptest::option::of(any_difference());
        let head = any::<(String, bool)>();
        (head, vec(vec(any::<String>(), 0..3), 6), difference).prop_map(
            |((headline, telling), mut lines, difference)| {
                let mut lines = || lines.pop().unwrap_or_default();
                Failure {
                    headline,
                    telling,
                    steps: lines(),
                    expected: lines(),
                    seen: lines(),
                    difference,
                    program: lines(),
                    cause: lines(),
                    stderr: lines(),
                }
            },
        )
    }

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Pass),
            any_failure().prop_map(|failure| Outcome::Fail(Box::new(failure))),
            any::<u8>().prop_map(|step| Outcome::Blocked(Blocked::Step(step))),
            any::<(String, u8)>()
                .prop_map(|(lab, step)| Outcome::Blocked(Blocked::Elsewhere { lab, step })),
            any::<(String, String)>()
                .prop_map(|(lab, words)| Outcome::Blocked(Blocked::Build { lab, words })),
            any::<String>().prop_map(Outcome::Skipped),
            any::<String>().prop_map(Outcome::Fault),
        ]
    }

    proptest! {
        #[test]
        fn an_outcome_survives_the_way_through_text(outcome in any_outcome()) {
            let text = outcome_to_json(&outcome).to_string();
            let json = Json::parse(&text).expect("it was printed as JSON");
            prop_assert_eq!(outcome_from_json(&json), Ok(outcome));
        }
    }

    #[test]
    fn what_is_no_outcome_is_refused_by_name() {
        let refused = |text| {
            let json = Json::parse(text).expect("it is JSON");
            outcome_from_json(&json).expect_err("it is no outcome")
        };
        assert_eq!(refused("[]"), "outcome: missing");
        assert_eq!(refused(r#"{"outcome":1}"#), "outcome: expected text");
        assert_eq!(
            refused(r#"{"outcome":"passed"}"#),
            "outcome: expected pass, fail, blocked, skipped or fault"
        );
        assert_eq!(refused(r#"{"outcome":"fail","failure":{}}"#), "difference: missing");
        assert_eq!(
            refused(r#"{"outcome":"blocked","waits_for_step":256}"#),
            "waits_for_step: expected a step"
        );
    }

    #[test]
    fn odd_hex_is_refused() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert_eq!([unhex("0"), unhex("zz"), unhex("é")], [None, None, None]);
    }

    #[test]
    fn the_document_holds_the_sums_and_every_check() {
        let records = samples::records([
            Outcome::Skipped("no /proc".to_owned()),
            Outcome::Pass,
            samples::failure(),
            Outcome::Blocked(Blocked::Step(3)),
        ]);
        let json = document(&samples::placed(&records), true, &["a note".to_owned()]);
        let sums = "{\"schema\":\"sockets-lab/result/v1\",\"score\":2,\"max_score\":8,\
                    \"passed\":1,\"failed\":1,\"blocked\":1,\"skipped\":1,\"faults\":0,\
                    \"isolated\":true,\"notes\":[\"a note\"],\"checks\":[{\"id\":\"server/listens\",";
        assert!(json.to_string().starts_with(sums), "{json}");

        let checks = json.get("checks").and_then(Json::as_array).expect("an array");
        assert_eq!(checks.len(), 4);
        let check = &checks[3];
        let field = |name| check.get(name).and_then(Json::as_str);
        assert_eq!(field("step_name"), Some("serve"));
        assert_eq!(field("chapter"), Some("06-endings"));
        assert_eq!(field("outcome"), Some("blocked"));
        assert_eq!(field("reason"), Some("step 3, serve, is not written yet"));
        assert_eq!(check.get("elapsed_ms").and_then(Json::as_u64), Some(12));
        let failure = checks[2].get("failure").expect("a failure");
        let difference = failure.get("difference").expect("a difference");
        assert_eq!(difference.get("expected_hex").and_then(Json::as_str), Some("68656c6c6f0a"));
    }
}
