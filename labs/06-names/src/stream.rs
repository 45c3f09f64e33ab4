//! DNS over TCP (RFC 7766): the server's connections, and the client's one.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::read_framed;

/// For how long a client may keep a server waiting: for a query, or with an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where a connection can't be taken, the next one is waited for after a pause.
const PAUSE: Duration = Duration::from_millis(50);
/// For how long the server reads what it is not going to answer.
const FAREWELL: Duration = Duration::from_secs(1);
/// For how long a client waits for an answer over TCP, the connecting included.
const ANSWER: Duration = Duration::from_secs(2);

/// A time of this module, times `LAB_TEMPO`: who looks at time-outs need not wait for them in full.
fn at_tempo(time: Duration) -> Duration {
    time.mul_f64(factor("LAB_TEMPO"))
}

/// The moments of the tries, times `LAB_SLOW_MOTION`: a client that is drawn step by step, for the
/// book, must not lose its patience while it is looked at.
pub fn in_slow_motion(tries: [Duration; 3]) -> [Duration; 3] {
    tries.map(|end| end.mul_f64(factor("LAB_SLOW_MOTION")))
}

/// What a variable of the environment says; 1 unless it says a number that makes sense.
fn factor(variable: &str) -> f64 {
    let set = env::var(variable).ok().and_then(|text| text.parse().ok());
    set.filter(|factor| (0.01..=100.0).contains(factor)).unwrap_or(1.0)
}

/// Accepts for ever, and serves each connection in a thread of its own.
pub fn accept(
    listener: &TcpListener,
    respond: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
) {
    let respond = Arc::new(respond);
    loop {
        let started = listener.accept().and_then(|(caller, _)| {
            let respond = Arc::clone(&respond);
            thread::Builder::new().spawn(move || converse(&caller, &*respond))
        });
        if let Err(error) = started {
            report(&format!("cannot take a connection: {error}"));
            // No descriptor or no thread left: to try again at once would keep the processor busy.
            thread::sleep(PAUSE);
        }
    }
}

/// Serves one connection: query after query, then an orderly end.
fn converse(stream: &TcpStream, respond: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
    let patience = at_tempo(PATIENCE);
    // An answer is sent at once, not when the one before it has been acknowledged (Nagle).
    let _ = stream.set_nodelay(true);
    let _ = stream.set_write_timeout(Some(patience));
    while let Ok(Some(query)) = read_framed(stream, Instant::now() + patience) {
        let Some(reply) = respond(&query) else { break };
        if send_framed(stream, &reply).is_err() {
            return;
        }
    }
    end_in_good_order(stream);
}

/// Sends the length and the message in one write: two would be two segments, and the second one
/// might wait for the first to be acknowledged.
fn send_framed(mut stream: &TcpStream, message: &[u8]) -> io::Result<()> {
    // At most 65,535: no message that is made here is longer.
    let mut framed = (message.len() as u16).to_be_bytes().to_vec();
    framed.extend(message);
    stream.write_all(&framed)
}

/// A FIN behind the answers; then what still comes is read and thrown away. A close over unread
/// bytes would be a reset, and a reset destroys the answers on their way.
fn end_in_good_order(mut stream: &TcpStream) {
    let end = Instant::now() + at_tempo(FAREWELL);
    let mut thrown_away = [0; 8192];
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() || stream.set_read_timeout(Some(rest)).is_err() {
            return;
        }
        match stream.read(&mut thrown_away) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// Why there is no answer over TCP.
#[derive(Debug)]
pub enum Failure {
    /// No connection.
    Unreachable(io::Error),
    /// The time is over.
    Late,
    /// The connection ended before the answer did.
    Cut,
}

/// Asks over TCP.
pub fn ask(server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, Failure> {
    let limit = at_tempo(ANSWER);
    let latest = Instant::now() + limit;
    let late =
        |error: &io::Error| matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock);
    let stream = TcpStream::connect_timeout(&server, limit)
        .map_err(|error| if late(&error) { Failure::Late } else { Failure::Unreachable(error) })?;
    let answer = send_framed(&stream, query).and_then(|()| read_framed(&stream, latest));
    match answer {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::Cut),
        Err(error) => Err(if late(&error) { Failure::Late } else { Failure::Cut }),
    }
}

/// A line on standard error. Where nobody reads that any more the program goes on all the same:
/// `eprintln!` would panic.
pub fn report(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
