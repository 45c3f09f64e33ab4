//! Where a program is, in words: one sentence for each thread.

use std::net::SocketAddr;

use super::Snapshot;
use super::calls::{Call, Waits};
use super::process::{Process, Target, Thread};
use super::tables::{Row, State};

/// What the reader calls the addresses that take part: `client 1` for `127.0.0.1:50234`.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<(SocketAddr, String)>);

impl Names {
    /// Calls `address` by `name` from now on. A port is used again later; the newest name wins.
    pub fn add(&mut self, address: SocketAddr, name: &str) {
        self.0.push((address, name.to_owned()));
    }

    /// The newest name of an address.
    pub fn name_of(&self, address: SocketAddr) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| *known == address);
        found.map(|(_, name)| name.as_str())
    }

    /// `client 1 (127.0.0.1:50234)`, or the bare address where it has no name.
    pub fn call(&self, address: SocketAddr) -> String {
        match self.name_of(address) {
            Some(name) => format!("{name} ({address})"),
            None => address.to_string(),
        }
    }
}

/// Connections that nobody has noticed, and that are told one by one.
const UNNOTICED: usize = 4;

impl Snapshot {
    /// One sentence a thread: `thread main is blocked in read on the connection from client 1
    /// (127.0.0.1:50234)`. Then one for each connection that nobody is blocked on and that has
    /// something to tell: unread bytes, or an end that was not noticed.
    pub fn place(&self, names: &Names) -> Vec<String> {
        let mut told = Vec::new();
        let mut sentences: Vec<String> =
            self.threads().map(|(p, t)| self.sentence(p, t, names, &mut told)).collect();
        let rows = self.own_rows().into_iter().filter(|row| !told.contains(&row.inode));
        let unnoticed: Vec<_> = rows.filter_map(|row| unnoticed(row, names)).collect();
        let (whole, rest) = unnoticed.split_at(unnoticed.len().min(UNNOTICED));
        sentences.extend_from_slice(whole);
        if !rest.is_empty() {
            sentences.push(format!("and {} more like these", rest.len()));
        }
        sentences
    }

    fn sentence(
        &self,
        process: &Process,
        thread: &Thread,
        names: &Names,
        told: &mut Vec<u64>,
    ) -> String {
        let who = self.who(process, thread);
        match (&thread.call, thread.state) {
            (_, 'T' | 't') => format!("{who} is stopped by a signal"),
            (Some(call), _) => {
                let what = self.call_sentence(process, call, names, told);
                format!("{who} {what}")
            }
            (None, 'Z' | 'X') => format!("{who} has ended"),
            (None, _) => format!("{who} is running ({} of processor time)", millis(thread.cpu_ns)),
        }
    }

    fn who(&self, process: &Process, thread: &Thread) -> String {
        let main = thread.tid == process.pid;
        let thread_name = match main {
            true => "thread main".to_owned(),
            // A thread without a name of its own carries the process's.
            false if thread.name == process.name => format!("thread {}", thread.tid),
            false => format!("thread {} ({})", thread.tid, thread.name),
        };
        match self.processes.len() {
            1 => thread_name,
            _ if process.threads.len() == 1 => {
                format!("process {} ({})", process.pid, process.name)
            }
            _ => format!("process {} ({}), {thread_name}", process.pid, process.name),
        }
    }

    fn call_sentence(
        &self,
        process: &Process,
        call: &Call,
        names: &Names,
        told: &mut Vec<u64>,
    ) -> String {
        let name = &call.name;
        match call.waits {
            Waits::Thread => {
                "is blocked waiting for another thread (a lock, a channel or a join)".into()
            }
            Waits::Child => "is blocked waiting for a child process".into(),
            Waits::Signal => "is blocked until a signal comes".into(),
            Waits::Time => format!("sleeps ({name})"),
            Waits::Unknown | Waits::File => format!("is blocked in {name}"),
            Waits::Events if call.timed => format!("is blocked in {name}, with a time-out"),
            Waits::Events => {
                format!("is blocked in {name}, waiting for an event on its descriptors")
            }
            Waits::Splice => {
                let mut what = |fd: Option<u32>, writes| {
                    let what = fd.map(|fd| self.descriptor(process, fd, writes, names, told));
                    what.unwrap_or_default()
                };
                let (from, to) = (what(call.fd, false), what(call.to, true));
                format!("is blocked in {name} (io::copy), from {from} to {to}")
            }
            Waits::Accept | Waits::Receive | Waits::Send | Waits::Connect => {
                let writes = matches!(call.waits, Waits::Send);
                let what = call.fd.map(|fd| self.descriptor(process, fd, writes, names, told));
                let name = if self.is_datagram_socket(process, call.fd) {
                    call.datagram_name()
                } else {
                    name
                };
                format!("is blocked in {name} on {}", what.unwrap_or_default())
            }
        }
    }

