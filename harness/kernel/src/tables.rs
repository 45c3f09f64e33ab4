//! The kernel's socket tables, `/proc/PID/net/{tcp,tcp6,udp,udp6}`, as typed rows.
//!
//! Format: `net/ipv4/tcp_ipv4.c`, `get_tcp4_sock` and its neighbours; documented in
//! `Documentation/networking/proc_net_tcp.rst`. Addresses are 32-bit words in the machine's own
//! byte order, in hexadecimal; ports are plain hexadecimal numbers.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state of a TCP connection, spelt as in RFC 9293 section 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Both directions are open.
    Established,
    /// A SYN was sent; the answer is awaited.
    SynSent,
    /// A SYN was received and answered; the last ACK of the handshake is awaited.
    SynReceived,
    /// This side has ended its sending side; the peer has not acknowledged that yet.
    FinWait1,
    /// This side has ended its sending side; the peer's end is awaited.
    FinWait2,
    /// Closed on both sides by this side first; late segments are caught for a minute.
    TimeWait,
    /// No connection (for UDP: a socket that is not connected).
    Closed,
    /// The peer has ended its sending side; this side has not.
    CloseWait,
    /// The peer ended first, this side has too; the last ACK is awaited.
    LastAck,
    /// Waits for connections.
    Listen,
    /// Both sides ended at the same moment.
    Closing,
}

impl State {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Established,
            2 => Self::SynSent,
            // 12 is Linux's own "new SYN_RECV": a request that has no full socket yet.
            3 | 12 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Closed,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => return None,
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::TimeWait => "TIME-WAIT",
            Self::Closed => "CLOSED",
            Self::CloseWait => "CLOSE-WAIT",
            Self::LastAck => "LAST-ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
        })
    }
}

/// Which of the four tables a row stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// TCP over IPv4.
    Tcp,
    /// TCP over IPv6, and IPv4 connections of a dual-stack listener.
    Tcp6,
    /// UDP over IPv4.
    Udp,
    /// UDP over IPv6.
    Udp6,
}

impl Table {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Tcp6, Self::Udp, Self::Udp6];

    /// The file's name below `/proc/PID/net`.
    pub fn file(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tcp6 => "tcp6",
            Self::Udp => "udp",
            Self::Udp6 => "udp6",
        }
    }

    /// Whether it lists TCP sockets.
    pub fn is_tcp(self) -> bool {
        matches!(self, Self::Tcp | Self::Tcp6)
    }
}

impl Row {
    /// Whether it is a connection that stands in a listener's queue: the kernel has made it, and no
    /// program has it yet. One that a program has closed belongs to nobody either, in other states.
    pub fn stands_in_a_queue(&self) -> bool {
        self.inode == 0 && matches!(self.state, State::Established | State::CloseWait)
    }
}

/// One socket as the kernel's table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table that it stands in.
    pub table: Table,
    /// Its own address. An IPv4 address in an IPv6 table (`::ffff:a.b.c.d`) is given as IPv4.
    pub local: SocketAddr,
    /// The other end's address; all zero where there is none.
    pub remote: SocketAddr,
    /// RFC 9293 state.
    pub state: State,
    /// Bytes sent that the other end has not acknowledged; a FIN counts 1.
    pub tx_queue: u32,
    /// Bytes received that the program has not read (a FIN without data counts 1); for a
    /// listener the number of connections that wait for `accept`; for UDP the memory that unread
    /// datagrams take, which says that there are some, and neither how many nor how long.
    pub rx_queue: u32,
    /// Datagrams that came for this UDP socket and that the kernel threw away, since there was no
    /// room for them; 0 for TCP, which loses nothing.
    pub drops: u64,
    /// Which socket: the number in `/proc/PID/fd/N -> socket:[inode]`. 0 where no process has
    /// it: queued for `accept`, TIME-WAIT, or orphaned.
    pub inode: u64,
}

/// A line of a table that does not have the documented form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The table's file name.
    pub table: &'static str,
    /// Counted from 1, the heading included.
    pub line: usize,
    /// Which column is missing or malformed.
    pub column: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, line, column } = self;
        write!(f, "/proc/net/{table}, line {line}: cannot read the column {column}")
    }
}

impl std::error::Error for ParseError {}

/// Reads one table, heading included.
pub fn parse(table: Table, text: &str) -> Result<Vec<Row>, ParseError> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let mut columns = Columns::of(line);
        if columns.next().is_none() {
            continue;
        }
        let row = parse_row(table, columns).map_err(|column| ParseError {
            table: table.file(),
            line: index + 1,
            column,
        });
        rows.push(row?);
    }
    Ok(rows)
}

