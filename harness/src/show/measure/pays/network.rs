//! Programs that get a file, each with a line of its own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use super::super::line::{Gate, Line, relay};
use super::super::programs::{BACKSTOP, Peer};
use super::{RATE, Run, Shape};
use crate::program::Template;
use crate::trial::Folder;

/// Starts one that has the file and so many that want it, and waits until all have it.
pub(super) fn run(
    program: &Template,
    torrent: &Path,
    file: &Path,
    shape: Shape,
    count: usize,
) -> io::Result<Run> {
    let (gate, folder) = (Arc::new(Gate::default()), Folder::new("who-pays-run")?);
    let (done, all_done) = mpsc::channel();
    let mut peers: Vec<(Peer, Arc<Line>)> = Vec::new();
    for number in 0..=count {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own)?;
        if number == 0 {
            fs::hard_link(file, own.join(name_of(file))).or_else(|_| copy(file, &own))?;
        }
        let line = Line::new(RATE);
        let dialled = match shape {
            Shape::Star => &peers[..number.min(1)],
            Shape::Mesh => &peers[..],
        };
        let dialled = dialled.iter().map(|(peer, far)| relay(peer.address, &line, far, &gate));
        let dialled = dialled.collect::<io::Result<Vec<_>>>()?;
        let (peer, stdout) = Peer::start(program, torrent, &own, dialled)?;
        peers.push((peer, line));
        let done = done.clone();
        thread::spawn(move || follow(stdout, number, &done));
    }
    drop(done);
    let began = Instant::now();
    gate.open();
    for _ in 0..count {
        let left = BACKSTOP.saturating_sub(began.elapsed());
        let has_it = all_done.recv_timeout(left).unwrap_or(false);
        if !has_it {
            return Err(io::Error::other(format!(
                "of {count} programs some did not get the file within {} s",
                BACKSTOP.as_secs()
            )));
        }
    }
    let time = began.elapsed();
    let (first, others) = peers.split_at(1);
    let sent = |peers: &[(Peer, Arc<Line>)]| peers.iter().map(|(_, line)| line.sent()).sum();
    Ok(Run { time, by_the_first: sent(first), by_the_others: sent(others) })
}

fn name_of(file: &Path) -> PathBuf {
    file.file_name().map(PathBuf::from).unwrap_or_default()
}

fn copy(file: &Path, folder: &Path) -> io::Result<()> {
    fs::copy(file, folder.join(name_of(file))).map(drop)
}

/// Reads what a program prints, and says when it has the file, or that it has ended without it.
fn follow(stdout: BufReader<ChildStdout>, number: usize, done: &Sender<bool>) {
    let mut has_it = number == 0;
    for line in stdout.lines().map_while(Result::ok) {
        if line == "complete" {
            has_it = true;
            let _ = done.send(true);
        }
    }
    if !has_it {
        let _ = done.send(false);
    }
}
