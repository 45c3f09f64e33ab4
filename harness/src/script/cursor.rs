//! A place in a line of a file, and what can be read from there on.

use super::SyntaxError;

/// A place in a line.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) file: &'a str,
    /// The line's number, from 1.
    pub(super) number: usize,
    pub(super) line: &'a str,
    /// Offset in bytes.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    fn skip_spaces(&mut self) {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.at == self.line.len()
    }

    /// The same line at another offset.
    pub(super) fn back_to(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The next word and its offset.
    pub(super) fn word(&mut self, expected: &str) -> Result<(usize, &'a str), SyntaxError> {
        self.skip_spaces();
        let (rest, at) = (&self.line[self.at..], self.at);
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        if word.is_empty() {
            return Err(self.error(expected));
        }
        self.at += word.len();
        Ok((at, word))
    }

    /// Whether these words come next; takes them if they do.
    pub(super) fn takes(&mut self, words: &[&str]) -> bool {
        let start = *self;
        let taken =
            words.iter().all(|word| matches!(self.word(""), Ok((_, next)) if next == *word));
        if !taken {
            *self = start;
        }
        taken
    }

    pub(super) fn keyword(&mut self, keyword: &str, expected: &str) -> Result<(), SyntaxError> {
        let start = *self;
        match self.word(expected)? {
            (_, word) if word == keyword => Ok(()),
            (at, _) => Err(start.back_to(at).error(expected)),
        }
    }

    /// A name of a side: letters, digits, `-` and `_`.
    pub(super) fn name(&mut self, expected: &str) -> Result<(usize, &'a str), SyntaxError> {
        let start = *self;
        let (at, word) = self.word(expected)?;
        if is_name(word) { Ok((at, word)) } else { Err(start.back_to(at).error(expected)) }
    }

    pub(super) fn number<N>(&mut self, expected: &str, most: N) -> Result<N, SyntaxError>
    where
        N: std::str::FromStr + PartialOrd,
    {
        let start = *self;
        let (at, word) = self.word(expected)?;
        match word.parse() {
            Ok(number) if number <= most => Ok(number),
            _ => Err(start.back_to(at).error(expected)),
        }
    }

    /// All that stands behind one space, as it is.
    pub(super) fn rest(&mut self, expected: &str) -> Result<&'a str, SyntaxError> {
        let rest = &self.line[self.at..];
        let Some(text) = rest.strip_prefix(' ') else {
            return Err(self.error(&format!("a space and {expected}")));
        };
        self.at = self.line.len();
        Ok(text)
    }

    /// The same, or nothing at all.
    pub(super) fn rest_or_nothing(&mut self, expected: &str) -> Result<&'a str, SyntaxError> {
        if self.at == self.line.len() { Ok("") } else { self.rest(expected) }
    }

    /// What stands before the next one of these separators, without spaces around it. The cursor
    /// is then behind the separator; which one it was is returned, too.
    pub(super) fn before<'s>(
        &mut self,
        separators: &[&'s str],
        expected: &str,
    ) -> Result<(&'a str, &'s str), SyntaxError> {
        self.skip_spaces();
        let rest = &self.line[self.at..];
        let found = separators.iter().filter_map(|one| Some((rest.find(one)?, *one)));
        match found.min_by_key(|(at, _)| *at) {
            Some((at, separator)) if !rest[..at].trim().is_empty() => {
                self.at += at + separator.len();
                Ok((rest[..at].trim(), separator))
            }
            _ => Err(self.error(expected)),
        }
    }

    pub(super) fn end(&mut self) -> Result<(), SyntaxError> {
        if self.is_at_end() { Ok(()) } else { Err(self.error("the end of the line")) }
    }

    pub(super) fn error(&self, expected: &str) -> SyntaxError {
        let rest = &self.line[self.at..];
        let word = rest.split_whitespace().next();
        SyntaxError {
            file: self.file.to_owned(),
            line: self.number,
            column: self.line[..self.at].chars().count() + 1,
            expected: expected.to_owned(),
            found: match word {
                Some(word) => format!("`{word}`"),
                None if self.line.is_empty() => "the end of the file".into(),
                None => "the end of the line".into(),
            },
        }
    }
}

pub(super) fn is_name(word: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !word.is_empty() && word.bytes().all(fine)
}
