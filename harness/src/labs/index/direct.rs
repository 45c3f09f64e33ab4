//! Step 5 of lab 7, `download`, with nothing but the student's own programs: an index and two peers.
//! Who has dialled whom, and how many bytes have gone where, the kernel and a wire tell.

use std::net::SocketAddr;

use super::directory::Index;
use super::file::File;
use super::sharer::{folder_of, sharing, start_peer};
use crate::kernel::{self, State};
use crate::net::{Console, Cut, Service, Wire, noise};
use crate::trial::{Scratch, Stop, Trial, Verdict};
use crate::words::count;

checks! { $ index_direct, "index" step 5:
    downloads_directly, 3 points: "gets a file over a connection of its own with the peer that has it";
    "The index knows who has what; the bytes go from peer to peer. The index opens no connection."

    index_sees_no_byte, 3 points: "carries no byte of a file through the index";
    "The index never sees a byte of a file: a file of 600,000 bytes leaves some hundred bytes of lines there."
}

const DIRECT: &str = "the hit says where the peer listens that has the file: connect to it, and ask there. The index is \
    asked who has what, and nothing else";
const FINDS: &str = "the index tells what the others have: a hit for each file, and then found";
/// So much of lines goes to the index and back, and no more.
const MOST_OF_LINES: usize = 4_000;

/// A peer under test, at an index under test.
pub(in crate::labs) struct Participant {
    pub(in crate::labs) service: Service,
    pub(in crate::labs) console: Console,
    pub(in crate::labs) folder: Scratch,
}

impl Participant {
    /// Starts the peer `name`, which shares these files, and waits until it has joined and told of
    /// them.
    pub(in crate::labs) fn start(
        t: &Trial,
        index: (&Service, SocketAddr),
        name: &str,
        files: &[&File],
    ) -> Verdict<Self> {
        t.allow_time_outs();
        let folder = folder_of(t, name)?;
        files.iter().try_for_each(|file| file.put_into(&folder))?;
        let (service, at) = index;
        let listen = t.addresses().free_localhost()?;
        let running = start_peer(t, name, sharing(name, at, listen, folder.path()))?;
        let peer = t.listening(running.clone(), listen)?;
        t.name(listen, name);
        let console = Console::new(t.clone(), running);
        console.expect_event(&format!("joined {listen}"), "WELCOME has come from the index")?;
        // What it has told of its files is on its way: both have come to rest when it is there.
        let _ = t.settle(&peer.running)?;
        let _ = t.settle(&service.running)?;
        Ok(Self { service: peer, console, folder })
    }

    /// Its user finds this file, which exactly these other peers have.
    pub(in crate::labs) fn finds(&self, file: &File, at: &[&Self]) -> Verdict {
        self.console.types(&format!("find {}", file.name));
        let (size, name) = (file.size(), &file.name);
        let hit = |peer: &&Self| format!("hit * {} {size} {name}", peer.service.address);
        let hits: Vec<_> = at.iter().map(hit).collect();
        let hits: Vec<_> = hits.iter().map(String::as_str).collect();
        self.console.expect_events(&hits, FINDS)?;
        self.console.expect_event(&format!("found {}", hits.len()), FINDS)
    }

    /// Its user finds this file, which one other peer has, and gets it.
    pub(in crate::labs) fn get(&self, file: &File, from: &Self) -> Verdict {
        self.finds(file, &[from])?;
        self.console.types("get 1");
        Ok(())
    }

    /// Expects that the socket tables show a connection from a socket of its own to one of these; to
    /// which.
    pub(in crate::labs) fn expect_asks(&self, sources: &[&Self]) -> Verdict<SocketAddr> {
        let name = &self.service.running.name;
        let (trial, running) = (self.service.trial(), &self.service.running);
        let address = self.service.expect_until(
            &format!("the {name} does not ask a peer that has the file"),
            "a connection from a socket of its own to the address where that one listens",
            DIRECT,
            || {
                let snapshot = trial.look(running)?;
                let rows = snapshot.own_rows();
                let to = |source: &&&Self| {
                    let there = source.service.address;
                    rows.iter().any(|row| row.remote == there && row.state == State::Established)
                };
                let found = sources.iter().find(to).map(|source| source.service.address);
                Ok(found.ok_or_else(|| "no such connection in the socket tables".to_owned()))
            },
        )?;
        trial.note(format!(
            "in the socket tables: a connection from a socket of the {name} to {address}"
        ));
        Ok(address)
    }

