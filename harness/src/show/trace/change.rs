//! What a program must have done between two looks: told by what has changed.

use super::Known;
use super::view::{Pair, View};
use crate::kernel::{Row, State};
use crate::words::count;

/// One thing that a program has done on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Which connection: its place in the list.
    pub(super) link: usize,
    /// The call that it must have made.
    pub(super) call: &'static str,
    /// What came of it.
    pub(super) text: String,
    /// How many bytes.
    pub(super) length: usize,
    /// Whether it reaches the other end.
    pub(super) reaches: bool,
    /// Packets that must have gone over the wire for it.
    pub(super) packets: &'static str,
    /// How it is known.
    pub(super) known: Known,
}

/// All changes, connection by connection, in the order in which a program does such things. Where
/// it has only said something, that comes last: it is likely said of what was read elsewhere.
pub(super) fn between(before: &View, after: &View, links: &[Pair]) -> Vec<Change> {
    let nothing = [None, None];
    let of_each = (0..links.len()).map(|link| {
        let then = before.ends.get(link).unwrap_or(&nothing);
        let now = after.ends.get(link).unwrap_or(&nothing);
        of_link(link, then, now)
    });
    let is_said = |changes: &Vec<Change>| changes.iter().all(|change| change.call == "write");
    let (said, others): (Vec<_>, Vec<_>) = of_each.partition(is_said);
    others.into_iter().chain(said).flatten().collect()
}

type Ends = [Option<Row>; 2];

fn of_link(link: usize, [ours, theirs]: &Ends, [ours_now, theirs_now]: &Ends) -> Vec<Change> {
    let change = |call, text: String, known| Change {
        link,
        call,
        text,
        length: 0,
        reaches: false,
        packets: "",
        known,
    };
    let mut changes = Vec::new();
    let waited = theirs.as_ref().is_some_and(is_nobodys);
    if waited && theirs_now.as_ref().is_some_and(|row| !is_nobodys(row)) {
        changes.push(change("accept", String::new(), Known::Kernel));
    }
    changes.extend(
        read(theirs.as_ref(), theirs_now.as_ref())
            .into_iter()
            .map(|text| change("read", text, Known::Inferred)),
    );
    let written = unread(ours_now.as_ref()).saturating_sub(unread(ours.as_ref()));
    if written > 0 {
        let length = written as usize;
        let write = change("write", count(length), Known::Kernel);
        changes.push(Change { length, reaches: true, ..write });
    }
    if let Some((call, text, packets)) =
        ending(ours.as_ref(), ours_now.as_ref(), theirs_now.as_ref())
    {
        let end = change(call, text.into(), Known::Kernel);
        changes.push(Change { reaches: true, packets, ..end });
    }
    changes
}

/// A connection that the kernel has made and that no process has yet.
fn is_nobodys(row: &Row) -> bool {
    row.inode == 0 && matches!(row.state, State::Established | State::CloseWait)
}

/// Whether the peer's FIN has come.
fn has_fin(row: &Row) -> bool {
    matches!(row.state, State::CloseWait | State::LastAck | State::TimeWait | State::Closing)
}

/// Bytes that nobody has read. A FIN counts as one until it is read.
fn unread(row: Option<&Row>) -> u32 {
    row.map_or(0, |row| match row.state {
        State::CloseWait => row.rx_queue.saturating_sub(1),
        State::TimeWait => 0,
        _ => row.rx_queue,
    })
}

/// What the program must have read: bytes, the end, or both.
fn read(then: Option<&Row>, now: Option<&Row>) -> Vec<String> {
    let Some(then) = then else { return Vec::new() };
    let mut texts = Vec::new();
    let taken = unread(Some(then)).saturating_sub(unread(now));
    // Of a socket that has gone nobody knows what was read.
    if taken > 0 && now.is_some() {
        texts.push(count(taken as usize));
    }
    let fin_waited = then.state == State::CloseWait && then.rx_queue > 0;
    let fin_waits = now.is_some_and(|row| row.state == State::CloseWait && row.rx_queue > 0);
    if fin_waited && !fin_waits {
        texts.push("0 bytes: the end of the stream".into());
    }
    texts
}

