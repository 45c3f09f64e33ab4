//! The program under test: it has a torrent and a folder, it listens, it dials, and it prints what
//! happens.

use std::net::SocketAddr;
use std::rc::Rc;

use super::message::Message;
use super::remote::Remote;
use super::torrent::Torrent;
use super::{CALLED, FOLDER, LAB};
use crate::net::{Console, Listener, Service, Terms};
use crate::program::{Given, Stdin};
use crate::trial::{Running, Scratch, Trial, Verdict};

/// The folder of the torrents, and the name of the one that is there.
const TORRENTS: &str = "TORRENTS";
const TORRENT: &str = "song.torrent";
/// What times of a second and more are multiplied by, in a program that knows `LAB_TEMPO` and is to
/// hurry.
const TEMPO: f64 = 0.1;

/// The program under test.
#[derive(Debug)]
pub(super) struct Swarm {
    /// What it gets, or has.
    pub(super) torrent: Rc<Torrent>,
    /// Its folder.
    pub(super) folder: Scratch,
    /// Its side that listens.
    pub(super) service: Service,
    /// Its user's side.
    pub(super) console: Console,
}

/// How the program is to be started.
#[derive(Debug)]
pub(super) struct Start<'a> {
    called: &'a str,
    torrent: Rc<Torrent>,
    having: Option<Vec<u8>>,
    peers: Vec<SocketAddr>,
    address: Option<SocketAddr>,
    tempo: Option<f64>,
    below: &'a str,
    torrent_file: Option<Vec<u8>>,
}

impl<'a> Start<'a> {
    /// With nothing of this torrent's file, and with nobody to dial.
    pub(super) fn of(torrent: &Rc<Torrent>) -> Self {
        let torrent = Rc::clone(torrent);
        Self {
            called: CALLED,
            torrent,
            having: None,
            peers: Vec::new(),
            address: None,
            tempo: None,
            below: "",
            torrent_file: None,
        }
    }

    /// The reader calls it so.
    pub(super) fn called(self, called: &'a str) -> Self {
        Self { called, ..self }
    }

    /// With these pieces.
    pub(super) fn having(self, pieces: &[u32]) -> Self {
        let bytes = self.torrent.with_pieces(pieces);
        self.with_file(bytes)
    }

    /// With this in the place of the file.
    pub(super) fn with_file(self, bytes: Vec<u8>) -> Self {
        Self { having: Some(bytes), ..self }
    }

    /// With these to dial.
    pub(super) fn dialling(self, peers: &[SocketAddr]) -> Self {
        Self { peers: peers.to_vec(), ..self }
    }

    /// At this address.
    pub(super) fn at(self, address: SocketAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// With times of a second and more that are shorter.
    pub(super) fn hurrying(self) -> Self {
        self.at_tempo(TEMPO)
    }

    /// With times of a second and more that are multiplied by this.
    pub(super) fn at_tempo(self, tempo: f64) -> Self {
        Self { tempo: Some(tempo), ..self }
    }

    /// With this below the folder in its place.
    pub(super) fn below(self, below: &'a str) -> Self {
        Self { below, ..self }
    }

    /// With this in the place of the torrent file.
    pub(super) fn with_torrent(self, bytes: Vec<u8>) -> Self {
        Self { torrent_file: Some(bytes), ..self }
    }

    /// Starts it, and waits until it listens.
    pub(super) fn listening(self, t: &Trial) -> Verdict<Swarm> {
        let address = match self.address {
            Some(address) => address,
            // What a tracker is told of it is the address of a connection that it has dialled.
            None => t.addresses().free_localhost()?,
        };
        let (folder, given) = self.prepared(t, &address.to_string())?;
        // The end of its standard input would be its own end.
        let running = t.start_as(self.called, LAB.name, given, Stdin::Piped)?;
        let service = t.listening(Rc::clone(&running), address)?;
        let console = Console::new(t.clone(), running);
        Ok(Swarm { torrent: self.torrent, folder, service, console })
    }

    /// Its folder and its command line.
    pub(super) fn prepared(&self, t: &Trial, address: &str) -> Verdict<(Scratch, Given)> {
        let name = |what: &str| match self.called {
            CALLED => what.to_owned(),
            called => format!("{what}-of-{called}"),
        };
        let torrents = t.scratch(&name(TORRENTS))?;
        let file = self.torrent_file.clone().unwrap_or_else(|| self.torrent.file());
        torrents.file(TORRENT, &file)?;
        let folder = t.scratch(&name(FOLDER))?;
        if let Some(bytes) = &self.having {
            folder.file(&self.torrent.name, bytes)?;
        }
        let torrent = torrents.path().join(TORRENT);
        let dir = match self.below {
            "" => folder.path().to_owned(),
            below => folder.path().join(below),
        };
        let given = Given::text(address)
            .with("torrent", torrent.display())
            .with("dir", dir.display())
            .with_all("peers", &self.peers);
        Ok((
            folder,
            self.tempo
                .into_iter()
                .fold(given, |given, tempo| given.environment("LAB_TEMPO", tempo)),
        ))
    }
}

impl Swarm {
    /// Starts it with the whole file.
    pub(super) fn seed(t: &Trial, torrent: &Rc<Torrent>) -> Verdict<Self> {
        Self::having(t, torrent, &torrent.all())
    }

