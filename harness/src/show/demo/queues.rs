//! What stands in the kernel's queues, and who is held up by it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::Demo;
use super::stage::{Mismatch, NOBODY, Stage, about, bytes, outcome, row, success, wait_for};
use crate::kernel::Process;

pub(super) const WRITE_SENDS_A_PACKET: Demo = Demo {
    name: "write-sends-a-packet",
    claim: "write sends a packet.",
    truth: "write copies bytes into the socket's send queue, and returns. When they leave, and in \
        how many segments, is the kernel's matter: here they can't leave at all, since the other \
        side's receive queue is full, and write is Ok all the same.",
    run: write_sends_a_packet,
};

fn write_sends_a_packet(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    let (here, there) = (pair.client.local_addr()?, pair.server.local_addr()?);
    pair.client.set_nonblocking(true)?;
    let mut written = 0;
    let full = loop {
        match pair.client.write(&[b'x'; 4096]) {
            Ok(taken) => written += taken,
            Err(error) => break Err::<usize, _>(error),
        }
    };
    t.expect(
        "the client writes again and again (set_nonblocking: don't wait); the server reads nothing",
        outcome(&full),
        "Err(WouldBlock)",
    )?;
    t.show_if(
        format!("before that, {} bytes: each write was Ok", about(written)),
        written > 0,
        "Ok",
    )?;
    let queues = wait_for(|| {
        let (Some(ours), Some(theirs)) = (row(here, there)?, row(there, here)?) else {
            return Ok(None);
        };
        let (sent, unread) = (ours.tx_queue as usize, theirs.rx_queue as usize);
        Ok((sent + unread == written).then_some((sent, unread)))
    })?;
    let (sent, unread) = queues.unwrap_or_default();
    t.tell("where they are, as the kernel shows it");
    t.show_if(format!("in the server's receive queue: {}", about(unread)), unread > 0, "some")?;
    t.show_if(
        format!("still in the client's send queue: {}", about(sent)),
        sent > 0,
        "some, although each write was Ok",
    )
}

pub(super) const CONNECT_WAITS_FOR_ACCEPT: Demo = Demo {
    name: "connect-waits-for-accept",
    claim: "connect returns when the server has called accept.",
    truth: "The kernel of the server's machine makes the connection, and queues it. connect and a \
        write succeed before accept, and also if accept is never called.",
    run: connect_waits_for_accept,
};

