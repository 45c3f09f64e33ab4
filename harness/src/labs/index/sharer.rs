//! A peer under test: it is at the harness's index, it gives and gets files, and its user types.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;

use super::LAB;
use super::file::{File, Hit};
use super::hub::{Hub, NOBODY_IS_LATE, Session};
use crate::net::{Console, Service};
use crate::program::{Given, Stdin};
use crate::trial::{Running, Scratch, Trial, Verdict};

/// What times of a second and more are multiplied by where a check waits for the end of one, in a
/// program that knows `LAB_TEMPO`.
pub(in crate::labs) const HURRIED: f64 = 0.1;
/// The same where none shall end.
const UNHURRIED: f64 = 10.0;

/// A peer under test that has joined.
#[derive(Debug)]
pub(in crate::labs) struct Sharer {
    /// Its side that gives files.
    pub(in crate::labs) service: Service,
    /// Its user's side.
    pub(in crate::labs) console: Console,
    /// Its session with the harness's index.
    pub(in crate::labs) session: Session,
    /// What it shares, and where it puts what it gets.
    pub(in crate::labs) folder: Scratch,
}

impl Hub {
    /// Starts the peer `name`, which shares these files, and welcomes it.
    pub(in crate::labs) fn peer(&self, name: &str, files: &[&File]) -> Verdict<Sharer> {
        let folder = folder_of(self.trial(), name)?;
        files.iter().try_for_each(|file| file.put_into(&folder))?;
        let dir = folder.path().to_owned();
        self.peer_in(name, folder, &dir, files)
    }

    /// The same of a peer that waits ten times as long, if it knows `LAB_TEMPO`: where the harness is
    /// busy with others meanwhile.
    pub(in crate::labs) fn unhurried_peer(&self, name: &str, files: &[&File]) -> Verdict<Sharer> {
        self.peer_at_tempo(name, UNHURRIED, files)
    }

    /// The same of a peer whose times of a second and more are multiplied by this.
    pub(in crate::labs) fn peer_at_tempo(
        &self,
        name: &str,
        tempo: f64,
        files: &[&File],
    ) -> Verdict<Sharer> {
        let folder = folder_of(self.trial(), name)?;
        files.iter().try_for_each(|file| file.put_into(&folder))?;
        let listen = self.trial().addresses().free_localhost()?;
        let given = sharing(name, self.address(), listen, folder.path());
        self.welcomed(name, listen, given.environment("LAB_TEMPO", tempo), folder, files)
    }

    /// Starts the peer `name` with `dir`, which is this folder or stands in it, as its DIR, where it
    /// shares these files, and welcomes it.
    pub(in crate::labs) fn peer_in(
        &self,
        name: &str,
        folder: Scratch,
        dir: &Path,
        files: &[&File],
    ) -> Verdict<Sharer> {
        let listen = self.trial().addresses().free_localhost()?;
        let given = sharing(name, self.address(), listen, dir);
        self.welcomed(name, listen, given, folder, files)
    }

    /// Starts the peer `name`, which was given this, and welcomes it.
    fn welcomed(
        &self,
        name: &str,
        listen: SocketAddr,
        given: Given,
        folder: Scratch,
        files: &[&File],
    ) -> Verdict<Sharer> {
        let t = self.trial();
        // It may wait by itself: for a byte of a file, or until ALIVE is due.
        t.allow_time_outs();
        let running = start_peer(t, name, given)?;
        let mut session = self.accept(&running)?;
        session.expect_join(name, listen.port())?;
        session.welcome(listen.port(), NOBODY_IS_LATE)?;
        session.expect_files(files, HAVE)?;
        let service = t.listening(Rc::clone(&running), listen)?;
        t.name(service.address, name);
        let console = Console::new(t.clone(), running);
        console.expect_event(&format!("joined {listen}"), JOINED)?;
        Ok(Sharer { service, console, session, folder })
    }
}

/// The folder of this peer, as the reader calls it: `ANN`.
pub(in crate::labs) fn folder_of(t: &Trial, name: &str) -> Verdict<Scratch> {
    t.scratch(&name.to_ascii_uppercase())
}

/// What a peer is given.
pub(in crate::labs) fn sharing(
    name: &str,
    index: impl ToString,
    listen: SocketAddr,
    dir: &Path,
) -> Given {
    let (index, listen) = (index.to_string(), listen.to_string());
    Given::arguments(["share", name, &index, &listen, &dir.to_string_lossy()])
}

/// Starts the peer `name`, and goes on at once. Its standard input stays open.
pub(in crate::labs) fn start_peer(t: &Trial, name: &str, given: Given) -> Verdict<Rc<Running>> {
    t.start_as(&format!("peer {name}"), LAB.name, given, Stdin::Piped)
}

impl Sharer {
    /// The trial that it takes part in.
    pub(in crate::labs) fn trial(&self) -> &Trial {
        self.service.trial()
    }

    /// The program.
    pub(in crate::labs) fn running(&self) -> &Rc<Running> {
        &self.service.running
    }

    /// Its user looks for a word, the index has these hits, and the peer shows them.
    pub(in crate::labs) fn finds(&mut self, word: &str, hits: &[Hit]) -> Verdict {
        self.console.types(&format!("find {word}"));
        self.session.answer(word, hits)?;
        for (hit, number) in hits.iter().zip(1..) {
            self.console.expect_event(&hit.event(number), HITS)?;
        }
        self.console.expect_event(&format!("found {}", hits.len()), HITS)
    }
}

const HAVE: &str = "HAVE, the SHA-1 of what the file holds, its size and its name: one line for each regular file \
    in DIR that has a file name of the protocol";
const JOINED: &str = "when WELCOME has come: joined, and the address that it names";
const HITS: &str = "each hit is a line, numbered from 1; then found, and how many were shown";
