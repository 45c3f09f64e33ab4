//! Reading a conversation: its head, who calls whom, and then one statement a line.

use super::bytes::Files;
use super::cursor::{Cursor, is_name};
use super::statement::Known;
use super::{Conversation, Premise, SyntaxError, Vocabulary, check, facts};
use crate::net::LineEnd;

/// Reads a conversation. `file` is what error messages call it.
pub fn parse(file: &str, text: &str, vocabulary: &Vocabulary) -> Result<Conversation, SyntaxError> {
    let mut statements = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        (!blank).then_some(Cursor { file, number: index + 1, line, at: 0 })
    });
    let end = Cursor { file, number: text.lines().count() + 1, line: "", at: 0 };

    let mut head = Head::default();
    let first = loop {
        let cursor = statements.next().unwrap_or(end);
        if !head.takes(cursor, vocabulary)? {
            break cursor;
        }
    };
    if head.players.is_empty() {
        return Err(first.error(PROGRAM));
    }
    first_call(first)?;
    let body: Vec<_> = [first].into_iter().chain(statements).collect();
    let sides = sides(&body);
    let mut programs = Vec::new();
    for player in &head.players {
        let Some(side) = sides.iter().position(|side| side == player) else {
            return Err(first.error(&format!("a call in which {player} takes part")));
        };
        programs.push(side);
    }
    let programs = if head.together {
        vec![programs]
    } else {
        programs.into_iter().map(|program| vec![program]).collect()
    };
    let known = Known { vocabulary, sides: &sides, files: &head.files };
    let mut lines = Vec::new();
    for mut cursor in body {
        lines.push(known.statement(&mut cursor)?);
    }
    if lines.len() < 2 {
        return Err(end.error("a line that says what a side does"));
    }
    let conversation = Conversation {
        file: file.to_owned(),
        line_end: if head.crlf { LineEnd::CrLf } else { LineEnd::Lf },
        sides,
        programs,
        given: head.given,
        lines,
    };
    check::all(&conversation)?;
    Ok(conversation)
}

/// What stands before the first call.
#[derive(Default)]
struct Head<'a> {
    /// Whom the programs play, and whether all of them do at the same time.
    players: Vec<&'a str>,
    together: bool,
    crlf: bool,
    given: Vec<Premise>,
    files: Files,
}

const PROGRAM: &str =
    "`the program is NAME`, `the program is NAME or NAME`, or `the programs are NAME and NAME`";

impl<'a> Head<'a> {
    /// Whether this line belongs to it.
    fn takes(
        &mut self,
        mut cursor: Cursor<'a>,
        vocabulary: &Vocabulary,
    ) -> Result<bool, SyntaxError> {
        let start = cursor;
        if cursor.takes(&["given"]) {
            self.given.push(facts::given(&mut cursor, vocabulary, &mut self.files)?);
        } else if cursor.takes(&["ends", "lines"]) {
            for word in ["with", "CRLF"] {
                cursor.keyword(word, "`ends lines with CRLF`: else they end with LF")?;
            }
            self.crlf = true;
        } else if cursor.takes(&["the"]) {
            if !self.players.is_empty() {
                return Err(start.error("one line that says who the program is, and no other"));
            }
            self.players(&mut cursor)?;
        } else {
            return Ok(false);
        }
        cursor.end()?;
        Ok(true)
    }

    /// `program is ann`, `program is ann or bob`, `programs are ann, bob and carol`.
    fn players(&mut self, cursor: &mut Cursor<'a>) -> Result<(), SyntaxError> {
        self.together = cursor.takes(&["programs", "are"]);
        let (between, expected) = if self.together {
            ("and", "`and` and another name, or the end of the line")
        } else {
            for word in ["program", "is"] {
                cursor.keyword(word, PROGRAM)?;
            }
            ("or", "`or` and another name, or the end of the line")
        };
        loop {
            let start = *cursor;
            let (at, word) = cursor.word("the name of a side")?;
            let name = word.strip_suffix(',').filter(|_| self.together).unwrap_or(word);
            if !is_name(name) || self.players.contains(&name) {
                return Err(start.back_to(at).error("the name of a side"));
            }
            self.players.push(name);
            if name == word {
                if cursor.is_at_end() {
                    return Ok(());
                }
                cursor.keyword(between, expected)?;
            }
        }
    }
}

/// The first statement is a call.
fn first_call(mut cursor: Cursor<'_>) -> Result<(), SyntaxError> {
    cursor.name("`NAME calls NAME`: who calls whom")?;
    cursor.keyword("calls", "`calls`: before anything is said, one side calls the other")?;
    cursor.name("the name of the side that is called").map(drop)
}

/// The names of all that take part in a call.
fn sides(body: &[Cursor<'_>]) -> Vec<String> {
    let mut sides: Vec<String> = Vec::new();
    for line in body {
        let mut words = line.line.split_whitespace();
        let (Some(caller), Some("calls"), Some(called)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        for name in [caller, called] {
            if is_name(name) && !sides.iter().any(|side| side == name) {
                sides.push(name.to_owned());
            }
        }
    }
    sides
}

#[cfg(test)]
mod tests;
