//! Programs that meet: a wrong one beside a right one is found out, and the blame is its own.

use std::collections::BTreeSet;

use sockets_lab::json::Json;
use sockets_lab::labs::{self, Check, TOGETHER};

use super::corpus;
use super::golden::{self, HOW};
use super::runs::{Built, complaints, is_skipped};

/// What a wrong program beside a right one leads to.
struct Meeting {
    /// The lab of the wrong program.
    lab: &'static str,
    mistake: &'static str,
    /// The checks that must fail; every other one of the same step passes or fails.
    must: &'static [&'static str],
    /// How the headline of each of them begins.
    blame: &'static str,
}

const fn server(mistake: &'static str, must: &'static [&'static str]) -> Meeting {
    Meeting { lab: "server", mistake, must, blame: "the client is right; the server " }
}

const fn client(mistake: &'static str, must: &'static [&'static str]) -> Meeting {
    Meeting { lab: "client", mistake, must, blame: "the server is right; " }
}

const fn peer(mistake: &'static str, must: &'static [&'static str]) -> Meeting {
    Meeting { lab: "peer", mistake, must, blame: "" }
}

const MEETINGS: &[Meeting] = &[
    server("afraid_of_time_wait", &["notices-a-killed-server"]),
    server("buffers_and_does_not_flush", &["passes-a-line", "talks-in-turns"]),
    server("greets", &["passes-nothing"]),
    server("has_a_limit", &["passes-much-both-ways"]),
    server("makes_it_text", &["passes-every-byte", "passes-single-bytes"]),
    server("reads_once", &["passes-every-byte", "talks-in-turns"]),
    server(
        "serves_one_client",
        &["serves-one-after-another", "keeps-others-waiting", "survives-a-killed-client"],
    ),
    client("forgets_the_end", &["passes-nothing"]),
    client("joins_the_sender", &["notices-a-killed-server"]),
    client("makes_it_text", &["passes-every-byte"]),
    client("prints_with_println", &["passes-a-line"]),
    client("reads_once", &["talks-in-turns"]),
    client("sends_everything_first", &["passes-a-line", "passes-much-both-ways"]),
    client("sends_the_whole_buffer", &["passes-a-line"]),
    peer("takes_a_read_for_a_line", &["understands-single-bytes"]),
    peer("does_not_know_bye", &["says-exactly-what-is-typed"]),
    peer("does_not_notice_the_end", &["notices-a-cut-wire"]),
    peer("greets_twice", &["says-exactly-what-is-typed"]),
    peer("calls_only_the_first", &["meets-in-a-mesh-of-wires"]),
];

/// The texts that are kept: the lab of the wrong program, the mistake, and the check.
const TELLING: &[(&str, &str, &str)] = &[
    ("server", "buffers_and_does_not_flush", "together/passes-a-line"),
    ("server", "greets", "together/passes-nothing"),
    ("client", "joins_the_sender", "together/notices-a-killed-server"),
    ("client", "sends_everything_first", "together/passes-much-both-ways"),
    ("peer", "takes_a_read_for_a_line", "together/understands-single-bytes"),
];

fn judge(meeting: &Meeting) -> Vec<String> {
    let lab = labs::lab(meeting.lab).expect("a lab");
    let mistakes = corpus::mistakes(lab);
    let mistake = mistakes.iter().find(|body| body.name == meeting.mistake).expect(meeting.mistake);
    let step = TOGETHER.steps.iter().find(|step| step.programs.contains(&lab.name));
    let step = step.expect("every lab meets another one");
    let Some(built) = Built::of(lab, mistake) else { return Vec::new() };
    let run = built.check(lab, &format!("together/{}", step.name));
    let must: Vec<_> = meeting.must.iter().map(|name| format!("together/{name}")).collect();
    let wrong =
        run.results.iter().filter(|result| must.contains(&result.id)).filter_map(|result| {
            let headline = result.record.get("failure").and_then(|failure| failure.get("headline"));
            let headline = headline.and_then(Json::as_str).unwrap_or_default();
            let right = result.outcome == "fail" && headline.starts_with(meeting.blame);
            let (name, id, outcome) = (meeting.mistake, &result.id, &result.outcome);
            (!right && !is_skipped(result)).then(|| format!("{name}: {id}: {outcome}: {headline}"))
        });
    wrong.collect()
}

#[test]
fn the_wrong_one_of_two_programs_is_blamed() {
    let found = complaints(MEETINGS, judge);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_check_of_programs_that_meet_catches_a_mistake() {
    let caught: BTreeSet<_> = MEETINGS.iter().flat_map(|meeting| meeting.must).collect();
    let caught: BTreeSet<_> = caught.into_iter().map(|name| format!("together/{name}")).collect();
    let all: BTreeSet<_> = TOGETHER.checks().map(Check::id).collect();
    assert_eq!(caught, all);
}

#[test]
fn failures_of_programs_that_meet_read_as_they_did() {
    let folder = corpus::fixtures("golden", &TOGETHER);
    let compare = |(lab, name, id): &(&str, &str, &str)| {
        let lab = labs::lab(lab).expect("a lab");
        golden::compare(&folder, lab, name, id).into_iter().collect()
    };
    let found = complaints(TELLING, compare);
    assert!(found.is_empty(), "{}\n{HOW}", found.join("\n"));
}
