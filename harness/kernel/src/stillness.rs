//! Progress: can the program still do anything by itself?
//!
//! A blocked thread is woken by what it waits for, and by nothing else. So where every thread
//! is blocked, no call gives up by itself, and nothing is under way to any of them, the program
//! stands still for ever, and that can be said now, without waiting for a deadline.
//!
//! A thread that has been woken is `R` from that moment on, so `S` means that nothing has come
//! for it yet. What may be under way is only what the network has not delivered: bytes that the
//! other end has sent and that are not acknowledged. Of datagrams nobody keeps such an account;
//! but on loopback a datagram that was sent stands either in the receiver's queue or in the
//! kernel's backlog, and both can be looked at.

use super::Snapshot;
use super::calls::Waits;
use super::process::{Process, Target, Thread};
use super::tables::{Row, State};

/// What the threads of a program are doing, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stillness {
    /// Something runs, or is about to be woken.
    Moving,
    /// Nothing runs, but some call gives up by itself after a time: it may go on then.
    Timed,
    /// Every thread is blocked until something comes from outside, and nothing is under way.
    Still,
}

/// What std listens with: one connection more than that waits, and no other one is let in.
const BACKLOG: u32 = 128;

impl Snapshot {
    /// Compares this look with an earlier one. Anything but [`Stillness::Moving`] needs both to
    /// be alike: the same threads, none of which has run in between.
    ///
    /// A look is no instant: its threads are read first, and what was under way to them may have
    /// come, and have been read, before its rows are. The rows of the earlier look are older than
    /// the threads of this one, so nothing may have been under way in them either.
    pub fn stillness(&self, earlier: &Self) -> Stillness {
        if self.processes.is_empty() || !self.same_threads_asleep(earlier) {
            return Stillness::Moving;
        }
        match (earlier.prospects(earlier), self.prospects(earlier)) {
            (Stillness::Moving, _) => Stillness::Moving,
            (_, now) => now,
        }
    }

    /// Where all threads are asleep, and were so at the look `before`: whether something will wake
    /// them.
    fn prospects(&self, before: &Self) -> Stillness {
        if self.own_rows().into_iter().any(|row| self.is_on_its_way(row)) {
            return Stillness::Moving;
        }
        if self.backlog && self.own_rows().into_iter().any(|row| !row.table.is_tcp()) {
            return Stillness::Moving;
        }
        let mut stillness = Stillness::Still;
        for (process, thread) in self.threads() {
            let Some(call) = &thread.call else { return Stillness::Moving };
            // Its child has just ended, or is just being born: it is not in the list of processes.
            if call.waits == Waits::Child && self.processes.len() == 1 {
                return Stillness::Moving;
            }
            if self.something_is_under_way(process, thread, before) {
                return Stillness::Moving;
            }
            // A call that we do not know may be anything, and what a file does is not in any
            // table that we read; claim nothing about either.
            if call.timed || matches!(call.waits, Waits::Unknown | Waits::File) {
                stillness = Stillness::Timed;
            }
        }
        stillness
    }

    fn same_threads_asleep(&self, earlier: &Self) -> bool {
        let key = |(process, thread): (&Process, &Thread)| {
            (process.pid, thread.tid, thread.state, thread.turns, thread.cpu_ns)
        };
        // A stopped program (SIGSTOP) does not move either.
        let asleep = |(_, thread): (&Process, &Thread)| matches!(thread.state, 'S' | 'T' | 't');
        // A process without threads is on its way into another program, or to its end.
        let alive = self.processes.iter().all(|process| !process.threads.is_empty());
        alive
            && self.threads().all(asleep)
            && self.threads().map(key).eq(earlier.threads().map(key))
    }

