//! A servent that gets a file from the harness: what the checks of step 5 share.

use super::descriptor::{Descriptor, id};
use super::link::Link;
use super::servent::{File, Servent};
use super::source::Source;
use crate::net::Lines;
use crate::trial::{Trial, Verdict};

/// The file that is got.
pub(super) const SONG: &str = "my song.ogg";
/// More than a read takes at once, and no multiple of anything.
pub(super) const SIZE: usize = 300_001;
/// The status line of one who gives a file.
pub(super) const STATUS_OK: &str = "HTTP/1.0 200 OK";

/// A servent whose user has found a song of this size; carol has it.
pub(super) struct Getting {
    pub(super) servent: Servent,
    pub(super) bob: Link,
    pub(super) carol: Source,
}

impl Getting {
    pub(super) fn of(t: &Trial, size: usize) -> Verdict<Self> {
        Self::sharing(t, &[], SONG, size)
    }

    pub(super) fn sharing(t: &Trial, files: &[File], name: &str, size: usize) -> Verdict<Self> {
        let servent = Servent::sharing(t, files)?;
        let mut bob = servent.linked_by("bob")?;
        let carol = Source::new(t, "carol", 4, name)?;
        carol.is_found(&servent, &mut bob, size)?;
        Ok(Self { servent, bob, carol })
    }

    /// The same with times of a second and more that are shorter.
    pub(super) fn at_tempo(t: &Trial, size: usize) -> Verdict<Self> {
        let servent = Servent::at_tempo(t)?;
        let mut bob = servent.linked_by("bob")?;
        let carol = Source::new(t, "carol", 4, SONG)?;
        carol.is_found(&servent, &mut bob, size)?;
        Ok(Self { servent, bob, carol })
    }

    /// Its user wants the file, and it asks carol.
    pub(super) fn get(&self) -> Verdict<Lines> {
        self.servent.console.types("get 1");
        self.carol.is_asked(&self.servent)
    }

    pub(super) fn expect_got(&self, name: &str, bytes: &[u8], cause: &str) -> Verdict {
        let event = format!("got {name} {} from {}", bytes.len(), self.carol.address());
        self.servent.expect_event(&event, cause)?;
        self.servent.folder.expect_file(name, bytes, cause)
    }

    /// Expects `failed`, and nothing under the file's name.
    pub(super) fn expect_failed(&self, cause: &str) -> Verdict {
        self.servent.expect_event(&format!("failed {SONG}: *"), cause)?;
        expect_not_there(&self.servent)
    }

    /// Expects that it goes on: the next question is answered.
    pub(super) fn expect_service(&mut self) -> Verdict {
        self.bob.send(&Descriptor::ping(id(99)))?;
        self.bob.expect_fitting("a Pong", STAYS, |_| Ok(()))
    }
}

/// Expects nothing under the name of a file that was not got.
pub(super) fn expect_not_there(servent: &Servent) -> Verdict {
    match servent.folder.read(SONG)? {
        None => Ok(()),
        Some(_) => Err(servent
            .trial()
            .fail("a file that was not got stands under its name")
            .expected("nothing under that name; a .part may stay")
            .seen(format!("in DIR: {}", servent.folder.list()?.names().join(", ")))
            .cause(RENAMED)
            .stop()),
    }
}

pub(super) const RENAMED: &str = "the file is written under its name with .part behind it, and renamed when it is \
    whole: so what stands under its name is always whole";
pub(super) const STAYS: &str = "whatever comes of a download, the links stay";
pub(super) const WHOLE: &str = "behind the head's empty line stands the file, however it is cut into segments: a read \
    may bring a part of the head, or the end of the head and the beginning of the file";
pub(super) const STATUS: &str = "the second word of the first line is the status: exactly 200 is the file, whatever its \
    version and its phrase are; all else is a page that tells why not";
