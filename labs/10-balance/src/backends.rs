//! The servers behind this address: what is known of each, by whom it is used, and the events
//! that tell of a change.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::output::{lock, print};

/// A server behind this address.
#[derive(Debug)]
pub struct Backend {
    /// As the user typed it.
    pub name: String,
    /// The first address that the name has.
    pub address: SocketAddr,
    /// How many clients it has now, those for whom it is being dialled included.
    pub connections: usize,
    /// Whether the last dial was in vain.
    pub is_down: bool,
    /// Whether the user wants no new clients there.
    pub is_draining: bool,
}

/// All of them, as they are at one moment: see [`Backends::lock`].
#[derive(Debug)]
pub struct Table {
    /// In the order in which they were given.
    pub backends: Vec<Backend>,
    /// The number of the one that was picked last; at the start that of the last in the order, so
    /// that the turn begins with the first.
    pub last: usize,
}

/// All servers, shared by all threads.
#[derive(Debug)]
pub struct Backends {
    table: Mutex<Table>,
    one_is_down: Condvar,
}

impl Backends {
    /// All are up at the start. The error is the line that tells which has no address.
    pub fn new(names: Vec<String>) -> Result<Self, String> {
        let backend = |name: String| match first_address(&name) {
            Ok(address) => {
                Ok(Backend { name, address, connections: 0, is_down: false, is_draining: false })
            }
            Err(error) => Err(format!("cannot use {name}: {error}")),
        };
        let backends: Vec<_> = names.into_iter().map(backend).collect::<Result<_, _>>()?;
        let last = backends.len() - 1;
        let table = Mutex::new(Table { backends, last });
        Ok(Self { table, one_is_down: Condvar::new() })
    }

    /// What is known of all of them. Nobody else reads or changes it while the guard lives: so it
    /// is held for a moment, and never while something is waited for.
    pub fn lock(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    /// The place of a client that was counted at the backend with this number.
    pub fn place(&self, number: usize) -> Place<'_> {
        Place { backends: self, number }
    }

    /// A dial has failed: the backend is down. Says so, unless that was known.
    pub fn set_down(&self, number: usize) {
        let mut table = self.lock();
        let backend = &mut table.backends[number];
        if !backend.is_down {
            backend.is_down = true;
            print(&format!("down {}", backend.name));
            self.one_is_down.notify_all();
        }
    }

    /// The backend has come back. Says so, unless that was known.
    pub fn set_up(&self, number: usize) {
        let mut table = self.lock();
        let backend = &mut table.backends[number];
        if backend.is_down {
            backend.is_down = false;
            print(&format!("up {}", backend.name));
        }
    }

    /// Those that are down, by number and address. Waits as long as there is none.
    pub fn wait_for_down(&self) -> Vec<(usize, SocketAddr)> {
        let table = self.lock();
        let none = |table: &mut Table| table.backends.iter().all(|backend| !backend.is_down);
        let table = self.one_is_down.wait_while(table, none);
        let table = table.unwrap_or_else(PoisonError::into_inner);
        let all = table.backends.iter().enumerate();
        all.filter(|(_, one)| one.is_down).map(|(number, one)| (number, one.address)).collect()
    }

    /// The user wants no new clients at this backend. Whether there is a backend of that name.
    pub fn drain(&self, name: &str) -> bool {
        self.change(name, |backend| {
            if !backend.is_draining {
                backend.is_draining = true;
                print(&format!("draining {name}"));
                backend.say_if_drained();
            }
        })
    }

    /// It may have new clients again. Whether there is a backend of that name.
    pub fn undrain(&self, name: &str) -> bool {
        self.change(name, |backend| {
            if backend.is_draining {
                backend.is_draining = false;
                print(&format!("undrained {name}"));
            }
        })
    }

    fn change(&self, name: &str, change: impl Fn(&mut Backend)) -> bool {
        let mut table = self.lock();
        let backend = table.backends.iter_mut().find(|backend| backend.name == name);
        backend.map(change).is_some()
    }
}

impl Backend {
    fn say_if_drained(&self) {
        if self.is_draining && self.connections == 0 {
            print(&format!("drained {}", self.name));
        }
    }
}

/// A client's place at a backend. It is given back when this is dropped, however that comes about.
#[derive(Debug)]
pub struct Place<'a> {
    backends: &'a Backends,
    number: usize,
}

impl Place<'_> {
    /// The number of its backend.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Where its backend is to be dialled.
    pub fn address(&self) -> SocketAddr {
        self.backends.lock().backends[self.number].address
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut table = self.backends.lock();
        let backend = &mut table.backends[self.number];
        backend.connections = backend.connections.saturating_sub(1);
        backend.say_if_drained();
    }
}

fn first_address(name: &str) -> io::Result<SocketAddr> {
    name.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("it has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Backends {
        Backends::new(vec!["127.0.0.1:1".into(), "127.0.0.1:2".into()]).unwrap()
    }

    #[test]
    fn a_place_is_given_back_when_it_is_dropped() {
        let backends = two();
        backends.lock().backends[1].connections = 2;
        let place = backends.place(1);
        assert_eq!(place.address().port(), 2);
        drop(place);
        assert_eq!(backends.lock().backends[1].connections, 1);
    }

    #[test]
    fn who_waits_for_one_that_is_down_gets_all_that_are() {
        let backends = two();
        backends.set_down(1);
        assert_eq!(backends.wait_for_down(), [(1, "127.0.0.1:2".parse().unwrap())]);
        backends.set_down(0);
        backends.set_up(1);
        assert_eq!(backends.wait_for_down(), [(0, "127.0.0.1:1".parse().unwrap())]);
    }

    #[test]
    fn draining_and_down_are_two_things() {
        let backends = two();
        backends.set_down(0);
        assert!(backends.drain("127.0.0.1:1") && !backends.drain("localhost:1"));
        let first = |of: fn(&Backend) -> bool| of(&backends.lock().backends[0]);
        assert!(first(|one| one.is_down && one.is_draining));
        backends.set_up(0);
        assert!(first(|one| !one.is_down && one.is_draining));
        assert!(backends.undrain("127.0.0.1:1") && first(|one| !one.is_draining));
    }

    #[test]
    fn a_name_without_an_address_is_named() {
        let error = Backends::new(vec!["no-such-host.invalid:1".into()]).unwrap_err();
        assert!(error.starts_with("cannot use no-such-host.invalid:1: "), "{error}");
    }
}
