//! How long this program waits, and for what.

use std::env;
use std::time::Duration;

/// For a backend that is dialled to answer.
pub const DIAL: Duration = Duration::from_millis(500);
/// Between two rounds of probes.
pub const PROBE: Duration = Duration::from_millis(500);
/// Where a connection can't be taken, the next one is waited for after a pause.
pub const PAUSE: Duration = Duration::from_millis(50);
/// For the clients that are still there when the program is told to leave.
pub const FAREWELL: Duration = Duration::from_secs(5);

/// A time times `LAB_TEMPO`: who looks at time-outs need not wait for them in full.
pub fn at_tempo(time: Duration) -> Duration {
    let tempo = env::var("LAB_TEMPO").ok().and_then(|text| text.parse().ok());
    time.mul_f64(tempo.filter(|tempo| (0.01..=100.0).contains(tempo)).unwrap_or(1.0))
}
