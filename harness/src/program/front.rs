//! What stands in front of every program: it takes capabilities away, and the way to gain any.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use crate::kernel;

/// Where the user has all capabilities: of the system, or of a namespace.
pub(super) const ALL: &[&str] =
    &["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"];
/// Where the user has none to lose.
const SOME: &[&str] = &["setpriv", "--inh-caps=-all", "--no-new-privs", "--"];

/// The words in front of a program, as far as this system has what they name: found out once.
pub(super) fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<&[&str]> = OnceLock::new();
    WORDS.get_or_init(|| {
        let works = |words: &&&[&str]| {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg("true").stdin(Stdio::null());
            command.output().is_ok_and(|output| output.status.success())
        };
        [ALL, SOME].iter().find(works).copied().unwrap_or_default()
    })
}

/// Whether a program has fewer privileges than this process, whatever those are.
pub fn takes_privileges() -> bool {
    words() == ALL
}

/// The same command with these words in front.
pub(super) fn put_before(words: &[&str], command: Command) -> Command {
    let Some((first, rest)) = words.split_first() else { return command };
    let mut front = Command::new(first);
    front.args(rest).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => front.env(name, value),
            None => front.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        front.current_dir(folder);
    }
    front
}

/// Waits until process `pid` has executed the program itself, or has `ended`.
pub(super) fn wait_until_passed(
    words: &[&str],
    pid: u32,
    mut ended: impl FnMut() -> io::Result<bool>,
) -> io::Result<()> {
    while !words.is_empty() && kernel::is_still(pid, words) && !ended()? {
        thread::yield_now();
    }
    Ok(())
}

/// What an exec of this program comes to: what stands in front would tell of it in words that
/// nobody understands.
///
/// # Errors
/// The one that exec gives: there is none, it may not be run, it is no program.
pub(super) fn check(program: &Path, path: &str, folder: &Path) -> io::Result<()> {
    /// `ENOENT`, `EACCES`, `ENOEXEC`.
    const NONE: i32 = 2;
    const MAY_NOT: i32 = 13;
    const NO_EXEC: i32 = 8;
    let file = if program.to_string_lossy().contains('/') {
        folder.join(program)
    } else {
        find(program, path).ok_or_else(|| io::Error::from_raw_os_error(NONE))?
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_executable(&metadata) {
        return Err(io::Error::from_raw_os_error(MAY_NOT));
    }
    // A shell would be made to run it, as execvp(3) says.
    let mut begin = [0; 2];
    let read = File::open(&file).and_then(|mut file| file.read_exact(&mut begin));
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if read.is_ok() && begin != *b"#!" && begin.iter().all(is_text) {
        return Err(io::Error::from_raw_os_error(NO_EXEC));
    }
    Ok(())
}

fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

/// The program of this name in the folders of `path`.
pub(super) fn find(program: &Path, path: &str) -> Option<PathBuf> {
    let mut candidates = std::env::split_paths(path).map(|folder| folder.join(program));
    candidates.find(|file| file.metadata().is_ok_and(|it| it.is_file() && is_executable(&it)))
}
