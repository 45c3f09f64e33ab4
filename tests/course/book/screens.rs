//! What a student sees in the first minutes, for the page that a reader begins with.

use std::path::Path;

use super::compare;
use crate::corpus;
use crate::workspace::{lab, text};

/// What the command line says in a folder.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = lab(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

#[test]
fn the_screens_in_the_book_are_real_ones() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("my-sockets");
    let begun = said(corpus::root(), &["start", root.to_str().unwrap()]);
    let begun = begun.replace(folder.path().to_str().unwrap(), "..");
    let screens = [
        ("start", begun),
        ("hint", said(&root, &["hint", "server/1"])),
        ("list", said(&root, &["list"])),
    ];
    let wrong =
        screens.iter().filter_map(|(name, text)| compare(&format!("screens/{name}.txt"), text));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
