//! Lab 7: index. A directory that knows who has what, and peers that ask it and then give the
//! files to each other, by HTTP. The directory never sees a byte of a file.
//!
//! You write the five marked regions. Given, in the modules beside this file: `serving` (accepting,
//! and the end of a connection), `directory` (who is there), `sharing` (what the user types), `link`
//! (the connection to the index), `folder`, `http`, `text` (names, sums, hits), `sha1`, `times` and
//! `output`. What each step must do stands in this folder's README.md.

mod arguments;
mod directory;
mod folder;
mod http;
mod link;
mod output;
mod serving;
mod sha1;
mod sharing;
mod text;
mod times;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Instant;

use arguments::{Arguments, USAGE};
use directory::{Directory, Peer};
use folder::Part;
use http::{Failure, Request, Response};
use link::Link;
use output::{print, report};
use sharing::Me;
use text::{File, Hit, LONGEST, Trouble, is_file_name, is_name, is_sha1, number, text_of, words};

/// The most files that the index takes from one peer.
const MOST_FILES: usize = 10_000;
/// The most hits of one find.
const MOST_HITS: usize = 100;
/// How much of a file is in memory at once, for each transfer, in bytes.
const PIECE: usize = 64 * 1024;

/// Step 1, `attend`: holds the session of one peer with the index, from its JOIN until it has left,
/// however it leaves. The caller ends the connection in good order.
fn attend(mut stream: &TcpStream, directory: &Directory) {
    // ANCHOR: attend
    let Ok(source) = stream.peer_addr() else { return };
    let me = directory.number();
    let mut said = BufReader::new(stream);
    let mut session = || -> Result<(), Trouble> {
        // A machine that is dead sends no FIN. All that there is to see of it is that nothing comes.
        stream.set_read_timeout(Some(directory.silence))?;
        stream.set_write_timeout(Some(directory.silence))?;
        let mut has_joined = false;
        let mut line = Vec::new();
        loop {
            line.clear();
            said.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)?;
            let Some(line) = text_of(&line)? else { return Ok(()) };
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            match verb {
                "JOIN" if !has_joined => {
                    let [name, port] = words(rest).ok_or("a JOIN without a name and a port")?;
                    let port = number(port).and_then(|port| u16::try_from(port).ok());
                    let port = port.filter(|port| *port != 0).ok_or("a port that is none")?;
                    if !is_name(name) {
                        return Err("a name that is none".into());
                    }
                    // The port is the peer's own word, since it called from another one. The host is
                    // not: who could name any could send others to a stranger.
                    let address = SocketAddr::new(source.ip(), port);
                    let files = BTreeMap::new();
                    let peer = Peer { name: name.to_owned(), address, files };
                    directory.peers().insert(me, peer);
                    has_joined = true;
                    print(&format!("joined {name} {address}"));
                    let silence = directory.silence.as_millis();
                    stream.write_all(format!("WELCOME {address} {silence}\n").as_bytes())?;
                }
                _ if !has_joined => return Err("the first line is not JOIN".into()),
                "HAVE" => {
                    let [sha1, size, file] = words(rest).ok_or("a HAVE without its three parts")?;
                    let size = number(size).ok_or("a size that is none")?;
                    if !is_sha1(sha1) || !is_file_name(file) {
                        return Err("a sum or a file that is none".into());
                    }
                    let shared = File { size, sha1: sha1.to_owned() };
                    let mut peers = directory.peers();
                    let Some(peer) = peers.get_mut(&me) else { return Ok(()) };
                    peer.files.insert(file.to_owned(), shared);
                    if peer.files.len() > MOST_FILES {
                        return Err("more than 10000 files".into());
                    }
                }
                "DROP" if !rest.is_empty() => {
                    directory.peers().get_mut(&me).map(|peer| peer.files.remove(rest));
                }
                "FIND" if !rest.is_empty() => {
                    let word = rest.to_ascii_lowercase();
                    // Collected under the lock, and written without it: a peer that does not read
                    // keeps only itself waiting.
                    let mut hits: Vec<String> = Vec::new();
                    for (_, peer) in directory.peers().iter().filter(|(peer, _)| **peer != me) {
                        for (file, File { size, sha1 }) in &peer.files {
                            if hits.len() < MOST_HITS && file.to_ascii_lowercase().contains(&word) {
                                hits.push(format!("HIT {} {size} {sha1} {file}\n", peer.address));
                            }
                        }
                    }
                    let answer = format!("{}END {}\n", hits.concat(), hits.len());
                    stream.write_all(answer.as_bytes())?;
                }
                "ALIVE" if line == verb => {}
                "BYE" if line == verb => return Ok(()),
                _ => return Err("a line that is none of the protocol's".into()),
            }
        }
    };

    // Whatever has happened: a reset and a silence are ends, too.
    let ended = session();
    let left = directory.peers().remove(&me);
    if let Err(Trouble::Broke(rule)) = ended {
        print(&format!("bad peer {source}: {rule}"));
        let _ = stream.write_all(format!("ERROR {rule}\n").as_bytes());
    }
    if let Some(peer) = left {
        print(&format!("left {}", peer.name));
    }
    // ANCHOR_END: attend
}