    /// Starts it with nothing.
    pub(super) fn leech(t: &Trial, torrent: &Rc<Torrent>) -> Verdict<Self> {
        Self::having(t, torrent, &[])
    }

    /// Starts it with these pieces, and waits until it has told of them.
    pub(super) fn having(t: &Trial, torrent: &Rc<Torrent>, pieces: &[u32]) -> Verdict<Self> {
        let start = Start::of(torrent);
        let start = if pieces.is_empty() { start } else { start.having(pieces) };
        let swarm = start.listening(t)?;
        swarm.expect_have(pieces.len())?;
        Ok(swarm)
    }

    /// Starts it with nothing, and with these to dial.
    pub(super) fn dialling(
        t: &Trial,
        torrent: &Rc<Torrent>,
        peers: &[SocketAddr],
    ) -> Verdict<Self> {
        let swarm = Start::of(torrent).dialling(peers).listening(t)?;
        swarm.expect_have(0)?;
        Ok(swarm)
    }

    /// Starts it again as it was, in its folder, and waits until it listens.
    pub(super) fn again(self) -> Verdict<Self> {
        let (t, address) = (self.trial().clone(), self.address());
        let running = t.start_again(self.running())?;
        let service = t.listening(Rc::clone(&running), address)?;
        let console = Console::new(t, running);
        Ok(Self { service, console, ..self })
    }

    pub(super) fn trial(&self) -> &Trial {
        self.service.trial()
    }

    pub(super) fn running(&self) -> &Rc<Running> {
        &self.service.running
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.service.address
    }

    /// Expects that it tells how many pieces it has.
    pub(super) fn expect_have(&self, pieces: usize) -> Verdict {
        let count = self.torrent.count();
        self.console.expect_event(&format!("have {pieces} of {count}"), HAS)
    }

    /// The harness dials it, and says nothing yet.
    pub(super) fn called_by(&self, name: &str) -> Verdict<Remote> {
        let connection = self.service.connect_as(name.to_owned(), false)?;
        let (from, at) = (connection.here().port(), self.address());
        self.trial().note(format!("{name} dialled {at} from port {from}"));
        Ok(Remote::new(connection))
    }

    /// The harness dials it and greets it; its bitfield must tell of these pieces.
    pub(super) fn joined_by(&self, name: &str, having: &[u32]) -> Verdict<Remote> {
        let mut remote = self.called_by(name)?;
        remote.greet(&self.torrent)?;
        remote.expect_handshake(&self.torrent, ANSWERS)?;
        self.expect_peer(&remote, "server")?;
        remote.expect_bitfield(&self.torrent, having, TELLS)?;
        Ok(remote)
    }

    /// It dials `host`, which the harness plays, and which says nothing yet.
    pub(super) fn calls(&self, host: &Listener) -> Verdict<Remote> {
        host.accept(self.running(), DIALS).map(Remote::new)
    }

