//! A submission that looks for a way to its judge, says what it has found, and ends.

use std::fs::{self, OpenOptions};
use std::path::Path;

fn main() {
    let mut tried = 0;
    let mut opens = |path: &Path| {
        tried += 1;
        OpenOptions::new().append(true).open(path).is_ok()
    };
    let found = |path: &Path| eprintln!("found a way: {}", path.display());
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // Other checks run this program, too. One that was being started at the first look, and is the
        // program at the second one, is no judge.
        let judges = || fs::read_to_string(entry.path().join("comm")).is_ok_and(|it| it == "lab\n");
        for name in ["mem", "fd/1"] {
            let path = entry.path().join(name);
            if judges() && opens(&path) && judges() {
                found(&path);
            }
        }
    }
    // The folder where it was built is its own; what it is judged with stands above.
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().filter(|folder| folder.ends_with("target")).last();
    let tree = target.and_then(Path::parent).unwrap();
    let conversations = fs::read_dir(tree.join("fixtures/03-peer/conversations")).unwrap();
    let files = conversations.flatten().map(|entry| entry.path());
    for file in files.chain([tree.join("labs/01-server/src/main.rs")]) {
        if opens(&file) {
            found(&file);
        }
    }
    if fs::write(tree.join("new"), "").is_ok() {
        eprintln!("found a way: {}", tree.display());
    }
    if std::env::var_os("AUTOGRADER").is_some() {
        eprintln!("found a way: the environment");
    }
    eprintln!("looked at its judge in {tried} ways");
}
