//! Conversations of several connections, with bytes, files and crashes, are played against small
//! programs: what is right passes, and what is wrong is told in true words.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use sockets_lab::labs::peer::{self, Peers};
use sockets_lab::net::{Listener, Service};
use sockets_lab::program::{Stdin, Template};
use sockets_lab::run::build::{Built, build};
use sockets_lab::script::{self, Expected, Player, Stage, Transcript, Vocabulary};
use sockets_lab::trial::{Addresses, Needs, Scratch, Stop, Trial, Verdict};
use sockets_lab::verdict::Failure;

use super::corpus;
use super::counterparts::installed;

/// What the conversations with a clerk can speak of: see `clerk.py`.
const VOCABULARY: Vocabulary =
    Vocabulary { services: &["KEEP", "READ"], replies: true, files: true, ..Vocabulary::LEAST };

/// The stage of a clerk.
struct Office {
    trial: Trial,
    mode: &'static str,
    folder: Option<Scratch>,
    /// Where it keeps notes, and where it lets read them.
    doors: Option<[SocketAddr; 2]>,
}

struct Clerk {
    keep: Service,
    read: Service,
}

impl Stage for Office {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    fn begin(&mut self) -> Verdict {
        self.doors = None;
        self.folder = Some(self.trial.scratch("NOTES")?);
        Ok(())
    }

    fn folder(&self) -> Option<&Scratch> {
        self.folder.as_ref()
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        Err(Stop::Fault(format!("a clerk does not call {side}")))
    }

    fn start(&mut self, name: &str, _: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let free = || self.trial.addresses().free_address();
        let [keep, read] = *self.doors.get_or_insert_with(|| [free(), free()]);
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/course/clerk.py"));
        command.args([self.mode, &keep.to_string(), &read.to_string()]);
        command.arg(self.folder.as_ref().unwrap().path());
        let running = self.trial.start_command(name, command, "clerk.py", Stdin::Null)?;
        let keep = self.trial.listening(running, keep)?;
        let mut clerk = Clerk { read: keep.clone(), keep };
        clerk.read.address = read;
        Ok(Box::new(clerk))
    }

    /// `250-kept`, `250 note`: all lines up to the first that has no hyphen.
    fn reply(&self, told: &Transcript<'_>) -> Option<usize> {
        assert_eq!(told.service, Some("KEEP"));
        let mut length = 0;
        for line in told.unread.split_inclusive(|byte| *byte == b'\n') {
            length += line.len();
            if line.ends_with(b"\n") && line.get(3) != Some(&b'-') {
                return Some(length);
            }
        }
        None
    }

    fn is_reply(&self, pattern: &str, reply: &[u8]) -> bool {
        reply.starts_with(pattern.as_bytes())
    }

    fn cause(&self, _: Expected<'_>) -> &str {
        "the clerk is to blame"
    }
}

impl Player for Clerk {
    fn service(&self, name: Option<&str>) -> &Service {
        if name == Some("READ") { &self.read } else { &self.keep }
    }
}

fn sample(name: &str) -> String {
    corpus::read(&corpus::root().join("book/recordings/harness").join(format!("{name}.txt")))
}

/// Plays a conversation with a clerk; `None` where that can't be done here.
fn played(mode: &'static str, name: &str, text: &str) -> Option<Result<(), Box<Failure>>> {
    if !installed("python3") {
        println!("skipped: python3 is not installed");
        return None;
    }
    let file = format!("fixtures/clerk/conversations/{name}.txt");
    let conversation = script::parse(&file, text, &VOCABULARY).unwrap();
    let trial = Trial::new(Vec::new(), Addresses::shared(), Needs::All);
    let mut office = Office { trial: trial.clone(), mode, folder: None, doors: None };
    match script::play(&mut office, &conversation).and_then(|()| trial.end()) {
        Ok(()) => Some(Ok(())),
        Err(Stop::Fail(failure)) => Some(Err(failure)),
        Err(Stop::Skip(why)) => {
            println!("skipped: {why}");
            None
        }
        Err(stop) => panic!("{stop:#?}"),
    }
}

fn passes(mode: &'static str, name: &str) {
    if let Some(Err(failure)) = played(mode, name, &sample(name)) {
        panic!("{failure:#?}");
    }
}

/// The failure of a clerk that does it wrong.
fn fails(mode: &'static str, name: &str) -> Option<Box<Failure>> {
    played(mode, name, &sample(name))?.err().or_else(|| panic!("{mode} passes {name}"))
}

fn says(texts: &[String], words: &str) -> bool {
    texts.iter().any(|text| text.contains(words))
}

#[test]
fn several_connections_files_and_a_crash_are_played() {
    passes("right", "crash");
}

#[test]
fn bytes_are_sent_and_remembered() {
    passes("bytes", "bytes");
}

