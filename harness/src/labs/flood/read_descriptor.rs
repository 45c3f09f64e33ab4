//! Step 2 of lab 8, `read_descriptor`: where a descriptor ends, and the next one begins.
//!
//! What it has read shows by what it reads next: behind everything that it must take comes a header
//! whose length is over the limit. A servent that is in step ends the link there, and not before.

use super::CONNECT;
use super::descriptor::{Descriptor, HEADER, LONGEST, PUSH, QUERY, id};
use super::link::Link;
use super::servent::Servent;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ flood_read_descriptor, "flood" step 2:
    reads_what_comes_in_pieces, 3 points: "reads descriptors that come byte by byte, or three in one segment";
    "A read returns what is there: half a header, or several descriptors (RFC 9293 section 3.9.1)."

    reads_the_length_little_endian, 3 points: "reads the length of a payload little-endian";
    "Numbers are little-endian: a length of 258 is 02 01 00 00."

    takes_the_longest_payload, 1 point: "takes a payload of 65,536 bytes";
    "A payload has at most 65,536 bytes."

    refuses_a_longer_payload, 2 points: "ends a link where a payload would be longer, and waits for none of it";
    "A length over the limit ends the link. Lengths are bounded before anything is allocated for them."

    skips_what_it_does_not_know, 2 points: "skips a Push, and kinds that it does not know";
    "0x40 Push and every other kind: read, and dropped."

    notices_an_end, 3 points: "notices the end of a link, also within a descriptor";
    "`unlinked ADDR`: an end, a reset, or half a descriptor ends that link and nothing else."
}

const IN_STEP: &str = "a descriptor is its header of 23 bytes, and as many bytes of payload as the last four of them say: \
    read exactly so many, however they come, and the next header begins behind them";
const LITTLE: &str = "the length of the payload is the number whose lowest byte comes first: 02 01 00 00 is 258, and \
    u32::from_le_bytes reads it";
const SKIPPED: &str = "a descriptor that a servent has no use for is read like any other, header and payload, and \
    dropped: the link stays, and stays in step";
const OVER: &str = "a length is a stranger's word: compare it with 65,536 before a byte of the payload is \
    awaited, or made room for; then end the link, since nobody knows where the next header would be";
const ENDED: &str = "a read that returns 0 is the end of the link: print `unlinked` and the address, once, \
    and close; what has come of a descriptor by then is none";

/// A Query that finds nothing where nothing is shared, and has a payload of so many bytes.
fn query(number: u32, length: usize) -> Descriptor {
    // Two bytes of speed before the text, and a NUL behind it.
    Descriptor::query(id(number), &"x".repeat(length - 3))
}

/// A header of this kind that says that a payload of so many bytes follows.
fn header(kind: u8, length: u32) -> Vec<u8> {
    let mut bytes = Descriptor { kind, payload: Vec::new(), ..query(99, 3) }.bytes();
    bytes[HEADER - 4..].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// The link is as it was, and the next header is read as one: its length ends the link.
fn expect_in_step(mut link: Link, cause: &str) -> Verdict {
    link.expect_silence(cause)?;
    let over = LONGEST as u32 + 1;
    let what = format!("a header that promises a payload of {over} bytes, over the limit");
    link.send_as(&header(QUERY, over), &what)?;
    link.expect_closed(cause)
}

fn reads_what_comes_in_pieces(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    for cut in [Cut::Bytes, Cut::Seed(8), Cut::Behind(&[22]), Cut::Behind(&[23])] {
        t.new_story();
        let mut link = servent.linked_by("bob")?;
        link.send_cut(&query(1, 12), cut)?;
        expect_in_step(link, IN_STEP)?;
        servent.console.forget()?;
    }
    t.new_story();
    let mut link = servent.linked_by("bob")?;
    link.send_all(&[query(2, 12), Descriptor::query(id(3), ""), query(4, 300)])?;
    expect_in_step(link, IN_STEP)?;
    servent.console.forget()?;
    // The end of one segment is in the middle of the third.
    t.new_story();
    let mut link = servent.linked_by("bob")?;
    let three: Vec<u8> = [5, 6, 7].iter().flat_map(|number| query(*number, 40).bytes()).collect();
    link.send_pieces(&three, Cut::Behind(&[150]), "three Queries")?;
    expect_in_step(link, IN_STEP)
}

fn reads_the_length_little_endian(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    // Read the other way round the first two are over the limit, and the last one is not.
    for length in [3, 258, 256] {
        t.new_story();
        let mut link = servent.linked_by("bob")?;
        let hex: Vec<_> =
            (length as u32).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
        t.note(format!("the next payload has {length} bytes: {} in its header", hex.join(" ")));
        link.send(&query(1, length).at(7, length as u8))?;
        expect_in_step(link, LITTLE)?;
        servent.console.forget()?;
    }
    Ok(())
}

fn takes_the_longest_payload(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut link = servent.linked_by("bob")?;
    link.send_as(&query(1, LONGEST).bytes(), "a Query with a payload of 65536 bytes")?;
    expect_in_step(link, "65,536 bytes are allowed, all of them")
}

fn refuses_a_longer_payload(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let over = LONGEST as u32 + 1;
    for (kind, length) in
        [(QUERY, over), (QUERY, 1 << 24), (QUERY, u32::MAX), (PUSH, over), (0x99, over)]
    {
        t.new_story();
        let mut link = servent.linked_by("carol")?;
        let what = format!("a header of kind 0x{kind:02x} that promises {length} bytes");
        link.send_as(&header(kind, length), &what)?;
        link.expect_closed(OVER)?;
        servent.console.forget()?;
    }
    bob.expect_silence("one bad link is that link's problem")
}

fn skips_what_it_does_not_know(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    for (kind, length) in [(PUSH, 26), (0x02, 0), (0x99, 300), (0x30, 23), (0xff, LONGEST)] {
        t.new_story();
        let mut link = servent.linked_by("bob")?;
        let payload = vec![0x55; length];
        let unknown = Descriptor { kind, payload, ..query(1, 3) };
        link.send(&unknown)?;
        link.send(&query(2, 12))?;
        expect_in_step(link, SKIPPED)?;
        servent.console.forget()?;
    }
    Ok(())
}

fn notices_an_end(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let whole = query(1, 40).bytes();
    // Up to the NUL it could be taken for a whole one.
    let payload = b"\0\0song\0 and more".to_vec();
    let extended = Descriptor { payload, ..Descriptor::query(id(2), "song") }.bytes();
    for (whole, length, what) in [
        (&whole, 0, "nothing"),
        (&whole, 10, "10 bytes of a header"),
        (&whole, HEADER, "a header"),
        (&whole, 50, "50 bytes of 63"),
        (&extended, extended.len() - 1, "a Query but for its last byte"),
    ] {
        t.new_story();
        let mut link = servent.linked_by("carol")?;
        let address = link.connection().here();
        if length > 0 {
            link.send_as(&whole[..length], what)?;
        }
        link.half_close()?;
        servent.expect_unlinked(address)?;
        link.expect_closed(ENDED)?;
    }
    t.new_story();
    let mut dave = servent.called_by("dave")?;
    let address = dave.connection().here();
    dave.send_as(CONNECT, "GNUTELLA CONNECT/0.4")?;
    servent.expect_linked(&dave, "server")?;
    // The OK is still unread, which makes a reset of its end.
    dave.reset()?;
    servent.expect_unlinked(address)?;
    bob.expect_silence(ENDED)?;
    servent.console.expect_no_event("a link that ends is told of once")?;
    t.expect_written()
}
