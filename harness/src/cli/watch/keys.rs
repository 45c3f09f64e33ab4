//! What the user types while a lab is watched: single keys where the terminal gives them, else a
//! letter and Enter.

use std::io::{self, IsTerminal, Read};
use std::process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::terminal::Terminal;
use crate::sync::lock;

/// Between two looks at the files: short beside a build, and next to no work.
pub(super) const PAUSE: Duration = Duration::from_millis(40);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Again,
    Next,
    Previous,
    /// The lab of this number.
    Lab(u8),
    All,
    List,
    Hint,
    Trace,
    Reset,
    Chapter,
    Help,
    Quit,
    Yes,
    Unknown,
}

/// A key, the word that may be typed for it, and what it does.
const KEYS: [(char, &str, Key); 13] = [
    ('r', "run", Key::Again),
    ('n', "next", Key::Next),
    ('p', "previous", Key::Previous),
    ('a', "all", Key::All),
    ('l', "list", Key::List),
    ('h', "hint", Key::Hint),
    ('t', "trace", Key::Trace),
    ('x', "reset", Key::Reset),
    ('c', "chapter", Key::Chapter),
    ('?', "help", Key::Help),
    ('q', "quit", Key::Quit),
    ('q', "exit", Key::Quit),
    ('y', "yes", Key::Yes),
];

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const ESCAPE: u8 = 27;

impl Key {
    /// A line that was typed: a letter, or its word; nothing at all runs again.
    fn of(line: &str) -> Self {
        let line = line.trim().to_lowercase();
        let mut letters = line.chars();
        match (letters.next(), letters.next()) {
            (None, _) => Self::Again,
            (Some(letter), None) => Self::of_letter(letter),
            _ => KEYS.iter().find(|(_, word, _)| *word == line).map_or(Self::Unknown, |key| key.2),
        }
    }

    fn of_letter(letter: char) -> Self {
        match letter.to_digit(10) {
            // Only nine labs have a digit; the tenth is 0.
            Some(0) => Self::Lab(10),
            Some(digit) => u8::try_from(digit).map_or(Self::Unknown, Self::Lab),
            None => {
                let key = KEYS.iter().find(|(key, ..)| *key == letter.to_ascii_lowercase());
                key.map_or(Self::Unknown, |key| key.2)
            }
        }
    }

    fn of_byte(byte: u8) -> Self {
        match byte {
            b'\r' | b'\n' | b' ' => Self::Again,
            CTRL_D => Self::Quit,
            byte => Self::of_letter(char::from(byte)),
        }
    }
}

/// Standard input, read by a thread of its own: reading waits.
pub(super) struct Keys {
    keys: Receiver<Key>,
    terminal: Arc<Mutex<Option<Terminal>>>,
    /// Whether keys come without Enter.
    pub(super) single: bool,
}

impl Keys {
    pub(super) fn of_stdin() -> Self {
        let (sender, keys) = mpsc::channel();
        let terminal = Terminal::take();
        let single = terminal.is_some();
        let terminal = Arc::new(Mutex::new(terminal));
        let shared = Arc::clone(&terminal);
        thread::spawn(move || if single { bytes(&sender, &shared) } else { lines(&sender) });
        Self { keys, terminal, single }
    }

    /// Pauses for a moment, but not while something is being asked for.
    pub(super) fn pause(&self) -> Option<Key> {
        match self.keys.recv_timeout(PAUSE) {
            Ok(key) => Some(key),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(PAUSE);
                None
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // The thread that reads keeps its half until it ends, and that may be never.
        lock(&self.terminal).take();
    }
}

fn lines(sender: &Sender<Key>) {
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
}

fn bytes(sender: &Sender<Key>, terminal: &Mutex<Option<Terminal>>) {
    let mut buffer = [0; 64];
    while let Ok(count @ 1..) = io::stdin().read(&mut buffer) {
        let typed = &buffer[..count];
        if typed.contains(&CTRL_C) {
            // At once, also in the middle of a run.
            lock(terminal).take();
            interrupted();
        }
        // An arrow or a function key comes as several bytes.
        if typed[0] == ESCAPE {
            continue;
        }
        for byte in typed {
            if sender.send(Key::of_byte(*byte)).is_err() {
                return;
            }
        }
    }
    // The terminal is gone.
    let _ = sender.send(Key::Quit);
}

/// The end that Ctrl-C asks for. The workers notice it, and end too.
#[expect(clippy::exit, reason = "the main thread may be in the middle of a build")]
fn interrupted() -> ! {
    println!();
    process::exit(130)
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
            ("3", Key::Lab(3)),
            ("0", Key::Lab(10)),
            ("?", Key::Help),
            ("cargo", Key::Unknown),
            ("12", Key::Unknown),
        ] {
            assert_eq!(Key::of(line), key, "{line:?}");
        }
    }

    #[test]
    fn a_byte_of_the_terminal_is_a_key() {
        for (byte, key) in [
            (b'n', Key::Next),
            (b'N', Key::Next),
            (b'\n', Key::Again),
            (b' ', Key::Again),
            (CTRL_D, Key::Quit),
            (b'9', Key::Lab(9)),
            (0xc3, Key::Unknown),
        ] {
            assert_eq!(Key::of_byte(byte), key, "{byte:?}");
        }
    }
}
