//! Lab 3: a peer. It listens, so that others can call it, and it calls others itself. Once two
//! peers are connected they are equal: each says what its user types, and prints what it hears.
//!
//! You write the four marked regions. The rest (arguments, standard input, the list of those
//! who are present, the farewell) is given. This folder's README.md says what each step must do.

use std::env;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The longest line of the protocol in bytes, with its LF.
const LONGEST: usize = 1024;
/// How long a write may wait for a peer that does not read. It begins anew with each write and
/// with each such peer, and the others wait for the sum: but only once, since a peer that has used
/// it up is dropped.
const WRITE_LIMIT: Duration = Duration::from_millis(800);
/// How long a peer that leaves waits for the others' ends.
const FAREWELL_LIMIT: Duration = Duration::from_secs(2);

/// What this side was when the connection was made. Afterwards it makes no difference.
#[derive(Clone, Copy)]
enum Role {
    /// This side dialled.
    Client,
    /// This side accepted.
    Server,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// Why another program is a bad peer: the reason in `bad peer ADDRESS: REASON`.
enum BadPeer {
    /// It broke a rule of the protocol, which one is said here.
    Broke(&'static str),
    /// Its connection failed before it had greeted.
    Lost(io::Error),
}

impl From<&'static str> for BadPeer {
    fn from(rule: &'static str) -> Self {
        Self::Broke(rule)
    }
}

impl From<io::Error> for BadPeer {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for BadPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broke(rule) => f.write_str(rule),
            Self::Lost(error) => write!(f, "{error}"),
        }
    }
}

/// This peer: what all of its threads share.
struct Me {
    name: String,
    /// The connections on which both sides have greeted and neither has left.
    present: Mutex<Vec<Arc<TcpStream>>>,
    /// How many have been taken out of `present` while `left` or `bad peer` is still to be printed.
    leaving: Mutex<usize>,
    somebody_left: Condvar,
}

/// Step 1, `listen_and_dial`: listens on `listen` and prints the ready line; from then on
/// accepts whoever calls, for ever, and meanwhile dials each of `others`.
///
/// Each connection is handed to [`attend`], in a thread of its own. Returns without waiting for
/// any of them. What can't be listened on is an error; one of `others` that can't be reached is
/// reported on stderr, and the rest goes on.
fn listen_and_dial(me: &Arc<Me>, listen: &str, others: &[String]) -> io::Result<()> {
    // ANCHOR: listen_and_dial
    // Listen first of all. From here on the kernel takes calls, whatever else we are busy with:
    // so it matters less which of two peers was started first.
    let listener = TcpListener::bind(listen)?;
    print(&format!("listening on {}", listener.local_addr()?));

    // `accept` blocks until somebody calls, so it has a thread to itself.
    let shared = Arc::clone(me);
    thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    // The greeting may take as long as the other likes: not in this thread.
                    let me = Arc::clone(&shared);
                    thread::spawn(move || attend(&me, stream, Role::Server));
                }
                Err(error) => {
                    // Out of descriptors, say. The listener is still good; try again soon.
                    let _ = writeln!(io::stderr(), "cannot accept: {error}");
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    });

    for other in others {
        // A call that nobody answers can keep us waiting for minutes: only this thread waits.
        let (me, other) = (Arc::clone(me), other.clone());
        thread::spawn(move || match TcpStream::connect(other.as_str()) {
            Ok(stream) => attend(&me, stream, Role::Client),
            // Not `eprintln!`: it panics when nobody reads stderr any more.
            Err(error) => {
                let _ = writeln!(io::stderr(), "cannot reach {other}: {error}");
            }
        });
    }
    Ok(())
    // ANCHOR_END: listen_and_dial
}

