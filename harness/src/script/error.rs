//! A conversation that can't be understood.

use std::fmt;
use std::str::Utf8Error;

/// A place in a file where something else should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The file, as the reader knows it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl SyntaxError {
    /// A file that is no text.
    pub(super) fn not_utf8(file: &str, bytes: &[u8], error: Utf8Error) -> Self {
        let good = &bytes[..error.valid_up_to()];
        let line_start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Self {
            file: file.to_owned(),
            line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(&good[line_start..]).chars().count() + 1,
            expected: "text in UTF-8 (bytes that are no text are written with sends-hex)".into(),
            found: format!("the byte {:#04x}", bytes.get(good.len()).copied().unwrap_or_default()),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, expected, found } = self;
        write!(f, "{file}, line {line}, column {column}: expected {expected}, found {found}")
    }
}

impl std::error::Error for SyntaxError {}
