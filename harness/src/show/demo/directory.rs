//! A directory in the middle: what goes through it, where its peers can be called, and what is lost
//! with it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use super::stage::{Mismatch, Stage, about, bytes, outcome, success};
use super::{Demo, NOT_SHOWN};
use crate::kernel::loopback;

pub(super) const THROUGH_THE_SERVER: Demo = Demo {
    name: "through-the-server",
    claim: "Files go through the server that knows them.",
    truth: "The index says who has a file and where to call, which takes a line. The file goes directly \
        from peer to peer, over a connection of its own, and once over the network. Through the \
        middle it would go twice, and all of everybody's bytes would have to be carried there.",
    run: through_the_server,
};

/// As large as a song.
const FILE: usize = 5_000_000;

/// What the index has read and written so far.
#[derive(Default)]
struct Carried(usize);

impl Carried {
    /// What goes from one end of a connection to the other, where one of them is the index's.
    fn line(&mut self, mut from: &TcpStream, mut to: &TcpStream, line: &str) -> io::Result<()> {
        from.write_all(line.as_bytes())?;
        self.0 += line.len();
        to.read_exact(&mut vec![0; line.len()])
    }
}

fn through_the_server(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = TcpListener::bind(t.address())?;
    let (bob, at_index) = connected(&listener)?;
    let ann = TcpListener::bind(t.address())?;
    let to_call = ann.local_addr()?;
    t.tell(format!(
        "ann, who has a song of {FILE} bytes, listens on {to_call}; bob asks the index"
    ));
    let before = loopback()?;
    let mut carried = Carried::default();
    carried.line(&bob, &at_index, "FIND song\n")?;
    let hit =
        format!("HIT {to_call} {FILE} 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12 my song.ogg\n");
    carried.line(&at_index, &bob, &hit)?;
    carried.line(&at_index, &bob, "END 1\n")?;
    let giving = thread::spawn(move || give(&ann));
    let got = copy(&TcpStream::connect(to_call)?, &mut io::sink())?;
    giving.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
    t.expect(
        "he calls ann, and reads to the end; he has got",
        format!("{got} bytes"),
        format!("{FILE} bytes"),
    )?;
    t.show_if(
        format!("the index has read and written {} bytes", about(carried.0)),
        carried.0 < 200,
        "a hundred, or so",
    )?;
    on_the_network(t, before, 1)?;

    let ann = TcpListener::bind(t.address())?;
    let to_call = ann.local_addr()?;
    t.tell("now the index is a man in the middle: it gets the song from ann, and gives it to bob");
    let before = loopback()?;
    let giving = thread::spawn(move || give(&ann));
    let passing = thread::spawn(move || {
        let passed = copy(&TcpStream::connect(to_call)?, &mut &at_index)?;
        drop(at_index);
        io::Result::Ok(passed)
    });
    let got = copy(&bob, &mut io::sink())?;
    giving.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
    let passed = passing.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
    t.also(format!("bob has got {got} bytes"), format!("bob has got {FILE} bytes"))?;
    let count = |bytes| format!("the index has read and written {bytes} bytes");
    t.also(count(passed + got), count(2 * FILE as u64))?;
    on_the_network(t, before, 2)
}

/// What has crossed the network since then, beside the file's size: about so many times as much.
fn on_the_network(
    t: &mut Stage,
    before: Option<crate::kernel::Loopback>,
    times: u64,
) -> Result<(), Mismatch> {
    let (Some(before), Some(now), true) = (before, loopback()?, t.is_isolated()) else {
        let why = "how much has crossed the network: this needs a network of its own";
        return t.show_if(format!("{NOT_SHOWN}{why}"), true, "");
    };
    let each = (now.bytes - before.bytes) * 1000 / FILE as u64;
    t.show_if(
        format!("{} bytes have crossed the network for each 1000 of the song", about(each)),
        (times * 1000..times * 1000 + 200).contains(&each),
        &format!("{times} times as many as it has, and some for the headers"),
    )
}

/// Accepts one, sends the whole file, and ends.
fn give(listener: &TcpListener) -> io::Result<()> {
    listener.accept()?.0.write_all(&vec![b'x'; FILE])
}

fn copy(mut from: &TcpStream, to: &mut impl Write) -> io::Result<u64> {
    io::copy(&mut from, to)
}