/// Step 2, `greet`: says `HELLO` and our name, and reads the other's. Both sides do so at once.
///
/// `reader` reads from `stream`. Use it for all that is read: it may hold more than was asked
/// for. Returns the other's name, or the reason why it is a bad peer.
fn greet(me: &Me, mut stream: &TcpStream, reader: &mut impl BufRead) -> Result<String, BadPeer> {
    // ANCHOR: greet
    // First send, then read. If both sides waited for the other's HELLO, both would wait for
    // ever. That both may send first is safe because the line is short: the send queue takes it,
    // and the write does not wait for the other to read.
    let hello = format!("HELLO {}\n", me.name);
    stream.write_all(hello.as_bytes())?;

    // A line is what ends with LF, however many reads it takes, and never more than the limit:
    // `take` sees to it that a stranger can't fill our memory. What has come behind the line
    // stays in the reader.
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)?;
    let line = text_of(&line)?.ok_or("the stream ended before the HELLO")?;
    match line.strip_prefix("HELLO ") {
        Some(name) if is_name(name) => Ok(name.to_owned()),
        Some(_) => Err("the name is not 1 to 32 of A-Z a-z 0-9 - _".into()),
        None => Err("the first line is not HELLO".into()),
    }
    // ANCHOR_END: greet
}

/// Step 3, `receive`: prints what the peer called `name` says, until it leaves.
///
/// `Ok` when it has left: after BYE, after the end of its stream, and after a reset alike.
/// `Err` with the reason when it broke the protocol.
fn receive(name: &str, reader: &mut impl BufRead) -> Result<(), BadPeer> {
    // ANCHOR: receive
    let mut line = Vec::new();
    loop {
        line.clear();
        // The framing is the same as in `greet`, with the same reader: bytes that came together
        // with the HELLO are in its buffer and nowhere else.
        if reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line).is_err() {
            // A reset. The user who sat there has gone, as after an orderly end.
            return Ok(());
        }
        // Only a whole line is looked at as text: a read can end in the middle of a letter.
        let Some(line) = text_of(&line)? else { return Ok(()) };
        match line.split_once(' ') {
            Some(("SAY", text)) => print(&format!("{name}: {text}")),
            None if line == "BYE" => return Ok(()),
            _ => return Err("a line that is neither SAY nor BYE".into()),
        }
    }
    // ANCHOR_END: receive
}

