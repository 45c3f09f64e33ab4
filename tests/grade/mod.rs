//! Grading with `cargo test`: a test for each check of a lab, which is carried out in a process
//! outside of the test.

use std::process::{Command, Output};
use std::sync::OnceLock;

use sockets_lab::json::Json;

/// A test for each of these checks of the lab that `LAB` names.
macro_rules! test_each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                grade::passes(LAB, stringify!($name));
            }
        )*
    };
}

/// Fails with the board's own words unless the check passes. A check that this system can't
/// carry out is no failure: the test says that it was skipped, and why.
pub(crate) fn passes(lab: &str, name: &str) {
    let id = format!("{lab}/{}", name.replace('_', "-"));
    let (passes, text) = if all_are_wanted() { said_with_all(lab, &id) } else { said_alone(&id) };
    assert!(passes, "\n{text}");
    print!("{text}");
}

/// Whether all tests of this file run. What selects some is a word that none of these is.
fn all_are_wanted() -> bool {
    let shows = ["-q", "--quiet", "--nocapture", "--no-capture", "--show-output"];
    let sets = ["--color=", "--format=", "--test-threads="];
    let selects_none =
        |word: &String| shows.contains(&&**word) || sets.iter().any(|set| word.starts_with(set));
    std::env::args().skip(1).all(|word| selects_none(&word))
}

fn check(words: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).arg("check").args(words).output();
    output.expect("the harness can be started")
}

fn text(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    format!("{stdout}{stderr}")
}

fn said_alone(id: &str) -> (bool, String) {
    let output = check(&[id]);
    (output.status.success(), text(&output))
}

/// The lab is built and checked once, by the test that comes first: the others wait for it.
fn said_with_all(lab: &str, id: &str) -> (bool, String) {
    static SAID: OnceLock<Result<Json, String>> = OnceLock::new();
    let said = SAID.get_or_init(|| {
        let output = check(&[lab, "--format", "singly"]);
        Json::parse(&String::from_utf8_lossy(&output.stdout)).map_err(|_| text(&output))
    });
    let said = match said {
        Ok(json) => json.get(id).unwrap_or_else(|| panic!("nothing was said of {id}")),
        Err(trouble) => return (false, trouble.clone()),
    };
    let status = said.get("status").and_then(Json::as_u64);
    (status == Some(0), said.get("text").and_then(Json::as_str).unwrap_or_default().to_owned())
}
