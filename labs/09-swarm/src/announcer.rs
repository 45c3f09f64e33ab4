//! When the tracker is asked, and what for: at the start until it answers, then at every interval, once
//! when the file is complete, and once at the end.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::output::report;
use crate::sha1::Hash;
use crate::swarm::Swarm;
use crate::times::{AGAIN, ANSWER, at_tempo};
use crate::{announce, http};

/// By what a peer is known: 20 bytes.
pub type PeerId = [u8; 20];

/// What a tracker is told of this peer.
#[derive(Debug)]
pub struct Status {
    /// The torrent.
    pub info_hash: Hash,
    /// This peer.
    pub peer_id: PeerId,
    /// Where it listens.
    pub port: u16,
    /// How many bytes of blocks it has sent.
    pub uploaded: u64,
    /// How many bytes of blocks it has received.
    pub downloaded: u64,
    /// How many bytes of the file are missing.
    pub left: u64,
}

/// What a tracker answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it wants to be asked again.
    pub interval: Duration,
    /// Others who have something of the torrent, or want it.
    pub peers: Vec<std::net::SocketAddr>,
}

/// What the tracker is to be told.
#[derive(Debug)]
pub enum News {
    /// The last piece has come.
    Complete,
    /// The program ends. It waits for a word that the tracker knows, but no longer than this.
    Leaving(Instant, Sender<()>),
}

/// Asks the tracker of the torrent, for as long as the program runs.
pub fn run(swarm: &Arc<Swarm>, tracker: &str, news: &Receiver<News>) {
    if http::parts(tracker).is_none() {
        // It can't be asked, now or later.
        report(&format!("tracker: {tracker} is not an http URL"));
        return;
    }
    let (mut is_known, mut is_complete) = (false, false);
    loop {
        let event = match (is_known, is_complete) {
            (false, _) => Some("started"),
            (true, true) => Some("completed"),
            (true, false) => None,
        };
        let answer = announce(tracker, &swarm.status(), event, Instant::now() + at_tempo(ANSWER));
        let was_answered = answer.is_ok();
        let mut pause = at_tempo(AGAIN);
        match answer {
            Ok(answer) => {
                is_complete &= !is_known;
                is_known = true;
                pause = answer.interval;
                swarm.meet(&answer.peers);
            }
            Err(reason) => report(&format!("tracker: {reason}")),
        }
        let asked = Instant::now();
        loop {
            if was_answered && is_complete {
                break;
            }
            match news.recv_timeout(pause.saturating_sub(asked.elapsed())) {
                Ok(News::Complete) => is_complete = true,
                Ok(News::Leaving(deadline, done)) => {
                    if let Err(reason) =
                        announce(tracker, &swarm.status(), Some("stopped"), deadline)
                    {
                        report(&format!("tracker: {reason}"));
                    }
                    // Where nobody waits any more, it is too late.
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
