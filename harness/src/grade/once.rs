//! What was judged once is not judged again: a stub that nobody has touched, a file that two have handed
//! in, a lab that has not changed since the last run.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::sync::lock;

/// Values by what they depend on: each is made by the first who asks for it, while the others wait.
#[derive(Debug)]
pub(super) struct Once<V> {
    /// `None` is being made.
    values: Mutex<BTreeMap<u64, Option<Arc<V>>>>,
    changed: Condvar,
}

/// Keys whose values somebody has undertaken to make. Those that are left when it is dropped are free
/// for the next one.
#[derive(Debug)]
pub(super) struct Undertaken<'o, V> {
    of: &'o Once<V>,
    keys: Vec<u64>,
}

/// What there is of what was asked for: some of it, or something to make, or all of it.
#[derive(Debug)]
pub(super) struct Found<'o, V> {
    pub(super) values: BTreeMap<u64, Arc<V>>,
    pub(super) to_make: Undertaken<'o, V>,
}

impl<V> Once<V> {
    pub(super) fn new() -> Self {
        Self { values: Mutex::default(), changed: Condvar::new() }
    }

    /// The values of these keys that are there, and those of the others that nobody makes yet. Where
    /// somebody else makes all that is missing, waits for it.
    pub(super) fn find(&self, keys: &[u64]) -> Found<'_, V> {
        let mut values = lock(&self.values);
        loop {
            let state = |key: &u64| values.get(key);
            let there =
                keys.iter().filter_map(|key| Some((*key, Arc::clone(state(key)?.as_ref()?))));
            let there: BTreeMap<_, _> = there.collect();
            let mut free: Vec<u64> =
                keys.iter().copied().filter(|key| state(key).is_none()).collect();
            free.sort_unstable();
            free.dedup();
            let all_there = keys.iter().all(|key| there.contains_key(key));
            if all_there || !free.is_empty() {
                values.extend(free.iter().map(|key| (*key, None)));
                return Found { values: there, to_make: Undertaken { of: self, keys: free } };
            }
            values = self.changed.wait(values).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a value there that was made elsewhere, unless there is one.
    pub(super) fn put(&self, key: u64, value: V) {
        lock(&self.values).entry(key).or_insert_with(|| Some(Arc::new(value)));
    }
}

impl<V> Undertaken<'_, V> {
    pub(super) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// It is made.
    pub(super) fn done(&mut self, key: u64, value: V) {
        self.keys.retain(|own| *own != key);
        lock(&self.of.values).insert(key, Some(Arc::new(value)));
        self.of.changed.notify_all();
    }
}

impl<V> Drop for Undertaken<'_, V> {
    fn drop(&mut self) {
        let mut values = lock(&self.of.values);
        for key in &self.keys {
            values.remove(key);
        }
        self.of.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_one_makes_the_others_wait_for() {
        let once: Once<&str> = Once::new();
        let mut first = once.find(&[1, 2]);
        assert_eq!(first.to_make.keys(), [1, 2]);
        let second = once.find(&[2, 3]);
        assert_eq!(second.to_make.keys(), [3], "the first one makes 2");
        thread::scope(|scope| {
            let waits = scope.spawn(|| once.find(&[1]).values.get(&1).map(|value| **value));
            first.to_make.done(1, "made");
            assert_eq!(waits.join().unwrap(), Some("made"));
        });
        drop(first);
        assert_eq!(once.find(&[2]).to_make.keys(), [2], "it was given up, and is free");
    }
}
