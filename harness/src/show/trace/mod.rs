//! Recording what really happens: the book shows nothing about sockets that was typed by hand.
//!
//! A [`Recording`] is a conversation in slow motion. The harness's own calls are hooks in
//! [`crate::net`]; after each the kernel's tables are looked at. While the
//! harness acts, the program is held still (SIGSTOP), so that what has arrived and was not dealt
//! with yet can be seen; then it goes on, and what it did is told by what has changed. Outside of
//! a recording the hooks do nothing.

mod act;
mod change;
mod datagrams;
mod json;
mod normal;
mod recorder;
mod run;
mod syscalls;
#[cfg(test)]
mod tests;
mod view;

pub use normal::{Ports, mask, normalise, undate};
use recorder::Recorder;
pub(crate) use run::record;

use std::net::SocketAddr;

use crate::lab::{Carried, Messages};

/// A recorded conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// What was recorded: the id of a check, or the name of a scene.
    pub id: String,
    /// It as a sentence.
    pub title: String,
    /// What happened, in order.
    pub steps: Vec<Event>,
    /// What the reader must know of the recording as a whole.
    pub notes: Vec<String>,
}

/// How a step is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The harness did it, or read it.
    Done,
    /// The kernel's tables show what came of it.
    Kernel,
    /// Nobody saw it; it follows from what was seen before and after.
    Inferred,
}

/// One step of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who did it: `client 1`, `server`.
    pub by: String,
    /// Whom it reaches, where it reaches somebody.
    pub to: Option<String>,
    /// The call: `write`.
    pub call: String,
    /// What it came to, in a few words: `6 bytes`.
    pub text: String,
    /// The bytes that went over the connection (at most [`SHOWN`] of them).
    pub bytes: Vec<u8>,
    /// How many there were in all.
    pub length: usize,
    /// What they mean, in the words of their protocol; empty where they are best quoted.
    pub meaning: String,
    /// Packets that must have gone over the wire, and that nobody has seen: `FIN`.
    pub packets: String,
    /// Whether it is a datagram that was dropped: its receiver had no room for it.
    pub lost: bool,
    /// How it is known.
    pub known: Known,
    /// The sockets after it; empty where nobody looked.
    pub sockets: Vec<Socket>,
    /// What each program was doing then: `server: main in accept`. Empty while it was held still.
    pub doing: Vec<String>,
    /// The system calls of the program since the step before, as strace shows them.
    pub calls: Vec<String>,
}

/// What stands for the state of a socket that has none.
pub const UDP: &str = "UDP";

/// Bytes that a step keeps: as many as the longest message has that the book takes apart, and a short
/// one behind it.
pub const SHOWN: usize = 74;

/// One socket at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Whose it is.
    pub who: String,
    /// Who is at the other end of a connection.
    pub with: Option<String>,
    /// Its own address.
    pub local: SocketAddr,
    /// The other end's, for a connection.
    pub remote: Option<SocketAddr>,
    /// Its state as in RFC 9293; `closed` where there is no such socket any more; [`UDP`].
    pub state: String,
    /// Bytes that have come and were not read; for a listener connections that wait for accept.
    /// Of datagrams the kernel does not say how many: 1 where there are any.
    pub unread: u32,
    /// Datagrams for it that were dropped.
    pub dropped: u64,
    /// Bytes sent that the other kernel has not acknowledged.
    pub unacknowledged: u32,
    /// Whether a process has it: one that waits for accept is the kernel's alone.
    pub held: bool,
}

impl Recording {
    /// The names of the programs that were started.
    pub fn programs(&self) -> Vec<String> {
        let starts = self.steps.iter().filter(|step| step.call == "start");
        starts.map(|step| step.by.clone()).collect()
    }

    /// Everybody who takes part, the harness's ends first.
    pub fn participants(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for step in &self.steps {
            for who in std::iter::once(&step.by).chain(&step.to) {
                if !all.contains(&who.as_str()) {
                    all.push(who);
                }
            }
        }
        all
    }
}

impl Recording {
    /// Says of each message what it means.
    pub fn explain(&mut self, messages: &Messages) {
        for step in self.steps.iter_mut().filter(|step| !step.bytes.is_empty()) {
            let carried = step.carried();
            step.meaning = (messages.describe)(&step.bytes, carried).unwrap_or_default();
        }
    }

    /// Makes alike what differs from run to run in its messages.
    pub fn make_alike(&mut self, messages: &Messages) {
        let is_datagram = |step: &&Event| step.to.is_some() && step.carried() == Carried::Datagram;
        let first = self.steps.iter().find(is_datagram).map(|first| first.bytes.clone());
        let first = first.unwrap_or_default();
        for step in self.steps.iter_mut().filter(|step| !step.bytes.is_empty()) {
            let carried = step.carried();
            (messages.alike)(&first, carried, &mut step.bytes);
        }
    }

    /// The messages that were sent, in order; of those that a call has carried whole.
    pub fn messages<'a>(&'a self, messages: &'a Messages) -> impl Iterator<Item = &'a Event> {
        let is_one = |step: &&Event| (messages.describe)(&step.bytes, step.carried()).is_some();
        self.steps.iter().filter(|step| step.to.is_some()).filter(is_one)
    }
}

impl Event {
    fn carried(&self) -> Carried {
        match self.call.as_str() {
            "send_to" | "recv_from" | "send" | "recv" => Carried::Datagram,
            _ => Carried::Stream(self.length),
        }
    }
}

impl Socket {
    /// The same when there is no such socket any more.
    fn closed(self) -> Self {
        Self { state: "closed".into(), unread: 0, unacknowledged: 0, held: false, ..self }
    }

    /// Its state and queues: `ESTABLISHED, 6 unread`.
    pub fn describe(&self) -> String {
        if self.state == UDP {
            return datagrams::describe(self);
        }
        let Self { state, unread, unacknowledged, .. } = self;
        if self.remote.is_none() {
            return match unread {
                0 => format!("{state}, nobody waits"),
                1 => format!("{state}, 1 waits for accept"),
                n => format!("{state}, {n} wait for accept"),
            };
        }
        let mut text = state.clone();
        // A FIN that nobody has read counts 1 in the kernel's table.
        match (state.as_str(), unread) {
            (_, 0) => {}
            ("CLOSE-WAIT", 1) => text += ", the end unread",
            ("CLOSE-WAIT", n) => text += &format!(", {} and the end unread", n - 1),
            (_, n) => text += &format!(", {n} unread"),
        }
        if *unacknowledged > 0 {
            text += &format!(", {unacknowledged} not acknowledged");
        }
        if !self.held && state == "ESTABLISHED" {
            text += ", not accepted yet";
        }
        text
    }
}
