//! Step 3 of lab 8, `flood`, the answers: to a question goes what this servent has, to the link that
//! it came from.

use std::net::{SocketAddr, SocketAddrV4};

use super::descriptor::{Descriptor, Hit, Hits, Pong, QUERY_HIT, id};
use super::link::Link;
use super::servent::{Servent, v4};
use super::{CONNECT, OK, fields};
use crate::trial::{Trial, Verdict};

checks! { $ flood_answers, "flood" step 3:
    answers_a_ping, 3 points: "answers a Ping with its address, and how much it shares";
    "A Pong has the id of its Ping, TTL = hops of the Ping + 1, hops 0; port, IP, files, kilobytes."

    reads_on_behind_the_greeting, 2 points: "answers a Ping that came together with the greeting";
    "TCP is a byte stream: what comes behind the greeting is the first descriptor."

    answers_a_query, 3 points: "answers a Query with the files whose names have all of its words";
    "A Query matches a file whose name contains all its words, without regard to case; a QueryHit lists them."

    answers_nothing_with_nothing, 2 points: "is silent where nothing is found, and where no word is asked for";
    "No words: nothing. No match: no answer."

    answers_what_has_come_far, 1 point: "answers a question whatever its TTL and hops are";
    "A question is answered whatever its TTL and hops; TTL and hops of answers stop at 255."

    ignores_what_it_need_not_know, 1 point: "ignores a Query's speed, what follows its text, and a Ping's payload";
    "Minimum speed is ignored, what follows the NUL too; a Ping with a payload is as good as one without."

    drops_broken_queries, 2 points: "drops a Query that is broken, and does not remember it";
    "Broken, dropped and not remembered: a Query under 3 bytes or without NUL."

    gives_a_hundred_hits, 2 points: "gives the first hundred of 300 files, and counts them right";
    "Of more than 100 matches the first 100 by number, in one QueryHit."

    shares_regular_files_only, 1 point: "shares the regular files in DIR, and nothing else";
    "Shared are the regular files directly in DIR (no links) under 4 GiB, with the names that a file may have."

    tells_the_address_of_the_link, 1 point, exotic: "tells each link the address that it has there";
    "IP and port in its own answers: the local IP of the link where they are sent, and LISTEN's port."
}

const PONG: &str = "a Pong is 14 bytes behind its header: the port of LISTEN, little-endian; the IP address of this \
    end of the link (local_addr), in network order; the number of files and their kilobytes, little-endian";
const HIT: &str = "a QueryHit is the number of hits, the port, the IP address and the speed (0); for each file its \
    number, its size, its name and two NULs; and last the 16 bytes of the servent's own id";
const BEHIND: &str = "a read may bring more than the greeting, and so may a BufReader that is thrown away after it: \
    what has been read is not in the socket any more";
const SILENT: &str = "a file is found where its name contains all of the words, and where there is no word nothing is found; \
    what finds nothing is not answered: an answer without a hit helps nobody, and every servent on the way has to carry it";
const TAB: &str = "the words of a Query are split at spaces and at nothing else: a tab belongs to the word that it stands \
    in, and no file name here has one";

/// Expects the Pong of a servent that listens on `address` and shares so many files of so many bytes.
pub(super) fn expect_pong(
    link: &mut Link,
    ping: &Descriptor,
    address: SocketAddrV4,
    sizes: &[usize],
    cause: &str,
) -> Verdict {
    let files = sizes.len() as u32;
    let least = (sizes.iter().sum::<usize>() / 1024) as u32;
    let expected = format!(
        "a Pong of {address}, {files} files, {least} kilobytes, with the id of the Ping, TTL {}, \
         hops 0",
        ping.hops.saturating_add(1)
    );
    link.expect_fitting(&expected, cause, |seen| {
        // Each file may be rounded up.
        let told = Pong::read(&seen.payload).map_or(least, |pong| pong.kilobytes);
        let kilobytes = told.clamp(least, least + files);
        let wanted = answer_to(ping).pong(&Pong { address, files, kilobytes });
        expect_same(&wanted.at(ping.hops.saturating_add(1), 0), seen)
    })
}