/// Step 2, `join`: connects to the index, says who we are, tells it each of our files, and from then
/// on says in time that we are still there. Nothing is read behind WELCOME.
fn join(me: &Me, index: &str) -> Result<Arc<Link>, Trouble> {
    // ANCHOR: join
    let link = Arc::new(Link::new(TcpStream::connect(index)?)?);
    link.tell(&format!("JOIN {} {}", me.name, me.port))?;
    let line = link.next_line()?.ok_or("it has ended the connection")?;
    let welcome = line.strip_prefix("WELCOME ").and_then(words);
    let [address, silence] = welcome.ok_or("its first line is not WELCOME")?;
    let address: SocketAddr = address.parse().map_err(|_| "the address in WELCOME is none")?;
    let silence = arguments::milliseconds(silence).ok_or("the silence in WELCOME is none")?;
    print(&format!("joined {address}"));

    for (file, File { size, sha1 }) in me.shared() {
        link.tell(&format!("HAVE {sha1} {size} {file}"))?;
    }

    // Three times in the silence that the index allows: one of them may be late.
    let heart = Arc::clone(&link);
    thread::Builder::new().spawn(move || {
        loop {
            thread::sleep(silence / 3);
            if heart.tell("ALIVE").is_err() {
                return;
            }
        }
    })?;
    Ok(link)
    // ANCHOR_END: join
}

/// Step 3, `find`: asks the index for a word, and prints each hit with its number, from 1, and then
/// how many there were. What is printed is added to `hits`. `lines` are what the index says from now
/// on, each without its LF.
fn find(
    link: &Link,
    lines: &Receiver<String>,
    word: &str,
    hits: &mut Vec<Hit>,
) -> Result<(), Trouble> {
    // ANCHOR: find
    let deadline = Instant::now() + times::patience();
    link.tell(&format!("FIND {word}"))?;
    for count in 0.. {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = lines.recv_timeout(left).map_err(|_| "it gave no whole answer")?;
        match line.split_once(' ') {
            Some(("HIT", _)) if count == MOST_HITS => return Err("more than 100 hits".into()),
            Some(("HIT", rest)) => {
                let hit = Hit::parse(rest).ok_or("a HIT that is none")?;
                // The index is foreign, too: what leads out of our folder is never shown, so that
                // nobody can ask for it.
                if is_file_name(&hit.file) {
                    hits.push(hit);
                    let (number, Hit { address, size, file, .. }) =
                        (hits.len(), &hits[hits.len() - 1]);
                    print(&format!("hit {number} {address} {size} {file}"));
                }
            }
            Some(("END", count)) if number(count).is_some() => break,
            _ => return Err("a line that is neither HIT nor END".into()),
        }
    }
    print(&format!("found {}", hits.len()));
    Ok(())
    // ANCHOR_END: find
}

