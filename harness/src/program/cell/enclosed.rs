//! Other commands than programs under test in a view of their own: the compiler.

use std::io;
use std::os::unix::fs::chroot;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::view::View;
use crate::json::Json;
use crate::program::front;

static HAS_INNER_HALF: AtomicBool = AtomicBool::new(false);

/// Says that this program, executed again, calls [`enter`]: a test's program does not.
pub fn allow() {
    HAS_INNER_HALF.store(true, Ordering::Relaxed);
}

/// Whether commands can be enclosed: whether this system lets an ordinary user make the namespaces
/// that isolation needs.
pub fn is_possible() -> bool {
    HAS_INNER_HALF.load(Ordering::Relaxed) && has_namespaces()
}

fn has_namespaces() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let mut command = unshared();
        command.arg("true").stdin(Stdio::null());
        command.output().is_ok_and(|output| output.status.success())
    })
}

fn unshared() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "--net", "--ipc", "--pid", "--fork"]);
    command.args(["--kill-child", "--"]);
    command
}

/// A command that runs `words` with this view, without a network, without capabilities, and with
/// no process left when it ends.
///
/// # Errors
/// This program does not know where its file is.
pub fn command(view: &View, words: &[String]) -> io::Result<Command> {
    let mut command = unshared();
    let order = Json::object([("view", view.to_json()), ("words", words.into())]);
    command.arg(std::env::current_exe()?).args(["worker", "enclosed", &order.to_string()]);
    Ok(command)
}

/// The inner half: takes the view, and becomes the command. Returns only when it can't.
pub fn enter(order: &str) -> io::Error {
    let nonsense = || io::Error::other("it was not told what to run");
    let run = || -> io::Result<io::Error> {
        let order = Json::parse(order).map_err(|_| nonsense())?;
        let view = order.get("view").and_then(View::from_json).ok_or_else(nonsense)?;
        let words = order.get("words").and_then(Json::as_array).ok_or_else(nonsense)?;
        let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
        let (first, rest) = words.split_first().ok_or_else(nonsense)?;
        chroot(view.mount()?)?;
        std::env::set_current_dir(Path::new(&view.folder))?;
        let mut command = Command::new(first);
        command.args(rest);
        Ok(front::put_before(front::ALL, command).exec())
    };
    run().unwrap_or_else(|error| error)
}