/// Expects the QueryHit of a servent that listens on `address`, with these files, in any order;
/// returns the servent's id.
fn expect_hits(
    link: &mut Link,
    query: &Descriptor,
    address: SocketAddrV4,
    files: &[(u32, usize, &str)],
    cause: &str,
) -> Verdict<[u8; 16]> {
    let names: Vec<_> = files.iter().map(|(_, _, name)| *name).collect();
    let shown = if names.len() > 5 { format!("{} files", names.len()) } else { names.join(", ") };
    let expected = format!(
        "a QueryHit of {address} with {shown}; the id of the Query, TTL {}, hops 0",
        query.hops.saturating_add(1)
    );
    link.expect_fitting(&expected, cause, |seen| {
        let mut hits: Vec<Hit> = files
            .iter()
            .map(|(index, size, name)| Hit {
                index: *index,
                size: *size as u32,
                name: name.as_bytes().to_vec(),
            })
            .collect();
        // In the order in which they came, where they are the same.
        if let Ok(read) = Hits::read(&seen.payload) {
            let place = |hit: &Hit| read.hits.iter().position(|one| one == hit);
            hits.sort_by_key(|hit| place(hit).unwrap_or(usize::MAX));
        }
        let servent = seen.payload.last_chunk().copied().unwrap_or_default();
        let payload = Hits { address, speed: 0, hits }.bytes(&servent);
        let wanted = answer_to(query).answer(QUERY_HIT, payload);
        expect_same(&wanted.at(query.hops.saturating_add(1), 0), seen).map(|()| servent)
    })
}

/// The question as one that has not come so far that an answer's TTL can't be counted.
fn answer_to(question: &Descriptor) -> Descriptor {
    question.clone().at(question.ttl, 0)
}

fn expect_same(wanted: &Descriptor, seen: &Descriptor) -> Result<(), Vec<String>> {
    match fields::differences(wanted, seen) {
        wrong if wrong.is_empty() => Ok(()),
        wrong => Err(wrong),
    }
}

fn answers_a_ping(t: &mut Trial) -> Verdict {
    let sizes = [1000, 2000, 5000];
    let files = sizes.map(|size| vec![b'x'; size]);
    let names = ["a.txt", "b.txt", "c.txt"];
    let files: Vec<_> = names.into_iter().zip(files.iter().map(Vec::as_slice)).collect();
    let host = t.host_servent("bob")?;
    let servent = Servent::start(t, super::CALLED, &files, &[host.address()])?;
    let address = servent.address_v4()?;
    // The program has dialled bob, from another port than the one where it listens.
    let mut bob = servent.links_to(&host)?;
    let mut carol = servent.linked_by("carol")?;
    for (number, link) in [&mut bob, &mut carol].into_iter().enumerate() {
        let ping = Descriptor::ping(id(number as u32)).at(1, 0);
        link.send(&ping)?;
        expect_pong(link, &ping, address, &sizes, PONG)?;
    }
    let ping = Descriptor::ping(id(7)).at(1, 3);
    bob.send(&ping)?;
    expect_pong(
        &mut bob,
        &ping,
        address,
        &sizes,
        "an answer has as far to go as its question has come",
    )?;
    carol
        .expect_silence("the answer goes to the link where the question came from, and to no other")
}

fn reads_on_behind_the_greeting(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let ping = Descriptor::ping(id(1)).at(1, 0);
    let mut bob = servent.called_by("bob")?;
    let both = [CONNECT, &ping.bytes()].concat();
    bob.send_as(&both, "GNUTELLA CONNECT/0.4 and a Ping, in one segment")?;
    bob.expect_bytes(OK, BEHIND)?;
    expect_pong(&mut bob, &ping, servent.address_v4()?, &[], BEHIND)?;
    t.new_scene()?;
    let host = t.host_servent("carol")?;
    let folder = t.scratch(super::FOLDER)?;
    let servent = Servent::over(t, super::CALLED, folder, &[host.address()])?;
    let mut carol = servent.calls(&host)?;
    carol.expect_bytes(CONNECT, BEHIND)?;
    let both = [OK, &ping.bytes()].concat();
    carol.send_as(&both, "GNUTELLA OK and a Ping, in one segment")?;
    expect_pong(&mut carol, &ping, servent.address_v4()?, &[], BEHIND)
}

