//! A server in a process of its own, which can be killed and stopped, and what carries clients to it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::stage::{NOBODY, row, wait_for};

/// What it answers, in two halves: the second one when it is asked for.
pub(super) const HALVES: [&str; 2] = ["hello, ", "world!"];
/// What asks for a half.
pub(super) const ASKS: &[u8] = b"?";

/// A server. It ends with its value, stopped or not.
pub(super) struct Backend {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

impl Backend {
    /// Starts it, and waits until it listens.
    pub(super) fn start(address: SocketAddr) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "halves", &address.to_string()]).stdin(Stdio::null());
        let backend = Self { child: command.spawn()?, address };
        let listens = wait_for(|| row(address, NOBODY))?;
        listens.ok_or_else(|| io::Error::other("the server does not listen"))?;
        Ok(backend)
    }

    /// SIGKILL, which no program can catch.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Stops it, with all of its threads, or lets it go on: std has no call for it.
    pub(super) fn signal(&self, name: &str) -> io::Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args([&format!("-{name}"), &pid]).status().map(drop)
    }
}

/// Not for users: the server.
///
/// # Errors
/// What the system says.
pub fn halves(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    loop {
        let (mut stream, _) = listener.accept()?;
        thread::spawn(move || {
            for half in HALVES.iter().cycle() {
                let asked = stream.read_exact(&mut [0]).is_ok();
                if !asked || stream.write_all(half.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }
}

/// Takes clients, and carries each to the next server that can be dialled.
pub(super) struct Turns {
    listener: TcpListener,
    servers: Vec<SocketAddr>,
    next: usize,
}

impl Turns {
    pub(super) fn new(at: SocketAddr, servers: &[&Backend]) -> io::Result<Self> {
        let servers = servers.iter().map(|server| server.address).collect();
        Ok(Self { listener: TcpListener::bind(at)?, servers, next: 0 })
    }

    /// A client that has connected, and how many servers were dialled for it.
    pub(super) fn client(&mut self) -> io::Result<(TcpStream, usize)> {
        let client = TcpStream::connect(self.listener.local_addr()?)?;
        let (accepted, _) = self.listener.accept()?;
        for tries in 1..=self.servers.len() {
            let server = self.servers[self.next % self.servers.len()];
            self.next += 1;
            if let Ok(dialled) = TcpStream::connect(server) {
                carry_both(accepted, dialled);
                return Ok((client, tries));
            }
        }
        Err(io::Error::other("no server is left"))
    }
}

/// Carries both directions, each in a thread of its own, with their ends.
fn carry_both(accepted: TcpStream, dialled: TcpStream) {
    let (accepted, dialled) = (Arc::new(accepted), Arc::new(dialled));
    for (from, to) in [(&accepted, &dialled), (&dialled, &accepted)] {
        let (from, to) = (Arc::clone(from), Arc::clone(to));
        thread::spawn(move || {
            let _ = io::copy(&mut &*from, &mut &*to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
