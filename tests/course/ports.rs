//! `lab ports` shows what a program has open, and what it is in.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use sockets_lab::labs;

use super::builds::Built;
use super::corpus;
use super::runs::turn;

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_ports_of_a_server_and_of_the_client_that_it_serves() {
    let _turn = turn();
    let lab = labs::lab("server").unwrap();
    let built = Built::new(lab, "the_solution", &corpus::solution(lab));
    let mut command = Command::new(built.file());
    let child = command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let mut server = Running(child);
    let mut ready = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let address = ready.trim().strip_prefix("listening on ").unwrap();
    let client = TcpStream::connect(address).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lab")).args(["ports", "--all"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let process = format!("server ({})", server.0.id());
    let line = |state: &str, other: &str| {
        let fits = |line: &&str| [state, other, address].iter().all(|word| line.contains(word));
        text.lines().find(fits).map(str::to_owned).unwrap_or_default()
    };
    assert!(line("LISTEN", " - ").contains(&process), "{text}");
    let from = client.local_addr().unwrap().to_string();
    assert!(line("ESTABLISHED", &from).starts_with("tcp "), "{text}");
    assert!(text.contains("\nLISTEN "), "a sentence for the state: {text}");
}
