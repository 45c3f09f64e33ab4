//! Step 3 of lab 8, `flood`, the flood: each question goes on to all other links, once, and not for
//! ever.

use std::collections::BTreeMap;

use super::descriptor::{Descriptor, PONG, QUERY_HIT, id};
use super::link::expect_silence_on;
use super::servent::Servent;
use crate::trial::{Trial, Verdict};

checks! { $ flood_floods, "flood" step 3:
    passes_questions_on, 3 points: "passes a question on to all other links, and not back";
    "A new Ping or Query goes to all other links than the one where it came from."

    changes_ttl_and_hops_only, 2 points: "passes it on with TTL - 1 and hops + 1, and else byte for byte";
    "It goes on with TTL - 1 and hops + 1. Payload and id stay byte for byte."

    stops_where_the_ttl_is_spent, 2 points: "does not pass on a question whose TTL is spent";
    "It goes to all other links with TTL - 1, if that TTL is above 0."

    limits_the_ttl, 2 points: "lets no TTL take a question further than seven links";
    "TTL + hops above 7 on arrival: TTL is taken as 7 - hops, and hops of 7 or more go no further."

    drops_what_it_has_seen, 3 points: "drops a question that it has seen, from whatever link it comes";
    "A Ping or Query whose id and kind were seen before is dropped, also on the link where it first came."

    tells_a_ping_from_a_query, 1 point: "answers a Ping and a Query that have the same id";
    "Whether a question was seen before is a matter of its id and its kind."

    decides_once_between_two_links, 2 points: "answers a question once that two links bring at the same moment";
    "Seen before: to look and to remember is one step, whichever of its threads is faster."

    remembers_the_last_4096, 2 points, exotic: "remembers 4,096 questions, and not all that ever came";
    "The last 4,096 of both together are kept, more is right; memory stays bounded."
}

const ONWARD: &str = "a question that is new goes to all links but the one where it came from: whoever sent it \
    has it";
const ONCE: &str = "a question comes again whenever the network has a circle. It is known by its id and kind, and \
    what is known is dropped: not answered, and not passed on";
const SPENT: &str = "the TTL goes down by one before the question goes on, and a TTL of 0 goes nowhere: 0 - 1 is 255 \
    in a byte, or a panic";
const LIMITED: &str = "the TTL is a stranger's word. Take it as 7 - hops where the two together are above 7, before you \
    count it down: one question with a TTL of 255 would go through the whole network";

fn passes_questions_on(t: &mut Trial) -> Verdict {
    let host = t.host_servent("bob")?;
    let folder = t.scratch(super::FOLDER)?;
    let servent = Servent::over(t, super::CALLED, folder, &[host.address()])?;
    let mut links =
        [servent.links_to(&host)?, servent.linked_by("carol")?, servent.linked_by("dave")?];
    for from in 0..links.len() {
        t.new_story();
        let query = Descriptor::query(id(from as u32), "my song");
        links[from].send(&query)?;
        for to in (0..links.len()).filter(|to| *to != from) {
            links[to].expect(&query.passed_on(), ONWARD)?;
        }
        let _ = servent.rest();
        for link in &mut links {
            link.expect_nothing_more(ONWARD)?;
        }
    }
    // A Ping is answered, too: to the one who asked.
    t.new_story();
    let ping = Descriptor::ping(id(7));
    links[1].send(&ping)?;
    links[1].expect_a_pong(ONWARD)?;
    for to in [0, 2] {
        links[to].expect(&ping.passed_on(), ONWARD)?;
    }
    Ok(())
}

fn changes_ttl_and_hops_only(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let cause = "another servent may understand more of a question than this one does: pass it on as it is, but for \
                 TTL and hops";
    let payloads =
        [&b"\x12\x34some words\0"[..], b"\0\0\xff\xfe\x80\0urn:sha1:\x1cmore\0", b"\0\0\0"];
    for (number, payload) in payloads.into_iter().enumerate() {
        t.new_story();
        let number = number as u32;
        let mut query = Descriptor::query(id(number), "").at(4, 2);
        query.payload = payload.to_vec();
        // Some bytes of an id have a meaning for later versions.
        query.id[8..].copy_from_slice(b"\xff\0\n\r\x80\x01\x02\0");
        bob.send(&query)?;
        carol.expect(&query.passed_on(), cause)?;
    }
    t.new_story();
    let mut ping = Descriptor::ping(id(9)).at(4, 2);
    ping.payload = b"\xc3SCP\x01".to_vec();
    bob.send(&ping)?;
    carol.expect(&ping.passed_on(), cause)
}

