//! The harness's own ends of datagrams: one that asks a program, and one that a program asks.
//!
//! A datagram is there whole or not at all, and nothing says that it comes: so an answer that is
//! awaited is given up only where the program can do nothing more by itself, and that nothing comes
//! is known when it has come to rest.

use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;

use super::describe_bytes;
use crate::kernel::Row;
use crate::trial::{DatagramAct, Progress, Running, Stall, Stop, Trial, Verdict};

/// The largest payload of UDP over IPv4, in bytes.
const LARGEST: usize = 65_507;

/// A datagram that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Its payload.
    pub bytes: Vec<u8>,
    /// Who sent it.
    pub from: SocketAddr,
}

/// The harness asks a program: one UDP socket on a port of its own.
#[derive(Debug)]
pub struct Asker {
    end: End,
    /// Whom it asks.
    to: SocketAddr,
    running: Rc<Running>,
}

/// A program asks the harness: a UDP socket on an address that the program is told.
#[derive(Debug)]
pub struct Answerer {
    pub(super) end: End,
    /// Where it is asked.
    pub address: SocketAddr,
}

/// A UDP socket of the harness, with its name.
#[derive(Debug)]
pub(super) struct End {
    pub(super) trial: Trial,
    socket: UdpSocket,
    here: SocketAddr,
    name: String,
    /// Puts a payload into words.
    pub(super) words: Words,
}

/// Puts the payload of a datagram into words, for sentences: `a question for www.example.test`.
pub type Words = fn(&[u8]) -> String;

impl Trial {
    /// One that asks the program at `to`.
    pub fn asker(&self, running: &Rc<Running>, to: SocketAddr) -> Verdict<Asker> {
        let name = format!("asker {}", self.next_number());
        // Not connected: an answer from somebody else has to be seen.
        let any = if to.is_ipv4() {
            SocketAddr::new(self.addresses().host().into(), 0)
        } else {
            SocketAddr::new(to.ip(), 0)
        };
        let end = End::new(self, UdpSocket::bind(any)?, name)?;
        Ok(Asker { end, to, running: Rc::clone(running) })
    }

    /// One that programs can ask, on a free address; the reader calls it `name`.
    pub fn answerer(&self, name: &str) -> Verdict<Answerer> {
        self.answerer_on(name, self.addresses().free_address())
    }

    /// The same, on this address.
    pub fn answerer_on(&self, name: &str, address: SocketAddr) -> Verdict<Answerer> {
        let socket = UdpSocket::bind(address)
            .map_err(|error| Stop::Fault(format!("cannot bind UDP {address}: {error}")))?;
        self.note(format!("{name} of the harness waits for datagrams on {address}"));
        Ok(Answerer { end: End::new(self, socket, name.to_owned())?, address })
    }
}

impl End {
    fn new(trial: &Trial, socket: UdpSocket, name: String) -> Verdict<Self> {
        socket.set_nonblocking(true)?;
        let here = socket.local_addr()?;
        trial.name(here, &name);
        Ok(Self { trial: trial.clone(), socket, here, name, words: describe_bytes })
    }

    fn send(&self, on: &Rc<Running>, bytes: &[u8], to: SocketAddr, how: &str) -> Verdict {
        let whom = self.trial.names().call(to);
        let what = (self.words)(bytes);
        self.trial.note(format!("{} sent a datagram to {whom}{how}: {what}", self.name));
        self.send_quietly(on, bytes, to)
    }

    pub(super) fn send_quietly(&self, on: &Rc<Running>, bytes: &[u8], to: SocketAddr) -> Verdict {
        let still = self.trial.record_before(on, bytes.len());
        match self.socket.send_to(bytes, to) {
            Ok(_) => {}
            // A refusal of one sent before: this one has gone out all the same, or will be lost.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error.into()),
        }
        let act = DatagramAct { by: &self.name, from: self.here, to, bytes };
        self.trial.record_datagram(still, on, act);
        Ok(())
    }

