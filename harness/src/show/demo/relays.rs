//! A program in the middle of a connection: what it passes on, what it does not, and what it costs.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, Stage, bytes, outcome};
use crate::kernel::{self, State};

/// A client's connection and the one that a balancer has made for it: all four ends.
struct Relayed {
    client: TcpStream,
    accepted: TcpStream,
    dialled: TcpStream,
    server: TcpStream,
}

impl Relayed {
    fn new(balancer: &TcpListener, server: &TcpListener) -> io::Result<Self> {
        let client = TcpStream::connect(balancer.local_addr()?)?;
        let (accepted, _) = balancer.accept()?;
        let dialled = TcpStream::connect(server.local_addr()?)?;
        let (server, _) = server.accept()?;
        Ok(Self { client, accepted, dialled, server })
    }

    /// The balancer passes on what has come from the client.
    fn pass_up(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64];
        let count = self.accepted.read(&mut buffer)?;
        self.dialled.write_all(&buffer[..count])?;
        Ok(count)
    }

    /// The balancer passes on what has come from the server.
    fn pass_down(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64];
        let count = self.dialled.read(&mut buffer)?;
        self.accepted.write_all(&buffer[..count])?;
        Ok(count)
    }
}

fn listeners(t: &Stage) -> io::Result<[TcpListener; 2]> {
    Ok([TcpListener::bind(t.address())?, TcpListener::bind(t.address())?])
}

pub(super) const SEES_THE_CLIENT: Demo = Demo {
    name: "sees-the-client",
    claim: "The server sees the client's address.",
    truth: "The server's connection was started by the balancer, so its other end is the balancer's: the same \
        host for all clients, and a port that says nothing. Where the server has to know the client, the \
        balancer must tell it, as a part of what is sent.",
    run: sees_the_client,
};

fn sees_the_client(t: &mut Stage) -> Result<(), Mismatch> {
    let [balancer, listener] = listeners(t)?;
    let relayed = Relayed::new(&balancer, &listener)?;
    let (own, dialled) = (relayed.client.local_addr()?, relayed.dialled.local_addr()?);
    t.tell(format!("a client, {own}, connects to a balancer, and that to a server"));
    let peer = |of: &TcpStream| -> io::Result<String> { Ok(of.peer_addr()?.to_string()) };
    let seen = peer(&relayed.accepted)?;
    t.expect("the balancer asks for the other end of what it has accepted", seen, own.to_string())?;
    let seen = peer(&relayed.server)?;
    t.expect(
        "the server asks for the other end of what it has accepted",
        seen,
        dialled.to_string(),
    )?;
    let seen = peer(&relayed.client)?;
    let front = balancer.local_addr()?.to_string();
    t.expect("the client asks for the other end of its connection", seen, front)
}

pub(super) const END_PASSES: Demo = Demo {
    name: "end-passes",
    claim: "When the client ends its sending side, the server notices, whatever is in between.",
    truth: "A FIN ends one connection, and here are two. The one in the middle reads it as an end, and has to \
        end its own sending side towards the server: that direction, and no other. Otherwise the server waits for ever for \
        the rest of the request; and if both directions are closed, its answer is lost.",
    run: end_passes,
};

/// How long a server waits that has not been told.
const LIMIT: Duration = Duration::from_millis(100);

fn end_passes(t: &mut Stage) -> Result<(), Mismatch> {
    let [balancer, listener] = listeners(t)?;
    let mut buffer = [0; 64];
    let mut one = asked(t, &balancer, &listener)?;
    one.server.set_read_timeout(Some(LIMIT))?;
    let read = one.server.read(&mut buffer);
    t.expect(
        "the balancer passes on bytes, and nothing else; the server reads, with a time-out of 100 ms",
        outcome(&read),
        "Err(WouldBlock)",
    )?;
    let ends = |stream: &TcpStream| -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((stream.local_addr()?, stream.peer_addr()?))
    };
    let (local, remote) = ends(&one.accepted)?;
    t.kernel(local, remote, "CLOSE-WAIT")?;
    let (local, remote) = ends(&one.server)?;
    t.kernel(local, remote, "ESTABLISHED")?;

    one.dialled.shutdown(Shutdown::Write)?;
    one.server.set_read_timeout(None)?;
    let read = one.server.read(&mut buffer);
    t.expect("it ends its sending side towards the server, which reads", outcome(&read), "Ok(0)")?;
    one.server.write_all(b"3 lines")?;
    one.pass_down()?;
    let read = one.client.read(&mut buffer);
    t.expect(
        "the server answers, and the balancer passes that on; the client reads",
        bytes(&read, &buffer),
        r#"Ok(7) "3 lines""#,
    )?;

    let mut other = asked(t, &balancer, &listener)?;
    other.accepted.shutdown(Shutdown::Both)?;
    other.dialled.shutdown(Shutdown::Both)?;
    let read = other.server.read(&mut buffer);
    let _ = other.server.write_all(b"3 lines");
    t.expect("this balancer closes both sides at once; the server reads", outcome(&read), "Ok(0)")?;
    let read = other.client.read(&mut buffer);
    t.expect("it answers; the client reads", outcome(&read), "Ok(0)")
}

