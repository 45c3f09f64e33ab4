//! Capturing a stream of a program: always drained, so that the program is never blocked by
//! us; kept only up to a limit, so that a program that prints a gigabyte costs no memory.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

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
    /// The last lines as text, at most `count`, empty ones left out.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let bytes = if self.tail.is_empty() { &self.head } else { &self.tail };
        let from = bytes.len().saturating_sub(TAIL);
        let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let first = lines.len().saturating_sub(count);
        lines[first..].iter().map(|line| (*line).to_owned()).collect()
    }
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    ended: Condvar,
    pump: Pump,
}

#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
    ended: bool,
    closing: bool,
}

/// A thread that drains one stream.
#[derive(Debug)]
pub(super) struct Capture(Arc<Shared>);

impl Capture {
    pub(super) fn start(stream: Option<impl Read + Send + 'static>) -> Self {
        let shared = Arc::new(Shared::default());
        let drain = Arc::clone(&shared);
        thread::spawn(move || {
            drain.pump.begin();
            if let Some(mut stream) = stream {
                drain_into(&mut stream, &drain.kept);
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
        self.0.pump.is_at_rest()
    }

    /// What came from byte `from` on, of what the head keeps.
    pub(super) fn since(&self, from: usize) -> Vec<u8> {
        lock(&self.0.kept).head.get(from..).unwrap_or_default().to_vec()
    }

    /// Stops reading at the next byte, and closes the stream.
    pub(super) fn close(&self) {
        lock(&self.0.kept).closing = true;
    }

    /// Waits for the end of the stream of a program that was stopped.
    pub(super) fn finish(&self) {
        let kept = lock(&self.0.kept);
        drop(self.0.ended.wait_timeout_while(kept, GRACE, |kept| !kept.ended));
    }
}

fn drain_into(stream: &mut impl Read, kept: &Mutex<Kept>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut kept = lock(kept);
        kept.total += count as u64;
        let room = HEAD.saturating_sub(kept.head.len()).min(count);
        kept.head.extend_from_slice(&buffer[..room]);
        kept.tail.extend(&buffer[room..count]);
        let surplus = kept.tail.len().saturating_sub(TAIL);
        kept.tail.drain(..surplus);
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
        use std::io::Write;
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
    fn the_last_lines_leave_out_empty_ones() {
        let captured = Captured { head: b"a\n\nb\nc\n".to_vec(), ..Captured::default() };
        assert_eq!(captured.last_lines(2), ["b", "c"]);
    }
}