fn connected(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

pub(super) const CALLERS_PORT: Demo = Demo {
    name: "callers-port",
    claim: "A peer can be called where it calls from.",
    truth: "The port that it calls from is good for this one connection. The port where it listens \
        only the peer knows, and the address under which others see it only the others know. So the \
        peer says the port, and the index takes the address from the connection. It is also the only \
        one that nobody can lie about.",
    run: callers_port,
};

fn callers_port(t: &mut Stage) -> Result<(), Mismatch> {
    let at_index = TcpListener::bind(t.address())?;
    let index = at_index.local_addr()?;
    let port = t.address().port();
    let ann = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    t.expect(
        format!("the index listens on {index}; ann listens, too: local_addr of her listener"),
        ann.local_addr()?.to_string(),
        format!("0.0.0.0:{port}"),
    )?;
    let _to_index = TcpStream::connect(index)?;
    let (_, from) = at_index.accept()?;
    t.tell("ann connects to the index; the address that accept gives to the index");
    t.show_if(from.to_string(), from.port() != port, "another port than hers")?;
    let called = TcpStream::connect(from);
    t.expect(format!("bob calls {from}"), success(&called), "Err(ConnectionRefused)")?;
    let joined = SocketAddr::new(from.ip(), port);
    let called = TcpStream::connect(joined);
    t.expect(
        format!("ann has said her port, and the index adds the address: bob calls {joined}"),
        success(&called),
        "Ok",
    )?;

    let victim = TcpListener::bind((IpAddr::from([127, 0, 0, 9]), 0))?;
    let address = victim.local_addr()?;
    let _mallory = TcpStream::connect(index)?;
    let (_, from) = at_index.accept()?;
    t.expect(
        format!("mallory connects, and says that she can be called at {address}; the index sees"),
        from.ip().to_string(),
        "127.0.0.1",
    )?;
    let called = TcpStream::connect(address)?;
    let accepted = victim.accept()?.1 == called.local_addr()?;
    t.expect(
        "an index that believes her sends everybody there; bob calls, and who accepts?",
        if accepted { "somebody who knows nothing of all this" } else { "nobody" },
        "somebody who knows nothing of all this",
    )
}

pub(super) const INDEX_DOWN: Demo = Demo {
    name: "index-down",
    claim: "When the index is down, everything stops.",
    truth: "What the index does stops: nothing new is found, and nobody new can be found. A transfer has \
        a connection of its own, and its two ends need no third one. Who knows an address can call \
        it as before. A single point of failure takes with it what it does, and no more.",
    run: index_down,
};

fn index_down(t: &mut Stage) -> Result<(), Mismatch> {
    let mut buffer = [0; 64];
    let at_index = TcpListener::bind(t.address())?;
    let index = at_index.local_addr()?;
    let (mut bob, mut bobs) = connected(&at_index)?;
    let ann = TcpListener::bind(t.address())?;
    let to_call = ann.local_addr()?;
    bob.write_all(b"FIND song\n")?;
    bobs.read_exact(&mut [0; 10])?;
    bobs.write_all(format!("HIT {to_call}\n").as_bytes())?;
    let count = bob.read(&mut buffer)?;
    t.expect(
        "bob asks the index on which ann and he are; it says where she can be called",
        String::from_utf8_lossy(&buffer[..count]).trim_end(),
        format!("HIT {to_call}"),
    )?;
    let mut getting = TcpStream::connect(to_call)?;
    let (mut giving, _) = ann.accept()?;
    giving.write_all(b"la la ")?;
    let read = getting.read(&mut buffer);
    t.expect("he calls ann; she sends, and he reads", bytes(&read, &buffer), r#"Ok(6) "la la ""#)?;

    drop((at_index, bobs));
    t.tell("the index is killed");
    let read = bob.read(&mut buffer);
    t.also(
        format!("bob reads from the index: {}", outcome(&read)),
        "bob reads from the index: Ok(0)",
    )?;
    let late = TcpStream::connect(index);
    t.also(
        format!("carol wants to join: {}", success(&late)),
        "carol wants to join: Err(ConnectionRefused)",
    )?;

    giving.write_all(b"land")?;
    drop(giving);
    let mut rest = String::new();
    getting.read_to_string(&mut rest)?;
    t.expect("ann goes on sending; bob reads to the end", format!("{rest:?}"), r#""land""#)?;
    let again = TcpStream::connect(to_call);
    t.expect("he calls ann once more, where he has called her before", success(&again), "Ok")
}
