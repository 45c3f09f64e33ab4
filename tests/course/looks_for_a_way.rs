//! A submission that looks for a way to its judge, says what it has found, and ends.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

fn main() {
    let mut tried = 0;
    let mut look = |path: PathBuf| {
        tried += 1;
        if OpenOptions::new().append(true).open(&path).is_ok() {
            eprintln!("found a way: {}", path.display());
        }
    };
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // Other checks run this program, too.
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if name.trim() == "lab" {
            look(entry.path().join("mem"));
            look(entry.path().join("fd/1"));
        }
    }
    // The folder where it was built is its own; what it is judged with stands above.
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().filter(|folder| folder.ends_with("target")).last();
    let tree = target.and_then(Path::parent).unwrap();
    let conversations = fs::read_dir(tree.join("fixtures/03-peer/conversations")).unwrap();
    conversations.flatten().for_each(|entry| look(entry.path()));
    look(tree.join("labs/01-server/src/main.rs"));
    if fs::write(tree.join("new"), "").is_ok() {
        eprintln!("found a way: {}", tree.display());
    }
    if std::env::var_os("AUTOGRADER").is_some() {
        eprintln!("found a way: the environment");
    }
    eprintln!("looked at its judge in {tried} ways");
}
