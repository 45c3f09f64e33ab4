//! What a lab is: its steps, and its checks.

use crate::program::Place;
use crate::trial::{Trial, Verdict};

/// One part of the course: a lab, which is a small program that the student completes; or
/// [`crate::labs::TOGETHER`], where programs of several labs meet.
#[derive(Debug)]
pub struct Lab {
    /// Its place in the course, from 1; what is no lab has none.
    pub number: Option<u8>,
    /// Short name; of a lab also the package, the binary and the first half of its checks' ids.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Folder below the course's root; empty for what is no lab.
    pub folder: &'static str,
    /// The modules beside its `main.rs`, which are given.
    pub given: &'static [&'static str],
    /// What its program takes on the command line, in order.
    pub arguments: &'static [Place],
    /// What the student writes, in order; of what is no lab, its parts.
    pub steps: &'static [Step],
    /// Its checks, by step: the order is the order in which they build on each other.
    pub checks: &'static [&'static [Check]],
    /// What the book shows of its program, in the order of its chapters.
    pub scenes: &'static [Scene],
    /// How the messages of its protocol are read, where a quotation of their bytes tells nothing.
    pub messages: Option<&'static Messages>,
    /// What who has completed it can do: continues "you can now".
    pub learned: &'static [&'static str],
    /// The step that reads from connections which an earlier one has made. A loop there that does
    /// not see the end of a stream fails checks of the earlier one, too.
    pub reading_step: Option<u8>,
}

/// One step of a lab: the body of one function, the marked region of the same name.
#[derive(Debug)]
pub struct Step {
    /// From 1.
    pub number: u8,
    /// The function and the region.
    pub name: &'static str,
    /// What the student writes, as an instruction.
    pub task: &'static str,
    /// The chapter that explains it: a file in `book/src`, without `.md`.
    pub chapter: &'static str,
    /// The labs whose programs its checks run.
    pub programs: &'static [&'static str],
}

/// One check: a sentence about the program's behaviour that holds or does not.
pub struct Check {
    /// The lab's name.
    pub lab: &'static str,
    /// Its function's name, `half_close`. The stable id is made of it: see [`Check::id`].
    pub name: &'static str,
    /// The sentence.
    pub title: &'static str,
    /// The last step that must be written for it to pass.
    pub step: u8,
    /// What it is worth.
    pub points: u32,
    /// Whether it is about conditions that are rare in a beginner's life: no descriptor left,
    /// little memory, a frozen process, a port that needs a privilege. Of several failures of a
    /// lab such a one is shown last, whatever its step.
    pub exotic: bool,
    /// Whether it has to let time pass, a second or more, where nothing is to be seen: whether a
    /// program gives up by itself. It gets a worker of its own, so that it holds up no other.
    pub patient: bool,
    /// The requirement that it enforces, in the words of the lab's contract or an RFC.
    pub requirement: &'static str,
    /// Carries it out.
    pub run: fn(&mut Trial) -> Verdict,
}

/// A short conversation that the book shows, of one thing. Not a check: it judges nothing but that
/// it comes to its end.
#[derive(Debug)]
pub struct Scene {
    /// What `lab trace` and the book call it.
    pub name: &'static str,
    /// The labs whose programs take part.
    pub programs: &'static [&'static str],
    /// What it shows.
    pub title: &'static str,
    /// Whether it shows system calls, too.
    pub syscalls: bool,
    /// Why each step of its figure matters, in their order: one sentence a step, neither more nor
    /// fewer. None where it has no figure.
    pub why: &'static [&'static str],
    /// Plays it.
    pub run: fn(&mut Trial) -> Verdict,
}

/// The messages of a binary protocol, for people.
#[derive(Debug)]
pub struct Messages {
    /// Makes alike what differs in each run, a random id; `first` is the first datagram of the whole
    /// recording, and empty where it has none.
    pub alike: fn(first: &[u8], Carried, &mut [u8]),
    /// What a message is, in a few words, by its first bytes; nothing where they do not tell. Over a
    /// stream there is a length before it.
    pub describe: fn(&[u8], Carried) -> Option<String>,
    /// The fields of a whole message, in order and without a gap.
    pub fields: fn(&[u8]) -> Vec<Field>,
    /// Those that the book shows byte by byte.
    pub specimens: &'static [Specimen],
}

/// A message that the book shows byte by byte.
#[derive(Debug)]
pub struct Specimen {
    /// What the book calls it.
    pub name: &'static str,
    /// What it is, for the reader.
    pub title: &'static str,
    /// The scene that it occurs in.
    pub scene: &'static str,
    /// Which of the scene's messages it is, from 1.
    pub message: usize,
}

/// What a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A datagram: all of it is the message.
    Datagram,
    /// A stream, where this call carried so many bytes: in front of it stands what says where it
    /// ends, and the call may have carried a part of it.
    Stream(usize),
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// How many bytes it has.
    pub length: usize,
    /// What its protocol calls it.
    pub name: String,
    /// What it says.
    pub value: String,
    /// What it is for, as a sentence.
    pub why: String,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Lab {
    /// Its checks, in the order in which they build on each other.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> + Clone + use<> {
        self.checks.iter().copied().flatten()
    }

    /// The name of its folder below `fixtures/`: that of its folder below `labs/`.
    pub fn fixtures(&self) -> &'static str {
        self.folder.strip_prefix("labs/").unwrap_or(self.name)
    }

    /// Whether it is a program to write, and not [`crate::labs::TOGETHER`].
    pub fn is_lab(&self) -> bool {
        self.number.is_some()
    }
}