/// What is shared where something is to be found: in the order of the names.
const SONGS: [(&str, &[u8]); 3] =
    [("another song.ogg", b"la"), ("letter.txt", b"dear bob"), ("my song.ogg", b"la la la")];
const ANOTHER: (u32, usize, &str) = (0, 2, "another song.ogg");
const LETTER: (u32, usize, &str) = (1, 8, "letter.txt");
const MY_SONG: (u32, usize, &str) = (2, 8, "my song.ogg");

fn answers_a_query(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &SONGS)?;
    let address = servent.address_v4()?;
    let mut bob = servent.linked_by("bob")?;
    let cases: [(&str, &[_]); 6] = [
        ("letter.txt", &[LETTER]),
        ("song", &[ANOTHER, MY_SONG]),
        ("SoNg OGG", &[ANOTHER, MY_SONG]),
        ("ong my", &[MY_SONG]),
        ("  my   song  ", &[MY_SONG]),
        ("t", &[ANOTHER, LETTER]),
    ];
    let mut ids = Vec::new();
    for (number, (words, files)) in cases.into_iter().enumerate() {
        t.new_story();
        let query = Descriptor::query(id(number as u32), words).at(1, number as u8);
        bob.send(&query)?;
        ids.push(expect_hits(&mut bob, &query, address, files, HIT)?);
    }
    match ids.iter().find(|id| **id != ids[0]) {
        None => Ok(()),
        Some(other) => Err(t
            .fail("the servent has not one id, but several")
            .expected("the same last 16 bytes in each of its QueryHits")
            .seen(format!("{} in the first one", ids[0].escape_ascii()))
            .seen(format!("{} in another one", other.escape_ascii()))
            .cause("the id at the end of a QueryHit is the servent's own: it is made once, at the start")
            .stop()),
    }
}

fn answers_nothing_with_nothing(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &SONGS)?;
    let mut bob = servent.linked_by("bob")?;
    for (number, words) in
        ["nothing of that", "", "   ", "song letter", "mysong"].into_iter().enumerate()
    {
        t.new_story();
        bob.send(&Descriptor::query(id(number as u32), words).at(1, 0))?;
        bob.expect_silence(SILENT)?;
    }
    t.new_story();
    bob.send(&Descriptor::query(id(98), "my\tsong").at(1, 0))?;
    bob.expect_silence(TAB)?;
    expect_letter(&servent, &mut bob, 99, HIT)
}

/// Expects that a Query with this number is answered as ever.
fn expect_letter(servent: &Servent, link: &mut Link, number: u32, cause: &str) -> Verdict {
    let query = Descriptor::query(id(number), "letter").at(1, 0);
    link.send(&query)?;
    expect_hits(link, &query, servent.address_v4()?, &[LETTER], cause).map(drop)
}

fn answers_what_has_come_far(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &SONGS)?;
    let address = servent.address_v4()?;
    let mut bob = servent.linked_by("bob")?;
    let sizes = SONGS.map(|(_, bytes)| bytes.len());
    let cause = "a question that has come is answered; its TTL says whether it goes on. The answer's TTL is one more \
                 than the question's hops, and 255 at most";
    for (number, (ttl, hops)) in [(0, 0), (1, 6), (0, 254), (255, 255)].into_iter().enumerate() {
        t.new_story();
        let ping = Descriptor::ping(id(number as u32)).at(ttl, hops);
        bob.send(&ping)?;
        expect_pong(&mut bob, &ping, address, &sizes, cause)?;
        let query = Descriptor::query(id(number as u32), "letter").at(ttl, hops);
        bob.send(&query)?;
        expect_hits(&mut bob, &query, address, &[LETTER], cause)?;
    }
    Ok(())
}

fn ignores_what_it_need_not_know(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &SONGS)?;
    let address = servent.address_v4()?;
    let mut bob = servent.linked_by("bob")?;
    let cause = "later versions put more behind the text and into a Ping: what a servent has no use for it ignores";
    let payload = b"\xff\xffletter\0urn:sha1:\x1cXML\0".to_vec();
    let query = Descriptor { payload, ..Descriptor::query(id(1), "").at(1, 0) };
    bob.send(&query)?;
    expect_hits(&mut bob, &query, address, &[LETTER], cause)?;
    let ping = Descriptor { payload: b"\xc3SCP\x01".to_vec(), ..Descriptor::ping(id(2)).at(1, 0) };
    bob.send(&ping)?;
    expect_pong(&mut bob, &ping, address, &SONGS.map(|(_, bytes)| bytes.len()), cause)
}

