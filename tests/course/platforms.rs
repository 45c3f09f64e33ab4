//! What is made for a platform works as the platform runs it: Gradescope's autograder, and the files
//! for continuous integration and containers that the book hands out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sockets_lab::json::Json;
use sockets_lab::labs;
use sockets_lab::report::junit;
use sockets_lab::run::session::Record;
use sockets_lab::verdict::{Blocked, Outcome};
use tempfile::TempDir;

use super::counterparts::installed;
use super::workspace::{Workspace, files, lab, text};
use super::{corpus, runs, stubs};

/// A submission that listens, looks for a way to its judge, and tells what it has found.
const LOOKS_FOR_A_WAY: &str = include_str!("looks_for_a_way.rs");

/// What can be read in a zip file whose files are stored as they are.
fn unzip(archive: &[u8], to: &Path) {
    let number = |at: usize, bytes: usize| {
        archive[at..at + bytes].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let mut at = 0;
    while archive[at..].starts_with(b"PK\x03\x04") {
        let (length, name) = (number(at + 22, 4), number(at + 26, 2));
        let path = to.join(str::from_utf8(&archive[at + 30..at + 30 + name]).unwrap());
        let bytes = at + 30 + name;
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &archive[bytes..bytes + length]).unwrap();
        at = bytes + length;
    }
    assert!(archive[at..].starts_with(b"PK\x01\x02"), "a directory follows the files");
}

/// `/autograder`, as Gradescope lays it out.
struct Autograder {
    folder: TempDir,
}

