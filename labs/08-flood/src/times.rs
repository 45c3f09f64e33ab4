//! For how long others may keep this program waiting.

use std::env;
use std::time::Duration;

/// For a whole greeting, from the moment there is a connection.
pub const GREETING: Duration = Duration::from_secs(5);
/// For the next byte of a download.
pub const SILENCE: Duration = Duration::from_secs(5);
/// For the end of whoever has got a file.
pub const FAREWELL: Duration = Duration::from_secs(1);
/// For a link that takes nothing of what is written. Not [`at_tempo`].
pub const STALL: Duration = Duration::from_millis(800);
/// Where a connection can't be taken, the next one is waited for after a pause.
pub const PAUSE: Duration = Duration::from_millis(50);

/// A time times `LAB_TEMPO`: who looks at time-outs need not wait for them in full.
pub fn at_tempo(time: Duration) -> Duration {
    let tempo = env::var("LAB_TEMPO").ok().and_then(|text| text.parse().ok());
    time.mul_f64(tempo.filter(|tempo| (0.01..=100.0).contains(tempo)).unwrap_or(1.0))
}
