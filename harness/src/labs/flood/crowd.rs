//! Step 3 of lab 8, `flood`: many links, of which some do not read.

use std::collections::BTreeSet;
use std::time::Duration;

use super::descriptor::{Descriptor, id};
use super::link::Link;
use super::servent::Servent;
use super::{CONNECT, OK};
use crate::kernel::State;
use crate::net::Stopped;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ flood_crowd, "flood" step 3:
    sends_whole_descriptors, 2 points: "sends descriptors whole, whatever comes from others meanwhile";
    "A descriptor is put into the link's queue whole, and its own thread writes it."

    is_held_up_by_nobody, 3 points: "is held up by no link that does not read";
    "Who does not read delays nobody else. Nothing is written under a lock that others need."

    reads_while_others_do_not, 2 points, exotic: "goes on reading from two links that both do not read";
    "Readers that write block each other, once all buffers are full: link.send never waits."

    ends_a_link_that_does_not_read, 1 point, patient, exotic: "ends a link that takes nothing for a while";
    "Nothing taken for 800 ms ends the link."

    is_idle_among_links, 1 point: "is blocked, not polling, while nobody asks";
    "Quiet when idle, also with links, and after one has ended."
}

/// Questions of each link.
const EACH: u32 = 1000;

fn sends_whole_descriptors(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let [bob, carol, dave] = ["bob", "carol", "dave"].map(|name| servent.linked_by(name));
    let mut askers = [bob?, carol?, dave?];
    let mut eve = servent.linked_by("eve")?;
    let mut expected = BTreeSet::new();
    t.freeze(servent.running())?;
    for (number, asker) in askers.iter().enumerate() {
        let first = EACH * number as u32;
        let length = |at: u32| 1 + (at * 7 % 40) as usize;
        let queries: Vec<_> = (first..first + EACH)
            .map(|at| Descriptor::query(id(at), &"x".repeat(length(at))).at(2, 0))
            .collect();
        let bytes: Vec<u8> = queries.iter().flat_map(Descriptor::bytes).collect();
        asker.put(&bytes)?;
        expected.extend(queries.iter().map(|query| query.passed_on().bytes()));
    }
    t.thaw(servent.running())?;
    t.note(format!("bob, carol and dave sent {EACH} Queries each, all at the same moment"));
    let nothing_left = &mut [const { Vec::new() }; 3];
    let heard = all_that_comes(t, &servent, &mut askers, nothing_left, &mut eve)?;
    expect_whole(t, &eve, heard, &mut expected)?;
    if !expected.is_empty() {
        let right = 3 * EACH as usize - expected.len();
        return Err(t
            .fail("eve does not hear all that the others asked")
            .expected(format!("the {} Queries of the others, in any order", 3 * EACH))
            .seen(format!("{right} of them, and behind them {}", count(eve.unread().len())))
            .cause("a question that is new goes to all links but the one where it came from")
            .stop());
    }
    t.note("eve heard all of them, each whole and once");
    eve.close();
    servent.console.forget()?;
    // Threads that write to one link may have been lucky. Where nothing more fits, each of them waits
    // in the middle of a descriptor, or before one, and with the first room they all go on at once.
    for turn in 0..TURNS {
        // A new one each time: what the kernel keeps for her grows as she reads.
        let mut frank = servent.linked_by("frank")?;
        long_ones_at_once(t, &servent, &mut askers, &mut frank, turn, &mut expected)?;
        frank.close();
        servent.console.forget()?;
    }
    Ok(())
}

/// How often a link is filled.
const TURNS: u32 = 2;
/// So many long Queries of each asker are sent in one go: nearly what fills it.
const AT_FIRST: u32 = 12;
/// And so many more at most, one by one.
const THEN: u32 = 12;
/// So many come while it is full: each asker's thread is in a write by then, if it writes at all.
const WHILE_FULL: u32 = 3;

/// The askers send long Queries by turns, until a thread of the program waits in a write to frank,
/// who reads nothing; then he reads all of them.
fn long_ones_at_once(
    t: &Trial,
    servent: &Servent,
    askers: &mut [Link; 3],
    frank: &mut Link,
    turn: u32,
    expected: &mut BTreeSet<Vec<u8>>,
) -> Verdict {
    t.new_story();
    let words = "x".repeat(60_000);
    let mut full = 0;
    // What a program does not take that writes before it reads on.
    let mut left = [const { Vec::new() }; 3];
    for at in 0..AT_FIRST + THEN {
        for ((asker, left), number) in askers.iter().zip(&mut left).zip(1..) {
            let query = Descriptor::query(id((number << 24) + (turn << 16) + at), &words);
            let query = query.at(2, 0);
            left.extend(query.bytes());
            left.drain(..asker.connection().write(left)?.bytes);
            expected.insert(query.passed_on().bytes());
        }
        for asker in askers.iter_mut() {
            asker.take_more()?;
        }
        if at < AT_FIRST {
            continue;
        }
        let is_full = t.settle(servent.running())?.is_ok_and(|now| now.is_blocked_in_send());
        full += u32::from(is_full);
        if full == WHILE_FULL {
            break;
        }
    }
    t.note("bob, carol and dave sent Queries of 60 KB by turns; frank read nothing, and reads now");
    // Not all of them: what does not fit into the queue of a link is dropped.
    let heard = all_that_comes(t, servent, askers, &mut left, frank)?;
    expect_whole(t, frank, heard, expected)
}

