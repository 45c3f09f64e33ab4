//! One look at the sockets of a recording and at the threads of its programs.

use std::net::SocketAddr;
use std::rc::Rc;

use super::{Socket, datagrams};
use crate::kernel::{Names, Process, Row, Snapshot, State, Target, Thread, Waits, socket_table};
use crate::trial::Running;

/// A connection of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// What the reader calls the harness's end.
    pub(super) name: String,
    /// The program at the other end.
    pub(super) program: String,
    /// The harness's address.
    pub(super) here: SocketAddr,
    /// The program's.
    pub(super) there: SocketAddr,
    /// Whether it was the program that dialled.
    pub(super) dials: bool,
}

/// What one look has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// Listeners of the programs, with the program's name.
    pub(super) listeners: Vec<(String, Row)>,
    /// For each link the harness's socket and the program's, where there still are any.
    pub(super) ends: Vec<[Option<Row>; 2]>,
    /// The names at both ends of each link.
    pub(super) links: Vec<Pair>,
    /// Sockets for datagrams, the programs' and the harness's, each with its name.
    pub(super) datagram_sockets: Vec<(String, Row)>,
    /// What each program is doing.
    pub(super) doing: Vec<String>,
}

/// What a thread does that is in no call.
const RUNS: &str = "is running";

impl View {
    /// Looks now. What can't be looked at is not there.
    pub(super) fn take(
        running: &[Rc<Running>],
        links: &[Pair],
        askers: &[(String, SocketAddr)],
        names: &Names,
    ) -> Self {
        let (mut listeners, mut doing) = (Vec::new(), Vec::new());
        let mut datagram_sockets = Vec::new();
        for one in running {
            let Ok(snapshot) = Snapshot::take(one.program.family()) else { continue };
            let mut own: Vec<Row> = snapshot.listeners().into_iter().cloned().collect();
            // The table has them in any order; their numbers have the order in which they were made.
            own.sort_by_key(|row| row.inode);
            listeners.extend(own.into_iter().map(|row| (one.name.clone(), row)));
            let udp = snapshot.own_rows().into_iter().filter(|row| !row.table.is_tcp());
            datagram_sockets.extend(udp.map(|row| (one.name.clone(), row.clone())));
            doing.extend(activity(&one.name, &snapshot, names));
        }
        let rows = socket_table().unwrap_or_default();
        let find = |local, remote| {
            let fits = |row: &&Row| row.local == local && row.remote == remote;
            rows.iter().find(fits).cloned()
        };
        let ends = links.iter().map(|link| {
            let Pair { here, there, .. } = link;
            [find(*here, *there), find(*there, *here)]
        });
        let ends = ends.collect();
        for (name, address) in askers {
            let own = |row: &&Row| !row.table.is_tcp() && row.local == *address;
            datagram_sockets.extend(rows.iter().find(own).map(|row| (name.clone(), row.clone())));
        }
        Self { listeners, ends, links: links.to_vec(), datagram_sockets, doing }
    }

    /// Listeners that were not there before, each with its program.
    pub(super) fn new_listeners(&self, before: &Self) -> Vec<(String, SocketAddr)> {
        let known = |row: &Row| before.listeners.iter().any(|(_, old)| old.inode == row.inode);
        let new = self.listeners.iter().filter(|(_, row)| !known(row));
        new.map(|(program, row)| (program.clone(), row.local)).collect()
    }

    /// Whether a thread of a program is blocked in reading from the end of that name.
    pub(super) fn is_reading_from(&self, name: &str) -> bool {
        self.doing.iter().any(|doing| doing.ends_with(&format!("in read, from {name}")))
    }

    /// Whether a thread of a program is in no call.
    pub(super) fn is_running(&self) -> bool {
        self.doing.iter().any(|doing| doing.ends_with(RUNS))
    }

