//! Step 4: what answers a question of one's own user is shown to that user.

use super::descriptor::{Descriptor, Hit, Hits, PONG, QUERY_HIT, id};
use super::route_back::{SONG, STAYS, a_pong, hits_of, one_hit};
use super::servent::{Servent, v4};
use crate::trial::{Trial, Verdict};

checks! { $ flood_own_answers, "flood" step 4:
    prints_the_answers_to_its_ping, 2 points: "prints the answers to its user's ping, and keeps them to itself";
    "A Pong goes to the one link where the Ping of its id came from; an answer to one's own question is shown."

    prints_hits, 3 points: "prints the hits of its user's find, with a number each";
    "hit 1 127.0.0.1:7003 300000 my song.ogg: numbered from 1 since the last find."

    forgets_the_hits_of_an_earlier_find, 2 points: "passes over the hits of an earlier find";
    "Hits are numbered from 1 since the last find; hits of an earlier find are passed over."

    remembers_its_own_question, 2 points: "knows its own ping and find after 5,000 questions of others";
    "One's own last ping and find are never forgotten."

    bears_broken_hits, 3 points: "shows nothing of a QueryHit that lies, and goes on";
    "Dropped: one's own Pong under 14 bytes; one's own QueryHit whose hits do not fit (none shown)."

    shows_no_foreign_names, 2 points: "shows no hit whose name is no file name";
    "File names as in lab 7, a hit with another name is not shown."

    shows_a_thousand_hits, 1 point, exotic: "shows 1,000 hits of one find, and no more";
    "Hits beyond 1,000 are passed over."
}

fn prints_the_answers_to_its_ping(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let ping = servent.pings(&mut [&mut bob, &mut carol])?;
    // It comes from three hops away, and has one to go; or, of whoever counts otherwise, none.
    for (ttl, hops) in [(1, 3), (0, 0)] {
        let pong = a_pong(t)?;
        carol.send(&ping.pong(&pong).at(ttl, hops))?;
        servent.expect_event(&format!("pong {} 12 4096", pong.address), OWN)?;
    }
    let pong = a_pong(t)?;
    let mut longer = ping.pong(&pong);
    longer.payload.extend(b"more");
    let what = format!("a Pong of {} with 4 bytes more behind its 14", pong.address);
    carol.send_as(&longer.bytes(), &format!("an answer to it: {what}"))?;
    servent.expect_event(&format!("pong {} 12 4096", pong.address), LONGER)?;
    bob.expect_silence(OWN)?;
    carol.expect_nothing_more(OWN)
}

fn prints_hits(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let query = servent.finds("song ogg", &mut [&mut bob, &mut carol])?;
    let [one, two] = [t.addresses().free_address(), t.addresses().free_address()];
    carol.send(&query.hit(&hits_of(one, &[(0, 300_000, SONG), (258, 0, "song of é.ogg")])?))?;
    servent.expect_event(&format!("hit 1 {one} 300000 {SONG}"), OWN)?;
    servent.expect_event(&format!("hit 2 {one} 0 song of é.ogg"), OWN)?;
    bob.send(&query.hit(&hits_of(two, &[(1, 4_294_967_295, SONG)])?).at(0, 9))?;
    servent.expect_event(&format!("hit 3 {two} 4294967295 {SONG}"), OWN)?;
    let hits = hits_of(one, &[(1, 7, "first song"), (2, 9, "second song")])?;
    let more: [(&str, &[u8], &[u8]); 2] = [
        ("something between the two NULs of each name", b"128 kbit/s", b""),
        ("something between the last hit and the last 16 bytes", b"", b"XML"),
    ];
    for (first, (what, between, behind)) in [4, 6].into_iter().zip(more) {
        let bytes = query.answer(QUERY_HIT, extended(&query.hit(&hits).payload, between, behind));
        carol.send_as(
            &bytes.bytes(),
            &format!("an answer to it: a QueryHit of two hits with {what}"),
        )?;
        servent.expect_event(&format!("hit {first} {one} 7 first song"), EXTENDED)?;
        servent.expect_event(&format!("hit {} {one} 9 second song", first + 1), EXTENDED)?;
    }
    bob.expect_silence(OWN)?;
    carol.expect_nothing_more(OWN)?;
    servent.console.expect_no_event(OWN).map(drop)
}

