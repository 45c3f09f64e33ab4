//! Many clients, and slow ones.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::Demo;
use super::stage::{Mismatch, NOBODY, Stage, about, wait_for};

pub(super) const DRIBBLE: Demo = Demo {
    name: "dribble",
    claim: "A read time-out ends clients that are too slow.",
    truth: "It limits one read. A client that sends a byte now and then never lets it pass, and keeps \
        its thread for as long as it likes. What limits the whole is a deadline: before each read the \
        time-out is set to what is left of it.",
    run: dribble,
};

const LIMIT: Duration = Duration::from_millis(100);
/// As often the client sends a byte within the limit.
const BYTES_A_LIMIT: u32 = 5;

fn dribble(t: &mut Stage) -> Result<(), Mismatch> {
    let mut pair = t.pair()?;
    t.tell("a client sends a request that never ends, a byte each 20 ms");
    pair.server.set_read_timeout(Some(LIMIT))?;
    let began = Instant::now();
    let mut bytes = 0;
    while began.elapsed() < 5 * LIMIT {
        one_byte(&mut pair.client)?;
        bytes += pair.server.read(&mut [0; 1])?;
    }
    t.tell("the server reads, with a time-out of 100 ms for each read");
    t.show_if(
        format!("after 500 ms and {} reads: no time-out yet, and the client goes on", about(bytes)),
        bytes > 0,
        "no time-out",
    )?;

    let mut pair = t.pair()?;
    let deadline = Instant::now() + LIMIT;
    let mut bytes = 0;
    loop {
        one_byte(&mut pair.client)?;
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            break;
        }
        pair.server.set_read_timeout(Some(rest))?;
        bytes += pair.server.read(&mut [0; 1])?;
    }
    t.tell("the same client; the server gives each read what is left of 100 ms, and no more");
    t.show_if(
        format!("after {} reads nothing is left, and the server lets the client go", about(bytes)),
        bytes <= BYTES_A_LIMIT as usize,
        "at most 5 reads",
    )
}

fn one_byte(client: &mut TcpStream) -> std::io::Result<()> {
    thread::sleep(LIMIT / BYTES_A_LIMIT);
    client.write_all(b"x")
}

pub(super) const PLACES: Demo = Demo {
    name: "places",
    claim: "A server with no thread left has to turn clients away.",
    truth: "It does not accept, and that is all. The kernel goes on making connections and keeps them \
        in the accept queue, with what they have sent. Each is served when a place is free. It costs \
        the server no thread and no descriptor.",
    run: places,
};

const CLIENTS: usize = 6;
const PLACES_THERE_ARE: usize = 4;

fn places(t: &mut Stage) -> Result<(), Mismatch> {
    let listener = t.listen()?;
    let address = listener.local_addr()?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = TcpStream::connect(address)?;
        client.write_all(b"GET\n")?;
        clients.push(client);
    }
    t.tell("6 clients connect, and each sends a request: all of this is Ok");
    t.kernel(address, NOBODY, "LISTEN, 6 wait for accept")?;

    let (free, is_free) = mpsc::channel();
    for _ in 0..PLACES_THERE_ARE {
        let _ = free.send(());
    }
    let (go, may_go) = mpsc::channel::<()>();
    let may_go = Arc::new(std::sync::Mutex::new(may_go));
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    let accepting = thread::spawn(move || {
        for () in is_free.iter().take(CLIENTS) {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let (free, may_go, served) = (free.clone(), Arc::clone(&may_go), Arc::clone(&counted));
            thread::spawn(move || {
                let asked = stream.read_exact(&mut [0; 4]);
                served.fetch_add(1, Ordering::SeqCst);
                let _ = crate::sync::lock(&may_go).recv();
                let _ = asked.and_then(|()| stream.write_all(b"200"));
                let _ = free.send(());
            });
        }
    });
    wait_for(|| Ok((served.load(Ordering::SeqCst) == PLACES_THERE_ARE).then_some(())))?;
    t.expect(
        "the server has 4 places: a thread each, and an accept only when one is free",
        format!("{} are being served", served.load(Ordering::SeqCst)),
        "4 are being served",
    )?;
    t.kernel(address, NOBODY, "LISTEN, 2 wait for accept")?;
    for _ in 0..CLIENTS {
        let _ = go.send(());
    }
    let mut answered = 0;
    for client in &mut clients {
        client.read_exact(&mut [0; 3])?;
        answered += 1;
    }
    let _ = accepting.join();
    t.expect(
        "the 4 get their replies, and go; the 2 are accepted",
        format!("{answered} clients were answered"),
        "6 clients were answered",
    )
}
