//! The terminal, set so that each key comes at once, without Enter and without an echo.

use std::io::{self, IsTerminal};
use std::process::{Child, Command, Stdio};

/// Waits until whoever started it is gone, in whatever way, and puts the terminal back. It ignores
/// what the keyboard and a closing window send to everybody.
const KEEPER: &str = r#"trap '' INT QUIT TSTP TTOU HUP TERM; cat; exec stty "$0" </dev/tty"#;

/// The terminal while it takes single keys. Dropping this puts it back, and a process of its own
/// does so where nothing can be dropped any more (SIGKILL, say).
pub(super) struct Terminal {
    keeper: Child,
}

impl Terminal {
    /// Takes the terminal; `None` where there is none, or no `stty`.
    pub(super) fn take() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let saved = stty(&["-g"])?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, saved.trim()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let terminal = Self { keeper };
        // Without isig, Ctrl-C is a key too: it ends the watch in good order.
        stty(&["-icanon", "-echo", "-isig", "min", "1", "time", "0"])?;
        Some(terminal)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nothing that can be done about it is left.
        let _ = self.keeper.wait();
    }
}

/// What `stty` says of the terminal on standard input; `None` where it fails.
fn stty(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("stty");
    command.args(arguments).stdin(Stdio::inherit()).stderr(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
