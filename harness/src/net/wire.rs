//! A wire between two programs: it passes on what each of them sends, and records it.
//!
//! The one that connects is given the wire's address; the wire connects to the other one. What
//! was carried says which of the two broke a rule, without asking either.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::flow::{Gate, PIECE, Rate};
use super::{Cut, End, describe_bytes, likely};
use crate::kernel;
use crate::program::pump::{Pump, Pumps};
use crate::sync::lock;
use crate::trial::{InFlight, Stop, Trial, Verdict};

/// Bytes that are passed on at once.
const BUFFER: usize = 64 * 1024;

/// A wire. Dropping it cuts it.
#[derive(Debug)]
pub struct Wire {
    trial: Trial,
    /// Connecting here connects through the wire.
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

/// One of the two directions of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the program that connects, or asks, to the one that listens, or answers.
    Up,
    /// Back.
    Down,
}

/// What one connection has carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// What the program that connected has sent.
    pub up: Stretch,
    /// What the program that listens has sent.
    pub down: Stretch,
}

/// What one direction has carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// All bytes, in order.
    pub bytes: Vec<u8>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

#[derive(Debug)]
struct Inner {
    /// What the reader calls the program that connects, and the one that listens.
    names: [String; 2],
    to: SocketAddr,
    cut: Cut,
    pumps: Pumps,
    closing: AtomicBool,
    /// Whether a failure leaves out what it has carried.
    untold: AtomicBool,
    links: Mutex<Vec<Line>>,
    /// By direction: what holds back the bytes, and what their sender may send.
    gates: [Gate; 2],
    rates: Mutex<[Option<Arc<Rate>>; 2]>,
}

/// One connection through the wire: its two ends, and what it has carried.
#[derive(Debug)]
struct Line {
    ends: [TcpStream; 2],
    carried: Arc<Mutex<Carried>>,
}

impl Trial {
    /// A wire for the program `from` to the program `to`, which listens on `at`. Each piece of
    /// what comes is passed on in a segment of its own.
    pub fn wire(&self, from: &str, to: &str, at: SocketAddr, cut: Cut) -> Verdict<Wire> {
        let address = self.addresses().free_address();
        let listener = TcpListener::bind(address)
            .map_err(|error| Stop::Fault(format!("cannot listen on {address}: {error}")))?;
        let names = [from.to_owned(), to.to_owned()];
        let (pumps, closing, untold, links, gates, rates) = Default::default();
        let inner =
            Arc::new(Inner { names, to: at, cut, pumps, closing, untold, links, gates, rates });
        let (its, pump) = (Arc::clone(&inner), inner.pumps.another());
        thread::spawn(move || {
            pump.begin();
            its.accept(&listener);
            pump.end();
        });
        self.add_in_flight(Arc::clone(&inner) as Arc<dyn InFlight>);
        self.name(address, "the wire");
        let how = match cut {
            Cut::Whole => String::new(),
            _ => format!("; it passes on what comes{}", cut.describe().replace(',', "")),
        };
        self.note(format!("the harness lays a wire from {address} to {at}{how}"));
        Ok(Wire { trial: self.clone(), address, inner })
    }
}

impl InFlight for Inner {
    fn is_at_rest(&self) -> bool {
        self.pumps.are_at_rest()
    }

    fn tell(&self) -> Vec<String> {
        if self.untold.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let [from, to] = &self.names;
        let links = lock(&self.links);
        if links.is_empty() {
            return vec![format!("the wire has carried nothing: {from} has not connected")];
        }
        let tell = |link: &Line| {
            let Carried { up, down } = &*lock(&link.carried);
            [(from, to, up), (to, from, down)].map(|(from, to, stretch)| {
                format!("the wire has carried from {from} to {to}: {}", stretch.describe())
            })
        };
        links.iter().flat_map(tell).collect()
    }
}

impl Wire {
    /// What each connection has carried so far, in the order in which they were made.
    pub fn carried(&self) -> Vec<Carried> {
        lock(&self.inner.links).iter().map(|link| lock(&link.carried).clone()).collect()
    }

