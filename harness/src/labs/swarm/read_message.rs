//! Step 3 of lab 9, `read_message`: where a message ends, and which ones are none.

use std::rc::Rc;

use super::message::{BLOCK, Block, Message};
use super::program::Swarm;
use super::remote::Remote;
use super::torrent::Torrent;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ swarm_read_message, "swarm" step 3:
    refuses_what_is_too_long, 3 points: "refuses a message that is too long before it has come";
    "Length at most 16,393, or what a bitfield needs: lengths are bounded before anything is allocated for them."

    takes_the_longest, 2 points: "takes messages of up to 16,393 bytes";
    "A block of 16,384 bytes, two numbers and the id are 16,393 bytes."

    reads_messages_in_pieces, 3 points: "reads messages however they are cut";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    skips_signs_of_life, 2 points: "takes a length of 0 for a sign of life";
    "BEP 3: messages of length zero are keepalives, and ignored."

    skips_unknown_messages, 2 points: "passes over messages that it does not know";
    "Others are skipped, also with id 9 and above."

    refuses_wrong_lengths, 3 points: "refuses a payload that has not its message's length";
    "Wrong length of a message: bad peer."

    reads_on_behind_the_greeting, 2 points: "reads what came together with the greeting";
    "The first message may come in one segment with the handshake."

    notices_an_end, 2 points: "notices the end of a connection, wherever it comes";
    "`left`: an end or a reset, also within a message, is no fault of anybody's."

    takes_a_long_bitfield, 1 point, exotic: "takes a bitfield that is longer than any other message";
    "Length at most 16,393, or what a bitfield needs."
}

/// Nine pieces of one block.
fn torrent() -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(9))
}

const BOUNDED: &str = "the four bytes of a length are a stranger's word: compare them before you make room, and before you wait for \
    what they promise. At most 16,393, or what a bitfield needs, if that is more";
const IN_STEP: &str = "a message is four bytes of length, and then exactly so many bytes, id and payload, whatever the id is and \
    however they come: whoever reads one byte more or less takes the middle of the next message for its begin";
const ITS_LENGTH: &str = "each id has a payload of its length: nothing for 0 to 3, four bytes for have, twelve for request, at least \
    eight for piece. Look at the length before you read numbers out of it";

/// A have that is one byte too short: whoever is in step finds it, and whoever is not does not.
fn broken() -> Message {
    Message::Other { id: 4, payload: vec![0; 3] }
}

/// Expects that the program has understood all that was sent: the next message is one that breaks a rule,
/// and only then it lets go.
fn expect_in_step(swarm: &Swarm, mut bob: Remote, cause: &str) -> Verdict {
    swarm.rest()?;
    swarm.console.expect_no_event(cause)?;
    if bob.look()?.is_some() {
        return bob.expect_silence(cause);
    }
    let what = "a have of three bytes in place of four, which is a fault";
    bob.send_as(&broken().bytes(), what)?;
    swarm.expect_bad_peer(bob, cause)
}

fn refuses_what_is_too_long(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    for length in [16_394, 1 << 24, 1 << 31, u32::MAX] {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &[])?;
        bob.send_as(&length.to_be_bytes(), &format!("a length of {length}, and nothing more"))?;
        swarm.expect_bad_peer(bob, BOUNDED)?;
    }
    swarm.joined_by("zoe", &[]).map(drop)
}

fn takes_the_longest(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "a message of 16,393 bytes is allowed, and real: a block of 16,384, two numbers before it, and the id";
    let block = vec![7; BLOCK as usize];
    let longest = [
        Message::piece(0, 0, &block),
        Message::Other { id: 20, payload: vec![0; BLOCK as usize + 8] },
    ];
    for message in longest {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &[])?;
        bob.send(&message)?;
        expect_in_step(&swarm, bob, cause)?;
    }
    Ok(())
}

/// Messages of each kind that break no rule, one behind the other.
fn stream(torrent: &Torrent) -> Vec<u8> {
    let block = Block { index: 1, begin: 0, length: BLOCK };
    let messages = [
        Message::Bitfield(torrent.bitfield(&[])),
        Message::Have(8),
        Message::KeepAlive,
        Message::NotInterested,
        Message::piece(1, 0, &[0, 0, 0, 1, 1]),
        Message::Cancel(block),
        Message::Other { id: 20, payload: vec![0, 0, 0, 2, 4] },
        Message::Choke,
        Message::Have(258 % torrent.count()),
    ];
    messages.iter().flat_map(Message::bytes).collect()
}

fn reads_messages_in_pieces(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let stream = stream(&torrent);
    for (cut, how) in [(Cut::Whole, " in one segment"), (Cut::Bytes, ""), (Cut::Seed(5), "")] {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &[])?;
        bob.send_pieces(&stream, cut, &format!("nine messages that break no rule{how}"))?;
        expect_in_step(&swarm, bob, IN_STEP)?;
    }
    Ok(())
}

