//! The ports in use, as a table, with a sentence for each state in it.

mod recorded;

pub(crate) use recorded::ports as record;

use crate::kernel::{Held, State};
use crate::term::Style;
use crate::term::layout::{columns, hang, pad};

const WIDTH: usize = 100;
const HEADS: [&str; 6] = ["protocol", "address", "other end", "state", "queue", "process"];

/// The table, and what its states mean. Ends with a newline.
pub fn render(held: &[Held], style: Style) -> String {
    let mut held: Vec<_> = held.iter().collect();
    held.sort_by_key(|one| {
        (one.row.local, one.row.state != State::Listen, one.row.remote, one.row.inode)
    });
    let rows: Vec<[String; 6]> = held.iter().map(|one| cells(one)).collect();
    let widths: Vec<_> = (0..HEADS.len())
        .map(|at| rows.iter().map(|row| columns(&row[at])).fold(columns(HEADS[at]), usize::max))
        .collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| pad(cell, *width));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![style.dim(&line(&HEADS.map(str::to_owned)))];
    lines.extend(rows.iter().map(|row| line(row)));
    let mut states: Vec<_> = held.iter().map(|one| (name(one), meaning(one))).collect();
    states.sort_unstable();
    states.dedup();
    lines.push(String::new());
    let width = states.iter().map(|(state, _)| columns(state)).max().unwrap_or_default() + 2;
    for (state, meaning) in states {
        lines.extend(hang(&pad(&state, width), meaning, WIDTH));
    }
    lines.join("\n") + "\n"
}

fn cells(held: &Held) -> [String; 6] {
    let Held { row, holder } = held;
    let remote = match row.remote.port() {
        0 => "-".to_owned(),
        _ => row.remote.to_string(),
    };
    let process = match holder {
        Some(holder) => format!("{} ({})", holder.name, holder.pid),
        None => "none".to_owned(),
    };
    let protocol = if row.table.is_tcp() { "tcp" } else { "udp" };
    [protocol.into(), row.local.to_string(), remote, name(held), queue(held), process]
}

fn name(held: &Held) -> String {
    if held.row.table.is_tcp() { held.row.state.to_string() } else { "UDP".to_owned() }
}

/// What stands in the queues, in words.
fn queue(held: &Held) -> String {
    let row = &held.row;
    let mut parts = Vec::new();
    match (row.state, row.rx_queue) {
        (State::Listen, 0) => parts.push("nobody waits".to_owned()),
        (State::Listen, 1) => parts.push("1 waits for accept".to_owned()),
        (State::Listen, n) => parts.push(format!("{n} wait for accept")),
        (_, 0) => {}
        (_, n) => parts.push(format!("{n} unread")),
    }
    if row.tx_queue > 0 {
        parts.push(format!("{} not acknowledged", row.tx_queue));
    }
    if parts.is_empty() { "empty".to_owned() } else { parts.join(", ") }
}

/// A sentence on the state, from the point of view of the socket's owner.
fn meaning(held: &Held) -> &'static str {
    if !held.row.table.is_tcp() {
        return "datagrams: there are no connections, so there are no states";
    }
    match held.row.state {
        State::Listen => {
            "waits for connections; the queue is of those that are connected and not yet accepted"
        }
        State::SynSent => "has asked for a connection; the answer has not come",
        State::SynReceived => {
            "was asked for a connection and has agreed; the last packet is awaited"
        }
        State::Established => "connected: both sides can send",
        State::FinWait1 => {
            "this side has ended its sending; the other kernel has not confirmed that"
        }
        State::FinWait2 => "this side has ended its sending; the other side still can send",
        State::CloseWait => {
            "the other side has ended its sending, and this program has not closed yet"
        }
        State::LastAck => "both sides have ended; the last confirmation is awaited",
        State::Closing => "both sides ended at the same moment; a confirmation is awaited",
        State::TimeWait => {
            "closed, by this side first; the kernel remembers it for a minute, for late packets. \
             No program has it any more, and std can listen on the port again at once"
        }
        State::Closed => "not connected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Holder, Row, Table};

    fn held(remote: &str, state: State, rx_queue: u32, pid: Option<u32>) -> Held {
        let row = Row {
            table: Table::Tcp,
            local: "127.0.0.1:7007".parse().unwrap(),
            remote: remote.parse().unwrap(),
            state,
            tx_queue: 0,
            rx_queue,
            drops: 0,
            inode: pid.map_or(0, u64::from),
        };
        Held { row, holder: pid.map(|pid| Holder { pid, name: "server".into() }) }
    }

    #[test]
    fn a_table_of_a_server_and_its_clients() {
        let all = [
            held("127.0.0.1:50002", State::Established, 5, None),
            held("0.0.0.0:0", State::Listen, 1, Some(70)),
            held("127.0.0.1:50001", State::Established, 0, Some(70)),
        ];
        let golden = "\
protocol  address         other end        state        queue               process
tcp       127.0.0.1:7007  -                LISTEN       1 waits for accept  server (70)
tcp       127.0.0.1:7007  127.0.0.1:50001  ESTABLISHED  empty               server (70)
tcp       127.0.0.1:7007  127.0.0.1:50002  ESTABLISHED  5 unread            none

ESTABLISHED  connected: both sides can send
LISTEN       waits for connections; the queue is of those that are connected and not yet accepted
";
        assert_eq!(render(&all, Style::plain()), golden);
    }
}
