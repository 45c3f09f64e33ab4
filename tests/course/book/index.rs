//! What the lab's index and peers show of themselves, and real programs of parts, for the book.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::builds::Built;
use super::curl::conversation;
use super::runs::turn;
use super::tables::{Ports, Running, agrees, rows_of, solution};

/// An index, Ann who has a song, and Bob.
struct Neighbours {
    index: Running,
    ann: Running,
    bob: Running,
    /// Where each of them listens, and what the book has instead.
    names: Vec<(String, &'static str)>,
    _built: Built,
    _folders: [tempfile::TempDir; 2],
}

const SIZE: usize = 300_000;
const INDEX: &str = "127.0.0.1:7000";
const ANN: &str = "127.0.0.1:7001";
const BOB: &str = "127.0.0.1:7002";

/// A song of this size, that ends as it began.
fn song() -> Vec<u8> {
    let verses = "la la land\n".bytes().cycle();
    verses.skip(11 - SIZE % 11).take(SIZE).collect()
}

impl Neighbours {
    fn meet() -> Self {
        let built = solution("index");
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::write(folders[0].path().join("my song.ogg"), song()).unwrap();
        let mut index = Running::start(&built, &["serve", "127.0.0.1:0"]);
        let at_index = index.address();
        let mut names = vec![(at_index.clone(), INDEX)];
        let mut join = |name: &str, folder: &Path, place: &'static str| {
            let folder = folder.to_str().unwrap();
            let arguments = ["share", name, &at_index, "127.0.0.1:0", folder];
            let mut peer = Running::start(&built, &arguments);
            names.push((peer.address(), place));
            peer
        };
        let ann = join("ann", folders[0].path(), ANN);
        let bob = join("bob", folders[1].path(), BOB);
        let mut all = Self { index, ann, bob, names, _built: built, _folders: folders };
        // Each line waits for what has to have happened before it.
        all.ann_says("joined 127.0.0.1:7001");
        all.bob_says("joined 127.0.0.1:7002");
        all
    }

    fn alike(&self, line: &str) -> String {
        self.names.iter().fold(line.to_owned(), |line, (real, name)| line.replace(real, name))
    }

    /// The next line of Ann, as it stands in the book.
    fn ann_says(&mut self, line: &str) {
        let said = self.ann.line();
        assert_eq!(self.alike(&said), line);
    }

    /// What Bob is told when he finds the song. Ann's HAVE may still be on its way before.
    fn bob_finds(&mut self) -> Vec<String> {
        loop {
            self.bob.types("find song\n");
            let line = self.bob.line();
            if line != "found 0" {
                return vec![line, self.bob.line()];
            }
        }
    }

    fn bob_says(&mut self, line: &str) {
        let said = self.bob.line();
        assert_eq!(self.alike(&said), line);
    }
}

fn process(program: &Running) -> String {
    format!("index ({})", program.id())
}

/// An index and two peers when one of them has got a file from the other, and the table of their
/// ports: two connections have a row for each end; of the transfer those are left that no program has.
fn transferred() -> (Neighbours, Ports) {
    let mut all = Neighbours::meet();
    let found = all.bob_finds();
    assert_eq!(all.alike(&found[0]), "hit 1 127.0.0.1:7001 300000 my song.ogg");
    assert_eq!(found[1], "found 1");
    all.bob.types("get 1\n");
    all.bob_says("got my song.ogg 300000 from 127.0.0.1:7001");
    let places: Vec<String> = all.names.iter().map(|(real, _)| real.clone()).collect();
    let is_over = |table: &Ports| table.has("TIME-WAIT") && table.at_rest() >= 5;
    let table = rows_of(&[&places[0], &places[1], &places[2]], |_| true, 8..=9, is_over);
    (all, table)
}

#[test]
fn the_ports_of_an_index_and_two_peers_are_those_of_the_book() {
    let _turn = turn();
    // Who gives ends the connection first: it has sent all of the file before the other one has read
    // it. On a busy machine it may be otherwise; then once more.
    let (all, table) = std::iter::repeat_with(transferred)
        .take(10)
        .find(|(all, table)| table.has_had(&all.names[1].0))
        .expect("a transfer that ann ends");
    let [at_index, at_ann] = [&*all.names[0].0, &all.names[1].0];
    let [index, ann, bob] = [&all.index, &all.ann, &all.bob].map(process);
    let calls = [table.call_of(&ann, at_index), table.call_of(&bob, at_index)];
    let [anns, bobs] = calls;
    let transfer = table.called_by(at_ann);
    let mut names = all.names.clone();
    names.extend([
        (anns, "127.0.0.1:50001"),
        (bobs, "127.0.0.1:50002"),
        (transfer, "127.0.0.1:50003"),
        (index, "the index (N)"),
        (ann, "ann (N)"),
        (bob, "bob (N)"),
    ]);
    agrees("harness/ports-of-index.txt", &table.render(&names));
}

#[test]
fn what_is_lost_with_the_index_is_what_the_book_says() {
    let _turn = turn();
    let mut all = Neighbours::meet();
    let mut said = [Vec::new(), all.bob_finds()];
    all.index.kill();
    said[0].push(all.ann.line());
    said[1].push(all.bob.line());
    all.bob.types("get 1\n");
    said[1].push(all.bob.line());
    said[0].push(all.ann.line());
    let caller = said[0].last().and_then(|line| line.rsplit_once(" to ")).expect("sent … to …").1;
    all.names.push((caller.to_owned(), "127.0.0.1:50001"));
    let mut text = String::new();
    for (name, lines) in ["ann", "bob"].iter().zip(&said) {
        text += &format!("{name} prints\n");
        text.extend(lines.iter().map(|line| format!("    {}\n", all.alike(line))));
    }
    agrees("harness/index-gone.txt", &text);
}

fn curl(arguments: &[&str]) -> Option<(String, String)> {
    let mut command = Command::new("curl");
    let Ok(output) = command.args(["--noproxy", "*"]).args(arguments).output() else {
        println!("note: not compared: curl is not installed");
        return None;
    };
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    Some((out, err))
}

#[test]
fn what_curl_shows_of_a_part_is_in_the_book() {
    let _turn = turn();
    let all = Neighbours::meet();
    let url = format!("http://{}/my%20song.ogg", all.names[1].0);
    let Some((body, said)) = curl(&["-sv", "-r", "299990-", &url]) else { return };
    assert_eq!(body.as_bytes(), &song()[299_990..]);
    agrees("harness/curl-range.txt", &(conversation(&all.alike(&said)) + &body));
}

#[test]
fn a_server_that_ignores_range_is_in_the_book() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("song.ogg"), "la la land").unwrap();
    let mut python = Command::new("python3");
    python.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
    python.arg(folder.path()).arg("0").stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut server) = python.spawn() else {
        println!("note: not compared: python3 is not installed");
        return;
    };
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.split_once(" port ").and_then(|(_, rest)| rest.split(' ').next());
    let url = format!("http://127.0.0.1:{}/song.ogg", port.expect("`… port N …`"));
    let answer = curl(&["-s", "-D", "-", "-r", "4-", &url]);
    let _ = server.kill();
    let _ = server.wait();
    let Some((answer, _)) = answer else { return };
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    // The other fields have versions and dates.
    let told = |line: &&str| line.starts_with("HTTP/") || line.starts_with("Content-Length:");
    let lines: String = head.lines().filter(told).map(|line| format!("{line}\n")).collect();
    agrees("harness/range-ignored.txt", &format!("{lines}\n{body}\n"));
}
