//! A peer under test that gets files, and what comes of it.

use super::file::{File, Hit};
use super::hub::Hub;
use super::sharer::Sharer;
use super::source::{Request, Source};
use crate::net::noise;
use crate::trial::{Scratch, Trial, Verdict};

pub(super) const GOT: &str = "SIZE bytes are there: compare the SHA-1, rename FILE.part to FILE, and say got, the name \
    here, its size and the address that sent the last byte";

pub(super) const CAPITALS: &str =
    "a hash is compared without case: its digits a to f are as right in capital letters";

/// A file that people would want.
pub(super) fn song() -> File {
    File::new("my song.ogg", noise(81, 20_000))
}

/// A peer under test that shares nothing, and peers of the harness that do.
pub(super) struct Scene {
    pub(super) hub: Hub,
    pub(super) ann: Sharer,
}

impl Scene {
    /// The peer ann has joined.
    pub(super) fn begin(t: &Trial) -> Verdict<Self> {
        let hub = Hub::open(t)?;
        let ann = hub.peer("ann", &[])?;
        Ok(Self { hub, ann })
    }

    /// What was told is left out; these sources are there.
    pub(super) fn new_story(&self, sources: &[(&str, &Source)]) {
        let t = self.ann.trial();
        t.new_story();
        t.note("the peer ann has joined, and all was right so far");
        for (name, source) in sources {
            t.note(format!("{name} gives files on {}", source.address()));
        }
    }

    /// Ann finds these hits for `song`, and gets the first one.
    pub(super) fn get(&mut self, hits: &[Hit]) -> Verdict {
        self.ann.finds("song", hits)?;
        self.ann.console.types("get 1");
        Ok(())
    }

    /// The source is asked for this file by ann.
    pub(super) fn asked(&self, source: &Source, name: &str) -> Verdict<Request> {
        source.asked(self.ann.running(), name)
    }

    /// Expects that ann says that this is complete, and that it is.
    pub(super) fn expect_got(&self, file: &File, from: &Source) -> Verdict {
        let event = format!("got {} {} from {}", file.name, file.size(), from.address());
        self.ann.console.expect_event(&event, GOT)?;
        self.ann.folder.expect_file(&file.name, &file.bytes, GOT)
    }

    /// Expects that ann says that she does not get this file.
    pub(super) fn expect_failed(&self, file: &File, cause: &str) -> Verdict {
        self.ann.console.expect_event(&format!("failed {}: *", file.name), cause)
    }

    /// Expects that the part of this file holds its beginning, and not nothing; how much.
    pub(super) fn expect_part(&self, file: &File, cause: &str) -> Verdict<usize> {
        expect_part(&self.ann.folder, file, cause)
    }
}

/// Expects that the part of this file in `folder` holds its beginning, and not nothing; how much.
pub(super) fn expect_part(folder: &Scratch, file: &File, cause: &str) -> Verdict<usize> {
    let name = format!("{}.part", file.name);
    let length = folder.read(&name)?.map_or(0, |bytes| bytes.len());
    let begun = length.clamp(1, file.size());
    folder.expect_file(&name, &file.bytes[..begun], cause)?;
    Ok(length)
}
