//! What is said on one connection: the files in `fixtures/03-peer/conversations`.

use std::net::SocketAddr;

use super::Peer;
use super::causes::{BAD, GREETING, JOINED, LEAVING, LEFT, NOT_FOR_IT, SAID, TELLS};
use crate::net::{Console, Lines, Listener};
use crate::root;
use crate::script::{self, Player, Stage};
use crate::trial::{Stop, Trial, Verdict};

const FOLDER: &str = "fixtures/03-peer/conversations";

/// The files that checks of their own play.
const NAMED: [&str; 23] = [
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
    "bad-greeting-long",
    "bad-greeting-utf8",
    "say",
    "say-at-once",
    "say-longest",
    "bad-line-long",
    "bad-word",
    "bad-word-close",
    "bad-line-utf8",
    "left-by-end",
    "left-by-reset",
    "left-in-mid-line",
    "talk",
];

/// The stage of this lab's conversations: its peers.
struct Peers<'a>(&'a Trial);

impl Stage for Peers<'_> {
    fn trial(&self) -> &Trial {
        self.0
    }

    fn host(&self, name: &str) -> Verdict<Listener> {
        self.0.host(name)
    }

    fn start(&self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        Ok(Box::new(self.0.peer(name, others)?))
    }

    fn cause_of_line(&self, line: &str) -> &'static str {
        match line.split(' ').next() {
            Some("HELLO") => GREETING,
            Some("BYE") => LEAVING,
            _ => TELLS,
        }
    }

    fn cause_of_event(&self, event: &str) -> &'static str {
        match event.split(' ').next() {
            Some("joined") => JOINED,
            Some("left") => LEFT,
            Some("bad") => BAD,
            _ => SAID,
        }
    }

    fn not_silent(&self) -> &'static str {
        NOT_FOR_IT
    }

    fn not_over(&self) -> &'static str {
        LEAVING
    }
}

impl Player for Peer {
    fn name(&self) -> &str {
        &self.name
    }

    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn console(&self) -> &Console {
        &self.console
    }

    fn called_by(&self, side: &str) -> Verdict<Lines> {
        self.called_by(side)
    }

    fn calls(&self, host: &Listener) -> Verdict<Lines> {
        self.calls(host)
    }

    fn is_rid_of(&self, address: SocketAddr) -> Verdict<bool> {
        self.is_rid_of(address)
    }
}

pub(super) fn converse(t: &Trial, name: &str) -> Verdict {
    let path = root::find_root()?.join(FOLDER).join(format!("{name}.txt"));
    match script::read(&path)? {
        Ok(conversation) => script::play(&Peers(t), &conversation),
        Err(error) => Err(Stop::Fault(error.to_string())),
    }
}

pub(super) fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    for conversation in script::load(&root::find_root()?.join(FOLDER))? {
        let conversation = conversation.map_err(|error| Stop::Fault(error.to_string()))?;
        if !NAMED.iter().any(|name| conversation.file.ends_with(&format!("/{name}.txt"))) {
            script::play(&Peers(t), &conversation)?;
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
        let all = script::load(&folder).unwrap();
        let mut files: Vec<_> = all.into_iter().map(|one| one.unwrap().file).collect();
        for name in NAMED {
            let file = format!("{FOLDER}/{name}.txt");
            assert!(files.contains(&file), "{file}");
            files.retain(|other| *other != file);
        }
        assert!(!files.is_empty(), "the check of all other conversations plays none");
    }
}
