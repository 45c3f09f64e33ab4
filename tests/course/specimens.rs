//! Trials of a small program that is right or wrong in one way at a time: see `specimen.rs`.

use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::sync::OnceLock;

use sockets_lab::program::{Given, Place, Stdin, Template};
use sockets_lab::trial::{Addresses, Needs, Running, Stop, Trial, Verdict};
use sockets_lab::verdict::Failure;
use tempfile::TempDir;

/// The specimen's program, built once.
fn specimen() -> PathBuf {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/course/specimen.rs");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "-o"]).arg(folder.path().join("specimen")).arg(source);
        assert!(rustc.status().unwrap().success());
        folder
    });
    folder.path().join("specimen")
}

/// A trial of it, on an address of its own.
pub(super) fn trial() -> Trial {
    let arguments = [Place::new("args", "its mode and what that takes")];
    let template = Template::new(&specimen(), &arguments, "specimen");
    Trial::new(vec![("specimen".to_owned(), template)], Addresses::shared(), Needs::All)
}

/// Starts it with these arguments.
pub(super) fn start(t: &Trial, words: &[&str]) -> Verdict<Rc<Running>> {
    t.start("specimen", Given::arguments(words), Stdin::Null)
}

/// Carries out a check that has to pass.
pub(super) fn passes(check: impl Fn(&Trial) -> Verdict) {
    let t = trial();
    match check(&t).and_then(|()| t.end()) {
        Ok(()) => {}
        Err(Stop::Skip(why)) => println!("skipped: {why}"),
        Err(stop) => panic!("{stop:#?}"),
    }
}

/// The failure of a check that has to fail; `None` where the kernel can't be watched.
pub(super) fn fails(check: impl Fn(&Trial) -> Verdict) -> Option<Failure> {
    match check(&trial()) {
        Err(Stop::Fail(failure)) => Some(*failure),
        Err(Stop::Skip(why)) => {
            println!("skipped: {why}");
            None
        }
        other => panic!("{other:#?}"),
    }
}

/// Whether one of these sentences has these words.
pub(super) fn says(texts: &[String], words: &str) -> bool {
    texts.iter().any(|text| text.contains(words))
}
