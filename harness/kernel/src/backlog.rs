//! Packets that were sent and that the kernel has not delivered yet.
//!
//! What is sent over loopback goes into the backlog of the sender's processor, and from there into
//! the receiver's queue: as a rule before the sender's call returns, but on a busy machine a kernel
//! thread may do it later. `/proc/net/softnet_stat` has a line for each processor; its twelfth
//! column is the length of that backlog (`net/core/net-procfs.c`, since Linux 5.10).

use super::text::read_text;

/// The column, counted from 0.
const LENGTH: usize = 11;

/// Whether a packet, of anybody's, waits to be delivered. `false` where the kernel does not say.
pub(super) fn is_waiting() -> bool {
    read_text("/proc/net/softnet_stat").is_ok_and(|text| parse(&text))
}

fn parse(text: &str) -> bool {
    let lengths = text.lines().filter_map(|line| line.split_ascii_whitespace().nth(LENGTH));
    lengths.into_iter().any(|length| length.bytes().any(|digit| digit != b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_in_the_backlog_of_any_processor_is_under_way() {
        let line = |length: &str| format!("0019eeff 0 1 0 0 0 0 0 0 0 0 {length} 00000000 0 0\n");
        let idle = line("00000000");
        assert!(!parse(&format!("{idle}{idle}")));
        assert!(parse(&format!("{idle}{}", line("00000010"))));
    }

    #[test]
    fn an_older_kernel_says_nothing() {
        assert!(!parse("0019eeff 00000000 00000001 0 0 0 0 0 0 0 0\n"));
        assert!(!parse(""));
    }
}
