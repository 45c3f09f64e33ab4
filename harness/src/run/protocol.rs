//! What the harness asks of a worker, one JSON object a line.

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
            let template = Template::from_parts(words("words")?, text("shown")?, words("places")?);
            Some((text("name")?, template))
        };
        let programs = json.get("programs")?.as_array()?.iter().map(program);
        let check = json.get("check")?.as_str()?.to_owned();
        Some(Self { check, programs: programs.collect::<Option<_>>()? })
    }
}

/// The worker's first line: it is ready, and isolated or not. Or it says why it can't be.
pub(crate) const READY: &str = "ready";

/// Asks for the table of ports that the book shows.
pub(crate) const PORTS: &str = "ports";

/// The member of a request that asks for a recording.
pub(crate) const TRACE: &str = "trace";
/// Its member that says whether system calls are recorded, too.
pub(crate) const SYSCALLS: &str = "syscalls";
