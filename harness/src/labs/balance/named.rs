//! Backends that the command line has by name, and over IPv6.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use super::pair::Pair;
use super::program::{Backend, Balance, Is};
use crate::trial::{Trial, Verdict};

/// A backend over IPv6 is dialled; nothing is asked where there is no IPv6.
pub(super) fn dials_over_ipv6(t: &Trial) -> Verdict {
    let Some(address) = t.addresses().free_address_v6() else { return Ok(()) };
    let backend = Backend::at(t, "backend 1".into(), address, address.to_string(), Is::Alive)?;
    let balance = Balance::start_before(t, vec![backend], OVER_IPV6, |given| given)?;
    let _client = balance.service.connect()?;
    balance.dials(OVER_IPV6).map(drop)
}

const OVER_IPV6: &str = "a BACKEND is IPv4, [IPv6] or a name, too, and a socket connects to addresses of its own family only: \
    it is made for the address that the backend has";

/// A backend that has a name is dialled at one of its addresses, and called by that name ever after.
pub(super) fn dials_a_name(t: &Trial) -> Verdict {
    let Some(mut balance) = before_localhost(t)? else { return Ok(()) };
    let client = balance.service.connect()?;
    let (number, server) = balance.dials(NAMED)?;
    balance.types("drain", number);
    balance.expect("draining", number, AS_TYPED)?;
    Pair { client, server, number }.ends(&balance)?;
    balance.expect("drained", number, AS_TYPED)?;
    balance.types("undrain", number);
    balance.expect("undrained", number, AS_TYPED)?;
    balance.backend(number).dies();
    let client = balance.service.connect()?;
    balance.rest()?;
    let Some((other, _taken)) = balance.take_now()? else { return Ok(()) };
    let [backend, other] = [number, other].map(|number| balance.address_of(number));
    Err(t
        .fail(format!("{} was given to another address of its backend's name", client.name()))
        .expected(format!("no connection: the only backend is {backend}, which refuses"))
        .seen(format!("a connection to {other}"))
        .cause(ONE)
        .stop())
}

const NAMED: &str = "a BACKEND is IPv4, [IPv6] or a name, too: it is looked up once, at the start, and the first address \
    that it has is the backend's";
const AS_TYPED: &str = "events and commands have a backend as it was typed on the command line; the address that its name \
    has is for connect alone";
const ONE: &str = "a BACKEND is one address, the first that its name has at the start. Where the name itself is handed to \
    connect it is looked up for each client, and all of its addresses are tried";

/// A balancer before one backend, `localhost`: each address that this has is one of the harness's.
fn before_localhost(t: &Trial) -> Verdict<Option<Balance>> {
    let Some(addresses) = localhost(t)? else { return Ok(None) };
    let backend = |address: &SocketAddr| {
        let given = format!("localhost:{}", address.port());
        Backend::at(t, format!("the backend at {}", address.ip()), *address, given, Is::Alive)
    };
    let backends = addresses.iter().map(backend).collect::<Verdict<_>>()?;
    Balance::start_before(t, backends, NAMED, |given| given).map(Some)
}

/// Ports that are looked at, until one is free on all addresses.
const TRIES: usize = 20;

/// The addresses of `localhost` here, with a port that is free on all of them. Nothing where one of
/// them is no address of this machine, as where a system without IPv6 has the name all the same.
fn localhost(t: &Trial) -> Verdict<Option<Vec<SocketAddr>>> {
    for _ in 0..TRIES {
        let port = t.addresses().free_localhost()?.port();
        let Ok(addresses) = ("localhost", port).to_socket_addrs() else { break };
        let mut addresses: Vec<_> = addresses.collect();
        addresses.dedup();
        if addresses.iter().any(|address| TcpListener::bind((address.ip(), 0)).is_err()) {
            break;
        }
        if addresses.iter().all(|address| TcpListener::bind(address).is_ok()) {
            return Ok(Some(addresses));
        }
    }
    Ok(None)
}
