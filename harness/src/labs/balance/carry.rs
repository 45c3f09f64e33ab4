//! Step 4 of lab 10, `carry`: bytes, both ways, however many and whatever they are.

use super::pair::stream;
use super::program::Balance;
use super::program::Is::{Alive, Dead};
use crate::net::noise;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ balance_carry, "balance" step 4:
    carries_both_ways, 3 points: "passes on what each side sends";
    "Carry: both directions at once, bytes as they come."

    passes_each_byte_at_once, 3 points: "passes on a single byte at once";
    "Bytes as they come: nothing waits for more."

    lets_the_server_speak_first, 2 points: "carries a protocol in which the server speaks first";
    "Any TCP protocol. Both directions at once."

    carries_any_bytes, 3 points: "carries 3 MB up and 3 MB down, byte for byte";
    "TCP is a byte stream: no program may assume UTF-8, lines, or how bytes were cut."

    carries_both_ways_at_once, 3 points: "carries much in both directions at the same time";
    "Both directions at once: two that only send do not stop each other."

    loses_nothing_before_it_dials, 3 points: "loses nothing of what a client has sent before it was dialled for";
    "The next is tried with the same client, who has lost nothing: it may have sent already, nothing was read yet."

    keeps_clients_apart, 2 points: "gives each of 40 clients what is its own";
    "Each client is carried to a backend on a connection of its own."

    holds_back_who_sends_too_much, 3 points: "reads no more from a server than its client reads";
    "At most 64 KiB in memory a direction; a slow reader stops its own sender by TCP's window and nobody else."

    keeps_little_in_memory, 2 points, exotic: "keeps little of what a client does not read";
    "At most 64 KiB in memory a direction; judged: under 3 MB of growth for a client that does not read."

    finishes_each_write, 2 points, exotic: "loses nothing when a write is interrupted";
    "Bytes as they come, all of them: a write may take a part of what it is given."
}

fn carries_both_ways(t: &mut Trial) -> Verdict {
    Balance::before(t, 1)?.serves()?.exchanges()
}

fn passes_each_byte_at_once(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    for byte in [b"a", b"b", b"\0"] {
        pair.up(byte)?;
        pair.down(byte)?;
    }
    Ok(())
}

fn lets_the_server_speak_first(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    pair.down(b"220 localhost\r\n")?;
    pair.up(b"QUIT\r\n")
}

fn carries_any_bytes(t: &mut Trial) -> Verdict {
    let pair = Balance::before(t, 1)?.serves()?;
    stream(&pair.client, &pair.server, &noise(1, 3 << 20))?;
    stream(&pair.server, &pair.client, &noise(2, 3 << 20))
}

fn carries_both_ways_at_once(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    let (up, down) = (noise(3, more_than_fits(t)), noise(4, more_than_fits(t)));
    // Nobody reads: so whoever carries both in one thread waits for the one, and not for the other.
    let sent = pair.client.stall(&up)?;
    let answered = pair.server.stall(&down)?;
    pair.client.expect_rest_of(&down[..answered], Vec::new())?;
    pair.server.expect_rest_of(&up[..sent], Vec::new())
}

/// More than the queues of the two connections take, in bytes: in a namespace of their own these
/// are small.
fn more_than_fits(t: &Trial) -> usize {
    if t.addresses().is_isolated() { 2 << 20 } else { 24 << 20 }
}

fn loses_nothing_before_it_dials(t: &mut Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Dead, Alive])?;
    let bytes = noise(5, 1000);
    t.freeze(balance.running())?;
    t.note("the balancer was stopped (SIGSTOP)");
    let mut client = balance.service.connect()?;
    client.send(&bytes)?;
    t.thaw(balance.running())?;
    t.note("it went on (SIGCONT)");
    let mut pair = balance.dials_for(client)?;
    pair.server.expect(&bytes).map_err(|stop| stop.because(LOST))?;
    pair.exchanges()
}

const LOST: &str = "what a client has sent waits in the kernel until it is read: read nothing before a backend \
    has accepted, or keep what was read for the next one";

fn keeps_clients_apart(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 3)?;
    let mut pairs = Vec::new();
    for _ in 0..40 {
        pairs.push(balance.serves()?);
    }
    t.new_story();
    t.note("40 clients connected, and each sends something of its own");
    for (seed, pair) in (0..).zip(&mut pairs) {
        pair.client.send(&noise(seed, 200))?;
        pair.server.send(&noise(1000 + seed, 300))?;
    }
    for (seed, pair) in (0..).zip(&mut pairs) {
        pair.server.expect(&noise(seed, 200))?;
        pair.client.expect(&noise(1000 + seed, 300))?;
    }
    Ok(())
}

fn holds_back_who_sends_too_much(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let (mut slow, mut other) = (balance.serves()?, balance.serves()?);
    slow.server.expect_to_be_held_up("client 1")?;
    t.note("client 1 reads nothing");
    other.exchanges()?;
    // Its other direction is not full.
    slow.up(b"go on, I am slow\n")
}

/// What a program may use more for a client that does not read, in bytes.
const ROOM: u64 = 3 << 20;

fn keeps_little_in_memory(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let (mut first, slow) = (balance.serves()?, balance.serves()?);
    // What the first bytes need, all later ones use again.
    first.exchanges()?;
    stream(&first.server, &first.client, &noise(7, 1 << 20))?;
    balance.rest()?;
    let before = t.memory(balance.running())?;
    t.note("backend 1 sent as much as is taken, and client 2 read nothing");
    let taken = slow.server.fill_queues(&vec![b'\n'; 32 << 20])?;
    let grown = t.memory(balance.running())?.saturating_sub(before);
    if grown < ROOM {
        return Ok(());
    }
    Err(t
        .fail("the balancer keeps much of what client 2 does not read")
        .expected(format!("less than {} more memory", count(ROOM as usize)))
        .seen(format!("{} more, of {} that were sent", count(grown as usize), count(taken)))
        .cause(
            "what is read before it can be written has to be kept: one buffer of 64 KiB, and read again only \
             when it has been written. With 1,000 clients it is 1,000 times as much",
        )
        .stop())
}

fn finishes_each_write(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let balance = Balance::before(t, 1)?;
    let pair = balance.serves()?;
    let payload = noise(6, 2 * more_than_fits(t));
    // Without an interruption first: what goes wrong then has another cause.
    stream(&pair.client, &pair.server, &payload[..1 << 20])?;
    t.note("client 1 sent as much as the queues take, and nobody read");
    let (mut sent, mut received) = (pair.client.fill_queues(&payload)?, Vec::new());
    t.interrupt_writes(balance.running(), || {
        pair.server.take_some(&mut received)?;
        sent += pair.client.fill_queues(&payload[sent..])?;
        Ok(())
    })?;
    pair.server.expect_rest_of(&payload[..sent], received)
}
