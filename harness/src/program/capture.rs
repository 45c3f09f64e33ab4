//! Capturing a stream of a program: always drained, so that the program is never blocked by
//! us; kept only up to a limit, so that a program that prints a gigabyte costs no memory.
//!
//! Unless a check asks for it: a program whose output is held is blocked as soon as the pipe is
//! full, and stays where it is until the output is released.

use std::collections::VecDeque;
use std::io::{PipeWriter, Read, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::program::last_words;
use crate::program::pump::Pump;

use crate::sync::lock;

/// Bytes kept from the beginning.
const HEAD: usize = 16 * 1024 * 1024;
/// Bytes kept from the end of what did not fit the head.
const TAIL: usize = 16 * 1024;
/// How long a stream may stay open after its program was stopped: only a process that escaped
/// from its group can hold it that long.
const GRACE: Duration = Duration::from_millis(500);

/// What a stream has carried so far.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// The first bytes: all of them, unless there were more than 16 MiB.
    pub head: Vec<u8>,
    /// The last bytes of what did not fit the head.
    pub tail: Vec<u8>,
    /// How many bytes there were in all.
    pub total: u64,
    /// Whether the stream has ended.
    pub ended: bool,
}

impl Captured {
    /// The last lines as text, at most `count`, empty ones left out and long ones cut.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let bytes = if self.tail.is_empty() { &self.head } else { &self.tail };
        let from = bytes.len().saturating_sub(TAIL);
        let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let first = lines.len().saturating_sub(count);
        lines[first..].iter().map(|line| cut(line)).collect()
    }

    /// At most so many lines that say why the program ended: the last ones, and what happened above the
    /// calls that led there.
    pub fn telling_lines(&self, most: usize) -> Vec<String> {
        last_words::telling(self.last_lines(usize::MAX), most)
    }
}

/// Characters of a line that are shown: more than a screen is wide, less than one is high.
const LINE: usize = 400;

