//! What the book says about misconceptions is what a run shows, today and here.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use sockets_lab::show::demo::DEMOS;

use super::runs::turn;

fn lab(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_misconception_is_shown_to_be_one() {
    let _turn = turn();
    let output = lab(&["demo", "--all"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let shown = text.lines().filter(|line| line.starts_with("Misconception ")).count();
    let truths = text.lines().filter(|line| line.starts_with("Truth: ")).count();
    assert_eq!((shown, truths), (DEMOS.len(), DEMOS.len()), "{text}");
}

#[test]
fn a_demo_is_found_by_its_name_and_by_its_number() {
    let _turn = turn();
    for what in ["zero-is-nothing-yet", "13"] {
        let output = lab(&["demo", what]);
        assert!(text(&output).starts_with("Misconception 13: "), "{}", text(&output));
    }
    assert_eq!(lab(&["demo", "no-such-demo"]).status.code(), Some(2));
}

#[test]
fn names_are_unique_and_texts_are_sentences() {
    let names: BTreeSet<_> = DEMOS.iter().map(|demo| demo.name).collect();
    assert_eq!(names.len(), DEMOS.len());
    for demo in DEMOS {
        assert!(demo.claim.ends_with('.') && demo.truth.ends_with('.'), "{}", demo.name);
    }
}

#[test]
fn after_a_kill_every_client_loads_the_page_twice_more() {
    let _turn = turn();
    let output = lab(&["demo", "kills", "--kills", "1"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let numbers = |line: &str| -> Vec<usize> {
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let rows = text.lines().map(numbers).filter(|cells| cells.len() == 10 && cells[0] == 1);
    let afterwards: Vec<usize> = rows.map(|cells| cells[6..].iter().sum()).collect();
    let missing = text.matches("not measured: ").count();
    assert_eq!(afterwards, vec![8 * 2; 3 - missing], "{text}");
    assert_eq!(lab(&["demo", "kills", "--kills"]).status.code(), Some(2));
}
