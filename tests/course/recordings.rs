//! The book's recordings, made anew and compared: what it shows is what happens.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::corpus;
use super::runs::turn;

#[test]
fn recorded_anew_the_recordings_are_the_same() {
    let _turn = turn();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    let output = command.args(["record", "--check"]).current_dir(corpus::root()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("a network of their own") {
        println!("note: the recordings were not compared: {stderr}");
        return;
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let how = "if what is shown now is right: cargo run -- record";
    assert!(output.status.success(), "{stdout}{stderr}\n{how}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

#[test]
fn recordings_name_no_machine_and_no_strange_port() {
    for file in files(&corpus::root().join("book/recordings")) {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(sockets_lab::show::trace::normalise(&text), text, "{}", file.display());
        for folder in ["/tmp/", "/root/", "/home/"] {
            // A mailbox has a folder of this name, too: `bob/tmp/`.
            let begins = |(at, _)| !text[..at].ends_with(|it: char| it.is_ascii_alphanumeric());
            let is_there = text.match_indices(folder).any(begins);
            assert!(!is_there, "{} has {folder}", file.display());
        }
    }
}

/// What `lab trace` says of a check, and its exit status.
fn trace(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    let output = command.arg("trace").args(arguments).current_dir(corpus::root()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text + &String::from_utf8_lossy(&output.stderr), output.status.code())
}

#[test]
fn a_traced_check_ends_as_an_untraced_one() {
    let _turn = turn();
    for id in [
        "server/survives-a-reset",
        "client/both-at-once",
        "client/tells-of-a-reset",
        "peer/meets-in-a-mesh",
        "together/talks-in-turns",
    ] {
        let (text, status) = trace(&[id]);
        assert_eq!(status, Some(0), "{text}");
        assert!(!text.contains("\nnote: "), "{text}");
    }
}

#[test]
fn a_failed_check_can_be_traced() {
    let _turn = turn();
    let (text, status) = trace(&["server/echoes", "--program", "true {addr}"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("note: the check failed here: the server ended instead"), "{text}");
}

#[test]
fn what_can_not_be_traced_is_wrong_usage() {
    assert_eq!(trace(&["server/no-such-check"]).1, Some(2));
    assert_eq!(trace(&["echo", "--program", "true"]).1, Some(2));
}
