//! The servent around the five steps: it accepts and calls, reads from each link in a thread of its
//! own, does what the user types, and says what happens.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::arguments::{Arguments, USAGE};
use crate::descriptor::{Descriptor, Id, LONGEST_PAYLOAD, PING, PONG, QUERY, QUERY_HIT, random_id};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::links::{Greeting, Link, Links, Role};
use crate::payload::{self, Hit};
use crate::seen::{Seen, Way};
use crate::times::{GREETING, PAUSE, at_tempo};
use crate::{fetch, flood, handshake, http, read_descriptor, route_back};

/// How far the user's own questions go, in links.
const TTL: u8 = 7;
/// The most hits that are shown for one find.
const MOST_SHOWN: usize = 1000;

/// This servent: what all of its threads share.
#[derive(Debug)]
pub struct Servent {
    /// What it is known by in a QueryHit.
    pub id: Id,
    /// Its files.
    pub folder: Folder,
    /// Its links.
    pub links: Links,
    /// The questions that have come, and its own.
    pub seen: Seen,
    /// The port where it listens.
    port: u16,
    /// The user's last find.
    find: Mutex<Find>,
}

/// A find of the user's, and what has come of it.
#[derive(Debug, Default)]
struct Find {
    id: Option<Id>,
    /// The hits that were shown. Number 1 is the first.
    hits: Vec<Hit>,
}

impl Servent {
    /// Where it can be reached by whoever hears from it over this link.
    pub fn address_on(&self, link: &Link) -> SocketAddrV4 {
        SocketAddrV4::new(link.ip, self.port)
    }

    /// Shows the user an answer to the user's own question.
    pub fn show(&self, answer: &Descriptor) {
        if answer.kind == PONG {
            if let Some(pong) = payload::read_pong(&answer.payload) {
                print(&format!("pong {} {} {}", pong.address, pong.files, pong.kilobytes));
            }
            return;
        }
        let Some(hits) = payload::read_query_hit(&answer.payload) else { return };
        // Taken first: so hits are printed in the order of their numbers.
        let mut stdout = io::stdout().lock();
        let mut lines = String::new();
        let mut find = lock(&self.find);
        if find.id == Some(answer.id) {
            for hit in hits.into_iter().take(MOST_SHOWN - find.hits.len()) {
                let Hit { address, size, name, .. } = &hit;
                let number = find.hits.len() + 1;
                // A string takes everything.
                let _ = writeln!(lines, "hit {number} {address} {size} {name}");
                find.hits.push(hit);
            }
        }
        drop(find);
        // Where nobody reads it any more, nobody misses it.
        let _ = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Asks everybody a question of the user's own.
    fn ask(&self, id: Id, kind: u8, payload: Vec<u8>) {
        let question = Descriptor { id, kind, ttl: TTL, hops: 0, payload };
        // Before it is sent: it may come round.
        self.seen.remember(&question, Way::Here);
        for link in self.links.all() {
            link.send(&question);
        }
    }
}

/// All that the program does.
pub fn run() -> ExitCode {
    let Some(arguments) = Arguments::given() else {
        report(USAGE);
        return ExitCode::from(2);
    };
    let (servent, listener) = match start(&arguments) {
        Ok(started) => started,
        Err(line) => {
            report(&line);
            return ExitCode::FAILURE;
        }
    };
    let shared = Arc::clone(&servent);
    spawn(move || accept(&shared, &listener));
    for peer in arguments.peers {
        // A call that nobody answers can take minutes: only this thread waits.
        let servent = Arc::clone(&servent);
        spawn(move || call(&servent, &peer));
    }
    obey(&servent);
    // Links, downloads and uploads end with the program.
    ExitCode::SUCCESS
}

/// Looks into the folder, listens, and says so. The error is the line that tells why it can't.
fn start(arguments: &Arguments) -> Result<(Arc<Servent>, TcpListener), String> {
    let Arguments { listen, folder, .. } = arguments;
    let read = Folder::read(folder);
    let read = read.map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let bound = first_ipv4(listen).and_then(TcpListener::bind);
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) =
        bound.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    print(&format!("listening on {address}"));
    let servent = Servent {
        id: random_id(),
        folder: read,
        links: Links::default(),
        seen: Seen::default(),
        port: address.port(),
        find: Mutex::default(),
    };
    Ok((Arc::new(servent), listener))
}

/// The first address of this name that the protocol has room for: four bytes.
fn first_ipv4(address: &str) -> io::Result<SocketAddr> {
    let none = || io::Error::new(ErrorKind::AddrNotAvailable, "it has no address of IPv4");
    address.to_socket_addrs()?.find(SocketAddr::is_ipv4).ok_or_else(none)
}