/// What comes over this link until the program is at rest and has what is left. The askers read as
/// well: who waits for them is another check's matter.
fn all_that_comes(
    t: &Trial,
    servent: &Servent,
    askers: &mut [Link; 3],
    left: &mut [Vec<u8>; 3],
    link: &mut Link,
) -> Verdict<Vec<Descriptor>> {
    loop {
        let mut moved = 0;
        for (asker, left) in askers.iter_mut().zip(left.iter_mut()) {
            let written = asker.connection().write(left)?.bytes;
            left.drain(..written);
            let before = asker.unread().len();
            asker.take_in()?;
            moved += written + asker.unread().len() - before;
        }
        let _ = t.settle(servent.running())?;
        let before = link.unread().len();
        link.take_in()?;
        if moved + link.unread().len() == before {
            askers.iter_mut().try_for_each(|asker| asker.take_more().map(drop))?;
            return link.take_more();
        }
    }
}

/// Expects that what was heard on this link are descriptors of those that are expected, each once, and
/// nothing that is none. What was heard is taken out of `expected`.
fn expect_whole(
    t: &Trial,
    link: &Link,
    heard: Vec<Descriptor>,
    expected: &mut BTreeSet<Vec<u8>>,
) -> Verdict {
    let (all, mut right) = (expected.len(), 0);
    let then = heard.into_iter().find_map(|descriptor| {
        let is_right = expected.remove(&descriptor.bytes());
        right += usize::from(is_right);
        (!is_right).then(|| super::fields::in_words(&descriptor))
    });
    // Of a link that has ended the last one may be cut off.
    let is_cut = || link.ended().is_none() && !link.unread().is_empty() && !expected.is_empty();
    let then = then.or_else(|| {
        is_cut().then(|| format!("{} that are no whole descriptor", count(link.unread().len())))
    });
    let Some(then) = then else { return Ok(()) };
    Err(t
        .fail(format!("the servent does not send {} whole descriptors", link.name()))
        .expected(format!("any of {all} Queries of the others, in any order, each of them whole"))
        .seen(format!("{right} of them, and then {then}"))
        .cause(
            "several threads write to one connection: header and payload in two writes, or two \
             writers without a lock, mix their descriptors",
        )
        .stop())
}

/// What is sent to make queues full, in bytes: more than the kernel keeps for a connection on which
/// each descriptor is a segment.
const MUCH: usize = 4 << 20;

/// How much of it is sent in one go, in bytes.
const PIECE: usize = 64 << 10;
/// So much is sent behind what the kernel does not take any more: it may take the rest of that a
/// moment later.
const ENOUGH: u32 = 8;

/// Whether the program has been found at rest in a write so often that there is more behind it than
/// the kernel is going to take. A program that never waits in a write gets all that there is.
fn has_enough_behind(t: &Trial, servent: &Servent, behind: &mut u32) -> Verdict<bool> {
    let rest = t.settle(servent.running())?;
    *behind = if rest.is_ok_and(|now| now.is_blocked_in_send()) { *behind + 1 } else { 0 };
    Ok(*behind == ENOUGH)
}

/// Long questions from this number on, so many bytes of them.
fn long_questions(first: u32, bytes: usize) -> Vec<u8> {
    let words = "x".repeat(1000);
    let one = Descriptor::query(id(0), &words).bytes().len();
    let last = first + (bytes / one) as u32;
    let questions = (first..last).map(|at| Descriptor::query(id(at), &words).bytes());
    questions.collect::<Vec<_>>().concat()
}

/// What has come of a scene in which somebody does not read.
enum Told {
    /// The program has read everything.
    Read,
    /// It has ended a link that took nothing for as long as that may last: nothing can be said.
    Nothing,
}

/// On a busy machine it may take longer to fill the queues than a link is let be that does not read.
const ATTEMPTS: usize = 4;

/// Plays a scene until it tells something, or until this machine was too slow for it every time.
fn until_it_tells(t: &Trial, scene: fn(&Trial) -> Verdict<Told>) -> Verdict {
    t.needs_watching()?;
    for _ in 0..ATTEMPTS {
        if let Told::Read = scene(t)? {
            break;
        }
        t.new_scene()?;
    }
    t.expect_written()
}

