//! With whom this peer is connected, and whom it may dial.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::links::Role;
use crate::output::lock;

/// The most connections at once.
const MOST: usize = 50;
/// The most of them that this side dialled.
const MOST_DIALLED: usize = 30;

/// The connections that there are, and those that are being made.
#[derive(Debug)]
pub struct Contacts {
    /// Where this program listens.
    own: SocketAddr,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    present: Vec<(SocketAddr, Role)>,
    /// Who was dialled and broke a rule, or was this program itself.
    never_again: HashSet<SocketAddr>,
}

impl Contacts {
    /// Nobody yet.
    pub fn new(own: SocketAddr) -> Self {
        Self { own, book: Mutex::default() }
    }

    /// Takes a place for a connection. `None`: there is no free one, or this address is not to be
    /// dialled.
    pub fn place(self: &Arc<Self>, address: SocketAddr, role: Role) -> Option<Place> {
        let mut book = lock(&self.book);
        if book.present.len() >= MOST || role == Role::Client && !self.may_dial(&book, address) {
            return None;
        }
        book.present.push((address, role));
        Some(Place { contacts: Arc::clone(self), address, role })
    }

    fn may_dial(&self, book: &Book, address: SocketAddr) -> bool {
        let dialled = book.present.iter().filter(|(_, role)| *role == Role::Client).count();
        let is_present = book.present.iter().any(|(present, _)| *present == address);
        let is_new = address != self.own && !is_present && !book.never_again.contains(&address);
        is_new && dialled < MOST_DIALLED
    }
}

/// A place among the connections. It is given back when this is dropped.
#[derive(Debug)]
pub struct Place {
    contacts: Arc<Contacts>,
    address: SocketAddr,
    role: Role,
}

impl Place {
    /// The other end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What this side is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Gives the place back, and the address is not dialled again.
    pub fn never_again(self) {
        // The port of a caller is not where it can be dialled.
        if self.role == Role::Client {
            lock(&self.contacts.book).never_again.insert(self.address);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = lock(&self.contacts.book);
        let at = book.present.iter().position(|one| *one == (self.address, self.role));
        if let Some(at) = at {
            book.present.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts() -> Arc<Contacts> {
        Arc::new(Contacts::new(at(0)))
    }

    fn at(number: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 7000 + u16::from(number)))
    }

    #[test]
    fn there_are_50_places_of_which_30_may_be_dialled() {
        let contacts = contacts();
        for _ in 0..2 {
            let dialled: Vec<_> =
                (1..=60).map_while(|n| contacts.place(at(n), Role::Client)).collect();
            let accepted: Vec<_> =
                (1..=60).map_while(|n| contacts.place(at(100 + n), Role::Server)).collect();
            assert_eq!((dialled.len(), accepted.len()), (30, 20));
        }
    }

    #[test]
    fn who_is_present_is_not_dialled_and_neither_is_this_program() {
        let contacts = contacts();
        let place = contacts.place(at(1), Role::Client);
        assert!(contacts.place(at(1), Role::Client).is_none());
        assert!(contacts.place(at(0), Role::Client).is_none());
        drop(place);
        assert!(contacts.place(at(1), Role::Client).is_some());
    }

    #[test]
    fn who_broke_a_rule_is_not_dialled_again() {
        let contacts = contacts();
        contacts.place(at(1), Role::Client).unwrap().never_again();
        assert!(contacts.place(at(1), Role::Client).is_none());
        assert!(contacts.place(at(1), Role::Server).is_some());
    }
}
