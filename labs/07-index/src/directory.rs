//! The index: who is there, and what they have.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::attend;
use crate::output::print;
use crate::serving::{self, lock};
use crate::text::File;

/// A peer that has joined.
#[derive(Debug)]
pub struct Peer {
    /// What it calls itself. Others may do so, too.
    pub name: String,
    /// Where it gives its files to others.
    pub address: SocketAddr,
    /// What it has, by name.
    pub files: BTreeMap<String, File>,
}

/// What all sessions share.
#[derive(Debug)]
pub struct Directory {
    /// For how long a peer may say nothing, or take nothing.
    pub silence: Duration,
    peers: Mutex<BTreeMap<u64, Peer>>,
    sessions: AtomicU64,
}

impl Directory {
    /// A number that no other session has.
    pub fn number(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// The peers that are there now, by the number of their session. As long as it is held nobody
    /// else can join, leave or find: nothing that may wait belongs under it.
    pub fn peers(&self) -> MutexGuard<'_, BTreeMap<u64, Peer>> {
        lock(&self.peers)
    }
}

/// Listens, says so, and attends to each peer that comes.
pub fn run(address: &str, silence: Duration) -> Result<(), String> {
    let (listener, bound) = serving::listen(address)?;
    print(&format!("listening on {bound}"));
    let directory = Directory { silence, peers: Mutex::default(), sessions: AtomicU64::new(0) };
    serving::serve(&listener, move |stream| attend(stream, &directory));
    Ok(())
}
