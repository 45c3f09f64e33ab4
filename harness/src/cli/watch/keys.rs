//! What the user types while a lab is watched: a letter, and Enter.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Between two looks at the files: short beside a build, and next to no work.
pub(super) const PAUSE: Duration = Duration::from_millis(40);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Again,
    Next,
    Hint,
    Trace,
    Quit,
    Unknown,
}

impl Key {
    fn of(line: &str) -> Self {
        match line.trim().to_lowercase().as_str() {
            "" => Self::Again,
            "n" | "next" => Self::Next,
            "h" | "hint" => Self::Hint,
            "t" | "trace" => Self::Trace,
            "q" | "quit" | "exit" => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

/// The lines of standard input, from a thread of their own: reading waits.
pub(super) struct Keys(Receiver<Key>);

impl Keys {
    pub(super) fn of_stdin() -> Self {
        let (sender, keys) = mpsc::channel();
        thread::spawn(move || {
            for line in io::stdin().lines() {
                let key = line.map_or(Key::Unknown, |line| Key::of(&line));
                if sender.send(key).is_err() {
                    return;
                }
            }
            // Ctrl-D at the terminal means the end. Without a keyboard it goes on watching.
            if io::stdin().is_terminal() {
                let _ = sender.send(Key::Quit);
            }
        });
        Self(keys)
    }

    /// Pauses for a moment, but not while something is being asked for.
    pub(super) fn pause(&self) -> Option<Key> {
        match self.0.recv_timeout(PAUSE) {
            Ok(key) => Some(key),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(PAUSE);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_or_its_word_is_a_key() {
        for (line, key) in [
            ("n", Key::Next),
            (" H \r\n", Key::Hint),
            ("quit", Key::Quit),
            ("\n", Key::Again),
            ("t", Key::Trace),
            ("cargo", Key::Unknown),
        ] {
            assert_eq!(Key::of(line), key, "{line:?}");
        }
    }
}
