//! What is said on one connection: the files in `fixtures/03-peer/conversations`.

use crate::root;
use crate::script;
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

pub(super) fn converse(t: &Trial, name: &str) -> Verdict {
    let path = root::find_root()?.join(FOLDER).join(format!("{name}.txt"));
    match script::read(&path)? {
        Ok(conversation) => script::play(t, &conversation),
        Err(error) => Err(Stop::Fault(error.to_string())),
    }
}

pub(super) fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    for conversation in script::load(&root::find_root()?.join(FOLDER))? {
        let conversation = conversation.map_err(|error| Stop::Fault(error.to_string()))?;
        if !NAMED.iter().any(|name| conversation.file.ends_with(&format!("/{name}.txt"))) {
            script::play(t, &conversation)?;
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