impl Autograder {
    fn of(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Whoever a submission runs as has to get here, as in /autograder.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let zip = folder.path().join("autograder.zip");
        let mut command = lab(corpus::root());
        command.arg("gradescope-zip").arg(&zip).args(arguments);
        let made = command.output().unwrap();
        assert!(made.status.success(), "{}", text(&made));
        let autograder = Self { folder };
        unzip(&fs::read(&zip).unwrap(), &autograder.at("source"));
        // What setup.sh builds in the end.
        let built = autograder.at("source/course/target/debug/lab");
        fs::create_dir_all(built.parent().unwrap()).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_lab"), built).unwrap();
        autograder
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The points that a submission gets, of how many, and everything that is said of it; `None` where
    /// it can't be run in this way here.
    fn judge(&self, front: &[&str], path: &str, source: &str) -> Option<(f64, f64, String)> {
        for folder in ["submission", "results"] {
            let _ = fs::remove_dir_all(self.at(folder));
        }
        let file = self.at("submission").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::create_dir(self.at("results")).unwrap();
        fs::write(file, source).unwrap();
        let mut words = front.iter().copied().chain(["bash"]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(self.at("source/run_autograder"));
        command.env("AUTOGRADER", self.folder.path()).env_remove("CARGO_TARGET_DIR");
        let output = command.current_dir("/").stdin(Stdio::null()).output().unwrap();
        if output.status.code() == Some(77) {
            println!("skipped: only root can have a container without namespaces here");
            return None;
        }
        let result = fs::read_to_string(self.at("results/results.json"));
        let result = result.unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
        let result = Json::parse(&result).unwrap();
        let tests = result.get("tests").and_then(Json::as_array).unwrap_or_default();
        let sum = |name: &str| -> f64 {
            tests.iter().filter_map(|test| test.get(name).and_then(Json::as_f64)).sum()
        };
        Some((sum("score"), sum("max_score"), result.to_string() + &text(&output)))
    }
}

#[test]
fn an_autograder_holds_a_workspace_and_the_scripts_and_no_solution() {
    let autograder = Autograder::of(&["--labs", "server"]);
    let zip = autograder.at("autograder.zip");
    for (tool, arguments) in [("unzip", &["-t"][..]), ("python3", &["-m", "zipfile", "-t"])] {
        if installed(tool) {
            let tested = Command::new(tool).args(arguments).arg(&zip).output().unwrap();
            let said = text(&tested);
            assert!(tested.status.success() && !said.contains("corrupt"), "{said}");
        } else {
            println!("skipped: {tool} is not installed");
        }
    }
    let workspace = Workspace::start();
    let source = files(&autograder.at("source"));
    let mut others = Vec::new();
    for (path, bytes) in &source {
        match path.strip_prefix("course/") {
            Some(path) if path.starts_with("target/") || path == ".lab/given" => {}
            Some(path) => assert!(
                fs::read(workspace.root.join(path)).is_ok_and(|given| given == *bytes),
                "{path} is not as a student gets it"
            ),
            None => others.push(path.as_str()),
        }
    }
    assert_eq!(others, ["options", "run_autograder", "setup.sh"]);
    for script in ["setup.sh", "run_autograder"] {
        let path = autograder.at("source").join(script);
        let read = Command::new("bash").arg("-n").arg(path).output().unwrap();
        assert!(read.status.success(), "{}", text(&read));
    }
}

#[test]
fn an_autograder_judges_as_gradescope_runs_it() {
    let _turn = runs::turn();
    let server = labs::lab("server").unwrap();
    let solution = corpus::solution(server);
    let scheme = tempfile::NamedTempFile::new().unwrap();
    fs::write(scheme.path(), "server 20\nserver/3 0\n").unwrap();
    let autograder = Autograder::of(&["--scheme", scheme.path().to_str().unwrap()]);
    let (score, most, said) = autograder.judge(&[], "main.rs", &solution).unwrap();
    if said.contains("could not be judged") && said.contains("only root can judge") {
        println!("skipped: neither namespaces nor another account: {said}");
        return;
    }
    assert!((most - 20.0).abs() < 0.01 && (score - most).abs() < 0.01, "{score} of {most}: {said}");
    // The first step alone: its points, as the scheme counts them.
    let points = |step: u8| -> u32 {
        let checks = server.checks().filter(|check| check.step == step);
        checks.map(|check| check.points).sum()
    };
    let expected = 20.0 * f64::from(points(1)) / f64::from(points(1) + points(2));
    let partly = stubs::written_up_to(server, 1);
    let path = "my sockets/labs/01-server/src/main.rs";
    let (score, _, said) = autograder.judge(&[], path, &partly).unwrap();
    assert!((score - expected).abs() < 0.01, "{score}, not {expected}: {said}");
}

#[test]
fn where_namespaces_are_refused_a_submission_is_judged_as_nobody() {
    let _turn = runs::turn();
    let autograder = Autograder::of(&["--labs", "server"]);
    let front = corpus::root().join("tests/course/container.sh");
    let front = [front.to_str().unwrap()];
    let server = labs::lab("server").unwrap();
    let judge = |source: &str| autograder.judge(&front, "01-server/src/main.rs", source);
    let Some((score, most, said)) = judge(&corpus::solution(server)) else { return };
    let all: u32 = server.checks().map(|check| check.points).sum();
    assert!((most - f64::from(all)).abs() < 0.01, "{most}: {said}");
    // Some check may be skipped in such a container, and none may fail.
    assert!(
        said.contains("NOT ISOLATED") && said.contains("nobody, in the system's own network"),
        "{said}"
    );
    assert!(score > 0.9 * most && !said.contains("\"FAIL") && !said.contains("FAULT"), "{said}");

    let (score, _, said) = judge("fn main( {\n").unwrap();
    assert!(score == 0.0 && said.contains("does not build"), "{said}");

    let (score, _, said) = judge(LOOKS_FOR_A_WAY).unwrap();
    assert!(score == 0.0 && said.contains("looked at its judge"), "{said}");
    assert!(!said.contains("found a way"), "{said}");
}

#[test]
fn junit_xml_is_what_its_readers_agree_on() {
    if !installed("xmllint") {
        println!("skipped: xmllint (of libxml2-utils) is not installed");
        return;
    }
    let outcomes = [
        Outcome::Pass,
        Outcome::Skipped("no <proc>".into()),
        Outcome::Blocked(Blocked::Step(2)),
        Outcome::Fault("out of \"ports\" \u{1}".into()),
    ];
    let record = |(check, outcome)| Record {
        check,
        outcome,
        elapsed: Duration::from_millis(1234),
        programs: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.xml");
    let schema = corpus::root().join("tests/course/junit.xsd");
    let validate = |document: &str| {
        fs::write(&file, document).unwrap();
        let mut xmllint = Command::new("xmllint");
        let read = xmllint.args(["--noout", "--schema"]).arg(&schema).arg(&file).output().unwrap();
        (read.status.success(), text(&read))
    };
    let document = junit::render(&labs::checks().zip(outcomes).map(record).collect::<Vec<_>>());
    let (is_valid, said) = validate(&document);
    assert!(is_valid, "{said}");
    let recorded = corpus::root().join("book/recordings/harness/result.xml");
    let (is_valid, said) = validate(&corpus::read(&recorded));
    assert!(is_valid, "{said}");
    // And the schema does say no.
    assert!(!validate(&document.replace("classname=", "class=")).0);
}

/// The commands of the instructors' page that begin like this, for a shell in the course.
fn recipe(begins: &str) -> String {
    let page = corpus::read(&corpus::root().join("book/src/instructors.md"));
    let line = page.lines().find(|line| line.starts_with(begins));
    line.unwrap_or_else(|| panic!("the page has no command `{begins}`")).to_owned()
}

#[test]
fn the_script_for_classroom_50_leaves_a_result_and_says_that_it_graded() {
    let _turn = runs::turn();
    if !installed("python3") {
        println!("skipped: python3 is not installed");
        return;
    }
    let workspace = grading(&[("ann", "fn main( {}\n")]);
    let folder = workspace.root.parent().unwrap();
    std::os::unix::fs::symlink(&workspace.root, folder.join("course")).unwrap();
    let script = handed_out("autograder.py").replace("server,client", "server");
    fs::write(folder.join("autograder.py"), script).unwrap();
    // The harness is built, and the machine's settings are not ours to change.
    for tool in ["cargo", "sudo"] {
        fs::write(folder.join(tool), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let submission = workspace.root.join("handed-in/ann");
    let mut python = Command::new("python3");
    python.arg(folder.join("autograder.py")).current_dir(&submission).env("PATH", path);
    for variable in ["CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"] {
        python.env(variable, "x");
    }
    let graded = python.env_remove("CARGO_TARGET_DIR").output().unwrap();
    let said = text(&graded);
    if said.contains("nothing is graded without isolation") {
        println!("skipped: this system refuses namespaces");
        return;
    }
    assert_eq!(graded.status.code(), Some(0), "{said}");
    let result = Json::parse(&corpus::read(&submission.join("result.json"))).unwrap();
    let number = |name| result.get(name).and_then(Json::as_u64);
    let all: u32 = labs::lab("server").unwrap().checks().map(|check| check.points).sum();
    assert_eq!((number("score"), number("max-score")), (Some(0), Some(all.into())));
    let schema = result.get("schema").and_then(Json::as_str);
    assert_eq!(schema, Some("classroom50/result/v1"));
}

#[test]
fn gnu_parallel_grades_a_class_in_parts() {
    let _turn = runs::turn();
    let version = Command::new("parallel").arg("--version").stdin(Stdio::null()).output();
    if !version.is_ok_and(|output| text(&output).starts_with("GNU parallel")) {
        println!("skipped: GNU parallel is not installed");
        return;
    }
    let workspace = grading(&[("ann", "fn main( {}\n"), ("eve", "")]);
    for begins in ["parallel cargo run", "cargo run -- gradebook parts"] {
        let command = recipe(begins).replace("HANDED_IN", "handed-in");
        let command = command.replace("--labs server,client", "--labs server");
        let command = command.replace("cargo run -q --", "target/debug/lab");
        let command = command.replace("cargo run --", "target/debug/lab");
        let mut bash = Command::new("bash");
        bash.args(["-c", &command]).current_dir(&workspace.root).env_remove("CARGO_TARGET_DIR");
        // Where it keeps what it has learnt of the machine.
        bash.env("PARALLEL_HOME", &workspace.root).stdin(Stdio::null());
        let output = bash.output().unwrap();
        let said = text(&output);
        if said.contains("nothing is graded without isolation") {
            println!("skipped: this system refuses namespaces");
            return;
        }
        assert!(output.status.success(), "{command}: {said}");
    }
    let gradebook = fs::read_to_string(workspace.root.join("results/gradebook.csv")).unwrap();
    assert!(gradebook.contains("\nann,0,") && gradebook.contains("\neve,0,"), "{gradebook}");
    // Nobody is in the third part, and that is no mistake.
    let records = |part: &str| {
        let folder = workspace.root.join("parts").join(part).join("records");
        fs::read_dir(folder).unwrap().count()
    };
    assert_eq!(["1", "2", "3"].map(records), [1, 1, 0]);
}

/// A workspace that grades, with its harness built, and what these people have handed in.
fn grading(class: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::start();
    let at = |path: &str| workspace.root.join(path);
    fs::create_dir_all(at("target/debug")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_lab"), at("target/debug/lab")).unwrap();
    for (name, source) in class {
        fs::create_dir_all(at("handed-in").join(name)).unwrap();
        fs::write(at("handed-in").join(name).join("server.rs"), source).unwrap();
    }
    // Also for somebody without rights.
    let above = workspace.root.parent().unwrap();
    fs::set_permissions(above, fs::Permissions::from_mode(0o755)).unwrap();
    workspace
}

fn handed_out(name: &str) -> String {
    corpus::read(&corpus::root().join("book/src/grading").join(name))
}

/// The commands of a file for continuous integration in which the harness runs.
fn commands_in(file: &str) -> Vec<String> {
    let lines = file.lines().map(|line| line.trim().trim_start_matches("- "));
    let lines = lines.map(|line| line.trim_start_matches("run: "));
    lines.filter(|line| line.starts_with("target/debug/lab ")).map(str::to_owned).collect()
}

#[test]
fn what_grades_in_continuous_integration_makes_one_gradebook_of_the_parts() {
    let _turn = runs::turn();
    let [gitlab, github] = ["gitlab-ci.yml", "github-actions.yml"].map(|name| {
        let mut python = Command::new("python3");
        python.args(["-c", "import sys, yaml; yaml.safe_load(open(sys.argv[1]))"]);
        python.arg(corpus::root().join("book/src/grading").join(name));
        match python.output() {
            Ok(read) if !text(&read).contains("No module named") => {
                assert!(read.status.success(), "{name}: {}", text(&read));
            }
            _ => println!("skipped: there is no python3 here that reads YAML"),
        }
        commands_in(&handed_out(name))
    });
    // They differ in what the platforms call a part, and in who may become somebody else.
    let alike = |command: &String| {
        let command = command.replace("$CI_NODE_INDEX/$CI_NODE_TOTAL", "$PART/$PARTS");
        command.replace(" --user nobody", "")
    };
    assert_eq!(gitlab.iter().map(alike).collect::<Vec<_>>(), github);
    let [grade, gradebook] = gitlab.as_slice() else { panic!("{gitlab:?}") };
    let workspace = grading(&[("ann", "fn main( {}\n"), ("eve", "")]);
    let run = |command: &str, part: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-c", command]).current_dir(&workspace.root).env("LABS", "server");
        bash.env("CI_NODE_INDEX", part).env("CI_NODE_TOTAL", "2").env_remove("CARGO_TARGET_DIR");
        bash.output().unwrap()
    };
    for part in ["1", "2"] {
        let graded = run(grade, part);
        let said = text(&graded);
        if said.contains("only root can judge") {
            println!("skipped: neither namespaces nor another account: {said}");
            return;
        }
        assert!(graded.status.success(), "{said}");
    }
    let merged = run(gradebook, "");
    assert!(merged.status.success(), "{}", text(&merged));
    let gradebook = fs::read_to_string(workspace.root.join("results/gradebook.csv")).unwrap();
    assert!(gradebook.contains("\nann,0,") && gradebook.contains("\neve,0,"), "{gradebook}");
}

#[test]
fn the_container_s_command_grades_where_namespaces_are_refused_and_says_so() {
    let _turn = runs::turn();
    let file = handed_out("Dockerfile");
    let command = file.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).unwrap();
    let command = Json::parse(command).unwrap();
    let workspace = grading(&[("bob", "fn main() {}\n")]);
    let words = command.as_array().unwrap().iter().map(|word| match word.as_str().unwrap() {
        "/in" => "handed-in",
        "/out" => "results",
        word => word,
    });
    let mut container = Command::new(corpus::root().join("tests/course/container.sh"));
    container.args(words).args(["--labs", "server"]).current_dir(&workspace.root);
    let graded = container.env_remove("CARGO_TARGET_DIR").output().unwrap();
    if graded.status.code() == Some(77) {
        println!("skipped: only root can have a container without namespaces here");
        return;
    }
    assert!(graded.status.success(), "{}", text(&graded));
    let record = fs::read_to_string(workspace.root.join("results/records/bob.json")).unwrap();
    let record = Json::parse(&record).unwrap();
    assert_eq!(record.get("isolated").and_then(Json::as_bool), Some(false));
    let feedback = fs::read_to_string(workspace.root.join("results/feedback/bob.md")).unwrap();
    assert!(feedback.contains("NOT ISOLATED") && feedback.contains("nobody"), "{feedback}");
}