    /// Whether something is under way that shows within moments.
    pub(super) fn is_on_its_way(&self) -> bool {
        let rows = self.ends.iter().flatten().flatten();
        rows.into_iter().any(|row| row.tx_queue > 0 || is_passing(row.state))
    }

    /// Its sockets: listeners, then both ends of each connection that is still there.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        let listeners = self.listeners.iter().map(|(who, row)| socket(who, None, row));
        let ends = self.ends.iter().zip(&self.links).flat_map(|(ends, link)| {
            let [here, there] = ends;
            // Both have gone: nothing is left to tell.
            let live = here.is_some() || there.is_some();
            let closed = |who: &str, with: &str, local, remote| Socket {
                who: who.to_owned(),
                with: Some(with.to_owned()),
                local,
                remote: Some(remote),
                state: "closed".into(),
                unread: 0,
                dropped: 0,
                unacknowledged: 0,
                held: false,
            };
            let one = |row: &Option<Row>, who: &str, with: &str, local, remote| match row {
                Some(row) => socket(who, Some(with), row),
                None => closed(who, with, local, remote),
            };
            let both = [
                one(here, &link.name, &link.program, link.here, link.there),
                one(there, &link.program, &link.name, link.there, link.here),
            ];
            both.into_iter().filter(move |_| live)
        });
        let udp = self.datagram_sockets.iter().map(|(who, row)| datagrams::socket(who, row));
        listeners.chain(ends).chain(udp).collect()
    }
}

fn socket(who: &str, with: Option<&str>, row: &Row) -> Socket {
    Socket {
        who: who.to_owned(),
        with: with.map(str::to_owned),
        local: row.local,
        remote: with.map(|_| row.remote),
        state: row.state.to_string(),
        unread: row.rx_queue,
        dropped: 0,
        unacknowledged: row.tx_queue,
        held: row.inode != 0,
    }
}

/// What the threads of a program are in: `server: main in accept`.
fn activity(name: &str, snapshot: &Snapshot, names: &Names) -> Vec<String> {
    let threads = snapshot.threads().filter(|(process, _)| process.name != "strace");
    threads
        .filter_map(|(process, thread)| {
            let who = match thread.tid == process.pid {
                true => "main".to_owned(),
                false if thread.name == process.name => "another thread".to_owned(),
                false => format!("thread {}", thread.name),
            };
            Some(format!("{name}: {who} {}", call_of(snapshot, process, thread, names)?))
        })
        .collect()
}

fn call_of(
    snapshot: &Snapshot,
    process: &Process,
    thread: &Thread,
    names: &Names,
) -> Option<String> {
    let Some(call) = &thread.call else {
        return (thread.state == 'R').then(|| RUNS.to_owned());
    };
    Some(match call.waits {
        Waits::Thread => "waits for another thread".into(),
        Waits::Time => "sleeps".into(),
        Waits::Accept => "in accept".into(),
        Waits::Receive if call.fd == Some(0) => "in read, from standard input".into(),
        Waits::Receive | Waits::Send | Waits::Connect => {
            let row = call.fd.and_then(|fd| match process.target(fd) {
                Some(Target::Socket(inode)) => snapshot.row(*inode),
                _ => None,
            });
            let with = row
                .filter(|row| row.state != State::Listen)
                .and_then(|row| names.name_of(row.remote).map(|name| format!(", from {name}")));
            let with = match call.waits {
                Waits::Receive => with,
                _ => with.map(|with| with.replace("from", "to")),
            };
            let name = if row.is_some_and(|row| !row.table.is_tcp()) {
                call.datagram_name()
            } else {
                &call.name
            };
            format!("in {name}{}", with.unwrap_or_default())
        }
        Waits::Splice => "in splice (io::copy)".into(),
        _ => format!("in {}", call.name),
    })
}

/// States that pass by themselves within moments.
fn is_passing(state: State) -> bool {
    matches!(
        state,
        State::SynSent | State::SynReceived | State::FinWait1 | State::LastAck | State::Closing
    )
}