    /// Whether something is on its way that will wake this thread, or is there already.
    fn something_is_under_way(&self, process: &Process, thread: &Thread, before: &Self) -> bool {
        let Some(call) = &thread.call else { return false };
        if thread.state != 'S' {
            return false;
        }
        let socket = |fd: Option<u32>| match fd.and_then(|fd| process.target(fd)) {
            Some(Target::Socket(inode)) => Some(*inode),
            _ => None,
        };
        match (call.waits, call.fd) {
            // What stood unread before and woke nobody is nothing that it waits for: a program that
            // waits for room, say, because its client does not read.
            (Waits::Events, _) => {
                process.sockets().any(|inode| self.news_for(inode) && !before.has_unread(inode))
            }
            (Waits::Accept | Waits::Receive, fd) => socket(fd).is_some_and(|s| self.news_for(s)),
            (Waits::Send, fd) => socket(fd).is_some_and(|s| self.room_for(s)),
            (Waits::Connect, fd) => socket(fd).is_none_or(|s| self.will_be_answered(s)),
            // Which of its two ends it waits for does not show. It waits for room only where
            // something that it has sent stands in the queue.
            (Waits::Splice, fd) => {
                let full = |s| self.row(s).is_some_and(|row| row.tx_queue > 0);
                socket(fd).is_some_and(|s| self.news_for(s))
                    || socket(call.to).is_some_and(|s| full(s) && self.room_for(s))
            }
            _ => false,
        }
    }

    /// Whether the other end will receive something of this socket. The kernel may hold it back
    /// for a moment: the last small segment waits for an acknowledgement (Nagle's algorithm,
    /// RFC 9293 section 3.7.4), and that may be delayed by 40 ms. A FIN is acknowledged whether
    /// anybody reads it or not, and that wakes a reader of this socket for a moment.
    fn is_on_its_way(&self, row: &Row) -> bool {
        let sending = row.table.is_tcp() && row.state != State::Listen && row.tx_queue > 0;
        // The last packet of the handshake: before it has come, nobody can accept the connection.
        let greeting = |other: &Row| other.state == State::SynReceived;
        if row.state == State::Established && self.other_end(row).is_some_and(greeting) {
            return true;
        }
        let ending = matches!(row.state, State::FinWait1 | State::Closing | State::LastAck);
        let only_a_fin = ending && row.tx_queue == 1;
        sending && self.other_end(row).is_some_and(|other| other.rx_queue == 0 || only_a_fin)
    }

    /// Whether something stands in the queue of this socket.
    fn has_unread(&self, inode: u64) -> bool {
        self.row(inode).is_some_and(|row| row.rx_queue > 0)
    }

    /// A connection or bytes that a reader of this socket will be woken by.
    fn news_for(&self, inode: u64) -> bool {
        let Some(row) = self.row(inode) else { return false };
        match row.state {
            State::Listen => row.rx_queue > 0 || self.a_handshake_is_under_way(row),
            _ if row.rx_queue > 0 => true,
            _ => self.other_end(row).is_some_and(|other| other.tx_queue > 0),
        }
    }

    /// Whether a writer that is blocked on this socket will be woken: the other end has read
    /// everything, so its window is open again. What a UDP socket sends waits for no reader.
    fn room_for(&self, inode: u64) -> bool {
        if self.row(inode).is_some_and(|row| !row.table.is_tcp()) {
            return true;
        }
        let other = self.row(inode).and_then(|row| self.other_end(row));
        other.is_some_and(|other| other.rx_queue == 0)
    }

    /// Whether a connect on this socket is answered as soon as the network gets to it: by a
    /// listener, or by a refusal. Only a listener whose queue is full lets it wait.
    fn will_be_answered(&self, inode: u64) -> bool {
        let Some(row) = self.row(inode) else { return true };
        let listens = |other: &&Row| {
            let ip = other.local.ip();
            other.state == State::Listen
                && other.local.port() == row.remote.port()
                && (ip == row.remote.ip() || ip.is_unspecified())
        };
        let listener = self.rows.iter().find(listens);
        row.state != State::SynSent || listener.is_none_or(|other| other.rx_queue <= BACKLOG)
    }

    fn a_handshake_is_under_way(&self, listener: &Row) -> bool {
        let handshake = |row: &&Row| match row.state {
            State::SynSent => row.remote.port() == listener.local.port(),
            State::SynReceived => row.local.port() == listener.local.port(),
            _ => false,
        };
        self.rows.iter().any(|row| handshake(&row))
    }

    /// The row of the other end of a connection, where it is in the same namespace. Two UDP
    /// sockets make no connection, even where each is connected to the other.
    pub fn other_end(&self, row: &Row) -> Option<&Row> {
        if !row.table.is_tcp() {
            return None;
        }
        self.connection(row.remote, row.local)
    }
}

#[cfg(test)]
mod tests {
    use super::super::calls::Call;
    use super::super::process::Descriptor;
    use super::super::tables::Table;
    use super::*;

