//! The peer around the five steps: it accepts and dials, reads from each connection in a thread of
//! its own, and says what happens.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::announcer::{self, News, PeerId, Status};
use crate::contacts::{Contacts, Place};
use crate::failure::Failure;
use crate::links::{Link, Role};
use crate::message::Message;
use crate::output::{lock, print, report};
use crate::store::Store;
use crate::times::{ANSWER, GREETING, PAUSE, at_tempo};
use crate::torrent::Torrent;
use crate::{download, greet, read_message, upload};

/// Room for a message with a block of 16,384 bytes, and for the beginning of the next one.
const READ_AHEAD: usize = 32 << 10;
/// The longest message but a long bitfield: one with a block.
const LONGEST_MESSAGE: u32 = 16_393;

/// What all threads share.
#[derive(Debug)]
pub struct Swarm {
    /// The file.
    pub store: Store,
    /// By what the others know this peer.
    pub id: PeerId,
    /// How many bytes of blocks have been sent.
    pub uploaded: AtomicU64,
    /// How many bytes of blocks that were asked for have come.
    pub downloaded: AtomicU64,
    port: u16,
    contacts: Arc<Contacts>,
    links: Mutex<Vec<Arc<Link>>>,
    is_leaving: AtomicBool,
    /// To the thread that asks the tracker.
    news: Sender<News>,
    /// To the thread that waits for the end of the program.
    ended: Sender<Result<(), String>>,
}

impl Swarm {
    /// The connections that there are now. It is a copy: nobody waits for whoever goes through it.
    pub fn links(&self) -> Vec<Arc<Link>> {
        lock(&self.links).clone()
    }

    /// The last piece has come: says so, to the tracker, too.
    pub fn complete(&self) {
        print("complete");
        // Without a tracker nobody listens.
        let _ = self.news.send(News::Complete);
    }

    /// What the tracker is told.
    pub fn status(&self) -> Status {
        Status {
            info_hash: self.store.torrent().info_hash,
            peer_id: self.id,
            port: self.port,
            uploaded: self.uploaded.load(Ordering::Relaxed),
            downloaded: self.downloaded.load(Ordering::Relaxed),
            left: self.store.left(),
        }
    }

    /// Dials those whom the tracker knows, if they may have something that is missing.
    pub fn meet(self: &Arc<Self>, peers: &[SocketAddr]) {
        if self.store.left() == 0 {
            return;
        }
        for address in peers {
            if let Some(place) = self.contacts.place(*address, Role::Client) {
                let (swarm, address) = (Arc::clone(self), *address);
                spawn(move || {
                    if let Err(error) = dial(&swarm, address, place) {
                        report(&format!("cannot reach {address}: {error}"));
                    }
                });
            }
        }
    }

    /// From now on this link is told of each piece. It begins with the pieces that are here: under
    /// the lock, so that none falls between the two.
    fn add(&self, link: &Arc<Link>) {
        let mut links = lock(&self.links);
        link.send(&Message::Bitfield(self.store.here().to_bytes()));
        links.push(Arc::clone(link));
    }

    fn remove(&self, link: &Arc<Link>) {
        lock(&self.links).retain(|one| !Arc::ptr_eq(one, link));
    }

    /// Ends all connections, and tells the tracker.
    fn leave(&self) {
        self.is_leaving.store(true, Ordering::SeqCst);
        self.links().iter().for_each(|link| link.close());
        let (done, wait) = mpsc::channel();
        let patience = at_tempo(ANSWER);
        if self.news.send(News::Leaving(Instant::now() + patience, done)).is_ok() {
            // The tracker may know it by then, or it never will.
            let _ = wait.recv_timeout(patience);
        }
    }

    fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::SeqCst)
    }

    /// Prints an event of a connection, unless all of them are being ended.
    fn print(&self, event: &str) {
        if !self.is_leaving() {
            print(event);
        }
    }
}

/// `swarm TORRENT DIR LISTEN [PEER ...]`. The error is the line that tells why it can't go on.
pub fn run(torrent: &Path, folder: &Path, listen: &str, peers: Vec<String>) -> Result<(), String> {
    let read = Torrent::read(torrent);
    let read = read.map_err(|cause| format!("cannot read {}: {cause}", torrent.display()))?;
    let tracker = read.tracker.clone();
    let store = Store::open(read, folder)?;
    let bound =
        TcpListener::bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) =
        bound.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    print(&format!("listening on {address}"));
    print(&format!("have {} of {}", store.here().pieces().count(), store.pieces()));

    let (news, to_be_told) = mpsc::channel();
    let (ended, end) = mpsc::channel();
    let swarm = Arc::new(Swarm {
        store,
        id: random_id(),
        uploaded: AtomicU64::new(0),
        downloaded: AtomicU64::new(0),
        port: address.port(),
        contacts: Arc::new(Contacts::new(address)),
        links: Mutex::default(),
        is_leaving: AtomicBool::new(false),
        news,
        ended: ended.clone(),
    });
    for peer in peers {
        // One that nobody answers can take minutes: only this thread waits.
        let swarm = Arc::clone(&swarm);
        spawn(move || dial_by_name(&swarm, &peer));
    }
    if let Some(tracker) = tracker {
        let swarm = Arc::clone(&swarm);
        spawn(move || announcer::run(&swarm, &tracker, &to_be_told));
    } else {
        drop(to_be_told);
    }
    spawn(move || {
        listen_to_the_user();
        let _ = ended.send(Ok(()));
    });
    let shared = Arc::clone(&swarm);
    spawn(move || accept(&shared, &listener));
    // All senders are there as long as the swarm is.
    end.recv().unwrap_or(Ok(()))?;
    swarm.leave();
    Ok(())
}