fn skips_signs_of_life(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "a length of 0 has no id and no payload behind it: it says that somebody is still there, and the next four bytes \
                 are the next length";
    let mut bob = swarm.joined_by("bob", &[])?;
    let mut messages = vec![Message::KeepAlive; 10];
    messages.extend([Message::Have(2), Message::KeepAlive]);
    bob.send_all(&messages, "ten lengths of 0, have of piece 2, and one more length of 0")?;
    expect_in_step(&swarm, bob, cause)?;
    t.new_story();
    let mut bob = swarm.joined_by("bob", &[])?;
    // Read by recursion they would use up a stack.
    bob.send_as(&[0; 400_000], "100,000 lengths of 0")?;
    expect_in_step(&swarm, bob, cause)
}

fn skips_unknown_messages(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "what an id means that is not used here is nobody's fault, it belongs to an extension: its payload is read, and \
                 passed over";
    let mut bob = swarm.joined_by("bob", &[])?;
    for (id, length) in [(9, 2), (13, 0), (14, 0), (16, 12), (20, 300), (21, 5), (255, 1)] {
        bob.send(&Message::Other { id, payload: vec![0xff; length] })?;
    }
    expect_in_step(&swarm, bob, cause)
}

fn refuses_wrong_lengths(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cases = [
        (4, 3),
        (4, 0),
        (4, 5),
        (6, 11),
        (6, 13),
        (6, 0),
        (7, 7),
        (7, 0),
        (0, 1),
        (1, 1),
        (2, 4),
        (3, 1),
    ];
    for (id, length) in cases {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &[])?;
        let message = Message::Other { id, payload: vec![0; length] };
        bob.send(&message)?;
        swarm.expect_bad_peer(bob, ITS_LENGTH)?;
    }
    swarm.joined_by("zoe", &[]).map(drop)
}

fn reads_on_behind_the_greeting(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "whoever reads ahead while it is greeted, and throws away what it has read, loses the first messages: read \
                 exactly 68 bytes, or keep what is left";
    let mut bob = swarm.called_by("bob")?;
    let messages = [Message::Bitfield(torrent.bitfield(&[])), broken()];
    let messages: Vec<u8> = messages.iter().flat_map(Message::bytes).collect();
    let bytes = [bob.handshake(&torrent), messages].concat();
    bob.send_as(&bytes, "its greeting, a bitfield, and a have of three bytes, in one segment")?;
    bob.expect_handshake(&torrent, cause)?;
    swarm.expect_peer(&bob, "server")?;
    swarm.expect_bad_peer(bob, cause)?;
    t.new_story();
    let mut carol = swarm.called_by("carol")?;
    let bytes = [carol.handshake(&torrent), stream(&torrent)].concat();
    carol.send_as(&bytes, "its greeting and nine messages that break no rule, in one segment")?;
    carol.expect_handshake(&torrent, cause)?;
    swarm.expect_peer(&carol, "server")?;
    expect_in_step(&swarm, carol, cause)
}

fn notices_an_end(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "a connection may end anywhere, also in the middle of a message: that is the end of this peer, and not of the \
                 program. Hand the error on; nobody has broken a rule";
    let request = Message::Request(Block { index: 0, begin: 0, length: BLOCK }).bytes();
    for length in [0, 2, 4, 5, 11] {
        t.new_story();
        let mut bob = swarm.joined_by("bob", &[])?;
        if length > 0 {
            bob.send_as(&request[..length], &format!("the first {length} bytes of a request"))?;
        }
        bob.half_close()?;
        bob.expect_closed_at_last(cause)?;
        swarm.console.expect_event(&format!("left {}", bob.connection().here()), cause)?;
    }
    t.new_story();
    let mut bob = swarm.called_by("bob")?;
    bob.greet(&torrent)?;
    swarm.expect_peer(&bob, "server")?;
    bob.send_as(&request[..7], "the first 7 bytes of a request")?;
    let address = bob.connection().here();
    swarm.rest()?;
    // What the program has said is unread.
    bob.reset()?;
    swarm.console.expect_event(&format!("left {address}"), cause)?;
    let _zoe = swarm.joined_by("zoe", &[])?;
    t.expect_written()
}

/// So many pieces that their bitfield, with its id, is one byte longer than the longest other message.
const MANY: u32 = 8 * 16_392 + 1;

fn takes_a_long_bitfield(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(Torrent::of_zeros(MANY as usize, 1));
    // It takes a while: not when the program waits for a greeting.
    let _ = torrent.hash();
    let swarm = Swarm::having(t, &torrent, &torrent.all())?;
    let cause = "a bitfield has a bit for each piece: with many pieces it is longer than a message with a block, and right. The \
                 limit is the larger of the two";
    let mut bob = swarm.joined_by("bob", &torrent.all())?;
    bob.send(&Message::Bitfield(torrent.bitfield(&[])))?;
    bob.send(&Message::KeepAlive)?;
    expect_in_step(&swarm, bob, cause)
}
