//! Sockets that stand in none of the tables of TCP and UDP: of other families, and those that were
//! made and neither listen nor are connected.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::process::Process;
use super::{Snapshot, table_text};

/// Tables of other sockets, the column that has the inode in each, and what the socket is called.
/// Netlink is not looked at closer: a runtime may watch the network's interfaces.
const TABLES: [(&str, usize, Option<&str>); 6] = [
    ("raw", 9, Some("a raw socket")),
    ("raw6", 9, Some("a raw socket")),
    ("icmp", 9, Some("an ICMP socket")),
    ("icmp6", 9, Some("an ICMP socket")),
    ("packet", 8, Some("a packet socket")),
    ("netlink", 9, None),
];

impl Snapshot {
    /// Sockets that no runtime has for itself, and that [`Snapshot::own_rows`] does not have: each
    /// inode with what it is, in words. What connects a runtime's own threads (a pair of Unix
    /// sockets), and what this process has handed down, are not among them.
    pub fn unlisted_sockets(&self) -> io::Result<BTreeMap<u64, String>> {
        let rows: BTreeSet<u64> = self.rows.iter().map(|row| row.inode).collect();
        let mut found: BTreeSet<u64> =
            self.sockets().filter(|inode| !rows.contains(inode)).collect();
        if found.is_empty() {
            return Ok(BTreeMap::new());
        }
        if let Some(own) = Process::read(std::process::id()) {
            let own: BTreeSet<u64> = own.sockets().collect();
            found.retain(|inode| !own.contains(inode));
        }
        let mut told: BTreeMap<u64, Option<String>> =
            unix(&table_text("unix")?.unwrap_or_default());
        for (name, column, words) in TABLES {
            let inodes = table_text(name)?.unwrap_or_default();
            let inodes = inodes.lines().skip(1).filter_map(|line| inode(line, column));
            told.extend(inodes.map(|inode| (inode, words.map(str::to_owned))));
        }
        let unknown = || Some("a socket that neither listens nor is connected".to_owned());
        let words = |inode| Some((inode, told.get(&inode).cloned().unwrap_or_else(unknown)?));
        Ok(found.into_iter().filter_map(words).collect())
    }
}

fn inode(line: &str, column: usize) -> Option<u64> {
    line.split_ascii_whitespace().nth(column)?.parse().ok()
}

/// Unix sockets by inode, in words; `None` of one that is connected (`Num RefCount Protocol Flags
/// Type St Inode Path`, unix(7)).
fn unix(table: &str) -> BTreeMap<u64, Option<String>> {
    /// `__SO_ACCEPTCON`, and `SS_CONNECTED`.
    const LISTENS: u32 = 1 << 16;
    const CONNECTED: &str = "03";
    let socket = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(3);
        let flags = u32::from_str_radix(words.next()?, 16).ok()?;
        let state = words.nth(1)?;
        let inode = words.next()?.parse().ok()?;
        let said = match words.next() {
            _ if state == CONNECTED => None,
            Some(path) if flags & LISTENS != 0 => {
                Some(format!("a Unix socket, listening on {path}"))
            }
            Some(path) => Some(format!("a Unix socket, bound to {path}")),
            None => Some("a Unix socket that is neither bound nor connected".to_owned()),
        };
        Some((inode, said))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    const UNIX: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n\
        0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/door\n\
        0000000000000000: 00000002 00000000 00000000 0002 01 12 @name\n\
        0000000000000000: 00000003 00000000 00000000 0001 03 13\n\
        0000000000000000: 00000002 00000000 00000000 0002 01 14\n";

    #[test]
    fn a_unix_socket_is_told_of_unless_it_is_connected() {
        let told = unix(UNIX);
        let said = |inode: u64| told[&inode].as_deref();
        assert_eq!(said(11), Some("a Unix socket, listening on /run/door"));
        assert_eq!(said(12), Some("a Unix socket, bound to @name"));
        assert_eq!(said(13), None);
        assert_eq!(said(14), Some("a Unix socket that is neither bound nor connected"));
    }

    #[test]
    fn each_table_has_its_inode_in_its_column() {
        let raw = "   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
            0        0 4711 2 0000000000000000 0";
        assert_eq!(inode(raw, 9), Some(4711));
        let packet = "0000000000000000 3      3    0003   0     1 0      0      4712";
        assert_eq!(inode(packet, 8), Some(4712));
        let netlink = "0000000000000000 0   1   00000000 0 0 0 2 0 4713";
        assert_eq!(inode(netlink, 9), Some(4713));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_shows_which_unix_sockets_are_a_pair() {
        use std::os::fd::AsRawFd;
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        let name = format!("door-{}", std::process::id());
        let door = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixListener::bind_addr(&door).unwrap();
        let pair = UnixStream::pair().unwrap();
        let unbound = UnixDatagram::unbound().unwrap();
        let told = unix(&table_text("unix").unwrap().unwrap_or_default());
        let said = |fd: i32| {
            let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
            let link = link.to_string_lossy().into_owned();
            let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            told[&inode.unwrap().parse::<u64>().unwrap()].clone()
        };
        assert!(said(listener.as_raw_fd()).unwrap().starts_with("a Unix socket, listening on "));
        assert_eq!((said(pair.0.as_raw_fd()), said(pair.1.as_raw_fd())), (None, None));
        assert!(said(unbound.as_raw_fd()).unwrap().contains("neither"));
    }
}
