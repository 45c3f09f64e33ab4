//! What a workspace brings along besides the labs: a manifest that needs no network, and a file
//! for continuous integration.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sockets_lab::json::Json;
use sockets_lab::labs::{self, LABS};

use super::workspace::{Workspace, text};

/// A program of the workspace's folder, with the command line that these tests were built with.
fn run(workspace: &Workspace, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&workspace.root).env_remove("CARGO_TARGET_DIR");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

#[test]
fn cargo_reads_a_workspace_at_once_with_an_empty_home_and_no_network() {
    let (workspace, home) = (Workspace::start(), tempfile::tempdir().unwrap());
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1"]).current_dir(&workspace.root);
    cargo.env("CARGO_HOME", home.path()).env("CARGO_NET_OFFLINE", "true");
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let read = Json::parse(&String::from_utf8_lossy(&output.stdout)).unwrap();
    let packages = read.get("packages").and_then(Json::as_array).unwrap();
    assert_eq!(
        packages.len(),
        3 + LABS.len(),
        "the harness, what reads the kernel, what hashes, and the labs"
    );
    for package in packages {
        let mut needed = package.get("dependencies").and_then(Json::as_array).unwrap().iter();
        // What comes from a folder of the workspace has no source.
        assert!(needed.all(|it| it.get("source") == Some(&Json::Null)), "{package}");
    }
}

/// The targets that `cargo test` runs there: the graded labs, and nothing of the harness.
#[test]
fn cargo_test_in_a_workspace_runs_the_labs_checks_alone() {
    let workspace = Workspace::start();
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = run(&workspace, env!("CARGO"), &arguments);
    let read = Json::parse(&String::from_utf8_lossy(&output.stdout)).unwrap();
    let packages = read.get("packages").and_then(Json::as_array).unwrap();
    let word = |of: &Json, name| of.get(name).and_then(Json::as_str).unwrap_or("").to_owned();
    let harness = packages.iter().find(|package| word(package, "name") == "sockets-lab").unwrap();
    let targets = harness.get("targets").and_then(Json::as_array).unwrap();
    let tested = targets.iter().filter(|t| t.get("test").and_then(Json::as_bool) == Some(true));
    let mut tested: Vec<_> = tested.map(|target| word(target, "name")).collect();
    let mut graded: Vec<_> = labs::parts().map(|lab| lab.name.to_owned()).collect();
    tested.sort();
    graded.sort();
    assert_eq!(tested, graded);
}

#[test]
fn the_pushes_of_a_workspace_check_the_labs_that_were_begun() {
    let workspace = Workspace::start();
    let begun = || text(&run(&workspace, ".github/begun", &[])).trim_end().to_owned();
    assert_eq!(begun(), "[]");
    let mut names = Vec::new();
    for lab in LABS {
        workspace.write_steps(lab, 1);
        names.push(format!("\"{}\"", lab.name));
        assert_eq!(begun(), format!("[{}]", names.join(",")), "{}", lab.name);
    }
    for lab in LABS {
        workspace.write_steps(lab, lab.steps.len());
    }
    assert_eq!(begun(), format!("[{},\"together\"]", names.join(",")));
}

/// A lab's job, with `cargo` that is the command line of these tests: building it again takes long.
#[test]
fn a_pushed_lab_s_board_is_in_the_summary_and_its_record_in_a_file() {
    let workspace = Workspace::start();
    workspace.write_steps(&LABS[0], LABS[0].steps.len());
    let (bin, summary) = (workspace.root.join("bin"), workspace.root.join("summary.md"));
    fs::create_dir(&bin).unwrap();
    let real = Path::new(env!("CARGO")).parent().unwrap().display().to_string();
    let lab = env!("CARGO_BIN_EXE_lab");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = lab ]; then shift; exec '{lab}' \"$@\"; fi\nexec '{real}/cargo' \"$@\"\n"
    );
    fs::write(bin.join("cargo"), script).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(bin.join("cargo")).status().unwrap().success());
    for (name, status, board) in [("server", 0, "1  server "), ("client", 1, "2  client ")] {
        let mut job = Command::new("./.github/check");
        job.arg(name).current_dir(&workspace.root).env_remove("CARGO_TARGET_DIR");
        // What the lab is worth is other tests' matter, on a machine that has time.
        job.env("PATH", &path).env("GITHUB_STEP_SUMMARY", &summary).env("LAB_PATIENCE", "30");
        let output = job.output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", text(&output));
        let shown = fs::read_to_string(&summary).unwrap();
        assert!(shown.starts_with("```text\n") && shown.contains(board), "{shown}");
        let record = fs::read_to_string(workspace.root.join(format!("record-{name}.json")));
        let record = Json::parse(&record.unwrap()).unwrap();
        let labs = record.get("labs").and_then(Json::as_array).unwrap();
        assert_eq!(labs[0].get("lab").and_then(Json::as_str), Some(name));
    }
}
