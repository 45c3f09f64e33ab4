//! What curl shows of a request and its reply, for the book.

use std::process::Command;

use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// The lines that went over the connection, with one version and one date for all runs. What else
/// curl says differs from version to version.
pub(super) fn conversation(said: &str) -> String {
    let lines = said.lines().map(str::trim_end).filter(|line| line.starts_with(['>', '<']));
    let alike = |line: &str| match line.split_once(": ") {
        Some((name @ "> User-Agent", _)) => format!("{name}: curl/8.0.0\n"),
        Some((name @ "< Date", _)) => format!("{name}: Sun, 06 Nov 1994 08:49:37 GMT\n"),
        _ => format!("{line}\n"),
    };
    lines.map(alike).collect()
}

#[test]
fn what_curl_shows_of_a_request_is_in_the_book() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("note: not compared: curl is not installed");
        return;
    }
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello\n").unwrap();
    let mut web =
        Running::start(&solution("web"), &["127.0.0.1:0", folder.path().to_str().unwrap()]);
    let address = web.address();
    let url = format!("http://{address}/a.txt");
    let curl = Command::new("curl").args(["--noproxy", "*", "-sv", &url]).output().unwrap();
    let said = String::from_utf8(curl.stderr).unwrap().replace(&address, "127.0.0.1:8080");
    let body = String::from_utf8(curl.stdout).unwrap();
    agrees("harness/curl.txt", &(conversation(&said) + &body));
}