/// Columns: `sl local remote st tx:rx tr:when retrnsmt uid timeout inode …`; for UDP then
/// `ref pointer drops`. The first one is over. The error is the name of the column that can't be
/// read.
fn parse_row(table: Table, mut columns: Columns<'_>) -> Result<Row, &'static str> {
    let mut next = |name| columns.next().ok_or(name);
    let local = parse_address(next("local_address")?).ok_or("local_address")?;
    let remote = parse_address(next("rem_address")?).ok_or("rem_address")?;
    let code = hexadecimal(next("st")?).ok_or("st")?;
    let state = u8::try_from(code).ok().and_then(State::from_code).ok_or("st")?;
    let (tx, rx) = halves(next("tx_queue:rx_queue")?).ok_or("tx_queue:rx_queue")?;
    let queue = |digits| hexadecimal(digits).ok_or("tx_queue:rx_queue");
    let (tx_queue, rx_queue) = (queue(tx)?, queue(rx)?);
    for name in ["tr:tm->when", "retrnsmt", "uid", "timeout"] {
        next(name)?;
    }
    let inode = decimal(next("inode")?).ok_or("inode")?;
    let drops = if table.is_tcp() {
        0
    } else {
        for name in ["ref", "pointer"] {
            next(name)?;
        }
        decimal(next("drops")?).ok_or("drops")?
    };
    Ok(Row { table, local, remote, state, tx_queue, rx_queue, drops, inode })
}

/// The words of a line. A look reads thousands of them, in a build that is not optimised, so here
/// and below are plain loops: the iterators of std cost ten times as much there.
struct Columns<'a>(&'a [u8]);

impl<'a> Columns<'a> {
    fn of(line: &'a str) -> Self {
        Self(line.as_bytes())
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.0;
        let mut first = 0;
        while first < line.len() && line[first] == b' ' {
            first += 1;
        }
        let mut end = first;
        while end < line.len() && line[end] != b' ' {
            end += 1;
        }
        self.0 = &line[end..];
        if first < end { Some(&line[first..end]) } else { None }
    }
}

/// What stands before the first colon, and what stands behind it.
fn halves(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut colon = 0;
    while *word.get(colon)? != b':' {
        colon += 1;
    }
    Some((&word[..colon], &word[colon + 1..]))
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'F' => digit - b'A' + 10,
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u32::from(digit);
    }
    Some(value)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

fn parse_address(word: &[u8]) -> Option<SocketAddr> {
    let (address, port) = halves(word)?;
    let port = u16::try_from(hexadecimal(port)?).ok()?;
    let four = |at: usize| Some(hexadecimal(&address[at..at + 8])?.to_ne_bytes());
    let address: IpAddr = match address.len() {
        8 => Ipv4Addr::from(four(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&four(index * 8)?);
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../../fixtures/tables/tcp");
    const RECORDED6: &str = include_str!("../../../fixtures/tables/tcp6");
    const RECORDED_UDP: &str = include_str!("../../../fixtures/tables/udp");

    fn states(rows: &[Row]) -> Vec<State> {
        rows.iter().map(|row| row.state).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_recorded_table_is_read_row_by_row() {
        let rows = parse(Table::Tcp, RECORDED).unwrap();
        let listener = &rows[0];
        assert_eq!(listener.state, State::Listen);
        assert_eq!(listener.local, "127.0.0.1:7007".parse().unwrap());
        assert_eq!(listener.rx_queue, 1, "one connection waits for accept");
        assert!(states(&rows).contains(&State::TimeWait));
        let unread = rows.iter().find(|row| row.rx_queue == 5 && row.inode == 0);
        assert!(unread.is_some(), "the queued connection holds 5 unread bytes: {rows:?}");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn an_ipv4_connection_in_the_ipv6_table_is_given_as_ipv4() {
        let rows = parse(Table::Tcp6, RECORDED6).unwrap();
        assert_eq!(rows[0].local, "[::]:7008".parse().unwrap());
        let mapped = rows.iter().find(|row| row.local == "127.0.0.1:7008".parse().unwrap());
        assert!(mapped.is_some(), "{rows:?}");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_udp_row_has_the_same_columns() {
        let rows = parse(Table::Udp, RECORDED_UDP).unwrap();
        assert_eq!(rows[0].local, "127.0.0.1:7009".parse().unwrap());
        assert_eq!(rows[0].state, State::Closed);
    }

    #[test]
    fn a_udp_row_ends_with_the_datagrams_that_were_dropped() {
        let row = |end: &str| {
            let line = format!(
                "   0: 0100007F:1B61 00000000:0000 07 00000000:00034500 00:00000000 00000000 \
                 0 0 7 2 0000000000000000 {end}"
            );
            parse(Table::Udp, &format!("heading\n{line}\n"))
        };
        assert_eq!(row("4744").unwrap()[0].drops, 4744);
        assert_eq!(row("").unwrap_err().column, "drops");
    }

    #[test]
    fn a_malformed_line_is_named_with_its_column() {
        let text = "heading\n   0: 0100007F:1B5F 00000000:0000 ZZ 0:0 0:0 0 0 0 7\n";
        let error = parse(Table::Tcp, text).unwrap_err();
        assert_eq!(error.to_string(), "/proc/net/tcp, line 2: cannot read the column st");
    }
}
