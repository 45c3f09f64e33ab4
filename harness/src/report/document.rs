//! Records as JSON: the public document of `--json`, and outcomes there and back again for
//! what one process of the harness tells another.

use super::place::{Placed, grouped};
use crate::json::Json;
use crate::run::session::Record;
use crate::verdict::Outcome;
use crate::verdict::json::outcome_members;

/// The document's name and version: a field can be added to a version, none can change.
pub const SCHEMA: &str = "sockets-lab/result/v1";

/// What holds of a run as a whole.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Whose work was judged, where that was said.
    pub submission: Option<&'a str>,
    /// Whether the programs were kept away from their judge.
    pub isolated: bool,
    /// What holds of all records, such as that there was no isolation.
    pub notes: &'a [String],
}

/// The whole result of a run: the sums of all, of each lab and of each step, the notes, and every
/// record with all that it knows.
pub fn records_to_json(records: &[Record], about: &About<'_>) -> Json {
    document(&Placed::all(records), about)
}

fn document(all: &[Placed<'_>], about: &About<'_>) -> Json {
    let everything: Vec<_> = all.iter().collect();
    let mut members = named([
        ("schema", SCHEMA.into()),
        ("course", env!("CARGO_PKG_VERSION").into()),
        ("submission", about.submission.map_or(Json::Null, Json::from)),
    ]);
    members.extend(sums(&everything));
    let labs = grouped(all, |placed| placed.lab.name);
    members.extend(named([
        ("isolated", about.isolated.into()),
        ("notes", about.notes.into()),
        ("labs", Json::Array(labs.iter().map(lab).collect())),
        ("checks", Json::Array(all.iter().map(check).collect())),
    ]));
    Json::Object(members)
}

/// The sums of one lab, and of each of its steps that a check was asked for of.
fn lab((name, checks): &(&str, Vec<&Placed<'_>>)) -> Json {
    let mut members = named([("lab", (*name).into())]);
    members.extend(sums(checks));
    let steps = grouped(checks.iter().copied(), |placed| placed.step.number);
    let steps = steps.iter().map(|(_, checks)| step(checks)).collect();
    members.push(("steps".to_owned(), Json::Array(steps)));
    Json::Object(members)
}

fn step(checks: &[&Placed<'_>]) -> Json {
    let first = checks.first().map(|placed| placed.step);
    let number = first.map_or(0, |step| u32::from(step.number));
    let mut members =
        named([("step", number.into()), ("step_name", first.map_or("", |step| step.name).into())]);
    members.extend(sums(checks));
    Json::Object(members)
}

/// The points of these checks, and how many came to what.
fn sums(checks: &[&Placed<'_>]) -> Vec<(String, Json)> {
    let count = |word: &str| checks.iter().filter(|placed| placed.word() == word).count();
    let sum = |of: fn(&Record) -> u32| checks.iter().map(|placed| of(placed.record)).sum::<u32>();
    named([
        ("score", sum(Record::score).into()),
        ("max_score", sum(|record| record.check.points).into()),
        ("passed", count("pass").into()),
        ("failed", count("fail").into()),
        ("blocked", count("blocked").into()),
        ("skipped", count("skipped").into()),
        ("faults", count("fault").into()),
    ])
}

fn named<const N: usize>(members: [(&str, Json); N]) -> Vec<(String, Json)> {
    members.map(|(name, value)| (name.to_owned(), value)).into()
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
        ("chapter".to_owned(), placed.to_do().1.chapter.into()),
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
        let notes = ["a note".to_owned()];
        let about = About { submission: Some("anna"), isolated: true, notes: &notes };
        let json = document(&samples::placed(&records), &about);
        let version = env!("CARGO_PKG_VERSION");
        let (all, first) = (
            "\"score\":2,\"max_score\":8,\"passed\":1,\"failed\":1,\"blocked\":1,\"skipped\":1,\
             \"faults\":0",
            "\"score\":0,\"max_score\":2,\"passed\":0,\"failed\":0,\"blocked\":0,\"skipped\":1,\
             \"faults\":0",
        );
        let begin = format!(
            "{{\"schema\":\"sockets-lab/result/v1\",\"course\":\"{version}\",\
             \"submission\":\"anna\",{all},\"isolated\":true,\"notes\":[\"a note\"],\
             \"labs\":[{{\"lab\":\"server\",{all},\"steps\":[{{\"step\":1,\
             \"step_name\":\"listen\",{first}}},{{\"step\":2,"
        );
        assert!(json.to_string().starts_with(&begin), "{json}");

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