    /// Expects that one connection was made, that it has carried exactly these bytes up and down,
    /// and that both directions have ended in good order.
    pub fn expect_carried(&self, up: &[u8], down: &[u8]) -> Verdict {
        let carried = self.expect_carried_so_far(up, down)?;
        let [from, to] = &self.inner.names;
        for (who, stretch) in [(from, &carried.up), (to, &carried.down)] {
            if stretch.end != Some(End::Stream) {
                return Err(self
                    .trial
                    .fail(format!("{who} did not end the connection in good order"))
                    .expected("the end of the stream (FIN), after all bytes")
                    .seen(format!("the wire carried, from {who}: {}", stretch.describe()))
                    .cause(match stretch.end {
                        Some(_) => RESET,
                        None => HELD,
                    })
                    .stop());
            }
        }
        Ok(())
    }

    /// The same, of a connection that has not ended.
    pub fn expect_carried_so_far(&self, up: &[u8], down: &[u8]) -> Verdict<Carried> {
        let [from, to] = &self.inner.names;
        let [carried] = self.carried().try_into().map_err(|all: Vec<_>| {
            self.trial
                .fail(format!("{from} did not make one connection"))
                .expected(format!("one connection from {from} to {to}"))
                .seen(format!("{} connections", all.len()))
                .cause("one connection is for all that is sent and received")
                .stop()
        })?;
        for (who, expected, stretch) in [(from, up, &carried.up), (to, down, &carried.down)] {
            if stretch.bytes != expected {
                return Err(self
                    .trial
                    .fail(format!("{who} sent other bytes than it should have"))
                    .expected(format!("on the wire, from {who}: {}", describe_bytes(expected)))
                    .seen(format!("the wire carried, from {who}: {}", stretch.describe()))
                    .difference(expected, &stretch.bytes)
                    .cause(likely::cause(expected, &stretch.bytes))
                    .stop());
            }
        }
        self.trial.note(format!("the wire carried exactly what {from} and {to} had to say"));
        Ok(carried)
    }

    /// How many bytes each connection has carried so far, up and down, in the order in which the
    /// connections were made.
    pub fn counts(&self) -> Vec<[usize; 2]> {
        let carried = |link: &Line| {
            let carried = lock(&link.carried);
            [carried.up.bytes.len(), carried.down.bytes.len()]
        };
        lock(&self.inner.links).iter().map(carried).collect()
    }

    /// Leaves out of a failure what it has carried: the check tells it in words of its own.
    pub fn leave_untold(&self) {
        self.inner.untold.store(true, Ordering::SeqCst);
    }

    /// Holds back what is sent in this direction from now on. The wire still takes it from the
    /// sender, until its own buffer and the receiver's are full.
    pub fn hold(&self, way: Way) {
        self.inner.gates[way as usize].shut();
        self.trial.note(format!("the wire holds back what {} sends", self.inner.sender(way)));
    }

    /// Passes on what was held back, and all that comes after it.
    pub fn release(&self, way: Way) {
        self.trial.note(format!("the wire passes on what {} has sent", self.inner.sender(way)));
        self.inner.gates[way as usize].open();
    }

    /// Limits what the sender of this direction may send from now on. A rate that is given to
    /// several wires is shared by them: it is the sender's, and not the wire's.
    pub fn limit(&self, way: Way, rate: &Arc<Rate>) {
        lock(&self.inner.rates)[way as usize] = Some(Arc::clone(rate));
        let (sender, rate) = (self.inner.sender(way), rate.describe());
        self.trial.note(format!("the wire takes {rate} from {sender}"));
    }

    /// Cuts one connection through it, counted from 0 in the order in which they were made.
    pub fn cut_one(&self, number: usize) {
        if let Some(link) = lock(&self.inner.links).get(number) {
            link.cut();
            self.trial.note(format!("connection {} of the wire was cut", number + 1));
        }
    }

    /// Cuts all connections through it: both programs see the end of the other one.
    pub fn cut(&self) {
        self.inner.cut_links();
        self.trial.note("the wire was cut");
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.inner.closing.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts: nothing else can.
        drop(TcpStream::connect(self.address));
        self.inner.cut_links();
        self.inner.gates.iter().for_each(Gate::open);
    }
}

