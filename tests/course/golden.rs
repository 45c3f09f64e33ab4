//! What a student reads when a check fails, kept as text, so that each change of a word is seen
//! and judged: the files `golden/MISTAKE.txt` among a lab's fixtures, and `MISTAKE.WORD.txt` where
//! there are several of one mistake. The first line of a text says which check it is of; of an
//! empty file it is the first one that the mistake must fail.
//!
//! `UPDATE_GOLDEN=1 cargo test --test course read_as_they_did` writes the texts anew.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sockets_lab::labs::{self, Lab};
use sockets_lab::report::failure;
use sockets_lab::run::session::Record;
use sockets_lab::term::Style;
use sockets_lab::verdict::{Failure, Outcome};

use super::builds::Built;
use super::corpus::{self, Program, Source};
use super::runs::{self, Job};

/// What differs from run to run, or from machine to machine, in words that do not.
fn normalise(text: &str, name: &str) -> String {
    // Each body stands in a folder of its own.
    let mut text = without_letters(text.replace(&format!("{name}/main.rs"), "main.rs"));
    let varies =
        [" queue", "not yet acknowledged", "more memory", "and no end yet", "that nobody has read"];
    if varies.iter().any(|words| text.contains(words)) {
        text = without_sizes(&text);
    }
    // Which of the two a writer gets, where the reader has gone, is a matter of moments.
    if text.starts_with("after ") {
        text = text.replace("Connection reset by peer (os error 104)", "Broken pipe (os error 32)");
    }
    // Who asks again may have done so before the first question is read.
    if let Some((before, rest)) = text.split_once(" received ")
        && let Some((number, rest)) = rest.split_once(" datagrams from ")
        && number.bytes().all(|digit| digit.is_ascii_digit())
        && let Some((from, rest)) = rest.split_once(", the first: ")
    {
        text = format!("{before} received one datagram from {from}: {rest}");
    }
    if let Some((before, time)) = text.split_once(" had ")
        && let Some((time, after)) = time.split_once(" seconds")
        && time.starts_with(|first: char| first.is_ascii_digit())
    {
        text = format!("{before} had N seconds{after}");
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

/// The letters of a peer id of lab 9: another dozen in each run.
fn without_letters(text: String) -> String {
    const BEFORE: &str = "-SL0100-";
    let Some((before, id)) = text.split_once(BEFORE) else { return text };
    let letters = id.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(id.len());
    format!("{before}{BEFORE}{}{}", "x".repeat(letters), &id[letters..])
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
        // The harness's own ports are as they come: the first ones of a worker, or, where a check has
        // played other scenes before, ten or more behind them.
        () if follows(&[":", "JOIN ann "]) && (7107..=7199).contains(&number) => {
            (7007 + (number - 7107) % 10).to_string()
        }
        () if follows(&["process ", "thread ", "'main' (", "'<unnamed>' (", "carol heard "]) => {
            "N".into()
        }
        () if is_time || is_flow => "N".into(),
        () => digits.into(),
    }
}

/// The ids of messages, numbered in the order in which they appear, from 1234.
fn numbered(text: &str, ids: &mut Vec<String>) -> String {
    let mut parts = text.split(", id ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((id, rest)) = part.split_at_checked(4) else { continue };
        let place = ids.iter().position(|known| known == id).unwrap_or(ids.len());
        if place == ids.len() {
            ids.push(id.to_owned());
        }
        out += &format!(", id {}{rest}", 1234 + place);
    }
    out
}

/// The random ids of the questions that a servent's own user has asked: of all descriptors that the
/// harness receives only these come with TTL 7 and without a hop behind them.
fn random_ids(steps: &[String]) -> Vec<String> {
    let is_asked =
        |step: &&String| step.contains(" received ") && step.ends_with(", TTL 7, hops 0");
    let id = |step: &String| {
        let (id, _) = step.split_once(", id ")?.1.split_once(',')?;
        Some(id.to_owned())
    };
    steps.iter().filter(is_asked).filter_map(id).collect()
}

fn normalise_all(failure: &mut Failure, name: &str) {
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
    let random = random_ids(steps);
    // A client of lab 6 takes a new id each time: the first one is 1234, whatever it is.
    let mut ids = steps.iter().any(|step| step.contains(" names ask ")).then(Vec::new);
    for texts in [steps, expected, seen, &mut *program, cause, stderr] {
        for text in texts {
            *text =
                random.iter().fold(normalise(text, name), |text, id| text.replace(id, "RANDOM…"));
            if let Some(ids) = &mut ids {
                *text = numbered(text, ids);
            }
        }
    }
    // Which of two clients had its threads first is a matter of moments; so they come by their words.
    for threads in program.chunk_by_mut(|a, b| [a, b].iter().all(|it| it.starts_with("thread N ")))
    {
        threads.sort();
    }
    *headline = normalise(headline, name);
}

/// The text of the failure as a terminal shows it, without colours; nothing where it can't be
/// compared.
fn told(lab: &'static Lab, mistake: &Program, built: &Built, id: &str) -> Option<String> {
    let check = labs::check(id).unwrap_or_else(|| panic!("{}: no check {id}", mistake.name));
    let job = Job { name: &mistake.name, lab, built, checks: vec![check] };
    let mut run = runs::run_alone(&job);
    if !run.isolated {
        println!("note: {} was not compared: without isolation addresses differ", mistake.name);
        return None;
    }
    let mut outcome = run.results.remove(0).outcome;
    match &mut outcome {
        Outcome::Fail(failure) => normalise_all(failure, &mistake.name),
        other => return Some(format!("{id}: the outcome is {other:?}\n")),
    }
    let record = Record { check, outcome, elapsed: Duration::ZERO, programs: Vec::new() };
    Some(failure::render(&record, Style::plain()))
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

/// So often a check tells of its mistake before its text counts as another one.
const TRIES: u32 = 3;

/// A text, the check that it is of, and the mistake.
struct Golden<'a> {
    file: PathBuf,
    text: String,
    id: String,
    mistake: &'a Program,
}

impl<'a> Golden<'a> {
    fn read(file: PathBuf, mistakes: &'a [Program]) -> Self {
        let name = file.file_name().expect("a name").to_string_lossy();
        let name = name.split('.').next().unwrap_or_default();
        let mistake = mistakes.iter().find(|mistake| mistake.name == name);
        let mistake = mistake.unwrap_or_else(|| panic!("{}: no such mistake", file.display()));
        let text = corpus::read(&file);
        let id = text.split_whitespace().nth(1).or(mistake.named.first().map(String::as_str));
        let id = id.expect("a mistake names a check").to_owned();
        Self { file, text, id, mistake }
    }

    /// The source of the mistake, by its name.
    fn source(&self) -> (String, String) {
        match &self.mistake.source {
            Source::Text(source) => (self.mistake.name.clone(), source.clone()),
            Source::File(_) => panic!("{}: a body of the lab is needed", self.file.display()),
        }
    }

    /// What differs between the text and what the check now says of its mistake.
    fn compare(&self, lab: &'static Lab, built: &Built) -> Option<String> {
        let tell = || told(lab, self.mistake, built, &self.id);
        let mut now = tell()?;
        // What a program is caught in depends on the moment now and then, on a busy machine above all.
        for _ in 1..TRIES {
            if now == self.text {
                return None;
            }
            now = tell()?;
        }
        let file = self.file.display();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let written = std::fs::write(&self.file, now);
            return written.err().map(|error| format!("{file}: {error}"));
        }
        (self.text != now).then(|| format!("{file}\n{}", difference(&self.text, &now)))
    }
}

