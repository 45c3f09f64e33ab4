//! A workspace holds all that a student needs and no solution, is made whole or not at all, and
//! scores what is written in it.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sockets_lab::json::Json;
use sockets_lab::labs::{LABS, Lab};
use sockets_lab::workspace::contents::{self, source_of};
use sockets_lab::workspace::hints;
use sockets_lab::{labs, region};
use tempfile::TempDir;

use super::{corpus, stubs};

/// A workspace in a folder that goes with it. Its path has a space and an umlaut.
pub(crate) struct Workspace {
    _folder: TempDir,
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Has the command line make one.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("my söckets");
        let output = lab(corpus::root()).arg("start").arg(&root).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        Self { _folder: folder, root }
    }

    /// Puts solutions into the first steps of a lab.
    pub(crate) fn write_steps(&self, lab: &Lab, count: usize) {
        fs::write(source_of(&self.root, lab), self.with_steps(lab, count)).unwrap();
    }

    /// The lab's source with solutions in the first steps.
    fn with_steps(&self, lab: &Lab, count: usize) -> String {
        let solution = corpus::solution(lab);
        let mut source = corpus::read(&source_of(&self.root, lab));
        for region in region::parse(&solution).unwrap().into_iter().take(count) {
            source = region::replace(&source, &region.name, &solution[region.body]).unwrap();
        }
        source
    }

    /// Has everything checked. Returns each check's record.
    fn records(&self) -> Vec<Json> {
        let output = lab(&self.root).args(["check", "--json"]).output().unwrap();
        let document = Json::parse(&String::from_utf8_lossy(&output.stdout))
            .unwrap_or_else(|error| panic!("{error}\n{}", text(&output)));
        document.get("checks").and_then(Json::as_array).unwrap().to_vec()
    }
}

/// The command line, in a folder. It builds there, too, and not where these tests were built.
pub(crate) fn lab(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.current_dir(folder).env_remove("CARGO_TARGET_DIR").env("NO_COLOR", "1");
    command.env_remove("RUST_BACKTRACE").stdin(std::process::Stdio::null());
    command
}

/// What a person reads.
pub(crate) fn text(output: &Output) -> String {
    let part = |bytes| String::from_utf8_lossy(bytes).into_owned();
    part(&output.stdout) + &part(&output.stderr)
}

/// All files below a folder with what they hold, by path from there.
pub(crate) fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The files that a workspace is made of, in a new folder: a course without git.
pub(crate) fn unpacked_course() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for path in contents::paths(corpus::root()).unwrap() {
        let to = copy.path().join(&path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(corpus::root().join(&path), to).unwrap();
    }
    copy
}

fn outcome(record: &Json) -> Option<&str> {
    record.get("outcome").and_then(Json::as_str)
}

/// All that is known of what went wrong.
fn told(records: &[Json]) -> String {
    records.iter().map(Json::pretty).collect()
}

#[test]
fn an_empty_workspace_scores_nothing_and_every_check_names_the_step_to_write() {
    let workspace = Workspace::start();
    let mut records = workspace.records();
    assert_eq!(records.len(), labs::checks().count());
    // Programs that meet wait for a step of one of theirs.
    let step = |record: &Json| {
        let own = record.get("waits_for_step").and_then(Json::as_u64);
        own.or_else(|| record.get("waits_for")?.get("step")?.as_u64())
    };
    records.retain(|record| outcome(record) != Some("blocked") || step(record).is_none());
    assert!(records.is_empty(), "{}", told(&records));
}

#[test]
fn a_workspace_with_the_solutions_scores_full_marks() {
    let workspace = Workspace::start();
    for lab in LABS {
        workspace.write_steps(lab, lab.steps.len());
    }
    let mut records = workspace.records();
    records.retain(|record| !matches!(outcome(record), Some("pass" | "skipped")));
    assert!(records.is_empty(), "{}", told(&records));
}

/// `stubs` proves what these sources score.
#[test]
fn a_workspace_s_labs_are_the_course_s_with_stubs_whatever_is_written() {
    let workspace = Workspace::start();
    for lab in LABS {
        for count in 0..=lab.steps.len() {
            let expected = stubs::written_up_to(lab, count as u8);
            assert_eq!(workspace.with_steps(lab, count), expected, "{} {count}", lab.name);
        }
    }
}