impl Inner {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for from in listener.incoming() {
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            // A caller that has gone again, or a program that does not listen any more: the
            // caller's connection is closed, which is what a refusal comes to on a wire.
            let Ok(from) = from else { continue };
            let Ok(to) = TcpStream::connect(self.to) else { continue };
            let _ = self.link(from, to);
        }
    }

    fn link(self: &Arc<Self>, from: TcpStream, to: TcpStream) -> std::io::Result<()> {
        from.set_nodelay(true)?;
        to.set_nodelay(true)?;
        let carried = Arc::new(Mutex::default());
        for (way, read, write) in [(Way::Up, &from, &to), (Way::Down, &to, &from)] {
            let (read, write) = (read.try_clone()?, write.try_clone()?);
            let (its, pump, carried) =
                (Arc::clone(self), self.pumps.another(), Arc::clone(&carried));
            thread::spawn(move || its.carry(&pump, (&read, &write), way, &carried));
        }
        lock(&self.links).push(Line { ends: [from, to], carried });
        // Cut while it was being made.
        if self.closing.load(Ordering::SeqCst) {
            self.cut_links();
        }
        Ok(())
    }

    fn cut_links(&self) {
        lock(&self.links).iter().for_each(Line::cut);
    }

    fn sender(&self, way: Way) -> &str {
        &self.names[way as usize]
    }

    /// Passes on one direction, until it ends.
    fn carry(
        &self,
        pump: &Pump,
        (mut read, mut write): (&TcpStream, &TcpStream),
        way: Way,
        carried: &Mutex<Carried>,
    ) {
        let cut = self.cut;
        pump.begin();
        let mut buffer = vec![0; BUFFER];
        let mut taken = true;
        let end = loop {
            let rate = lock(&self.rates)[way as usize].clone();
            let most = if rate.is_some() { PIECE } else { BUFFER };
            match read.read(&mut buffer[..most]) {
                Ok(0) => break End::Stream,
                Ok(count) => {
                    lock(carried).way(way).bytes.extend_from_slice(&buffer[..count]);
                    self.gates[way as usize].pass();
                    if let Some(rate) = rate {
                        rate.take(count, pump);
                    }
                    for piece in cut.pieces(&buffer[..count]) {
                        // A receiver that has gone: what else comes is recorded all the same.
                        let gone = write.write_all(piece).is_err();
                        // So that the next piece is a read of its own. A receiver that does not read
                        // is waited for once: what comes of it is for the check to judge.
                        if taken && cut != Cut::Whole {
                            taken = !gone && pump.wait(|| is_taken(write));
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break End::Reset,
            }
        };
        lock(carried).way(way).end = Some(end);
        self.gates[way as usize].pass();
        // After a reset nothing can come back either.
        let both = [Shutdown::Write, Shutdown::Both][usize::from(end == End::Reset)];
        let _ = write.shutdown(both);
        pump.end();
    }
}

impl Line {
    fn cut(&self) {
        for end in &self.ends {
            // One that has ended already is as good.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// Waits until the receiver has read all that was written, or for a long moment.
fn is_taken(write: &TcpStream) -> bool {
    const LOOKS: u32 = 20_000;
    let (Ok(here), Ok(there)) = (write.local_addr(), write.peer_addr()) else { return false };
    (0..LOOKS).any(|_| {
        thread::sleep(Duration::from_micros(20));
        kernel::unread(there, here).is_ok_and(|unread| unread == 0)
    })
}

impl Carried {
    fn way(&mut self, way: Way) -> &mut Stretch {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

impl Stretch {
    /// What it has carried, in words: `6 bytes: "hello\n", then the end of the stream (FIN)`.
    pub fn describe(&self) -> String {
        let bytes =
            if self.bytes.is_empty() { "nothing".to_owned() } else { describe_bytes(&self.bytes) };
        match self.end {
            None => format!("{bytes}, and no end yet"),
            Some(End::Stream) => format!("{bytes}, then the end of the stream (FIN)"),
            Some(End::Reset) => format!("{bytes}, then a reset (RST)"),
        }
    }
}

const RESET: &str = "a stream that is dropped while bytes are unread in its queue is reset: read to \
    the end of the stream before you drop it";
const HELD: &str = "the stream is still held somewhere (a clone, a list, a thread), or the end of the \
    other side's stream (read returns 0) went unnoticed";
