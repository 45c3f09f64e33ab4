//! Reading a conversation: one statement a line, `SIDE VERB REST`.

use super::{Action, Conversation, Line, SyntaxError};

/// The verbs, in the order in which the page of the book explains them.
const VERBS: [&str; 13] = [
    "says",
    "sends",
    "sends-hex",
    "repeats",
    "ends",
    "closes",
    "resets",
    "is",
    "types",
    "quits",
    "prints",
    "exits",
    "calls",
];
/// More than this in one statement is a slip of the pen.
const MOST_REPEATED: usize = 16 * 1024 * 1024;

/// Reads a conversation. `file` is what error messages call it.
pub fn parse(file: &str, text: &str) -> Result<Conversation, SyntaxError> {
    let mut statements = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        (!blank).then_some(Cursor { file, number: index + 1, line, at: 0 })
    });
    let last = text.lines().count() + 1;
    let end = || Cursor { file, number: last, line: "", at: 0 };

    let mut cursor = statements.next().unwrap_or_else(end);
    let players = header(&mut cursor)?;
    let mut cursor = statements.next().unwrap_or_else(end);
    let sides = call(&mut cursor)?;
    let mut program = Vec::new();
    for (at, player) in players {
        let place = Cursor { at, number: cursor.number, ..cursor };
        match sides.iter().position(|side| *side == player) {
            Some(index) => program.push(index),
            None => {
                let expected = format!("a call in which {player} takes part");
                return Err(Cursor { at: 0, ..place }.error(&expected));
            }
        }
    }
    let mut lines = Vec::new();
    for mut cursor in statements {
        lines.push(statement(&mut cursor, &sides)?);
    }
    if lines.is_empty() {
        return Err(end().error("a line that says what a side does"));
    }
    let conversation = Conversation { file: file.to_owned(), sides, program, lines };
    check_playable(&conversation)?;
    Ok(conversation)
}

/// `the program is ann` or `the program is ann or bob`: each name with its column.
fn header(cursor: &mut Cursor<'_>) -> Result<Vec<(usize, String)>, SyntaxError> {
    let expected = "`the program is NAME`, or `the program is NAME or NAME`";
    for word in ["the", "program", "is"] {
        cursor.keyword(word, expected)?;
    }
    let mut names = vec![cursor.name("the name of a side")?];
    while !cursor.is_at_end() {
        cursor.keyword("or", "`or` and another name, or the end of the line")?;
        names.push(cursor.name("the name of a side")?);
    }
    Ok(names)
}

/// `bob calls ann`.
fn call(cursor: &mut Cursor<'_>) -> Result<[String; 2], SyntaxError> {
    let (_, caller) = cursor.name("`NAME calls NAME`: who calls whom")?;
    cursor.keyword("calls", "`calls`: before anything is said, one side calls the other")?;
    let before = cursor.at;
    let (_, called) = cursor.name("the name of the side that is called")?;
    if called == caller {
        return Err(Cursor { at: before + 1, ..*cursor }.error("another name: nobody calls itself"));
    }
    cursor.end()?;
    Ok([caller, called])
}

