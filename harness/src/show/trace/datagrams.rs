//! Datagrams in a recording: each is a step of its own, from one socket to another, and none has a
//! state. One for which its receiver has no room is lost, and shown so.

use std::net::SocketAddr;
use std::rc::Rc;

use super::act::step;
use super::recorder::Tape;
use super::view::View;
use super::{Event, Known, Socket, UDP};
use crate::kernel::{Row, State};
use crate::trial::{DatagramAct, Running, Still, Trial};
use crate::words::count;

/// Bytes of a datagram that a step keeps: those of a whole message, where it is a small one.
const KEPT: usize = 512;

fn head(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(KEPT)].to_vec()
}

/// A socket for datagrams, as it stands in the recording.
pub(super) fn socket(who: &str, row: &Row) -> Socket {
    Socket {
        who: who.to_owned(),
        with: None,
        local: row.local,
        remote: is_connected(row).then_some(row.remote),
        state: UDP.into(),
        unread: u32::from(row.rx_queue > 0),
        dropped: row.drops,
        unacknowledged: 0,
        held: true,
    }
}

fn is_connected(row: &Row) -> bool {
    row.state == State::Established
}

/// The call that sends from such a socket.
fn sends(row: &Row) -> &'static str {
    if is_connected(row) { "send" } else { "send_to" }
}

/// `UDP, datagrams unread, 3 dropped`.
pub(super) fn describe(socket: &Socket) -> String {
    let mut text = UDP.to_owned();
    if socket.remote.is_some() {
        text += ", connected";
    }
    if socket.unread > 0 {
        text += ", datagrams unread";
    }
    if socket.dropped > 0 {
        text += &format!(", {} dropped", socket.dropped);
    }
    text
}

/// What the programs must have done between two looks: opened a socket, read what stood in its
/// queue, and sent what now stands in the harness's.
pub(super) fn between(before: &View, after: &View, askers: &[(String, SocketAddr)]) -> Vec<Event> {
    let find = |view: &View, row: &Row| {
        let same = |(_, other): &&(String, Row)| other.local == row.local;
        view.datagram_sockets.iter().find(same).map(|(_, row)| row.clone())
    };
    let is_ours = |who: &str| askers.iter().any(|(name, _)| name == who);
    let programs = || after.datagram_sockets.iter().filter(|(who, _)| !is_ours(who));
    let mut steps = Vec::new();
    for (who, row) in programs() {
        let Some(then) = find(before, row) else {
            let (call, to) = if is_connected(row) {
                ("bind, connect", format!(" to {}", row.remote))
            } else {
                ("bind", String::new())
            };
            steps.push(step(who, call, format!("UDP {}{to}", row.local), Known::Kernel));
            continue;
        };
        if then.rx_queue > 0 && row.rx_queue == 0 {
            let call = if is_connected(row) { "recv" } else { "recv_from" };
            steps.push(step(who, call, "what was unread".into(), Known::Inferred));
        }
    }
    // Who has sent it shows only where there is one who can.
    let senders: Vec<_> = programs().collect();
    let [(sender, its)] = senders[..] else { return steps };
    for (who, row) in after.datagram_sockets.iter().filter(|(who, _)| is_ours(who)) {
        if row.rx_queue > 0 && find(before, row).is_none_or(|then| then.rx_queue == 0) {
            let sent = step(sender, sends(its), "a datagram".into(), Known::Kernel);
            steps.push(Event { to: Some(who.clone()), ..sent });
        }
    }
    steps
}

impl Tape {
    /// The harness has sent a datagram to a program, which is held still.
    pub(super) fn datagram(
        &mut self,
        trial: &Trial,
        still: Still,
        on: &Rc<Running>,
        act: DatagramAct<'_>,
    ) {
        self.flush(trial);
        self.know(act.by, act.from);
        let dropped = |view: &View| {
            let its = view.datagram_sockets.iter().find(|(_, row)| row.local == act.to);
            its.map_or(0, |(_, row)| row.drops)
        };
        let then = dropped(&self.last);
        let before = self.look(trial);
        let receiver = before.datagram_sockets.iter().find(|(_, row)| row.local == act.to);
        // A connected socket lets in what comes from one address.
        let of_others = |(_, row): &(String, Row)| is_connected(row) && row.remote != act.from;
        let lost = dropped(&before) > then || receiver.is_some_and(of_others);
        let to = receiver.map_or_else(|| on.name.clone(), |(who, _)| who.clone());
        let sent = step(act.by, "send_to", count(act.bytes.len()), Known::Done);
        self.push(Event {
            to: Some(to),
            bytes: head(act.bytes),
            length: act.bytes.len(),
            lost,
            sockets: before.sockets(),
            ..sent
        });
        drop(still);
        // What does not come to rest is as it is when it is looked at.
        let _ = trial.settle(on);
        self.settle(trial, &before);
    }