    /// What has come, if anything has.
    pub(super) fn receive(&self) -> Verdict<Option<Datagram>> {
        let mut buffer = vec![0; LARGEST];
        loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    buffer.truncate(length);
                    let datagram = Datagram { bytes: buffer, from };
                    let at = (&*self.name, self.here);
                    self.trial.record_datagram_read(at, from, &datagram.bytes);
                    return Ok(Some(datagram));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Interrupted | ErrorKind::ConnectionRefused
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the next one.
    fn next(&self, on: &Running) -> Verdict<Result<Datagram, Stall>> {
        self.trial.wait(on, || self.look_for_one())
    }

    fn look_for_one(&self) -> Verdict<Progress<Datagram>> {
        Ok(self.receive()?.map_or(Progress::Nothing, Progress::Done))
    }

    /// Expects that none comes by the time the program has come to rest.
    fn expect_none(&self, on: &Running, headline: &str, cause: &str) -> Verdict {
        let rest = self.trial.settle(on)?;
        if let Some(datagram) = self.receive()? {
            return Err(self
                .trial
                .fail(headline)
                .expected("no datagram")
                .seen(self.describe(&datagram))
                .cause(cause)
                .stop());
        }
        if let Err(stall) = rest {
            return Err(self
                .trial
                .fail(format!("the {} does not come to rest", on.name))
                .expected("it sends nothing, and waits for the next datagram")
                .seen(stall.sentence(&on.name))
                .stop());
        }
        self.trial.note(format!("nothing came to {}, and the {} is at rest", self.name, on.name));
        Ok(())
    }

    fn describe(&self, datagram: &Datagram) -> String {
        let from = self.trial.names().call(datagram.from);
        format!("a datagram from {from}: {}", (self.words)(&datagram.bytes))
    }
}

impl Asker {
    /// The same, which tells of payloads in these words.
    pub fn in_words(mut self, words: Words) -> Self {
        self.end.words = words;
        self
    }

    /// What the reader calls it: `asker 1`.
    pub fn name(&self) -> &str {
        &self.end.name
    }

    /// Its own address, which the program answers to.
    pub fn here(&self) -> SocketAddr {
        self.end.here
    }

    /// Sends a datagram, and goes on at once.
    pub fn send(&self, bytes: &[u8]) -> Verdict {
        self.end.send(&self.running, bytes, self.to, "")
    }

    /// Expects exactly this datagram next, from the address that was asked.
    pub fn expect(&self, bytes: &[u8], cause: &str) -> Verdict {
        let expected = format!("a datagram: {}", (self.end.words)(bytes));
        let seen = self.answer(&expected, cause)?;
        if seen.bytes == bytes {
            let (name, what) = (self.name(), (self.end.words)(bytes));
            self.end.trial.note(format!("{name} received the datagram that it should: {what}"));
            return Ok(());
        }
        Err(self
            .end
            .trial
            .fail(format!("{} received another datagram than it should have", self.name()))
            .expected(expected)
            .seen(self.end.describe(&seen))
            .difference(bytes, &seen.bytes)
            .cause(cause)
            .stop())
    }

    /// Expects a datagram next of which `fits` approves; `expected` says which ones those are, and
    /// the error of `fits` what is wrong with this one. Returns it.
    pub fn expect_one<E: fmt::Display>(
        &self,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Verdict<Vec<u8>> {
        let seen = self.answer(expected, cause)?;
        match fits(&seen.bytes) {
            Ok(()) => {
                let (name, what) = (self.name(), (self.end.words)(&seen.bytes));
                self.end.trial.note(format!("{name} received {expected}: {what}"));
                Ok(seen.bytes)
            }
            Err(wrong) => Err(self
                .end
                .trial
                .fail(format!("{} received another datagram than it should have", self.name()))
                .expected(expected)
                .seen(self.end.describe(&seen))
                .seen(wrong.to_string())
                .cause(cause)
                .stop()),
        }
    }

    /// Expects that no datagram comes: the program has come to rest without one.
    pub fn expect_nothing(&self, cause: &str) -> Verdict {
        let headline =
            format!("{} received a datagram that should not have been sent", self.name());
        self.end.expect_none(&self.running, &headline, cause)
    }

    /// The next datagram, which has to come from the address that was asked.
    fn answer(&self, expected: &str, cause: &str) -> Verdict<Datagram> {
        let trial = &self.end.trial;
        let datagram = match self.end.next(&self.running)? {
            Ok(datagram) => datagram,
            Err(stall) => {
                return Err(trial
                    .fail(format!("{} received no datagram", self.name()))
                    .expected(expected)
                    .seen(stall.sentence(&self.running.name))
                    .cause(cause)
                    .stop());
            }
        };
        if datagram.from == self.to {
            return Ok(datagram);
        }
        Err(trial
            .fail("the datagram does not come from the address that was asked")
            .expected(format!("{expected}, from {}", self.to))
            .seen(self.end.describe(&datagram))
            .cause("answer from the socket that the question came to, and not from a new one")
            .stop())
    }

    /// The program's socket in the kernel's table, where it is asked.
    pub fn socket_of_program(&self) -> Verdict<Option<Row>> {
        let snapshot = self.end.trial.look(&self.running)?;
        let sockets = snapshot.datagram_sockets();
        Ok(sockets.into_iter().find(|row| row.local.port() == self.to.port()).cloned())
    }
}

impl Answerer {
    /// The same, which tells of payloads in these words.
    pub fn in_words(mut self, words: Words) -> Self {
        self.end.words = words;
        self
    }

