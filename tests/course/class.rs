//! A class as it hands in: solutions, empty workspaces, mistakes, mixtures, attacks. What each earns is
//! known, and the same in another order, one after the other, and when the run was killed and started
//! again. How long grading takes is compared with cargo, which only builds the same sources.
//!
//! `LAB_CLASS=100` makes a class of a hundred, in `LAB_CLASS_LABS=server,client`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sockets_lab::json::Json;
use sockets_lab::labs::{self, Check, Lab};
use tempfile::TempDir;

use super::corpus::{self, Program, Source};
use super::workspace::{lab, text};
use super::{runs, stubs};

/// As many there are of each, of ten.
const KINDS: [Kind; 10] = [
    Kind::Solution,
    Kind::Mistake,
    Kind::Attack,
    Kind::Empty,
    Kind::Mixture,
    Kind::Mistake,
    Kind::Solution,
    Kind::Begun,
    Kind::Mistake,
    Kind::Broken,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Solution,
    /// Nothing is written.
    Empty,
    /// The first steps are.
    Begun,
    /// All is written, and one mistake is in each lab.
    Mistake,
    /// A solution, then a mistake, then nothing.
    Mixture,
    /// It does not compile.
    Broken,
    /// The first lab's program is an attack.
    Attack,
}

/// One submission: a source for each lab.
struct Submission {
    name: String,
    kind: Kind,
    sources: Vec<(&'static Lab, String)>,
    /// The checks that fail in some runs and not in others: its mistakes lead to a race.
    may_fail: BTreeSet<String>,
}

/// So many, in these labs: always the same ones.
fn class(count: usize, labs: &[&'static Lab]) -> Vec<Submission> {
    let mistakes: Vec<Vec<Program>> = labs.iter().map(|lab| in_rust(lab)).collect();
    let attacks = corpus::files(&corpus::root().join("fixtures/attacks"));
    let attacks: Vec<_> =
        attacks.iter().filter(|file| file.extension().is_some_and(|kind| kind != "md")).collect();
    let submission = |number: usize| {
        let kind = KINDS[number % KINDS.len()];
        let mut may_fail = BTreeSet::new();
        let source = |(place, lab): (usize, &&'static Lab)| {
            let mut mistake = || {
                let all = &mistakes[place];
                // A prime, so that neighbours do not have neighbouring mistakes.
                let mistake = &all[number * 37 % all.len()];
                may_fail.extend(mistake.may.iter().cloned());
                match &mistake.source {
                    Source::Text(text) => {
                        if waits(text) > waits(&corpus::solution(lab)) {
                            may_fail.extend(lab.checks().map(Check::id));
                        }
                        text.clone()
                    }
                    Source::File(_) => unreachable!("only bodies were taken"),
                }
            };
            let steps = lab.steps.len();
            let written = |steps: usize| stubs::written_up_to(lab, u8::try_from(steps).unwrap());
            let source = match (kind, place) {
                (Kind::Solution, _) | (Kind::Mixture, 0) => corpus::solution(lab),
                (Kind::Empty, _) => written(0),
                (Kind::Begun, _) => written(number % steps),
                (Kind::Mistake, _) | (Kind::Mixture, 1) => mistake(),
                (Kind::Mixture, _) => written(0),
                (Kind::Broken, _) => corpus::solution(lab) + "fn more( {\n",
                (Kind::Attack, 0) => as_source(attacks[number * 7 % attacks.len()]),
                (Kind::Attack, _) => corpus::solution(lab),
            };
            (*lab, source)
        };
        let sources = labs.iter().enumerate().map(source).collect();
        Submission { name: format!("student-{number:03}"), kind, sources, may_fail }
    };
    (0..count).map(submission).collect()
}

/// How often a source lets time pass: what comes of that depends on the machine.
fn waits(source: &str) -> usize {
    source.matches("sleep(").count()
}

/// The mistakes that are a region's body in a lab's source.
fn in_rust(lab: &Lab) -> Vec<Program> {
    let mut all = corpus::mistakes(lab);
    all.retain(|mistake| matches!(mistake.source, Source::Text(_)));
    all
}

/// A lab's source that becomes this script.
fn as_source(script: &Path) -> String {
    let is_python = script.extension().is_some_and(|kind| kind == "py");
    let (program, zeroth) = if is_python { ("python3", "") } else { ("sh", "\"attack\", ") };
    format!(
        "use std::os::unix::process::CommandExt;\n\nfn main() {{\n    \
         let mut attack = std::process::Command::new({program:?});\n    \
         attack.args([\"-c\", r####\"{}\"####, {zeroth}]).args(std::env::args().skip(1));\n    \
         panic!(\"{{}}\", attack.exec());\n}}\n",
        corpus::read(script)
    )
}

/// How long cargo takes for all of these, one after the other, each from nothing.
fn bare_compile_time(class: &[Submission]) -> Duration {
    let mut known: BTreeMap<(&str, &str), Duration> = BTreeMap::new();
    let build = |lab: &'static Lab, source: &str| {
        let folder = tempfile::tempdir().unwrap();
        let manifest = corpus::read(&corpus::root().join(lab.folder).join("Cargo.toml"));
        let manifest = manifest
            .replace("edition.workspace = true", "edition = \"2024\"")
            .replace("rust-version.workspace = true", "rust-version = \"1.88\"")
            .replace("license.workspace = true\n", "");
        fs::write(folder.path().join("Cargo.toml"), manifest + "\n[workspace]\n").unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        for given in lab.given {
            let path = format!("src/{given}.rs");
            let from = corpus::root().join(lab.folder).join(&path);
            fs::copy(from, folder.path().join(path)).unwrap();
        }
        fs::write(folder.path().join("src/main.rs"), source).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline"]).current_dir(folder.path());
        cargo.env_remove("CARGO_TARGET_DIR").stdin(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        cargo.status().unwrap();
        began.elapsed()
    };
    let all = class.iter().flat_map(|one| &one.sources);
    all.map(|(lab, source)| *known.entry((lab.name, source)).or_insert_with(|| build(lab, source)))
        .sum()
}

fn points(record: &Json) -> (u64, u64) {
    let number = |name| record.get(name).and_then(Json::as_u64).unwrap();
    (number("score"), number("max_score"))
}

/// A class that has handed in, and where its results go.
struct HandedIn {
    folder: TempDir,
    /// The labs that count.
    labs: String,
    class: Vec<Submission>,
}

impl HandedIn {
    fn new(class: Vec<Submission>, labs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for one in &class {
            for (lab, source) in &one.sources {
                let path = folder.path().join("in").join(&one.name).join(lab.folder);
                fs::create_dir_all(path.join("src")).unwrap();
                fs::write(path.join("src/main.rs"), source).unwrap();
            }
        }
        Self { folder, labs: labs.to_owned(), class }
    }

    /// A command that grades them in this order, into a folder of this name.
    fn grade<'s>(&self, class: impl Iterator<Item = &'s Submission>, out: &str) -> Command {
        let at = |path: &str| self.folder.path().join(path);
        let mut command = lab(corpus::root());
        command.arg("grade").args(class.map(|one| at("in").join(&one.name)));
        command.arg("--out").arg(at(out)).args(["--labs", &self.labs]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn record(&self, out: &str, name: &str) -> PathBuf {
        self.folder.path().join(out).join("records").join(format!("{name}.json"))
    }

    /// The lines of a gradebook, which has no times in it: of those who earn the same each time.
    fn gradebook(&self, out: &str) -> BTreeSet<String> {
        let file = self.folder.path().join(out).join("gradebook.csv");
        let races: Vec<_> = self.class.iter().filter(|one| !one.may_fail.is_empty()).collect();
        let is_steady =
            |line: &&str| !races.iter().any(|one| line.starts_with(&format!("{},", one.name)));
        corpus::read(&file).lines().filter(is_steady).map(str::to_owned).collect()
    }

    /// What each check came to, of each submission, where that is the same each time.
    fn outcomes(&self, out: &str) -> Vec<(String, String)> {
        let outcomes = |one: &Submission| -> Vec<_> {
            let record = Json::parse(&corpus::read(&self.record(out, &one.name))).unwrap();
            let checks = record.get("checks").and_then(Json::as_array).unwrap().iter();
            let text =
                |check: &Json, name| check.get(name).and_then(Json::as_str).unwrap().to_owned();
            let told = checks.map(|check| (text(check, "id"), text(check, "outcome")));
            let steady = told.filter(|(id, _)| !one.may_fail.contains(id));
            steady.map(|(id, outcome)| (format!("{} {id}", one.name), outcome)).collect()
        };
        self.class.iter().flat_map(outcomes).collect()
    }
}

/// Kills a run of the harness when there are so many records in this folder. Returns how many there are
/// then.
fn kill_in_the_middle(mut command: Command, records: &Path, enough: usize) -> usize {
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let count = || {
        let entries = fs::read_dir(records).into_iter().flatten();
        entries
            .filter(|entry| {
                entry.as_ref().unwrap().path().extension().is_some_and(|kind| kind == "json")
            })
            .count()
    };
    while count() < enough && run.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    count()
}

#[test]
fn a_generated_class_gets_the_points_that_it_has_earned_however_it_is_graded() {
    let _turn = runs::turn();
    let variable = |name: &str| std::env::var(name).ok();
    let count = variable("LAB_CLASS").map_or(4, |count| count.parse().expect("a number"));
    let names = variable("LAB_CLASS_LABS").unwrap_or_else(|| "server".to_owned());
    let chosen: Vec<_> = names.split(',').map(|name| labs::lab(name).expect("a lab")).collect();
    let handed_in = HandedIn::new(class(count, &chosen), &names);
    let class = &handed_in.class;
    let mut command = handed_in.grade(class.iter(), "out");
    let began = Instant::now();
    let graded = command.output().unwrap();
    let elapsed = began.elapsed();
    let said = text(&graded);
    if said.contains("nothing is graded without isolation") {
        println!("skipped: this system refuses namespaces");
        return;
    }
    assert!(graded.status.success(), "{said}");
    for one in class {
        let record = handed_in.record("out", &one.name);
        let (score, most) = points(&Json::parse(&corpus::read(&record)).unwrap());
        let is_right = match one.kind {
            Kind::Solution => score == most,
            Kind::Empty | Kind::Broken => score == 0,
            // A mistake may be one that only meetings of programs show.
            Kind::Mistake | Kind::Mixture => score <= most,
            Kind::Begun | Kind::Attack => score < most,
        };
        assert!(is_right, "{}, {:?}: {score} of {most}", one.name, one.kind);
    }
    if variable("LAB_CLASS").is_some() {
        let bare = bare_compile_time(class);
        println!(
            "{count} submissions of {names}: graded in {:.1} s, built by cargo in {:.1} s, x{:.2}",
            elapsed.as_secs_f64(),
            bare.as_secs_f64(),
            elapsed.as_secs_f64() / bare.as_secs_f64()
        );
    }

    // In another order, one after the other; and killed in the middle, and started again.
    let mut backwards = handed_in.grade(class.iter().rev(), "backwards");
    let mut killed = handed_in.grade(class.iter(), "killed");
    let records = handed_in.folder.path().join("killed/records");
    let begun = handed_in.grade(class.iter(), "killed");
    let before = kill_in_the_middle(begun, &records, count.div_ceil(3));
    println!("killed when {before} of {count} had been judged");
    for (out, command) in
        [("backwards", backwards.args(["--jobs", "1"])), ("killed", killed.args(["--jobs", "2"]))]
    {
        let graded = command.output().unwrap();
        assert!(graded.status.success(), "{out}: {}", text(&graded));
        let (first, second) = (handed_in.outcomes("out"), handed_in.outcomes(out));
        for (one, other) in first.iter().zip(&second) {
            assert_eq!(one, other, "{out}");
        }
        assert_eq!(handed_in.gradebook("out"), handed_in.gradebook(out), "{out}");
        let known = format!("{before} of {count} had been judged before");
        assert_eq!(text(&graded).contains(&known), out == "killed", "{}", text(&graded));
    }
}