/// A QueryHit's payload with more between the two NULs of each name, and behind the last hit.
fn extended(payload: &[u8], between: &[u8], behind: &[u8]) -> Vec<u8> {
    let (hits, servent) = payload.split_at(payload.len() - 16);
    let mut extended = hits[..11].to_vec();
    let mut rest = &hits[11..];
    while !rest.is_empty() {
        // An index and a size, which may have zeros, and the name up to its first NUL.
        let name = rest[8..].iter().take_while(|byte| **byte != 0).count();
        extended.extend([&rest[..8 + name + 1], between, b"\0"].concat());
        rest = &rest[8 + name + 2..];
    }
    [&extended, behind, servent].concat()
}

fn forgets_the_hits_of_an_earlier_find(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let at = t.addresses().free_address();
    let first = servent.finds("song", &mut [&mut bob])?;
    bob.send(&first.hit(&hits_of(at, &[(0, 7, "first song")])?))?;
    servent.expect_event(&format!("hit 1 {at} 7 first song"), OWN)?;
    let second = servent.finds("song", &mut [&mut bob])?;
    if first.id == second.id {
        return Err(t
            .fail("the servent asks two questions with one id")
            .expected("a new random id for each question")
            .seen("the id of the find before")
            .cause("the id tells one question from all others: who has seen it drops it")
            .stop());
    }
    bob.send(&first.hit(&hits_of(at, &[(1, 8, "late song")])?))?;
    bob.send(&second.hit(&hits_of(at, &[(2, 9, "second song")])?))?;
    servent.expect_event(&format!("hit 1 {at} 9 second song"), EARLIER)?;
    bob.expect_silence(OWN)
}

/// More than a servent has to remember.
const QUESTIONS: u32 = 5_000;

fn remembers_its_own_question(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let ping = servent.pings(&mut [&mut bob])?;
    let query = servent.finds("song", &mut [&mut bob])?;
    let others: Vec<u8> = (0..QUESTIONS)
        .flat_map(|number| Descriptor::query(id(number), "something").at(1, 6).bytes())
        .collect();
    bob.send_as(&others, &format!("{QUESTIONS} Queries, TTL 1, hops 6, each with its own id"))?;
    let hits = one_hit(t)?;
    bob.send(&query.hit(&hits))?;
    servent.expect_event(&format!("hit 1 {} 300000 {SONG}", hits.address), FORGOTTEN)?;
    let pong = a_pong(t)?;
    bob.send(&ping.pong(&pong))?;
    servent.expect_event(&format!("pong {} 12 4096", pong.address), FORGOTTEN)
}

fn bears_broken_hits(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let ping = servent.pings(&mut [&mut bob, &mut carol])?;
    let query = servent.finds("song", &mut [&mut bob, &mut carol])?;
    let hits = hits_of(t.addresses().free_address(), &[(0, 7, "one song"), (1, 8, "two songs")])?;
    let whole = query.hit(&hits).payload;
    let head = 11;
    // Its bytes are those of a QueryHit, up to a place, or but for one.
    let counts = |count: u8| [&[count], &whole[1..]].concat();
    let broken: [(&str, Vec<u8>); 7] = [
        ("nothing", Vec::new()),
        ("the number of hits alone, 255", vec![255]),
        ("a count of 255 before two hits", counts(255)),
        ("a count of 3 before two hits", counts(3)),
        ("half of the first hit", whole[..head + 6].to_vec()),
        ("no NUL behind the last name", whole[..whole.len() - 18].to_vec()),
        ("a servent id of 15 bytes", whole[..whole.len() - 1].to_vec()),
    ];
    for (what, payload) in broken {
        let bytes = query.answer(QUERY_HIT, payload).bytes();
        bob.send_as(&bytes, &format!("an answer to it: a QueryHit with {what}"))?;
        servent.console.expect_no_event(LIES)?;
    }
    let bytes = ping.answer(PONG, vec![1; 13]).bytes();
    bob.send_as(&bytes, "a Pong of 13 bytes")?;
    servent.console.expect_no_event("a Pong has 14 bytes: what is shorter is no answer")?;
    bob.expect_silence(STAYS)?;
    bob.send(&query.hit(&hits))?;
    servent.expect_event(&format!("hit 1 {} 7 one song", hits.address), STAYS)?;
    servent.expect_event(&format!("hit 2 {} 8 two songs", hits.address), STAYS)?;
    carol.expect_silence(OWN)
}

