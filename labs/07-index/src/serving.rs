//! Listening, a thread for each connection, and the orderly end of one: the index does it, and so
//! does each peer for those who fetch files.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::output::report;
use crate::times;

/// Where a connection can't be taken, the next one is waited for after a pause.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener, and the address that it really has.
pub fn listen(address: &str) -> Result<(TcpListener, SocketAddr), String> {
    let listener = TcpListener::bind(address);
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (at, listener) = bound.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    Ok((listener, at))
}

/// Accepts for ever, and serves each connection in a thread of its own, up to its orderly end.
pub fn serve(listener: &TcpListener, serve_one: impl Fn(&TcpStream) + Send + Sync + 'static) {
    let serve_one = Arc::new(serve_one);
    loop {
        let started = listener.accept().and_then(|(stream, _)| {
            let serve_one = Arc::clone(&serve_one);
            let alone = move || {
                // An answer is sent at once, not when the one before it has been acknowledged (Nagle).
                let _ = stream.set_nodelay(true);
                serve_one(&stream);
                end_in_good_order(&stream);
            };
            thread::Builder::new().spawn(alone)
        });
        if let Err(error) = started {
            report(&format!("cannot take a connection: {error}"));
            // No descriptor or no thread left: to try again at once would keep the processor busy.
            thread::sleep(PAUSE);
        }
    }
}

/// A FIN behind what was sent; then what still comes is read and thrown away until the other side's
/// end. A close over unread bytes would be a reset, and a reset destroys what is on its way.
fn end_in_good_order(mut stream: &TcpStream) {
    let end = Instant::now() + times::farewell();
    let mut thrown_away = [0; 8192];
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match stream.read(&mut thrown_away) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// A thread that panicked leaves data that are still good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
