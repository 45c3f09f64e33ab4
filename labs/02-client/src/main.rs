//! Lab 2: a client. It connects, sends its standard input, and prints what comes back, both at
//! the same time. It speaks to any byte-stream server, as netcat does.
//!
//! You write the three marked regions. The rest (arguments, the error lines, the exit status)
//! is given. This folder's README.md says what each step must do.

use std::env;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;

/// Step 1, `connect`: connects to the server at `address`, trying each address that it has.
///
/// `address` is what the user typed: `127.0.0.1:7007`, `[::1]:7007` or `localhost:7007`.
/// What can't be done is returned as the error that the system gave.
fn connect(address: &str) -> io::Result<TcpStream> {
    // ANCHOR: connect
    // A name can have several addresses, and the server may listen on one of them only. std
    // resolves the name, tries one address after the other, and returns the last error when
    // none of them works.
    TcpStream::connect(address)
    // ANCHOR_END: connect
}

/// Step 2, `send`: sends all of standard input to the server, each piece as it comes, and then
/// ends the sending side. The connection stays open for what the server still has to say.
///
/// `stream` is a `&TcpStream` because the receiving side uses the same socket. That is enough to
/// write: `Write` is implemented for `&TcpStream` as well, and the kernel does the sharing. Only
/// the variable that holds the reference must be `mut`, since `Write`'s methods take `&mut self`.
fn send(mut stream: &TcpStream) -> io::Result<()> {
    // ANCHOR: send
    // Reads what is there, be it a line or half of one, writes all of it, and so on until the
    // end. A write waits while the server does not read: nothing is collected here.
    let sent = io::copy(&mut io::stdin().lock(), &mut stream);
    // Only this tells the server that no more will come, so it happens even if stdin could not
    // be read to its end. Dropping `stream` would not do it: it is only a reference.
    stream.shutdown(Shutdown::Write)?;
    sent?;
    Ok(())
    // ANCHOR_END: send
}

/// Step 3, `send_and_receive`: starts `send` in a thread of its own and, while it runs, copies
/// everything that arrives to standard output, each piece at once, until the server ends its
/// side.
fn send_and_receive(mut stream: TcpStream) -> io::Result<()> {
    // ANCHOR: send_and_receive
    // Both directions at once. If we sent everything first, the server's answers would fill
    // the queues towards us, then the server would stop reading, and both would wait for ever.
    let sending = stream.try_clone()?;
    // Nobody joins this thread: it may be waiting for a user who types nothing, long after the
    // server has ended. If a write fails, the connection is gone, and the reads below say so.
    thread::spawn(move || send(&sending));

    let mut stdout = io::stdout();
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            // The server has ended its side, and nothing more will come.
            Ok(0) => return Ok(()),
            Ok(count) => {
                stdout.write_all(&buffer[..count])?;
                // stdout holds back what follows the last newline: a prompt, for example.
                stdout.flush()?;
            }
            // A signal came before any byte did. Nothing is lost: read again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // ANCHOR_END: send_and_receive
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [address] = arguments.as_slice() else {
        eprintln!("usage: client ADDR      (ADDR is HOST:PORT)");
        return ExitCode::from(2);
    };
    let address = address.to_string_lossy();
    let stream = match connect(&address) {
        Ok(stream) => stream,
        Err(error) => {
            eprintln!("cannot connect to {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match send_and_receive(stream) {
        Ok(()) => ExitCode::SUCCESS,
        // `client ADDR | head`: the reader of our standard output has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lost the connection to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
