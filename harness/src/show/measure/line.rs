//! What limits a program's sending: a token bucket, the time under way, and relays that take from both.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::labs::swarm::HANDSHAKE;

/// What a program may send at once after it has sent nothing for a while.
const BURST: Duration = Duration::from_millis(10);
/// What a relay carries at a time.
const CHUNK: usize = 16 << 10;

/// The line of one program: so many bytes a second leave by it, over all of its connections.
#[derive(Debug)]
pub(super) struct Line {
    rate: f64,
    /// How long each byte is under way.
    delay: Duration,
    /// When all that it has been given will have left.
    free_at: Mutex<Instant>,
    sent: AtomicU64,
}

impl Line {
    pub(super) fn new(rate: u32) -> Arc<Self> {
        Self::delayed(rate, Duration::ZERO)
    }

    /// The same to somebody far away.
    pub(super) fn delayed(rate: u32, delay: Duration) -> Arc<Self> {
        let (rate, sent) = (f64::from(rate), AtomicU64::new(0));
        Arc::new(Self { rate, delay, free_at: Mutex::new(Instant::now()), sent })
    }

    /// When so many bytes will have left. Several who send are served in the order in which they came.
    fn leave(&self, bytes: usize) -> Instant {
        let now = Instant::now();
        // A relay that waits for its line is late now and then, and makes up for it. One that only notes when
        // something is due is never late.
        let burst = if self.delay.is_zero() { BURST } else { Duration::ZERO };
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*free_at).max(now.checked_sub(burst).unwrap_or(now));
        *free_at = begin + Duration::from_secs_f64(bytes as f64 / self.rate);
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        *free_at
    }

    /// Waits until so many bytes have left.
    fn take(&self, bytes: usize) {
        wait_until(self.leave(bytes));
    }

    /// What has left by it.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

fn wait_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}

/// Shut until all programs run: whoever starts first would have a lead.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }
}

/// A relay for one connection of lab 9. Returns where it can be dialled, instead of `to`. What the one who
/// dials says leaves by `near`, and what the other one says by `far`.
pub(super) fn relay(
    to: SocketAddr,
    near: &Arc<Line>,
    far: &Arc<Line>,
    gate: &Arc<Gate>,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (near, far, gate) = (Arc::clone(near), Arc::clone(far), Arc::clone(gate));
    thread::spawn(move || {
        let Ok((dialled, _)) = listener.accept() else { return };
        let Ok(accepted) = TcpStream::connect(to) else { return };
        let _ = dialled.set_nodelay(true);
        let _ = accepted.set_nodelay(true);
        // They wait five seconds for each other's greeting, and not for all the others to have started.
        if greet(&dialled, &accepted).and_then(|()| greet(&accepted, &dialled)).is_err() {
            return;
        }
        gate.pass();
        thread::scope(|scope| {
            scope.spawn(|| carry(&dialled, &accepted, &near));
            carry(&accepted, &dialled, &far);
        });
    });
    Ok(address)
}

/// Takes the greeting of one to the other.
fn greet(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    let mut greeting = [0; HANDSHAKE];
    from.read_exact(&mut greeting)?;
    to.write_all(&greeting)
}

/// Carries what one says to the other, until either of them ends.
fn carry(from: &TcpStream, mut to: &TcpStream, line: &Line) {
    if line.delay.is_zero() {
        take_in(from, |bytes| {
            line.take(bytes.len());
            to.write_all(bytes).is_ok()
        });
    } else {
        thread::scope(|scope| {
            let (sent, under_way) = mpsc::channel::<(Instant, Vec<u8>)>();
            scope.spawn(move || {
                for (due, bytes) in under_way {
                    wait_until(due);
                    if to.write_all(&bytes).is_err() {
                        break;
                    }
                }
            });
            take_in(from, |bytes| {
                sent.send((line.leave(bytes.len()) + line.delay, bytes.to_vec())).is_ok()
            });
        });
    }
    // One of them has ended: nobody needs the other direction.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Reads what one says, until it ends, or nobody wants it any more.
fn take_in(mut from: &TcpStream, mut pass_on: impl FnMut(&[u8]) -> bool) {
    let mut room = [0; CHUNK];
    while let Ok(count @ 1..) = from.read(&mut room) {
        if !pass_on(&room[..count]) {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_sends_no_faster_than_it_may() {
        let line = Line::new(1 << 20);
        let began = Instant::now();
        (0..8).for_each(|_| line.take(CHUNK));
        // An eighth of a second, but for the burst.
        assert!(began.elapsed() >= Duration::from_millis(125) - BURST);
        assert_eq!(line.sent(), 8 * CHUNK as u64);
    }

    #[test]
    fn what_is_far_away_answers_no_sooner() {
        let delay = Duration::from_millis(10);
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let (near, far) = (Line::delayed(1 << 20, delay), Line::delayed(1 << 20, delay));
        let (to, gate) = (host.local_addr().unwrap(), Arc::new(Gate::default()));
        let mut stream = TcpStream::connect(relay(to, &near, &far, &gate).unwrap()).unwrap();
        let (mut other, _) = host.accept().unwrap();
        let mut greeting = [0; HANDSHAKE];
        stream.write_all(&greeting).unwrap();
        other.read_exact(&mut greeting).unwrap();
        other.write_all(&greeting).unwrap();
        stream.read_exact(&mut greeting).unwrap();
        gate.open();
        let began = Instant::now();
        let mut byte = [0];
        stream.write_all(b"x").unwrap();
        other.read_exact(&mut byte).unwrap();
        other.write_all(&byte).unwrap();
        stream.read_exact(&mut byte).unwrap();
        assert!(began.elapsed() >= 2 * delay);
    }
}