const HOW: &str =
    "if the new text is better: UPDATE_GOLDEN=1 cargo test --test course read_as_they_did";

fn all_read_as_they_did(lab: &'static Lab) {
    let mistakes = corpus::mistakes(lab);
    let texts = corpus::files(&corpus::fixtures("golden", lab));
    let texts: Vec<_> = texts.into_iter().map(|file| Golden::read(file, &mistakes)).collect();
    let sources: BTreeMap<_, _> = texts.iter().map(Golden::source).collect();
    let names: Vec<_> = sources.keys().cloned().collect();
    let built = Built::all(lab, &sources.into_iter().collect::<Vec<_>>());
    let built: BTreeMap<_, _> = names.into_iter().zip(built).collect();
    let _turn = runs::turn();
    let compare = |text: &Golden<'_>| text.compare(lab, &built[&text.mistake.name]);
    let found: Vec<_> = runs::side_by_side(&texts, compare).into_iter().flatten().collect();
    assert!(found.is_empty(), "{}\n{HOW}", found.join("\n"));
}

sockets_lab::each_lab! { test_each_lab failures_read_as_they_did super::all_read_as_they_did }

#[test]
fn what_differs_from_run_to_run_is_put_into_words() {
    for (text, expected) in [
        ("started: server 127.0.0.1:7107", "started: server 127.0.0.1:7007"),
        ("panicked at unwraps/main.rs:20:35:", "panicked at main.rs:20:35:"),
        ("client 1 (127.0.0.1:50234) sent 5 bytes", "client 1 (127.0.0.1:PORT) sent 5 bytes"),
        ("connected from port 40000", "connected from port PORT"),
        (
            "its queue holds 67.3 KiB (68928 bytes), and 9 bytes",
            "its queue holds N bytes, and N bytes",
        ),
        ("process 17 (server), thread 18", "process N (server), thread N"),
        ("woke 12 times in 200 ms", "woke N times in N ms"),
        ("carol heard 165 lines, then", "carol heard N lines, then"),
        ("peer_id=-SL0100-abcdefghijkl&port", "peer_id=-SL0100-xxxxxxxxxxxx&port"),
    ] {
        assert_eq!(normalise(text, "unwraps"), expected);
    }
}
