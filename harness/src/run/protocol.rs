//! What the harness asks of a worker, one JSON object a line.
//!
//! Whoever may write to the worker's standard output could answer in its place. So the first line
//! that a worker is given is a secret, each request has a number, and an answer counts only with
//! both; see `Seal`.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::json::Json;
use crate::program::Template;

/// A check to carry out, and the programs to carry it out on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The check's id.
    pub check: String,
    /// The programs, by name.
    pub programs: Vec<(String, Template)>,
}

impl Request {
    /// As one line.
    pub fn to_json(&self) -> Json {
        let programs = self.programs.iter().map(|(name, template)| {
            Json::object([
                ("name", name.as_str().into()),
                ("words", template.words().into()),
                ("shown", template.shown().into()),
                ("places", template.places().into()),
                ("own", template.is_own().into()),
            ])
        });
        Json::object([
            ("check", self.check.as_str().into()),
            ("programs", Json::Array(programs.collect())),
        ])
    }

    /// The reverse of [`Request::to_json`].
    pub fn from_json(json: &Json) -> Option<Self> {
        let program = |json: &Json| {
            let words = |member| {
                let words = json.get(member)?.as_array()?.iter();
                words.map(|word| Some(word.as_str()?.to_owned())).collect::<Option<Vec<_>>>()
            };
            let text = |member| Some(json.get(member)?.as_str()?.to_owned());
            let own = json.get("own")?.as_bool()?;
            let (shown, places) = (text("shown")?, words("places")?);
            let template = Template::from_parts(words("words")?, shown, places, own);
            Some((text("name")?, template))
        };
        let programs = json.get("programs")?.as_array()?.iter().map(program);
        let check = json.get("check")?.as_str()?.to_owned();
        Some(Self { check, programs: programs.collect::<Option<_>>()? })
    }
}

/// What proves that an answer is the worker's own, and which request it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    secret: String,
    number: u32,
}

impl Seal {
    /// A secret that nobody knows.
    pub(crate) fn new() -> Self {
        // std seeds it from the system's random numbers.
        let part = || RandomState::new().build_hasher().finish();
        Self { secret: format!("{:016x}{:016x}", part(), part()), number: 0 }
    }

    /// The one that the harness has given, as a line.
    pub(crate) fn of(line: &str) -> Self {
        Self { secret: line.to_owned(), number: 0 }
    }

    /// The line that gives it.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// The next request.
    pub(crate) fn ask(&mut self, request: Json) -> Json {
        self.number += 1;
        Json::object([(NUMBER, self.number.into()), (REQUEST, request)])
    }

    /// What is asked, on the worker's side; `None` where it is not the next request.
    pub(crate) fn take<'a>(&mut self, line: &'a Json) -> Option<&'a Json> {
        self.number += 1;
        let number = line.get(NUMBER)?.as_u64()?;
        line.get(REQUEST).filter(|_| number == u64::from(self.number))
    }

    /// An answer to the last request.
    pub(crate) fn answer(&self, answer: Json) -> Json {
        let secret = self.secret.as_str().into();
        Json::object([(NUMBER, self.number.into()), (SECRET, secret), (ANSWER, answer)])
    }

    /// What is answered; `None` where the line is no answer of the worker's to the last request.
    pub(crate) fn open<'a>(&self, line: &'a Json) -> Option<&'a Json> {
        let number = line.get(NUMBER)?.as_u64()?;
        let secret = line.get(SECRET)?.as_str()?;
        let own = number == u64::from(self.number) && secret == self.secret;
        line.get(ANSWER).filter(|_| own)
    }
}

const NUMBER: &str = "number";
const SECRET: &str = "secret";
const REQUEST: &str = "request";
const ANSWER: &str = "answer";

/// The member of an answer after which the worker ends.
pub(crate) const LAST: &str = "last";

/// Asks for the table of ports that the book shows.
pub(crate) const PORTS: &str = "ports";

/// The member of a request that asks for a recording.
pub(crate) const TRACE: &str = "trace";
/// Its member that says whether system calls are recorded, too.
pub(crate) const SYSCALLS: &str = "syscalls";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_with_the_secret_only() {
        let mut harness = Seal::new();
        let mut worker = Seal::of(harness.secret());
        let first = harness.ask(Json::Null);
        assert_eq!(worker.take(&first), Some(&Json::Null));
        let answer = worker.answer(true.into());
        assert_eq!(harness.open(&answer), Some(&Json::Bool(true)));
        let mut other = Seal::new();
        other.ask(Json::Null);
        assert_eq!(harness.open(&other.answer(true.into())), None, "another secret");
        harness.ask(Json::Null);
        assert_eq!(harness.open(&answer), None, "the answer to the request before");
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(Seal::new(), Seal::new());
    }
}