#[test]
fn the_file_is_named_in_the_headline_and_with_its_path_in_what_was_done() {
    let Some(failure) = fails("keeps-it-in-memory", "crash") else { return };
    let words = "crash.txt, line 22: the clerk sent bob another line than expected";
    assert_eq!(failure.headline, words);
    let first = "fixtures/clerk/conversations/crash.txt: the program is clerk, and the harness \
                 alice, bob and carol, who send successive lines in one segment";
    assert_eq!(failure.steps[0], first);
    assert!(says(&failure.steps, "the clerk was killed (SIGKILL)"), "{failure:#?}");
    assert!(says(&failure.seen, "-ERR no such note"), "{failure:#?}");
}

#[test]
fn a_line_without_its_carriage_return_is_another_line() {
    let Some(failure) = fails("ends-lines-with-lf", "read") else { return };
    assert!(failure.headline.starts_with("read.txt, line 5: the clerk sent bob another line"));
    assert_eq!(failure.expected, [r#"the line "-ERR no such note\r\n""#]);
    assert_eq!(failure.seen, [r#"the line "-ERR no such note\n""#]);
    assert!(failure.cause[0].contains("CRLF"), "{failure:#?}");
}

#[test]
fn a_program_that_takes_a_read_for_a_line_fails_where_the_segments_differ() {
    let Some(failure) = fails("takes-a-read-for-a-line", "crash") else { return };
    assert!(failure.headline.starts_with("crash.txt, line "), "{failure:#?}");
}

#[test]
fn a_number_in_the_wrong_order_is_shown_at_its_byte() {
    let Some(failure) = fails("bytes-in-the-wrong-order", "bytes") else { return };
    assert!(failure.headline.starts_with("bytes.txt, line 9: "), "{}", failure.headline);
    assert_eq!(failure.difference.unwrap().offset, 2, "after the two bytes that are free");
}

#[test]
fn another_reply_a_file_and_the_lack_of_one_are_told() {
    let start = "the program is clerk\nends lines with CRLF\nbob calls clerk for KEEP\n\
                 clerk answers 220\nbob says KEEP a\n";
    for (rest, headline, seen) in [
        (
            "clerk answers 250\n",
            "line 6: the clerk sent bob another reply",
            "the reply \"354 go on",
        ),
        ("clerk answers 354\nclerk answers 250\n", "line 7: bob did not hear", "nothing can come"),
        (
            "clerk answers 354\nbob ends\nclerk answers 250\nclerk answers 221\n",
            "line 9: the clerk \
          closed the connection with bob",
            "the end of the stream (FIN)",
        ),
        (
            "clerk answers 354\nbob says x\nbob says .\nclerk answers 250\nthen file a is y\n",
            "line 10: NOTES/a does not hold what it should",
            "NOTES/a, 1 byte: \"x\"",
        ),
        (
            "clerk answers 354\nbob says x\nbob says .\nclerk answers 250\nthen there is no file a\n",
            "line 10: there is a file NOTES/a",
            "NOTES/a, 1 byte: \"x\"",
        ),
        ("clerk answers 354\nthen file b is y\n", "line 7: there is no file NOTES/b", "no file"),
        (
            "clerk answers 354\nbob says .\nclerk answers 250\nbob says NOOP\n",
            "after the last line: bob heard something",
            "500 what?",
        ),
    ] {
        let text = format!("{start}{rest}");
        let Some(played) = played("right", "a", &text) else { return };
        let failure = played.unwrap_err();
        assert!(failure.headline.contains(headline), "{rest}: {failure:#?}");
        assert!(says(&failure.seen, seen), "{rest}: {failure:#?}");
    }
}

#[test]
fn several_programs_and_the_harness_are_played_together() {
    let template = match build(Path::new(env!("CARGO_MANIFEST_DIR")), &peer::LAB).unwrap() {
        Built::Program(file) => Template::new(&file, peer::LAB.arguments, peer::LAB.name),
        Built::Broken(words) => panic!("{words}"),
    };
    let trial = Trial::new(vec![("peer".to_owned(), template)], Addresses::shared(), Needs::All);
    let play = |text: &str| {
        let conversation = script::parse("fixtures/mesh.txt", text, &peer::VOCABULARY).unwrap();
        script::play(&mut Peers::new(trial.clone()), &conversation)
    };
    match play(&sample("mesh")) {
        Ok(()) => {}
        Err(Stop::Skip(why)) => return println!("skipped: {why}"),
        Err(stop) => panic!("{stop:#?}"),
    }
    let wrong = sample("mesh").replace("carl hears SAY so am I", "carl hears SAY me too");
    let Err(Stop::Fail(failure)) = play(&wrong) else { panic!("it is not said") };
    assert_eq!(
        failure.headline,
        "mesh.txt, line 19: the peer ann sent carl another line than expected"
    );
}