fn shows_no_foreign_names(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let query = servent.finds("song", &mut [&mut bob])?;
    let at = v4(t.addresses().free_address())?;
    let long = "s".repeat(201);
    // 101 characters of two bytes each.
    let long_in_bytes = "é".repeat(101);
    let names: [&[u8]; 13] = [
        b"../song",
        b"/tmp/song",
        b"a/song",
        b"..",
        b".song",
        b"song.part",
        b"",
        b"a\\song",
        b"song\nhit 2 127.0.0.1:1 1 song",
        b"song\x7f",
        b"song \xff",
        long.as_bytes(),
        long_in_bytes.as_bytes(),
    ];
    let hit = |name: &[u8]| Hit { index: 0, size: 7, name: name.to_vec() };
    let mut hits: Vec<Hit> = names.into_iter().map(hit).collect();
    let longest = "s".repeat(200);
    hits.extend([hit(longest.as_bytes()), hit("song.partly é".as_bytes())]);
    bob.send(&query.hit(&Hits { address: at, speed: 0, hits }))?;
    servent.expect_event(&format!("hit 1 {at} 7 {longest}"), NO_NAME)?;
    servent.expect_event(&format!("hit 2 {at} 7 song.partly é"), NO_NAME)
}

fn shows_a_thousand_hits(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let query = servent.finds("song", &mut [&mut bob])?;
    let at = t.addresses().free_address();
    let many: Vec<_> = (0..255).map(|index| (index, 7, "song")).collect();
    let hits = query.hit(&hits_of(at, &many)?);
    bob.send_as(&hits.bytes().repeat(4), "four QueryHits of 255 hits each")?;
    let expected: Vec<_> = (1..=1000).map(|number| format!("hit {number} {at} 7 song")).collect();
    for event in &expected {
        servent.expect_event(event, THOUSAND)?;
    }
    servent.console.expect_no_event("1,000 hits of one find are enough").map(drop)
}

const OWN: &str = "what answers a question of one's own user goes to that user: it is printed, and goes no \
    further";
const LONGER: &str =
    "the first 14 bytes of a Pong count: later versions put more behind them, which is skipped";
const EXTENDED: &str = "later versions put more between the two NULs of a name, and between the last hit and the servent's \
    id: what stands there is skipped, and the hits are shown";
const THOUSAND: &str = "the first byte of a QueryHit is the number of its hits, 0 to 255, and each of them is shown with the \
    next number, up to 1,000 of one find";
const EARLIER: &str = "a find begins anew: its hits count from 1, and what answers an earlier one is \
    passed over";
const FORGOTTEN: &str = "what others ask may push out what others have asked, but never the last ping and the \
    last find of its own user: they are kept apart";
const LIES: &str = "a QueryHit is read as a whole before anything of it is shown: the count, every \
    name with its two NULs, and 16 bytes behind the last, else it is dropped";
const NO_NAME: &str = "a name from the network is not a file name until it was looked at: 1 to 200 bytes of \
    UTF-8 without /, \\ and control characters, that does not begin with . nor end in .part; what is none is \
    neither shown nor counted";
