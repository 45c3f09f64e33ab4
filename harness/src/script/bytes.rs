//! Bytes as a person writes them: `8400 u16 258 text "GNUTELLA" zeros 8 .. @id`.

use std::collections::HashMap;
use std::fmt;

use super::SyntaxError;
use super::cursor::{Cursor, is_name};
use crate::net::noise;

/// What is sent, or what is expected: then parts of it may be free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Exact(Vec<u8>),
    /// `..`: one byte of any value.
    Any,
    /// `@id:2`: so many bytes of any value, which the file calls `@id` from then on.
    Remember(String, usize),
    /// `@id`: the bytes that were remembered.
    Recall(String),
}

/// What a conversation has remembered so far, by name.
pub(super) type Memory = HashMap<String, Vec<u8>>;
/// The contents of the files that are given, by name.
pub(super) type Files = HashMap<String, Vec<u8>>;

/// More than this in one statement is a slip of the pen.
pub(super) const MOST: usize = 16 * 1024 * 1024;
/// The longest value that is remembered, in bytes.
const MOST_REMEMBERED: usize = 1024;

const EXPECTED: &str = "bytes: pairs of hexadecimal digits (48 0a), `..`, `@NAME`, `u8`, `u16`, \
    `u32`, `u64` or `u16le` … and a number, `text \"…\"`, `zeros N`, `noise N`, or `file NAME`";

impl Bytes {
    /// These bytes and no others.
    pub(super) fn exact(bytes: Vec<u8>) -> Self {
        Self(vec![Piece::Exact(bytes)])
    }

    /// Reads to the end of the line; `files` are those that the conversation gives.
    pub(super) fn read(cursor: &mut Cursor<'_>, files: &Files) -> Result<Self, SyntaxError> {
        let mut bytes = Self::default();
        loop {
            let start = *cursor;
            bytes.read_piece(cursor, files)?;
            if bytes.0.iter().map(Piece::length).sum::<usize>() > MOST {
                return Err(start.error("less: a statement has at most 16 MiB"));
            }
            if cursor.is_at_end() {
                return Ok(bytes);
            }
        }
    }

    fn read_piece(&mut self, cursor: &mut Cursor<'_>, files: &Files) -> Result<(), SyntaxError> {
        let start = *cursor;
        let (at, word) = cursor.word(EXPECTED)?;
        let wrong = |expected: &str| Err(start.back_to(at).error(expected));
        match word {
            ".." => self.0.push(Piece::Any),
            "text" => self.add(&quoted(cursor)?),
            "zeros" => self.add(&vec![0; cursor.number("how many zeros: a number", MOST)?]),
            "noise" => self.add(&noise(1, cursor.number("how many bytes: a number", MOST)?)),
            "file" => self.add(part_of_file(cursor, files)?),
            _ => {
                if let Some(name) = word.strip_prefix('@') {
                    return match name.split_once(':') {
                        None if is_name(name) => {
                            self.0.push(Piece::Recall(name.to_owned()));
                            Ok(())
                        }
                        Some((name, length)) if is_name(name) => match length.parse() {
                            Ok(length @ 1..=MOST_REMEMBERED) => {
                                self.0.push(Piece::Remember(name.to_owned(), length));
                                Ok(())
                            }
                            _ => wrong("a number of bytes from 1 to 1024 after the colon: `@id:2`"),
                        },
                        _ => wrong("a name after the @: `@id:2`, and then `@id`"),
                    };
                }
                if let Some((size, little)) = integer(word) {
                    let most = u64::MAX >> (64 - 8 * size as u32);
                    let expected = format!("a number from 0 to {most}");
                    let number = cursor.number(&expected, most)?;
                    if little {
                        self.add(&number.to_le_bytes()[..size])
                    } else {
                        self.add(&number.to_be_bytes()[8 - size..])
                    }
                    return Ok(());
                }
                match hex(word) {
                    Some(bytes) => self.add(&bytes),
                    None => return wrong(EXPECTED),
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Piece::Exact(before)) => before.extend_from_slice(bytes),
            _ => self.0.push(Piece::Exact(bytes.to_vec())),
        }
    }

    /// Whether a part of it is for the program to choose.
    pub(super) fn is_free(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Any | Piece::Remember(..)))
    }

    /// The names that it uses and that must have been remembered before.
    pub(super) fn recalls(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Recall(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The names that it remembers.
    pub(super) fn remembers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Remember(name, _) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What is to come, where `seen` is what has come: what is free in it is as it has come, and
    /// 0 where nothing has.
    pub(super) fn like(&self, seen: &[u8], memory: &Memory) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Exact(exact) => bytes.extend_from_slice(exact),
                Piece::Recall(name) => {
                    bytes.extend_from_slice(memory.get(name).map_or(&[][..], Vec::as_slice));
                }
                Piece::Any | Piece::Remember(..) => {
                    for _ in 0..piece.length() {
                        bytes.push(seen.get(bytes.len()).copied().unwrap_or_default());
                    }
                }
            }
        }
        bytes
    }

    /// Remembers what `seen`, which is as expected, has in the places that have a name.
    pub(super) fn remember(&self, seen: &[u8], memory: &mut Memory) {
        let mut at = 0;
        for piece in &self.0 {
            let length = match piece {
                Piece::Recall(name) => memory.get(name).map_or(0, Vec::len),
                _ => piece.length(),
            };
            if let (Piece::Remember(name, _), Some(value)) = (piece, seen.get(at..at + length)) {
                memory.insert(name.clone(), value.to_vec());
            }
            at += length;
        }
    }
}