/// Step 4, `broadcast`: sends `line`, which ends with LF, to every peer that is present.
///
/// One that has gone, or that does not read any more, is dropped: its connection is shut down,
/// which also ends the `receive` that waits for its next line.
fn broadcast(me: &Me, line: &str) {
    // ANCHOR: broadcast
    // `present` is a copy of the list. A write can wait, and nobody could join or leave
    // meanwhile if we held the lock.
    for other in present(me) {
        let mut stream: &TcpStream = &other;
        // Without a limit a peer that stopped reading would hold up all others, once its
        // queues are full: megabytes later, so that no short test finds it.
        let _ = stream.set_write_timeout(Some(WRITE_LIMIT));
        if stream.write_all(line.as_bytes()).is_err() {
            // Half of the line may have been sent, so nothing sensible can follow it. This wakes
            // the thread in `receive`, which says that the peer has left.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    // ANCHOR_END: broadcast
}

/// One connection from the greeting to its end.
fn attend(me: &Me, stream: TcpStream, role: Role) {
    // An error means that the other has gone already, and there is nobody to speak of.
    let Ok(address) = stream.peer_addr() else { return };
    // A line that is typed is sent at once, not when the one before it has been acknowledged.
    let _ = stream.set_nodelay(true);
    let stream = Arc::new(stream);
    // One reader for all of the connection's life: it reads ahead.
    let mut reader = BufReader::new(&*stream);
    match greet(me, &stream, &mut reader) {
        Ok(name) => {
            join(me, &stream, &format!("joined {name} {address} as {role}"));
            let event = match receive(&name, &mut reader) {
                Ok(()) => format!("left {name}"),
                Err(reason) => format!("bad peer {address}: {reason}"),
            };
            leave(me, &stream, &event);
        }
        Err(reason) => print(&format!("bad peer {address}: {reason}")),
    }
    // Not only dropped: `broadcast` may be writing to it at this moment.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Adds a peer to those present, and says so. Printing can wait, where nobody reads our stdout: so
/// no lock is held meanwhile.
fn join(me: &Me, stream: &Arc<TcpStream>, event: &str) {
    lock(&me.present).push(Arc::clone(stream));
    print(event);
}

/// Takes a peer out, and then says so: nothing that is typed after the event was read goes to it.
fn leave(me: &Me, stream: &Arc<TcpStream>, event: &str) {
    *lock(&me.leaving) += 1;
    lock(&me.present).retain(|one| !Arc::ptr_eq(one, stream));
    print(event);
    *lock(&me.leaving) -= 1;
    me.somebody_left.notify_all();
}

/// The connections of all who are present now.
fn present(me: &Me) -> Vec<Arc<TcpStream>> {
    lock(&me.present).clone()
}

/// A thread that panicked leaves a list that is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints an event, as one line and at once. Where nobody reads it any more, nobody misses it.
fn print(event: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

/// The text of what `read_until` has read: without the LF, and checked to be UTF-8. `None` when
/// the stream has ended before the LF: what was cut off is no line.
fn text_of(line: &[u8]) -> Result<Option<&str>, BadPeer> {
    match line.strip_suffix(b"\n") {
        Some(line) => match str::from_utf8(line) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(BadPeer::Broke("a line that is not UTF-8")),
        },
        None if line.len() >= LONGEST => Err(BadPeer::Broke("a line of more than 1024 bytes")),
        None => Ok(None),
    }
}

/// 1 to 32 of `A-Z a-z 0-9 - _`.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(allowed)
}

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let arguments: Vec<_> = arguments.collect();
    let [name, listen, others @ ..] = arguments.as_slice() else {
        eprintln!("usage: peer NAME LISTEN [PEER ...]      (LISTEN and PEER are HOST:PORT)");
        return ExitCode::from(2);
    };
    if !is_name(name) {
        eprintln!("usage: peer NAME LISTEN [PEER ...]      (NAME is 1 to 32 of A-Z a-z 0-9 - _)");
        return ExitCode::from(2);
    }
    let me = Arc::new(Me {
        name: name.clone(),
        present: Mutex::default(),
        leaving: Mutex::default(),
        somebody_left: Condvar::new(),
    });
    if let Err(error) = listen_and_dial(&me, listen, others) {
        eprintln!("cannot listen on {listen}: {error}");
        return ExitCode::FAILURE;
    }
    say_what_is_typed(&me);
    leave_in_good_order(&me);
    ExitCode::SUCCESS
}

/// Each line of standard input to everybody, until it ends.
fn say_what_is_typed(me: &Me) {
    for line in io::stdin().lock().split(b'\n') {
        // A standard input that can't be read has ended, too.
        let Ok(line) = line else { return };
        match str::from_utf8(&line) {
            Err(_) => refuse("the line is not UTF-8"),
            Ok(text) if "SAY \n".len() + text.len() > LONGEST => refuse("the line is too long"),
            Ok(text) => broadcast(me, &format!("SAY {text}\n")),
        }
    }
}

/// Tells the user that a line was not sent. Where nobody reads stderr any more, nobody misses it.
fn refuse(why: &str) {
    let _ = writeln!(io::stderr(), "not sent: {why}");
}

/// Says BYE to all, ends all sending sides, and waits a moment for the others to end theirs:
/// to close earlier might reset a connection, and lose what was said last.
fn leave_in_good_order(me: &Me) {
    broadcast(me, "BYE\n");
    for stream in present(me) {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let somebody_is_there = |leaving: &mut usize| *leaving > 0 || !present(me).is_empty();
    let leaving = lock(&me.leaving);
    // Whether all have left or the time is over: the program ends now.
    let _ = me.somebody_left.wait_timeout_while(leaving, FAREWELL_LIMIT, somebody_is_there);
}