/// Lines of solutions that every program with sockets has, and that give nothing away.
const COMMON: [&str; 7] = [
    "Err(error) => Err(error),",
    "TcpListener::bind(address)",
    "TcpStream::connect(address)",
    "let mut lines = Vec::new();",
    "match listener.accept() {",
    "thread::sleep(PAUSE);",
    "thread::spawn(move || {",
];

/// The lines of the solutions that are long enough to give something away.
fn solution_lines() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for source in LABS.iter().map(corpus::solution) {
        for region in region::parse(&source).unwrap() {
            lines.extend(source[region.body].lines().map(|line| line.trim().to_owned()));
        }
    }
    lines.retain(|line| line.len() > 20);
    lines
}

/// Those of these lines that stand somewhere in a text. They are looked up by how they begin: a
/// workspace has millions of bytes.
struct Wanted<'a>(HashMap<[u8; 16], Vec<&'a str>>);

impl<'a> Wanted<'a> {
    fn new(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        for line in lines {
            let start = *line.as_bytes().first_chunk().expect("a line of more than 20 bytes");
            by_start.entry(start).or_default().push(line);
        }
        Self(by_start)
    }

    fn within(&self, text: &[u8]) -> BTreeSet<&'a str> {
        let places = (0..text.len()).map(|at| &text[at..]);
        let begun = |rest: &&[u8]| !rest[0].is_ascii_whitespace();
        let found = places.filter(begun).flat_map(|rest| {
            let same = rest.first_chunk().and_then(|start| self.0.get(start));
            let lines = same.into_iter().flatten();
            lines.filter(move |line| rest.starts_with(line.as_bytes())).copied()
        });
        found.collect()
    }
}

