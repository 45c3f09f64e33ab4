//! A wire for datagrams that loses some of them: by rule and not by chance, so that a check says
//! which one was lost, and finds the same thing each time.
//!
//! A program that asks is given the wire's address; the wire asks the other program for it, and
//! each asker from a port of its own, so that answers find their way back.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::{io, thread};

use super::wire::Way;
use crate::program::pump::Pumps;
use crate::sync::lock;
use crate::trial::{InFlight, Stop, Trial, Verdict};

/// The largest payload of UDP over IPv4, in bytes.
const LARGEST: usize = 65_507;

/// What becomes of a datagram on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on.
    Passed,
    /// It is lost.
    Dropped,
    /// It comes twice.
    Doubled,
    /// It stays on the wire until [`LossyWire::release`].
    Held,
    /// The next one in the same direction comes before it.
    Overtaken,
    /// It comes from somebody else's address.
    FromStranger,
}

/// What becomes of one datagram: the so-maniest in its direction, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    way: Way,
    nth: usize,
    fate: Fate,
}

impl Rule {
    /// For the `nth` question.
    pub fn up(nth: usize, fate: Fate) -> Self {
        Self { way: Way::Up, nth, fate }
    }

    /// For the `nth` answer.
    pub fn down(nth: usize, fate: Fate) -> Self {
        Self { way: Way::Down, nth, fate }
    }
}

/// A datagram that came to the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which way it went.
    pub way: Way,
    /// What became of it.
    pub fate: Fate,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// A wire. Dropping it cuts it.
#[derive(Debug)]
pub struct LossyWire {
    trial: Trial,
    /// Asking here asks through the wire.
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What the reader calls the program that asks, and the one that answers.
    names: [String; 2],
    to: SocketAddr,
    front: Arc<UdpSocket>,
    /// Where what comes from somebody else is sent from.
    stranger: Arc<UdpSocket>,
    rules: Vec<Rule>,
    pumps: Pumps,
    closing: AtomicBool,
    traffic: Mutex<Traffic>,
}

#[derive(Debug, Default)]
struct Traffic {
    carried: Vec<Passage>,
    /// Each asker, and the socket that asks for it.
    askers: Vec<(SocketAddr, Arc<UdpSocket>)>,
    held: Vec<Parcel>,
    overtaken: Vec<(Way, Parcel)>,
}

/// A datagram, the socket that sends it, and where to.
#[derive(Clone, Debug)]
struct Parcel {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Parcel {
    fn send(&self) {
        // A receiver that has gone is a datagram that is lost, which is what datagrams are.
        let _ = self.socket.send_to(&self.bytes, self.to);
    }
}

impl Trial {
    /// A wire for datagrams of the program `from` to the program `to`, which receives them at `at`.
    /// What no rule speaks of is passed on.
    pub fn lossy_wire(
        &self,
        from: &str,
        to: &str,
        at: SocketAddr,
        rules: &[Rule],
    ) -> Verdict<LossyWire> {
        let address = self.addresses().free_address();
        let bind = |address: SocketAddr| {
            UdpSocket::bind(address)
                .map(Arc::new)
                .map_err(|error| Stop::Fault(format!("cannot bind UDP {address}: {error}")))
        };
        let (pumps, closing, traffic) = Default::default();
        let inner = Arc::new(Inner {
            names: [from.to_owned(), to.to_owned()],
            to: at,
            front: bind(address)?,
            stranger: bind(SocketAddr::new(address.ip(), 0))?,
            rules: rules.to_vec(),
            pumps,
            closing,
            traffic,
        });
        let (its, pump) = (Arc::clone(&inner), inner.pumps.another());
        thread::spawn(move || {
            pump.begin();
            its.carry_up();
            pump.end();
        });
        self.add_in_flight(Arc::clone(&inner) as Arc<dyn InFlight>);
        self.name(address, "the wire");
        self.note(format!("the harness lays a wire for datagrams from {address} to {at}"));
        for rule in rules {
            self.note(format!("on it, {}", inner.describe_rule(*rule)));
        }
        Ok(LossyWire { trial: self.clone(), address, inner })
    }
}

impl LossyWire {
    /// What has come to it, in order.
    pub fn carried(&self) -> Vec<Passage> {
        lock(&self.inner.traffic).carried.clone()
    }

    /// Passes on what was held.
    pub fn release(&self) {
        let held = std::mem::take(&mut lock(&self.inner.traffic).held);
        let number = held.len();
        held.iter().for_each(Parcel::send);
        self.trial.note(format!("the wire passes on what it has held: {}", datagrams(number)));
    }
}

impl Drop for LossyWire {
    fn drop(&mut self) {
        self.inner.closing.store(true, Ordering::SeqCst);
        // Wakes the threads: nothing else can.
        let backs = lock(&self.inner.traffic).askers.clone();
        let sockets = backs.iter().map(|(_, socket)| socket).chain([&self.inner.front]);
        for address in sockets.filter_map(|socket| socket.local_addr().ok()) {
            let _ = self.inner.stranger.send_to(b"", address);
        }
    }
}

impl InFlight for Inner {
    fn is_at_rest(&self) -> bool {
        self.pumps.are_at_rest()
    }

