//! Who has which socket, over all programs that this user may look into.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::process::{Process, list};
use super::socket_table;
use super::tables::Row;

/// A socket, and the process that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The socket as the kernel's table shows it.
    pub row: Row,
    /// `None`: no process has it. It waits for `accept`, or is in TIME-WAIT.
    pub holder: Option<Holder>,
}

/// A process that has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// The command's name, at most 15 bytes of it.
    pub name: String,
}

/// The sockets of the processes that `wanted` picks, and those without a process: of all, or of
/// the addresses that the picked ones have.
pub fn held(wanted: impl Fn(&Process) -> bool, all: bool) -> io::Result<Vec<Held>> {
    let processes = list()?.into_iter().filter_map(|kin| Process::read(kin.pid));
    let processes: Vec<_> = processes.filter(wanted).collect();
    let rows = socket_table()?;
    Ok(join(rows, &processes, all))
}

fn join(rows: Vec<Row>, processes: &[Process], all: bool) -> Vec<Held> {
    let holder = |row: &Row| {
        let has = |process: &&Process| process.sockets().any(|inode| inode == row.inode);
        let found = processes.iter().find(has).filter(|_| row.inode != 0);
        found.map(|process| Holder { pid: process.pid, name: process.name.clone() })
    };
    let held: Vec<_> = rows.into_iter().map(|row| Held { holder: holder(&row), row }).collect();
    let ours =
        |row: &Row| held.iter().any(|other| other.holder.is_some() && other.row.local == row.local);
    let told =
        |one: &&Held| one.holder.is_some() || (one.row.inode == 0 && (all || ours(&one.row)));
    held.iter().filter(told).cloned().collect()
}

/// The file that a process runs; `None` when it has ended, or belongs to somebody else.
pub fn program_of(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::process::{Descriptor, Target};
    use super::super::tables::{State, Table};
    use super::*;

    fn row(local: &str, state: State, inode: u64) -> Row {
        Row {
            table: Table::Tcp,
            local: local.parse().unwrap(),
            remote: "0.0.0.0:0".parse().unwrap(),
            state,
            tx_queue: 0,
            rx_queue: 0,
            drops: 0,
            inode,
        }
    }

    #[test]
    fn a_socket_that_waits_for_accept_belongs_to_the_listeners_address() {
        let descriptors = vec![Descriptor { fd: 3, target: Target::Socket(30) }];
        let server = Process { pid: 9, name: "server".into(), threads: Vec::new(), descriptors };
        let rows = vec![
            row("127.0.0.1:7007", State::Listen, 30),
            row("127.0.0.1:7007", State::Established, 0),
            row("127.0.0.1:9999", State::TimeWait, 0),
            row("127.0.0.1:8888", State::Listen, 31),
        ];
        let told = |all| -> Vec<State> {
            let held = join(rows.clone(), std::slice::from_ref(&server), all);
            held.iter().map(|one| one.row.state).collect()
        };
        assert_eq!(told(false), [State::Listen, State::Established]);
        assert_eq!(told(true), [State::Listen, State::Established, State::TimeWait]);
    }
}
