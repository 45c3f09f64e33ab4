//! Driving a program: the harness's own end of a conversation.
//!
//! Every verb notes what it did in the trial's story, waits only for a state of the kernel, and
//! ends the check by itself when the program does not do its part.

pub(crate) mod causes;
mod connection;
mod console;
mod datagrams;
mod doors;
mod expect;
mod flow;
pub(crate) mod likely;
mod lines;
mod listener;
mod lossy_wire;
mod messages;
mod pace;
mod pattern;
mod payload;
mod queue;
mod rest;
mod service;
mod started;
mod terms;
mod tries;
mod unanswered;
mod wire;

use std::net::SocketAddr;

use crate::words::{count, summary};

pub use connection::{Connection, End};
pub(crate) use connection::{Got, Put, Stopped};
pub use console::Console;
pub use datagrams::{Answerer, Asker, Datagram, Words};
pub use doors::{Door, Doors, Transport};
pub use flow::Rate;
pub use lines::{LineEnd, Lines};
pub use listener::Listener;
pub use lossy_wire::{Fate, LossyWire, Passage, Rule};
pub use pattern::Pattern;
pub use payload::{Cut, noise, pattern, text};
pub use service::Service;
pub use started::Started;
pub use terms::Terms;
pub use tries::{Moment, Tries};
pub(crate) use unanswered::Unanswered;
pub use wire::{Carried, Stretch, Way, Wire};

/// `127.0.0.1:7007 and [::1]:7007`.
pub(crate) fn describe_addresses(addresses: &[SocketAddr]) -> String {
    let texts: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    texts.join(" and ")
}

/// Bytes for a sentence: how many, and of a short payload the beginning.
pub(crate) fn describe_bytes(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=TOLD => summary(bytes, SHOWN),
        length => count(length),
    }
}

/// The longest payload that a sentence shows the beginning of, in bytes.
const TOLD: usize = 4096;
/// How much of it is shown, in bytes.
const SHOWN: usize = 40;
