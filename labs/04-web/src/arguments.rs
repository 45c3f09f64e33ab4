//! The command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// What `web ADDR ROOT [SECONDS]` asks for.
#[derive(Debug)]
pub struct Arguments {
    /// Where to listen: HOST:PORT, as it was typed.
    pub address: String,
    /// The folder whose files are served.
    pub root: PathBuf,
    /// For how long a client may keep the server waiting.
    pub limit: Duration,
}

pub const USAGE: &str = "usage: web ADDR ROOT [SECONDS]      (ADDR is HOST:PORT; ROOT is a folder; \
                         a client may keep the server waiting for SECONDS, 1 to 3600)";

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        let words: Vec<_> = env::args_os().skip(1).collect();
        let (address, root, limit) = match words.as_slice() {
            [address, root] => (address, root, Duration::from_secs(10)),
            [address, root, seconds] => (address, root, limit(&seconds.to_string_lossy())?),
            _ => return None,
        };
        let address = address.to_string_lossy().into_owned();
        Some(Self { address, root: root.into(), limit })
    }
}

/// One to four digits, from 1 to 3600.
fn limit(seconds: &str) -> Option<Duration> {
    // `parse` takes a `+`, too.
    let digits = (1..=4).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = seconds.parse().ok().filter(|_| digits)?;
    (1..=3600).contains(&number).then(|| Duration::from_secs(number))
}

#[cfg(test)]
mod tests {
    use super::limit;

    #[test]
    fn seconds_are_one_to_four_digits_from_1_to_3600() {
        assert_eq!(limit("0010").map(|limit| limit.as_secs()), Some(10));
        assert_eq!(limit("3600").map(|limit| limit.as_secs()), Some(3600));
        for bad in ["", "0", "3601", "+5", "1.5", "x", "00001", " 1"] {
            assert_eq!(limit(bad), None, "{bad}");
        }
    }
}
