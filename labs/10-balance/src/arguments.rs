//! The command line.

use std::env;
use std::ffi::OsString;

/// What `balance ADDR BACKEND...` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Where to listen: HOST:PORT, as it was typed.
    pub address: String,
    /// Where the servers are, as they were typed: one at least.
    pub backends: Vec<String>,
}

pub const USAGE: &str =
    "usage: balance ADDR BACKEND...      (ADDR and BACKEND are HOST:PORT; 1 to 64 backends)";

/// More are a mistake in the shell rather than a data centre.
const MOST: usize = 64;

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        Self::of(&env::args_os().skip(1).collect::<Vec<_>>())
    }

    fn of(words: &[OsString]) -> Option<Self> {
        let (address, backends) = words.split_first()?;
        let backends: Vec<_> = backends.iter().map(host_and_port).collect::<Option<_>>()?;
        let address = host_and_port(address)?;
        (1..=MOST).contains(&backends.len()).then_some(Self { address, backends })
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
    fn there_are_1_to_64_backends() {
        let count =
            |count: usize| of(&vec!["a:1"; 1 + count]).map(|arguments| arguments.backends.len());
        assert_eq!([0, 1, 64, 65].map(count), [None, Some(1), Some(64), None]);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        assert!(of(&["localhost:0", "[::1]:7001", "127.0.0.1:7002"]).is_some());
        for bad in ["127.0.0.1", ":7001", "a:", "a:+1", "a:65536", "a:1x"] {
            assert_eq!(of(&[bad, "b:1"]), None, "{bad}");
            assert_eq!(of(&["a:1", "b:1", bad]), None, "{bad}");
        }
    }
}
