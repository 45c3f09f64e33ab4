//! A servent under test: it shares a folder, it listens, it dials, its user types, and it prints
//! what happens.

use std::net::{SocketAddr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use super::descriptor::{Descriptor, FIRST_TTL, PING};
use super::link::Link;
use super::{CALLED, CONNECT, FOLDER, LAB, OK, alone, fields};
use crate::net::{Console, Listener, Service, Terms};
use crate::program::{Given, Stdin};
use crate::trial::{Running, Scratch, Stop, Trial, Verdict};

/// A servent under test.
#[derive(Debug)]
pub(super) struct Servent {
    /// Its folder.
    pub(super) folder: Scratch,
    /// Its side that listens.
    pub(super) service: Service,
    /// Its user's side.
    pub(super) console: Console,
}

/// What times of a second and more are multiplied by, in a program that knows `LAB_TEMPO`.
const TEMPO: f64 = 0.1;
/// For how long the contract lets a servent wait for a handshake, or for a byte of a file.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The name and the bytes of a file.
pub(super) type File<'a> = (&'a str, &'a [u8]);

impl Servent {
    /// Starts one that shares these files, and waits until it listens.
    pub(super) fn sharing(t: &Trial, files: &[File]) -> Verdict<Self> {
        Self::start(t, CALLED, files, &[])
    }

    /// Starts one that shares these files, under this name, and that dials these others; waits until
    /// it listens.
    pub(super) fn start(
        t: &Trial,
        called: &str,
        files: &[File],
        others: &[SocketAddr],
    ) -> Verdict<Self> {
        let name =
            if called == CALLED { FOLDER.to_owned() } else { format!("{FOLDER}-of-{called}") };
        let folder = t.scratch(&name)?;
        for (name, bytes) in files {
            folder.file(name, bytes)?;
        }
        Self::over(t, called, folder, others)
    }

    /// Starts one over this folder.
    pub(super) fn over(
        t: &Trial,
        called: &str,
        folder: Scratch,
        others: &[SocketAddr],
    ) -> Verdict<Self> {
        // What it tells of itself is the address of its end of a link: of one that it has dialled,
        // 127.0.0.1.
        let address = t.addresses().free_localhost()?;
        Self::started(t, called, address, folder, |given| given.with_all("peers", others))
    }

    /// The same of one that listens on this address.
    pub(super) fn at(
        t: &Trial,
        address: SocketAddr,
        folder: Scratch,
        others: &[SocketAddr],
    ) -> Verdict<Self> {
        Self::started(t, CALLED, address, folder, |given| given.with_all("peers", others))
    }

    /// Starts one that shares nothing, with times of a second and more that are shorter.
    pub(super) fn at_tempo(t: &Trial) -> Verdict<Self> {
        Self::at_tempo_with(t, &[])
    }

    /// The same of one that dials these others.
    pub(super) fn at_tempo_with(t: &Trial, others: &[SocketAddr]) -> Verdict<Self> {
        let folder = t.scratch(FOLDER)?;
        let address = t.addresses().free_localhost()?;
        Self::started(t, CALLED, address, folder, |given| {
            given.with_all("peers", others).environment("LAB_TEMPO", TEMPO)
        })
    }

    fn started(
        t: &Trial,
        called: &str,
        address: SocketAddr,
        folder: Scratch,
        how: impl FnOnce(Given) -> Given,
    ) -> Verdict<Self> {
        let given = how(alone(&address.to_string(), folder.path().display()));
        // The end of its standard input would be its own end.
        let running = t.start_as(called, LAB.name, given, Stdin::Piped)?;
        let service = t.listening(Rc::clone(&running), address)?;
        let console = Console::new(t.clone(), running);
        Ok(Self { folder, service, console })
    }

    pub(super) fn trial(&self) -> &Trial {
        self.service.trial()
    }

    pub(super) fn running(&self) -> &Rc<Running> {
        &self.service.running
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.service.address
    }

    /// The same as descriptors have it.
    pub(super) fn address_v4(&self) -> Verdict<SocketAddrV4> {
        v4(self.address())
    }

    /// The harness dials it, and says nothing yet.
    pub(super) fn called_by(&self, name: &str) -> Verdict<Link> {
        let connection = self.service.connect_as(name.to_owned(), false)?;
        let (from, at) = (connection.here().port(), self.address());
        self.trial().note(format!("{name} dialled {at} from port {from}"));
        Ok(Link::new(connection))
    }

    /// The harness dials it, and links.
    pub(super) fn linked_by(&self, name: &str) -> Verdict<Link> {
        let mut link = self.called_by(name)?;
        link.send_as(CONNECT, "GNUTELLA CONNECT/0.4")?;
        link.expect_bytes(OK, ANSWERS)?;
        self.expect_linked(&link, "server")?;
        Ok(link)
    }

    /// It dials `host`, which the harness plays, and which answers nothing yet.
    pub(super) fn calls(&self, host: &Listener) -> Verdict<Link> {
        host.accept(self.running(), DIALS).map(Link::new)
    }

    /// It dials `host`, and they link.
    pub(super) fn links_to(&self, host: &Listener) -> Verdict<Link> {
        let mut link = self.calls(host)?;
        link.expect_bytes(CONNECT, GREETS)?;
        link.send_as(OK, "GNUTELLA OK")?;
        let event = format!("linked {} as client", host.address());
        self.console.expect_event(&event, LINKED)?;
        Ok(link)
    }

    /// Expects `linked ADDRESS as ROLE`.
    pub(super) fn expect_linked(&self, link: &Link, role: &str) -> Verdict {
        let address = link.connection().here();
        self.console.expect_event(&format!("linked {address} as {role}"), LINKED)
    }

    /// Expects `unlinked ADDRESS`.
    pub(super) fn expect_unlinked(&self, address: SocketAddr) -> Verdict {
        self.console.expect_event(&format!("unlinked {address}"), UNLINKED)
    }

    /// Its user types `ping`; it comes to these links, alike. Returns the Ping.
    pub(super) fn pings(&self, links: &mut [&mut Link]) -> Verdict<Descriptor> {
        self.console.types("ping");
        expect_question(links, &Descriptor::ping([0; 16]), ASKS)
    }

    /// Its user types `find` and these words; the question comes to these links, alike. Returns the
    /// Query.
    pub(super) fn finds(&self, words: &str, links: &mut [&mut Link]) -> Verdict<Descriptor> {
        self.console.types(&format!("find {words}"));
        expect_question(links, &Descriptor::query([0; 16], words), ASKS)
    }

    /// Expects this line next on its standard output.
    pub(super) fn expect_event(&self, event: &str, cause: &str) -> Verdict {
        self.console.expect_event(event, cause)
    }

    /// Waits until it has come to rest, or does not: whatever it was given has reached it.
    pub(super) fn rest(&self) -> Verdict {
        self.trial().settle(self.running()).map(drop)
    }

    /// Expects that it ends by itself, with this exit status.
    pub(super) fn expect_exit(&self, status: i32) -> Verdict {
        self.console.expect_exit(status, LEAVES)
    }
}

impl Trial {
    /// Listens on a free loopback address as a servent that the program is to dial.
    pub(super) fn host_servent(&self, name: &str) -> Verdict<Listener> {
        let address = self.addresses().free_address();
        let listener = self.listen_as(name, &[address], &Terms::ANSWERS)?;
        self.note(format!("{name} listens on {address}"));
        Ok(listener)
    }
}

/// Expects a question of the program's own on each of these links: it is as `wanted` says but for its
/// id, which is the same on all.
fn expect_question(
    links: &mut [&mut Link],
    wanted: &Descriptor,
    cause: &str,
) -> Verdict<Descriptor> {
    let mut asked: Option<Descriptor> = None;
    for link in links {
        let what = match wanted.kind {
            PING => "a Ping",
            _ => "a Query with the words that were typed",
        };
        let expected = format!("{what}, TTL {FIRST_TTL}, hops 0, with an id of its own");
        let seen = link.expect_fitting(&expected, cause, |seen| {
            let wanted = asked.clone().unwrap_or(Descriptor { id: seen.id, ..wanted.clone() });
            match fields::differences(&wanted, seen) {
                wrong if wrong.is_empty() => Ok(seen.clone()),
                wrong => Err(wrong),
            }
        })?;
        asked = Some(seen);
    }
    asked.ok_or_else(|| Stop::Fault("a question was expected on no link".into()))
}

/// An address as descriptors have it.
pub(super) fn v4(address: SocketAddr) -> Verdict<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(Stop::Fault(format!("{address} is not an IPv4 address"))),
    }
}

const ASKS: &str = "its user's question goes to all links, alike: a new random id, TTL 7, hops 0, and for a \
    Query two bytes of speed (0), the words as they were typed, and a NUL";
const DIALS: &str = "each PEER of the command line is dialled, each in a thread of its own: one that does \
    not answer holds up no other";
const GREETS: &str = "the one that dials speaks first: GNUTELLA CONNECT/0.4 and two LF, and not one byte more \
    before the answer has come";
const ANSWERS: &str = "the answer to GNUTELLA CONNECT/0.4 and two LF is GNUTELLA OK and two LF: LF alone, \
    without CR";
const LINKED: &str = "once both sides have said their part of the handshake it prints one line, flushed: \
    linked, the other end's address (peer_addr), and `as client` where it has dialled, `as server` where \
    it was dialled";
const UNLINKED: &str = "a link that has ended, in whatever way, is told of once: unlinked, and the address \
    that it was linked with";
const LEAVES: &str = "the end of standard input says that the user has left: all links are closed, and the \
    program ends with status 0";
