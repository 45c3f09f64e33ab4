//! The links to other servents: each has a queue of what it is to be sent, and a thread that writes
//! it. Whoever puts something into a queue never waits, whatever the other end does: two servents
//! whose readers write to each other would wait for each other for ever, once all buffers are full.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::descriptor::{Descriptor, HEADER};
use crate::times::STALL;

/// The most links at once.
const MOST_LINKS: usize = 32;
/// The most bytes that wait for one link.
const LONGEST_QUEUE: usize = 4 << 20;

/// What this side was when the connection was made. Afterwards it makes no difference.
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

/// What came of a greeting.
#[derive(Debug)]
pub enum Greeting {
    /// A link, which has this place.
    Link(Place),
    /// There would be one, but there are enough.
    NoPlace,
    /// The caller wants a file. So much of its request has been read.
    Download(Vec<u8>),
}

/// All links of this servent.
#[derive(Debug, Default)]
pub struct Links {
    taken: Arc<AtomicUsize>,
    present: Mutex<Vec<Arc<Link>>>,
}

/// A place among the links. It is given back when this is dropped.
#[derive(Debug)]
pub struct Place(Arc<AtomicUsize>);

impl Links {
    /// Takes a place for a new link. `None`: there is no free one.
    pub fn take_place(&self) -> Option<Place> {
        let one_more = |taken| (taken < MOST_LINKS).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.ok().map(|_| Place(Arc::clone(&self.taken)))
    }

    /// Those that there are now. It is a copy: nobody waits for whoever goes through it.
    pub fn all(&self) -> Vec<Arc<Link>> {
        lock(&self.present).clone()
    }

    /// From now on questions go to this link, too.
    pub fn add(&self, link: &Arc<Link>) {
        lock(&self.present).push(Arc::clone(link));
    }

    /// From now on they do not.
    pub fn remove(&self, link: &Arc<Link>) {
        lock(&self.present).retain(|one| !Arc::ptr_eq(one, link));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A link to another servent, for as long as the connection lasts.
#[derive(Debug)]
pub struct Link {
    /// Its connection. Only [`Link::send`] and its thread write to it: descriptors must not mix.
    pub stream: TcpStream,
    /// This end's own address.
    pub ip: Ipv4Addr,
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// What is to be written.
#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    is_closed: bool,
}

impl Link {
    /// Makes a link of a connection on which both sides have greeted.
    pub fn open(stream: TcpStream) -> io::Result<Arc<Self>> {
        let IpAddr::V4(ip) = stream.local_addr()?.ip() else {
            return Err(ErrorKind::Unsupported.into());
        };
        stream.set_read_timeout(None)?;
        stream.set_write_timeout(Some(STALL))?;
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let link = Arc::new(Self { stream, ip, queue, changed });
        let writer = Arc::clone(&link);
        thread::Builder::new().spawn(move || writer.write())?;
        Ok(link)
    }

    /// Sends a descriptor: puts it into the queue, whole, or drops it where the queue is full or the
    /// link has ended.
    pub fn send(&self, descriptor: &Descriptor) {
        let mut queue = lock(&self.queue);
        let length = HEADER + descriptor.payload.len();
        if !queue.is_closed && queue.bytes.len() + length <= LONGEST_QUEUE {
            descriptor.write_to(&mut queue.bytes);
            self.changed.notify_one();
        }
    }

    /// Ends the link, and with it its writer and whoever reads from it.
    pub fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.is_closed = true;
        queue.bytes = Vec::new();
        self.changed.notify_one();
        drop(queue);
        // An error means that the other side has ended it already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Writes what the queue has, until the link ends.
    fn write(&self) {
        loop {
            let is_idle = |queue: &mut Queue| queue.bytes.is_empty() && !queue.is_closed;
            let queue = self.changed.wait_while(lock(&self.queue), is_idle);
            let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
            let bytes = mem::take(&mut queue.bytes);
            // Not held while it writes: that may take long.
            drop(queue);
            // Where nothing was taken for so long, or there is nothing any more, it is over.
            if bytes.is_empty() || (&self.stream).write_all(&bytes).is_err() {
                return self.close();
            }
        }
    }
}

/// A thread that panicked leaves a list that is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_32_places_and_one_that_is_dropped_can_be_taken_again() {
        let links = Links::default();
        for _ in 0..2 {
            let places: Vec<_> = (0..MOST_LINKS).map_while(|_| links.take_place()).collect();
            assert_eq!(places.len(), MOST_LINKS);
            assert!(links.take_place().is_none());
        }
    }
}
