//! How many segments with data have been sent: what one write looks like on its way.

use super::text::read_text;

/// The file, with a line of names and a line of numbers for each protocol.
const FILE: &str = "/proc/net/netstat";
/// The line, and the counter in it: segments with data, those that were sent again left out.
const LINE: &str = "TcpExt:";
const COUNTER: &str = "TCPOrigDataSent";

/// The segments with data that were sent so far in this network namespace, by anybody; `None` where
/// the kernel does not count them.
pub fn data_segments_sent() -> Option<u64> {
    parse(&read_text(FILE).ok()?)
}

fn parse(text: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(LINE));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|name| name == COUNTER)?;
    numbers.split_ascii_whitespace().nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_counter_is_found_by_its_name() {
        let text = "TcpExt: SyncookiesSent TCPOrigDataSent TCPAutoCorking\nTcpExt: 1 23 4\n\
                    IpExt: InNoRoutes\nIpExt: 5\n";
        assert_eq!(parse(text), Some(23));
        assert_eq!(parse("TcpExt: SyncookiesSent\nTcpExt: 1\n"), None);
    }
}
