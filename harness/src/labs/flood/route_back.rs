//! Step 4: an answer goes back the way that its question came.

use std::net::SocketAddr;

use super::descriptor::{Descriptor, Hit, Hits, Pong, id};
use super::link::expect_silence_on;
use super::servent::{Servent, v4};
use crate::trial::{Trial, Verdict};

checks! { $ flood_route_back, "flood" step 4:
    sends_a_hit_back, 3 points: "sends a QueryHit back to the link where its Query came from, and to no other";
    "A Pong or QueryHit goes to the one link where the Ping or Query of its id came from, TTL - 1, hops + 1."

    sends_a_pong_back, 2 points: "sends a Pong back where its Ping came from, and tells Pings from Queries";
    "A Pong belongs to the Ping of its id, a QueryHit to the Query: the same id can be both."

    drops_unknown_answers, 2 points: "drops an answer to a question that it does not know";
    "Unknown id, link gone or TTL spent: dropped."

    ends_answers_whose_ttl_is_spent, 2 points: "passes an answer on with TTL - 1, and not where that is 0";
    "TTL - 1, hops + 1; TTL spent: dropped. TTL and hops of answers stop at 255."

    survives_an_asker_that_has_gone, 2 points: "drops an answer whose asker has gone, and goes on";
    "Unknown id, link gone or TTL spent: dropped."

    takes_no_new_link_for_an_old_one, 2 points: "never sends an answer to a link that came after its question";
    "A Pong or QueryHit goes to the one link where the Ping or Query of its id came from."

    drops_its_own_question, 2 points: "drops its own question when it comes back";
    "A Ping or Query whose id and kind were seen before, its own included, is dropped."
}

pub(super) const SONG: &str = "my song.ogg";

/// What somebody far away has: files by their number, size and name.
pub(super) fn hits_of(address: SocketAddr, files: &[(u32, u32, &str)]) -> Verdict<Hits> {
    let hit = |(index, size, name): &(u32, u32, &str)| {
        let name = name.as_bytes().to_vec();
        Hit { index: *index, size: *size, name }
    };
    Ok(Hits { address: v4(address)?, speed: 0, hits: files.iter().map(hit).collect() })
}

/// One who has a song, and whom nobody has to reach.
pub(super) fn one_hit(t: &Trial) -> Verdict<Hits> {
    hits_of(t.addresses().free_address(), &[(4, 300_000, SONG)])
}

pub(super) fn a_pong(t: &Trial) -> Verdict<Pong> {
    Ok(Pong { address: v4(t.addresses().free_address())?, files: 12, kilobytes: 4096 })
}

fn sends_a_hit_back(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let mut dave = servent.linked_by("dave")?;
    // Bob has passed the question on himself: it has come two hops, and so it has to go back.
    let query = Descriptor::query(id(1), "song").at(5, 2);
    bob.send(&query)?;
    for link in [&mut carol, &mut dave] {
        link.expect(&query.passed_on(), PASSES_ON)?;
    }
    let hit = query.passed_on().hit(&one_hit(t)?);
    dave.send(&hit)?;
    bob.expect(&hit.passed_on(), BACK)?;
    // The other one has it, too: each answer is an answer of its own.
    let hit = query.passed_on().hit(&hits_of(t.addresses().free_address(), &[(0, 1, "song")])?);
    carol.send(&hit)?;
    bob.expect(&hit.passed_on(), BACK)?;
    expect_silence_on(&mut [&mut bob, &mut carol, &mut dave], NOT_FOR_OTHERS)?;
    servent
        .console
        .expect_no_event("its user has asked nothing: hits of others are theirs")
        .map(drop)
}

fn sends_a_pong_back(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let own = servent.address_v4()?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let mut dave = servent.linked_by("dave")?;
    let (ping, query) = (Descriptor::ping(id(1)), Descriptor::query(id(1), "song"));
    bob.send(&ping)?;
    bob.expect(&ping.pong(&Pong { address: own, files: 0, kilobytes: 0 }), ANSWERS)?;
    carol.expect(&ping.passed_on(), PASSES_ON)?;
    carol.send(&query)?;
    bob.expect(&query.passed_on(), PASSES_ON)?;
    dave.expect_all(&[ping.passed_on(), query.passed_on()], PASSES_ON)?;
    let (pong, hit) = (ping.passed_on().pong(&a_pong(t)?), query.passed_on().hit(&one_hit(t)?));
    dave.send_all(&[pong.clone(), hit.clone()])?;
    bob.expect(&pong.passed_on(), BY_KIND)?;
    carol.expect(&hit.passed_on(), BY_KIND)?;
    for link in [&mut bob, &mut carol, &mut dave] {
        link.expect_silence(NOT_FOR_OTHERS)?;
    }
    servent
        .console
        .expect_no_event("its user has asked nothing: pongs of others are theirs")
        .map(drop)
}

fn drops_unknown_answers(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    // Nobody has asked with this id, and with this one nobody has sent a Query.
    let ping = Descriptor::ping(id(2));
    carol.send(&ping)?;
    bob.expect(&ping.passed_on(), PASSES_ON)?;
    let unknown = [Descriptor::query(id(1), "song"), Descriptor::query(id(2), "song")];
    for query in &unknown {
        bob.send(&query.hit(&one_hit(t)?).at(7, 0))?;
    }
    bob.send(&Descriptor::ping(id(3)).pong(&a_pong(t)?).at(7, 0))?;
    bob.expect_silence(NOT_FOR_OTHERS)?;
    let own = Pong { address: servent.address_v4()?, files: 0, kilobytes: 0 };
    carol.expect(&ping.pong(&own), ANSWERS)?;
    carol.expect_silence(NOT_FOR_OTHERS)?;
    servent.console.expect_no_event("its user has asked nothing")?;
    let again = Descriptor::ping(id(4));
    bob.send(&again)?;
    bob.expect(&again.pong(&own), STAYS)?;
    t.expect_written()
}

