//! The book shows nothing that was typed by hand: what the harness says of broken programs, its
//! board, its results and the system's errors stand in `book/recordings`, and are compared here.
//!
//! `UPDATE_GOLDEN=1 cargo test --test course book` writes them anew.

use std::fs;
use std::path::PathBuf;

use super::{builds, corpus, runs, stubs};

mod balance;
mod broken;
mod curl;
mod dig;
mod figures;
mod flood;
mod index;
mod mail;
mod screens;
mod swarm;
mod tables;
mod words;

/// The pages of the book: file and text.
fn pages() -> Vec<(PathBuf, String)> {
    let folder = corpus::root().join("book/src");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    pages.map(|file| (file.clone(), corpus::read(&file))).collect()
}

/// Compares a file below `book/recordings` with what it has to contain, or writes it. Says what
/// is wrong, if anything.
fn compare(name: &str, text: &str) -> Option<String> {
    let file = corpus::root().join("book/recordings").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let how = "UPDATE_GOLDEN=1 cargo test --test course book";
    (recorded != text).then(|| format!("book/recordings/{name} is not up to date ({how}):\n{text}"))
}
