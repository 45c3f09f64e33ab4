//! Lab 1: a server. It binds, listens, accepts one client at a time, and sends every byte back
//! unchanged: the Echo Protocol of RFC 862.
//!
//! You write the three marked regions. The rest (arguments, the ready line, the error line, the
//! exit status) is given. This folder's README.md says what each step must do.

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Step 1, `listen`: creates a socket, binds it to `address` and starts to listen.
///
/// `address` is what the user typed: `127.0.0.1:7007`, `[::1]:7007` or `localhost:7007`.
/// What can't be done is returned as the error that the system gave.
fn listen(address: &str) -> io::Result<TcpListener> {
    // ANCHOR: listen
    // One call in std, four in the kernel: socket, setsockopt(SO_REUSEADDR), bind, listen.
    // SO_REUSEADDR is why a restarted server gets its port back although old connections of
    // it are still in TIME_WAIT. A name is resolved too, and each of its addresses tried.
    TcpListener::bind(address)
    // ANCHOR_END: listen
}

/// Step 2, `accept_loop`: accepts clients one after another, for ever, and serves each.
///
/// A client that fails is that client's problem: it is reported on stderr, and the next one
/// is served. An `Err` from here ends the whole program, with its clients. It is meant for a
/// listener that will never work again; a failed `accept` is no such thing, so a server that is
/// right never returns.
fn accept_loop(listener: &TcpListener) -> io::Result<()> {
    // ANCHOR: accept_loop
    loop {
        match listener.accept() {
            Ok((stream, client)) => {
                // `serve` takes the stream and drops it when it is done: that closes the
                // socket. A stream kept anywhere else would stay in CLOSE_WAIT.
                if let Err(error) = serve(stream) {
                    // Not `eprintln!`: it panics when nobody reads stderr any more.
                    let _ = writeln!(io::stderr(), "client {client}: {error}");
                }
            }
            Err(error) => {
                // Nobody to serve this time (out of descriptors, say). The listener is still
                // good, but asking again at once would only burn the processor.
                let _ = writeln!(io::stderr(), "cannot accept: {error}");
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
    // ANCHOR_END: accept_loop
}

/// Step 3, `serve`: sends back every byte that the client sends, until the client ends its
/// stream. The connection is closed when `stream` is dropped.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    // ANCHOR: serve
    // TCP is a stream of bytes: a read returns what is there, be it half of a message or two.
    // So nothing here looks for messages, and a buffer of any size works.
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            // Not "nothing yet": the client has ended its side and will never send again.
            // It may still be reading, and it has had every byte by now.
            Ok(0) => return Ok(()),
            // Only the first `count` bytes are this read's. `write_all`, because `write` may
            // take fewer bytes than it was given.
            Ok(count) => stream.write_all(&buffer[..count])?,
            // A signal came before any byte did. Nothing is lost: read again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // ANCHOR_END: serve
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [address] = arguments.as_slice() else {
        eprintln!("usage: server ADDR      (ADDR is HOST:PORT; port 0 takes any free port)");
        return ExitCode::from(2);
    };
    let address = address.to_string_lossy();
    let listener = match listen(&address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match say_ready(&listener).and_then(|()| accept_loop(&listener)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stopped serving on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the ready line: from here on a client can connect. The address is the listener's own,
/// in numbers, so that a name and port 0 work as well.
fn say_ready(listener: &TcpListener) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()
}
