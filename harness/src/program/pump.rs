//! The harness's own threads that move bytes between a program's streams and us, or between
//! two programs.
//!
//! On a busy machine such a thread may have to wait for a processor while there is something
//! to move. So before the harness says that a program stands still, or that it has printed all
//! that it will, it makes sure that none of them has work left.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::kernel;
use crate::sync::lock;

/// One such thread, seen from another one.
#[derive(Debug, Default)]
pub(crate) struct Pump {
    thread: OnceLock<u32>,
    ended: AtomicBool,
    waiting: AtomicBool,
}

impl Pump {
    /// Called by the thread itself, first.
    pub(crate) fn begin(&self) {
        if let Some(thread) = kernel::own_thread() {
            let _ = self.thread.set(thread);
        }
    }

    /// Called by the thread itself, last.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Called by the thread itself: it has bytes to move, and waits with them for a moment.
    pub(crate) fn wait<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.waiting.store(true, Ordering::SeqCst);
        let result = wait();
        self.waiting.store(false, Ordering::SeqCst);
        result
    }

    /// Whether it has nothing to do: it has ended, or is blocked in a call.
    pub(crate) fn is_at_rest(&self) -> bool {
        if self.ended.load(Ordering::SeqCst) || kernel::available().is_err() {
            return true;
        }
        if self.waiting.load(Ordering::SeqCst) {
            return false;
        }
        self.thread.get().is_some_and(|thread| kernel::is_blocked(*thread))
    }
}

/// Several of them, of which new ones can come at any time.
#[derive(Debug, Default)]
pub(crate) struct Pumps(Mutex<Vec<Arc<Pump>>>);

impl Pumps {
    /// One more, which is at work until its thread says otherwise.
    pub(crate) fn another(&self) -> Arc<Pump> {
        let pump = Arc::new(Pump::default());
        lock(&self.0).push(Arc::clone(&pump));
        pump
    }

    /// Whether none of them has anything to do.
    pub(crate) fn are_at_rest(&self) -> bool {
        lock(&self.0).iter().all(|pump| pump.is_at_rest())
    }
}
