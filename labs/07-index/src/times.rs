//! How long somebody may keep the program waiting.

use std::env;
use std::time::Duration;

/// For a head of HTTP, the END of a find, or a byte of a file.
pub fn patience() -> Duration {
    at_tempo(Duration::from_secs(5))
}

/// For the other side's end, when this side has ended.
pub fn farewell() -> Duration {
    at_tempo(Duration::from_secs(1))
}

/// For the uploads that run when the user leaves.
pub fn leaving() -> Duration {
    at_tempo(Duration::from_secs(2))
}

/// A time of this module, times `LAB_TEMPO`: who looks at time-outs need not wait for them in full.
fn at_tempo(time: Duration) -> Duration {
    let tempo = env::var("LAB_TEMPO").ok().and_then(|text| text.parse().ok());
    time.mul_f64(tempo.filter(|tempo| (0.01..=100.0).contains(tempo)).unwrap_or(1.0))
}
