//! What dig shows of a question to the lab's server, for the book.

use std::process::Command;

use super::corpus;
use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// What dig says, with one id for all runs, and without the lines about itself and the time.
fn conversation(said: &str) -> String {
    let of_dig = |line: &&str| {
        let about_itself = ["; <<>>", ";; global", "; (1 server"];
        !about_itself.iter().any(|start| line.starts_with(start))
    };
    let alike = |line: &str| match line.split_once(", id: ") {
        Some((before, _)) => format!("{before}, id: 4660\n"),
        None => format!("{line}\n"),
    };
    let lines: String = said.lines().filter(of_dig).map(alike).collect();
    lines.trim().to_owned() + "\n"
}

#[test]
fn what_dig_shows_of_an_answer_is_in_the_book() {
    if Command::new("dig").arg("-v").output().is_err() {
        println!("note: not compared: dig is not installed");
        return;
    }
    let _turn = turn();
    let zone = corpus::root().join("book/src/example.zone");
    let arguments = ["serve", "127.0.0.1:0", zone.to_str().unwrap()];
    let mut names = Running::start(&solution("names"), &arguments);
    let address = names.address();
    let port = address.rsplit(':').next().unwrap();
    let options = ["+nostats", "+tries=1", "+time=10"];
    let question = ["@127.0.0.1", "-p", port, "www.example.test"];
    let dig = Command::new("dig").args(question).args(options).output().unwrap();
    agrees("harness/dig.txt", &conversation(&String::from_utf8(dig.stdout).unwrap()));
}
