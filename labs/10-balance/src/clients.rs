//! The clients that are being served, so that the program can leave without cutting them off.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::output::lock;

/// The clients that are being served, counted.
#[derive(Debug, Default)]
pub struct Clients {
    running: Mutex<usize>,
    one_less: Condvar,
    is_closing: AtomicBool,
}

impl Clients {
    /// One more. It is gone when what this returns is dropped.
    pub fn enter(self: &Arc<Self>) -> Visit {
        *lock(&self.running) += 1;
        Visit { clients: Arc::clone(self) }
    }

    /// Whether no more of them are to be taken.
    pub fn are_closed(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }

    /// No more of them are to be taken from the listener at this address. Whoever waits in `accept`
    /// there has to be woken up, and only a client can do that.
    pub fn close(&self, listener: SocketAddr) {
        self.is_closing.store(true, Ordering::SeqCst);
        // In vain where the listener's queue is full: then nobody waits in `accept`.
        let _ = TcpStream::connect_timeout(&reachable(listener), Duration::from_secs(1));
    }

    /// Waits until none is left, or for so long.
    pub fn wait_for_the_last(&self, limit: Duration) {
        let _ = self.one_less.wait_timeout_while(lock(&self.running), limit, |left| *left > 0);
    }
}

/// A client that is being served.
#[derive(Debug)]
pub struct Visit {
    clients: Arc<Clients>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        *lock(&self.clients.running) -= 1;
        self.clients.one_less.notify_all();
    }
}

/// Where a listener that is bound to this address can be reached.
fn reachable(listener: SocketAddr) -> SocketAddr {
    match listener {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;
    use std::time::Instant;

    #[test]
    fn the_last_one_ends_the_waiting() {
        let clients = Arc::new(Clients::default());
        let visits = [clients.enter(), clients.enter()];
        let begun = Instant::now();
        let thread = thread::spawn(move || drop(visits));
        clients.wait_for_the_last(Duration::from_secs(60));
        thread.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn who_waits_in_accept_is_woken_up() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let clients = Clients::default();
        clients.close(listener.local_addr().unwrap());
        assert!(clients.are_closed() && listener.accept().is_ok());
    }
}
