//! A place of our own: user, mount, process and network namespaces for each worker.
//!
//! Inside, every port is free, the socket tables show only our own rows, and whatever a program
//! leaves behind dies with the worker. No privilege is needed, but some systems refuse user
//! namespaces (many containers do); then the harness says so and works without.
//!
//! Two network namespaces are made, one after the other: the sizes of the second one's hash
//! tables are settings of the first (`tcp_child_ehash_entries`, `udp_child_hash_entries`), and
//! reading the socket tables of a namespace with small ones is thirty times faster (UDP: three).

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The stages in which a worker gets there, as the argument after `worker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// In the first namespaces: prepares the second network namespace, and enters it.
    Outer,
    /// In the second network namespace: sets it up.
    Inner,
    /// In the system's own network.
    Shared,
}

impl Layer {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Inner => "inner",
            Self::Shared => "shared",
        }
    }

    /// The stage of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Outer, Self::Inner, Self::Shared].into_iter().find(|stage| stage.name() == name)
    }
}

/// The command that starts a worker, isolated or not.
///
/// It has a session of its own: no terminal, so that no program can type into the user's, and
/// Ctrl-C is for the harness alone. (Workers notice its end, and clean up first.)
pub fn command(program: &Path, isolated: bool) -> Command {
    let mut command = Command::new("setsid");
    if !isolated {
        if !can_run("setsid") {
            command = Command::new(program);
            command.process_group(0);
        } else {
            command.arg(program);
        }
        command.args(["worker", Layer::Shared.name()]);
        return command;
    }
    command.args([
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
    ]);
    command.args(["--mount-proc", "--", "unshare", "--net", "--"]);
    command.arg(program).args(["worker", Layer::Outer.name()]);
    command
}

/// Whether the user wants no isolation: `LAB_ISOLATION=off`.
pub fn is_forgone() -> bool {
    std::env::var("LAB_ISOLATION").is_ok_and(|value| value == "off")
}

/// What isolation needs, of util-linux.
const TOOLS: &[&str] = &["unshare", "setsid", "mount", "setpriv", "prlimit"];

/// The tools that are missing here.
pub fn missing_tools() -> Vec<&'static str> {
    TOOLS.iter().copied().filter(|tool| !can_run(tool)).collect()
}

fn can_run(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// Layer [`Layer::Outer`]: replaces this process by one of the inner stage. Returns only when
/// that is not possible.
pub fn enter_inner() -> io::Error {
    // Where the setting is missing the tables are merely slower to read.
    let _ = fs::write("/proc/sys/net/ipv4/tcp_child_ehash_entries", "64");
    let _ = fs::write("/proc/sys/net/ipv4/udp_child_hash_entries", "128");
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut command = Command::new("unshare");
    command.args(["--net", "--"]).arg(program).args(["worker", Layer::Inner.name()]);
    command.exec()
}

/// Layer [`Layer::Inner`]: brings the loopback interface up and makes the socket buffers small.
pub fn set_up_network() -> io::Result<()> {
    let mounted = Command::new("mount").args(["-t", "sysfs", "sysfs", "/sys"]).output()?;
    if !mounted.status.success() {
        let words = String::from_utf8_lossy(&mounted.stderr).trim().to_owned();
        return Err(io::Error::other(words));
    }
    // IFF_UP | IFF_LOOPBACK (include/uapi/linux/if.h).
    fs::write("/sys/class/net/lo/flags", "0x9")?;
    // The small table would leave room for 32 connections in TIME-WAIT, and forget all others.
    let _ = fs::write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1024");
    // With the usual buffers a stalled reader shows only after 4 MB. These are large enough
    // for streams to flow well, and small enough for back pressure to show early.
    for (setting, value) in [("tcp_rmem", "4096 65536 131072"), ("tcp_wmem", "4096 65536 131072")] {
        let _ = fs::write(format!("/proc/sys/net/ipv4/{setting}"), value);
    }
    // Without it a check that needs a name with two addresses is skipped.
    let _ = give_localhost_two_addresses();
    Ok(())
}

/// On many systems `localhost` is 127.0.0.1 and nothing else. In our own mount namespace it is
/// ::1, too.
fn give_localhost_two_addresses() -> io::Result<()> {
    let (path, mut file) = new_file()?;
    let written = file.write_all(b"127.0.0.1 localhost\n::1 localhost\n");
    let mounted = Command::new("mount").arg("--bind").arg(&path).arg("/etc/hosts").output();
    // What is mounted stays when its name has gone.
    fs::remove_file(&path)?;
    written.and(mounted.map(drop))
}

/// A file that nobody else has. Process ids tell no workers apart: each begins at 1.
fn new_file() -> io::Result<(PathBuf, File)> {
    let mut last = io::ErrorKind::AlreadyExists.into();
    for number in 0..1000 {
        let path = std::env::temp_dir().join(format!("sockets-lab-hosts-{number}"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
