//! Step 2 of lab 9, `greet`: 68 bytes from either side.

use std::rc::Rc;

use super::message::{HANDSHAKE, handshake};
use super::program::Swarm;
use super::remote::RESERVED;
use super::torrent::Torrent;
use super::tracker::{Tracker, compact};
use crate::net::{Cut, Listener};
use crate::trial::{Trial, Verdict};

checks! { $ swarm_greet, "swarm" step 2:
    greets_first_when_it_dials, 3 points: "greets whom it dials, and is greeted";
    "19, `BitTorrent protocol`, 8 zero bytes, info hash, peer id. Who dialled sends first."

    answers_after_the_hash, 3 points: "answers a greeting before it is whole";
    "Who accepted answers once it has read the info hash and it is the right one, before the peer id has come."

    tells_first_what_it_has, 2 points: "tells first which pieces it has";
    "First of all a bitfield, also when it is empty: the highest bit of the first byte is piece 0, spare bits are 0."

    reads_greetings_in_pieces, 2 points: "takes a greeting in any number of pieces";
    "TCP is a byte stream: no program may depend on how bytes were cut."

    ignores_reserved_bits, 1 point: "ignores the eight bytes in the middle";
    "Reserved bits of the other are ignored; its own are 0."

    has_the_id_that_it_announced, 1 point: "has the id that it has told the tracker";
    "peer_id: the tracker's and the handshake's are one."

    answers_no_other_torrent, 2 points: "says not a byte to whoever wants another torrent";
    "Once it has read the info hash and it is the right one, else closes without a byte."

    refuses_strangers, 2 points: "lets go at once of whoever does not speak BitTorrent";
    "No encryption: first byte not 19: bad peer; aria2 then comes again in plain."

    refuses_wrong_answers, 2 points: "lets go of whoever answers something else";
    "Before `peer`: wrong bytes, another hash: `bad peer`."

    takes_no_end_for_a_fault, 1 point: "prints nothing of one that ends within its greeting";
    "Before `peer`: an end or reset: no event."

    lets_go_of_itself, 2 points: "lets go of itself, without an event";
    "A peer with one's own peer_id: closed without an event."
}

/// Nine pieces: the ninth is the first bit of the second byte.
pub(super) fn torrent() -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(9))
}

const SPEAKS_FIRST: &str = "the one that dials speaks first, and sends all of its 68 bytes at once";
pub(super) const GREETING: &str = "a greeting is 68 bytes: 19, the 19 letters of BitTorrent protocol, 8 bytes 0, the info hash, the peer id";
const BY_THEN: &str = "whoever accepted answers once the right info hash has come. If both waited for all 68 bytes of the other \
    before they sent the last of their own, both would wait for ever";
const TELLS: &str = "the first message is a bitfield, also when it is empty: the highest bit of its first byte is piece 0, and \
    the bits behind the last piece are 0";
const CONNECTED: &str = "once both greetings have been read one line is printed, flushed: peer, the address of the other end \
    (peer_addr), and `as client` where the program dialled, `as server` where it accepted";

fn greets_first_when_it_dials(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let hosts = [t.host_peer("bob")?, t.host_peer("carol")?];
    let addresses = hosts.each_ref().map(Listener::address);
    let swarm = Swarm::dialling(t, &torrent, &addresses)?;
    // In the reverse order: one must not wait until the one before it is answered.
    for host in hosts.iter().rev() {
        let mut remote = swarm.calls(host)?;
        remote.expect_handshake(&torrent, GREETING)?;
        remote.expect_silence(SPEAKS_FIRST)?;
        swarm.console.expect_no_event("there is no peer before both greetings have been read")?;
        remote.greet(&torrent)?;
        let event = format!("peer {} as client", host.address());
        swarm.console.expect_event(&event, CONNECTED)?;
        remote.close();
        swarm.expect_left(host.address())?;
    }
    Ok(())
}

fn answers_after_the_hash(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let mut bob = swarm.called_by("bob")?;
    bob.expect_silence("whoever is dialled waits for the greeting of the one that dials")?;
    let greeting = bob.handshake(&torrent);
    bob.send_as(&greeting[..47], "its greeting up to the last byte but one of the info hash")?;
    bob.expect_silence("before the hash is known it is not known which torrent is wanted")?;
    bob.send_as(&greeting[47..48], "the last byte of the info hash")?;
    bob.expect_handshake(&torrent, BY_THEN)?;
    swarm.console.expect_no_event("there is no peer before both greetings have been read")?;
    bob.send_as(&greeting[48..], "its peer id")?;
    swarm.expect_peer(&bob, "server")
}