    /// What the reader calls it.
    pub fn name(&self) -> &str {
        &self.end.name
    }

    /// Takes the next datagram that the program sends here.
    pub fn take(&self, running: &Running, cause: &str) -> Verdict<Datagram> {
        let trial = &self.end.trial;
        // An interpreter has a lot to do before it asks for the first time.
        let next = trial.wait_for_start(running, || self.look(running))?;
        next.map_err(|stall| self.not_asked(running, &stall, cause))
    }

    /// Takes the next datagram if it is there.
    pub fn look(&self, running: &Running) -> Verdict<Progress<Datagram>> {
        let next = self.end.look_for_one()?;
        if let Progress::Done(datagram) = &next {
            let trial = &self.end.trial;
            trial.name(datagram.from, &format!("the {}", running.name));
            let (name, what) = (self.name(), (self.end.words)(&datagram.bytes));
            trial.note(format!("{name} received a datagram from {}: {what}", datagram.from));
        }
        Ok(next)
    }

    pub(super) fn not_asked(&self, running: &Running, stall: &Stall, cause: &str) -> Stop {
        self.end
            .trial
            .fail(format!("the {} did not ask", running.name))
            .expected(format!("a datagram to {}", self.address))
            .seen(stall.sentence(&running.name))
            .cause(cause)
            .stop()
    }

    /// Waits until the program has sent a datagram here, and leaves it in the queue.
    pub fn wait(&self, running: &Running, cause: &str) -> Verdict {
        let there = self.end.trial.wait(running, || match self.end.socket.peek_from(&mut [0]) {
            Ok(_) => Ok(Progress::Done(())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
            Err(error) => Err(error.into()),
        })?;
        there.map_err(|stall| self.not_asked(running, &stall, cause))
    }

    /// Takes the next datagram off its way: it is lost, and the one who was asked never sees it.
    pub fn lose(&self, running: &Running, cause: &str) -> Verdict<Datagram> {
        let lost = self.take(running, cause)?;
        self.end.trial.note("that datagram is lost on its way".to_owned());
        self.end.trial.record_datagram_lost();
        Ok(lost)
    }

    /// Answers from where it was asked. Once more is an answer that comes twice, later is one that
    /// comes late, and none is one that was lost.
    pub fn answer(&self, running: &Rc<Running>, to: &Datagram, bytes: &[u8]) -> Verdict {
        self.end.send(running, bytes, to.from, "")
    }

    /// Somebody answers who was not asked: from another port, as any program on this host can.
    pub fn answer_from_another_port(
        &self,
        running: &Rc<Running>,
        to: &Datagram,
        bytes: &[u8],
    ) -> Verdict {
        let host = SocketAddr::new(self.address.ip(), 0);
        self.stranger(host)?.send(running, bytes, to.from, ", which has not asked it")
    }

    /// Somebody answers who was not asked: from another host, and from the same port.
    pub fn answer_from_another_host(
        &self,
        running: &Rc<Running>,
        to: &Datagram,
        bytes: &[u8],
    ) -> Verdict {
        let host = self.end.trial.addresses().free_elsewhere().ip();
        let from = SocketAddr::new(host, self.address.port());
        self.stranger(from)?.send(running, bytes, to.from, ", which has not asked it")
    }

    fn stranger(&self, from: SocketAddr) -> Verdict<End> {
        let end = End::new(&self.end.trial, UdpSocket::bind(from)?, "a stranger".into())?;
        Ok(End { words: self.end.words, ..end })
    }

    /// Expects that the program does not ask: it has come to rest without it.
    pub fn expect_nothing(&self, running: &Running, cause: &str) -> Verdict {
        let headline = format!("the {} sent a datagram that it should not have sent", running.name);
        self.end.expect_none(running, &headline, cause)
    }
}
