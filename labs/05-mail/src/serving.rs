//! Two listeners, many clients at once on each, a thread for every client, and the orderly end of its
//! connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::{Arguments, USAGE};
use crate::places::{Place, Places};
use crate::replies::TOO_SLOW;
use crate::spool::Spool;
use crate::users::Users;
use crate::wire::Wire;
use crate::{pop3, smtp};

/// What all sessions share.
pub struct Shared {
    /// Who may send and fetch mail.
    pub users: Users,
    /// Where it is kept.
    pub spool: Spool,
    /// How long a client may take for a line.
    pub limit: Duration,
}

/// What is done with a connection.
type Session = fn(&TcpStream, &Shared);

/// Until the next try, where nobody can be accepted.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the end of a connection may take at most.
const LONGEST_END: Duration = Duration::from_secs(10);

/// All that the program does.
pub fn run() -> ExitCode {
    let Some(arguments) = Arguments::given() else {
        report(USAGE);
        return ExitCode::from(2);
    };
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Reads the users, makes their folders, listens twice, says so, and serves.
fn serve(arguments: &Arguments) -> Result<(), String> {
    let Arguments { smtp, pop3, users, spool, limit } = arguments;
    let read = Users::read(users).map_err(|e| format!("cannot read {}: {e}", users.display()))?;
    let opened = Spool::open(spool, read.names());
    let opened = opened.map_err(|error| format!("cannot use {}: {error}", spool.display()))?;
    let (smtp_address, smtp) = listen(smtp)?;
    let (pop3_address, pop3) = listen(pop3)?;
    // Both together: whoever has read one line may connect to both.
    let ready =
        format!("listening on {smtp_address} for SMTP\nlistening on {pop3_address} for POP3\n");
    let mut out = io::stdout();
    // Where nobody reads it any more, nobody needs it.
    let _ = out.write_all(ready.as_bytes()).and_then(|()| out.flush());

    let shared = Arc::new(Shared { users: read, spool: opened, limit: *limit });
    let also = Arc::clone(&shared);
    let thread = thread::Builder::new().spawn(move || serve_many(&pop3, serve_pop3, &also));
    thread.map_err(|error| format!("cannot serve on {pop3_address}: {error}"))?;
    serve_many(&smtp, serve_smtp, &shared);
    Ok(())
}

/// A listener, and the address that it really has.
fn listen(address: &str) -> Result<(SocketAddr, TcpListener), String> {
    let listener = TcpListener::bind(address);
    let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    bound.map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// A session of SMTP, from the greeting to the end of the connection.
fn serve_smtp(stream: &TcpStream, shared: &Shared) {
    let mut wire = wire(stream, shared);
    let ended = smtp(&mut wire, shared);
    if ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::TimedOut) {
        let _ = wire.say(TOO_SLOW);
    }
    end(stream, shared.limit, ended);
}

/// A session of POP3. One that takes too long is told nothing (RFC 1939 section 3).
fn serve_pop3(stream: &TcpStream, shared: &Shared) {
    let ended = pop3(&mut wire(stream, shared), shared);
    end(stream, shared.limit, ended);
}

fn wire<'a>(stream: &'a TcpStream, shared: &Shared) -> Wire<'a> {
    // A small reply is sent at once, not when the one before it has been acknowledged (Nagle).
    let _ = stream.set_nodelay(true);
    // A client that takes nothing for so long is let go.
    let _ = stream.set_write_timeout(Some(shared.limit));
    Wire::new(stream, shared.limit)
}

fn end(stream: &TcpStream, limit: Duration, ended: io::Result<()>) {
    match ended {
        Err(error) if error.kind() != ErrorKind::TimedOut => {
            // Whoever has gone, or takes nothing, needs no orderly end.
        }
        _ => end_in_good_order(stream, limit.min(LONGEST_END)),
    }
}

/// A FIN after the last reply; then what still comes is read and thrown away until the client's
/// end. A close over unread bytes would be a reset, and a reset destroys the reply on its way.
fn end_in_good_order(mut stream: &TcpStream, limit: Duration) {
    let end = Instant::now() + limit;
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

/// Accepts for ever, and serves each connection in a thread of its own, as many at once as there
/// are places: lab 4's loop.
fn serve_many(listener: &TcpListener, session: Session, shared: &Arc<Shared>) {
    let free = Places::new();
    loop {
        let place = free.take();
        match listener.accept() {
            Ok((stream, _)) => serve_apart(stream, place, session, Arc::clone(shared)),
            Err(error) => {
                report(&format!("nobody can be accepted: {error}"));
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Holds a session in a thread of its own, which gives the place back however it ends.
fn serve_apart(stream: TcpStream, place: Place, session: Session, shared: Arc<Shared>) {
    let alone = move || {
        let _place = place;
        session(&stream, &shared);
    };
    if let Err(error) = thread::Builder::new().spawn(alone) {
        report(&format!("there is no thread for a client: {error}"));
    }
}

/// A line on standard error. Where nobody reads that any more the server goes on all the same:
/// `eprintln!` would panic.
pub fn report(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