fn ends_answers_whose_ttl_is_spent(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let query = Descriptor::query(id(1), "song");
    bob.send(&query)?;
    carol.expect(&query.passed_on(), PASSES_ON)?;
    let hit = query.hit(&one_hit(t)?);
    for ttl in [1, 0] {
        carol.send(&hit.clone().at(ttl, 1))?;
        bob.expect_silence(SPENT)?;
    }
    for ((ttl, hops), passed_on) in [((2, 0), (1, 1)), ((255, 3), (254, 4)), ((9, 255), (8, 255))] {
        carol.send(&hit.clone().at(ttl, hops))?;
        bob.expect(&hit.clone().at(passed_on.0, passed_on.1), COUNTED)?;
    }
    Ok(())
}

fn survives_an_asker_that_has_gone(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let mut dave = servent.linked_by("dave")?;
    let asked_by_bob = Descriptor::query(id(1), "song");
    let asked_by_carol = Descriptor::query(id(2), "song");
    let mut bob = bob;
    bob.send(&asked_by_bob)?;
    carol.expect(&asked_by_bob.passed_on(), PASSES_ON)?;
    dave.expect(&asked_by_bob.passed_on(), PASSES_ON)?;
    carol.send(&asked_by_carol)?;
    bob.expect(&asked_by_carol.passed_on(), PASSES_ON)?;
    dave.expect(&asked_by_carol.passed_on(), PASSES_ON)?;
    let from = bob.connection().here();
    bob.close();
    servent.expect_unlinked(from)?;
    let hits = one_hit(t)?;
    dave.send(&asked_by_bob.passed_on().hit(&hits))?;
    carol.expect_silence(GONE)?;
    dave.expect_nothing_more(GONE)?;
    // Who is still there is still known by the right name.
    let hit = asked_by_carol.passed_on().hit(&hits);
    dave.send(&hit)?;
    carol.expect(&hit.passed_on(), SHIFTED)?;
    dave.expect_silence(NOT_FOR_OTHERS)
}

fn takes_no_new_link_for_an_old_one(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let query = Descriptor::query(id(1), "song");
    bob.send(&query)?;
    carol.expect(&query.passed_on(), PASSES_ON)?;
    let from = bob.connection().here();
    bob.close();
    servent.expect_unlinked(from)?;
    let mut dave = servent.linked_by("dave")?;
    carol.send(&query.passed_on().hit(&one_hit(t)?))?;
    dave.expect_silence(REUSED)?;
    carol.expect_nothing_more(NOT_FOR_OTHERS)?;
    // The question is known still, although the one who asked has gone.
    dave.send(&query)?;
    carol
        .expect_silence("the id of a question is remembered, whether its asker is there or not")?;
    t.expect_written()
}

fn drops_its_own_question(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[(SONG, b"la la la")])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let ping = servent.pings(&mut [&mut bob, &mut carol])?;
    let query = servent.finds("song", &mut [&mut bob, &mut carol])?;
    // In a ring both come round.
    for question in [&ping, &query] {
        carol.send(&question.clone().at(5, 2))?;
    }
    bob.expect_silence(COMES_ROUND)?;
    carol.expect_nothing_more(COMES_ROUND)?;
    servent.console.expect_no_event("what it has itself is no answer to its own question")?;
    // An answer still finds its user.
    let far = one_hit(t)?;
    carol.send(&query.hit(&far))?;
    servent.expect_event(&format!("hit 1 {} 300000 {SONG}", far.address), COMES_ROUND)
}

const NOT_FOR_OTHERS: &str = "an answer goes back the way that its question came, link by link, and to nobody \
    else: the table that drops duplicates knows the link where each question came from";
const BACK: &str = "the answer to a question that was passed on goes to the link where that question came \
    from: remember the link with the id";
const COUNTED: &str = "an answer whose TTL is 2 or more goes on, however far it has come: with TTL - 1 and hops + 1, and \
    the hops stop at 255, since they are one byte";
const GONE: &str = "where nobody is left who asked, an answer is dropped: it is no reason to end, and \
    nobody else's";
const ANSWERS: &str = "a Ping that is new is answered with a Pong: the id of the Ping, TTL one more than its \
    hops, hops 0";
const PASSES_ON: &str = "a question that is new goes on to all other links with TTL - 1 and hops + 1, and \
    is the same otherwise, byte for byte";
const BY_KIND: &str = "a Pong belongs to a Ping and a QueryHit to a Query: of what is remembered the kind is a \
    part, since two questions can have one id";
const SPENT: &str = "an answer has a TTL, too: it goes on with one less, and where that is 0 it goes no \
    further";
const SHIFTED: &str = "a number that says where in a list a link stands means another one as soon as \
    a link before it has gone: give each link a number that is never used again, or keep the link itself";
const REUSED: &str = "the link that asked has gone, and the one that came since has asked nothing: a number \
    (or a descriptor of the system) that is used again is taken for the old one";
const COMES_ROUND: &str = "its own question is one that it has seen: remember it when it is sent, or it is \
    answered and flooded again when it comes round";
pub(super) const STAYS: &str = "whatever an answer says, the link that it came from stays, and the next question is \
    answered";