fn tells_first_what_it_has(t: &mut Trial) -> Verdict {
    let cases: [(u32, &[u32]); 4] = [(9, &[0, 8]), (8, &[1, 6, 7]), (64, &[0, 2, 61]), (3, &[])];
    for (count, pieces) in cases {
        t.new_scene()?;
        let torrent = Rc::new(Torrent::new(count as usize * 1000, 1000));
        let swarm = Swarm::having(t, &torrent, pieces)?;
        let mut bob = swarm.called_by("bob")?;
        bob.greet(&torrent)?;
        bob.expect_handshake(&torrent, GREETING)?;
        swarm.expect_peer(&bob, "server")?;
        bob.expect_bitfield(&torrent, pieces, TELLS)?;
        bob.expect_silence("nothing is unasked behind the bitfield")?;
    }
    Ok(())
}

fn reads_greetings_in_pieces(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let cause = "a read returns what is there, and that may be one byte of the greeting, or more than the greeting: read \
                 exactly 68 bytes, and leave what is behind them to the next one who reads";
    let host = t.host_peer("dave")?;
    let swarm = Swarm::dialling(t, &torrent, &[host.address()])?;
    let mut bobs = Vec::new();
    for cut in [Cut::Bytes, Cut::Seed(9), Cut::Behind(&[1, 20, 28, 48])] {
        t.new_story();
        let mut bob = swarm.called_by("bob")?;
        let greeting = bob.handshake(&torrent);
        bob.send_pieces(&greeting, cut, "its greeting")?;
        bob.expect_handshake(&torrent, cause)?;
        swarm.expect_peer(&bob, "server").map_err(|stop| stop.because(cause))?;
        bobs.push(bob);
    }
    t.new_story();
    let mut dave = swarm.calls(&host)?;
    dave.expect_handshake(&torrent, GREETING)?;
    let greeting = dave.handshake(&torrent);
    dave.send_pieces(&greeting, Cut::Bytes, "its greeting")?;
    let event = format!("peer {} as client", host.address());
    swarm.console.expect_event(&event, cause)
}

fn ignores_reserved_bits(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let cause = "the eight bytes say which extensions a program has: others' don't matter here, and its own are 0, for it \
                 has none; they are bits, and no text";
    let mut bobs = Vec::new();
    for reserved in [[0xff; 8], [0, 0, 0, 0, 0, 0x10, 0, 5], [0x80, 0, 0, 0, 0, 0, 0, 1]] {
        t.new_story();
        let mut bob = swarm.called_by("bob")?;
        let greeting = handshake(reserved, torrent.hash(), bob.peer_id());
        bob.send_as(&greeting, "its greeting, with reserved bits")?;
        bob.expect_handshake(&torrent, cause)?;
        swarm.expect_peer(&bob, "server").map_err(|stop| stop.because(cause))?;
        bobs.push(bob);
    }
    Ok(())
}

fn has_the_id_that_it_announced(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(Torrent::of_blocks(9).tracked_by(&tracker.url()));
    let swarm = Swarm::leech(t, &torrent)?;
    let announce = tracker.hear(&swarm)?;
    let told = announce.get("peer_id").map(<[u8]>::to_vec);
    announce.answer(&compact(60, &[]))?;
    let mut ids = Vec::new();
    for name in ["bob", "carol"] {
        let mut remote = swarm.called_by(name)?;
        remote.greet(&torrent)?;
        ids.push(remote.expect_handshake(&torrent, GREETING)?);
    }
    if ids.iter().all(|id| Some(&id[..]) == told.as_deref()) {
        return Ok(());
    }
    let shown = |id: &[u8]| id.escape_ascii().to_string();
    Err(t
        .fail("the program has not one peer id, but several")
        .expected("the same 20 bytes in each greeting, and in what the tracker is told")
        .seen(format!("the tracker: {}", told.map_or("none".into(), |id| shown(&id))))
        .seen(format!("bob: {}; carol: {}", shown(&ids[0]), shown(&ids[1])))
        .cause("the id is made once, at the start: by it others know that two connections lead to one program")
        .stop())
}

const ANOTHER: &str = "another info hash is another torrent, of which nothing is here: whoever asks for it is not answered with a \
    single byte, but closed. Otherwise anybody could find out which torrents a program has";

fn answers_no_other_torrent(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let other = Torrent::of_blocks(9).salted(1);
    let mut nearly = torrent.hash();
    nearly[19] ^= 1;
    for (hash, what) in
        [(other.hash(), "of another torrent"), (nearly, "with one bit that differs")]
    {
        t.new_story();
        let mut bob = swarm.called_by("bob")?;
        let greeting = handshake(RESERVED, hash, bob.peer_id());
        bob.send_as(&greeting, &format!("a greeting with an info hash {what}"))?;
        bob.expect_closed(ANOTHER)?;
        swarm.expect_bad(bob.connection().here(), ANOTHER)?;
    }
    expect_greeting(&swarm)
}

