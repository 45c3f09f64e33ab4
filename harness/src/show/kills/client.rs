//! A client: it asks for the name with the program of lab 6, and loads the page with that of lab 2.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::Programs;
use crate::sync::lock;

/// What the clients ask for.
pub(super) const NAME: &str = "www.example.test";
/// The file of the page.
pub(super) const PAGE: &str = "page.bin";

/// How a request has ended for whoever has made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// The page is whole, from the first address.
    AtOnce,
    /// At the first address nobody listened; the page is whole, from the other one.
    OtherAddress,
    /// The connection ended before the page did, and the program said so.
    Cut,
    /// The same, and the program ended as if all were well.
    CutSilently,
    /// No address, or nobody at any of them.
    Nothing,
}

/// The program that a client is running, if it is: so that somebody else can end it.
pub(super) type Running = Arc<Mutex<Option<Child>>>;

pub(super) struct Client {
    names: PathBuf,
    program: PathBuf,
    server: SocketAddr,
    port: u16,
    first: usize,
    running: Running,
}

/// What a program said, and whether it ended well.
struct Said {
    stdout: Vec<u8>,
    stderr: String,
    is_success: bool,
}

impl Client {
    pub(super) fn new(programs: &Programs, server: SocketAddr, port: u16, first: usize) -> Self {
        let Programs { names, client, .. } = programs.clone();
        Self { names, program: client, server, port, first, running: Running::default() }
    }

    pub(super) fn running(&self) -> Running {
        Arc::clone(&self.running)
    }

    /// What the name leads to, in the order of the answer.
    pub(super) fn addresses(&self) -> io::Result<Vec<IpAddr>> {
        let mut command = Command::new(&self.names);
        command.args(["ask", &self.server.to_string(), NAME]);
        let said = self.run(command, b"")?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let last = |line: &str| line.rsplit(' ').next().and_then(|word| word.parse().ok());
        Ok(text.lines().filter_map(last).collect())
    }

    /// Loads the page once, which should be this one.
    pub(super) fn load(&self, page: &[u8]) -> io::Result<Ending> {
        let mut addresses = self.addresses()?;
        if !addresses.is_empty() {
            let first = self.first % addresses.len();
            addresses.rotate_left(first);
        }
        for (number, address) in addresses.into_iter().enumerate() {
            let mut command = Command::new(&self.program);
            command.arg(SocketAddr::new(address, self.port).to_string());
            let request =
                format!("GET /{PAGE} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
            let said = self.run(command, request.as_bytes())?;
            if is_whole(&said.stdout, page) {
                return Ok(if number == 0 { Ending::AtOnce } else { Ending::OtherAddress });
            }
            // Nothing was sent then, so another server can be asked without doing anything twice.
            if !said.stderr.starts_with("cannot connect to ") {
                return Ok(if said.is_success { Ending::CutSilently } else { Ending::Cut });
            }
        }
        Ok(Ending::Nothing)
    }

    fn run(&self, mut command: Command, input: &[u8]) -> io::Result<Said> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        *lock(&self.running) = Some(child);
        let (mut bytes, mut words) = (Vec::new(), Vec::new());
        if let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = (stdin, stdout, stderr) {
            // One that has ended reads nothing.
            let _ = stdin.write_all(input);
            drop(stdin);
            stdout.read_to_end(&mut bytes)?;
            // One line at most, which the pipe holds until now.
            stderr.read_to_end(&mut words)?;
        }
        let child = lock(&self.running).take();
        let status = child.map(|mut child| child.wait()).transpose()?;
        Ok(Said {
            stdout: bytes,
            stderr: String::from_utf8_lossy(&words).into_owned(),
            is_success: status.is_some_and(|status| status.success()),
        })
    }
}

/// Whether it is a reply with this page, from its first byte to its last.
fn is_whole(reply: &[u8], page: &[u8]) -> bool {
    let head = reply.windows(4).position(|four| four == b"\r\n\r\n");
    let body = head.map(|head| &reply[head + 4..]);
    reply.starts_with(b"HTTP/1.1 200 ") && body == Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_up_to_its_last_byte() {
        assert!(is_whole(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\npage", b"page"));
        for reply in ["HTTP/1.1 200 OK\r\n\r\npag", "HTTP/1.1 404 No\r\n\r\npage", ""] {
            assert!(!is_whole(reply.as_bytes(), b"page"), "{reply}");
        }
    }
}
