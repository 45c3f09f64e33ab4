//! What the user types while the program runs.

use std::io::{self, BufRead};

use crate::backends::Backends;
use crate::output::report;

/// Carries out commands until standard input ends.
pub fn carry_out(backends: &Backends) {
    // One that can't be read has ended, too.
    for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let words: Vec<_> = line.split_whitespace().collect();
        let is_known = match words[..] {
            ["drain", name] => backends.drain(name),
            ["undrain", name] => backends.undrain(name),
            _ => {
                report("commands: drain BACKEND, undrain BACKEND");
                continue;
            }
        };
        if !is_known {
            report(&format!("no backend {}", words[1].escape_debug()));
        }
    }
}
