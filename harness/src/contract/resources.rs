//! Sockets, threads and descriptors: nothing of a client stays, and a shortage is survived.

use super::Listens;
use crate::trial::{Trial, Verdict};

pub(crate) fn closes_what_has_ended(t: &Trial, of: &Listens) -> Verdict {
    let service = of.start(t)?;
    let client = service.connect()?;
    service.wait_until_accepted()?;
    client.close();
    service.expect_no_connection(
        &format!("the {} keeps the socket of a client that has gone", of.called),
        "a stream is closed when it is dropped; one that is stored, forgotten or cloned stays open",
    )?;
    // A program that has ended holds no socket either.
    service.settle().map(drop)
}

pub(crate) fn keeps_nothing_of_many_clients(t: &Trial, of: &Listens) -> Verdict {
    let service = of.start(t)?;
    service.expect_no_growth("clients", || {
        let clients = service.connect_some(10)?;
        let count = clients.len();
        drop(clients);
        service.wait_until_accepted()?;
        Ok(count)
    })
}

pub(crate) fn survives_few_descriptors(t: &Trial, of: &Listens) -> Verdict {
    of.start(t)?.expect_to_outlast_few_descriptors()
}
