//! Feeding a program's standard input, from a thread of its own: a program that does not read
//! must not block the harness, neither in a write nor in a close (the kernel locks a pipe that
//! a program splices from).

use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use crate::program::pump::Pump;
use crate::sync::lock;

/// Where a program's standard input comes from: pieces, in order, until the end.
#[derive(Debug)]
pub(super) struct Feed {
    /// `None` once the end was given.
    pieces: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    pump: Arc<Pump>,
}

impl Feed {
    /// Without a pipe nothing can be fed.
    pub(super) fn start(pipe: Option<impl Write + Send + 'static>) -> Self {
        let pump = Arc::new(Pump::default());
        let Some(mut pipe) = pipe else {
            pump.end();
            return Self { pieces: Mutex::new(None), pump };
        };
        let (sender, receiver) = mpsc::channel::<Vec<u8>>();
        let its = Arc::clone(&pump);
        thread::spawn(move || {
            its.begin();
            for piece in receiver {
                // A program that has closed its standard input, or has ended.
                if pipe.write_all(&piece).is_err() {
                    break;
                }
            }
            drop(pipe);
            its.end();
        });
        Self { pieces: Mutex::new(Some(sender)), pump }
    }

    /// Writes `piece` after all that was given before. `false` when that can't reach anybody.
    pub(super) fn give(&self, piece: Vec<u8>) -> bool {
        let pieces = lock(&self.pieces);
        pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok())
    }

    /// Ends the stream after all that was given.
    pub(super) fn end(&self) {
        lock(&self.pieces).take();
    }

    /// Whether all that the program can take was written.
    pub(super) fn is_at_rest(&self) -> bool {
        self.pump.is_at_rest()
    }
}
