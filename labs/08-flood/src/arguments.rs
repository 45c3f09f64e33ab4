//! The command line.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// What `flood LISTEN DIR [PEER ...]` asks for.
#[derive(Debug)]
pub struct Arguments {
    /// Where to listen: HOST:PORT, as it was typed.
    pub listen: String,
    /// The folder whose files are shared.
    pub folder: PathBuf,
    /// Whom to call at the start.
    pub peers: Vec<String>,
}

pub const USAGE: &str = "usage: flood LISTEN DIR [PEER ...]      (LISTEN and PEER are HOST:PORT, IPv4; DIR is a \
                         folder)";

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        Self::of(env::args_os().skip(1).collect())
    }

    fn of(words: Vec<OsString>) -> Option<Self> {
        let [listen, folder, peers @ ..] = words.as_slice() else { return None };
        Some(Self {
            listen: host_and_port(listen)?,
            folder: folder.into(),
            peers: peers.iter().map(host_and_port).collect::<Option<_>>()?,
        })
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
        Arguments::of(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn there_may_be_any_number_of_peers() {
        assert_eq!(of(&["127.0.0.1:0", "."]).map(|given| given.peers.len()), Some(0));
        assert_eq!(of(&["a:1", ".", "b:2", "c:3"]).map(|given| given.peers.len()), Some(2));
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for words in [
            &[][..],
            &["127.0.0.1:7001"],
            &["127.0.0.1", "."],
            &[":7001", "."],
            &["127.0.0.1:+1", "."],
            &["127.0.0.1:65536", "."],
            &["127.0.0.1:7001", ".", "127.0.0.1"],
        ] {
            assert!(of(words).is_none(), "{words:?}");
        }
    }
}
