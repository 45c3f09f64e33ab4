//! Lab 8's solution beside the servents of the corpus in other languages, where those can be built:
//! questions a second that one link asks and that come out at another one.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::echo::Server;
use super::measure::{ROUNDS, race};

/// How long a turn takes.
const TURN: Duration = Duration::from_millis(500);
/// Questions that are under way at a time: what does not fit into a link's queue would be dropped.
const LOADS: [(&str, u32); 2] = [("one question at a time", 1), ("64 questions at a time", 64)];
/// The words of a question, in bytes.
const WORDS: usize = 100;

/// Prints what each servent does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    let folder = TempDir::new()?;
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared)?;
    let right = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/08-flood/right");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (shared, solution) = (text(&shared), text(solution));
    let (python, go) = (text(&right.join("threads.py")), text(&folder.path().join("go")));
    let mut build = Command::new("go");
    build.args(["build", "-o", &go]).arg(right.join("goroutines.go"));
    // Where there is no Go its servent can't be started, and is skipped.
    let _ = build.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let programs: [(&str, &str, Vec<&str>); 3] = [
        ("lab 8", &solution, vec!["{addr}", &shared]),
        ("go", &go, vec!["{addr}", &shared]),
        ("python3", "python3", vec![&python, "{addr}", &shared]),
    ];
    println!(
        "flood throughput, questions/s from one link to another: medians of {ROUNDS} rounds, in which the \
         servents take turns (least to most)"
    );
    let mut servents = Vec::new();
    for (name, program, arguments) in programs {
        match Server::start(program, &arguments) {
            Some(servent) => servents.push((name, servent)),
            None => println!("  {name:<8} skipped: it can't be started"),
        }
    }
    for (what, under_way) in LOADS {
        println!("  {what}");
        race(&servents, |servent| passed_on(servent.address, under_way))?;
    }
    println!();
    Ok(())
}

/// Questions a second that are passed on, with so many under way.
fn passed_on(servent: SocketAddr, under_way: u32) -> io::Result<f64> {
    let (mut asker, mut other) = (link(servent)?, link(servent)?);
    // A port of its own in each turn, so that the ids are new.
    let turn = asker.local_addr()?.port();
    let mut number = 0;
    let mut ask = || {
        number += 1;
        asker.write_all(&question(turn, number))
    };
    let mut came = question(turn, 0);
    // One who is greeted is asked a moment later: what was sent before that did not come.
    other.set_read_timeout(Some(Duration::from_millis(50)))?;
    loop {
        ask()?;
        match other.read_exact(&mut came) {
            Ok(()) => break,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    other.set_read_timeout(Some(Duration::from_secs(5)))?;
    (0..under_way).try_for_each(|_| ask())?;
    let (began, mut passed) = (Instant::now(), 0_u32);
    while began.elapsed() < TURN {
        other.read_exact(&mut came)?;
        // TTL 1, hops 1: it has come through one servent.
        if came[16..19] != [0x80, 1, 1] {
            return Err(io::Error::other(format!("{servent} sends something else")));
        }
        passed += 1;
        ask()?;
    }
    Ok(f64::from(passed) / began.elapsed().as_secs_f64())
}

/// A new link.
fn link(servent: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(servent)?;
    stream.set_nodelay(true)?;
    stream.write_all(b"GNUTELLA CONNECT/0.4\n\n")?;
    stream.read_exact(&mut [0; b"GNUTELLA OK\n\n".len()])?;
    Ok(stream)
}

/// A Query that nobody can answer. Its id has the number of the turn in it, so that nobody has seen it.
fn question(turn: u16, number: u32) -> Vec<u8> {
    let mut bytes = vec![0; 23 + 2 + WORDS + 1];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes[4..6].copy_from_slice(&turn.to_le_bytes());
    bytes[16..19].copy_from_slice(&[0x80, 2, 0]);
    bytes[19] = (2 + WORDS + 1) as u8;
    bytes[25..25 + WORDS].fill(b'x');
    bytes
}
