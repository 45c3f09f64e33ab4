//! The command line.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Arguments {
    /// `swarm TORRENT DIR LISTEN [PEER ...]`: to get a file, and to give it.
    Share { torrent: PathBuf, folder: PathBuf, listen: String, peers: Vec<String> },
    /// `swarm track ADDR`: to tell peers of each other.
    Track { listen: String },
    /// `swarm make FILE URL TORRENT`: to describe a file in a torrent.
    Make { file: PathBuf, tracker: String, torrent: PathBuf },
}

pub const USAGE: &str = "usage: swarm TORRENT DIR LISTEN [PEER ...] | swarm track ADDR | swarm make FILE URL TORRENT      \
                         (LISTEN, PEER and ADDR are HOST:PORT)";

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        Self::of(&env::args_os().skip(1).collect::<Vec<_>>())
    }

    fn of(words: &[OsString]) -> Option<Self> {
        match words {
            [mode, address] if mode == "track" => {
                Some(Self::Track { listen: host_and_port(address)? })
            }
            [mode, file, tracker, torrent] if mode == "make" => {
                let tracker = tracker.to_str()?.to_owned();
                Some(Self::Make { file: file.into(), tracker, torrent: torrent.into() })
            }
            [mode, ..] if mode == "track" || mode == "make" => None,
            [torrent, folder, listen, peers @ ..] => Some(Self::Share {
                torrent: torrent.into(),
                folder: folder.into(),
                listen: host_and_port(listen)?,
                peers: peers.iter().map(host_and_port).collect::<Option<_>>()?,
            }),
            _ => None,
        }
    }
}

/// The text, where it has a host and a port. Whether there is such a host shows later.
fn host_and_port(text: &OsString) -> Option<String> {
    let text = text.to_str()?;
    let (host, port) = text.rsplit_once(':')?;
    let is_port = port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    (!host.is_empty() && is_port).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<Arguments> {
        Arguments::of(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn there_may_be_any_number_of_peers() {
        let peers = |words: &[&str]| match of(words) {
            Some(Arguments::Share { peers, .. }) => Some(peers.len()),
            _ => None,
        };
        assert_eq!(peers(&["t", ".", "127.0.0.1:0"]), Some(0));
        assert_eq!(peers(&["t", ".", "a:1", "b:2", "[::1]:3"]), Some(2));
    }

    #[test]
    fn the_first_word_may_be_a_mode() {
        assert!(matches!(of(&["track", "a:1"]), Some(Arguments::Track { .. })));
        assert!(matches!(of(&["make", "f", "http://a/", "t"]), Some(Arguments::Make { .. })));
        assert!(of(&["track", "a:1", "b:2"]).is_none() && of(&["make", "f", "u"]).is_none());
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for words in [
            &[][..],
            &["t"],
            &["t", "."],
            &["t", ".", "127.0.0.1"],
            &["t", ".", ":7001"],
            &["t", ".", "127.0.0.1:+1"],
            &["t", ".", "127.0.0.1:65536"],
            &["t", ".", "127.0.0.1:7001", "127.0.0.1"],
            &["track", "127.0.0.1"],
        ] {
            assert_eq!(of(words), None, "{words:?}");
        }
    }
}
