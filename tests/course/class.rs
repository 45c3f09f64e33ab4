//! A class as it hands in: solutions, empty workspaces, mistakes, mixtures, attacks. What each earns is
//! known, and how long grading takes is compared with cargo, which only builds the same sources.
//!
//! `LAB_CLASS=100` makes a class of a hundred, in `LAB_CLASS_LABS=server,client`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sockets_lab::json::Json;
use sockets_lab::labs::{self, Lab};

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
}

/// So many, in these labs: always the same ones.
fn class(count: usize, labs: &[&'static Lab]) -> Vec<Submission> {
    let mistakes: Vec<Vec<Program>> = labs.iter().map(|lab| in_rust(lab)).collect();
    let attacks = corpus::files(&corpus::root().join("fixtures/attacks"));
    let attacks: Vec<_> =
        attacks.iter().filter(|file| file.extension().is_some_and(|kind| kind != "md")).collect();
    let submission = |number: usize| {
        let kind = KINDS[number % KINDS.len()];
        let source = |(place, lab): (usize, &&'static Lab)| {
            let mistake = || {
                let all = &mistakes[place];
                // A prime, so that neighbours do not have neighbouring mistakes.
                match &all[number * 37 % all.len()].source {
                    Source::Text(text) => text.clone(),
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
        Submission { name: format!("student-{number:03}"), kind, sources }
    };
    (0..count).map(submission).collect()
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

#[test]
fn a_generated_class_gets_the_points_that_it_has_earned() {
    let _turn = runs::turn();
    let variable = |name: &str| std::env::var(name).ok();
    let count = variable("LAB_CLASS").map_or(4, |count| count.parse().expect("a number"));
    let names = variable("LAB_CLASS_LABS").unwrap_or_else(|| "server".to_owned());
    let chosen: Vec<_> = names.split(',').map(|name| labs::lab(name).expect("a lab")).collect();
    let class = class(count, &chosen);
    let folder = tempfile::tempdir().unwrap();
    for one in &class {
        for (lab, source) in &one.sources {
            let path =
                folder.path().join("in").join(&one.name).join(lab.folder).join("src/main.rs");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, source).unwrap();
        }
    }
    let mut command = lab(corpus::root());
    command.arg("grade").arg(folder.path().join("in")).arg("--out").arg(folder.path().join("out"));
    let began = Instant::now();
    let graded = command.args(["--labs", &names]).output().unwrap();
    let elapsed = began.elapsed();
    let said = text(&graded);
    if said.contains("nothing is graded without isolation") {
        println!("skipped: this system refuses namespaces");
        return;
    }
    assert!(graded.status.success(), "{said}");
    for one in &class {
        let record = folder.path().join("out/records").join(format!("{}.json", one.name));
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
        let bare = bare_compile_time(&class);
        println!(
            "{count} submissions of {names}: graded in {:.1} s, built by cargo in {:.1} s, x{:.2}",
            elapsed.as_secs_f64(),
            bare.as_secs_f64(),
            elapsed.as_secs_f64() / bare.as_secs_f64()
        );
    }
}
