//! The student's swarm, and a tracker of the student's: whatever answers a GET with a list of peers.

use std::net::SocketAddr;
use std::rc::Rc;

use super::download::{CHECKED, INTERESTED};
use super::giver::Giver;
use super::giving::give_all;
use super::program::Start;
use super::torrent::Torrent;
use super::tracker::{Tracker, compact};
use crate::trial::{Trial, Verdict};

/// A torrent of six pieces of two blocks.
fn torrent(tracker: &str) -> Rc<Torrent> {
    Rc::new(Torrent::new(180_000, 32_768).tracked_by(tracker))
}

/// Where the tracker of a torrent is asked, below its address.
pub(in crate::labs) const PATH: &str = "announce";

/// What a tracker answers that knows one peer.
pub(in crate::labs) fn answer(peer: SocketAddr) -> Vec<u8> {
    compact(60, &[peer])
}

/// A program that has a file, and one that gets it: they hear of each other by the tracker at this
/// address. `tell` has it know where the first one listens, before that is started.
pub(in crate::labs) fn find_each_other(
    t: &Trial,
    tracker: SocketAddr,
    tell: impl FnOnce(SocketAddr) -> Verdict,
) -> Verdict {
    let torrent = torrent(&format!("http://{tracker}/{PATH}"));
    let address = t.addresses().free_localhost()?;
    tell(address)?;
    let ann = Start::of(&torrent).called("swarm ann").having(&torrent.all()).at(address);
    let ann = ann.listening(t)?;
    ann.expect_have(torrent.all().len())?;
    let bob = Start::of(&torrent).called("swarm bob").listening(t)?;
    bob.expect_have(0)?;
    bob.console.expect_event(&format!("peer {address} as client"), TOLD)?;
    let lines: Vec<_> = torrent.all().into_iter().map(|index| (index, address)).collect();
    bob.expect_pieces(&lines, CHECKED)?;
    bob.expect_complete()
}

/// The same of one program: the harness is its tracker, and the peer that it hears of.
pub(in crate::labs) fn finds_the_harness(t: &Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = torrent(&tracker.url());
    let host = t.host_peer("bob")?;
    let swarm = Start::of(&torrent).called("swarm ann").listening(t)?;
    swarm.expect_have(0)?;
    tracker.tell(&swarm, 60, &[host.address()])?;
    let mut bob = Giver::is_joined(&swarm, &host, &[], &torrent.all())?;
    bob.expect_interest(&swarm, INTERESTED)?;
    bob.unchokes()?;
    give_all(&swarm, &mut [&mut bob], &torrent.all(), TOLD)?;
    let lines: Vec<_> = torrent.all().into_iter().map(|index| (index, host.address())).collect();
    swarm.expect_pieces(&lines, CHECKED)?;
    swarm.expect_complete()
}

const TOLD: &str =
    "whoever lacks something asks the tracker at once, and dials those that it is told of";
