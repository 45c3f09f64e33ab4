//! How many clients are served at once, on each listener.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// As many connections are served at once.
pub const PLACES: usize = 64;

/// The places. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// One place. It is given back when this is dropped, whether its thread returns or panics.
#[derive(Debug)]
pub struct Place(Arc<Shared>);

impl Places {
    /// All of them free.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a place; waits while there is none.
    pub fn take(&self) -> Place {
        let taken = self.0.taken();
        let mut taken = self
            .0
            .freed
            .wait_while(taken, |taken| *taken == PLACES)
            .unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Place(Arc::clone(&self.0))
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES, Places};

    #[test]
    fn a_place_that_is_dropped_can_be_taken_again() {
        let places = Places::new();
        for _ in 0..2 {
            let taken: Vec<_> = (0..PLACES).map(|_| places.take()).collect();
            assert_eq!(*places.0.taken(), PLACES);
            drop(taken);
            assert_eq!(*places.0.taken(), 0);
        }
    }
}
