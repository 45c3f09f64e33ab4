//! Conversations: what is said on connections, as text that a person can read and write.
//!
//! A file in `fixtures/LAB/conversations` tells a conversation line by line. Some sides are the
//! programs under test, and the harness plays the others; where the file allows it, it is played
//! again with the sides exchanged. What the harness sends is cut into segments in five ways: see
//! [`Segments`]. The format is explained in `book/src/conversations.md`.
//!
//! Nothing here knows a lab. What its conversations can speak of is its [`Vocabulary`], and its
//! room starts the programs and knows the protocols: it is a [`Stage`].

mod bytes;
mod cast;
mod check;
mod cursor;
mod error;
mod facts;
mod finish;
mod hear;
mod parse;
mod play;
mod segments;
mod stage;
mod statement;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::net::LineEnd;
use crate::root;
use crate::trial::{Stop, Verdict};

pub use bytes::Bytes;
pub use error::SyntaxError;
pub use parse::parse;
pub use play::play;
pub use segments::{Burst, Segments, bursts};
pub use stage::{Expected, Player, Stage, Transcript, Vocabulary, Wording};

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The file's name, as the reader knows it: `fixtures/03-peer/conversations/say.txt`.
    pub file: String,
    /// What ends a line on a connection: LF, or CRLF.
    pub line_end: LineEnd,
    /// The sides' names.
    pub sides: Vec<String>,
    /// Which sides the programs play (indices into `sides`): a list for each time that the
    /// conversation is played.
    pub programs: Vec<Vec<usize>>,
    /// What is there before anything is started.
    pub given: Vec<Premise>,
    /// What happens, in order.
    pub lines: Vec<Line>,
}

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Who acts: an index into the sides. Nobody does in a line with `then`.
    pub side: Option<usize>,
    /// What it does.
    pub act: Action,
    /// The line as it stands in the file.
    pub text: String,
}

/// What is there before anything is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Premise {
    /// A file of this name, with this content.
    File(String, Vec<u8>),
    /// What the lab's room provides.
    Fact(Fact),
}

/// What only a lab's room understands: one of the forms of its [`Vocabulary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The form: `user NAME PASSWORD`.
    pub form: &'static str,
    /// What stands for the words in capital letters.
    pub words: Vec<String>,
}

/// What a side does, or what is true then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Calls another side; of a program that listens in several places, for this service.
    Calls(usize, Option<&'static str>),
    /// Sends a line of text. In an expectation, `*` stands for anything.
    Says(String),
    /// Sends these bytes and nothing more.
    Sends(Bytes),
    /// Sends one whole reply. Only a program does.
    Answers(String),
    /// Receives a line of text. Only the harness's side tells.
    Hears(String),
    /// Receives these bytes. Only the harness's side tells.
    Receives(Bytes),
    /// Ends its sending side (FIN).
    Ends,
    /// Closes: an orderly end or a reset.
    Closes,
    /// Tears the connection down (RST).
    Resets,
    /// Sends nothing, and is at rest.
    IsSilent,
    /// Is killed (SIGKILL).
    Dies,
    /// Is started again, where it was.
    IsStartedAgain,
    /// Is stopped (SIGSTOP).
    Freezes,
    /// Goes on (SIGCONT).
    Thaws,
    /// Its user types a line.
    Types(String),
    /// Its user ends standard input.
    Quits,
    /// Prints a line on standard output. `*` stands for anything.
    Prints(String),
    /// Ends with this exit status.
    Exits(i32),
    /// There is a file of this name with this content.
    HasFile(String, Vec<u8>),
    /// There is no such file.
    HasNoFile(String),
    /// What the lab's room can say.
    Holds(Fact),
}

impl Conversation {
    /// The last part of the file's name: `say.txt`.
    pub fn short_name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }
}

/// As it stands in the file.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.words.iter();
        for (index, word) in self.form.split(' ').enumerate() {
            let space = if index > 0 { " " } else { "" };
            if facts::is_place(word) {
                write!(f, "{space}{}", words.next().map_or("", String::as_str))?
            } else {
                write!(f, "{space}{word}")?
            }
        }
        Ok(())
    }
}

/// All conversations of a folder, in the order of their names, each as it was read or with what
/// is wrong with it.
pub fn load(
    folder: &Path,
    vocabulary: &Vocabulary,
) -> io::Result<Vec<Result<Conversation, SyntaxError>>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files.iter().map(|path| read(path, vocabulary)).collect()
}

/// Plays all conversations of a folder of the course, each on a stage of its own. A file that can't be
/// read is a fault.
pub fn play_all<S: Stage>(folder: &str, vocabulary: &Vocabulary, stage: impl Fn() -> S) -> Verdict {
    for conversation in load(&root::find_root()?.join(folder), vocabulary)? {
        let conversation = conversation.map_err(|error| Stop::Fault(error.to_string()))?;
        play(&mut stage(), &conversation)?;
    }
    Ok(())
}

/// One file. Its name for the reader is its path from `fixtures` on.
pub fn read(path: &Path, vocabulary: &Vocabulary) -> io::Result<Result<Conversation, SyntaxError>> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let file = match parts.iter().rposition(|part| part == "fixtures") {
        Some(from) => parts[from..].join("/"),
        None => path.to_string_lossy().into_owned(),
    };
    let bytes = fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => parse(&file, &text, vocabulary),
        Err(error) => Err(SyntaxError::not_utf8(&file, error.as_bytes(), error.utf8_error())),
    })
}
