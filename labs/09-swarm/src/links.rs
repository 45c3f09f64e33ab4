//! The connections to other peers: each has a queue of what it is to be sent, and a thread that writes
//! it. Whoever puts something into a queue never waits, whatever the other end does: two peers
//! whose readers write to each other would wait for each other for ever, once all buffers are full.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::message::{Bits, Block, Message};
use crate::output::{lock, report};
use crate::swarm::Swarm;

/// So many requests of a peer may wait for their blocks.
const MOST_WAITING: usize = 2048;

/// What this side was when the connection was made. After the greeting it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This side dialled.
    Client,
    /// This side accepted.
    Server,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// What is known of the peer at the other end, and what is being fetched from it.
#[derive(Debug)]
pub struct Peer {
    /// The pieces that it has.
    pub has: Bits,
    /// Whether it chokes us, as everybody does at first: then it answers no request.
    pub is_choking: bool,
    /// Whether it has been told that we are interested.
    pub knows_our_interest: bool,
    /// Whether it has been unchoked: then its requests are answered.
    pub is_unchoked: bool,
    /// The requests that it has not answered yet.
    pub in_flight: Vec<Block>,
    /// The pieces that are being fetched from it.
    pub parts: Vec<Part>,
}

/// A piece that is being fetched.
#[derive(Debug)]
pub struct Part {
    /// Its number.
    pub piece: u32,
    /// Its bytes: zeros where a block has not come yet.
    pub bytes: Vec<u8>,
    /// So many of them have been asked for, from the first one on.
    pub asked: u32,
    /// So many of them have come.
    pub come: u32,
}

impl Part {
    /// A piece of this length, of which nothing has been asked for.
    pub fn new(piece: u32, length: u32) -> Self {
        Self { piece, bytes: vec![0; length as usize], asked: 0, come: 0 }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Puts a block where it belongs: one that was asked for, so that it fits. Returns whether the
    /// piece is whole with that.
    pub fn put(&mut self, begin: u32, block: &[u8]) -> bool {
        self.bytes[begin as usize..][..block.len()].copy_from_slice(block);
        self.come += block.len() as u32;
        self.come == self.length()
    }
}

/// A connection on which both sides have greeted, for as long as it lasts.
#[derive(Debug)]
pub struct Link {
    /// The connection. Only the writer of this link writes to it: messages must not mix.
    pub stream: TcpStream,
    /// Its other end.
    pub address: SocketAddr,
    peer: Mutex<Peer>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// What is to be written. It stays small, whatever the other end does: messages that tell something of
/// this side's pieces are few, and requests of either side are counted.
#[derive(Debug, Default)]
struct Queue {
    messages: Vec<u8>,
    /// Our requests.
    requests: Vec<Block>,
    /// The blocks that the peer has asked for. Their bytes are read when they are sent.
    blocks: VecDeque<Block>,
    is_closed: bool,
}

impl Link {
    /// Makes a link of a connection on which both sides have greeted. Its first message says which
    /// pieces are here.
    pub fn open(
        swarm: &Arc<Swarm>,
        stream: TcpStream,
        address: SocketAddr,
    ) -> io::Result<Arc<Self>> {
        let peer = Peer {
            has: Bits::none(swarm.store.pieces()),
            is_choking: true,
            knows_our_interest: false,
            is_unchoked: false,
            in_flight: Vec::new(),
            parts: Vec::new(),
        };
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let link = Arc::new(Self { stream, address, peer: Mutex::new(peer), queue, changed });
        let (writer, shared) = (Arc::clone(&link), Arc::clone(swarm));
        thread::Builder::new().spawn(move || writer.write(&shared))?;
        Ok(link)
    }

    /// What is known of the peer, for as long as the guard lives. Never two of them at once: two
    /// threads could wait for each other.
    pub fn peer(&self) -> MutexGuard<'_, Peer> {
        lock(&self.peer)
    }

    /// Sends a message: puts it into the queue. Where the link has ended it goes nowhere.
    pub fn send(&self, message: &Message) {
        let mut queue = lock(&self.queue);
        if !queue.is_closed {
            match message {
                Message::Request(block) => queue.requests.push(*block),
                _ => message.write_to(&mut queue.messages),
            }
            self.changed.notify_one();
        }
    }

    /// Sends a block that the peer has asked for, behind those that wait already. Returns false
    /// where too many wait.
    pub fn send_block(&self, block: Block) -> bool {
        let mut queue = lock(&self.queue);
        if queue.blocks.len() >= MOST_WAITING {
            return false;
        }
        if !queue.is_closed {
            queue.blocks.push_back(block);
            self.changed.notify_one();
        }
        true
    }

    /// Takes those requests back that are still in the queue: a peer that chokes us would not answer
    /// them.
    pub fn take_back_requests(&self) {
        lock(&self.queue).requests.clear();
    }

    /// Ends the link, and with it its writer and whoever reads from it.
    pub fn close(&self) {
        let mut queue = lock(&self.queue);
        *queue = Queue { is_closed: true, ..Queue::default() };
        self.changed.notify_one();
        drop(queue);
        // An error means that the other side has ended it already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Writes what the queue has, until the link ends.
    fn write(&self, swarm: &Swarm) {
        loop {
            let is_idle = |queue: &mut Queue| {
                let is_empty = queue.messages.is_empty() && queue.requests.is_empty();
                is_empty && queue.blocks.is_empty() && !queue.is_closed
            };
            let queue = self.changed.wait_while(lock(&self.queue), is_idle);
            let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
            if queue.is_closed {
                return;
            }
            let mut bytes = mem::take(&mut queue.messages);
            for request in queue.requests.drain(..) {
                Message::Request(request).write_to(&mut bytes);
            }
            let block = queue.blocks.pop_front();
            // Not held while it reads the file and writes: that may take long.
            drop(queue);
            if let Some(block) = block {
                let Block { piece, begin, length } = block;
                match swarm.store.read(block) {
                    Ok(block) => Message::Piece { piece, begin, bytes: block }.write_to(&mut bytes),
                    Err(error) => {
                        report(&format!("cannot read piece {piece}: {error}"));
                        return self.close();
                    }
                }
                if (&self.stream).write_all(&bytes).is_err() {
                    return self.close();
                }
                swarm.uploaded.fetch_add(length.into(), Ordering::Relaxed);
            } else if (&self.stream).write_all(&bytes).is_err() {
                return self.close();
            }
        }
    }
}