fn statement(cursor: &mut Cursor<'_>, sides: &[String; 2]) -> Result<Line, SyntaxError> {
    let start = Cursor { ..*cursor };
    let (at, name) = cursor.name("the name of a side")?;
    let Some(side) = sides.iter().position(|side| *side == name) else {
        let expected = format!("`{}` or `{}`", sides[0], sides[1]);
        return Err(Cursor { at, ..start }.error(&expected));
    };
    let expected = format!("a verb: one of {}", VERBS[..VERBS.len() - 1].join(", "));
    let (at, verb) = cursor.word(&expected)?;
    let act = match verb {
        "says" => Action::Says(cursor.rest("what it says")?.to_owned()),
        "sends" => Action::Sends(cursor.rest("what it sends")?.as_bytes().to_vec()),
        "sends-hex" => Action::Sends(cursor.hex()?),
        "repeats" => {
            let count = cursor.number("how often: a number", MOST_REPEATED)?;
            let text = cursor.rest("what it sends so often")?;
            Action::Sends(text.as_bytes().repeat(count))
        }
        "types" => Action::Types(cursor.rest("what its user types")?.to_owned()),
        "prints" => Action::Prints(cursor.rest("what it prints")?.to_owned()),
        "exits" => Action::Exits(cursor.number("an exit status from 0 to 255", 255)? as i32),
        "is" => {
            cursor.keyword("silent", "`silent`: it sends nothing")?;
            Action::IsSilent
        }
        "ends" => Action::Ends,
        "closes" => Action::Closes,
        "resets" => Action::Resets,
        "quits" => Action::Quits,
        _ => return Err(Cursor { at, ..start }.error(&expected)),
    };
    if !matches!(act, Action::Says(_) | Action::Sends(_) | Action::Types(_) | Action::Prints(_)) {
        cursor.end()?;
    }
    Ok(Line { number: start.number, side, act, text: start.line.to_owned() })
}

/// What the harness has to say must not be free.
fn check_playable(conversation: &Conversation) -> Result<(), SyntaxError> {
    for program in &conversation.program {
        for line in &conversation.lines {
            let free = matches!(&line.act, Action::Says(text) if text.contains('*'));
            if free && line.side != *program {
                let at = line.text.find('*').unwrap_or_default();
                let cursor =
                    Cursor { file: &conversation.file, number: line.number, line: &line.text, at };
                return Err(cursor.error(
                    "the bytes themselves: the harness plays this side, and can't send `*` \
                     (sends-hex 2a is a star)",
                ));
            }
        }
    }
    Ok(())
}

