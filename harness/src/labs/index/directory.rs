//! An index under test, and who joins it.

use std::net::SocketAddr;
use std::time::Duration;

use super::member::Member;
use super::{CALLED, LAB};
use crate::net::{Console, Lines, Service};
use crate::program::{Given, Stdin};
use crate::trial::{Trial, Verdict};

/// For how long a peer may say nothing, where time does not matter: however busy the machine, nobody
/// is late.
const NOBODY_IS_LATE: Duration = Duration::from_secs(3600);
/// Where peers say that they give files. Nobody listens there, and an index never calls.
pub(super) const PORT: u16 = 7001;

pub(super) const SAYS: &str = "what happens is one line on standard output, flushed";

/// An index under test.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) service: Service,
    pub(super) console: Console,
    silence: Duration,
}

impl Index {
    /// Starts one in which nobody is late.
    pub(super) fn start(t: &Trial) -> Verdict<Self> {
        Self::with(t, NOBODY_IS_LATE)
    }

    /// Starts one in which a peer may say nothing for so long.
    pub(super) fn with(t: &Trial, silence: Duration) -> Verdict<Self> {
        Self::started(t, t.addresses().free_address(), silence)
    }

    /// Starts one at this address, in which nobody is late.
    pub(super) fn at(t: &Trial, address: SocketAddr) -> Verdict<Self> {
        Self::started(t, address, NOBODY_IS_LATE)
    }

    fn started(t: &Trial, address: SocketAddr, silence: Duration) -> Verdict<Self> {
        let words = ["serve".to_owned(), address.to_string(), silence.as_millis().to_string()];
        let running = t.start_as(CALLED, LAB.name, Given::arguments(words), Stdin::Null)?;
        let service = t.listening(running, address)?;
        let console = Console::new(t.clone(), service.running.clone());
        Ok(Self { service, console, silence })
    }

    /// Somebody connects, and has not said anything yet.
    pub(super) fn called_by(&self, name: &str) -> Verdict<Lines> {
        Member::connect(&self.service, name)
    }

    /// A peer of this name joins, is welcome, and the index says so.
    pub(super) fn joined_by(&self, name: &str) -> Verdict<Member> {
        let mut lines = self.called_by(name)?;
        lines.say(&format!("JOIN {name} {PORT}"))?;
        self.expect_welcome(lines, PORT)
    }

    /// Expects that somebody who has said JOIN with this port is welcome, and that the index says so.
    pub(super) fn expect_welcome(&self, lines: Lines, port: u16) -> Verdict<Member> {
        let name = lines.name().to_owned();
        let member = Member::welcomed(lines, port, &self.silence.as_millis().to_string())?;
        self.console.expect_event(&format!("joined {name} {}", member.address()), SAYS)?;
        Ok(member)
    }
}