impl Piece {
    /// In bytes; 0 for what was remembered, whose length stands elsewhere.
    fn length(&self) -> usize {
        match self {
            Self::Exact(bytes) => bytes.len(),
            Self::Any => 1,
            Self::Remember(_, length) => *length,
            Self::Recall(_) => 0,
        }
    }
}

/// As it can be written in a file.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, " ")?;
            }
            match piece {
                Piece::Exact(bytes) => {
                    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    write!(f, "{}", pairs.join(" "))?;
                }
                Piece::Any => write!(f, "..")?,
                Piece::Remember(name, length) => write!(f, "@{name}:{length}")?,
                Piece::Recall(name) => write!(f, "@{name}")?,
            }
        }
        Ok(())
    }
}

/// `48` or `48656c6c6f`: pairs of digits.
fn hex(word: &str) -> Option<Vec<u8>> {
    let digits = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits || !word.len().is_multiple_of(2) {
        return None;
    }
    (0..word.len()).step_by(2).map(|at| u8::from_str_radix(&word[at..at + 2], 16).ok()).collect()
}

/// `u16`, `u32le`: the size in bytes, and whether the lowest byte comes first.
fn integer(word: &str) -> Option<(usize, bool)> {
    let (bits, little) = match word.strip_suffix("le") {
        Some(bits) => (bits, true),
        None => (word, false),
    };
    match bits {
        "u8" => Some((1, little)),
        "u16" => Some((2, little)),
        "u32" => Some((4, little)),
        "u64" => Some((8, little)),
        _ => None,
    }
}

/// `"GNUTELLA\n"`.
fn quoted(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, SyntaxError> {
    const OPEN: &str = "a text in quotation marks: \"…\", with \\n, \\r, \\t, \\0, \\\" and \\\\";
    if cursor.is_at_end() {
        return Err(cursor.error(OPEN));
    }
    let (start, rest) = (*cursor, &cursor.line[cursor.at..]);
    let mut characters = rest.char_indices();
    if !matches!(characters.next(), Some((_, '"'))) {
        return Err(cursor.error(OPEN));
    }
    let mut text = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                cursor.at += at + 1;
                return Ok(text.into_bytes());
            }
            '\\' => text.push(match characters.next() {
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, '0')) => '\0',
                Some((_, same @ ('"' | '\\'))) => same,
                _ => return Err(start.back_to(start.at + at).error(OPEN)),
            }),
            _ => text.push(character),
        }
    }
    Err(start.back_to(start.line.len()).error("a closing quotation mark"))
}

