//! An account that judges where namespaces are refused, so that a submission's program is not the user
//! who writes the results.
//!
//! The harness has to be the user whose programs it looks at: the kernel shows a process's descriptors
//! and calls to nobody else. So all of `lab check` is this user, with one capability more than the
//! programs: the kernel lets nobody trace a process that may do more, and what `lab check` says goes
//! through a pipe to this process, which is root. Sources and conversations are root's as well.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::workspace::Error;

/// Programs lose all capabilities. This one is of no use to the harness, and of no harm.
const MORE: &str = "-all,+net_bind_service";
/// What the harness has to know of the user's environment; a program that is not enclosed can read all
/// that is handed on.
const KNOWN: &[&str] = &["PATH", "CARGO", "RUSTUP_HOME", "LANG", "LAB_PATIENCE"];

/// An account for nothing else: whatever it runs is ended after each submission.
#[derive(Debug)]
pub(super) struct Account {
    name: String,
    user: u32,
    group: u32,
}

impl Account {
    /// The account of this name, or with this number.
    ///
    /// # Errors
    /// There is none, it is root, or nobody but root can become another user.
    pub(super) fn find(name: &str) -> Result<Self, Error> {
        let number = |option: &str| {
            let output =
                Command::new("id").args([option, "--", name]).stdin(Stdio::null()).output();
            let text =
                String::from_utf8(output.ok().filter(|it| it.status.success())?.stdout).ok()?;
            text.trim().parse().ok()
        };
        let (Some(user), Some(group)) = (number("-u"), number("-g")) else {
            return Err(Error::Refused(format!("--user {name}: there is no such account here")));
        };
        if user == 0 || group == 0 {
            return Err(Error::Refused(format!(
                "--user {name}: that is root; name an account that has no rights, such as nobody"
            )));
        }
        let account = Self { name: name.to_owned(), user, group };
        let mut command = account.become_it();
        command.arg("true").stdin(Stdio::null());
        if !command.output().is_ok_and(|output| output.status.success()) {
            return Err(Error::Refused(format!(
                "--user {name}: only root can judge as somebody else, and needs setpriv (of util-linux)"
            )));
        }
        Ok(account)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the reader of a result has to know.
    pub(super) fn note(&self) -> String {
        format!(
            "NOT ISOLATED: this system refuses namespaces. Programs ran as the user {}, in the \
             system's own network: they could read what every user can, and hinder the run that \
             judged them. They could not write its result",
            self.name
        )
    }

    fn become_it(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={}", self.user), format!("--regid={}", self.group)]);
        command.args([
            "--clear-groups",
            &format!("--inh-caps={MORE}"),
            &format!("--ambient-caps={MORE}"),
            "--",
        ]);
        command
    }

    /// This program as this user, who can write to the folder and nowhere else of ours.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> io::Result<Command> {
        fs::create_dir_all(folder)?;
        chown(folder, Some(self.user), Some(self.group))?;
        let mut command = self.become_it();
        let known = env::vars_os().filter(|(name, _)| KNOWN.iter().any(|known| name == *known));
        command.arg(program).env_clear().envs(known);
        command.env("HOME", folder).env("CARGO_HOME", folder).env("LAB_ISOLATION", "off");
        Ok(command)
    }

    /// Ends all processes of this user: one that hides is found by nothing else.
    pub(super) fn end_all(&self) -> io::Result<()> {
        let mut command = self.become_it();
        // In one step for the kernel, so that nothing can fork faster. It spares who sends it.
        command.args(["sh", "-c", "kill -KILL -1"]).stdin(Stdio::null()).stderr(Stdio::null());
        // That there is none is an error of kill's.
        command.status().map(drop)
    }
}
