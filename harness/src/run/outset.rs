//! What the system could show and do before any program had run.
//!
//! A check that this system can't carry out is skipped. But what was there at the outset and is
//! gone later was not missing: something took it away, and that is never worth a skip.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use crate::kernel;

/// What was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outset {
    tables: bool,
    loopback: bool,
    loopback6: bool,
    scratch: bool,
}

impl Outset {
    /// Looks now.
    pub(super) fn look() -> Self {
        let dials = |listener: std::io::Result<TcpListener>| {
            let address = listener.and_then(|listener| {
                let address = listener.local_addr()?;
                TcpStream::connect(address)
            });
            address.is_ok()
        };
        Self {
            tables: kernel::available().is_ok(),
            loopback: dials(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))),
            loopback6: dials(TcpListener::bind((Ipv6Addr::LOCALHOST, 0))),
            scratch: std::env::temp_dir().is_dir(),
        }
    }

    /// What no check can do without, where that is missing.
    pub(super) fn trouble(self) -> Option<String> {
        if !self.loopback {
            return Some(
                "nothing can be dialled at 127.0.0.1: the loopback interface is down (as root: \
                 `ip link set lo up`)"
                    .into(),
            );
        }
        let folder = std::env::temp_dir();
        (!self.scratch).then(|| {
            format!("there is no folder {}, which TMPDIR names: make it", folder.display())
        })
    }

    /// What was there and is gone `now`.
    pub(super) fn lost(self, now: Self) -> Option<&'static str> {
        let gone = [
            (self.tables, now.tables, "the socket tables in /proc"),
            (self.loopback, now.loopback, "the loopback address 127.0.0.1"),
            (self.loopback6, now.loopback6, "the loopback address ::1"),
            (self.scratch, now.scratch, "the folder for temporary files"),
        ];
        gone.into_iter().find(|(before, now, _)| *before && !now).map(|(_, _, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Outset = Outset { tables: true, loopback: true, loopback6: true, scratch: true };

    #[test]
    fn what_was_never_there_is_not_lost() {
        let without = Outset { loopback6: false, ..ALL };
        assert_eq!(without.lost(without), None);
        assert_eq!(ALL.lost(without), Some("the loopback address ::1"));
        assert_eq!(without.lost(ALL), None);
    }

    #[test]
    fn without_loopback_nothing_is_judged() {
        let down = Outset { loopback: false, ..ALL };
        assert!(down.trouble().is_some_and(|words| words.contains("loopback")));
        assert_eq!(ALL.trouble(), None);
    }
}
