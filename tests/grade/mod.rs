//! Grading with `cargo test`: each test runs one check of a lab, in a process outside the test.

use std::process::Command;

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
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(["check", &id]).output();
    let output = output.expect("the harness can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "\n{text}{trouble}");
    print!("{text}");
}
