//! For how long others may keep this program waiting.

use std::env;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// For a whole greeting, from the moment there is a connection.
pub const GREETING: Duration = Duration::from_secs(5);
/// For a tracker's whole answer, from the moment it is called.
pub const ANSWER: Duration = Duration::from_secs(5);
/// Until a tracker that could not be asked is asked again.
pub const AGAIN: Duration = Duration::from_secs(5);
/// Between two announces, where the tracker does not say it.
pub const INTERVAL: Duration = Duration::from_secs(60);
/// Where a connection can't be taken, the next one is waited for after a pause.
pub const PAUSE: Duration = Duration::from_millis(50);

/// A time times `LAB_TEMPO`: who looks at time-outs need not wait for them in full.
pub fn at_tempo(time: Duration) -> Duration {
    let tempo = env::var("LAB_TEMPO").ok().and_then(|text| text.parse().ok());
    time.mul_f64(tempo.filter(|tempo| (0.01..=100.0).contains(tempo)).unwrap_or(1.0))
}

/// Reads from a stream until a deadline, whatever the number of reads. After it a read fails with
/// [`ErrorKind::WouldBlock`], as one whose own time limit is over does.
#[derive(Debug)]
pub struct Until<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl<'a> Until<'a> {
    pub fn new(stream: &'a TcpStream, deadline: Instant) -> Self {
        Self { stream, deadline }
    }

    /// Exactly `N` bytes, however they come.
    pub fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for Until<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // What is left of the time, and not all of it again: one that sends a byte a second would
        // never be late for a single read.
        let rest = self.deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.stream.set_read_timeout(Some(rest))?;
        self.stream.read(room)
    }
}
