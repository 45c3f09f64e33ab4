//! What a question costs the network.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::datagrams::server_and_client;
use super::stage::{Mismatch, Stage, about, row, wait_for};
use super::{Demo, NOT_SHOWN};
use crate::kernel::{Loopback, State, loopback};

pub(super) const TCP_COSTS_NO_MORE: Demo = Demo {
    name: "tcp-costs-no-more",
    claim: "The question is the same, so over TCP it costs no more than over UDP.",
    truth: "A datagram there and one back is all of it. A connection has to be made before it, and \
        ended behind it, and what arrives is acknowledged. For a file that is nothing. For a question \
        of 34 bytes it is most of what is sent.",
    run: tcp_costs_no_more,
};

const QUESTION: [u8; 34] = [1; 34];
const ANSWER: [u8; 50] = [2; 50];

fn tcp_costs_no_more(t: &mut Stage) -> Result<(), Mismatch> {
    let Some(before) = loopback()?.filter(|_| t.is_isolated()) else {
        t.tell("count the packets on the loopback device");
        let why = format!("{NOT_SHOWN}this needs a network of its own, and the kernel's counters");
        return t.show_if(why, true, "");
    };
    let (server, client) = server_and_client(t)?;
    let address = server.local_addr()?;
    let mut buffer = [0; 64];
    client.send_to(&QUESTION, address)?;
    let (_, from) = server.recv_from(&mut buffer)?;
    server.send_to(&ANSWER, from)?;
    client.recv(&mut buffer)?;
    let udp = since(before)?;
    t.expect(
        "over UDP a client sends a question of 34 bytes, and gets an answer of 50",
        packets(udp),
        "2 packets, 140 bytes with all headers",
    )?;
    drop((server, client));

    let address = t.address();
    let before = loopback()?.unwrap_or(before);
    let local = over_tcp(address)?;
    // The last packets go by themselves; TIME-WAIT says that they have.
    wait_for(|| {
        let end = row(local, address)?.or(row(address, local)?);
        Ok(end.is_none_or(|row| row.state == State::TimeWait).then_some(()))
    })?;
    let tcp = since(before)?;
    t.tell(
        "over TCP it connects, sends the same with a length before it, gets its answer, and ends",
    );
    t.show_if(
        format!("{} packets, {} bytes with all headers", about(tcp.packets), about(tcp.bytes)),
        tcp.packets >= 8 && tcp.bytes > 3 * udp.bytes,
        "four times as many packets, or more",
    )
}

/// Asks once over TCP, and ends the connection; the client's address.
fn over_tcp(address: SocketAddr) -> Result<SocketAddr, Mismatch> {
    let listener = TcpListener::bind(address)?;
    let mut client = TcpStream::connect(address)?;
    let (mut server, _) = listener.accept()?;
    let mut buffer = [0; 64];
    client.write_all(&[&[0, 34][..], &QUESTION].concat())?;
    server.read_exact(&mut buffer[..36])?;
    server.write_all(&[&[0, 50][..], &ANSWER].concat())?;
    client.read_exact(&mut buffer[..52])?;
    let local = client.local_addr()?;
    drop(client);
    // Its end.
    let _ = server.read(&mut buffer)?;
    Ok(local)
}

fn since(before: Loopback) -> Result<Loopback, Mismatch> {
    let now = loopback()?.unwrap_or(before);
    Ok(Loopback { bytes: now.bytes - before.bytes, packets: now.packets - before.packets })
}

fn packets(carried: Loopback) -> String {
    format!("{} packets, {} bytes with all headers", carried.packets, carried.bytes)
}
