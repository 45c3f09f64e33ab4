//! Who is server, and who is client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::Demo;
use super::stage::{Mismatch, Stage, bytes, success};
use crate::kernel::{self, Process, State};

pub(super) const SERVER_IS_A_MACHINE: Demo = Demo {
    name: "server-is-a-machine",
    claim: "A server is a machine, and a client is another one.",
    truth: "Server and client are roles of programs, for one connection. One machine has many \
        servers; one program can be a server, and a client of another server, at the same time.",
    run: server_is_a_machine,
};

fn server_is_a_machine(t: &mut Stage) -> Result<(), Mismatch> {
    let (mail, web) = (t.listen()?, t.listen()?);
    let client = TcpStream::connect(web.local_addr()?);
    t.expect("the same program connects to its own second listener", success(&client), "Ok")?;
    let accepted = web.accept();
    t.expect("the same program accepts", success(&accepted), "Ok")?;
    let states = own_states()?;
    t.expect(
        "the sockets of this one process, as the kernel shows them",
        states.join(", "),
        "LISTEN, LISTEN, ESTABLISHED, ESTABLISHED",
    )?;
    drop(mail);
    Ok(())
}

/// The states of this process's TCP sockets, listeners first.
fn own_states() -> io::Result<Vec<String>> {
    let me = Process::read(std::process::id());
    let own: Vec<_> = me.iter().flat_map(Process::sockets).collect();
    let rows = kernel::socket_table()?.into_iter();
    let mut states: Vec<_> = rows
        .filter(|row| own.contains(&row.inode) && row.table.is_tcp())
        .map(|row| row.state)
        .collect();
    states.sort_by_key(|state| *state != State::Listen);
    Ok(states.iter().map(State::to_string).collect())
}

pub(super) const ONE_REQUEST_A_CONNECTION: Demo = Demo {
    name: "one-request-a-connection",
    claim: "A connection is one request and one answer.",
    truth: "A connection is two streams of bytes, one in each direction, for as long as both sides \
        keep them open. How many requests go over it is for the protocol to say.",
    run: one_request_a_connection,
};

fn one_request_a_connection(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let mut buffer = [0; 16];
    for (request, answer) in [("one?", "1"), ("two?", "2"), ("three?", "3")] {
        pair.client.write_all(request.as_bytes())?;
        let read = pair.server.read(&mut buffer);
        t.expect(
            format!("the client writes {request:?}; the server reads"),
            bytes(&read, &buffer),
            format!("Ok({}) {request:?}", request.len()),
        )?;
        pair.server.write_all(answer.as_bytes())?;
        let read = pair.client.read(&mut buffer);
        t.expect(
            format!("the server writes {answer:?}; the client reads"),
            bytes(&read, &buffer),
            format!("Ok({}) {answer:?}", answer.len()),
        )?;
    }
    t.tell("the connection after three requests");
    t.kernel(pair.server.local_addr()?, pair.client.local_addr()?, "ESTABLISHED")?;
    pair.listener.set_nonblocking(true)?;
    let more = pair.listener.accept();
    t.expect("is there another connection to accept?", success(&more), "Err(WouldBlock)")
}

pub(super) const PEERS_HAVE_NO_SERVERS: Demo = Demo {
    name: "peers-have-no-servers",
    claim: "Peer to peer means that there are no servers.",
    truth: "It means that every peer is one. Each connection has a side that dialled (its client) \
        and a side that accepted (its server); a peer is the one for some connections, and the \
        other for others.",
    run: peers_have_no_servers,
};

fn peers_have_no_servers(t: &mut Stage) -> Result<(), Mismatch> {
    let (ann, bob) = (t.address(), t.address());
    let (at_ann, at_bob) = (TcpListener::bind(ann)?, TcpListener::bind(bob)?);
    t.tell(format!("ann listens on {ann}, bob on {bob}"));
    let to_ann = TcpStream::connect(ann);
    t.expect("bob dials ann", success(&to_ann), "Ok")?;
    let to_ann = to_ann?;
    let (from_bob, _) = at_ann.accept()?;
    let to_bob = TcpStream::connect(bob);
    t.expect("carl dials bob", success(&to_bob), "Ok")?;
    let (from_carl, _) = at_bob.accept()?;
    for (who, stream, role) in [
        ("bob, to ann", &to_ann, "client"),
        ("bob, to carl", &from_carl, "server"),
        ("ann, to bob", &from_bob, "server"),
    ] {
        t.expect(format!("{who}: local_addr"), as_role(stream.local_addr()?, &[ann, bob]), role)?;
    }
    drop(to_bob);
    Ok(())
}

/// A connection whose local address is a listener's was accepted there.
fn as_role(local: SocketAddr, listeners: &[SocketAddr]) -> &'static str {
    if listeners.contains(&local) { "server" } else { "client" }
}

pub(super) const SOURCE_PORT_IS_THE_PEER: Demo = Demo {
    name: "source-port-is-the-peer",
    claim: "The address that a connection comes from is the peer's: call it back there.",
    truth: "The source port is an ephemeral one, chosen by the caller's kernel for this connection. \
        Nobody listens there, and the next connection has another. A peer has to say where it \
        listens.",
    run: source_port_is_the_peer,
};

fn source_port_is_the_peer(t: &mut Stage) -> Result<(), Mismatch> {
    let (ann, bob) = (t.address(), t.address());
    let (at_ann, _at_bob) = (TcpListener::bind(ann)?, TcpListener::bind(bob)?);
    t.tell(format!("ann listens on {ann}, bob on {bob}"));
    let first = TcpStream::connect(ann)?;
    let (_, from) = at_ann.accept()?;
    t.tell("bob dials ann; the address that accept gives to ann");
    t.show_if(
        from.to_string(),
        from == first.local_addr()? && from.port() != bob.port(),
        "a port that is not bob's own",
    )?;
    let back = TcpStream::connect(from);
    t.expect(format!("ann dials {from}"), success(&back), "Err(ConnectionRefused)")?;
    let second = TcpStream::connect(ann)?;
    let (_, from_again) = at_ann.accept()?;
    t.tell("bob dials ann once more; the address that accept gives to ann");
    t.show_if(from_again.to_string(), from_again != from, "another port")?;
    let back = TcpStream::connect(bob);
    t.expect(format!("ann dials {bob}, where bob listens"), success(&back), "Ok")?;
    drop(second);
    Ok(())
}