fn drops_broken_queries(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &SONGS)?;
    let mut bob = servent.linked_by("bob")?;
    let mut carol = servent.linked_by("carol")?;
    let cause = "a question that can't be read can't be answered, and is not passed on: it is as if it had not come";
    for (number, payload) in [&b""[..], b"\0", b"\0\0", b"\0\0letter"].into_iter().enumerate() {
        t.new_story();
        let broken =
            Descriptor { payload: payload.to_vec(), ..Descriptor::query(id(number as u32), "") };
        bob.send(&broken)?;
        bob.expect_silence(cause)?;
        carol.expect_nothing_more(cause)?;
        expect_letter(&servent, &mut bob, number as u32, cause)?;
    }
    Ok(())
}

fn gives_a_hundred_hits(t: &mut Trial) -> Verdict {
    let folder = t.scratch(super::FOLDER)?;
    let names: Vec<_> = (0..300).map(|number| format!("song {number:03}.ogg")).collect();
    for name in &names {
        std::fs::write(folder.path().join(name), b"la")?;
    }
    t.note("300 files were written, from song 000.ogg to song 299.ogg, of 2 bytes each");
    let servent = Servent::over(t, super::CALLED, folder, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let query = Descriptor::query(id(1), "song").at(1, 0);
    bob.send(&query)?;
    let first: Vec<_> = (0..100).map(|at| (at, 2, names[at as usize].as_str())).collect();
    let cause = "the number of hits is one byte: of 300 files as many as fit, and here the first 100, go into the \
                 one QueryHit, and its count is that of the hits in it";
    expect_hits(&mut bob, &query, servent.address_v4()?, &first, cause)?;
    bob.expect_silence("one QueryHit is the answer, and no other follows")
}

fn shares_regular_files_only(t: &mut Trial) -> Verdict {
    let outside = t.scratch("ELSEWHERE")?;
    outside.file("song.ogg", b"not shared")?;
    let folder = t.scratch(super::FOLDER)?;
    for name in ["song.ogg", ".song.ogg", "song.ogg.part", "folder/song.ogg"] {
        folder.file(name, b"la la la")?;
    }
    folder.link("linked song.ogg", &outside.path().join("song.ogg").display().to_string())?;
    folder.fifo("song.fifo")?;
    folder.hole("song of 4 GiB.ogg", 4 << 30)?;
    let servent = Servent::over(t, super::CALLED, folder, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let query = Descriptor::query(id(1), "song").at(1, 0);
    bob.send(&query)?;
    let cause = "only a regular file that stands directly in DIR is shared: a link may lead anywhere, a name with a \
                 dot in front or .part behind it is not for others, and a size has four bytes";
    expect_hits(&mut bob, &query, servent.address_v4()?, &[(0, 8, "song.ogg")], cause).map(drop)
}

fn tells_the_address_of_the_link(t: &mut Trial) -> Verdict {
    let host = t.host_servent("bob")?;
    let listens = t.addresses().free_elsewhere();
    let folder = t.scratch(super::FOLDER)?;
    let servent = Servent::at(t, listens, folder, &[host.address()])?;
    let cause = "a servent can have several addresses: the one that the other end of a link can reach is that of this \
                 end (local_addr of the connection)";
    let mut bob = servent.links_to(&host)?;
    let mut carol = servent.linked_by("carol")?;
    for (number, link) in [&mut bob, &mut carol].into_iter().enumerate() {
        // bob was dialled, so the system has chosen the address; carol has dialled this one.
        let here = SocketAddr::new(link.connection().there().ip(), listens.port());
        let ping = Descriptor::ping(id(number as u32)).at(1, 0);
        link.send(&ping)?;
        expect_pong(link, &ping, v4(here)?, &[], cause)?;
    }
    Ok(())
}
