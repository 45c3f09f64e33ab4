//! The harness's own threads that move bytes between a program's streams and us.
//!
//! On a busy machine such a thread may have to wait for a processor while there is something
//! to move. So before the harness says that a program stands still, or that it has printed all
//! that it will, it makes sure that none of them has work left.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::watch;

/// One such thread, seen from another one.
#[derive(Debug, Default)]
pub(super) struct Mover {
    thread: OnceLock<u32>,
    ended: AtomicBool,
}

impl Mover {
    /// Called by the thread itself, first.
    pub(super) fn begin(&self) {
        if let Some(thread) = watch::own_thread() {
            let _ = self.thread.set(thread);
        }
    }

    /// Called by the thread itself, last.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Whether it has nothing to do: it has ended, or is blocked in a call.
    pub(super) fn is_at_rest(&self) -> bool {
        if self.ended.load(Ordering::SeqCst) || watch::available().is_err() {
            return true;
        }
        self.thread.get().is_some_and(|thread| watch::is_blocked(*thread))
    }
}