    /// A socket of the harness has received a datagram.
    pub(super) fn datagram_read(
        &mut self,
        trial: &Trial,
        (name, here): (&str, SocketAddr),
        from: SocketAddr,
        bytes: &[u8],
    ) {
        self.flush(trial);
        self.know(name, here);
        let (text, shown) = (count(bytes.len()), head(bytes));
        // It was seen in the queue before anybody knew what it is.
        let unknown = |step: &&mut Event| {
            step.to.as_deref() == Some(name) && step.text == "a datagram" && step.length == 0
        };
        if let Some(sent) = self.steps.iter_mut().find(unknown) {
            (sent.text, sent.bytes, sent.length) = (text.clone(), shown, bytes.len());
        } else {
            let by = self.owner(trial, from);
            let socket = self.last.datagram_sockets.iter().find(|(_, row)| row.local == from);
            let call = socket.map_or("send_to", |(_, row)| sends(row));
            let sent = step(&by, call, text.clone(), Known::Inferred);
            let to = Some(name.to_owned());
            self.push(Event { to, bytes: shown, length: bytes.len(), ..sent });
        }
        self.push(step(name, "recv_from", text, Known::Done));
        let view = self.look(trial);
        if let Some(last) = self.steps.last_mut() {
            (last.sockets, last.doing) = (view.sockets(), view.doing);
        }
    }

    /// What was received last has not arrived: the harness was the wire, and not its receiver.
    pub(super) fn datagram_lost(&mut self) {
        let Some(received) = self.steps.pop_if(|step| step.call == "recv_from") else { return };
        let to = Some(received.by);
        if let Some(sent) = self.steps.iter_mut().rfind(|step| step.to == to) {
            (sent.lost, sent.sockets, sent.doing) = (true, received.sockets, received.doing);
        }
    }

    fn know(&mut self, name: &str, address: SocketAddr) {
        if !self.askers.iter().any(|(_, known)| *known == address) {
            self.askers.push((name.to_owned(), address));
        }
    }

    /// What the reader calls the one who sends from this address.
    fn owner(&self, trial: &Trial, address: SocketAddr) -> String {
        let has = |(_, row): &&(String, Row)| row.local == address;
        match (self.last.datagram_sockets.iter().find(has), &trial.running()[..]) {
            (Some((who, _)), _) => who.clone(),
            (None, [only]) => only.name.clone(),
            _ => trial.names().call(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Table;

    fn row(port: u16, rx_queue: u32, drops: u64) -> Row {
        Row {
            table: Table::Udp,
            local: ([127, 0, 0, 1], port).into(),
            remote: ([0, 0, 0, 0], 0).into(),
            state: State::Closed,
            tx_queue: 0,
            rx_queue,
            drops,
            inode: u64::from(port),
        }
    }

    fn view(echo: Option<Row>, asker: Option<Row>) -> View {
        let named = |name: &str, row: Option<Row>| row.map(|row| (name.to_owned(), row));
        let sockets = named("echo", echo).into_iter().chain(named("asker 1", asker));
        View { datagram_sockets: sockets.collect(), ..View::default() }
    }

    fn told(before: &View, after: &View) -> Vec<(String, String)> {
        let askers = [("asker 1".to_owned(), ([127, 0, 0, 1], 5000).into())];
        let steps = between(before, after, &askers);
        steps.into_iter().map(|step| (step.by, step.call)).collect()
    }

    fn step_of(who: &str, call: &str) -> (String, String) {
        (who.to_owned(), call.to_owned())
    }

    #[test]
    fn a_new_socket_was_bound() {
        let after = view(Some(row(53, 0, 0)), None);
        assert_eq!(told(&View::default(), &after), [step_of("echo", "bind")]);
    }

    #[test]
    fn a_connected_socket_receives_and_sends_without_naming_anybody() {
        let connected = |rx_queue| Row { state: State::Established, ..row(53, rx_queue, 0) };
        let after = view(Some(connected(832)), Some(row(5000, 0, 0)));
        assert_eq!(told(&View::default(), &after), [step_of("echo", "bind, connect")]);
        let answered = view(Some(connected(0)), Some(row(5000, 832, 0)));
        assert_eq!(told(&after, &answered), [step_of("echo", "recv"), step_of("echo", "send")]);
    }

    #[test]
    fn what_the_harness_takes_off_its_way_has_not_arrived() {
        let sent = step("echo", "send", "5 bytes".into(), Known::Inferred);
        let sent = Event { to: Some("asker 1".into()), ..sent };
        let received = step("asker 1", "recv_from", "5 bytes".into(), Known::Done);
        let mut tape = Tape::default();
        tape.steps.extend([sent, received]);
        tape.datagram_lost();
        let told: Vec<_> = tape.steps.iter().map(|step| (step.call.as_str(), step.lost)).collect();
        assert_eq!(told, [("send", true)]);
    }

    #[test]
    fn an_echo_is_a_datagram_that_was_read_and_one_that_was_sent() {
        let before = view(Some(row(53, 832, 0)), Some(row(5000, 0, 0)));
        let after = view(Some(row(53, 0, 0)), Some(row(5000, 832, 0)));
        let told = told(&before, &after);
        assert_eq!(told, [step_of("echo", "recv_from"), step_of("echo", "send_to")]);
    }

    #[test]
    fn where_nothing_was_done_nothing_is_told() {
        let still = || view(Some(row(53, 832, 3)), Some(row(5000, 0, 0)));
        assert!(told(&still(), &still()).is_empty());
    }

    #[test]
    fn unread_datagrams_have_no_number_and_dropped_ones_have() {
        assert_eq!(describe(&socket("echo", &row(53, 832, 3))), "UDP, datagrams unread, 3 dropped");
        assert_eq!(describe(&socket("echo", &row(53, 0, 0))), "UDP");
    }
}