fn stops_where_the_ttl_is_spent(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    for (number, ttl) in [1, 0].into_iter().enumerate() {
        t.new_story();
        let ping = Descriptor::ping(id(number as u32)).at(ttl, 3);
        bob.send(&ping)?;
        bob.expect_a_pong(SPENT)?;
        carol.expect_silence(SPENT)?;
    }
    t.new_story();
    let ping = Descriptor::ping(id(9)).at(2, 3);
    bob.send(&ping)?;
    carol.expect(&ping.passed_on(), SPENT)
}

fn limits_the_ttl(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    // TTL and hops as they come, and the TTL as which that counts.
    for (number, (ttl, hops, taken)) in
        [(255, 0, 7), (8, 0, 7), (7, 3, 4), (4, 3, 4), (255, 5, 2), (3, 3, 3)]
            .into_iter()
            .enumerate()
    {
        t.new_story();
        let query = Descriptor::query(id(number as u32), "my song").at(ttl, hops);
        bob.send(&query)?;
        carol.expect(&query.at(taken, hops).passed_on(), LIMITED)?;
    }
    for (number, (ttl, hops)) in
        [(5, 6), (1, 7), (7, 7), (255, 8), (9, 255)].into_iter().enumerate()
    {
        t.new_story();
        let query = Descriptor::query(id(20 + number as u32), "my song").at(ttl, hops);
        bob.send(&query)?;
        carol.expect_silence(LIMITED)?;
        bob.expect_nothing_more(LIMITED)?;
    }
    Ok(())
}

fn drops_what_it_has_seen(t: &mut Trial) -> Verdict {
    const SONG: &str = "my song.ogg";
    let servent = Servent::sharing(t, &[(SONG, b"la la la")])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let mut dave = servent.linked_by("dave")?;
    for (number, words) in [(1, "nobody has this"), (2, SONG)] {
        t.new_story();
        let query = Descriptor::query(id(number), words);
        bob.send(&query)?;
        for link in [&mut carol, &mut dave] {
            link.expect(&query.passed_on(), ONWARD)?;
        }
        if words == SONG {
            bob.expect_fitting("a QueryHit", ONWARD, |seen| {
                if seen.kind == QUERY_HIT { Ok(()) } else { Err(Vec::new()) }
            })?;
        }
        t.note("carol and dave have the question; now it comes again");
        // By another way it has come further.
        let again = [query.clone(), query.passed_on(), query.passed_on().passed_on()];
        let mut links = [&mut bob, &mut carol, &mut dave];
        for (from, question) in again.iter().enumerate() {
            links[from].send(question)?;
            expect_silence_on(&mut links, ONCE)?;
        }
    }
    Ok(())
}

fn tells_a_ping_from_a_query(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let cause = "a Ping and a Query with one id are two questions: remember the kind with the id";
    let (query, ping) = (Descriptor::query(id(1), "my song"), Descriptor::ping(id(1)));
    bob.send(&query)?;
    carol.expect(&query.passed_on(), cause)?;
    bob.send(&ping)?;
    bob.expect_a_pong(cause)?;
    carol.expect(&ping.passed_on(), cause)?;
    bob.send(&query)?;
    carol.expect_silence(ONCE)?;
    // With its own questions it is the same.
    t.new_story();
    let own = "its own ping and a Query with the same id are two questions, and so are its own find and a Ping: what \
               it has asked itself is remembered with its kind, too";
    let (ping, query) = (
        servent.pings(&mut [&mut bob, &mut carol])?,
        servent.finds("song", &mut [&mut bob, &mut carol])?,
    );
    let (other_query, other_ping) =
        (Descriptor::query(ping.id, "my song"), Descriptor::ping(query.id));
    bob.send(&other_query)?;
    carol.expect(&other_query.passed_on(), own)?;
    bob.send(&other_ping)?;
    bob.expect_a_pong(own)?;
    carol.expect(&other_ping.passed_on(), own)
}

/// Questions that come by two links at once.
const AT_ONCE: u32 = 300;

