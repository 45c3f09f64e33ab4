//! Programs of lab 9 that run while something is measured.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use crate::program::{Given, Template};

/// However slow the machine is: nobody needs longer for the file, or to start.
pub(super) const BACKSTOP: Duration = Duration::from_secs(120);

/// A program that runs, and ends with its owner.
pub(super) struct Peer {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    /// Starts one that dials these addresses, and waits until it listens. Returns what it prints behind
    /// that, too.
    pub(super) fn start(
        program: &Template,
        torrent: &Path,
        folder: &Path,
        dialled: Vec<SocketAddr>,
    ) -> io::Result<(Self, BufReader<ChildStdout>)> {
        let given = Given::text("127.0.0.1:0")
            .with("torrent", torrent.display())
            .with("dir", folder.display())
            .with_all("peers", dialled);
        let (mut command, _) = program.fill(&given);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().map(BufReader::new);
        let mut peer = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut stdout = stdout.ok_or(io::ErrorKind::BrokenPipe)?;
        peer.address = address_in(&mut stdout)?;
        Ok((peer, stdout))
    }
}

/// The address in its first line.
fn address_in(stdout: &mut BufReader<ChildStdout>) -> io::Result<SocketAddr> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let address = line.trim_end().strip_prefix("listening on ");
    let address = address.and_then(|address| address.parse().ok());
    address.ok_or_else(|| io::Error::other(format!("a program said {line:?} first")))
}
