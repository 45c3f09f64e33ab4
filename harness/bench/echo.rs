//! Echo throughput of lab 1's solution beside real servers, where those are installed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes over each connection of a bulk run.
const BULK: usize = 32 << 20;
/// Round trips of 64 bytes, over all connections of a run.
const TRIPS: usize = 6_400;

/// A server that was started; it is killed when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(program: &str, arguments: &[&str]) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
        let fill = |word: &&str| {
            let word = word.replace("{addr}", &address.to_string());
            word.replace("{host}", "127.0.0.1").replace("{port}", &address.port().to_string())
        };
        let mut command = Command::new(program);
        command.args(arguments.iter().map(fill)).stdin(Stdio::null());
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
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints what each server does, and the ratio to the solution.
pub(crate) fn throughput(solution: &Path) -> io::Result<()> {
    println!("echo throughput (an iterative server serves its connections one after another)");
    let solution = solution.to_string_lossy();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/echo.py");
    let python = python.to_string_lossy();
    let servers: [(&str, &str, Vec<&str>); 3] = [
        ("lab 1", &solution, vec!["{addr}"]),
        ("socat", "socat", vec!["TCP-LISTEN:{port},bind={host},reuseaddr,fork", "SYSTEM:exec cat"]),
        ("python3", "python3", vec![&python, "{host}", "{port}"]),
    ];
    let mut base: Option<Vec<f64>> = None;
    for (name, program, arguments) in servers {
        let Some(server) = Server::start(program, &arguments) else {
            println!("  {name:<8} skipped: it can't be started");
            continue;
        };
        let mut figures = Vec::new();
        for connections in [1, 8, 64] {
            figures.push(round_trips(server.address, connections)?);
        }
        figures.push(bulk(server.address)?);
        let base = base.get_or_insert_with(|| figures.clone());
        let ratio = |index: usize| figures[index] / base[index];
        println!(
            "  {name:<8} round trips/s over 1, 8, 64 connections: {:.0}, {:.0}, {:.0} (x{:.2}, x{:.2}, x{:.2})   bulk: {:.0} MiB/s (x{:.2})",
            figures[0],
            figures[1],
            figures[2],
            ratio(0),
            ratio(1),
            ratio(2),
            figures[3],
            ratio(3)
        );
    }
    Ok(())
}

/// Round trips a second, over so many connections at the same time.
fn round_trips(address: SocketAddr, connections: usize) -> io::Result<f64> {
    let began = Instant::now();
    thread::scope(|scope| {
        let client = || {
            let mut stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            let mut reply = [0; 64];
            for _ in 0..TRIPS / connections {
                stream.write_all(&[b'x'; 64])?;
                stream.read_exact(&mut reply)?;
            }
            Ok(())
        };
        let clients: Vec<_> = (0..connections).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(join)
    })?;
    Ok(TRIPS as f64 / began.elapsed().as_secs_f64())
}

/// Mebibytes a second over one connection, both directions at once.
fn bulk(address: SocketAddr) -> io::Result<f64> {
    let began = Instant::now();
    let stream = TcpStream::connect(address)?;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (&stream).write_all(&vec![b'x'; BULK])?;
            stream.shutdown(Shutdown::Write)
        });
        let mut seen = 0;
        let mut buffer = vec![0; 1 << 18];
        while seen < BULK {
            match (&stream).read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => seen += count,
            }
        }
        join(writer)
    })?;
    Ok((BULK >> 20) as f64 / began.elapsed().as_secs_f64())
}

fn join(thread: thread::ScopedJoinHandle<'_, io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a client panicked")))
}
