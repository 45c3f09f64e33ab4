//! What the user gets to see, and what all threads share.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Prints an event, as one line and at once. Where nobody reads it any more, nobody misses it.
pub fn print(event: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

/// A line on standard error. Where nobody reads that any more the program goes on all the same:
/// `eprintln!` would panic.
pub fn report(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A thread that panicked leaves something that is still good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
