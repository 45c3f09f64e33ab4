//! What the book shows of the harness's and the system's own words.

use std::io;
use std::net::ToSocketAddrs;
use std::process::Command;

use sockets_lab::kernel::{self, Table};
use sockets_lab::labs::{self, Lab, peer};

use super::builds::Built;
use super::{compare, corpus, stubs};

fn agrees(name: &str, text: &str) {
    if let Some(wrong) = compare(name, text) {
        panic!("{wrong}");
    }
}

fn server() -> &'static Lab {
    labs::lab("server").expect("a lab")
}

/// What `lab check` prints of the server with its first steps written; nothing where the system
/// allows no isolation, since then there is a note in it.
fn said_of(built: &Built, arguments: &[&str]) -> Option<String> {
    let program = format!("'{}' {{addr}}", built.file().display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(["check"]).args(arguments).args(["--program", &program]).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let notes = String::from_utf8(output.stderr).unwrap() + &text;
    if notes.contains("isolation") || notes.contains("namespace") {
        println!("note: not compared, without isolation");
        return None;
    }
    Some(text)
}

/// Times, which differ from run to run, as one and the same.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = match line.split_once("\"elapsed_ms\": ") {
            Some((before, _)) => {
                let comma = if line.ends_with(',') { "," } else { "" };
                format!("{before}\"elapsed_ms\": 3{comma}")
            }
            None => line.to_owned(),
        };
        let mut parts = line.split(" time=\"");
        out += parts.next().unwrap_or_default();
        for part in parts {
            let rest = part.split_once('"').map_or("", |(_, rest)| rest);
            out += &format!(" time=\"0.003\"{rest}");
        }
        out.push('\n');
    }
    out
}

#[test]
fn the_board_in_the_book_is_that_of_a_lab_with_one_step() {
    let built = Built::new(server(), "one_step", &stubs::written_up_to(server(), 1));
    if let Some(board) = said_of(&built, &["server"]) {
        agrees("harness/board.txt", &board);
    }
}

#[test]
fn the_results_in_the_book_are_real_ones() {
    let built = Built::new(server(), "solution", &corpus::solution(server()));
    let Some(json) = said_of(&built, &["server/echoes", "--json"]) else { return };
    agrees("harness/result.json", &without_times(&json));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.xml");
    said_of(&built, &["server/echoes", "--junit", file.to_str().unwrap()]);
    agrees("harness/result.xml", &without_times(&corpus::read(&file)));
}

#[test]
fn the_syntax_error_in_the_book_is_that_of_its_conversation() {
    let good = corpus::root().join("fixtures/03-peer/conversations/greeting.txt");
    let misspelt = corpus::read(&good).replace("bob says HELLO", "bob shouts HELLO");
    agrees("harness/misspelt.txt", &misspelt);
    let file = tempfile::tempdir().unwrap();
    let file = file.path().join("mine.txt");
    std::fs::write(&file, misspelt).unwrap();
    let error =
        sockets_lab::script::read(&file, &peer::VOCABULARY).unwrap().unwrap_err().to_string();
    let place = error.find("mine.txt").expect("the file's name");
    agrees("harness/syntax-error.txt", &format!("03-peer/{}\n", &error[place..]));
}

/// The errors that the book speaks of: their codes on Linux, and their names in C.
const ERRORS: [(i32, &str); 12] = [
    (98, "EADDRINUSE"),
    (99, "EADDRNOTAVAIL"),
    (13, "EACCES"),
    (111, "ECONNREFUSED"),
    (110, "ETIMEDOUT"),
    (101, "ENETUNREACH"),
    (113, "EHOSTUNREACH"),
    (104, "ECONNRESET"),
    (32, "EPIPE"),
    (11, "EAGAIN"),
    (107, "ENOTCONN"),
    (24, "EMFILE"),
];

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn the_errors_in_the_book_are_those_of_the_system() {
    let row = |error: &io::Error, name: &str| {
        let kind = match format!("{:?}", error.kind()) {
            kind if kind == "Uncategorized" => "-".to_owned(),
            kind => kind,
        };
        format!("{:<52}{:<20}{name}", error.to_string(), kind).trim_end().to_owned() + "\n"
    };
    let mut text = String::new();
    for (code, name) in ERRORS {
        text += &row(&io::Error::from_raw_os_error(code), name);
    }
    for address in ["127.0.0.1", "127.0.0.1:99999"] {
        text += &row(&address.to_socket_addrs().unwrap_err(), "");
    }
    agrees("harness/errors.txt", &text);
}

#[test]
fn the_states_in_the_book_are_those_that_the_harness_reads() {
    let page = corpus::read(&corpus::root().join("book/src/states.md"));
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let code = cells.get(3).filter(|code| u8::from_str_radix(code, 16).is_ok())?;
        Some(((*code).to_owned(), cells[1].to_owned()))
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 11, "{rows:?}");
    let sample = corpus::read(&corpus::root().join("fixtures/tables/tcp"));
    let (head, row) = (sample.lines().next().unwrap(), sample.lines().nth(1).unwrap());
    for (code, name) in rows {
        let table = format!("{head}\n{}\n", row.replace(" 0A ", &format!(" {code} ")));
        let read = kernel::parse(Table::Tcp, &table).unwrap();
        assert_eq!(read[0].state.to_string(), name, "{code}");
    }
}

#[test]
fn times_are_left_out() {
    assert_eq!(without_times("\"elapsed_ms\": 17,"), "\"elapsed_ms\": 3,\n");
    assert_eq!(
        without_times("<a time=\"0.1\"><b time=\"9\"/>"),
        "<a time=\"0.003\"><b time=\"0.003\"/>\n"
    );
}

/// What a chapter tells a student to check of `together` is what that chapter is about.
#[test]
fn together_is_named_by_its_steps() {
    let mut named = 0;
    for (file, text) in super::pages() {
        let page = file.file_stem().unwrap().to_string_lossy().into_owned();
        for number in text.split("together/").skip(1) {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            let Ok(number) = digits.parse::<u8>() else { continue };
            let step = labs::TOGETHER.steps.iter().find(|step| step.number == number);
            let step = step.unwrap_or_else(|| panic!("{page}: there is no together/{number}"));
            let told = page == "instructors" || page == step.chapter;
            assert!(told, "{page} names together/{number}, which is about {}", step.task);
            named += usize::from(page == "instructors");
        }
    }
    assert_eq!(named, labs::TOGETHER.steps.len(), "the instructors' page names each step once");
}