/// The line, without what nobody reads of a very long one.
fn cut(line: &str) -> String {
    let rest = line.chars().count().saturating_sub(LINE);
    match rest {
        0 => line.to_owned(),
        _ => {
            let kept: String = line.chars().take(LINE).collect();
            format!("{kept} … and {rest} more characters")
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    ended: Condvar,
    pump: Pump,
    hold: Hold,
    filler: Option<Arc<Pump>>,
}

/// How many bytes may be read before the reading thread waits; `None` is any number.
#[derive(Debug, Default)]
struct Hold {
    left: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Hold {
    fn set(&self, left: Option<usize>) {
        *lock(&self.left) = left;
        self.changed.notify_all();
    }

    /// Waits until something may be read, and returns how much.
    fn wait(&self, most: usize, pump: &Pump) -> usize {
        let mut left = lock(&self.left);
        while *left == Some(0) {
            let changed = || self.changed.wait(left).unwrap_or_else(PoisonError::into_inner);
            left = pump.wait(changed);
        }
        left.map_or(most, |left| left.min(most))
    }

    fn took(&self, count: usize) {
        if let Some(left) = lock(&self.left).as_mut() {
            *left = left.saturating_sub(count);
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    ended: bool,
    closing: bool,
    /// NUL bytes that are still to come and that are not the program's.
    filler: usize,
}

impl Kept {
    fn keep(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend(&bytes[room..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    /// Takes the filler out of what has come. Where the program's own bytes stand among it is the
    /// kernel's to decide.
    fn unfill(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut own = Vec::new();
        for &byte in bytes {
            match (byte, self.filler) {
                (0, 1..) => self.filler -= 1,
                _ => own.push(byte),
            }
        }
        own
    }
}

/// More than any pipe holds (pipe(7): 16 pages).
const MORE_THAN_A_PIPE: usize = (1 << 20) + 1;

/// What fills a pipe, with NUL bytes that its reader leaves out.
pub(super) struct Filler(Arc<Pump>);

/// Fills a pipe, so that whoever writes to it next is blocked.
pub(super) fn fill(mut pipe: PipeWriter) -> Filler {
    let pump = Arc::new(Pump::default());
    let own = Arc::clone(&pump);
    thread::spawn(move || {
        own.begin();
        // An error means that the reader has gone.
        let _ = pipe.write_all(&vec![0; MORE_THAN_A_PIPE]);
        own.end();
    });
    while !pump.is_at_rest() {
        thread::yield_now();
    }
    Filler(pump)
}

/// A thread that drains one stream.
#[derive(Debug)]
pub(super) struct Capture(Arc<Shared>);

impl Capture {
    pub(super) fn start(stream: Option<impl Read + Send + 'static>) -> Self {
        Self::begin(stream, Shared::default())
    }

    /// The same, and nothing is read before [`Capture::release`]. `filler` fills the stream.
    pub(super) fn start_held(
        stream: Option<impl Read + Send + 'static>,
        filler: Option<Filler>,
    ) -> Self {
        let shared = Shared { filler: filler.map(|filler| filler.0), ..Shared::default() };
        shared.hold.set(Some(0));
        if shared.filler.is_some() {
            lock(&shared.kept).filler = MORE_THAN_A_PIPE;
        }
        Self::begin(stream, shared)
    }

    fn begin(stream: Option<impl Read + Send + 'static>, shared: Shared) -> Self {
        let shared = Arc::new(shared);
        let drain = Arc::clone(&shared);
        thread::spawn(move || {
            drain.pump.begin();
            if let Some(mut stream) = stream {
                drain_into(&mut stream, &drain);
            }
            lock(&drain.kept).ended = true;
            drain.ended.notify_all();
            drain.pump.end();
        });
        Self(shared)
    }

    pub(super) fn so_far(&self) -> Captured {
        let kept = lock(&self.0.kept);
        Captured {
            head: kept.head.clone(),
            tail: kept.tail.iter().copied().collect(),
            total: kept.total,
            ended: kept.ended,
        }
    }

    /// How many bytes there were so far.
    pub(super) fn len(&self) -> u64 {
        lock(&self.0.kept).total
    }

    /// Whether all that was written so far was taken.
    pub(super) fn is_at_rest(&self) -> bool {
        if *lock(&self.0.hold.left) == Some(0) {
            return true;
        }
        // Who fills the pipe is in the program's way until it has ended.
        let free = self.0.filler.as_ref().is_none_or(|filler| filler.has_ended());
        free && self.0.pump.is_at_rest()
    }

    /// What came from byte `from` on, of what the head keeps.
    pub(super) fn since(&self, from: usize) -> Vec<u8> {
        lock(&self.0.kept).head.get(from..).unwrap_or_default().to_vec()
    }

    /// Reads this many bytes of a stream that is held, and no more.
    pub(super) fn take(&self, count: usize) {
        self.0.hold.set(Some(count));
    }

    /// Holds the stream no longer.
    pub(super) fn release(&self) {
        self.0.hold.set(None);
    }

    /// Stops reading at the next byte, and closes the stream.
    pub(super) fn close(&self) {
        lock(&self.0.kept).closing = true;
    }

    /// Waits for the end of the stream of a program that was stopped.
    pub(super) fn finish(&self) {
        self.release();
        let kept = lock(&self.0.kept);
        drop(self.0.ended.wait_timeout_while(kept, GRACE, |kept| !kept.ended));
    }
}

fn drain_into(stream: &mut impl Read, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let room = shared.hold.wait(buffer.len(), &shared.pump);
        let count = match stream.read(&mut buffer[..room]) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut kept = lock(&shared.kept);
        if kept.filler > 0 {
            let own = kept.unfill(&buffer[..count]);
            kept.keep(&own);
        } else {
            kept.keep(&buffer[..count]);
        }
        shared.hold.took(count);
        if kept.closing {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_gigabyte_costs_the_head_and_the_tail() {
        let capture = Capture::start(Some(io::repeat(b'x').take(1 << 26)));
        let kept = lock(&capture.0.kept);
        drop(capture.0.ended.wait_while(kept, |kept| !kept.ended));
        let captured = capture.so_far();
        assert_eq!(captured.total, 1 << 26);
        assert_eq!((captured.head.len(), captured.tail.len()), (HEAD, TAIL));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pipe_is_drained_when_its_reader_waits_for_more() {
        let (read, mut write) = io::pipe().unwrap();
        let capture = Capture::start(Some(read));
        for total in 1..100 {
            write.write_all(b"x").unwrap();
            while !capture.is_at_rest() {
                thread::yield_now();
            }
            assert_eq!(capture.so_far().total, total);
        }
    }

    #[test]
    fn of_a_held_stream_no_more_is_read_than_was_allowed() {
        let capture = Capture::start_held(Some(io::repeat(b'x').take(1000)), None);
        for (allowed, total) in [(300, 300), (200, 500)] {
            capture.take(allowed);
            while capture.len() < total || lock(&capture.0.hold.left).is_some_and(|left| left > 0) {
                thread::yield_now();
            }
            assert_eq!(capture.len(), total);
        }
        capture.finish();
        assert_eq!(capture.len(), 1000);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_filled_a_pipe_is_left_out() {
        let (read, mut write) = io::pipe().unwrap();
        let filler = Some(fill(write.try_clone().unwrap()));
        let capture = Capture::start_held(Some(read), filler);
        let writing = thread::spawn(move || write.write_all(b"own\n").unwrap());
        capture.release();
        writing.join().unwrap();
        let kept = lock(&capture.0.kept);
        drop(capture.0.ended.wait_while(kept, |kept| !kept.ended));
        assert_eq!(capture.so_far().head, b"own\n");
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let captured = Captured { head: vec![b'x'; 1000], ..Captured::default() };
        let lines = captured.last_lines(1);
        assert!(lines[0].ends_with("x … and 600 more characters"), "{lines:?}");
    }

    #[test]
    fn the_last_lines_leave_out_empty_ones() {
        let captured = Captured { head: b"a\n\nb\nc\n".to_vec(), ..Captured::default() };
        assert_eq!(captured.last_lines(2), ["b", "c"]);
    }
}
