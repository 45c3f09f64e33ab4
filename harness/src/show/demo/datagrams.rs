//! What becomes of datagrams: each is one message, and nothing says that it comes.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, NOBODY, Stage, about, bytes, outcome, row, success, wait_for};

/// How long is waited for what never comes.
pub(super) const SILENCE: Duration = Duration::from_millis(100);
/// How long is waited for what comes at once. A backstop: loopback takes microseconds.
const BACKSTOP: Duration = Duration::from_secs(10);

/// A UDP socket on a port of the system's choice. What is awaited from it comes at once.
pub(super) fn socket(host: IpAddr) -> io::Result<UdpSocket> {
    socket_at(SocketAddr::new(host, 0))
}

pub(super) fn socket_at(address: SocketAddr) -> io::Result<UdpSocket> {
    let end = UdpSocket::bind(address)?;
    end.set_read_timeout(Some(BACKSTOP))?;
    Ok(end)
}

/// A server's socket and a client's, which is not connected.
pub(super) fn server_and_client(t: &mut Stage) -> Result<(UdpSocket, UdpSocket), Mismatch> {
    let address = t.address();
    let server = socket_at(address)?;
    t.tell(format!("a server has a UDP socket on {address}, and a client has one of its own"));
    Ok((server, socket(address.ip())?))
}

/// What one receive brings: `Ok(5) "hello"`.
pub(super) fn received(socket: &UdpSocket, room: usize) -> String {
    let mut buffer = vec![0; room];
    let read = socket.recv(&mut buffer);
    bytes(&read, &buffer)
}

pub(super) const UDP_CONNECTS: Demo = Demo {
    name: "udp-connects",
    claim: "connect on a UDP socket makes a connection with the other side.",
    truth: "It sends nothing and asks nobody. The own kernel notes an address: datagrams go there, \
        those of others are not let in, and a refusal by that address is reported. The other side \
        knows nothing of it.",
    run: udp_connects,
};

