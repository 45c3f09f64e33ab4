//! Lab 10: a load balancer. It takes connections on one address, and carries each to one of many
//! servers, whatever protocol they speak.
//!
//! You write the five marked regions. Given, in the modules beside this file: `backends` (the
//! servers, and what is known of each), `clients` (how many are being served, and the program's
//! end), `commands`, `times` and the command line. What each step must do stands in this folder's
//! README.md.

mod arguments;
mod backends;
mod clients;
mod commands;
mod output;
mod times;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use arguments::{Arguments, USAGE};
use backends::{Backends, Place};
use clients::Clients;
use output::{print, report};
use times::{DIAL, FAREWELL, PAUSE, PROBE, at_tempo};

/// What is read and written at once, in bytes: so much of each direction is in memory.
const PIECE: usize = 64 * 1024;

/// Step 1, `accept_loop`: accepts clients until they are closed, and serves each in a thread of
/// its own. It returns only then, and with that the listener is gone.
fn accept_loop(listener: TcpListener, backends: &Arc<Backends>, clients: &Arc<Clients>) {
    // ANCHOR: accept_loop
    loop {
        let next = listener.accept();
        // Standard input has ended, and whoever has come is not served any more. The listener is
        // dropped here, so the next ones are refused.
        if clients.are_closed() {
            return;
        }
        match next {
            Ok((client, address)) => {
                let visit = clients.enter();
                let backends = Arc::clone(backends);
                // Nothing is done for a client but in its own thread: a dial can take a while.
                let thread = thread::Builder::new().spawn(move || {
                    let _visit = visit;
                    serve(&client, address, &backends);
                });
                if let Err(error) = thread {
                    // The closure is dropped, and with it the connection.
                    report(&format!("no thread for {address}: {error}"));
                }
            }
            Err(error) => {
                // No descriptor left, perhaps. The listener is still good, and to try again at
                // once would keep the processor busy.
                report(&format!("cannot accept: {error}"));
                thread::sleep(PAUSE);
            }
        }
    }
    // ANCHOR_END: accept_loop
}

/// Step 2, `pick`: chooses a backend for a client, and counts the client there. It is one of those
/// that are up, not draining, and not among those `tried` for this client already.
fn pick<'a>(backends: &'a Backends, tried: &[usize]) -> Option<Place<'a>> {
    // ANCHOR: pick
    // Looked at and counted under one lock: else all clients that come at the same moment see
    // the same backend with the fewest, and all of them go there.
    let mut table = backends.lock();
    let count = table.backends.len();
    // Beginning behind the last one: of several equals `min_by_key` takes the first.
    let in_turn = (1..=count).map(|step| (table.last + step) % count);
    let may_be_picked = |number: &usize| {
        let backend = &table.backends[*number];
        !backend.is_down && !backend.is_draining && !tried.contains(number)
    };
    let number = in_turn.filter(may_be_picked).min_by_key(|n| table.backends[*n].connections)?;
    table.last = number;
    table.backends[number].connections += 1;
    Some(backends.place(number))
    // ANCHOR_END: pick
}

/// Step 3, `dial`: connects to a backend. Where that fails, to the next one; the client does not
/// notice. `None`: no backend is left.
fn dial(backends: &Backends) -> Option<(TcpStream, Place<'_>)> {
    // ANCHOR: dial
    let mut tried = Vec::new();
    loop {
        let place = pick(backends, &tried)?;
        // A host that is gone answers nothing at all, and the kernel would go on asking it for
        // minutes.
        let error = match TcpStream::connect_timeout(&place.address(), DIAL) {
            Ok(stream) => return Some((stream, place)),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::TimedOut => backends.set_down(place.number()),
            // The fault may be on this side: no descriptor is left, say.
            _ => report(&format!("cannot dial {}: {error}", place.address())),
        }
        // The place is dropped here: what could not be reached has no client more than before.
        tried.push(place.number());
    }
    // ANCHOR_END: dial
}

/// Step 4, `carry`: one direction of a connection. Passes on what comes `from` one side `to` the
/// other, then the end of it. Another thread does the same the other way round.
fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    // ANCHOR: carry
    let mut buffer = vec![0; PIECE];
    let mut pass = || loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            // Waits while the other side does not read. Meanwhile nothing more is read here, and
            // TCP's window stops whoever sends it.
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(signal) if signal.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    let passed: io::Result<()> = pass();
    // An end can't be told to somebody who has gone: then there is nothing left to do.
    let _ = match passed {
        // Only this direction has ended. An answer may still be on its way back.
        Ok(()) => to.shutdown(Shutdown::Write),
        // One side is lost, so the other one waits for nothing. This wakes up the other thread,
        // too, which may be blocked in a read or a write of either.
        Err(_) => from.shutdown(Shutdown::Both).and(to.shutdown(Shutdown::Both)),
    };
    // ANCHOR_END: carry
}

/// Step 5, `probe`: finds out, again and again, whether a backend that is down has come back.
fn probe(backends: &Backends) {
    // ANCHOR: probe
    loop {
        // Nothing to do, and nothing done, as long as all are up.
        backends.wait_for_down();
        thread::sleep(PROBE);
        // Asked again: another one may have gone down meanwhile.
        for (number, address) in backends.wait_for_down() {
            // The connection is dropped at once: that somebody accepts is all that it shows.
            if TcpStream::connect_timeout(&address, DIAL).is_ok() {
                backends.set_up(number);
            }
        }
    }
    // ANCHOR_END: probe
}

/// One client, from its backend's being picked until both sides have ended.
fn serve(client: &TcpStream, address: SocketAddr, backends: &Backends) {
    let Some((server, _place)) = dial(backends) else {
        return report(&format!("no backend for {address}"));
    };
    // What comes is passed on at once, not when what went before has been acknowledged (Nagle).
    let _ = client.set_nodelay(true).and(server.set_nodelay(true));
    // Both directions borrow the two streams: two descriptors a client, and no clone of either.
    thread::scope(|directions| {
        let there = thread::Builder::new().spawn_scoped(directions, || carry(client, &server));
        match there {
            Ok(_) => carry(&server, client),
            Err(error) => report(&format!("no thread for {address}: {error}")),
        }
    });
}

fn main() -> ExitCode {
    let Some(Arguments { address, backends }) = Arguments::given() else {
        report(USAGE);
        return ExitCode::from(2);
    };
    match run(&address, backends) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            report(&line);
            ExitCode::FAILURE
        }
    }
}

/// Listens, says so once a client can connect, and serves until standard input ends. The error is the
/// line that tells why it can't.
fn run(address: &str, names: Vec<String>) -> Result<(), String> {
    let backends = Arc::new(Backends::new(names)?);
    let listener = TcpListener::bind(address);
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (bound, listener) = bound.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    print(&format!("listening on {bound}"));

    let clients = Arc::new(Clients::default());
    let no_thread = |error| format!("there is no thread: {error}");
    let shared = Arc::clone(&backends);
    thread::Builder::new().spawn(move || probe(&shared)).map_err(no_thread)?;
    let (shared, all) = (Arc::clone(&backends), Arc::clone(&clients));
    let user = move || {
        commands::carry_out(&shared);
        all.close(bound);
    };
    thread::Builder::new().spawn(user).map_err(no_thread)?;

    accept_loop(listener, &backends, &clients);
    clients.wait_for_the_last(at_tempo(FAREWELL));
    Ok(())
}
