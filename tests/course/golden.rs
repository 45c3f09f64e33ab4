//! What a student reads when a check fails, kept as text, so that each change of a word is seen
//! and judged. `UPDATE_GOLDEN=1 cargo test --test course read_as_they_did` writes the texts anew.

use std::path::Path;
use std::time::Duration;

use sockets_lab::labs::{self, Lab};
use sockets_lab::report::failure;
use sockets_lab::run::session::Record;
use sockets_lab::term::Style;
use sockets_lab::verdict::{Failure, Outcome};

use super::corpus;
use super::runs::{Built, complaints};

/// Telling mistakes, each with the check that should tell its author most.
const SERVER: &[(&str, &str)] = &[
    ("all_interfaces", "server/binds-no-wider"),
    ("becomes_a_daemon", "server/leaves-nothing-behind"),
    ("buffers_and_does_not_flush", "server/echoes"),
    ("ignores_the_end", "server/closes-what-has-ended"),
    ("keeps_the_streams", "server/closes-what-has-ended"),
    ("makes_it_text", "server/echoes-any-bytes"),
    ("panics_on_errors", "server/survives-a-reset"),
    ("reads_once", "server/keeps-the-connection"),
    ("reads_lines", "server/echoes-without-a-line-end"),
    ("sends_the_whole_buffer", "server/echoes"),
    ("serves_one_client", "server/accepts-one-after-another"),
    ("unwraps_bind", "server/refuses-a-taken-port"),
    ("unwraps_serve", "server/survives-a-reset"),
    ("waits_for_the_port", "server/refuses-a-taken-port"),
];

const CLIENT: &[(&str, &str)] = &[
    ("connects_for_each_line", "client/keeps-its-connection"),
    ("does_not_flush", "client/prints-at-once"),
    ("ends_both_directions", "client/ends-only-its-side"),
    ("first_address_only", "client/tries-every-address"),
    ("forgets_the_end", "client/ends-its-side"),
    ("ignores_a_closed_stdout", "client/ends-quietly-without-a-reader"),
    ("joins_the_sender", "client/ends-with-the-server"),
    ("makes_it_text", "client/prints-any-bytes"),
    ("reads_all_first", "client/sends-at-once"),
    ("sends_everything_first", "client/both-at-once"),
    ("swallows_errors", "client/tells-of-a-reset"),
    ("trims_each_line", "client/sends-its-input"),
    ("unwraps_connect", "client/tells-when-refused"),
];

const PEER: &[(&str, &str)] = &[
    ("accepts_before_it_dials", "peer/calls-every-peer"),
    ("adds_a_line_end", "peer/keeps-to-every-conversation"),
    ("announces_newcomers", "peer/forwards-nothing"),
    ("answers_the_greeting", "peer/greets-without-waiting"),
    ("attends_in_the_accepting_thread", "peer/waits-for-a-silent-caller"),
    ("closes_at_bye", "peer/waits-for-the-others"),
    ("dials_before_it_accepts", "peer/accepts-while-it-calls"),
    ("does_not_notice_the_end", "peer/notices-who-left"),
    ("ends_after_each_line", "peer/talks"),
    ("ends_the_program", "peer/goes-on-after-a-bad-peer"),
    ("greets_without_a_line_end", "peer/greets"),
    ("holds_the_lock_while_it_writes", "peer/is-not-held-up"),
    ("keeps_the_old_line", "peer/takes-everything-at-once"),
    ("locks_twice", "peer/survives-who-vanishes"),
    ("makes_it_text", "peer/refuses-what-is-no-text"),
    ("reads_lines_without_a_limit", "peer/bounds-an-endless-line"),
    ("says_nothing_of_a_refusal", "peer/goes-on-without-a-peer"),
    ("shares_a_buffer", "peer/keeps-speakers-apart"),
    ("takes_a_read_for_a_line", "peer/prints-what-is-said"),
    ("tells_only_the_first", "peer/tells-everybody"),
    ("uses_a_reader_of_its_own", "peer/takes-everything-at-once"),
    ("writes_without_a_limit", "peer/is-not-held-up"),
];

/// What differs from run to run, or from machine to machine, in words that do not.
fn normalise(text: &str, exe: &Path) -> String {
    let name = exe.file_name().expect("a program has a name").to_string_lossy();
    let mut text = text.replace(&format!("'{}'", exe.display()), &name);
    let varies = [" queue", "not yet acknowledged", "more memory", "and no end yet"];
    if varies.iter().any(|words| text.contains(words)) {
        text = without_sizes(&text);
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        out.push_str(before);
        out.push_str(&word(before, digits, after));
        rest = after;
    }
    out + rest
}

/// How full a queue is when both ends are blocked is the kernel's and the scheduler's to decide.
fn without_sizes(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<&str> = Vec::new();
    let mut index = 0;
    while let Some(&word) = words.get(index) {
        let unit = words.get(index + 1).copied().unwrap_or_default();
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let length = match unit.trim_end_matches([',', '.', ':']) {
            // `67.3 KiB (68928 bytes)`
            "KiB" | "MiB" if is_number => 4,
            "byte" | "bytes" if is_number => 2,
            _ => 1,
        };
        let last = words[(index + length).min(words.len()) - 1];
        match length {
            1 => out.push(word),
            _ if last.ends_with(',') => out.push("N bytes,"),
            _ => out.push("N bytes"),
        }
        index += length;
    }
    out.join(" ")
}