fn decides_once_between_two_links(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let mut dave = servent.linked_by("dave")?;
    let pings: Vec<_> = (0..AT_ONCE).map(|number| Descriptor::ping(id(number))).collect();
    // One by one: each wakes the threads of both links, which then run at the same time.
    for ping in &pings {
        let bytes = ping.bytes();
        for link in [&bob, &carol] {
            link.put(&bytes)?;
        }
    }
    t.note(format!("bob and carol sent the same {AT_ONCE} Pings, each at the same moment"));
    // To bob and carol comes the Pong, or the Ping of the other one: so each of the three is owed as
    // many as were sent. What is too much has come when the servent is at rest.
    let owed = AT_ONCE as usize;
    let mut came = [bob.take_many(owed)?, carol.take_many(owed)?, dave.take_many(owed)?];
    let _ = servent.rest();
    for (link, came) in [&mut bob, &mut carol, &mut dave].into_iter().zip(&mut came) {
        came.extend(link.take_more()?);
    }
    let [bobs, carols, daves] = &came;
    let (mut answered, mut passed_on) = (BTreeMap::new(), BTreeMap::new());
    for pong in bobs.iter().chain(carols).filter(|one| one.kind == PONG) {
        *answered.entry(pong.id).or_insert(0) += 1;
    }
    for ping in daves {
        *passed_on.entry(ping.id).or_insert(0) += 1;
    }
    let once = |counts: &BTreeMap<_, u32>| {
        pings.iter().filter(|ping| counts.get(&ping.id) == Some(&1)).count()
    };
    let [answered, passed_on] = [once(&answered), once(&passed_on)];
    if [answered, passed_on] == [AT_ONCE as usize; 2] {
        t.note("each was answered once, and passed on to dave once");
        return Ok(());
    }
    Err(t
        .fail("the servent does not take the same question by two links for one")
        .expected(format!("each of {AT_ONCE} Pings is answered once, and passed on to dave once"))
        .seen(format!("answered once: {answered}; passed on once: {passed_on}"))
        .cause(
            "two threads look whether the question is known, neither finds it, and both go on: look and \
             remember under one lock, in one step",
        )
        .stop())
}

/// So many questions are remembered at least.
const REMEMBERED: u32 = 4096;
/// No servent needs to remember so many.
const ENDLESS: u32 = 200_000;
/// Questions that are sent in one go.
const BATCH: u32 = 1000;

fn remembers_the_last_4096(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    // Each is asked once more when so many others have come.
    let asked_again = [REMEMBERED, 3 * REMEMBERED, 40_000, ENDLESS];
    let ping = |number: usize| Descriptor::ping(id(number as u32)).at(1, 0);
    for number in 0..asked_again.len() {
        bob.send(&ping(number))?;
        bob.expect_a_pong(ONWARD)?;
    }
    t.new_story();
    t.note(format!("bob has sent {} Pings, which were answered", asked_again.len()));
    let mut sent = asked_again.len() as u32;
    for (number, total) in asked_again.into_iter().enumerate() {
        // The Pings themselves are remembered, too; the last of them is not among those before it.
        let total = total + number as u32;
        while sent < total {
            let batch = sent..total.min(sent + BATCH);
            let queries =
                batch.clone().map(|at| Descriptor::query(id(1_000_000 + at), "x").at(1, 0));
            let bytes: Vec<u8> = queries.flat_map(|query| query.bytes()).collect();
            bob.put(&bytes)?;
            sent = batch.end;
        }
        let others = total - number as u32 - 1;
        t.note(format!(
            "with Queries that nobody has asked before, {others} others have come since Ping {}",
            number + 1
        ));
        bob.send(&ping(number))?;
        let is_known = bob.take_many(1)?.is_empty();
        match (is_known, number) {
            (true, 0) => {}
            (false, 0) => {
                return Err(t
                    .fail("the servent has forgotten a question too early")
                    .expected(format!("the last {REMEMBERED} questions are known: it is dropped"))
                    .seen("it is answered once more")
                    .cause("where the circle is long a question comes back late: remember 4,096 at least")
                    .stop());
            }
            (false, _) => {
                t.note("it is a new question again: the memory is bounded");
                return Ok(());
            }
            (true, _) => {}
        }
    }
    Err(t
        .fail("the servent remembers every question that ever came")
        .expected(format!("at least {REMEMBERED} are known, and at some time the oldest are forgotten"))
        .seen(format!("a question is still known after {ENDLESS} others"))
        .cause(
            "a table that only grows fills the memory in the end, and anybody can make it grow: forget the \
             oldest when there are too many (a queue of them beside the table)",
        )
        .stop())
}