#[test]
fn no_line_of_a_solution_is_anywhere_in_a_workspace() {
    let workspace = Workspace::start();
    let lines = solution_lines();
    let wanted = Wanted::new(lines.iter().map(String::as_str));
    let mut common = BTreeSet::new();
    let mut found = Vec::new();
    for (path, bytes) in files(&workspace.root) {
        // Stubs and what is given: the test above compares these with what they should be.
        if contents::lab_of_source(&path).is_some() {
            continue;
        }
        for line in wanted.within(&bytes) {
            if COMMON.contains(&line) {
                common.insert(line);
            } else {
                found.push(format!("{path}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "say it in other words there:\n{}", found.join("\n"));
    assert_eq!(common, BTreeSet::from(COMMON), "COMMON has lines that are not needed");
}

#[test]
fn a_workspace_has_no_course_tests_and_no_corpus() {
    let workspace = Workspace::start();
    for path in [
        "tests/course",
        "fixtures/01-server/mistakes",
        "fixtures/03-peer/right",
        "fixtures/workspace",
        ".ci",
    ] {
        assert!(corpus::root().join(path).exists(), "{path}");
        assert!(!workspace.root.join(path).exists(), "{path}");
    }
    for path in ["README.md", ".gitignore", ".github/workflows/labs.yml", ".cargo/config.toml"] {
        assert!(workspace.root.join(path).is_file(), "{path}");
    }
}

#[test]
fn every_file_of_the_course_has_a_rule() {
    let git = Command::new("git").args(["ls-files", "-z"]).current_dir(corpus::root()).output();
    let Some(git) = git.ok().filter(|output| output.status.success()) else {
        println!("note: this is no clone: nobody knows which files are the course's");
        return;
    };
    let all = String::from_utf8(git.stdout).unwrap();
    for path in all.split_terminator('\0') {
        let rule = contents::rule(path);
        assert!(rule.is_some(), "does {path} go into a workspace? Say so in contents.rs");
    }
}

#[test]
fn a_course_without_git_makes_the_same_workspace() {
    let (copy, folder) = (unpacked_course(), tempfile::tempdir().unwrap());
    let root = folder.path().join("w");
    let output = lab(copy.path()).arg("start").arg(&root).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(files(&root) == files(&Workspace::start().root));
}

#[test]
fn what_nobody_knows_is_not_copied() {
    let (copy, folder) = (unpacked_course(), tempfile::tempdir().unwrap());
    for path in ["solutions/a.rs", "notes.txt", "labs/01-server/src/mine.rs", "fixtures/new/a"] {
        let path = copy.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "TcpListener::bind").unwrap();
    }
    let root = folder.path().join("w");
    let output = lab(copy.path()).arg("start").arg(&root).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(files(&root) == files(&Workspace::start().root));
}

/// Expects that no workspace is made, for a reason that says what to do, and that nothing is
/// left of it.
fn refused(course: &Path, dir: &Path, status: i32, words: &str) {
    let above = dir.parent().unwrap();
    let before = above.is_dir().then(|| files(above));
    let output = lab(course).arg("start").arg(dir).output().unwrap();
    assert_eq!(output.status.code(), Some(status), "{}", text(&output));
    assert!(text(&output).contains(words), "{words:?} is not in:\n{}", text(&output));
    assert!(above.is_dir().then(|| files(above)) == before, "something was changed");
}

#[test]
fn a_place_that_is_taken_or_within_the_course_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = |name: &str| folder.path().join(name);
    fs::create_dir(here("mine")).unwrap();
    fs::write(here("mine/work"), b"\xff\r\n").unwrap();
    let course = corpus::root();
    refused(course, &here("mine"), 2, "is not empty: name a new folder");
    refused(course, &here("mine/work"), 2, "is a file: name a new folder");
    refused(course, &here("nowhere/w"), 2, "make that first");
    // As a whole these folders are too large to be compared.
    for dir in ["labs/w", "./harness/../w"] {
        let output = lab(course).args(["start", dir]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("inside the course"), "{}", text(&output));
        assert!(!course.join(dir).exists());
    }
}

#[test]
fn an_empty_folder_is_as_good_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = lab(corpus::root()).arg("start").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(files(folder.path()) == files(&Workspace::start().root));
}

#[test]
fn a_workspace_makes_no_workspace() {
    let workspace = Workspace::start();
    let dir = workspace.root.with_file_name("second");
    let output = lab(&workspace.root).arg("start").arg(&dir).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("not the course but a workspace"), "{}", text(&output));
    assert!(!dir.exists());
}

#[test]
fn marks_out_of_order_make_no_workspace() {
    for (from, to, words) in [
        (
            "    // ANCHOR_END: listen\n",
            "",
            "the region `accept_loop` begins inside the region `listen`",
        ),
        ("// ANCHOR: serve", "// ANCHOR: sevre", "the region `serve` ends without having begun"),
        ("// ANCHOR_END: serve", "// an end", "the region `serve` does not end"),
    ] {
        let (copy, folder) = (unpacked_course(), tempfile::tempdir().unwrap());
        let source = copy.path().join("labs/01-server/src/main.rs");
        fs::write(&source, corpus::read(&source).replacen(from, to, 1)).unwrap();
        let dir = folder.path().join("w");
        refused(copy.path(), &dir, 2, "labs/01-server/src/main.rs: line ");
        refused(copy.path(), &dir, 2, words);
    }
}

#[test]
fn a_stub_that_is_missing_makes_no_workspace() {
    let (copy, folder) = (unpacked_course(), tempfile::tempdir().unwrap());
    fs::remove_file(copy.path().join("fixtures/02-client/stubs/send.rs")).unwrap();
    refused(copy.path(), &folder.path().join("w"), 3, "fixtures/02-client/stubs/send.rs");
}

#[test]
fn every_step_has_hints_and_the_last_one_names_what_std_has_for_it() {
    for lab in LABS {
        for step in lab.steps {
            let hints = hints::of(corpus::root(), lab, step).unwrap();
            assert!(hints[0].contains('?'), "{}: {}", step.name, hints[0]);
            assert!(!hints[0].contains("::"), "{}: {}", step.name, hints[0]);
            assert!(hints[2].contains("`std::"), "{}: {}", step.name, hints[2]);
        }
    }
}

/// Cargo knows packages by their place in their workspace: with a target folder for all of them
/// (`build.target-dir`) it takes the course's server for the student's.
#[test]
fn a_shared_target_folder_does_not_pass_the_solution_off_as_the_student_s() {
    let (workspace, target) = (Workspace::start(), tempfile::tempdir().unwrap());
    for (folder, status) in [(corpus::root(), 0), (&workspace.root, 1)] {
        let mut check = lab(folder);
        check.args(["check", "server/echoes"]).env("CARGO_TARGET_DIR", target.path());
        let output = check.output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", text(&output));
    }
}
