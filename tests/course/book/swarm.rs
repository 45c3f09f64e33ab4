//! What the lab's own tracker and two of its peers say while a song goes from one to the other, and the
//! torrent that describes it, for the book.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::builds::Built;
use super::runs::turn;
use super::tables::{Running, agrees, solution};

/// The song of the book.
const SONG: &str = "la la land\n";
/// What the files of the book are called.
const NAME: &str = "song.txt";

/// The lab's tracker, and what it says on standard error.
struct Tracker {
    child: Child,
    address: String,
    said: BufReader<ChildStderr>,
}

impl Drop for Tracker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tracker {
    fn start(built: &Built) -> Self {
        let mut command = Command::new(built.file());
        command.args(["track", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let address = ready.trim_end().strip_prefix("listening on ").expect("ready").to_owned();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, address, said }
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// A folder with the song in it.
fn with_song() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(NAME), SONG).unwrap();
    folder
}

/// Has the lab's program describe the song in a torrent.
fn make(built: &Built, folder: &Path, url: &str) -> Vec<u8> {
    let torrent = folder.join("song.torrent");
    let mut command = Command::new(built.file());
    command.arg("make").arg(folder.join(NAME)).arg(url).arg(&torrent);
    assert!(command.status().unwrap().success());
    fs::read(torrent).unwrap()
}

/// Starts a peer: it, and the port where it listens.
fn peer(built: &Built, torrent: &Path, folder: &Path) -> (Running, String) {
    let mut command = Command::new(built.file());
    command.arg(torrent).arg(folder).arg("127.0.0.1:0").stderr(Stdio::null());
    let mut peer = Running::of(command);
    let address = peer.address();
    (peer, address.rsplit_once(':').unwrap().1.to_owned())
}

#[test]
fn a_torrent_is_what_the_book_shows() {
    let (built, folder) = (solution("swarm"), with_song());
    let torrent = make(&built, folder.path(), "http://127.0.0.1:6969/announce");
    let shown = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' };
    let text: String = torrent.iter().map(shown).collect();
    agrees("harness/torrent.txt", &format!("{text}\n"));
}

#[test]
fn two_peers_and_a_tracker_say_what_the_book_shows() {
    let _turn = turn();
    let built = solution("swarm");
    let mut tracker = Tracker::start(&built);
    let (ann_has, bob_has) = (with_song(), tempfile::tempdir().unwrap());
    make(&built, ann_has.path(), &format!("http://{}/announce", tracker.address));
    let torrent = ann_has.path().join("song.torrent");
    let (mut ann, ann_port) = peer(&built, &torrent, ann_has.path());
    let mut heard = vec![tracker.hears()];
    let (mut bob, bob_port) = peer(&built, &torrent, bob_has.path());
    let mut bob_said: Vec<String> = (0..4).map(|_| bob.line()).collect();
    assert_eq!(bob_said.last().unwrap(), "complete");
    heard.extend([tracker.hears(), tracker.hears()]);
    let mut ann_said: Vec<String> = (0..2).map(|_| ann.line()).collect();
    assert_eq!(fs::read_to_string(bob_has.path().join(NAME)).unwrap(), SONG);

    let from = ann_said[1].split(' ').nth(1).unwrap().rsplit_once(':').unwrap().1.to_owned();
    ann_said.insert(0, format!("listening on 127.0.0.1:{ann_port}"));
    bob_said.insert(0, format!("listening on 127.0.0.1:{bob_port}"));
    let mut text = String::new();
    for (who, lines) in [("the tracker", heard), ("a", ann_said), ("b", bob_said)] {
        for line in lines {
            text += &format!("{who:<13}{line}\n");
        }
    }
    for (port, name) in [(ann_port, "6881"), (bob_port, "6882"), (from, "50001")] {
        text = text.replace(&port, name);
    }
    agrees("harness/swarm-of-two.txt", &text);
}
