//! What `lab ports` shows of the lab's own programs, and what these print, for the book.

use std::io::{BufRead, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use sockets_lab::labs;

use super::builds::Built;
use super::runs::turn;
use super::{compare, corpus};

/// A program of the lab that runs, and ends with its test.
pub(super) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(super) fn start(built: &Built, arguments: &[&str]) -> Self {
        let mut command = Command::new(built.file());
        command.args(arguments);
        Self::of(command)
    }

    pub(super) fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout }
    }

    pub(super) fn types(&mut self, line: &str) {
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its number in the system.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends its standard input: all lines that come before its end.
    pub(super) fn rest(mut self) -> String {
        self.stdin = None;
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    /// The address in its ready line.
    pub(super) fn address(&mut self) -> String {
        self.line().strip_prefix("listening on ").expect("a ready line").to_owned()
    }
}

/// A table of `lab ports`, as cells; and what it says of each state.
pub(super) struct Ports {
    rows: Vec<Vec<String>>,
    states: Vec<String>,
}

/// The rows that speak of one of the addresses, when there are as many as expected and `ready`; those
/// of connections that are over are left out: somebody else may have had the same port.
pub(super) fn ports(
    addresses: &[&str],
    count: RangeInclusive<usize>,
    ready: impl Fn(&Ports) -> bool,
) -> Ports {
    rows_of(addresses, |row| row[3] != "TIME-WAIT", count, ready)
}

/// The same of these rows.
pub(super) fn rows_of(
    addresses: &[&str],
    counts: impl Fn(&[String]) -> bool,
    count: RangeInclusive<usize>,
    ready: impl Fn(&Ports) -> bool,
) -> Ports {
    let began = Instant::now();
    loop {
        let lab =
            Command::new(env!("CARGO_BIN_EXE_lab")).args(["ports", "--all"]).output().unwrap();
        let text = String::from_utf8(lab.stdout).unwrap();
        let (table, states) = text.split_once("\n\n").unwrap_or((&text, ""));
        let cells = |line: &str| -> Vec<String> {
            line.split("  ")
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !cell.is_empty())
                .collect()
        };
        let mut lines = table.lines().map(cells);
        let head = lines.next().unwrap();
        let speaks =
            |row: &Vec<String>| row[1..3].iter().any(|at| addresses.contains(&at.as_str()));
        let ours = lines.filter(|row| speaks(row) && counts(row));
        let rows: Vec<_> = [head].into_iter().chain(ours).collect();
        let ports = Ports { rows, states: states.lines().map(str::to_owned).collect() };
        if count.contains(&(ports.rows.len() - 1)) && ready(&ports) {
            return ports;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Ports {
    pub(super) fn has(&self, cell: &str) -> bool {
        self.rows.iter().flatten().any(|one| one == cell)
    }

    /// The own address of the row whose other end is `server`, and that none of `known` is.
    pub(super) fn caller_of(&self, server: &str, known: &[String]) -> String {
        let mut callers = self.rows.iter().filter(|row| row[2] == server).map(|row| &row[1]);
        callers.find(|at| !known.contains(at)).expect("a caller").clone()
    }

    /// The own address of the row whose other end is `server`, and that this program has.
    pub(super) fn call_of(&self, program: &str, server: &str) -> String {
        let mut own = self.rows.iter().filter(|row| row[2] == server && row[5] == program);
        own.next().expect("a connection")[1].clone()
    }

    /// In how many rows nothing waits.
    pub(super) fn at_rest(&self) -> usize {
        self.rows.iter().filter(|row| row[4] == "empty").count()
    }

    /// Whether of a connection just the end of `server` is left.
    pub(super) fn has_had(&self, server: &str) -> bool {
        let mut left = self.rows.iter().filter(|row| row[3] == "TIME-WAIT");
        left.next().is_some_and(|row| row[1] == server) && left.next().is_none()
    }

    /// The other end of the connection that `server` has had.
    pub(super) fn called_by(&self, server: &str) -> String {
        let mut had = self.rows.iter().filter(|row| row[1] == server && row[3] == "TIME-WAIT");
        had.next().expect("a connection")[2].clone()
    }

    /// The table with other names for what differs from run to run, in the order of `lab ports`.
    pub(super) fn render(&self, names: &[(String, &str)]) -> String {
        let rename = |cell: &String| {
            let name = names.iter().find(|(real, _)| real == cell).map(|(_, name)| *name);
            let cell = name.unwrap_or(cell);
            match cell.split_once(" (") {
                Some((program, _)) => format!("{program} (N)"),
                None => cell.to_owned(),
            }
        };
        let mut rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(rename).collect()).collect();
        rows[1..].sort_by_key(|row| (row[1].clone(), row[3] != "LISTEN", row[2].clone()));
        let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap();
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        let mut text = String::new();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        let is_here = |state: &str| rows.iter().any(|row| row[3] == state);
        // As wide as these need it: other programs have other states.
        let lines = self.states.iter().filter_map(|line| line.split_once("  "));
        let mut states: Vec<(&str, &str)> = Vec::new();
        let mut of = "";
        for (state, words) in lines {
            // A line without a state goes on with the one above.
            of = if state.is_empty() { of } else { state };
            if is_here(of) {
                states.push((state, words.trim_start()));
            }
        }
        let width = states.iter().map(|(state, _)| state.len()).max().unwrap_or_default();
        let lines = states.iter().map(|(state, words)| format!("{state:<width$}  {words}\n"));
        format!("{text}\n{}", lines.collect::<String>())
    }
}

pub(super) fn agrees(name: &str, text: &str) {
    if let Some(wrong) = compare(name, text) {
        panic!("{wrong}");
    }
}

pub(super) fn solution(name: &str) -> Built {
    let lab = labs::lab(name).expect("a lab");
    Built::new(lab, "the_solution", &corpus::solution(lab))
}

#[test]
fn the_ports_of_a_server_and_two_clients_are_those_of_the_book() {
    let _turn = turn();
    let (server, client) = (solution("server"), solution("client"));
    let mut server = Running::start(&server, &["127.0.0.1:0"]);
    let address = server.address();
    let mut first = Running::start(&client, &[&address]);
    // When the first line is back, the first client is the one that is served.
    first.types("hello\n");
    assert_eq!(first.line(), "hello");
    let one = ports(&[&address], 3..=3, |_| true).caller_of(&address, &[]);
    let mut second = Running::start(&client, &[&address]);
    let both = ports(&[&address], 5..=5, |ports| ports.has("1 waits for accept"));
    let two = both.caller_of(&address, std::slice::from_ref(&one));
    let names =
        [(address.clone(), "127.0.0.1:7007"), (one, "127.0.0.1:50001"), (two, "127.0.0.1:50002")];
    agrees("harness/ports.txt", &both.render(&names));
    second.types("hello\n");
    let unread = ports(&[&address], 5..=5, |ports| ports.has("6 unread"));
    agrees("harness/ports-unread.txt", &unread.render(&names));
}

#[test]
fn three_peers_have_the_ports_and_the_words_of_the_book() {
    let _turn = turn();
    let peer = solution("peer");
    let mut ann = Running::start(&peer, &["ann", "127.0.0.1:0"]);
    let at_ann = ann.address();
    let mut bob = Running::start(&peer, &["bob", "127.0.0.1:0", &at_ann]);
    let at_bob = bob.address();
    let mut said = [vec![ann.line()], vec![bob.line()], Vec::new()];
    let bobs_end = ports(&[&at_ann], 3..=3, |_| true).caller_of(&at_ann, &[]);
    let mut carol = Running::start(&peer, &["carol", "127.0.0.1:0", &at_bob]);
    let at_carol = carol.address();
    said[2].push(carol.line());
    said[1].push(bob.line());
    let all = ports(&[&at_ann, &at_bob, &at_carol], 7..=7, |_| true);
    let carols_end = all.caller_of(&at_bob, &[]);
    let process = |peer: &Running| format!("peer ({})", peer.child.id());
    let names = [
        (process(&ann), "peer ann (N)"),
        (process(&bob), "peer bob (N)"),
        (process(&carol), "peer carol (N)"),
        (at_ann, "127.0.0.1:7001"),
        (at_bob, "127.0.0.1:7002"),
        (at_carol, "127.0.0.1:7003"),
        (bobs_end, "127.0.0.1:50001"),
        (carols_end, "127.0.0.1:50002"),
    ];
    agrees("harness/ports-of-peers.txt", &all.render(&names));

    // Bob, in the middle, is the only one who knows both.
    bob.types("is anybody there?\n");
    said[0].push(ann.line());
    said[2].push(carol.line());
    ann.types("yes, and I hear nobody else\n");
    said[1].push(bob.line());
    bob.stdin = None;
    said[0].push(ann.line());
    said[2].push(carol.line());
    let mut left = [bob.line(), bob.line()];
    left.sort();
    said[1].extend(left);
    assert_eq!(bob.line(), "", "bob has ended");
    let mut text = String::new();
    for (name, lines) in ["ann", "bob", "carol"].iter().zip(said) {
        text += &format!("{name} prints\n");
        for line in lines {
            let line = names.iter().fold(line, |line, (real, name)| line.replace(real, name));
            text += &format!("    {line}\n");
        }
    }
    agrees("harness/peers.txt", &text);
}

#[test]
fn a_name_server_has_one_number_in_two_tables() {
    let _turn = turn();
    let zone = corpus::root().join("book/src/example.zone");
    let arguments = ["serve", "127.0.0.1:0", zone.to_str().unwrap()];
    let mut server = Running::start(&solution("names"), &arguments);
    let address = server.address();
    let both = ports(&[&address], 2..=2, |_| true);
    agrees("harness/ports-of-names.txt", &both.render(&[(address, "127.0.0.1:5353")]));
}
