//! Where it listens: on the address that it was given, and nowhere else.

use super::Listens;
use super::ready::{ready_line, why_not_ready};
use crate::kernel::Snapshot;
use crate::net::Service;
use crate::trial::{FailureBuilder, Stop, Trial, Verdict};
use crate::words::quote_short;

pub(crate) fn listens_on_the_given_address(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let service = of.start(t)?;
    let listeners = local_addresses(&service.settle()?);
    if listeners.contains(&service.asked.to_string()) {
        return Ok(());
    }
    let port = format!(":{}", service.asked.port());
    let cause = if listeners.iter().any(|at| at.ends_with(&port)) {
        "the port is right and the host is not: bind exactly the address that was given"
    } else {
        "the port is hard-coded, or the address that was given is not used"
    };
    Err(t
        .fail(format!("the {} listens somewhere else", of.called))
        .expected(format!("a listening socket on {}", service.asked))
        .seen(format!("listening on {}", listeners.join(" and ")))
        .cause(cause)
        .stop())
}

pub(crate) fn binds_no_wider(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let service = of.start(t)?;
    let snapshot = service.settle()?;
    let called = of.called;
    let wide = snapshot.listeners().into_iter().find(|row| row.local.ip().is_unspecified());
    match wide {
        None if service.asked.ip() == service.address.ip() => Ok(()),
        None => Err(t
            .fail(format!("the {called} is bound to another address"))
            .expected(format!("bound to {}", service.asked.ip()))
            .seen(format!("bound to {}", service.address.ip()))
            .stop()),
        Some(row) => Err(t
            .fail(format!("the {called} is open to the whole network"))
            .expected(format!("bound to {} alone", service.asked.ip()))
            .seen(format!("bound to {}: every address of this machine", row.local.ip()))
            .cause(format!(
                "0.0.0.0 and [::] mean all addresses: whoever reaches this machine reaches the \
                 {called}; bind exactly the address that was given"
            ))
            .stop()),
    }
}

pub(crate) fn has_only_its_listeners(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let service = of.start(t)?;
    let snapshot = service.settle()?;
    let sockets = snapshot.own_rows();
    let streams = sockets.iter().filter(|row| row.table.is_tcp()).count();
    let doubled = snapshot.doubled_socket();
    let unlisted = unlisted_sockets(&service, &snapshot)?;
    let counted = (streams, sockets.len() - streams) == of.sockets && doubled.is_none();
    if counted && unlisted.is_empty() {
        return Ok(());
    }
    let mut blame = match of.sockets {
        (1, 0) => t
            .fail(format!("the {} has other sockets besides its listener", of.called))
            .expected("one socket: the TCP listener"),
        (streams, datagrams) => t
            .fail(format!("the {} does not have exactly the sockets that it needs", of.called))
            .expected(format!("TCP listeners: {streams}; UDP sockets: {datagrams}")),
    };
    for row in &sockets {
        let kind = if row.table.is_tcp() { "TCP" } else { "UDP" };
        blame = blame.seen(format!("{kind} {} {}", row.local, row.state));
    }
    if let Some(row) = doubled {
        blame = blame.seen(format!("two descriptors of the socket {} {}", row.local, row.state));
    }
    blame = unlisted.into_iter().fold(blame, FailureBuilder::seen);
    Err(blame
        .cause(if counted {
            "the listener is all that it needs: accept makes the socket of each client by itself"
        } else {
            "bind and listen once; a second socket that is never used still takes its port"
        })
        .stop())
}

/// What stands in no table of TCP and UDP, in words. A runtime may just be asking the system for
/// something, by a socket that it closes at once: only what is still there at a second look counts.
fn unlisted_sockets(service: &Service, first: &Snapshot) -> Verdict<Vec<String>> {
    let mut unlisted = first.unlisted_sockets()?;
    if !unlisted.is_empty() {
        let again = service.settle()?.unlisted_sockets()?;
        unlisted.retain(|inode, _| again.contains_key(inode));
    }
    Ok(unlisted.into_values().collect())
}

pub(crate) fn listens_on_ipv6(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let Some(address) = t.addresses().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let service = of.start_or(t, &address.to_string(), address, AS_IT_IS)?;
    // At rest it has bound all that it will: of two doors the second one comes behind the first.
    let listeners = local_addresses(&service.settle()?);
    if listeners.len() == of.sockets.0 && listeners.contains(&address.to_string()) {
        return Ok(());
    }
    Err(t
        .fail(format!("the {} does not listen on the IPv6 address", of.called))
        .expected(format!("a listening socket on {address}"))
        .seen(format!("listening on {}", listeners.join(" and ")))
        .cause(AS_IT_IS)
        .stop())
}

const AS_IT_IS: &str = "give the text to bind as it is: it knows IPv4, [IPv6] and names";

pub(crate) fn listens_on_a_name(t: &Trial, of: &Listens) -> Verdict {
    t.needs_watching()?;
    let address = t.addresses().free_localhost()?;
    let text = format!("localhost:{}", address.port());
    let service = of.start_or(t, &text, address, AS_IT_IS)?;
    let bound = service.bound()?;
    let right_port = bound.port() == address.port();
    let expected = format!("listening on {bound}\n");
    let stdout = ready_line(t, &service)?;
    if bound.ip().is_loopback() && right_port && stdout == expected.as_bytes() {
        return Ok(());
    }
    Err(t
        .fail(format!("the {} does not listen where the name says", of.called))
        .expected(format!("a listening socket on a loopback address, port {}", address.port()))
        .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
        .seen(format!("listening on {bound}"))
        .seen(format!("on standard output: {}", quote_short(&stdout, 60)))
        .cause(why_not_ready(&stdout, &expected))
        .stop())
}

fn local_addresses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.listeners().iter().map(|row| row.local.to_string()).collect()
}
