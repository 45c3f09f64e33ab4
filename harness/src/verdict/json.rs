//! Outcomes as JSON, there and back: what one process of the harness tells another.

use super::{Blocked, Difference, Failure, Outcome};
use crate::json::Json;

/// The outcome alone; [`outcome_from_json`] reads it back. Bytes are lowercase hex.
pub fn outcome_to_json(outcome: &Outcome) -> Json {
    Json::Object(outcome_members(outcome))
}

pub(crate) fn outcome_members(outcome: &Outcome) -> Vec<(String, Json)> {
    let detail = match outcome {
        Outcome::Pass => vec![],
        Outcome::Fail(failure) => vec![("failure", failure_to_json(failure))],
        Outcome::Blocked(Blocked::Step(step)) => vec![("waits_for_step", u32::from(*step).into())],
        Outcome::Blocked(Blocked::Elsewhere { lab, step }) => {
            let step = ("step", u32::from(*step).into());
            vec![("waits_for", Json::object([("lab", lab.as_str().into()), step]))]
        }
        Outcome::Blocked(Blocked::Build { lab, words }) => {
            vec![("build", words.as_str().into()), ("build_of", lab.as_str().into())]
        }
        Outcome::Skipped(why) | Outcome::Fault(why) => vec![("reason", why.as_str().into())],
    };
    let outcome = ("outcome", Json::from(outcome.word()));
    let members = std::iter::once(outcome).chain(detail);
    members.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn failure_to_json(failure: &Failure) -> Json {
    let difference = failure.difference.as_ref().map_or(Json::Null, |difference| {
        Json::object([
            ("offset", difference.offset.into()),
            ("start", difference.start.into()),
            ("expected_hex", hex(&difference.expected).as_str().into()),
            ("seen_hex", hex(&difference.seen).as_str().into()),
            ("expected_len", difference.expected_len.into()),
            ("seen_len", difference.seen_len.into()),
        ])
    });
    Json::object([
        ("headline", failure.headline.as_str().into()),
        ("telling", Json::Bool(failure.telling)),
        ("steps", failure.steps[..].into()),
        ("expected", failure.expected[..].into()),
        ("seen", failure.seen[..].into()),
        ("difference", difference),
        ("program", failure.program[..].into()),
        ("cause", failure.cause[..].into()),
        ("stderr", failure.stderr[..].into()),
    ])
}

/// Reads what [`outcome_to_json`] made; members that it doesn't know are ignored.
///
/// # Errors
///
/// When a member is missing or is not what it should be: its name and what was expected.
pub fn outcome_from_json(json: &Json) -> Result<Outcome, String> {
    Ok(match text(json, "outcome")?.as_str() {
        "pass" => Outcome::Pass,
        "fail" => Outcome::Fail(Box::new(failure_from_json(member(json, "failure")?)?)),
        "blocked" => Outcome::Blocked(blocked_from_json(json)?),
        "skipped" => Outcome::Skipped(text(json, "reason")?),
        "fault" => Outcome::Fault(text(json, "reason")?),
        _ => return Err(wrong("outcome", "pass, fail, blocked, skipped or fault")),
    })
}

fn blocked_from_json(json: &Json) -> Result<Blocked, String> {
    let step = |json, name| u8::try_from(number(json, name)?).map_err(|_| wrong(name, "a step"));
    if json.get("build").is_some() {
        return Ok(Blocked::Build { lab: text(json, "build_of")?, words: text(json, "build")? });
    }
    if let Some(other) = json.get("waits_for") {
        return Ok(Blocked::Elsewhere { lab: text(other, "lab")?, step: step(other, "step")? });
    }
    Ok(Blocked::Step(step(json, "waits_for_step")?))
}

fn failure_from_json(json: &Json) -> Result<Failure, String> {
    let difference = match member(json, "difference")? {
        Json::Null => None,
        difference => Some(Difference {
            offset: number(difference, "offset")?,
            start: number(difference, "start")?,
            expected: bytes(difference, "expected_hex")?,
            seen: bytes(difference, "seen_hex")?,
            expected_len: number(difference, "expected_len")?,
            seen_len: number(difference, "seen_len")?,
        }),
    };
    Ok(Failure {
        headline: text(json, "headline")?,
        telling: member(json, "telling")? == &Json::Bool(true),
        steps: texts(json, "steps")?,
        expected: texts(json, "expected")?,
        seen: texts(json, "seen")?,
        difference,
        program: texts(json, "program")?,
        cause: texts(json, "cause")?,
        stderr: texts(json, "stderr")?,
    })
}

fn wrong(name: &str, expected: &str) -> String {
    format!("{name}: expected {expected}")
}

fn member<'a>(json: &'a Json, name: &str) -> Result<&'a Json, String> {
    json.get(name).ok_or_else(|| format!("{name}: missing"))
}

fn text(json: &Json, name: &str) -> Result<String, String> {
    let text = member(json, name)?.as_str().ok_or_else(|| wrong(name, "text"))?;
    Ok(text.to_owned())
}

fn texts(json: &Json, name: &str) -> Result<Vec<String>, String> {
    let is_wrong = || wrong(name, "a list of texts");
    let values = member(json, name)?.as_array().ok_or_else(is_wrong)?;
    let text = |value: &Json| value.as_str().map(str::to_owned).ok_or_else(is_wrong);
    values.iter().map(text).collect()
}

fn number(json: &Json, name: &str) -> Result<usize, String> {
    let number = member(json, name)?.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| wrong(name, "a count"))
}

fn bytes(json: &Json, name: &str) -> Result<Vec<u8>, String> {
    unhex(&text(json, name)?).ok_or_else(|| wrong(name, "pairs of hex digits"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |&byte: &u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}
