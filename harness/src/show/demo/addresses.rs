//! What belongs to an address, and to whom.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use super::stage::{Mismatch, NOBODY, Stage, success};
use super::{Demo, NOT_SHOWN};
use crate::kernel;

pub(super) const SOCKET_IS_A_PORT: Demo = Demo {
    name: "socket-is-a-port",
    claim: "A socket is a port: each socket of a server has a port of its own.",
    truth: "Many sockets share one port. A listener and all connections that it has accepted have \
        the same local port. What tells connections apart is the pair of addresses, the local and \
        the remote one, together.",
    run: socket_is_a_port,
};

fn socket_is_a_port(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let clients = [TcpStream::connect(address)?, TcpStream::connect(address)?];
    let accepted = [listener.accept()?, listener.accept()?];
    t.tell("two clients connect, and the server accepts both");
    for (_, from) in &accepted {
        t.kernel(address, *from, "ESTABLISHED")?;
    }
    let own = accepted.iter().map(|(stream, _)| stream.local_addr());
    let own: Vec<_> = own.collect::<io::Result<_>>()?;
    let here = kernel::socket_table()?.iter().filter(|row| row.local == address).count();
    t.expect(
        format!("count the sockets whose local address is {address}"),
        format!("{here}: the listener and the two accepted ones"),
        "3: the listener and the two accepted ones",
    )?;
    t.expect(
        "local_addr of the two accepted sockets",
        format!("{} and {}", own[0], own[1]),
        format!("{address} and {address}"),
    )?;
    drop(clients);
    Ok(())
}

pub(super) const ACCEPT_GIVES_A_PORT: Demo = Demo {
    name: "accept-gives-a-port",
    claim: "accept moves the client to a new port of the server, so that the listener's port is \
        free for the next one.",
    truth: "accept gives a new socket, and its local port is the listener's. The client goes on \
        talking to the address that it has dialled.",
    run: accept_gives_a_port,
};

fn accept_gives_a_port(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address)?;
    t.expect(
        "a client connects, and asks peer_addr: whom am I talking to?",
        client.peer_addr()?.to_string(),
        address.to_string(),
    )?;
    let (stream, _) = listener.accept()?;
    t.expect(
        "the server accepts, and asks local_addr of the new socket",
        stream.local_addr()?.to_string(),
        address.to_string(),
    )?;
    t.expect(
        "the client asks peer_addr again",
        client.peer_addr()?.to_string(),
        address.to_string(),
    )
}

pub(super) const TCP_BLOCKS_UDP: Demo = Demo {
    name: "tcp-blocks-udp",
    claim: "A port that a TCP program uses is taken for UDP, too.",
    truth: "TCP and UDP have port numbers of their own each. The same number can be in use for \
        both, by different programs.",
    run: tcp_blocks_udp,
};

fn tcp_blocks_udp(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let udp = UdpSocket::bind(address);
    t.expect(format!("UdpSocket::bind({address})"), success(&udp), "Ok")?;
    let rows = kernel::socket_table()?;
    let kinds = rows.iter().filter(|row| row.local == address);
    let mut kinds: Vec<_> = kinds.map(|row| row.table.file()).collect();
    kinds.sort_unstable();
    t.expect(format!("the kernel's tables that have {address}"), kinds.join(", "), "tcp, udp")?;
    let second = TcpListener::bind(address);
    t.expect(
        format!("TcpListener::bind({address}), a second one"),
        success(&second),
        "Err(AddrInUse)",
    )
}

pub(super) const PORT_IS_MACHINE_WIDE: Demo = Demo {
    name: "port-is-machine-wide",
    claim: "A port is taken for the whole machine.",
    truth: "It is taken for one address. Two programs can listen on the same port of two addresses \
        of the machine. 0.0.0.0 stands for all addresses: it needs the port to be free on each.",
    run: port_is_machine_wide,
};

fn port_is_machine_wide(t: &mut Stage) -> Result<(), Mismatch> {
    let first = t.listen()?;
    let here = first.local_addr()?;
    let there = SocketAddr::new(neighbour(here.ip()), here.port());
    let second = TcpListener::bind(there);
    t.expect(format!("TcpListener::bind({there}), the same port"), success(&second), "Ok")?;
    let all = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), here.port());
    let third = TcpListener::bind(all);
    t.expect(format!("TcpListener::bind({all})"), success(&third), "Err(AddrInUse)")?;
    drop((first, second));
    let third = TcpListener::bind(all);
    t.expect(format!("drop both listeners, then TcpListener::bind({all})"), success(&third), "Ok")?;
    let again = TcpListener::bind(there);
    t.expect(
        format!("TcpListener::bind({there}), while that one listens"),
        success(&again),
        "Err(AddrInUse)",
    )
}