/// A place in a line.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    file: &'a str,
    number: usize,
    line: &'a str,
    /// Offset in bytes.
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip_spaces(&mut self) {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_spaces();
        self.at == self.line.len()
    }

    /// The next word and its offset.
    fn word(&mut self, expected: &str) -> Result<(usize, &'a str), SyntaxError> {
        self.skip_spaces();
        let (rest, at) = (&self.line[self.at..], self.at);
        let word = rest.split(char::is_whitespace).next().unwrap_or_default();
        if word.is_empty() {
            return Err(self.error(expected));
        }
        self.at += word.len();
        Ok((at, word))
    }

    fn keyword(&mut self, keyword: &str, expected: &str) -> Result<(), SyntaxError> {
        let start = *self;
        match self.word(expected) {
            Ok((_, word)) if word == keyword => Ok(()),
            Ok((at, _)) => Err(Cursor { at, ..start }.error(expected)),
            Err(error) => Err(error),
        }
    }

    /// A name of a side: letters, digits, `-` and `_`.
    fn name(&mut self, expected: &str) -> Result<(usize, String), SyntaxError> {
        let start = *self;
        let (at, word) = self.word(expected)?;
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match word.bytes().all(fine) {
            true => Ok((at, word.to_owned())),
            false => Err(Cursor { at, ..start }.error(expected)),
        }
    }

    fn number(&mut self, expected: &str, most: usize) -> Result<usize, SyntaxError> {
        let start = *self;
        let (at, word) = self.word(expected)?;
        match word.parse() {
            Ok(number) if number <= most => Ok(number),
            _ => Err(Cursor { at, ..start }.error(expected)),
        }
    }

    /// All that stands behind one space, as it is.
    fn rest(&mut self, expected: &str) -> Result<&'a str, SyntaxError> {
        let rest = &self.line[self.at..];
        match rest.strip_prefix(' ') {
            Some(text) => {
                self.at = self.line.len();
                Ok(text)
            }
            None => Err(self.error(&format!("a space and {expected}"))),
        }
    }

    /// Pairs of hexadecimal digits.
    fn hex(&mut self) -> Result<Vec<u8>, SyntaxError> {
        let expected = "bytes as pairs of hexadecimal digits: 48 0a";
        let mut bytes = Vec::new();
        loop {
            let start = *self;
            let (at, word) = self.word(expected)?;
            let digits = word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            match u8::from_str_radix(word, 16) {
                Ok(byte) if digits => bytes.push(byte),
                _ => return Err(Cursor { at, ..start }.error(expected)),
            }
            if self.is_at_end() {
                return Ok(bytes);
            }
        }
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(self.error("the end of the line")),
        }
    }

    fn error(&self, expected: &str) -> SyntaxError {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse("a.txt", text).unwrap_err().to_string()
    }

    #[test]
    fn a_conversation_is_read_line_by_line() {
        let text = "# A comment.\n\nthe program is ann or bob\nbob calls ann\n\
                    bob says HELLO  bob \n  ann sends-hex 48 0A\nbob repeats 3 ab\nann is silent\n";
        let conversation = parse("a.txt", text).unwrap();
        assert_eq!(conversation.sides, ["bob", "ann"]);
        assert_eq!(conversation.program, [1, 0]);
        let acts: Vec<_> = conversation.lines.iter().map(|line| line.act.clone()).collect();
        assert_eq!(
            acts,
            [
                Action::Says("HELLO  bob ".into()),
                Action::Sends(b"H\n".to_vec()),
                Action::Sends(b"ababab".to_vec()),
                Action::IsSilent
            ]
        );
        assert_eq!(conversation.lines[1].number, 6);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(
            head in "(the program is ann( or bob)?\\r?\n(bob calls ann\n)?)?",
            lines in proptest::collection::vec("(bob|ann)? ?(says|sends-hex|repeats 3|is)? ?.{0,12}", 0..6),
        ) {
            let text = format!("{head}{}", lines.join("\n"));
            if let Err(error) = parse("a.txt", &text) {
                let line = text.lines().nth(error.line - 1).unwrap_or_default();
                proptest::prop_assert!(error.column <= line.chars().count() + 1, "{error}");
            }
        }
    }

    #[test]
    fn an_error_names_the_place_and_what_should_stand_there() {
        let start = "the program is ann\nbob calls ann\n";
        for (text, words) in [
            ("", "a.txt, line 1, column 1: expected `the program is NAME`"),
            ("bob calls ann\n", "a.txt, line 1, column 1: expected `the program is NAME`"),
            ("the program is\n", "a.txt, line 1, column 15: expected the name of a side"),
            ("the program is ann, bob\n", "a.txt, line 1, column 16: expected the name of a side"),
            ("the program is ann bob\n", "a.txt, line 1, column 20: expected `or`"),
            ("the program is ann\n", "a.txt, line 2, column 1: expected `NAME calls NAME`"),
            ("the program is ann\nbob says x\n", "a.txt, line 2, column 5: expected `calls`"),
            ("the program is ann\nbob calls bob\n", "a.txt, line 2, column 11: expected another"),
            ("the program is ann\nbob calls eve\nbob ends", "line 2, column 1: expected a call in"),
            (start, "a.txt, line 3, column 1: expected a line that says what a side does"),
        ] {
            assert!(error(text).contains(words), "{text:?}: {}", error(text));
        }
        for (line, words) in [
            ("eve says x", "line 3, column 1: expected `bob` or `ann`, found `eve`"),
            ("bob", "line 3, column 4: expected a verb: one of says, sends, sends-hex"),
            ("bob  shouts x", "line 3, column 6: expected a verb: one of says"),
            ("bob says", "line 3, column 9: expected a space and what it says"),
            ("bob sends-hex 4", "line 3, column 15: expected bytes as pairs"),
            ("bob sends-hex 48 +1", "line 3, column 18: expected bytes as pairs"),
            ("bob repeats x y", "line 3, column 13: expected how often"),
            ("bob ends now", "line 3, column 10: expected the end of the line, found `now`"),
            ("ann exits 300", "line 3, column 11: expected an exit status"),
            ("bob is loud", "line 3, column 8: expected `silent`"),
            ("bob says HELLO *", "line 3, column 16: expected the bytes themselves"),
        ] {
            let text = format!("{start}{line}\n");
            assert!(error(&text).contains(words), "{line:?}: {}", error(&text));
        }
    }
}
