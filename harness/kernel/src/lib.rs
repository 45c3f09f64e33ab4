//! Watching a program from outside: the kernel's socket tables joined to its processes and
//! threads. Nothing outside of this crate knows `/proc`.
//!
//! Linux only. Elsewhere [`available`] says why not, and the checks that need it are skipped.

mod backlog;
mod blocked;
mod calls;
mod describe;
mod family;
mod holders;
mod loopback;
mod process;
mod segments;
mod stillness;
mod tables;
mod text;
mod unlisted;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

pub use calls::{Call, Waits};
pub use describe::Names;
pub use family::{Family, child_called, children, is_still, process_tree, processes_with, runs};
pub use holders::{Held, Holder, held, program_of};
pub use loopback::{Loopback, loopback};
pub use process::{
    Descriptor, Process, Relation, Target, Thread, count_threads, ignores_signal,
    inheritable_descriptors, is_blocked, list, own_processor_time, own_thread,
    processor_time_alone, usage,
};
pub use segments::data_segments_sent;
pub use stillness::Stillness;
pub use tables::{ParseError, Row, State, Table, parse};
use text::read_text;

/// `Err` with the reason where this system does not show what the harness wants to see.
pub fn available() -> Result<(), String> {
    static AVAILABLE: LazyLock<Result<(), String>> = LazyLock::new(|| {
        fs::metadata("/proc/self/net/tcp")
            .map(drop)
            .map_err(|error| format!("this system has no socket tables in /proc ({error})"))
    });
    AVAILABLE.clone()
}

/// What a program and its sockets were doing at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The process that was started, and every process that descends from it.
    pub processes: Vec<Process>,
    /// The sockets of the program's network namespace, its own and everybody's: TCP over IPv4, and
    /// what stands in the other tables as far as the program has sockets there.
    pub rows: Vec<Row>,
    /// Whether the kernel had packets that it had not delivered yet, of anybody's: looked at only
    /// where the program has a UDP socket.
    pub backlog: bool,
}

impl Snapshot {
    /// Looks at a program.
    pub fn take(family: impl Into<Family>) -> io::Result<Self> {
        let processes: Vec<_> =
            process_tree(family)?.into_iter().filter_map(Process::read).collect();
        // The tables are read after the threads: bytes that came while a thread was looked at
        // as blocked then show as unread, and nobody calls that standstill.
        let mut snapshot = Self { processes, rows: Vec::new(), backlog: false };
        // Reading a table can take milliseconds (KERNEL.md): the next one is read only where a
        // socket of the program stands in none of those before.
        for table in Table::ALL {
            // A packet leaves the backlog for a queue, and never the other way: looked at in this
            // order, it is seen in one of the two.
            if table == Table::Udp {
                snapshot.backlog = backlog::is_waiting();
            }
            snapshot.rows.extend(read(table)?);
            if snapshot.knows_all_sockets() {
                break;
            }
        }
        Ok(snapshot)
    }

    fn knows_all_sockets(&self) -> bool {
        let rows: BTreeSet<u64> = self.rows.iter().map(|row| row.inode).collect();
        self.sockets().all(|inode| rows.contains(&inode))
    }

