//! How much has gone over the loopback device: the counters in `/proc/PID/net/dev`.

use std::io;

/// What the loopback device has carried since its network began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// Bytes, the headers of IP and above included.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// Looks now. `None` where there is no such device, or no such table.
///
/// # Errors
/// The table's, other than that it is not there.
pub fn loopback() -> io::Result<Option<Loopback>> {
    Ok(super::table_text("dev")?.as_deref().and_then(parse))
}

/// The receiving side of the line `lo:`. A packet leaves and arrives once, so both sides are alike.
fn parse(text: &str) -> Option<Loopback> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("lo:"))?;
    let mut numbers = line.split_ascii_whitespace().map(str::parse);
    Some(Loopback { bytes: numbers.next()?.ok()?, packets: numbers.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_loopback_device_is_read() {
        let text = "Inter-|   Receive                |  Transmit\n face |bytes    packets errs drop\n  \
                    eth0: 9 8 0 0 0 0 0 0 7 6\n    lo: 1234      12    0    0    0     0          0         0     1234      12\n";
        assert_eq!(parse(text), Some(Loopback { bytes: 1234, packets: 12 }));
        assert_eq!(parse("  eth0: 9 8\n"), None);
    }
}