fn word(before: &str, digits: &str, after: &str) -> String {
    let number: u32 = digits.parse().unwrap_or(0);
    let is_ephemeral = |number: u32| (32_768..=60_999).contains(&number);
    let follows = |words: &[&str]| words.iter().any(|word| before.ends_with(word));
    // How much goes before the queues are full, too.
    let is_flow = follows(&[" heard "]) && after.starts_with(" lines");
    let is_time = [" ms", " µs", " times"].iter().any(|unit| after.starts_with(unit));
    match () {
        () if follows(&[":", "port "]) && is_ephemeral(number) => "PORT".into(),
        // The harness's own ports are as they come: the first ones of a worker.
        () if follows(&[":"]) && (7107..=7116).contains(&number) => (number - 100).to_string(),
        () if follows(&["process ", "thread ", "'main' (", "carol heard "]) => "N".into(),
        () if is_time || is_flow => "N".into(),
        () => digits.into(),
    }
}

fn normalise_all(failure: &mut Failure, exe: &Path) {
    let Failure {
        headline,
        steps,
        expected,
        seen,
        program,
        cause,
        stderr,
        telling: _,
        difference: _,
    } = failure;
    for texts in [steps, expected, seen, program, cause, stderr] {
        for text in texts {
            *text = normalise(text, exe);
        }
    }
    *headline = normalise(headline, exe);
}

/// The text of the failure as a terminal shows it, without colours; the reason where there is none.
fn told(lab: &Lab, name: &str, id: &str) -> Result<String, String> {
    let mistakes = corpus::mistakes(lab);
    let mistake = mistakes.iter().find(|body| body.name == name).ok_or("no such mistake")?;
    let built = Built::of(lab, mistake).ok_or("its language is missing here")?;
    let run = built.check(lab, id);
    if !run.isolated {
        return Err("without isolation addresses and queues differ".into());
    }
    let mut outcome = sockets_lab::verdict::json::outcome_from_json(&run.results[0].record)?;
    match &mut outcome {
        Outcome::Fail(failure) => normalise_all(failure, &built.file()),
        other => return Err(format!("the outcome is {other:?}")),
    }
    let check = labs::check(id).ok_or("no such check")?;
    let record = Record { check, outcome, elapsed: Duration::ZERO, programs: Vec::new() };
    Ok(failure::render(&record, Style::plain()))
}

/// The lines that differ, with two before and behind.
fn difference(golden: &str, now: &str) -> String {
    let (golden, now): (Vec<_>, Vec<_>) = (golden.lines().collect(), now.lines().collect());
    let same = golden.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let ends = golden[same..].iter().rev().zip(now[same..].iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let marked = |mark: &'static str, lines: &[&str]| {
        lines.iter().map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    let behind = &golden[golden.len() - tail..];
    [
        marked(" ", &golden[same.saturating_sub(2)..same]),
        marked("-", &golden[same..golden.len() - tail]),
        marked("+", &now[same..now.len() - tail]),
        marked(" ", &behind[..behind.len().min(2)]),
    ]
    .concat()
}

/// What differs between the text in `folder` and what the check `id` now says of a mistake.
pub(crate) fn compare(folder: &Path, lab: &Lab, name: &str, id: &str) -> Option<String> {
    let file = folder.join(format!("{name}.txt"));
    let now = match told(lab, name, id) {
        Ok(text) => text,
        Err(why) if why.starts_with("without isolation") => {
            println!("note: {name} was not compared: {why}");
            return None;
        }
        Err(why) => return Some(format!("{name}: {why}")),
    };
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let written = std::fs::write(&file, now);
        return written.err().map(|error| format!("{}: {error}", file.display()));
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    (golden != now).then(|| format!("{}\n{}", file.display(), difference(&golden, &now)))
}

pub(crate) const HOW: &str =
    "if the new text is better: UPDATE_GOLDEN=1 cargo test --test course read_as_they_did";

fn read_as_they_did(lab: &str, telling: &[(&str, &str)]) {
    let lab = labs::lab(lab).expect("a lab");
    let folder = corpus::fixtures("golden", lab);
    let compare = |(name, id): &(&str, &str)| compare(&folder, lab, name, id);
    let found = complaints(telling, |telling| compare(telling).into_iter().collect());
    assert!(found.is_empty(), "{}\n{HOW}", found.join("\n"));
}

#[test]
fn failures_of_a_server_read_as_they_did() {
    read_as_they_did("server", SERVER);
}

#[test]
fn failures_of_a_client_read_as_they_did() {
    read_as_they_did("client", CLIENT);
}

#[test]
fn failures_of_a_peer_read_as_they_did() {
    read_as_they_did("peer", PEER);
}

#[test]
fn what_differs_from_run_to_run_is_put_into_words() {
    let exe = Path::new("/tmp/x/server");
    for (text, expected) in [
        ("started: '/tmp/x/server' 127.0.0.1:7107", "started: server 127.0.0.1:7007"),
        ("client 1 (127.0.0.1:50234) sent 5 bytes", "client 1 (127.0.0.1:PORT) sent 5 bytes"),
        ("connected from port 40000", "connected from port PORT"),
        (
            "its queue holds 67.3 KiB (68928 bytes), and 9 bytes",
            "its queue holds N bytes, and N bytes",
        ),
        ("process 17 (server), thread 18", "process N (server), thread N"),
        ("woke 12 times in 200 ms", "woke N times in N ms"),
        ("carol heard 165 lines, then", "carol heard N lines, then"),
    ] {
        assert_eq!(normalise(text, exe), expected);
    }
}