/// A client that has asked and ended its sending side; the balancer has passed on the bytes, and read the
/// end.
fn asked(
    t: &mut Stage,
    balancer: &TcpListener,
    listener: &TcpListener,
) -> Result<Relayed, Mismatch> {
    let mut relayed = Relayed::new(balancer, listener)?;
    relayed.client.write_all(b"a\nb\nc\n")?;
    relayed.client.shutdown(Shutdown::Write)?;
    relayed.pass_up()?;
    let mut buffer = [0; 64];
    let came = relayed.server.read(&mut buffer);
    t.expect(
        "a client sends 6 bytes through a balancer, and ends its sending side; the server reads",
        bytes(&came, &buffer),
        r#"Ok(6) "a\nb\nc\n""#,
    )?;
    let read = relayed.accepted.read(&mut buffer);
    t.expect("the balancer reads the client's end", outcome(&read), "Ok(0)")?;
    Ok(relayed)
}

pub(super) const ONE_SOCKET: Demo = Demo {
    name: "one-socket-a-client",
    claim: "A balancer needs one socket for each client.",
    truth: "Two: one to the client, and one to a server. Whoever clones both, to have one for each direction, \
        needs four descriptors for two sockets, and reaches the limit of a process with half as many clients. And each connection to a \
        server needs a port of the balancer's own, of which there are some 28,000 for each server.",
    run: one_socket,
};

fn one_socket(t: &mut Stage) -> Result<(), Mismatch> {
    const COUNT: usize = 10;
    let [balancer, listener] = listeners(t)?;
    let told = |count: usize| format!("{count} descriptors");
    let (mut ends, mut own) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        let Relayed { client, accepted, dialled, server } = Relayed::new(&balancer, &listener)?;
        ends.push((client, server));
        own.push((accepted, dialled));
    }
    // What the clients and the servers have is not the balancer's.
    let sockets = sockets_between(balancer.local_addr()?, listener.local_addr()?)?;
    t.expect(
        "10 clients connect to a balancer, which dials a server for each; its sockets have",
        told(descriptors(&sockets)?),
        told(2 * COUNT),
    )?;
    let mut ports: Vec<u16> =
        ends.iter().map(|(_, server)| Ok(server.peer_addr()?.port())).collect::<io::Result<_>>()?;
    ports.sort_unstable();
    ports.dedup();
    let told_ports = |count: usize| format!("{count} different ports");
    t.expect(
        "the server looks at the other ends of its 10 connections",
        told_ports(ports.len()),
        told_ports(COUNT),
    )?;
    let mut clones = Vec::new();
    for (accepted, dialled) in &own {
        clones.push((accepted.try_clone()?, dialled.try_clone()?));
    }
    t.expect(
        "it clones both sockets of each client, one for each direction; the same sockets have",
        told(descriptors(&sockets)?),
        told(4 * COUNT),
    )
}

/// What the links of descriptors to the balancer's connections say: those that it has accepted, and
/// those to the server that it has dialled.
fn sockets_between(balancer: SocketAddr, server: SocketAddr) -> io::Result<Vec<String>> {
    let rows = kernel::socket_table()?.into_iter();
    let own = rows
        .filter(|row| row.state == State::Established)
        .filter(|row| row.local == balancer || row.remote == server);
    Ok(own.map(|row| format!("socket:[{}]", row.inode)).collect())
}

/// How many descriptors this process has of these.
fn descriptors(sockets: &[String]) -> io::Result<usize> {
    let all = fs::read_dir("/proc/self/fd")?.flatten();
    // One that is gone by now is none of these.
    let links = all.filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(links.filter(|link| sockets.iter().any(|one| Path::new(one) == link)).count())
}
