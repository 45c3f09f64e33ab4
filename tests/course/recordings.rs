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
        assert_eq!(sockets_lab::record::normalise(&text), text, "{}", file.display());
        for folder in ["/tmp/", "/root/", "/home/"] {
            assert!(!text.contains(folder), "{} has {folder}", file.display());
        }
    }
}