/// Accepts for ever.
fn accept(servent: &Arc<Servent>, listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((stream, address)) => {
                // A caller may be slow to greet: only its own thread waits.
                let servent = Arc::clone(servent);
                spawn(move || attend(&servent, stream, address, Role::Server));
            }
            Err(error) => {
                report(&format!("cannot take a connection: {error}"));
                // No descriptor left: to try again at once would keep the processor busy.
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Calls another servent.
fn call(servent: &Arc<Servent>, peer: &str) {
    match first_ipv4(peer).and_then(TcpStream::connect).and_then(|s| Ok((s.peer_addr()?, s))) {
        Ok((address, stream)) => attend(servent, stream, address, Role::Client),
        Err(error) => report(&format!("cannot reach {peer}: {error}")),
    }
}

/// One connection, from the greeting to its end.
fn attend(servent: &Arc<Servent>, stream: TcpStream, address: SocketAddr, role: Role) {
    let deadline = Instant::now() + at_tempo(GREETING);
    // A descriptor is sent at once, not when the one before it has been acknowledged (Nagle).
    let _ = stream.set_nodelay(true);
    let place = match handshake(&stream, role, &servent.links, deadline) {
        Ok(Greeting::Link(taken)) => taken,
        Ok(Greeting::NoPlace) => return,
        Ok(Greeting::Download(begun)) => {
            let _ = stream.set_read_timeout(None);
            // Whoever can't be given a file has gone, or sends no request.
            let _ = http::give(&stream, begun, &servent.folder);
            return;
        }
        Err(failure) => return print(&format!("bad peer {address}: {failure}")),
    };
    let link = match Link::open(stream) {
        Ok(link) => link,
        Err(error) => return report(&format!("there is no thread for {address}: {error}")),
    };
    servent.links.add(&link);
    print(&format!("linked {address} as {role}"));
    let end = read_from(servent, &link);
    servent.links.remove(&link);
    link.close();
    drop(place);
    print(&match end {
        Failure::Broke(rule) => format!("bad peer {address}: {rule}"),
        Failure::Lost(_) => format!("unlinked {address}"),
    });
}

/// Reads from a link until it ends, or breaks a rule.
fn read_from(servent: &Servent, link: &Arc<Link>) -> Failure {
    // One reader for as long as the link lasts: it reads ahead.
    let mut reader = BufReader::new(&link.stream);
    loop {
        let descriptor = match read_descriptor(&mut reader) {
            Ok(descriptor) => descriptor,
            Err(failure) => return failure,
        };
        match descriptor.kind {
            PING | QUERY => flood(servent, link, descriptor),
            PONG | QUERY_HIT => route_back(servent, descriptor),
            // Something that this program has no use for.
            _ => {}
        }
    }
}

/// Does what the user types, until standard input ends.
fn obey(servent: &Arc<Servent>) {
    for line in io::stdin().lock().split(b'\n') {
        // A standard input that can't be read has ended, too.
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line);
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("ping", "") => servent.ask(random_id(), PING, Vec::new()),
            ("find", words) => find(servent, words),
            ("get", number) => get(servent, number),
            _ => report("there are the commands `ping`, `find WORDS` and `get N`"),
        }
    }
}

/// `find WORDS`
fn find(servent: &Servent, words: &str) {
    let payload = payload::query(words);
    if words.trim_matches(' ').is_empty() {
        report("`find` needs a word of what you are looking for");
    } else if words.contains(['\0', '\u{fffd}']) || payload.len() > LONGEST_PAYLOAD as usize {
        report("this can't be asked: it is too long, or no text");
    } else {
        let id = random_id();
        *lock(&servent.find) = Find { id: Some(id), hits: Vec::new() };
        servent.ask(id, QUERY, payload);
    }
}

/// `get N`
fn get(servent: &Arc<Servent>, number: &str) {
    let index = number.parse().ok().and_then(|number: usize| number.checked_sub(1));
    let hit = index.and_then(|index| lock(&servent.find).hits.get(index).cloned());
    let Some(hit) = hit else {
        return report(&format!("there is no hit {number} since the last find"));
    };
    // Several may run at once, and the user can type on.
    let servent = Arc::clone(servent);
    spawn(move || {
        let Hit { address, size, name, .. } = &hit;
        let got = servent.folder.claim(name).and_then(|claim| {
            fetch(&hit, &servent.folder)?;
            servent.folder.add(name.clone(), *size);
            drop(claim);
            Ok(())
        });
        print(&match got {
            Ok(()) => format!("got {name} {size} from {address}"),
            Err(failure) => format!("failed {name}: {failure}"),
        });
    });
}

/// Starts a thread. Where there is none, what it was for is not done, and the program goes on.
fn spawn(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().spawn(work) {
        report(&format!("there is no thread: {error}"));
    }
}

/// Prints an event, as one line and at once. Where nobody reads it any more, nobody misses it.
fn print(event: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{event}").and_then(|()| stdout.flush());
}

/// A line on standard error. Where nobody reads that any more the program goes on all the same:
/// `eprintln!` would panic.
fn report(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A thread that panicked leaves a list that is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