    /// Expects that it says that the file is complete, and that it is.
    pub(in crate::labs) fn expect_got(&self, file: &File, from: &Self) -> Verdict {
        let got = format!("got {} {} from {}", file.name, file.size(), from.service.address);
        self.console.expect_event(&got, DIRECT)?;
        self.folder.expect_file(&file.name, &file.bytes, DIRECT)
    }
}

fn downloads_directly(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let song = File::new("song.ogg", noise(91, 20_000));
    let index = Index::start(t)?;
    let at = (&index.service, index.service.address);
    let bob = Participant::start(t, at, "bob", &[&song])?;
    let ann = Participant::start(t, at, "ann", &[])?;
    t.freeze(&bob.service.running)?;
    t.note("bob was stopped (SIGSTOP): whoever asks bob for something waits");
    ann.get(&song, &bob)?;
    ann.expect_asks(&[&bob])?;
    expect_only_calls_in(t, &index)?;
    t.thaw(&bob.service.running)?;
    t.note("bob goes on (SIGCONT)");
    ann.expect_got(&song, &bob)
}

/// Expects that each connection of the index is one that somebody else has made.
fn expect_only_calls_in(t: &Trial, index: &Index) -> Verdict {
    let snapshot = index.service.settle()?;
    let rows = snapshot.own_rows();
    let Some(row) = rows.iter().find(|row| row.local.port() != index.service.address.port()) else {
        return Ok(());
    };
    Err(t
        .fail("the index has made a connection itself")
        .expected("its listener, and the connections that came in through it")
        .seen(format!("a connection from {} to {}", row.local, row.remote))
        .cause("the index opens no connection: who has what is all that it says")
        .stop())
}

fn index_sees_no_byte(t: &mut Trial) -> Verdict {
    let song = File::new("song.ogg", noise(92, 600_000));
    let index = Index::start(t)?;
    let wire = t.wire("the peers", "the index", index.service.address, Cut::Whole)?;
    let at = (&index.service, wire.address);
    let bob = Participant::start(t, at, "bob", &[&song])?;
    let ann = Participant::start(t, at, "ann", &[])?;
    let before = loopback(t)?;
    ann.get(&song, &bob)?;
    ann.expect_got(&song, &bob)?;
    expect_lines_only(t, &wire)?;
    let (Some(before), Some(after)) = (before, loopback(t)?) else { return Ok(()) };
    let carried = (after - before) as usize;
    t.note(format!("the loopback device has carried {} in all", count(carried)));
    // Once is what it takes. A second time is a second half of the way.
    if carried < song.size() * 3 / 2 {
        return Ok(());
    }
    Err(t
        .fail("the file has gone over the network more than once")
        .expected(format!(
            "the file's {}, some lines, and the headers of the packets",
            count(song.size())
        ))
        .seen(format!("{} on the loopback device", count(carried)))
        .cause(DIRECT)
        .stop())
}

/// Expects that nothing but lines has gone to the index and back.
fn expect_lines_only(t: &Trial, wire: &Wire) -> Verdict {
    let bytes: usize = wire.counts().into_iter().flatten().sum();
    if bytes <= MOST_OF_LINES {
        t.note(format!("all that went to the index and back: {}", count(bytes)));
        return Ok(());
    }
    Err(t
        .fail("more than lines has gone through the index")
        .expected(format!("at most {} to the index and back", count(MOST_OF_LINES)))
        .seen(count(bytes))
        .cause(DIRECT)
        .stop())
}

/// The bytes that have gone over the loopback device; `None` where others use it, too.
fn loopback(t: &Trial) -> Verdict<Option<u64>> {
    if !t.addresses().is_isolated() {
        return Ok(None);
    }
    let counted = kernel::loopback().map_err(Stop::from)?;
    Ok(counted.map(|device| device.bytes))
}
