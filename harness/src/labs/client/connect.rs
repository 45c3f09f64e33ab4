//! Step 1 of lab 2: `connect`.

use crate::program::Given;
use crate::trial::{Stop, Trial, Verdict};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

checks! { $ client_connect, "client" step 1:
    connects, 3 points: "connects to the address that it was given";
    "The client connects to ADDR: 127.0.0.1:7007 is that address and that port."

    connects_once, 2 points: "makes one connection, not more";
    "One connection for all that is sent and received: each connect is a new one for the server."

    connects_on_ipv6, 2 points: "connects to an IPv6 address";
    "ADDR is HOST:PORT, where HOST is IPv4, [IPv6] or a name."

    connects_to_a_name, 2 points: "connects to a name: localhost";
    "A name is resolved to its addresses; the client connects to one of them."

    tries_every_address, 2 points: "tries every address of a name";
    "A name can have several addresses. Each is tried in turn, until one works (RFC 1123 section 2.3)."

    tells_when_refused, 3 points: "says in one line that it was refused";
    "Where nobody listens connect fails with ConnectionRefused: one line on stderr that names the address, exit status 1."

    refuses_bad_arguments, 2 points: "survives bad arguments without a panic";
    "Missing or surplus arguments: exit status 2. No such name, no such port: one line on stderr. Never a panic."
}

fn connects(t: &mut Trial) -> Verdict {
    t.conversation().map(drop)
}

fn connects_once(t: &mut Trial) -> Verdict {
    let listener = t.listen()?;
    let client = t.client(Given::address(listener.address()))?;
    let _server = client.connects(&listener)?;
    client.connects_no_more(&listener)
}

fn connects_on_ipv6(t: &mut Trial) -> Verdict {
    let Some(address) = t.addresses().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let listener = t.listen_on(&[address])?;
    let client = t.client(Given::address(address))?;
    client.connects(&listener).map(drop)
}

fn connects_to_a_name(t: &mut Trial) -> Verdict {
    let addresses = localhost(t)?;
    let listener = t.listen_on(&addresses)?;
    let client = t.client(Given::text(&format!("localhost:{}", addresses[0].port())))?;
    let _server = client.connects(&listener)?;
    client.connects_no_more(&listener)
}

fn tries_every_address(t: &mut Trial) -> Verdict {
    let addresses = localhost(t)?;
    if addresses.len() < 2 {
        let why = format!(
            "the only name that every system has, localhost, is {} here and nothing else",
            addresses[0].ip()
        );
        return Err(Stop::Skip(why));
    }
    for address in &addresses {
        let others = addresses.iter().filter(|other| *other != address);
        let others: Vec<_> = others.map(|other| other.ip().to_string()).collect();
        let listener = t.listen_on(&[*address])?;
        t.note(format!("localhost is {}, too, where nobody listens", others.join(" and ")));
        let client = t.client(Given::text(&format!("localhost:{}", address.port())))?;
        let _server = listener.accept(&client.running, ONE_ADDRESS)?;
        client.running.program.stop()?;
    }
    Ok(())
}

const ONE_ADDRESS: &str = "one address was tried, and no other: TcpStream::connect tries each that \
    a name has when it is given the name, and only one when it is given a SocketAddr";

fn tells_when_refused(t: &mut Trial) -> Verdict {
    let address = t.addresses().free_address();
    t.note(format!("nobody listens on {address}"));
    let client = t.client(Given::address(address))?;
    client.expect_failure(
        &address.to_string(),
        "connect says Connection refused at once: return that error, and stop trying",
    )
}

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let address = t.conversation()?.1.here();
    for (given, what, statuses) in [
        (Given::nothing(), "no argument", &[2][..]),
        (Given::address(address).surplus(), "one argument too many", &[2]),
        (Given::text("nonsense"), "an address without a port", &[1, 2]),
        (Given::text("127.0.0.1:99999"), "a port that does not exist", &[1, 2]),
        (Given::text("no-such-host.invalid:7007"), "a name that does not exist", &[1, 2]),
    ] {
        let client = t.client(given)?;
        let line = format!("given {what}, one line on standard error, and the end");
        let status = client.expect_end(&line, "what can't work is not to be tried again")?;
        client.expect_no_panic()?;
        let why = "return the error (`?`) instead of unwrapping it: main reports it in one line";
        client.expect_one_line(status, statuses, "", why)?;
    }
    Ok(())
}

/// The addresses of `localhost`, with a port that is free on each of them.
fn localhost(t: &Trial) -> Verdict<Vec<SocketAddr>> {
    let resolved = |port: u16| -> Verdict<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = match ("localhost", port).to_socket_addrs() {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                return Err(Stop::Skip(format!("localhost has no address here: {error}")));
            }
        };
        // One that can't be bound is none: a system without IPv6 may still have its name.
        addresses.retain(|address| TcpListener::bind((address.ip(), 0)).is_ok());
        addresses.dedup();
        Ok(addresses)
    };
    if resolved(0)?.is_empty() {
        return Err(Stop::Skip("no address of localhost can be bound here".into()));
    }
    for _ in 0..20 {
        let addresses = resolved(t.addresses().free_address().port())?;
        if addresses.iter().all(|address| TcpListener::bind(address).is_ok()) {
            return Ok(addresses);
        }
    }
    Err(Stop::Fault("no port is free on all addresses of localhost".into()))
}