/// Sends all of this, and expects that the program reads it, whoever else does not.
fn expect_read(t: &Trial, link: &Link, bytes: &[u8], who: &str) -> Verdict<Told> {
    let written = link.connection().write(bytes)?;
    let stall = match written.stopped {
        None => return Ok(Told::Read),
        Some(Stopped::Gone(_)) => return Ok(Told::Nothing),
        Some(Stopped::Stalled(stall)) => stall,
    };
    let connection = link.connection();
    let snapshot = t.look(connection.running())?;
    let row = snapshot.connection(connection.there(), connection.here());
    if row.is_none_or(|row| row.state != State::Established) {
        // The program has shut it down, and says so only when it is asked: its window is closed.
        return Ok(Told::Nothing);
    }
    let (name, taken) = (link.name(), count(written.bytes));
    Err(t
        .fail(format!("the servent does not read from {name}, because {who} does not read"))
        .expected(format!("all of {name}'s questions are read"))
        .seen(format!("of {} the kernel took {taken}, and then no more", count(bytes.len())))
        .seen(stall.stays(&connection.running().name))
        .cause(
            "a write to one that does not read waits, and with it whoever reads from this link: put what is \
             to be sent into a queue of its link, and let a thread of its own write it",
        )
        .stop())
}

fn is_held_up_by_nobody(t: &mut Trial) -> Verdict {
    until_it_tells(t, |t| {
        let servent = Servent::sharing(t, &[])?;
        let _bob = servent.linked_by("bob")?;
        let carol = servent.linked_by("carol")?;
        t.note("bob reads nothing from now on; carol sends long Queries, as many as are taken");
        let mut behind = 0;
        for bytes in long_questions(0, MUCH).chunks(PIECE) {
            if let Told::Nothing = expect_read(t, &carol, bytes, "bob")? {
                return Ok(Told::Nothing);
            }
            if has_enough_behind(t, &servent, &mut behind)? {
                break;
            }
        }
        // Another one, who comes when all of that has been passed on.
        servent.rest()?;
        let cause = "a link that does not read delays nobody else";
        let mut dave = servent.called_by("dave")?;
        dave.send_as(CONNECT, "GNUTELLA CONNECT/0.4")?;
        dave.expect_bytes(OK, cause)?;
        dave.send(&Descriptor::ping(id(u32::MAX)).at(1, 0))?;
        dave.expect_a_pong(cause)?;
        Ok(Told::Read)
    })
}

fn reads_while_others_do_not(t: &mut Trial) -> Verdict {
    until_it_tells(t, |t| {
        let servent = Servent::sharing(t, &[])?;
        let bob = servent.linked_by("bob")?;
        let carol = servent.linked_by("carol")?;
        t.note("bob and carol send long Queries by turns, as many as are taken, and read nothing");
        let all = [long_questions(0, MUCH), long_questions(1 << 20, MUCH)];
        let mut behind = 0;
        for (bobs, carols) in all[0].chunks(PIECE).zip(all[1].chunks(PIECE)) {
            for (link, bytes, other) in [(&bob, bobs, "carol"), (&carol, carols, "bob")] {
                if let Told::Nothing = expect_read(t, link, bytes, other)? {
                    return Ok(Told::Nothing);
                }
            }
            if has_enough_behind(t, &servent, &mut behind)? {
                break;
            }
        }
        Ok(Told::Read)
    })
}

/// After so long a link is ended that takes nothing.
const STALL: Duration = Duration::from_millis(800);
/// More than all queues of a link take, be it in the largest pieces.
const TOO_MUCH: usize = 12 << 20;

fn ends_a_link_that_does_not_read(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let bob = servent.linked_by("bob")?;
    let carol = servent.linked_by("carol")?;
    t.allow_waiting(STALL);
    t.note("bob reads nothing from now on; carol sends Queries of 60 KB");
    let words = "x".repeat(60_000);
    let one = Descriptor::query(id(0), &words).bytes().len();
    let mut behind = 0;
    for number in 0..(TOO_MUCH / one) as u32 {
        // Whether it is taken is another check's matter.
        let taken = carol.put(&Descriptor::query(id(number), &words).bytes())?;
        if has_enough_behind(t, &servent, &mut behind)? || !taken {
            t.note(format!("after {} of them the servent waits in a write to bob", number + 1));
            break;
        }
    }
    let address = bob.connection().here();
    servent.expect_event(
        &format!("unlinked {address}"),
        "a write that waits for one that never reads waits for ever: with set_write_timeout it fails, and the \
         link is ended",
    )
}

fn is_idle_among_links(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let _carol = servent.linked_by("carol")?;
    let dave = servent.linked_by("dave")?;
    let address = dave.connection().here();
    dave.close();
    servent.expect_unlinked(address)?;
    bob.send(&Descriptor::ping(id(1)))?;
    bob.expect_a_pong("a Ping is answered")?;
    servent.service.expect_idle()
}
