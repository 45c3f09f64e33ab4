//! Conversations: what is said on a connection, as text that a person can read and write.
//!
//! A file in `fixtures/LAB/conversations` tells a conversation of two sides, line by line. The
//! harness plays one side and the program under test the other one; where the file allows it,
//! the same file is played again with the sides exchanged. What the harness sends is cut into
//! segments in five ways: see [`Segments`]. The format is explained in
//! `book/src/conversations.md`.

mod error;
mod parse;
mod play;
mod segments;

use std::fs;
use std::io;
use std::path::Path;

pub use error::SyntaxError;
pub use parse::parse;
pub use play::{Player, Stage, play};
pub use segments::{Segments, bursts};

/// A conversation of two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The file's name, as the reader knows it: `fixtures/03-peer/conversations/say.txt`.
    pub file: String,
    /// The two sides' names; the first one calls the second.
    pub sides: [String; 2],
    /// Which sides the program can play: indices into `sides`.
    pub program: Vec<usize>,
    /// What happens, in order.
    pub lines: Vec<Line>,
}

/// One line of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Who acts: an index into the sides.
    pub side: usize,
    /// What it does.
    pub act: Action,
    /// The line as it stands in the file.
    pub text: String,
}

/// What a side does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends a line of text and LF. In an expectation, `*` stands for anything.
    Says(String),
    /// Sends these bytes and nothing more.
    Sends(Vec<u8>),
    /// Ends its sending side (FIN).
    Ends,
    /// Closes: an orderly end or a reset.
    Closes,
    /// Tears the connection down (RST).
    Resets,
    /// Sends nothing, and is at rest.
    IsSilent,
    /// Its user types a line.
    Types(String),
    /// Its user ends standard input.
    Quits,
    /// Prints a line on standard output. `*` stands for anything.
    Prints(String),
    /// Ends with this exit status.
    Exits(i32),
}

/// All conversations of a folder, in the order of their names, each as it was read or with what
/// is wrong with it.
pub fn load(folder: &Path) -> io::Result<Vec<Result<Conversation, SyntaxError>>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

/// One file. Its name for the reader is its path from `fixtures` on.
pub fn read(path: &Path) -> io::Result<Result<Conversation, SyntaxError>> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let from = parts.iter().rposition(|part| part == "fixtures").unwrap_or_default();
    let file = parts[from..].join("/");
    let bytes = fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => parse(&file, &text),
        Err(error) => Err(SyntaxError::not_utf8(&file, error.as_bytes(), error.utf8_error())),
    })
}