/// Another loopback address: all of 127.0.0.0/8 is this machine.
fn neighbour(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            Ipv4Addr::new(a, b, c, if d == 1 { 2 } else { 1 }).into()
        }
        IpAddr::V6(_) => ip,
    }
}

pub(super) const IN_USE_IS_TIME_WAIT: Demo = Demo {
    name: "in-use-is-time-wait",
    claim: "`Address already in use` after a restart means that old connections are in TIME-WAIT: \
        wait a minute.",
    truth: "std sets SO_REUSEADDR before it binds, and on Linux that binds over TIME-WAIT. What \
        blocks the port is a socket that still listens: the old server is not gone.",
    run: in_use_is_time_wait,
};

fn in_use_is_time_wait(t: &mut Stage) -> Result<(), Mismatch> {
    let pair = t.pair()?;
    let (here, there) = (pair.server.local_addr()?, pair.client.local_addr()?);
    drop(pair.server);
    drop(pair.client);
    t.tell("the server closes the connection first, then the client does");
    t.kernel(here, there, "TIME-WAIT")?;
    let second = TcpListener::bind(here);
    t.expect(
        format!("TcpListener::bind({here}), while the old listener lives"),
        success(&second),
        "Err(AddrInUse)",
    )?;
    drop(pair.listener);
    let second = TcpListener::bind(here);
    t.expect(
        format!("drop the old listener, then TcpListener::bind({here})"),
        success(&second),
        "Ok",
    )?;
    t.kernel(here, there, "TIME-WAIT")
}

pub(super) const BIND_THEN_LISTEN: Demo = Demo {
    name: "bind-then-listen",
    claim: "TcpListener::bind only takes the port; something else has to be called to listen.",
    truth: "One call of std makes four of the system: socket, setsockopt(SO_REUSEADDR), bind and \
        listen(128). When bind has returned, clients can connect.",
    run: bind_then_listen,
};

/// The calls that make a listener, in their order.
const CALLS: [&str; 4] = ["socket", "setsockopt", "bind", "listen"];

fn bind_then_listen(t: &mut Stage) -> Result<(), Mismatch> {
    let address = t.address();
    let listener = TcpListener::bind(address);
    t.expect(format!("TcpListener::bind({address})"), success(&listener), "Ok")?;
    t.kernel(address, NOBODY, "LISTEN, nobody waits for accept")?;
    let client = TcpStream::connect(address);
    t.expect("a client connects; nothing else was called", success(&client), "Ok")?;
    drop(listener);
    let address = t.address();
    t.tell(format!("the system calls of a program that calls TcpListener::bind(\"{address}\")"));
    let Some(calls) = traced(address)? else {
        let why = format!("{NOT_SHOWN}strace is not installed, or may not trace here");
        return t.show_if(why, true, "");
    };
    for call in &calls {
        t.show_if(call, true, "")?;
    }
    let names: Vec<_> = calls.iter().filter_map(|call| call.split('(').next()).collect();
    t.expect("their names, in order", names.join(", "), CALLS.join(", "))
}

/// What strace shows of a program that binds to `address`; nothing where it can't.
fn traced(address: SocketAddr) -> io::Result<Option<Vec<String>>> {
    let exe = std::env::current_exe()?;
    let mut command = Command::new("strace");
    command.args(["-e", &format!("trace={}", CALLS.join(","))]).arg(exe);
    let output = match command.args(["worker", "bind", &address.to_string()]).output() {
        Ok(output) if output.status.success() => output,
        _ => return Ok(None),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    let is_call = |line: &&str| CALLS.iter().any(|name| line.starts_with(&format!("{name}(")));
    Ok(Some(text.lines().filter(is_call).map(squeeze).collect()))
}

/// strace pads its lines.
fn squeeze(line: &str) -> String {
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Not for users: the program that the last demonstrator has traced.
///
/// # Errors
/// What the system says.
pub fn bind_and_end(address: &str) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}