/// Reads standard input until it ends.
fn listen_to_the_user() {
    // One that can't be read has ended, too.
    for _ in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        report("there are no commands; the end of standard input ends the program");
    }
}

/// Accepts for ever.
fn accept(swarm: &Arc<Swarm>, listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((stream, address)) => {
                // Where there is no place, or the program ends, it is closed at once.
                let place = swarm.contacts.place(address, Role::Server);
                let Some(place) = place.filter(|_| !swarm.is_leaving()) else { continue };
                // A caller may be slow to greet: only its own thread waits.
                let swarm = Arc::clone(swarm);
                spawn(move || attend(&swarm, stream, place));
            }
            Err(error) => {
                report(&format!("cannot take a connection: {error}"));
                // No descriptor left: to try again at once would keep the processor busy.
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Dials a PEER of the command line: at the first of its addresses where somebody answers.
fn dial_by_name(swarm: &Arc<Swarm>, peer: &str) {
    let mut failed = io::Error::other("it has no address");
    match peer.to_socket_addrs() {
        Ok(addresses) => {
            for address in addresses {
                // One that is connected already, or this program itself.
                let Some(place) = swarm.contacts.place(address, Role::Client) else { return };
                match dial(swarm, address, place) {
                    Ok(()) => return,
                    Err(error) => failed = error,
                }
            }
        }
        Err(error) => failed = error,
    }
    report(&format!("cannot reach {peer}: {failed}"));
}

/// Dials, and stays for as long as the connection lasts.
fn dial(swarm: &Arc<Swarm>, address: SocketAddr, place: Place) -> io::Result<()> {
    let stream = TcpStream::connect(address)?;
    attend(swarm, stream, place);
    Ok(())
}

/// A connection, from its beginning to its end.
fn attend(swarm: &Arc<Swarm>, stream: TcpStream, place: Place) {
    let deadline = Instant::now() + at_tempo(GREETING);
    let (address, role) = (place.address(), place.role());
    // A short message is sent at once, not when the one before it has been acknowledged (Nagle).
    let _ = stream.set_nodelay(true);
    match greet(&stream, role, &swarm.store.torrent().info_hash, &swarm.id, deadline) {
        // It is this program itself.
        Ok(id) if id == swarm.id => return place.never_again(),
        Ok(_) => {}
        Err(Failure::Broke(rule)) => {
            swarm.print(&format!("bad peer {address}: {rule}"));
            return place.never_again();
        }
        Err(Failure::Lost | Failure::Disk(_)) => return,
    }
    let _ = stream.set_read_timeout(None);
    let link = match Link::open(swarm, stream, address) {
        Ok(link) => link,
        Err(error) => return report(&format!("there is no thread for {address}: {error}")),
    };
    swarm.print(&format!("peer {address} as {role}"));
    swarm.add(&link);
    let end = read_from(swarm, &link);
    swarm.remove(&link);
    link.close();
    // From now on nothing comes of what was asked for, as if it choked us.
    let _ = download(swarm, &link, Message::Choke);
    swarm.store.forget(&link.peer().has);
    match end {
        Failure::Broke(rule) => {
            swarm.print(&format!("bad peer {address}: {rule}"));
            place.never_again();
        }
        Failure::Lost => swarm.print(&format!("left {address}")),
        Failure::Disk(line) => {
            let _ = swarm.ended.send(Err(line));
        }
    }
}

/// Reads from a link until it ends, or breaks a rule.
fn read_from(swarm: &Swarm, link: &Link) -> Failure {
    let longest = LONGEST_MESSAGE.max(1 + swarm.store.pieces().div_ceil(8));
    // One reader for as long as the link lasts: it reads ahead.
    let mut reader = BufReader::with_capacity(READ_AHEAD, &link.stream);
    loop {
        let done = match read_message(&mut reader, longest) {
            Err(failure) => return failure,
            Ok(Message::Other) => continue,
            Ok(
                message @ (Message::Interested
                | Message::NotInterested
                | Message::Request(_)
                | Message::Cancel(_)),
            ) => upload(swarm, link, message),
            Ok(message) => download(swarm, link, message),
        };
        if let Err(failure) = done {
            return failure;
        }
    }
}

/// `-SL0100-` and 12 letters by chance.
fn random_id() -> PeerId {
    let mut id = *b"-SL0100-............";
    for letter in &mut id[8..] {
        // Each `RandomState` is another one.
        *letter = b'a' + (RandomState::new().hash_one(0) % 26) as u8;
    }
    id
}

/// Starts a thread. Where there is none, what it was for is not done, and the program goes on.
fn spawn(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().spawn(work) {
        report(&format!("there is no thread: {error}"));
    }
}
