//! What is being done, on one line that is rewritten.

use std::io::{self, IsTerminal, Write};

/// A line on standard error; where that is no terminal nothing is written.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
}

/// To the line's begin, and nothing behind it.
const ANEW: &str = "\r\x1b[K";

impl Progress {
    pub(crate) fn on_stderr() -> Self {
        Self { is_shown: io::stderr().is_terminal() }
    }

    pub(crate) fn tell(&self, what: &str) {
        self.write(&format!("{what} "));
    }

    fn write(&self, text: &str) {
        if self.is_shown {
            // Nobody is harmed where it can't be seen.
            let _ = write!(io::stderr(), "{ANEW}{text}");
        }
    }
}

/// The line is empty again.
impl Drop for Progress {
    fn drop(&mut self) {
        self.write("");
    }
}