/// `a.bin`, `a.bin from 100`, `a.bin from 100 length 50`.
fn part_of_file<'f>(cursor: &mut Cursor<'_>, files: &'f Files) -> Result<&'f [u8], SyntaxError> {
    let start = *cursor;
    let (at, name) = cursor.word("the name of a file")?;
    let Some(content) = files.get(name) else {
        return Err(start.back_to(at).error("a file that a line `given file` above names"));
    };
    let mut from = 0;
    if cursor.takes(&["from"]) {
        let expected = format!("an offset from 0 to {}, the file's size", content.len());
        from = cursor.number(&expected, content.len())?;
    }
    let mut length = content.len() - from;
    if cursor.takes(&["length"]) {
        let expected = format!("a number of bytes from 0 to {length}: there are no more");
        length = cursor.number(&expected, length)?;
    }
    Ok(&content[from..from + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Bytes, String> {
        let files = Files::from([("a.txt".to_owned(), b"hello".to_vec())]);
        let mut cursor = Cursor { file: "a.txt", number: 1, line, at: 0 };
        Bytes::read(&mut cursor, &files).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_text_and_files_become_bytes() {
        for (line, bytes) in [
            ("48 0a", &b"H\n"[..]),
            ("8400 0001", b"\x84\x00\x00\x01"),
            ("u8 255 u16 258 u32le 300000", b"\xff\x01\x02\xe0\x93\x04\x00"),
            ("u64 1 u16le 258", b"\0\0\0\0\0\0\0\x01\x02\x01"),
            ("text \"a b\\r\\n\\0\\\"\\\\\" 21", b"a b\r\n\0\"\\!"),
            ("zeros 3", b"\0\0\0"),
            ("file a.txt file a.txt from 3 file a.txt from 1 length 2", b"hellolo\x65\x6c"),
        ] {
            assert_eq!(read(line).unwrap(), Bytes::exact(bytes.to_vec()), "{line}");
        }
        assert_eq!(read("noise 40").unwrap(), Bytes::exact(noise(1, 40)));
    }

    #[test]
    fn what_was_remembered_is_expected_again() {
        let mut memory = Memory::new();
        let first = read("@id:2 01 ..").unwrap();
        assert!(first.is_free());
        assert_eq!(first.like(b"\x12\x34\x01", &memory), b"\x12\x34\x01\x00");
        first.remember(b"\x12\x34\x01\x99", &mut memory);
        let second = read("84 @id").unwrap();
        assert!(!second.is_free());
        assert_eq!(second.like(b"", &memory), b"\x84\x12\x34");
        assert_eq!((second.recalls().count(), first.remembers().count()), (1, 1));
    }

    #[test]
    fn an_error_names_the_place_and_what_should_stand_there() {
        for (line, words) in [
            ("", "column 1: expected bytes: pairs"),
            ("4", "column 1: expected bytes: pairs of hexadecimal digits (48 0a)"),
            ("48 +1", "column 4: expected bytes: pairs"),
            ("u16", "column 4: expected a number from 0 to 65535, found the end of the line"),
            ("u16 65536", "column 5: expected a number from 0 to 65535"),
            ("u8le 300", "column 6: expected a number from 0 to 255"),
            ("u64 18446744073709551616", "column 5: expected a number from 0 to 1844674407370955"),
            ("text hello", "column 6: expected a text in quotation marks"),
            ("text", "column 5: expected a text in quotation marks"),
            ("text \"hello", "column 12: expected a closing quotation mark"),
            ("text \"a\\x\"", "column 8: expected a text in quotation marks"),
            ("zeros x", "column 7: expected how many zeros"),
            ("zeros 16777216 00", "column 16: expected less"),
            ("noise -1", "column 7: expected how many bytes"),
            ("file b.txt", "column 6: expected a file that a line `given file` above names"),
            ("file", "column 5: expected the name of a file"),
            ("file a.txt from 6", "column 17: expected an offset from 0 to 5"),
            ("file a.txt from 3 length 3", "column 26: expected a number of bytes from 0 to 2"),
            ("@", "column 1: expected a name after the @"),
            ("00 @a/b", "column 4: expected a name after the @"),
            ("@id:0", "column 1: expected a number of bytes from 1 to 1024"),
            ("@id:x", "column 1: expected a number of bytes from 1 to 1024"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{line:?}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(
            pieces in proptest::collection::vec((0..4, proptest::collection::vec(0_u8.., 1..9)), 1..6),
        ) {
            let mut written = Bytes::default();
            for (kind, bytes) in pieces {
                match kind {
                    0 => written.0.push(Piece::Any),
                    1 => written.0.push(Piece::Remember(format!("id{}", bytes[0]), bytes.len())),
                    2 => written.0.push(Piece::Recall(format!("id{}", bytes[0]))),
                    _ => written.add(&bytes),
                }
            }
            proptest::prop_assert_eq!(read(&written.to_string()).unwrap(), written);
        }
    }
}
