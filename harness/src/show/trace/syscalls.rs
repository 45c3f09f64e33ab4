//! The system calls of a program, by strace.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Calls that have to do with sockets, and with their end.
const CALLS: &str = "trace=%network,close,splice";

/// A file that strace writes to, and how far it was read.
#[derive(Debug)]
pub(super) struct Syscalls {
    path: PathBuf,
    read: u64,
    /// Before the first socket a program only loads itself.
    begun: bool,
}

impl Syscalls {
    /// Finds out whether strace works here; the reason where not.
    pub(super) fn new() -> Result<Self, String> {
        let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
        match tried {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(format!("strace may not trace here ({words})"));
            }
            Err(_) => return Err("strace is not installed".into()),
        }
        let path = new_file().map_err(|error| format!("no file for strace: {error}"))?;
        Ok(Self { path, read: 0, begun: false })
    }

    /// The same command, run by strace.
    pub(super) fn wrap(&self, command: Command) -> Command {
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-s", "64", "-e", "signal=none", "-e", CALLS, "-A", "-o"]);
        traced.arg(&self.path).arg("--").arg(command.get_program()).args(command.get_args());
        traced
    }

    /// Where strace writes.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// The calls since the last time, whole lines only.
    pub(super) fn take(&mut self) -> Vec<String> {
        let text = self.rest().unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        self.read += whole.len() as u64;
        let mut calls = Vec::new();
        for line in whole.lines() {
            let call = without_pid(line);
            self.begun |= call.starts_with("socket(");
            if self.begun && !call.contains("<unfinished") {
                calls.push(call);
            }
        }
        calls
    }

    fn rest(&self) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Syscalls {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.folder());
    }
}

/// strace begins a line with the thread's id, and pads before the result.
fn without_pid(line: &str) -> String {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    line.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file in a folder that nobody else has. Process ids tell no workers apart: each begins at 1.
fn new_file() -> io::Result<PathBuf> {
    let mut last = io::ErrorKind::AlreadyExists.into();
    for number in 0..1000 {
        let path = env::temp_dir().join(format!("sockets-lab-calls-{number}"));
        match fs::create_dir(&path).and_then(|()| File::create_new(path.join("calls"))) {
            Ok(_) => return Ok(path.join("calls")),
            Err(error) => last = error,
        }
    }
    Err(last)
}
