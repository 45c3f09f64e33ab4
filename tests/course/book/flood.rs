//! What one search costs in networks of the lab's own programs, and what is lost with each of them,
//! for the book.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::builds::Built;
use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// A wire between two programs, which keeps what goes over it: what the one who dials has sent, and
/// what the other one has.
#[derive(Clone, Default)]
struct Tap([Arc<Mutex<Vec<u8>>>; 2]);

impl Tap {
    /// One to this address, and where it can be dialled, once.
    fn to(address: &str) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let (tap, address) = (Self::default(), address.to_owned());
        let [up, down] = tap.0.clone();
        thread::spawn(move || {
            let Ok((near, _)) = listener.accept() else { return };
            let Ok(far) = TcpStream::connect(address) else { return };
            thread::scope(|scope| {
                scope.spawn(|| carry(&near, &far, &up));
                carry(&far, &near, &down);
            });
        });
        (tap, at)
    }

    fn bytes(&self) -> [Vec<u8>; 2] {
        self.0.each_ref().map(|side| side.lock().unwrap().clone())
    }

    /// How many descriptors of each kind have gone over it, in both directions.
    fn descriptors(&self) -> BTreeMap<u8, usize> {
        let mut counts = BTreeMap::new();
        for bytes in self.bytes() {
            let greeting = bytes.windows(2).position(|two| two == b"\n\n");
            let mut rest = greeting.map_or(&[][..], |end| &bytes[end + 2..]);
            while let Some((header, behind)) = rest.split_first_chunk::<23>() {
                *counts.entry(header[16]).or_default() += 1;
                let [.., a, b, c, d] = *header;
                let length = u32::from_le_bytes([a, b, c, d]) as usize;
                rest = behind.get(length..).unwrap_or_default();
            }
        }
        counts
    }
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut room = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut room) {
        kept.lock().unwrap().extend(&room[..count]);
        if to.write_all(&room[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

const QUERY: u8 = 0x80;
const QUERY_HIT: u8 = 0x81;
/// The bytes of a Query for `song`.
const QUERY_BYTES: usize = 23 + 2 + 4 + 1;

/// Who is linked with whom: the one who dials has the greater number.
struct Shape {
    name: &'static str,
    links: Vec<(usize, usize)>,
}

fn line(name: &'static str, count: usize) -> Shape {
    Shape { name, links: (1..count).map(|one| (one, one - 1)).collect() }
}

fn ring(name: &'static str, count: usize) -> Shape {
    let mut shape = line(name, count);
    shape.links.push((count - 1, 0));
    shape
}

fn star(name: &'static str, count: usize) -> Shape {
    Shape { name, links: (1..count).map(|one| (one, 0)).collect() }
}

fn mesh(name: &'static str, count: usize) -> Shape {
    Shape { name, links: (1..count).flat_map(|one| (0..one).map(move |to| (one, to))).collect() }
}

impl Shape {
    fn neighbours(&self, of: usize) -> impl Iterator<Item = usize> + '_ {
        self.links.iter().filter_map(move |(one, other)| match of {
            _ if of == *one => Some(*other),
            _ if of == *other => Some(*one),
            _ => None,
        })
    }

    /// Whom this one can reach, itself included, over others than `dead`.
    fn reached(&self, from: usize, dead: Option<usize>) -> BTreeSet<usize> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            if Some(at) != dead && reached.insert(at) {
                next.extend(self.neighbours(at));
            }
        }
        reached
    }
}

/// Servents that are linked, each link by a tap.
struct Network {
    servents: Vec<Running>,
    taps: Vec<Tap>,
    _folders: Vec<tempfile::TempDir>,
}

impl Network {
    /// So many; each for which `has` says so has a song.
    fn new(built: &Built, count: usize, shape: &Shape, has: impl Fn(usize) -> bool) -> Self {
        let (mut servents, mut addresses) = (Vec::<Running>::new(), Vec::<String>::new());
        let (mut taps, mut folders) = (Vec::new(), Vec::new());
        for number in 0..count {
            let folder = with_song(has(number).then_some(number));
            let dialled = shape.links.iter().filter(|(one, _)| *one == number);
            let dialled: Vec<_> = dialled.map(|(_, to)| (*to, Tap::to(&addresses[*to]))).collect();
            let mut command = Command::new(built.file());
            command.arg("127.0.0.1:0").arg(folder.path());
            command.args(dialled.iter().map(|(_, (_, at))| at)).stderr(Stdio::null());
            let mut servent = Running::of(command);
            addresses.push(servent.address());
            for (to, (tap, _)) in dialled {
                expect(&mut servent, "linked ");
                expect(&mut servents[to], "linked ");
                taps.push(tap);
            }
            servents.push(servent);
            folders.push(folder);
        }
        Self { servents, taps, _folders: folders }
    }