    fn is_datagram_socket(&self, process: &Process, fd: Option<u32>) -> bool {
        let Some(Target::Socket(inode)) = fd.and_then(|fd| process.target(fd)) else {
            return false;
        };
        self.row(*inode).is_some_and(|row| !row.table.is_tcp())
    }

    /// What a call waits for, which `writes` to it, or doesn't.
    fn descriptor(
        &self,
        process: &Process,
        fd: u32,
        writes: bool,
        names: &Names,
        told: &mut Vec<u64>,
    ) -> String {
        match process.target(fd) {
            Some(Target::Socket(inode)) => {
                told.push(*inode);
                match self.row(*inode) {
                    Some(row) => self.socket(row, writes, names),
                    None => format!("fd {fd}, a socket that is not connected"),
                }
            }
            Some(Target::Pipe) if fd == 0 => "its standard input".into(),
            Some(Target::Pipe) if fd == 1 => "its standard output (nobody reads it)".into(),
            Some(Target::Pipe) => format!("fd {fd}, a pipe"),
            _ if fd == 0 => "its standard input".into(),
            _ => format!("fd {fd}"),
        }
    }

    /// A socket of the program in words.
    fn socket(&self, row: &Row, writes: bool, names: &Names) -> String {
        if row.state == State::Listen {
            return match row.rx_queue {
                0 => format!("the listener {}, where nobody waits", row.local),
                1 => format!("the listener {}, where one connection waits", row.local),
                n => format!("the listener {}, where {n} connections wait", row.local),
            };
        }
        if !row.table.is_tcp() {
            return datagram_socket(row, names);
        }
        let mut text = format!("the connection with {}", names.call(row.remote));
        match row.state {
            State::Established => {}
            State::CloseWait => text += ", which the other end has closed for sending (CLOSE-WAIT)",
            State::FinWait1 | State::FinWait2 => {
                text += &format!(", whose sending side it has ended ({})", row.state);
            }
            state => text += &format!(", in state {state}"),
        }
        if row.rx_queue > 0 && row.state != State::CloseWait {
            text += &format!(", with {} unread", bytes(row.rx_queue));
        }
        // A SYN counts as a byte. What has come to the other end is acknowledged within 40 ms, and
        // nothing to tell of, whether it has been read there or not: but for a full queue.
        let has_come =
            |other: &Row| other.rx_queue == 0 || other.rx_queue >= row.tx_queue && !writes;
        let is_there = self.other_end(row).is_some_and(has_come);
        if row.tx_queue > 0 && row.state != State::SynSent && !is_there {
            text += &format!(", with {} sent and not yet acknowledged", bytes(row.tx_queue));
        }
        text
    }
}

/// A UDP socket in words: `UDP 127.0.0.1:5353`, whom it is connected to, and what became of the
/// datagrams that nobody has read. The kernel's number for those is memory, and no count.
fn datagram_socket(row: &Row, names: &Names) -> String {
    let mut text = format!("UDP {}", row.local);
    if row.state == State::Established {
        text += &format!(", connected to {}", names.call(row.remote));
    }
    if row.rx_queue > 0 {
        text += ", with datagrams unread";
    }
    if row.drops > 0 {
        text += &format!(", for which the kernel has dropped {}", datagrams(row.drops));
    }
    text
}

