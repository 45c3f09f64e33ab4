//! One line of a conversation: `SIDE VERB REST`.

use super::bytes::{Files, MOST};
use super::cursor::Cursor;
use super::{Action, Bytes, Line, SyntaxError, Vocabulary, facts};

/// The verbs that every lab has, in the order in which the page of the book explains them.
const VERBS: [&str; 17] = [
    "calls",
    "says",
    "sends",
    "sends-hex",
    "sends-message",
    "repeats",
    "hears",
    "receives-hex",
    "receives-message",
    "ends",
    "closes",
    "resets",
    "is",
    "dies",
    "freezes",
    "thaws",
    "answers",
];
/// Those of a program that has a user.
const OF_USERS: [&str; 4] = ["types", "quits", "prints", "exits"];

/// What the reader of a statement knows of the file.
pub(super) struct Known<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) sides: &'a [String],
    pub(super) files: &'a Files,
}

impl Known<'_> {
    fn has(&self, verb: &str) -> bool {
        match verb {
            "answers" => self.vocabulary.replies,
            "sends-message" | "receives-message" => self.vocabulary.messages.is_some(),
            _ => self.vocabulary.console || !OF_USERS.contains(&verb),
        }
    }

    fn verbs(&self) -> String {
        let verbs = VERBS.iter().chain(&OF_USERS).filter(|verb| self.has(verb));
        format!("a verb: one of {}", verbs.copied().collect::<Vec<_>>().join(", "))
    }

    /// The bytes of a message in words.
    fn message(&self, cursor: &mut Cursor<'_>) -> Result<Bytes, SyntaxError> {
        let form = self.vocabulary.messages.map_or("", |messages| messages.form);
        let start = *cursor;
        let words = cursor.rest(form)?.trim();
        let bytes = self.vocabulary.messages.and_then(|messages| (messages.bytes)(words));
        let wrong = || start.back_to(start.at + 1).error(form);
        let bytes = bytes.ok_or_else(wrong)?;
        let mut bytes = Cursor { file: cursor.file, number: cursor.number, line: &bytes, at: 0 };
        Bytes::read(&mut bytes, self.files).map_err(|_| wrong())
    }

    fn side(&self, cursor: &mut Cursor<'_>) -> Result<usize, SyntaxError> {
        let start = *cursor;
        let (at, name) = cursor.name("the name of a side")?;
        self.sides.iter().position(|side| side == name).ok_or_else(|| {
            let sides: Vec<_> = self.sides.iter().map(|side| format!("`{side}`")).collect();
            start.back_to(at).error(&sides.join(" or "))
        })
    }

    /// One line.
    pub(super) fn statement(&self, cursor: &mut Cursor<'_>) -> Result<Line, SyntaxError> {
        let (number, text) = (cursor.number, cursor.line.to_owned());
        if cursor.takes(&["then"]) {
            let act = facts::then(cursor, self.vocabulary, self.files)?;
            return Ok(Line { number, side: None, act, text });
        }
        let side = self.side(cursor)?;
        let expected = self.verbs();
        let start = *cursor;
        let (at, verb) = cursor.word(&expected)?;
        if !self.has(verb) {
            return Err(start.back_to(at).error(&expected));
        }
        let text_of = |cursor: &mut Cursor<'_>, what| cursor.rest(what).map(str::to_owned);
        let line_of =
            |cursor: &mut Cursor<'_>, what| cursor.rest_or_nothing(what).map(str::to_owned);
        let act = match verb {
            "says" => Action::Says(line_of(cursor, "what it says")?),
            "hears" => Action::Hears(line_of(cursor, "what it hears")?),
            "answers" => Action::Answers(text_of(cursor, "what the reply is")?),
            "types" => Action::Types(line_of(cursor, "what its user types")?),
            "prints" => Action::Prints(line_of(cursor, "what it prints")?),
            "sends" => {
                Action::Sends(Bytes::exact(cursor.rest("what it sends")?.as_bytes().to_vec()))
            }
            "repeats" => {
                let count = cursor.number("how often: a number", MOST)?;
                let behind = *cursor;
                let text = cursor.rest("what it sends so often")?;
                if count.saturating_mul(text.len()) > MOST {
                    return Err(behind.error("less: a statement has at most 16 MiB"));
                }
                Action::Sends(Bytes::exact(text.as_bytes().repeat(count)))
            }
            "sends-hex" => Action::Sends(Bytes::read(cursor, self.files)?),
            "receives-hex" => Action::Receives(Bytes::read(cursor, self.files)?),
            "sends-message" => Action::Sends(self.message(cursor)?),
            "receives-message" => Action::Receives(self.message(cursor)?),
            "exits" => Action::Exits(cursor.number("an exit status from 0 to 255", 255)?),
            "calls" => self.call(cursor, side)?,
            "is" => is(cursor)?,
            "ends" => Action::Ends,
            "closes" => Action::Closes,
            "resets" => Action::Resets,
            "dies" => Action::Dies,
            "freezes" => Action::Freezes,
            "thaws" => Action::Thaws,
            "quits" => Action::Quits,
            _ => return Err(start.back_to(at).error(&expected)),
        };
        cursor.end()?;
        Ok(Line { number, side: Some(side), act, text })
    }

    /// `calls mail`, or `calls mail for SMTP`.
    fn call(&self, cursor: &mut Cursor<'_>, caller: usize) -> Result<Action, SyntaxError> {
        let start = *cursor;
        let called = self.side(cursor)?;
        if called == caller {
            let mut place = start;
            place.is_at_end();
            return Err(place.error("another name: nobody calls itself"));
        }
        let services = self.vocabulary.services;
        if services.is_empty() || cursor.is_at_end() {
            return Ok(Action::Calls(called, None));
        }
        let expected: Vec<_> = services.iter().map(|one| format!("`for {one}`")).collect();
        let expected = expected.join(" or ");
        cursor.keyword("for", &expected)?;
        let start = *cursor;
        let (at, word) = cursor.word(&expected)?;
        match services.iter().find(|one| **one == word) {
            Some(service) => Ok(Action::Calls(called, Some(service))),
            None => Err(start.back_to(at).error(&expected)),
        }
    }
}

/// `is silent`, `is killed`, `is started again`.
fn is(cursor: &mut Cursor<'_>) -> Result<Action, SyntaxError> {
    let acts = [
        (&["silent"][..], Action::IsSilent),
        (&["killed"], Action::Dies),
        (&["started", "again"], Action::IsStartedAgain),
    ];
    for (words, act) in acts {
        if cursor.takes(words) {
            return Ok(act);
        }
    }
    cursor.is_at_end();
    Err(cursor.error("`silent`, `killed` or `started again`"))
}