    fn carried(&self, kind: u8) -> usize {
        self.taps.iter().filter_map(|tap| tap.descriptors().get(&kind).copied()).sum()
    }

    /// How many of a kind were carried, once there are as many as there should be, or more.
    fn carried_at_rest(&self, kind: u8, expected: usize) -> usize {
        let began = Instant::now();
        while self.carried(kind) < expected && began.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(5));
        }
        // One too many would come now.
        thread::sleep(Duration::from_millis(100));
        self.carried(kind)
    }
}

/// A folder, with a song in it whose name is no other's.
fn with_song(number: Option<usize>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(number) = number {
        fs::write(folder.path().join(format!("song {number}")), "la la land").unwrap();
    }
    folder
}

/// The lines up to one that begins like this.
fn until(running: &mut Running, begin: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = running.line();
        assert!(!line.is_empty(), "it has ended, and {begin:?} did not come");
        if line.starts_with(begin) {
            return lines;
        }
        lines.push(line);
    }
}

/// Passes over lines up to one that begins like this.
fn expect(running: &mut Running, begin: &str) {
    until(running, begin);
}

/// A line of a table: what it is about, and its cells.
fn row(first: &str, cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>10}")).collect();
    format!("{first:<20}{}\n", cells.join(""))
}

fn head(cells: &[&str]) -> String {
    row("", &cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())
}

/// What one question costs a directory: the lines of the asker's connection, and the bytes of the
/// question.
fn cost_of_a_directory(count: usize) -> [usize; 3] {
    let built = solution("index");
    let mut index = Running::start(&built, &["serve", "127.0.0.1:0"]);
    let at_index = index.address();
    let (tap, through_tap) = Tap::to(&at_index);
    let mut peers = Vec::new();
    for number in 0..count {
        let folder = with_song((number + 1 == count).then_some(number));
        let to = if number == 0 { &through_tap } else { &at_index };
        let name = format!("peer{number}");
        peers.push((share(&built, &name, to, folder.path()), folder));
    }
    // A find of one's own comes behind what one has told.
    for (peer, _) in peers.iter_mut().rev() {
        peer.types("find song\n");
        expect(peer, "found ");
    }
    let lines = |bytes: &[u8], word: &str| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().filter(|line| line.starts_with(word)).count()
    };
    let [up, down] = tap.bytes();
    [lines(&up, "FIND "), lines(&down, "HIT "), "FIND song\n".len()]
}

fn share(built: &Built, name: &str, index: &str, folder: &std::path::Path) -> Running {
    let mut command = Command::new(built.file());
    command.args(["share", name, index, "127.0.0.1:0"]).arg(folder).stderr(Stdio::null());
    let mut peer = Running::of(command);
    expect(&mut peer, "joined ");
    peer
}

#[test]
fn what_one_search_costs_is_what_the_book_says() {
    // With one more, a question could take so long a way round that its TTL is spent.
    const COUNT: usize = 7;
    let _turn = turn();
    let built = solution("flood");
    let columns = ["links", "carried", "in vain", "2L-(n-1)", "bytes", "answer"];
    let mut text = head(&columns);
    // The last one has the song; in the ring the one at the other side.
    let shapes = [(line("a line", COUNT), COUNT - 1), (ring("a ring", COUNT), COUNT / 2)];
    for (shape, owner) in shapes.into_iter().chain([(mesh("a mesh", COUNT), COUNT - 1)]) {
        let mut network = Network::new(&built, COUNT, &shape, |number| number == owner);
        network.servents[0].types("find song\n");
        expect(&mut network.servents[0], "hit 1 ");
        let links = shape.links.len();
        let formula = 2 * links - (COUNT - 1);
        let carried = network.carried_at_rest(QUERY, formula);
        assert_eq!(carried, formula, "{}", shape.name);
        let answer = network.carried(QUERY_HIT);
        let numbers = [links, carried, carried - (COUNT - 1), formula, carried * QUERY_BYTES];
        let mut cells = numbers.map(|number| number.to_string()).to_vec();
        // Where there are several ways it takes the one that was faster.
        let (ways, told) = match links.cmp(&COUNT) {
            Ordering::Less => (COUNT - 1..COUNT, (COUNT - 1).to_string()),
            Ordering::Equal => (owner..COUNT - owner + 1, format!("{owner} or {}", COUNT - owner)),
            Ordering::Greater => (1..COUNT, "1 or more".to_owned()),
        };
        assert!(ways.contains(&answer), "{answer} in {}", shape.name);
        cells.push(told);
        text += &row(&format!("{COUNT} in {}", shape.name), &cells);
    }
    let [asked, answered, bytes] = cost_of_a_directory(COUNT);
    let numbers = [COUNT, asked, 0, 1, bytes, answered].map(|number| number.to_string());
    let mut cells = numbers.to_vec();
    cells[3] = "-".into();
    text += &row(&format!("{COUNT} at a directory"), &cells);
    agrees("harness/cost-of-a-search.txt", &text);
}

