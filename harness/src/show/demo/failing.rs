//! Many servers behind one address, and what is noticed when one of them fails.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use super::Demo;
use super::backend::{ASKS, Backend, HALVES, Turns};
use super::stage::{Mismatch, NOBODY, Stage, outcome, success};

pub(super) const OUTLIVES_A_CRASH: Demo = Demo {
    name: "outlives-a-crash",
    claim: "With a load balancer in between, a connection outlives the server's crash.",
    truth: "A balancer passes bytes on and keeps none of them. What has been said so far is known to the \
        server that has died, and to nobody else, so nobody can go on. That connection ends, and to the client \
        it may look like a good end. Whoever connects afterwards does not notice anything.",
    run: outlives_a_crash,
};

const CLIENTS: usize = 6;

fn outlives_a_crash(t: &mut Stage) -> Result<(), Mismatch> {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Backend::start(t.address())?);
    }
    let mut balancer = Turns::new(t.address(), &servers.iter().collect::<Vec<_>>())?;
    t.tell(
        "three servers, a process each; a balancer carries each client to the next of them in turn",
    );
    let mut clients = Vec::new();
    let mut halves = 0;
    for _ in 0..CLIENTS {
        let (mut client, _) = balancer.client()?;
        halves += usize::from(half(&mut client)? == HALVES[0]);
        clients.push(client);
    }
    let told = |count: usize| format!("{count} clients have half of it");
    t.expect(
        "6 clients connect, and each asks for a reply of 13 bytes, which comes in two halves",
        told(halves),
        told(CLIENTS),
    )?;

    servers[0].kill()?;
    let (mut cut, mut whole) = (0, 0);
    for client in &mut clients {
        match half(client)?.as_str() {
            "" => cut += 1,
            half if half == HALVES[1] => whole += 1,
            _ => {}
        }
    }
    let told = |cut: usize, whole: usize| {
        format!("{cut} clients: the connection ends after 7 of 13 bytes; {whole}: the other half")
    };
    t.expect(
        "the first server is killed; each client asks for the other half",
        told(cut, whole),
        told(2, 4),
    )?;
    let (mut client, tries) = balancer.client()?;
    let told = |tries: usize, half: &str| format!("dial number {tries} works; it reads \"{half}\"");
    let seen = told(tries, &half(&mut client)?);
    t.expect("another client connects; it is the dead server's turn", seen, told(2, HALVES[0]))
}

/// Asks for a half, and reads what comes: nothing where the connection ends.
fn half(client: &mut TcpStream) -> io::Result<String> {
    let mut buffer = [0; 16];
    let asked = client.write_all(ASKS);
    let read = asked.and_then(|()| client.read(&mut buffer));
    match read {
        Ok(count) => Ok(String::from_utf8_lossy(&buffer[..count]).into_owned()),
        // Whether its end or a reset comes first is a matter of moments.
        Err(error)
            if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) =>
        {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

pub(super) const CONNECT_IS_HEALTH: Demo = Demo {
    name: "connect-is-health",
    claim: "A server that accepts connections is well.",
    truth: "It is the kernel that completes a connection, for a program that may have stood still for an hour. \
        So a connect shows that the machine is there, and that the port is bound. Whether the program does \
        anything is shown by an answer, and by nothing less.",
    run: connect_is_health,
};

/// How long somebody waits for an answer.
const LIMIT: Duration = Duration::from_millis(100);

fn connect_is_health(t: &mut Stage) -> Result<(), Mismatch> {
    let server = Backend::start(t.address())?;
    let mut buffer = [0; 16];
    server.signal("STOP")?;
    t.tell("a server listens, and is stopped (SIGSTOP), with all of its threads");
    t.kernel(server.address, NOBODY, "LISTEN, nobody waits for accept")?;
    let probe = TcpStream::connect(server.address);
    t.expect("a balancer looks whether it is there: connect gives", success(&probe), "Ok")?;
    t.kernel(server.address, NOBODY, "LISTEN, 1 waits for accept")?;
    drop(probe);
    let mut client = TcpStream::connect(server.address)?;
    let written = client.write(ASKS);
    t.expect(
        "so a client is sent there; its connect and its write give",
        outcome(&written),
        "Ok(1)",
    )?;
    client.set_read_timeout(Some(LIMIT))?;
    let read = client.read(&mut buffer);
    t.expect("it waits for an answer, 100 ms", outcome(&read), "Err(WouldBlock)")?;
    t.kernel(server.address, client.local_addr()?, "ESTABLISHED, 1 unread, of no process")?;
    server.signal("CONT")?;
    client.set_read_timeout(None)?;
    let read = client.read(&mut buffer)?;
    let seen = String::from_utf8_lossy(&buffer[..read]).into_owned();
    t.expect("the server goes on (SIGCONT), and the client reads", seen, HALVES[0])
}

pub(super) const TWO_IS_ENOUGH: Demo = Demo {
    name: "two-is-enough",
    claim: "Two of everything is enough.",
    truth: "Two are as good as their users are. A client that keeps one address of two is as lost as if there \
        were one; one that tries the other hardly notices. And something is single still: here it is the server \
        that knows the two addresses.",
    run: two_is_enough,
};

fn two_is_enough(t: &mut Stage) -> Result<(), Mismatch> {
    let names = UdpSocket::bind(t.address())?;
    let balancers = [TcpListener::bind(t.address())?, TcpListener::bind(t.address())?];
    let told: Vec<SocketAddr> =
        balancers.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
    t.tell("two balancers listen, and a name server knows both of their addresses");
    let [first, second] = balancers;
    let answer = ask(&names.local_addr()?, Some((&names, &told)));
    t.expect("a client asks the name server", known(&answer), "2 addresses")?;
    drop(first);
    let one = TcpStream::connect(told[0]);
    t.expect(
        "the first balancer dies; a client that has kept one address connects",
        success(&one),
        "Err(ConnectionRefused)",
    )?;
    let both = TcpStream::connect(&told[..]);
    let seen = both.and_then(|stream| stream.peer_addr()).map(|peer| peer == told[1]);
    t.expect(
        "one that has kept both connects: std tries one after the other, and this was the second",
        outcome(&seen),
        "Ok(true)",
    )?;
    let at = names.local_addr()?;
    drop(names);
    let answer = ask(&at, None);
    t.expect(
        "the name server dies; the second balancer listens as before. A new client asks for the name",
        known(&answer),
        "Err(ConnectionRefused)",
    )?;
    let both = TcpStream::connect(&told[..]);
    t.expect("one that has kept the answer connects", success(&both), "Ok")?;
    drop(second);
    Ok(())
}

/// Asks for the addresses of a name, of a server that is played here, or of nobody.
fn ask(
    at: &SocketAddr,
    server: Option<(&UdpSocket, &[SocketAddr])>,
) -> io::Result<Vec<SocketAddr>> {
    let client = UdpSocket::bind((at.ip(), 0))?;
    client.connect(at)?;
    client.send(ASKS)?;
    let mut buffer = [0; 512];
    if let Some((server, told)) = server {
        let (_, asker) = server.recv_from(&mut buffer)?;
        let text: String = told.iter().map(|address| format!("{address}\n")).collect();
        server.send_to(text.as_bytes(), asker)?;
    }
    let count = client.recv(&mut buffer)?;
    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

fn known(answer: &io::Result<Vec<SocketAddr>>) -> String {
    match answer {
        Ok(addresses) => format!("{} addresses", addresses.len()),
        Err(_) => success(answer),
    }
}