    fn tell(&self) -> Vec<String> {
        let traffic = lock(&self.traffic);
        let [from, to] = &self.names;
        let way = |way, from: &str, to: &str| {
            let carried: Vec<_> = traffic.carried.iter().filter(|one| one.way == way).collect();
            let fates = carried.iter().enumerate().filter(|(_, one)| one.fate != Fate::Passed);
            let fates: Vec<_> = fates.map(|(n, one)| told(n + 1, one.fate)).collect();
            let fates =
                if fates.is_empty() { String::new() } else { format!("; {}", fates.join(", ")) };
            let number = datagrams(carried.len());
            format!("to the wire came from {from} to {to}: {number}{fates}")
        };
        vec![way(Way::Up, from, to), way(Way::Down, to, from)]
    }
}

impl Inner {
    fn describe_rule(&self, rule: Rule) -> String {
        let [asks, answers] = &self.names;
        let sender = if rule.way == Way::Up { asks } else { answers };
        format!("of what {sender} sends, {}", told(rule.nth, rule.fate))
    }

    /// Passes on questions, for as long as the wire is there.
    fn carry_up(self: &Arc<Self>) {
        let mut buffer = vec![0; LARGEST];
        loop {
            let received = self.front.recv_from(&mut buffer);
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            // What a receiver has refused before is told here, and no matter of this datagram.
            let Ok((length, from)) = received else { continue };
            let Ok(socket) = self.socket_for(from) else { continue };
            let bytes = buffer[..length].to_vec();
            self.carry(Way::Up, Parcel { socket, to: self.to, bytes });
        }
    }

    /// Passes on the answers for one asker.
    fn carry_down(&self, back: &UdpSocket, asker: SocketAddr) {
        let mut buffer = vec![0; LARGEST];
        loop {
            let received = back.recv_from(&mut buffer);
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let Ok((length, _)) = received else { continue };
            let bytes = buffer[..length].to_vec();
            self.carry(Way::Down, Parcel { socket: Arc::clone(&self.front), to: asker, bytes });
        }
    }

    /// The socket that asks for this asker: a new one where it has not asked before.
    fn socket_for(self: &Arc<Self>, asker: SocketAddr) -> io::Result<Arc<UdpSocket>> {
        let mut traffic = lock(&self.traffic);
        if let Some((_, socket)) = traffic.askers.iter().find(|(known, _)| *known == asker) {
            return Ok(Arc::clone(socket));
        }
        let socket = Arc::new(UdpSocket::bind(SocketAddr::new(self.to.ip(), 0))?);
        traffic.askers.push((asker, Arc::clone(&socket)));
        let (its, back, pump) = (Arc::clone(self), Arc::clone(&socket), self.pumps.another());
        thread::spawn(move || {
            pump.begin();
            its.carry_down(&back, asker);
            pump.end();
        });
        Ok(socket)
    }

    fn carry(&self, way: Way, parcel: Parcel) {
        let mut traffic = lock(&self.traffic);
        let nth = 1 + traffic.carried.iter().filter(|one| one.way == way).count();
        let rule = self.rules.iter().find(|rule| rule.way == way && rule.nth == nth);
        let fate = rule.map_or(Fate::Passed, |rule| rule.fate);
        traffic.carried.push(Passage { way, fate, bytes: parcel.bytes.clone() });
        match fate {
            Fate::Passed => parcel.send(),
            Fate::Dropped => {}
            Fate::Doubled => [&parcel; 2].into_iter().for_each(Parcel::send),
            Fate::Held => traffic.held.push(parcel),
            Fate::Overtaken => return traffic.overtaken.push((way, parcel)),
            Fate::FromStranger => {
                Parcel { socket: Arc::clone(&self.stranger), ..parcel }.send();
            }
        }
        let waiting = traffic.overtaken.extract_if(.., |(its, _)| *its == way);
        waiting.for_each(|(_, parcel)| parcel.send());
    }
}

/// `the 2nd is dropped`.
fn told(nth: usize, fate: Fate) -> String {
    let end = match (nth % 10, nth % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    let fate = match fate {
        Fate::Passed => "is passed on",
        Fate::Dropped => "is dropped",
        Fate::Doubled => "is sent twice",
        Fate::Held => "is held back",
        Fate::Overtaken => "is overtaken by the next one",
        Fate::FromStranger => "is sent from another address",
    };
    format!("the {nth}{end} {fate}")
}

fn datagrams(number: usize) -> String {
    match number {
        0 => "no datagram".into(),
        1 => "1 datagram".into(),
        n => format!("{n} datagrams"),
    }
}
