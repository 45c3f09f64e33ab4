//! The student's balancer before servers of the student's, and alone.

use std::net::SocketAddr;
use std::rc::Rc;

use super::dial::DOWN;
use super::pair::stream;
use super::program::Balance;
use super::{CARRIES, LAB};
use crate::net::{Service, noise};
use crate::program::{Given, Stdin};
use crate::trial::{Trial, Verdict};

/// A balancer that listens on `address`, before these servers; the reader calls it `called`.
pub(in crate::labs) fn balancer(
    t: &Trial,
    called: &str,
    address: SocketAddr,
    servers: &[SocketAddr],
) -> Verdict<Service> {
    let given = Given::address(address).with_all("backends", servers);
    // The end of its standard input would be its own end.
    let running = t.start_as(called, LAB.name, given, Stdin::Piped)?;
    Ok(t.listening(Rc::clone(&running), address)?.owing(&CARRIES))
}

/// A balancer alone: the harness is its clients, and the servers behind it, of which one dies.
pub(in crate::labs) fn outlives_a_server(t: &Trial) -> Verdict {
    let mut balance = Balance::before(t, 2)?;
    for seed in 0..2 {
        let mut pair = balance.serves()?;
        pair.exchanges()?;
        // As a page would come: bytes, and more of them than are read at once.
        stream(&pair.server, &pair.client, &noise(seed, 100_000))?;
        pair.ends(&balance)?;
    }
    balance.backend(1).dies();
    for _ in 0..2 {
        let mut pair = balance.serves_at(2, "the one that has died is passed over")?;
        pair.exchanges()?;
        pair.client.half_close()?;
        pair.server.expect_end()?;
        pair.server.half_close()?;
        pair.client.expect_end()?;
    }
    balance.expect("down", 1, DOWN)
}