    fn row(local: &str, remote: &str, state: State, tx: u32, rx: u32, inode: u64) -> Row {
        Row {
            table: Table::Tcp,
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            state,
            tx_queue: tx,
            rx_queue: rx,
            drops: 0,
            inode,
        }
    }

    fn program(waits: Waits, timed: bool, rows: Vec<Row>) -> Snapshot {
        let call = Call { waits, fd: Some(3), timed, ..Call::of("call") };
        let thread = Thread {
            tid: 1,
            name: "t".into(),
            state: 'S',
            call: Some(call),
            cpu_ns: 5,
            turns: 5,
            waited_ns: 0,
        };
        let descriptors = vec![Descriptor { fd: 3, target: Target::Socket(30) }];
        let process = Process { pid: 1, name: "p".into(), threads: vec![thread], descriptors };
        Snapshot { processes: vec![process], rows, backlog: false }
    }

    const HERE: &str = "127.0.0.1:7007";
    const THERE: &str = "127.0.0.1:50000";
    const NOBODY: &str = "0.0.0.0:0";

    fn pair(own: (u32, u32), other: (u32, u32)) -> Vec<Row> {
        vec![
            row(HERE, THERE, State::Established, own.0, own.1, 30),
            row(THERE, HERE, State::Established, other.0, other.1, 31),
        ]
    }

    fn judge(snapshot: &Snapshot) -> Stillness {
        snapshot.stillness(&snapshot.clone())
    }

    #[test]
    fn blocked_in_read_with_empty_queues_is_still() {
        let snapshot = program(Waits::Receive, false, pair((0, 0), (0, 0)));
        assert_eq!(judge(&snapshot), Stillness::Still);
    }

    #[test]
    fn unread_or_unacknowledged_bytes_will_wake_a_reader() {
        for rows in [pair((0, 5), (0, 0)), pair((0, 0), (5, 0))] {
            assert_eq!(judge(&program(Waits::Receive, false, rows)), Stillness::Moving);
        }
    }

    #[test]
    fn a_writer_is_still_as_long_as_nobody_reads() {
        let full = program(Waits::Send, false, pair((900, 0), (0, 700)));
        assert_eq!(judge(&full), Stillness::Still);
        let drained = program(Waits::Send, false, pair((900, 0), (0, 0)));
        assert_eq!(judge(&drained), Stillness::Moving);
    }

    #[test]
    fn what_the_program_has_sent_and_nobody_has_received_is_on_its_way() {
        let held_back = program(Waits::Receive, false, pair((1, 0), (0, 0)));
        assert_eq!(judge(&held_back), Stillness::Moving);
        let not_read = program(Waits::Receive, false, pair((900, 0), (0, 700)));
        assert_eq!(judge(&not_read), Stillness::Still);
    }

    #[test]
    fn what_was_under_way_may_have_come_while_the_look_was_taken() {
        let earlier = program(Waits::Receive, false, pair((0, 0), (4, 0)));
        let later = program(Waits::Receive, false, pair((0, 0), (0, 0)));
        assert_eq!(later.stillness(&earlier), Stillness::Moving);
        assert_eq!(later.stillness(&later), Stillness::Still);
    }

    #[test]
    fn a_splice_waits_for_room_only_when_it_has_sent_something() {
        let splice = |own, other| {
            let mut snapshot = program(Waits::Splice, false, pair(own, other));
            let call = snapshot.processes[0].threads[0].call.as_mut().unwrap();
            (call.fd, call.to) = (Some(0), Some(3));
            judge(&snapshot)
        };
        assert_eq!(splice((0, 0), (0, 0)), Stillness::Still, "for its standard input");
        assert_eq!(splice((9, 0), (0, 9)), Stillness::Still, "the other end does not read");
        assert_eq!(splice((9, 0), (0, 0)), Stillness::Moving, "the other end has read all");
    }

    #[test]
    fn the_acknowledgement_of_an_unread_fin_is_on_its_way() {
        let mut rows = pair((1, 0), (0, 1));
        rows[0].state = State::FinWait1;
        assert_eq!(judge(&program(Waits::Receive, false, rows)), Stillness::Moving);
        let mut rows = pair((0, 0), (0, 1));
        rows[0].state = State::FinWait2;
        assert_eq!(judge(&program(Waits::Receive, false, rows)), Stillness::Still);
    }

