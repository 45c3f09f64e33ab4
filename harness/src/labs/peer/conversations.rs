//! What is said on one connection: the files in `fixtures/03-peer/conversations`.

use std::net::SocketAddr;

use super::Peer;
use super::causes::{BAD, GREETING, JOINED, LEAVING, LEFT, NOT_FOR_IT, SAID, TELLS};
use crate::net::{Console, Lines, Listener, Service};
use crate::root;
use crate::script::{self, Expected, Player, Stage, Vocabulary};
use crate::trial::{Stop, Trial, Verdict};

const FOLDER: &str = "fixtures/03-peer/conversations";

/// The files that checks of their own play.
const NAMED: [&str; 29] = [
    "greeting",
    "greeting-first",
    "names",
    "bad-name-empty",
    "bad-name-long",
    "bad-name-space",
    "bad-name-letter",
    "bad-first-line",
    "bad-first-line-empty",
    "bad-first-line-http",
    "bad-first-line-lower",
    "bad-greeting-long",
    "bad-greeting-utf8",
    "say",
    "say-cr",
    "say-at-once",
    "say-longest",
    "bad-line-long",
    "bad-line-letters",
    "bad-word",
    "bad-word-bye",
    "bad-word-bye-lower",
    "bad-word-close",
    "bad-word-lower",
    "bad-line-utf8",
    "left-by-end",
    "left-by-reset",
    "left-in-mid-line",
    "talk",
];

/// What these conversations can speak of: peers have users.
pub const VOCABULARY: Vocabulary = Vocabulary { console: true, ..Vocabulary::LEAST };

/// The stage of this lab's conversations: its peers.
#[derive(Debug)]
pub struct Peers {
    trial: Trial,
    /// Where each listens that was started in this performance.
    addresses: Vec<(String, SocketAddr)>,
}

impl Peers {
    /// A stage without anybody on it.
    pub fn new(trial: Trial) -> Self {
        Self { trial, addresses: Vec::new() }
    }
}

impl Stage for Peers {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    fn begin(&mut self) -> Verdict {
        self.addresses.clear();
        Ok(())
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        self.trial.host(side)
    }

    fn start(&mut self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let known = self.addresses.iter().find(|(known, _)| known == name);
        let address = known.map_or_else(|| self.trial.addresses().free_address(), |(_, at)| *at);
        self.addresses.push((name.to_owned(), address));
        Ok(Box::new(self.trial.peer_at(name, address, others)?))
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        let first = |line: &'_ str| line.split(' ').next().unwrap_or_default().to_owned();
        match of {
            Expected::Line(line) => match &*first(line) {
                "HELLO" => GREETING,
                "BYE" => LEAVING,
                _ => TELLS,
            },
            Expected::Event(line) => match &*first(line) {
                "joined" => JOINED,
                "left" => LEFT,
                "bad" => BAD,
                _ => SAID,
            },
            Expected::Silence => NOT_FOR_IT,
            _ => LEAVING,
        }
    }
}

impl Player for Peer {
    fn service(&self, _: Option<&str>) -> &Service {
        &self.service
    }

    fn console(&self) -> Option<&Console> {
        Some(&self.console)
    }

    fn called_by(&self, side: &str, _: Option<&str>) -> Verdict<Lines> {
        self.called_by(side)
    }

    fn calls(&self, host: &Listener) -> Verdict<Lines> {
        self.calls(host)
    }
}

fn play(t: &Trial, conversation: &script::Conversation) -> Verdict {
    script::play(&mut Peers::new(t.clone()), conversation)
}

pub(super) fn converse(t: &Trial, name: &str) -> Verdict {
    let path = root::find_root()?.join(FOLDER).join(format!("{name}.txt"));
    match script::read(&path, &VOCABULARY)? {
        Ok(conversation) => play(t, &conversation),
        Err(error) => Err(Stop::Fault(error.to_string())),
    }
}

pub(super) fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    for conversation in script::load(&root::find_root()?.join(FOLDER), &VOCABULARY)? {
        let conversation = conversation.map_err(|error| Stop::Fault(error.to_string()))?;
        if !NAMED.iter().any(|name| conversation.file.ends_with(&format!("/{name}.txt"))) {
            play(t, &conversation)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_named_conversation_exists_and_there_are_others() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        let all = script::load(&folder, &VOCABULARY).unwrap();
        let mut files: Vec<_> = all.into_iter().map(|one| one.unwrap().file).collect();
        for name in NAMED {
            let file = format!("{FOLDER}/{name}.txt");
            assert!(files.contains(&file), "{file}");
            files.retain(|other| *other != file);
        }
        assert!(!files.is_empty(), "the check of all other conversations plays none");
    }
}
