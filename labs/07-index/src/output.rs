//! What the program says: events on standard output, everything else on standard error.

use std::io::{self, Write};

/// Prints an event, as one line and at once. Where nobody reads it any more, nobody misses it.
pub fn print(event: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

/// A line on standard error. Where nobody reads that any more the program goes on all the same:
/// `eprintln!` would panic.
pub fn report(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