fn connect_waits_for_accept(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let client = TcpStream::connect(address);
    t.expect("a client connects; nobody calls accept", success(&client), "Ok")?;
    let mut client = client?;
    t.kernel(address, NOBODY, "LISTEN, 1 waits for accept")?;
    let written = client.write(b"hello");
    t.expect("the client writes 5 bytes", outcome(&written), "Ok(5)")?;
    t.kernel(address, client.local_addr()?, "ESTABLISHED, 5 unread, of no process")?;
    let accepted = listener.accept();
    t.expect("now the server accepts", success(&accepted), "Ok")?;
    t.kernel(address, client.local_addr()?, "ESTABLISHED, 5 unread")?;
    let mut buffer = [0; 16];
    let read = accepted?.0.read(&mut buffer);
    t.expect("it reads", bytes(&read, &buffer), r#"Ok(5) "hello""#)
}

pub(super) const BACKLOG_CAPS_CLIENTS: Demo = Demo {
    name: "backlog-caps-clients",
    claim: "The backlog is the largest number of clients that a server can have.",
    truth: "It caps those that are connected and not yet accepted: std asks for 128, and Linux lets \
        129 wait. Who comes then is not refused but waits. Accepted clients do not count.",
    run: backlog_caps_clients,
};

/// On loopback a connect that is answered at all is answered within microseconds.
const NO_ANSWER: Duration = Duration::from_millis(300);

fn backlog_caps_clients(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let mut clients = connect(address, 129)?;
    t.expect("clients connect; nobody accepts", connected(&clients), "129 are connected")?;
    t.kernel(address, NOBODY, "LISTEN, 129 wait for accept")?;
    let one_more = TcpStream::connect_timeout(&address, NO_ANSWER);
    t.expect("one more connects, with a time-out of 300 ms", success(&one_more), "Err(TimedOut)")?;
    let accepted: Vec<_> = (0..100).map(|_| listener.accept()).collect::<io::Result<_>>()?;
    t.tell(format!("the server accepts {}", accepted.len()));
    t.kernel(address, NOBODY, "LISTEN, 29 wait for accept")?;
    clients.extend(connect(address, 100)?);
    t.expect("another 100 connect", connected(&clients), "229 are connected")
}

fn connect(address: SocketAddr, count: usize) -> io::Result<Vec<TcpStream>> {
    (0..count).map(|_| TcpStream::connect_timeout(&address, Duration::from_secs(5))).collect()
}

fn connected(clients: &[TcpStream]) -> String {
    format!("{} are connected", clients.len())
}

pub(super) const BOTH_WRITE_FIRST: Demo = Demo {
    name: "both-write-first",
    claim: "Both sides may write all that they have first, and read then.",
    truth: "Only while it fits into the queues. With more, each waits for the other to read, for \
        ever: a deadlock. Read and write at the same time (two threads), or take turns.",
    run: both_write_first,
};

/// More than the queues of both sides can hold.
const MUCH: usize = 64 * 1024 * 1024;

fn both_write_first(t: &mut Stage) -> Result<(), Mismatch> {
    let pair = t.pair()?;
    let ends = [("ann", pair.client.try_clone()?), ("bob", pair.server.try_clone()?)];
    let writers: Vec<_> = ends
        .into_iter()
        .map(|(name, mut stream)| {
            let work = move || stream.write_all(&vec![b'x'; MUCH]);
            thread::Builder::new().name(name.into()).spawn(work)
        })
        .collect::<io::Result<_>>()?;
    t.tell("ann and bob each write 64 MiB, and want to read then");
    let (here, there) = (pair.client.local_addr()?, pair.server.local_addr()?);
    let stuck = wait_for(|| standstill(here, there))?;
    for name in ["ann", "bob"] {
        let call = call_of(name).unwrap_or_else(|| "no call".into());
        t.also(
            format!("the kernel: thread {name} is blocked in {call}"),
            format!("the kernel: thread {name} is blocked in write"),
        )?;
    }
    let queues = stuck.unwrap_or_default();
    for (name, unread, unsent) in [("ann", queues[0], queues[1]), ("bob", queues[2], queues[3])] {
        t.show_if(
            format!(
                "{name} has {} bytes unread, and {} not acknowledged",
                about(unread),
                about(unsent)
            ),
            unread > 0 && unsent > 0,
            "full queues",
        )?;
    }
    // Nothing else would ever end this.
    pair.client.shutdown(Shutdown::Both)?;
    pair.server.shutdown(Shutdown::Both)?;
    t.tell("the demonstrator ends it: shutdown(Both) on both sides");
    for writer in writers {
        let result = writer.join().unwrap_or_else(|_| Err(ErrorKind::Other.into()));
        let failed = matches!(&result, Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
        t.show_if(
            format!(
                "write_all gives {}",
                if failed { "an error".to_owned() } else { success(&result) }
            ),
            failed,
            "an error",
        )?;
    }
    Ok(())
}

/// The queues of both ends, once two looks show the same, both threads blocked: unread and
/// unacknowledged here, then there.
fn standstill(here: SocketAddr, there: SocketAddr) -> io::Result<Option<[u32; 4]>> {
    let look = || -> io::Result<Option<[u32; 4]>> {
        let (Some(ours), Some(theirs)) = (row(here, there)?, row(there, here)?) else {
            return Ok(None);
        };
        Ok(Some([ours.rx_queue, ours.tx_queue, theirs.rx_queue, theirs.tx_queue]))
    };
    let first = look()?;
    let a_while = Duration::from_millis(50);
    thread::sleep(a_while);
    let blocked = ["ann", "bob"].iter().all(|name| call_of(name).as_deref() == Some("write"));
    let second = look()?;
    let full = second.is_some_and(|queues| queues.iter().all(|queue| *queue > 0));
    Ok(second.filter(|_| blocked && full && first == second))
}

/// The call that this program's thread of that name is blocked in.
pub(super) fn call_of(name: &str) -> Option<String> {
    let me = Process::read(std::process::id())?;
    let thread = me.threads.into_iter().find(|thread| thread.name == name)?;
    thread.call.map(|call| call.name)
}
