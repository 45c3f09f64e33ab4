//! Where trials take place: which addresses the harness gives to programs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};

/// The addresses of one network. All that give ports there share the counter, so no two trials
/// get the same port, one after the other or side by side: a program that does not set
/// `SO_REUSEADDR` is not blamed for its predecessor, nor for its neighbour.
#[derive(Clone, Debug)]
pub struct Addresses {
    host: Ipv4Addr,
    next_port: Arc<AtomicU16>,
    isolated: bool,
}

/// Below the ephemeral ports (`ip_local_port_range` begins at 32768), above the well-known, and
/// none that a book or a habit suggests: a program with a port of its own must not be lucky.
const FIRST_PORT: u16 = 7107;
const LAST_PORT: u16 = 30_000;

impl Addresses {
    /// In a network namespace of our own every port is free, and 127.0.0.1 is what the
    /// reader knows.
    pub fn isolated() -> Self {
        let next_port = Arc::new(AtomicU16::new(FIRST_PORT));
        Self { host: Ipv4Addr::LOCALHOST, next_port, isolated: true }
    }

    /// In the system's own network: a loopback address that no other process uses, where the
    /// whole of 127.0.0.0/8 is loopback (Linux). Within the process no port is given twice.
    pub fn shared() -> Self {
        static NEXT_PORT: LazyLock<Arc<AtomicU16>> =
            LazyLock::new(|| Arc::new(AtomicU16::new(FIRST_PORT)));
        let host = if cfg!(target_os = "linux") {
            // A process id has at most 22 bits: each process gets an address of its own.
            let [_, top, high, low] = process::id().to_be_bytes();
            Ipv4Addr::new(127, 64 + top % 64, high, low)
        } else {
            Ipv4Addr::LOCALHOST
        };
        Self { host, next_port: NEXT_PORT.clone(), isolated: false }
    }

    /// Whether this is a network namespace of our own.
    pub fn is_isolated(&self) -> bool {
        self.isolated
    }

    /// The IPv4 loopback address of this network.
    pub fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// An address there that nothing is bound to, neither of TCP nor of UDP.
    pub fn free_address(&self) -> SocketAddr {
        self.free_on(self.host.into())
    }

    /// A free address of another loopback host: who sends from there is somebody else, whatever
    /// the port. The same as [`Addresses::free_address`] where there is but one loopback address.
    pub fn free_elsewhere(&self) -> SocketAddr {
        let [net, top, high, low] = self.host.octets();
        let host = match self.isolated {
            true => Ipv4Addr::new(127, 0, 0, 2),
            // One that is no other process's: see `shared`.
            false if cfg!(target_os = "linux") => Ipv4Addr::new(net, top + 64, high, low),
            false => self.host,
        };
        self.free_on(host.into())
    }

    /// What `localhost` stands for, with a port that nothing is bound to. Outside of a namespace
    /// 127.0.0.1 is one address for everybody, so the system says what is free.
    pub fn free_localhost(&self) -> io::Result<SocketAddr> {
        if self.isolated {
            Ok(self.free_address())
        } else {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
        }
    }

    /// A free address of IPv6; `None` where the system has no IPv6 loopback.
    pub fn free_address_v6(&self) -> Option<SocketAddr> {
        let probe = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok()?;
        if self.isolated {
            Some(self.free_on(Ipv6Addr::LOCALHOST.into()))
        } else {
            // ::1 is one address for everybody: take what the system says is free.
            probe.local_addr().ok()
        }
    }

    fn free_on(&self, host: IpAddr) -> SocketAddr {
        loop {
            let next = |port| Some(if port == LAST_PORT { FIRST_PORT } else { port + 1 });
            let order = Ordering::Relaxed;
            let (Ok(port) | Err(port)) = self.next_port.fetch_update(order, order, next);
            let address = SocketAddr::new(host, port);
            if is_free(address) {
                return address;
            }
        }
    }
}

/// Whether nothing is bound to it, neither of TCP nor of UDP: some programs want both on one port.
fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_where_datagrams_are_received_is_not_free() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(!is_free(taken.local_addr().unwrap()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_second_host_has_addresses_of_its_own() {
        let addresses = Addresses::shared();
        let [first, second] = [addresses.free_address(), addresses.free_elsewhere()];
        assert_ne!(first.ip(), second.ip());
        assert!(second.ip().is_loopback() && is_free(second));
    }

    #[test]
    fn trials_side_by_side_get_no_address_twice() {
        let taken = || std::thread::spawn(|| [(); 50].map(|()| Addresses::shared().free_address()));
        let both = [taken(), taken()].map(|it| it.join().unwrap()).concat();
        let different: std::collections::HashSet<_> = both.iter().collect();
        assert_eq!(different.len(), both.len());
    }
}
