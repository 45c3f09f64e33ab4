//! The command line.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::name::Name;
use crate::record;

/// What the program is asked to do.
#[derive(Debug)]
pub enum Arguments {
    /// `names serve ADDR ZONE`.
    Serve {
        /// Where to listen: HOST:PORT, as it was typed.
        address: String,
        /// The zone file.
        zone: PathBuf,
    },
    /// `names ask SERVER NAME [TYPE]`.
    Ask {
        /// Whom to ask: HOST:PORT, as it was typed.
        server: String,
        /// The name that is asked for.
        name: Name,
        /// It, as it was typed.
        typed: String,
        /// The type that is asked for, by its number.
        kind: u16,
    },
}

pub const USAGE: &str = "usage: names serve ADDR ZONE, or names ask SERVER NAME [TYPE]      (ADDR and SERVER \
                         are HOST:PORT; TYPE is A, NS, CNAME, MX, TXT or AAAA)";

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        Self::of(env::args_os().skip(1).collect())
    }

    fn of(words: Vec<OsString>) -> Option<Self> {
        let mode = words.first()?.to_str()?;
        match (mode, &words[1..]) {
            ("serve", [address, zone]) => {
                Some(Self::Serve { address: host_and_port(address)?, zone: zone.into() })
            }
            ("ask", [server, name, kind @ ..]) if kind.len() <= 1 => {
                let kind = kind.first().map_or(Some("A"), |kind| kind.to_str())?;
                let typed = name.to_string_lossy().into_owned();
                Some(Self::Ask {
                    server: host_and_port(server)?,
                    name: Name::parse(&name.clone().into_vec())?,
                    typed,
                    kind: record::number_of(kind)?,
                })
            }
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
        Arguments::of(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn there_are_two_modes_and_the_type_may_be_left_out() {
        assert!(of(&["serve", "127.0.0.1:5353", "example.zone"]).is_some());
        for (words, number) in
            [(&["ask", "h:53", "a.b"][..], 1), (&["ask", "h:53", "a.b", "mx"], 15)]
        {
            assert!(matches!(of(words), Some(Arguments::Ask { kind, .. }) if kind == number));
        }
    }

    #[test]
    fn what_cannot_be_asked_is_wrong_usage() {
        let long = "a".repeat(64);
        for words in [
            &[][..],
            &["serve", "127.0.0.1:5353"],
            &["serve", "127.0.0.1", "zone"],
            &["serve", ":53", "zone"],
            &["ask", "127.0.0.1:53"],
            &["ask", "127.0.0.1:+53", "a.b"],
            &["ask", "127.0.0.1:53", "a..b"],
            &["ask", "127.0.0.1:53", "a.b."],
            &["ask", "127.0.0.1:53", ""],
            &["ask", "127.0.0.1:53", &long],
            &["ask", "127.0.0.1:53", "a.b", "SRV"],
            &["ask", "127.0.0.1:53", "a.b", "A", "surplus"],
        ] {
            assert!(of(words).is_none(), "{words:?}");
        }
    }
}
