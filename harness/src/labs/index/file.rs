//! The files that peers share, and the lines that tell of them.

use std::net::SocketAddr;

use sockets_hash::sha1;

use crate::trial::{Scratch, Verdict};

/// A file: its name and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) struct File {
    pub(in crate::labs) name: String,
    pub(in crate::labs) bytes: Vec<u8>,
}

/// What the index says of a file that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) struct Hit {
    pub(in crate::labs) address: SocketAddr,
    pub(in crate::labs) size: u64,
    pub(in crate::labs) sha1: String,
    pub(in crate::labs) name: String,
}

impl File {
    pub(in crate::labs) fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into() }
    }

    /// How many bytes it has.
    pub(in crate::labs) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// What a peer says that has it.
    pub(in crate::labs) fn have(&self) -> String {
        format!("HAVE {} {} {}", sha1(&self.bytes), self.size(), self.name)
    }

    /// It, as something that the peer at `address` has.
    pub(in crate::labs) fn hit(&self, address: SocketAddr) -> Hit {
        let (size, sha1, name) = (self.size() as u64, sha1(&self.bytes), self.name.clone());
        Hit { address, size, sha1, name }
    }

    /// Writes it into `folder`.
    pub(in crate::labs) fn put_into(&self, folder: &Scratch) -> Verdict {
        folder.file(&self.name, &self.bytes)
    }
}

impl Hit {
    /// The same with its hash in capital letters: it is the same hash.
    pub(super) fn in_capitals(self) -> Self {
        Self { sha1: self.sha1.to_ascii_uppercase(), ..self }
    }

    /// As the index says it.
    pub(in crate::labs) fn line(&self) -> String {
        let Self { address, size, sha1, name } = self;
        format!("HIT {address} {size} {sha1} {name}")
    }

    /// As a peer prints the hit of this number.
    pub(in crate::labs) fn event(&self, number: usize) -> String {
        let Self { address, size, name, .. } = self;
        format!("hit {number} {address} {size} {name}")
    }
}