    /// It dials `host`, and they greet; its bitfield must tell of these pieces.
    pub(super) fn joins(&self, host: &Listener, having: &[u32]) -> Verdict<Remote> {
        let mut remote = self.calls(host)?;
        remote.expect_handshake(&self.torrent, GREETS)?;
        remote.greet(&self.torrent)?;
        let event = format!("peer {} as client", host.address());
        self.console.expect_event(&event, JOINED)?;
        remote.expect_bitfield(&self.torrent, having, TELLS)?;
        Ok(remote)
    }

    /// Expects `peer ADDRESS as ROLE`.
    pub(super) fn expect_peer(&self, remote: &Remote, role: &str) -> Verdict {
        let address = remote.connection().here();
        self.console.expect_event(&format!("peer {address} as {role}"), JOINED)
    }

    /// Expects `left ADDRESS`, of a peer that has dialled it.
    pub(super) fn expect_left(&self, address: SocketAddr) -> Verdict {
        self.console.expect_event(&format!("left {address}"), LEFT)
    }

    /// Expects `bad peer ADDRESS: REASON`, and that the connection is closed.
    pub(super) fn expect_bad_peer(&self, mut remote: Remote, cause: &str) -> Verdict {
        remote.expect_closed_at_last(cause)?;
        self.expect_bad(remote.connection().here(), cause)
    }

    /// Expects `bad peer ADDRESS: REASON`.
    pub(super) fn expect_bad(&self, address: SocketAddr, cause: &str) -> Verdict {
        self.console.expect_event(&format!("bad peer {address}: *"), cause)
    }

    /// Expects these next on its standard output, in any order: each a piece and who brought it.
    pub(super) fn expect_pieces(&self, pieces: &[(u32, SocketAddr)], cause: &str) -> Verdict {
        let lines: Vec<_> =
            pieces.iter().map(|(index, from)| format!("piece {index} from {from}")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        self.console.expect_events(&lines, cause)
    }

    /// Expects `complete`, and that the file is there.
    pub(super) fn expect_complete(&self) -> Verdict {
        self.console.expect_event("complete", COMPLETE)?;
        self.folder.expect_file(&self.torrent.name, &self.torrent.bytes, WRITTEN)
    }

    /// Waits until it has come to rest, or does not: whatever it was given has reached it.
    pub(super) fn rest(&self) -> Verdict {
        self.trial().settle(self.running()).map(drop)
    }

    /// Expects that it still serves: a new caller is greeted.
    pub(super) fn expect_service(&self, having: &[u32]) -> Verdict {
        let mut other = self.joined_by("zoe", having)?;
        other.send(&Message::Interested)?;
        other.expect(&Message::Unchoke, "whatever becomes of one peer, the others are served")
    }
}

impl Trial {
    /// Listens on a free loopback address as a peer that the program is to dial.
    pub(super) fn host_peer(&self, name: &str) -> Verdict<Listener> {
        let address = self.addresses().free_address();
        let listener = self.listen_as(name, &[address], &Terms::ANSWERS)?;
        self.note(format!("{name} listens on {address}"));
        Ok(listener)
    }
}

const HAS: &str = "behind its ready line it tells how many pieces lie in DIR already, and how many the torrent has";
const ANSWERS: &str = "whoever is dialled answers with its own handshake, once the info hash has come and is \
    the right one";
const DIALS: &str = "each PEER of the command line is dialled at once, each in a thread of its own";
const GREETS: &str = "the one that dials speaks first: its whole handshake, 68 bytes";
const JOINED: &str = "once both handshakes have been read it prints one line, flushed: peer, the other end's \
    address (peer_addr), and `as client` where it has dialled, `as server` where it was dialled";
const LEFT: &str =
    "a peer that has gone, by an end or a reset, is told of once: left, and its address";
const TELLS: &str = "the first message is a bitfield, also when it is empty: the highest bit of its first byte is \
    piece 0, and the bits behind the last piece are 0";
pub(super) const COMPLETE: &str = "once the last piece is written it prints `complete`";
pub(super) const WRITTEN: &str =
    "a piece is written where it belongs: at its index times the piece length";