/// How the program has ended its side: the call, what it does, and the packet.
fn ending(
    ours: Option<&Row>,
    ours_now: Option<&Row>,
    theirs_now: Option<&Row>,
) -> Option<(&'static str, &'static str, &'static str)> {
    match (ours, ours_now) {
        (Some(then), Some(now)) if has_fin(now) && !has_fin(then) => {
            let kept = theirs_now.is_some_and(|row| row.inode != 0);
            Some(if kept { ("shutdown(Write)", "", "FIN") } else { ("drop", "the stream", "FIN") })
        }
        // A socket of ours does not go by itself.
        (Some(then), None) if then.inode != 0 => {
            Some(("drop", "the stream, with bytes unread", "RST"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Table;

    fn row(state: State, rx_queue: u32, inode: u64) -> Option<Row> {
        Some(Row {
            table: Table::Tcp,
            local: "127.0.0.1:1".parse().unwrap(),
            remote: "127.0.0.1:2".parse().unwrap(),
            state,
            tx_queue: 0,
            rx_queue,
            drops: 0,
            inode,
        })
    }

    fn calls(before: Ends, after: Ends) -> Vec<(&'static str, String)> {
        let changes = of_link(0, &before, &after);
        changes.into_iter().map(|change| (change.call, change.text)).collect()
    }

    #[test]
    fn a_socket_that_has_found_its_process_was_accepted() {
        let ours = || row(State::Established, 0, 7);
        let [before, after] = [0, 8].map(|inode| [ours(), row(State::Established, 0, inode)]);
        assert_eq!(calls(before, after), [("accept", String::new())]);
    }

    #[test]
    fn an_echo_is_a_read_and_a_write() {
        let before = [row(State::Established, 0, 7), row(State::Established, 6, 8)];
        let after = [row(State::Established, 6, 7), row(State::Established, 0, 8)];
        let told = [("read", "6 bytes".to_owned()), ("write", "6 bytes".to_owned())];
        assert_eq!(calls(before, after), told);
    }

    #[test]
    fn an_end_that_is_answered_by_an_end() {
        let before = [row(State::FinWait2, 0, 7), row(State::CloseWait, 1, 8)];
        let after = [row(State::TimeWait, 0, 0), None];
        let told = calls(before, after);
        assert_eq!(told[0].1, "0 bytes: the end of the stream");
        assert_eq!(told[1].0, "drop");
    }

    #[test]
    fn our_socket_gone_means_that_it_was_reset() {
        let before = [row(State::Established, 0, 7), row(State::Established, 6, 8)];
        let changes = of_link(0, &before, &[None, None]);
        assert_eq!(changes.last().unwrap().packets, "RST");
    }

    #[test]
    fn nothing_has_changed_where_nothing_was_done() {
        let ends = || [row(State::Established, 3, 7), row(State::Established, 0, 8)];
        assert!(of_link(0, &ends(), &ends()).is_empty());
    }

    #[test]
    fn what_is_passed_on_was_read_first() {
        let pair = |name: &str| Pair {
            name: name.into(),
            program: "bob".into(),
            here: "127.0.0.1:1".parse().unwrap(),
            there: "127.0.0.1:2".parse().unwrap(),
            dials: false,
        };
        let view = |to_ann: u32, of_carol: u32| View {
            ends: vec![
                [row(State::Established, to_ann, 1), row(State::Established, 0, 2)],
                [row(State::Established, 0, 3), row(State::Established, of_carol, 4)],
            ],
            ..View::default()
        };
        let told = between(&view(0, 30), &view(30, 0), &[pair("ann"), pair("carol")]);
        let told: Vec<_> = told.iter().map(|change| (change.link, change.call)).collect();
        assert_eq!(told, [(1, "read"), (0, "write")]);
    }
}