/// What nobody has noticed on a socket that no thread is blocked on.
fn unnoticed(row: &Row, names: &Names) -> Option<String> {
    if !row.table.is_tcp() {
        let unread = (row.rx_queue > 0).then_some("holds datagrams that nobody has read");
        let lost = (row.drops > 0).then(|| {
            format!("had no room for {}, which the kernel has dropped", datagrams(row.drops))
        });
        let both: Vec<_> = unread.map(str::to_owned).into_iter().chain(lost).collect();
        return (!both.is_empty()).then(|| format!("UDP {} {}", row.local, both.join(", and ")));
    }
    let with = names.call(row.remote);
    match row.state {
        State::Listen if row.rx_queue > 0 => {
            let n = row.rx_queue;
            let connections = if n == 1 { "connection waits" } else { "connections wait" };
            Some(format!("{n} {connections} on {} that nobody accepts", row.local))
        }
        // The FIN itself counts 1 when it came without data.
        State::CloseWait if row.rx_queue > 1 => Some(format!(
            "{with} has sent up to {} that nobody has read, and has ended its side (CLOSE-WAIT)",
            bytes(row.rx_queue)
        )),
        State::CloseWait => Some(format!(
            "{with} has ended its side, and the program still holds its own (CLOSE-WAIT)"
        )),
        State::Established | State::FinWait2 if row.rx_queue > 0 => {
            Some(format!("{with} has sent {} that nobody has read", bytes(row.rx_queue)))
        }
        _ => None,
    }
}

fn bytes(n: u32) -> String {
    match n {
        1 => "1 byte".into(),
        n => format!("{n} bytes"),
    }
}

fn datagrams(n: u64) -> String {
    match n {
        1 => "1 datagram".into(),
        n => format!("{n} datagrams"),
    }
}

fn millis(ns: u64) -> String {
    format!("{} ms", ns / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::super::process::Descriptor;
    use super::super::tables::Table;
    use super::*;

    /// A program whose one thread is in this call, on the socket with this row.
    fn place(call: Option<&str>, row: Row) -> Vec<String> {
        let call = call.and_then(Call::parse);
        let name = || "names".to_owned();
        let thread =
            Thread { tid: 1, name: name(), state: 'S', call, cpu_ns: 0, turns: 0, waited_ns: 0 };
        let descriptors = vec![Descriptor { fd: 3, target: Target::Socket(30) }];
        let process = Process { pid: 1, name: name(), threads: vec![thread], descriptors };
        Snapshot { processes: vec![process], rows: vec![row], backlog: false }
            .place(&Names::default())
    }

    fn udp(state: State, remote: &str) -> Row {
        Row {
            table: Table::Udp,
            local: "127.0.0.1:5353".parse().unwrap(),
            remote: remote.parse().unwrap(),
            state,
            tx_queue: 0,
            rx_queue: 0,
            drops: 0,
            inode: 30,
        }
    }

    const RECV_FROM: Option<&str> = Some("45 0x3 0x7 0x200 0x0 0x7e0 0x7e8 0x7 0x7");
    const RECV: Option<&str> = Some("45 0x3 0x7 0x200 0x0 0x0 0x0 0x7 0x7");
    const PAUSE: Option<&str> = Some("34 0x0 0x0 0x0 0x0 0x0 0x0 0x7 0x7");

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_udp_socket_is_no_connection() {
        let place = place(RECV_FROM, udp(State::Closed, "0.0.0.0:0"));
        assert_eq!(place, ["thread main is blocked in recv_from on UDP 127.0.0.1:5353"]);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_connected_udp_socket_names_its_other_end() {
        let place = place(RECV, udp(State::Established, "127.0.0.1:7007"));
        let said =
            "thread main is blocked in recv on UDP 127.0.0.1:5353, connected to 127.0.0.1:7007";
        assert_eq!(place, [said]);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn unread_datagrams_are_told_without_a_number_and_dropped_ones_with_it() {
        let row = Row { rx_queue: 832, drops: 3, ..udp(State::Closed, "0.0.0.0:0") };
        let said = "UDP 127.0.0.1:5353 holds datagrams that nobody has read, \
                    and had no room for 3 datagrams, which the kernel has dropped";
        assert_eq!(place(PAUSE, row)[1], said);
    }
}