    #[test]
    fn who_waits_for_events_and_is_not_woken_by_unread_bytes_waits_for_others() {
        let waits = |own| program(Waits::Events, false, pair(own, (0, 0)));
        assert_eq!(judge(&waits((0, 5))), Stillness::Still);
        assert_eq!(waits((0, 5)).stillness(&waits((0, 0))), Stillness::Moving);
    }

    #[test]
    fn unread_bytes_do_not_wake_a_thread_that_is_not_reading() {
        let snapshot = program(Waits::Thread, false, pair((0, 5), (5, 0)));
        assert_eq!(judge(&snapshot), Stillness::Still);
    }

    #[test]
    fn a_time_out_is_no_standstill() {
        let snapshot = program(Waits::Events, true, pair((0, 0), (0, 0)));
        assert_eq!(judge(&snapshot), Stillness::Timed);
    }

    #[test]
    fn a_program_that_waits_for_nothing_but_time_only_sleeps() {
        let sleeping = program(Waits::Time, true, Vec::new());
        assert!(sleeping.only_sleeps());
        let mut waiting = sleeping.clone();
        let accept = Call { waits: Waits::Accept, ..Call::of("accept") };
        let second =
            Thread { tid: 2, call: Some(accept), ..waiting.processes[0].threads[0].clone() };
        waiting.processes[0].threads.push(second);
        assert!(!waiting.only_sleeps());
    }

    #[test]
    fn a_queued_connection_will_wake_accept() {
        let listener = |rx| vec![row(HERE, "0.0.0.0:0", State::Listen, 0, rx, 30)];
        assert_eq!(judge(&program(Waits::Accept, false, listener(1))), Stillness::Moving);
        assert_eq!(judge(&program(Waits::Accept, false, listener(0))), Stillness::Still);
    }

    #[test]
    fn a_datagram_wakes_its_reader_from_the_queue_or_from_the_backlog() {
        let socket = |rx| Row { table: Table::Udp, ..row(HERE, NOBODY, State::Closed, 0, rx, 30) };
        let receiver = |rx| program(Waits::Receive, false, vec![socket(rx)]);
        assert_eq!(judge(&receiver(0)), Stillness::Still);
        assert_eq!(judge(&receiver(832)), Stillness::Moving, "unread");
        let under_way = Snapshot { backlog: true, ..receiver(0) };
        assert_eq!(judge(&under_way), Stillness::Moving, "not delivered yet");
    }

    #[test]
    fn the_backlog_does_not_matter_to_a_program_without_datagrams() {
        let reader = program(Waits::Receive, false, pair((0, 0), (0, 0)));
        assert_eq!(judge(&Snapshot { backlog: true, ..reader }), Stillness::Still);
    }

    #[test]
    fn a_sender_of_datagrams_waits_for_no_reader() {
        let socket = Row { table: Table::Udp, ..row(HERE, THERE, State::Established, 9, 0, 30) };
        assert_eq!(judge(&program(Waits::Send, false, vec![socket])), Stillness::Moving);
    }

    #[test]
    fn whoever_waits_for_a_child_has_one_even_where_none_is_seen() {
        let shell = program(Waits::Child, false, Vec::new());
        assert_eq!(judge(&shell), Stillness::Moving);
        let mut with_child = shell.clone();
        let child = program(Waits::Receive, false, pair((0, 0), (0, 0))).processes.remove(0);
        with_child.processes.push(Process { pid: 2, ..child });
        with_child.rows = pair((0, 0), (0, 0));
        assert_eq!(judge(&with_child), Stillness::Still);
    }

    #[test]
    fn a_process_without_threads_is_on_its_way() {
        let mut snapshot = program(Waits::Receive, false, pair((0, 0), (0, 0)));
        snapshot.processes[0].threads.clear();
        assert_eq!(judge(&snapshot), Stillness::Moving);
    }

    #[test]
    fn a_thread_that_ran_since_the_last_look_moves() {
        let earlier = program(Waits::Receive, false, pair((0, 0), (0, 0)));
        let mut later = earlier.clone();
        later.processes[0].threads[0].turns += 1;
        assert_eq!(later.stillness(&earlier), Stillness::Moving);
    }
}