/// Step 4, `upload`: answers the one request of another peer, with the file or with what is left of
/// it from an offset. The caller ends the connection in good order.
fn upload(me: &Me, mut stream: &TcpStream) -> io::Result<()> {
    // ANCHOR: upload
    let asked = match Request::read(stream) {
        Ok(asked) if asked.method == "GET" => asked,
        Ok(_) => return http::refuse(stream, 405, "Allow: GET\r\n"),
        Err(Failure::Refused(status)) => return http::refuse(stream, status, ""),
        Err(Failure::Gone) => return Ok(()),
    };
    // A name among those that are shared, and never a path: `../secret` is not among them.
    let shared = asked.file().and_then(|name| Some((me.shares(&name)?, name)));
    let opened = shared.and_then(|(File { size, .. }, name)| {
        Some((folder::open(&me.folder, &name, size)?, name, size))
    });
    let Some((mut file, name, size)) = opened else { return http::refuse(stream, 404, "") };

    let (first, end) = match asked.range {
        None => (0, size),
        Some((first, _)) if first >= size => {
            return http::refuse(stream, 416, &format!("Content-Range: bytes */{size}\r\n"));
        }
        Some((first, last)) => (first, last.map_or(size, |last| size.min(last.saturating_add(1)))),
    };
    let mut fields = format!("Content-Length: {}\r\n", end - first);
    if asked.range.is_some() {
        // The last byte is counted from 0, too: one less than the end.
        fields += &format!("Content-Range: bytes {first}-{}/{size}\r\n", end - 1);
    }
    let status = if asked.range.is_some() { 206 } else { 200 };
    let to = stream.peer_addr()?;
    http::send_head(stream, status, &fields)?;

    file.seek(SeekFrom::Start(first))?;
    let mut body = BufReader::with_capacity(PIECE, file.take(end - first));
    let mut sent = 0;
    let ended = loop {
        let piece = match body.fill_buf() {
            Ok([]) => break Ok(()),
            Ok(piece) => piece,
            Err(error) => break Err(error),
        };
        match stream.write(piece) {
            Ok(count) => {
                body.consume(count);
                sent += count;
            }
            Err(signal) if signal.kind() == ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    print(&format!("sent {name} {sent} to {to}"));
    ended
    // ANCHOR_END: upload
}

/// Step 5, `download`: gets a file from the first of its sources, and goes on with the next one
/// where that one stopped. All of them have the same bytes, each under a name of its own; the first
/// one's is the name here. The error is the reason why there is no such file now.
fn download(me: &Me, sources: &[Hit]) -> Result<(), String> {
    // ANCHOR: download
    let wanted = &sources[0];
    let go_on = |part: &mut Part, source: &Hit| -> io::Result<()> {
        let Hit { address, file, .. } = source;
        let mut stream = TcpStream::connect_timeout(address, times::patience())?;
        // For each byte, and not for all of the file, which may be long.
        stream.set_read_timeout(Some(times::patience()))?;
        let offset = part.length;
        let range = if offset > 0 { format!("Range: bytes={offset}-\r\n") } else { String::new() };
        let line = format!("GET /{} HTTP/1.1\r\n", http::escape(file));
        let request = format!("{line}Host: {address}\r\n{range}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;

        let mut reader = BufReader::with_capacity(PIECE, stream);
        match Response::read(&mut reader)? {
            Response { is_coded: true, .. } => return Err(io::Error::other("the body is coded")),
            // What begins somewhere else is not what is missing.
            Response { status: 206, range: Some((first, _)), .. } if first == offset => {
                if offset > 0 {
                    print(&format!("resumed {} at {offset} from {address}", wanted.file));
                }
            }
            // A server may ignore the Range. Then it sends the file from its first byte on.
            Response { status: 200, .. } => part.begin_anew()?,
            other => return Err(io::Error::other(format!("status {}", other.status))),
        }
        // Never more than was promised, whatever comes.
        io::copy(&mut reader.take(wanted.size - part.length), part).map(drop)
    };

    let mut part = Part::open(&me.folder, wanted)?;
    let mut last = wanted.address;
    for source in sources {
        if part.length < wanted.size {
            last = source.address;
            if let Err(error) = go_on(&mut part, source) {
                report(&format!("{} from {last}: {error}", source.file));
            }
        }
    }
    if part.length < wanted.size {
        return Err("nobody has the rest of it".into());
    }
    // Neither the end of a stream nor the right length proves anything.
    if !part.is_right().map_err(|error| error.to_string())? {
        part.delete().map_err(|error| error.to_string())?;
        return Err("its bytes are not those of the sum".into());
    }
    part.finish().map_err(|error| error.to_string())?;
    print(&format!("got {} {} from {last}", wanted.file, wanted.size));
    me.share(wanted);
    Ok(())
    // ANCHOR_END: download
}

fn main() -> ExitCode {
    let done = match Arguments::given() {
        Some(Arguments::Serve { address, silence }) => directory::run(&address, silence),
        Some(Arguments::Share { name, index, listen, folder }) => {
            sharing::run(&name, &index, &listen, &folder)
        }
        None => {
            report(USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            report(&line);
            ExitCode::FAILURE
        }
    }
}
