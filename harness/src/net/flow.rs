//! What holds back the bytes on a wire: a gate that the check opens and shuts, and a rate that the
//! sender may not exceed.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::pump::Pump;
use crate::sync::lock;

/// Bytes that are passed on at once where the rate is limited. Programs that share a rate take
/// turns, so a piece is a turn.
pub(super) const PIECE: usize = 16 * 1024;

/// How many bytes a second a program may send, over all wires that are given this one.
///
/// A token bucket with room for one piece: a sender that was silent for long may not make up for
/// it. Who finds it empty takes what it needs all the same, and waits until that is paid back.
#[derive(Debug)]
pub struct Rate {
    bytes_per_second: f64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Rate {
    /// So many bytes a second; at least 1.
    pub fn new(bytes_per_second: u32) -> Self {
        let bucket = Bucket { tokens: PIECE as f64, filled: Instant::now() };
        let bytes_per_second = f64::from(bytes_per_second.max(1));
        Self { bytes_per_second, bucket: Mutex::new(bucket) }
    }

    /// `100000 bytes a second`.
    pub(super) fn describe(&self) -> String {
        format!("{} bytes a second", self.bytes_per_second)
    }

    /// Waits until so many bytes may be sent. The pump has something to move all the while.
    pub(super) fn take(&self, bytes: usize, pump: &Pump) {
        let time = lock(&self.bucket).take(bytes, self.bytes_per_second, Instant::now());
        if !time.is_zero() {
            pump.wait(|| thread::sleep(time));
        }
    }
}

impl Bucket {
    /// Takes tokens, and says how long it takes to pay back those that it did not have.
    fn take(&mut self, bytes: usize, per_second: f64, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + since * per_second).min(PIECE as f64) - bytes as f64;
        Duration::from_secs_f64((-self.tokens).max(0.0) / per_second)
    }
}

/// A gate that bytes pass as long as it is open.
#[derive(Debug, Default)]
pub(super) struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn shut(&self) {
        *lock(&self.shut) = true;
    }

    pub(super) fn open(&self) {
        *lock(&self.shut) = false;
        self.opened.notify_all();
    }

    /// Waits until it is open. Nothing but the check opens it, so nothing is under way meanwhile.
    pub(super) fn pass(&self) {
        drop(self.opened.wait_while(lock(&self.shut), |shut| *shut));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_SECOND: f64 = 100_000.0;

    fn bucket() -> (Bucket, Instant) {
        let filled = Instant::now();
        (Bucket { tokens: PIECE as f64, filled }, filled)
    }

    #[test]
    fn the_first_piece_goes_at_once_and_the_next_ones_at_their_rate() {
        let (mut bucket, now) = bucket();
        assert_eq!(bucket.take(PIECE, PER_SECOND, now), Duration::ZERO);
        let second = bucket.take(PIECE, PER_SECOND, now).as_secs_f64();
        assert!((second - PIECE as f64 / PER_SECOND).abs() < 1e-6, "{second}");
        let third = bucket.take(PIECE, PER_SECOND, now).as_secs_f64();
        assert!((third - 2.0 * second).abs() < 1e-6, "who comes next waits for both: {third}");
    }

    #[test]
    fn a_long_silence_is_worth_one_piece_and_no_more() {
        let (mut bucket, now) = bucket();
        let later = now + Duration::from_secs(60);
        assert_eq!(bucket.take(PIECE, PER_SECOND, later), Duration::ZERO);
        assert!(bucket.take(1, PER_SECOND, later) > Duration::ZERO);
    }
}