    /// The inodes of the program's sockets: one for each descriptor of each process.
    fn sockets(&self) -> impl Iterator<Item = u64> + '_ {
        self.processes.iter().flat_map(Process::sockets)
    }

    /// All threads, each with its process.
    pub fn threads(&self) -> impl Iterator<Item = (&Process, &Thread)> {
        self.processes.iter().flat_map(|p| p.threads.iter().map(move |t| (p, t)))
    }

    /// The row of the socket with this inode.
    pub fn row(&self, inode: u64) -> Option<&Row> {
        self.rows.iter().find(|row| row.inode == inode)
    }

    /// The rows of the program's own sockets. A socket held by several processes or descriptors
    /// is one row.
    pub fn own_rows(&self) -> Vec<&Row> {
        let own: BTreeSet<u64> = self.sockets().collect();
        self.rows.iter().filter(|row| row.inode != 0 && own.contains(&row.inode)).collect()
    }

    /// The program's listening TCP sockets.
    pub fn listeners(&self) -> Vec<&Row> {
        self.own_rows().into_iter().filter(|row| row.state == State::Listen).collect()
    }

    /// The program's UDP sockets that anybody can send to: bound, and connected to nobody.
    pub fn datagram_sockets(&self) -> Vec<&Row> {
        let open = |row: &&Row| !row.table.is_tcp() && row.state == State::Closed;
        self.own_rows().into_iter().filter(open).collect()
    }

    /// The process of the program that has the socket.
    pub fn owner(&self, inode: u64) -> Option<&Process> {
        self.processes.iter().find(|process| process.sockets().any(|socket| socket == inode))
    }

    /// A socket that one of its processes holds by more than one descriptor.
    pub fn doubled_socket(&self) -> Option<&Row> {
        self.processes.iter().find_map(|process| {
            let mut seen = BTreeSet::new();
            let mut doubled = process.sockets().filter(move |inode| !seen.insert(*inode));
            doubled.find_map(|inode| self.row(inode))
        })
    }

    /// The TCP row with this local and remote address, whoever has it.
    pub fn connection(&self, local: SocketAddr, remote: SocketAddr) -> Option<&Row> {
        let tcp = self.rows.iter().filter(|row| row.table.is_tcp());
        tcp.into_iter().find(|row| row.local == local && row.remote == remote)
    }

    /// Descriptors that refer to sockets, over all processes.
    pub fn socket_descriptors(&self) -> usize {
        self.sockets().count()
    }

    /// Processor time of all its threads, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        self.threads().map(|(_, thread)| thread.cpu_ns).sum()
    }

    /// How often its threads were put on a processor.
    pub fn turns(&self) -> u64 {
        self.threads().map(|(_, thread)| thread.turns).sum()
    }

    /// For how long its threads were ready to run and waited for a processor, in all.
    pub fn waited(&self) -> Duration {
        Duration::from_nanos(self.threads().map(|(_, thread)| thread.waited_ns).sum())
    }
}

/// All rows of the four tables, of the network namespace that this process is in.
pub fn socket_table() -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        rows.extend(read(table)?);
    }
    Ok(rows)
}

/// One of the four tables; empty where the kernel has none: one without IPv6 has no tcp6 and udp6.
fn read(table: Table) -> io::Result<Vec<Row>> {
    match table_text(table.file())? {
        Some(text) => parse(table, &text).map_err(io::Error::other),
        None => Ok(Vec::new()),
    }
}

/// A table of the network namespace that this process is in; `None` where the kernel has none.
fn table_text(file: &str) -> io::Result<Option<String>> {
    match read_text(format!("/proc/self/net/{file}")) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bytes that stand unread at the `local` end of a connection; 0 where there is none.
pub fn unread(local: SocketAddr, remote: SocketAddr) -> io::Result<u32> {
    let table = if local.is_ipv4() { Table::Tcp } else { Table::Tcp6 };
    let rows = read(table)?;
    let row = rows.iter().find(|row| row.local == local && row.remote == remote);
    Ok(row.map_or(0, |row| row.rx_queue))
}

/// Resident memory of all of a program's processes, in bytes.
pub fn resident_bytes(family: impl Into<Family>) -> io::Result<u64> {
    Ok(process_tree(family)?.into_iter().filter_map(Process::resident_bytes).sum())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_look_finds_the_sockets_of_all_four_tables() {
        let tcp = ["127.0.0.1:0", "[::1]:0"].map(TcpListener::bind);
        let udp = ["127.0.0.1:0", "[::1]:0"].map(UdpSocket::bind);
        // Where there is no IPv6, there is nothing to find of it.
        let mut expected = Vec::new();
        expected.extend(tcp.iter().flatten().map(|socket| socket.local_addr().unwrap()));
        expected.extend(udp.iter().flatten().map(|socket| socket.local_addr().unwrap()));
        let snapshot = Snapshot::take(std::process::id()).unwrap();
        let own: Vec<_> = snapshot.own_rows().iter().map(|row| row.local).collect();
        assert!(expected.iter().all(|address| own.contains(address)), "{own:?}");
    }
}