#[test]
fn the_tenth_of_a_line_is_too_far_as_the_book_says() {
    let _turn = turn();
    let built = solution("flood");
    let mut text = head(&["carried", "hits"]);
    for owner in [7, 8] {
        let mut network = Network::new(&built, 10, &line("a line", 10), |number| number == owner);
        network.servents[0].types("find song\n");
        let carried = network.carried_at_rest(QUERY, 7);
        if owner == 7 {
            expect(&mut network.servents[0], "hit 1 ");
        }
        let hits = usize::from(network.carried(QUERY_HIT) > 0);
        let cells = [carried, hits].map(|number| number.to_string());
        text += &row(&format!("a song {owner} links away"), &cells);
    }
    agrees("harness/too-far.txt", &text);
}

const NAMES: [&str; 4] = ["ann", "bob", "carol", "dave"];

/// How many of the others' songs those who live find, each of them looking for all.
fn hits(all: Vec<Running>) -> usize {
    all.into_iter().map(|running| running.rest().matches("hit ").count()).sum()
}

fn found_in(shape: &Shape, built: &Built, dead: Option<usize>) -> String {
    let count = NAMES.len();
    let mut network = Network::new(built, count, shape, |_| true);
    if let Some(dead) = dead {
        network.servents[dead].kill();
        for neighbour in shape.neighbours(dead) {
            expect(&mut network.servents[neighbour], "unlinked ");
        }
    }
    let living: Vec<usize> = (0..count).filter(|number| Some(*number) != dead).collect();
    let mut expected = 0;
    for &number in &living {
        let servent = &mut network.servents[number];
        servent.types("find song\n");
        let others = shape.reached(number, dead).len() - 1;
        (0..others).for_each(|_| expect(servent, "hit "));
        expected += others;
    }
    // One too many would come now.
    thread::sleep(Duration::from_millis(20));
    let servents = network.servents.into_iter().enumerate();
    let more = hits(servents.filter(|(at, _)| Some(*at) != dead).map(|(_, one)| one).collect());
    format!("{} of {}", expected + more, living.len() * (living.len() - 1))
}

fn found_by_a_directory(built: &Built, dead: Option<usize>) -> String {
    let mut index = Running::start(built, &["serve", "127.0.0.1:0"]);
    let at_index = index.address();
    let mut peers = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        let folder = with_song(Some(number));
        peers.push((share(built, name, &at_index, folder.path()), folder));
    }
    for (peer, _) in &mut peers {
        peer.types("find song\n");
        expect(peer, "found ");
    }
    let mut living: Vec<Running> = peers.into_iter().map(|(peer, _)| peer).collect();
    let index_is_dead = dead == Some(NAMES.len());
    if index_is_dead {
        index.kill();
        living.iter_mut().for_each(|peer| expect(peer, "index gone"));
    } else if let Some(dead) = dead {
        living.remove(dead).kill();
        expect(&mut index, "left ");
    }
    let mut found = 0;
    for peer in &mut living {
        peer.types("find song\n");
        // Without an index it says on standard error why there is no answer. With one, nobody may
        // leave before all have theirs.
        if !index_is_dead {
            found += until(peer, "found ").iter().filter(|line| line.starts_with("hit ")).count();
        }
    }
    let count = living.len();
    format!("{} of {}", found + hits(living), count * (count - 1))
}

#[test]
fn what_is_lost_with_each_is_what_the_book_says() {
    let _turn = turn();
    let (index, flood) = (solution("index"), solution("flood"));
    let killed: Vec<Option<usize>> = [None].into_iter().chain((0..4).map(Some)).collect();
    let mut text = head(&["nobody", "ann", "bob", "carol", "dave", "the index"]);
    let mut cells: Vec<_> = killed.iter().map(|dead| found_by_a_directory(&index, *dead)).collect();
    cells.push(found_by_a_directory(&index, Some(NAMES.len())));
    text += &row("a directory", &cells);
    for shape in
        [line("a line", 4), star("a star around ann", 4), ring("a ring", 4), mesh("a mesh", 4)]
    {
        let mut cells: Vec<_> = killed.iter().map(|dead| found_in(&shape, &flood, *dead)).collect();
        cells.push("-".into());
        text += &row(shape.name, &cells);
    }
    agrees("harness/killed.txt", &text);
}
