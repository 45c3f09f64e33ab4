//! Programs in other languages, and real servers that nobody here wrote: what each rightly fails,
//! and that it passes all else.
//!
//! A check that fails on a good server of somebody else's is either a rule of this course that
//! the server never promised to follow (then it stands in the table, with the reason), or a
//! mistake of ours.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use sockets_lab::json::Json;

/// A program, what it fails, and why that is right.
struct Counterpart {
    lab: &'static str,
    needs: &'static str,
    command: String,
    fails: &'static [(&'static str, &'static str)],
    /// What it fails at times, for a reason that stands beside the list.
    may: &'static [&'static str],
}

impl Counterpart {
    fn judge(&self) {
        if !installed(self.needs) {
            println!("skipped: {} is not installed", self.needs);
            return;
        }
        let word =
            |check: &Json, key: &str| check.get(key).and_then(Json::as_str).unwrap().to_owned();
        let mut checks = self.check(self.lab);
        for check in &mut checks {
            // A fault says nothing of the program: it took too long beside all the others.
            if word(check, "outcome") == "fault" {
                *check = self.check(&word(check, "id")).remove(0);
            }
        }
        let failed: BTreeSet<_> = checks
            .iter()
            .filter(|check| !matches!(word(check, "outcome").as_str(), "pass" | "skipped"))
            .map(|check| word(check, "id"))
            .filter(|id| !self.may.contains(&id.as_str()))
            .collect();
        let expected: BTreeSet<_> = self.fails.iter().map(|(id, _)| (*id).to_owned()).collect();
        let wrong: Vec<_> = checks
            .iter()
            .filter(|check| {
                failed.symmetric_difference(&expected).any(|id| *id == word(check, "id"))
            })
            .map(|check| format!("{check}"))
            .collect();
        assert!(wrong.is_empty(), "{}: not as the table says:\n{}", self.command, wrong.join("\n"));
    }

    /// The records of these checks.
    fn check(&self, what: &str) -> Vec<Json> {
        let output = Command::new(env!("CARGO_BIN_EXE_lab"))
            .args(["check", what, "--json", "--program", &self.command])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let json = Json::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
        json.get("checks").and_then(Json::as_array).unwrap().to_vec()
    }
}

pub(super) fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    folders.iter().any(|folder| folder.join(program).is_file() || Path::new(program).is_file())
}

/// The course's own Python server, from the book: a newcomer's proof that any language will do.
#[test]
fn the_books_python_server_passes_everything() {
    let command = "python3 book/src/echo.py {host} {port}".to_owned();
    Counterpart { lab: "server", needs: "python3", command, fails: &[], may: &[] }.judge();
}

#[test]
fn socat_fails_what_socat_never_promised() {
    let command = "socat TCP-LISTEN:{port},bind={host},reuseaddr,fork EXEC:cat".to_owned();
    let fails = &[
        ("server/prints-the-ready-line", NO_READY_LINE),
        ("server/tells-the-port-that-it-got", NO_READY_LINE),
        ("server/listens-on-a-name", NO_READY_LINE),
        ("server/listens-on-ipv6", "TCP-LISTEN takes IPv4 unless it is told otherwise"),
        ("server/refuses-bad-arguments", "wrong usage is exit status 1 there, not 2"),
        ("server/survives-few-descriptors", "it ends when accept fails"),
    ];
    Counterpart { lab: "server", needs: "socat", command, fails, may: &[] }.judge();
}

const NO_READY_LINE: &str = "it prints no ready line";

/// Its port stands in a file, so that it is also the proof that a program with a hard-coded
/// port can be judged.
#[test]
fn inetd_fails_what_follows_from_its_fixed_port() {
    const FIXED: &str = "it takes its address from its configuration: 127.0.0.1, port 7777";
    let command = "sh -c 'exec inetutils-inetd -d tests/course/inetd.conf' {addr}".to_owned();
    let fails = &[
        ("server/listens-on-the-given-address", FIXED),
        ("server/prints-the-ready-line", NO_READY_LINE),
        ("server/tells-the-port-that-it-got", NO_READY_LINE),
        ("server/listens-on-a-name", NO_READY_LINE),
        ("server/listens-on-ipv6", FIXED),
        ("server/refuses-a-taken-port", FIXED),
        ("server/refuses-a-foreign-address", FIXED),
        ("server/refuses-a-privileged-port", FIXED),
        ("server/refuses-bad-arguments", FIXED),
        ("server/survives-few-descriptors", "it spins when accept fails"),
    ];
    // It sleeps for a second after a child of its has ended, before it waits again.
    let may = &["server/is-idle-while-a-client-is-silent"];
    Counterpart { lab: "server", needs: "inetutils-inetd", command, fails, may }.judge();
}