fn udp_connects(t: &mut Stage) -> Result<(), Mismatch> {
    let address = t.address();
    let client = socket(address.ip())?;
    let here = client.local_addr()?;
    let connected = client.connect(address);
    let done = format!("nobody has {address}; a client's UDP socket calls connect({address})");
    t.expect(done, success(&connected), "Ok")?;
    let end = |local, remote| -> io::Result<String> {
        Ok(row(local, remote)?.map_or_else(|| "no socket".into(), |row| row.state.to_string()))
    };
    t.also(
        format!("the kernel's table: {} here, {} there", end(here, address)?, end(address, here)?),
        "the kernel's table: ESTABLISHED here, no socket there",
    )?;
    let sent = client.send(b"hello");
    t.expect("it sends a datagram", outcome(&sent), "Ok(5)")?;
    t.expect("it calls recv", received(&client, 64), "Err(ConnectionRefused)")?;

    let unconnected = socket(address.ip())?;
    unconnected.set_read_timeout(Some(SILENCE))?;
    let sent = unconnected.send_to(b"hello", address);
    t.expect("a socket that is not connected sends one there", outcome(&sent), "Ok(5)")?;
    t.expect(
        "it calls recv, with a time-out of 100 ms",
        received(&unconnected, 64),
        "Err(WouldBlock)",
    )?;

    let server = socket_at(address)?;
    let stranger = socket(address.ip())?;
    stranger.send_to(b"from a stranger", here)?;
    server.send_to(b"from the server", here)?;
    t.tell("a server comes to that address; a stranger sends the first socket a datagram, and then the server does");
    t.also(format!("its recv: {}", received(&client, 64)), r#"its recv: Ok(15) "from the server""#)
}

pub(super) const EMPTY_DATAGRAM: Demo = Demo {
    name: "empty-datagram",
    claim: "A receive of 0 bytes means that the other side has ended.",
    truth: "That holds for streams. A datagram of 0 bytes is a message like any other. UDP has no end, \
        since it has no connection: that nothing more will come is what no receive ever tells.",
    run: empty_datagram,
};

fn empty_datagram(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let address = server.local_addr()?;
    let sent = [client.send_to(b"", address), client.send_to(b"hello", address)];
    t.expect(
        "the client sends a datagram of 0 bytes, and one of 5",
        sent.each_ref().map(outcome).join(" "),
        "Ok(0) Ok(5)",
    )?;
    t.expect("the server receives", received(&server, 64), "Ok(0)")?;
    t.expect("the server receives", received(&server, 64), r#"Ok(5) "hello""#)?;
    drop(client);
    server.set_read_timeout(Some(SILENCE))?;
    t.expect(
        "the client drops its socket; the server receives, with a time-out of 100 ms",
        received(&server, 64),
        "Err(WouldBlock)",
    )
}

pub(super) const DATAGRAM_IN_PARTS: Demo = Demo {
    name: "datagram-in-parts",
    claim: "A datagram that is too long for the buffer comes in two parts, as on a stream.",
    truth: "One receive takes one datagram off the queue, whole. What has no room in the buffer is \
        gone, without an error. So the buffer has to have room for the longest message there is; and \
        two datagrams never come as one.",
    run: datagram_in_parts,
};

fn datagram_in_parts(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let address = server.local_addr()?;
    client.send_to(b"what is your name?", address)?;
    client.send_to(b"and where are you?", address)?;
    t.tell("the client sends \"what is your name?\", and then \"and where are you?\"");
    t.expect(
        "the server receives, into a buffer of 8 bytes",
        received(&server, 8),
        r#"Ok(8) "what is ""#,
    )?;
    t.expect(
        "the server receives again, into a buffer of 512 bytes",
        received(&server, 512),
        r#"Ok(18) "and where are you?""#,
    )?;
    t.kernel(address, NOBODY, "UDP")
}

pub(super) const SENT_IS_ARRIVED: Demo = Demo {
    name: "sent-is-arrived",
    claim: "send_to has returned Ok, so the datagram has arrived.",
    truth: "Ok means that the own kernel has taken it. It may be lost on its way, find no socket, find \
        no room, or never be read. Only an answer says that it has arrived.",
    run: sent_is_arrived,
};

fn sent_is_arrived(t: &mut Stage) -> Result<(), Mismatch> {
    let address = t.address();
    let client = socket(address.ip())?;
    let sent = client.send_to(b"hello", address);
    t.expect(format!("nobody has {address}; send_to({address})"), outcome(&sent), "Ok(5)")?;
    let server = socket_at(address)?;
    let sent = client.send_to(b"hello", address);
    t.expect("a server binds a socket there; send_to again", outcome(&sent), "Ok(5)")?;
    t.kernel(address, NOBODY, "UDP, datagrams unread")?;
    drop(server);
    t.tell("the server drops its socket, and has never read it");
    t.kernel(address, NOBODY, "no such socket any more")?;
    let called = TcpStream::connect(address).map(drop);
    t.expect(
        "in TCP a caller learns at once that nobody is there: connect",
        success(&called),
        "Err(ConnectionRefused)",
    )
}

pub(super) const LOOPBACK_LOSES_NOTHING: Demo = Demo {
    name: "loopback-loses-nothing",
    claim: "Datagrams get lost in bad networks. Within one machine all of them arrive.",
    truth: "A socket's queue has an end, and what comes when it is full is thrown away. The sender \
        gets Ok for each. TCP would make it wait; UDP has nobody who could tell it to.",
    run: loopback_loses_nothing,
};

const MANY: u64 = 5000;

fn loopback_loses_nothing(t: &mut Stage) -> Result<(), Mismatch> {
    let (server, client) = server_and_client(t)?;
    let address = server.local_addr()?;
    let sent = (0..MANY).filter(|_| client.send_to(b"hello", address).is_ok()).count();
    t.expect(
        "the client sends 5000 datagrams of 5 bytes; the server reads none of them",
        format!("{sent} times Ok"),
        "5000 times Ok",
    )?;
    server.set_nonblocking(true)?;
    let (mut kept, mut buffer) = (0, [0; 64]);
    let all = wait_for(|| {
        while server.recv(&mut buffer).is_ok() {
            kept += 1;
        }
        let dropped = row(address, NOBODY)?.map_or(0, |row| row.drops);
        Ok((kept + dropped == MANY).then_some(dropped))
    })?;
    let dropped = all.unwrap_or_default();
    t.tell("the server reads what is there");
    t.show_if(
        format!("it gets {} datagrams", about(kept)),
        kept > 0 && kept < MANY,
        "some, and not all",
    )?;
    t.show_if(
        format!("the kernel has counted the others: {} dropped", about(dropped)),
        dropped > 0 && kept + dropped == MANY,
        "that those kept and those dropped are 5000",
    )
}
