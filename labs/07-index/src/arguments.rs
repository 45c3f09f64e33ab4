//! The command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::text::{is_name, number};

/// What the program is asked to do.
#[derive(Debug)]
pub enum Arguments {
    /// `index serve ADDR [SILENCE]`.
    Serve {
        /// Where to listen: HOST:PORT, as it was typed.
        address: String,
        /// For how long a peer may say nothing.
        silence: Duration,
    },
    /// `index share NAME INDEX LISTEN DIR`.
    Share {
        /// What the peer is called.
        name: String,
        /// Where the index is: HOST:PORT, as it was typed.
        index: String,
        /// Where other peers are to fetch files.
        listen: String,
        /// The folder that is shared.
        folder: PathBuf,
    },
}

pub const USAGE: &str = "usage: index serve ADDR [SILENCE], or index share NAME INDEX LISTEN DIR      (ADDR, INDEX \
                         and LISTEN are HOST:PORT; SILENCE is 100 to 3600000 milliseconds; NAME is 1 to 32 of \
                         A-Z a-z 0-9 - _)";

/// For how long a peer may say nothing where the command line does not say it.
const SILENCE: Duration = Duration::from_secs(30);

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        Self::of(env::args_os().skip(1).collect())
    }

    fn of(words: Vec<OsString>) -> Option<Self> {
        let (mode, words) = words.split_first()?;
        match (mode.to_str()?, words) {
            ("serve", [address]) => {
                Some(Self::Serve { address: host_and_port(address)?, silence: SILENCE })
            }
            ("serve", [address, silence]) => Some(Self::Serve {
                address: host_and_port(address)?,
                silence: milliseconds(silence.to_str()?)?,
            }),
            ("share", [name, index, listen, folder]) => Some(Self::Share {
                name: name.to_str().filter(|name| is_name(name))?.to_owned(),
                index: host_and_port(index)?,
                listen: host_and_port(listen)?,
                folder: folder.into(),
            }),
            _ => None,
        }
    }
}

/// A time of silence that an index may allow.
pub fn milliseconds(text: &str) -> Option<Duration> {
    number(text).filter(|number| (100..=3_600_000).contains(number)).map(Duration::from_millis)
}

/// The text, where it has a host and a port. Whether there is such a host shows later.
fn host_and_port(text: &OsStr) -> Option<String> {
    let text = text.to_str()?;
    let (host, port) = text.rsplit_once(':')?;
    let is_port = number(port).is_some_and(|port| port <= u64::from(u16::MAX));
    (!host.is_empty() && is_port).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<Arguments> {
        Arguments::of(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn there_are_two_modes_and_the_silence_may_be_left_out() {
        for (words, millis) in [
            (&["serve", "h:0"][..], 30_000),
            (&["serve", "h:0", "100"], 100),
            (&["serve", "[::1]:7", "3600000"], 3_600_000),
        ] {
            assert!(matches!(of(words), Some(Arguments::Serve { silence, .. })
                if silence.as_millis() == millis));
        }
        assert!(of(&["share", "ann", "h:7000", "127.0.0.1:0", "."]).is_some());
    }

    #[test]
    fn what_is_neither_is_wrong_usage() {
        for words in [
            &[][..],
            &["serve"],
            &["serve", "h"],
            &["serve", ":7000"],
            &["serve", "h:65536"],
            &["serve", "h:0", "99"],
            &["serve", "h:0", "3600001"],
            &["serve", "h:0", "+300"],
            &["serve", "h:0", "300", "surplus"],
            &["share", "ann", "h:7000", "h:0"],
            &["share", "two words", "h:7000", "h:0", "."],
            &["share", "ann", "h", "h:0", "."],
            &["share", "ann", "h:7000", "h:0", ".", "surplus"],
        ] {
            assert!(of(words).is_none(), "{words:?}");
        }
    }
}