/// Expects that a new caller is greeted.
pub(super) fn expect_greeting(swarm: &Swarm) -> Verdict {
    let mut zoe = swarm.called_by("zoe")?;
    zoe.greet(&swarm.torrent)?;
    zoe.expect_handshake(
        &swarm.torrent,
        "one bad caller is that caller's problem: the next one is greeted as ever",
    )?;
    swarm.expect_peer(&zoe, "server")
}

pub(super) const STRANGER: &str = "what does not begin with 19 and `BitTorrent protocol` is another protocol, or an encrypted greeting: the \
    first byte shows it. Whoever waits for 68 bytes before it looks keeps both waiting";

fn refuses_strangers(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let encrypted: Vec<u8> = (0..96).map(|byte: u8| byte.wrapping_mul(113) ^ 0xa5).collect();
    // As many bytes as it takes to know the info hash: nobody has to wait for more.
    let cases: [(&[u8], &str); 3] = [
        (&encrypted, "96 bytes of an encrypted greeting"),
        (&encrypted[..48], "48 bytes of an encrypted greeting"),
        (b"GET /announce?compact=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "a request of HTTP"),
    ];
    for (bytes, what) in cases {
        t.new_story();
        let mut bob = swarm.called_by("bob")?;
        bob.send_as(bytes, what)?;
        bob.expect_closed(STRANGER)?;
        swarm.expect_bad(bob.connection().here(), STRANGER)?;
    }
    t.new_story();
    let mut bob = swarm.called_by("bob")?;
    let mut greeting = bob.handshake(&torrent);
    greeting[19] ^= 0x20;
    bob.send_as(&greeting, "a greeting with the name `BitTorrent protocoL`")?;
    bob.expect_closed(STRANGER)?;
    swarm.expect_bad(bob.connection().here(), STRANGER)?;
    expect_greeting(&swarm)
}

fn refuses_wrong_answers(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let hosts = [t.host_peer("bob")?, t.host_peer("carol")?];
    let addresses = hosts.each_ref().map(Listener::address);
    let swarm = Swarm::dialling(t, &torrent, &addresses)?;
    let mut bob = swarm.calls(&hosts[0])?;
    bob.expect_handshake(&torrent, GREETING)?;
    let other = handshake(RESERVED, Torrent::of_blocks(9).salted(1).hash(), bob.peer_id());
    bob.send_as(&other, "a greeting with another info hash")?;
    bob.expect_closed(ANOTHER)?;
    swarm.expect_bad(hosts[0].address(), ANOTHER)?;
    let mut carol = swarm.calls(&hosts[1])?;
    carol.expect_handshake(&torrent, GREETING)?;
    carol.send_as(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "an answer of HTTP")?;
    carol.expect_closed(STRANGER)?;
    swarm.expect_bad(hosts[1].address(), STRANGER)?;
    expect_greeting(&swarm)
}

fn takes_no_end_for_a_fault(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let host = t.host_peer("dave")?;
    let swarm = Swarm::dialling(t, &torrent, &[host.address()])?;
    let cause = "an end before the greeting is whole breaks no rule: somebody has changed its mind. There was no peer yet, \
                 so there is nothing to say";
    for length in [0, 1, 30, 48, HANDSHAKE - 1] {
        t.new_story();
        let mut bob = swarm.called_by("bob")?;
        let greeting = bob.handshake(&torrent);
        if length > 0 {
            bob.send_as(&greeting[..length], &format!("{length} bytes of its greeting"))?;
        }
        bob.half_close()?;
        bob.expect_closed_at_last(cause)?;
    }
    t.new_story();
    let mut bob = swarm.called_by("bob")?;
    let greeting = bob.handshake(&torrent);
    bob.send_as(&greeting[..48], "its greeting up to the info hash")?;
    swarm.rest()?;
    bob.reset()?;
    let mut dave = swarm.calls(&host)?;
    dave.expect_handshake(&torrent, GREETING)?;
    dave.close();
    swarm.console.expect_no_event(cause)?;
    expect_greeting(&swarm)
}

fn lets_go_of_itself(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let host = t.host_peer("carol")?;
    let swarm = Swarm::dialling(t, &torrent, &[host.address()])?;
    let cause = "trackers list the program itself, too: who has its own peer id is itself. Such a connection is closed, and \
                 nothing is printed of it";
    let mut bob = swarm.called_by("bob")?;
    let begin = handshake(RESERVED, torrent.hash(), [0; 20]);
    bob.send_as(&begin[..48], "its greeting up to the info hash")?;
    let id = bob.expect_handshake(&torrent, BY_THEN)?;
    bob.send_as(&id, "the program's own peer id")?;
    bob.expect_closed(cause)?;
    let mut carol = swarm.calls(&host)?;
    let id = carol.expect_handshake(&torrent, GREETING)?;
    carol.send_as(
        &handshake(RESERVED, torrent.hash(), id),
        "a greeting with the program's own peer id",
    )?;
    carol.expect_closed(cause)?;
    swarm.console.expect_no_event(cause)?;
    expect_greeting(&swarm)
}
