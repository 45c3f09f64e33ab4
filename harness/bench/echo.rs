//! Echo throughput of lab 1's solution beside real servers, where those are installed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::measure::Spread;

/// Rounds, in each of which every server has its turn.
const ROUNDS: usize = 5;
/// A shorter sample says more about the machine's mood than about the server.
const SAMPLE: Duration = Duration::from_millis(300);
/// Bytes over a connection of a bulk run, at a time.
const BULK: usize = 32 << 20;
/// Round trips of 64 bytes over several connections, at a time.
const TRIPS: usize = 6_400;

/// A server that was started; it is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Option<Self> {
        Self::start_with(program, arguments, |_| Ok(()))
    }

    /// The same of a program that has its address from a file, which `prepare` writes.
    pub(crate) fn start_with(
        program: &str,
        arguments: &[&str],
        prepare: impl FnOnce(SocketAddr) -> io::Result<()>,
    ) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
        prepare(address).ok()?;
        let fill = |word: &&str| {
            let word = word.replace("{addr}", &address.to_string());
            word.replace("{host}", "127.0.0.1").replace("{port}", &address.port().to_string())
        };
        let mut command = Command::new(program);
        // The end of its standard input would be the end of a program that has a user.
        command.args(arguments.iter().map(fill)).stdin(Stdio::piped());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let mut server = Self { child, address };
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if TcpStream::connect(address).is_ok() {
                return Some(server);
            }
            if !matches!(server.child.try_wait(), Ok(None)) {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is measured of each server, and in what unit.
type Measure = (&'static str, fn(SocketAddr) -> io::Result<f64>);

const MEASURES: [Measure; 4] = [
    ("round trips/s over one connection", one_by_one),
    ("round trips/s over 8 connections", |address| side_by_side(address, 8)),
    ("round trips/s over 64 connections", |address| side_by_side(address, 64)),
    ("MiB/s over one connection, both ways", bulk),
];

/// Prints what each server does, and the ratio of its median to the solution's.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    println!(
        "echo throughput: medians of {ROUNDS} rounds, in which the servers take turns (least to most)\n\
         (lab 1 and python3 serve their connections one after another)"
    );
    let solution = solution.to_string_lossy();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/echo.py");
    let python = python.to_string_lossy();
    let programs: [(&str, &str, Vec<&str>); 3] = [
        ("lab 1", &solution, vec!["{addr}"]),
        ("socat", "socat", vec!["TCP-LISTEN:{port},bind={host},reuseaddr,fork", "SYSTEM:exec cat"]),
        ("python3", "python3", vec![&python, "{host}", "{port}"]),
    ];
    let mut servers = Vec::new();
    for (name, program, arguments) in programs {
        match Server::start(program, &arguments) {
            Some(server) => servers.push((name, server)),
            None => println!("  {name:<8} skipped: it can't be started"),
        }
    }
    for (what, measure) in MEASURES {
        println!("  {what}");
        let mut rates = vec![Vec::new(); servers.len()];
        for _ in 0..ROUNDS {
            for ((_, server), rates) in servers.iter().zip(&mut rates) {
                rates.push(measure(server.address)?);
            }
        }
        let mut first = None;
        for ((name, _), rates) in servers.iter().zip(rates) {
            let spread = Spread::from(rates);
            let ratio = spread.median / *first.get_or_insert(spread.median);
            let Spread { least, median, most } = spread;
            println!("    {name:<8} {median:8.0}  ({least:.0} to {most:.0})   x{ratio:.2}");
        }
    }
    Ok(())
}

/// Round trips a second over a connection that stays. The clock starts after the first: what it
/// takes to accept a client is no part of it.
fn one_by_one(address: SocketAddr) -> io::Result<f64> {
    let mut client = Client::connect(address)?;
    client.trip()?;
    let began = Instant::now();
    let mut trips = 0;
    while began.elapsed() < SAMPLE {
        client.trip()?;
        trips += 1;
    }
    Ok(f64::from(trips) / began.elapsed().as_secs_f64())
}

/// Round trips a second over so many connections at a time, with what it takes to accept them.
/// Each of them ends, since an iterative server would keep the others waiting.
fn side_by_side(address: SocketAddr, connections: usize) -> io::Result<f64> {
    let together = |trips: usize| {
        thread::scope(|scope| {
            let client = || {
                let mut client = Client::connect(address)?;
                (0..trips).try_for_each(|_| client.trip())
            };
            let clients: Vec<_> = (0..connections).map(|_| scope.spawn(client)).collect();
            clients.into_iter().try_for_each(join)
        })
    };
    together(1)?;
    let began = Instant::now();
    let mut trips = 0;
    while began.elapsed() < SAMPLE {
        together(TRIPS / connections)?;
        trips += TRIPS;
    }
    Ok(trips as f64 / began.elapsed().as_secs_f64())
}

/// A client that sends 64 bytes and waits until they are back.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    fn trip(&mut self) -> io::Result<()> {
        self.0.write_all(&[b'x'; 64])?;
        self.0.read_exact(&mut [0; 64])
    }
}

/// Mebibytes a second over one connection at a time, both directions at once. The clock runs from
/// the first bytes that are back to the last ones.
fn bulk(address: SocketAddr) -> io::Result<f64> {
    let (mut bytes, mut time) = (0, Duration::ZERO);
    while time < SAMPLE {
        let (more, took) = stream(address)?;
        bytes += more;
        time += took;
    }
    Ok(bytes as f64 / f64::from(1 << 20) / time.as_secs_f64())
}

/// How many bytes came back after the first ones, and how long that took.
fn stream(address: SocketAddr) -> io::Result<(usize, Duration)> {
    let stream = TcpStream::connect(address)?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (&stream).write_all(&vec![b'x'; BULK])?;
            stream.shutdown(Shutdown::Write)
        });
        let mut buffer = vec![0; 1 << 18];
        let first = (&stream).read(&mut buffer)?;
        let began = Instant::now();
        let mut seen = first;
        while seen < BULK {
            match (&stream).read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => seen += count,
            }
        }
        let took = began.elapsed();
        join(writer)?;
        Ok((seen - first, took))
    })
}

fn join(thread: thread::ScopedJoinHandle<'_, io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a client panicked")))
}
