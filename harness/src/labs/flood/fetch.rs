//! Step 5: a file is got from the one who has it, whole.

use std::time::Duration;

use super::answers::expect_pong;
use super::descriptor::{Descriptor, Hit, Hits, id};
use super::getting::{Getting, RENAMED, SIZE, SONG, STATUS, STATUS_OK, WHOLE};
use super::network::{Network, Shape};
use super::servent::Servent;
use super::source::{Source, give, reply};
use crate::net::{LineEnd, Lines, noise};
use crate::trial::{Trial, Verdict};
use crate::words::{count, quote_short};

checks! { $ flood_fetch, "flood" step 5:
    fetches, 3 points: "gets a file from the address in its hit";
    "get: into .part, exactly Content-Length bytes and equal to the hit's size, then renamed."

    fetches_in_pieces, 2 points: "gets a file that comes byte by byte";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    escapes_the_name, 2 points: "writes a name in the request so that it arrives as it is";
    "GET /get/INDEX/NAME/ HTTP/1.0, NAME percent-encoded."

    stops_at_the_length, 2 points: "takes as many bytes as were announced, and waits for no end";
    "Exactly Content-Length bytes; bytes behind it are not read."

    takes_the_documents_own_line, 2 points: "takes `HTTP 200 OK`, as the protocol's document has it";
    "HTTP 200 OK: the status line in the document of the protocol, which has no version."

    waits_for_who_is_slow, 1 point, patient: "waits for one who sends a byte now and then";
    "5 s without a byte: failed; progress has no further limit."

    gets_an_empty_file, 1 point: "gets a file of 0 bytes";
    "Exactly Content-Length bytes."

    begins_a_part_anew, 2 points: "begins anew where a part of an earlier try is left";
    "Into .part, begun anew."

    gets_several_at_once, 2 points: "gets several files at once, and answers meanwhile";
    "One thread a connection: who is slow delays nobody else."

    gets_from_a_stranger, 3 points: "gets a file past those who have passed on the question";
    "Questions flood, answers go back the way they came, files go by HTTP directly."

    gives_what_it_has_got, 2 points: "shares what it has got, behind what it had";
    "Those got later are added behind."
}

/// Between two bytes of one who is slow: a program that counts all of them together gives up on the
/// way, and none that counts each by itself, even where it knows `LAB_TEMPO`.
const PAUSE: Duration = Duration::from_millis(120);

fn fetches(t: &mut Trial) -> Verdict {
    let mut getting = Getting::of(t, SIZE)?;
    let song = noise(8, SIZE);
    let carol = getting.get()?;
    give(&carol, &reply(STATUS_OK, Some(SIZE)), "the head of a reply")?;
    give(&carol, &song, "the song")?;
    getting.expect_got(SONG, &song, WHOLE)?;
    let names = getting.servent.folder.list()?;
    if names.names() != [SONG] {
        return Err(t
            .fail("something besides the file is left")
            .expected(format!("in DIR: {SONG}"))
            .seen(format!("in DIR: {}", names.names().join(", ")))
            .cause(RENAMED)
            .stop());
    }
    getting.bob.expect_silence("a file is got by HTTP, and not over a link")?;
    getting.servent.console.expect_no_event("one get is told of once").map(drop)
}

fn fetches_in_pieces(t: &mut Trial) -> Verdict {
    let getting = Getting::of(t, 20)?;
    let mut carol = getting.get()?;
    let song = b"la la\r\n\r\nla la la la";
    t.note("carol sends her reply byte by byte");
    for byte in [&reply(STATUS_OK, Some(song.len()))[..], song].concat() {
        carol.send_alone(&[byte])?;
    }
    getting.expect_got(SONG, song, WHOLE)
}

fn escapes_the_name(t: &mut Trial) -> Verdict {
    for name in ["100% é song?.ogg", "song #1 + \"2\" & <3>", "HTTP song %41"] {
        let getting = Getting::sharing(t, &[], name, 4)?;
        let carol = getting.get()?;
        give(
            &carol,
            &[&reply(STATUS_OK, Some(4))[..], b"song"].concat(),
            "her reply, in one write",
        )?;
        getting.expect_got(name, b"song", WHOLE)?;
        t.new_scene()?;
    }
    Ok(())
}

fn stops_at_the_length(t: &mut Trial) -> Verdict {
    // Nothing behind it, and no end: it is whole all the same.
    let getting = Getting::of(t, 9)?;
    let carol = getting.get()?;
    give(
        &carol,
        &[&reply(STATUS_OK, Some(9))[..], b"one song."].concat(),
        "her reply, in one write",
    )?;
    getting.expect_got(SONG, b"one song.", LENGTH)?;
    t.new_scene()?;
    let getting = Getting::of(t, 9)?;
    let carol = getting.get()?;
    let more = [&reply(STATUS_OK, Some(9))[..], b"one song.and more"].concat();
    give(&carol, &more, "her reply with more behind it, in one write")?;
    getting.expect_got(SONG, b"one song.", LENGTH)
}

fn takes_the_documents_own_line(t: &mut Trial) -> Verdict {
    for status in ["HTTP 200 OK", "HTTP/1.1 200 Here you are", "HTTP/1.0 200"] {
        let getting = Getting::of(t, 4)?;
        let carol = getting.get()?;
        give(&carol, &[&reply(status, Some(4))[..], b"song"].concat(), status)?;
        getting.expect_got(SONG, b"song", STATUS)?;
        t.new_scene()?;
    }
    Ok(())
}

fn waits_for_who_is_slow(t: &mut Trial) -> Verdict {
    let song = b"la la la";
    let getting = Getting::at_tempo(t, song.len())?;
    let mut carol = getting.get()?;
    give(&carol, &reply(STATUS_OK, Some(song.len())), "the head of a reply")?;
    t.note("carol sends the song byte by byte, and takes her time");
    for byte in song {
        t.let_pass(PAUSE);
        carol.send_alone(&[*byte])?;
    }
    getting.expect_got(SONG, song, "as long as something comes now and then, it is waited for")
}

fn gets_an_empty_file(t: &mut Trial) -> Verdict {
    let getting = Getting::of(t, 0)?;
    let carol = getting.get()?;
    give(&carol, &reply(STATUS_OK, Some(0)), "the head of a reply")?;
    getting.expect_got(SONG, b"", LENGTH)
}

fn begins_a_part_anew(t: &mut Trial) -> Verdict {
    let part = format!("{SONG}.part");
    let getting = Getting::sharing(t, &[(&part, &[b'x'; 40])], SONG, 9)?;
    let carol = getting.get()?;
    give(
        &carol,
        &[&reply(STATUS_OK, Some(9))[..], b"one song."].concat(),
        "her reply, in one write",
    )?;
    getting.expect_got(SONG, b"one song.", ANEW)
}

fn gets_several_at_once(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    let query = servent.finds("song", &mut [&mut bob])?;
    let (one, two) =
        (Source::new(t, "carol", 1, "first song")?, Source::new(t, "dave", 2, "second song")?);
    one.is_hit(1, &servent, &mut bob, &query, 5)?;
    two.is_hit(2, &servent, &mut bob, &query, 5)?;
    servent.console.types("get 1");
    let carol = one.is_asked(&servent)?;
    give(&carol, &reply(STATUS_OK, Some(5)), "the head of a reply, and nothing behind it")?;
    servent.console.types("get 2");
    let dave = two.is_asked(&servent)?;
    give(&dave, &[&reply(STATUS_OK, Some(5))[..], b"la la"].concat(), "his reply, in one write")?;
    servent.expect_event(&format!("got second song 5 from {}", two.address()), ONE_EACH)?;
    bob.send(&Descriptor::ping(id(99)))?;
    bob.expect_fitting("a Pong", ONE_EACH, |_| Ok(()))?;
    give(&carol, b"first", "the song")?;
    servent.expect_event(&format!("got first song 5 from {}", one.address()), ONE_EACH)?;
    servent.folder.expect_file("first song", b"first", WHOLE)?;
    servent.folder.expect_file("second song", b"la la", WHOLE)
}

fn gets_from_a_stranger(t: &mut Trial) -> Verdict {
    let song = noise(8, SIZE);
    let network = Network::new(t, Shape::Line, 3, |number| match number {
        2 => vec![(SONG, &song[..])],
        _ => Vec::new(),
    })?;
    let [ann, _bob, carol] = network.all()?;
    ann.console.types("find song");
    ann.expect_event(&format!("hit 1 {} {SIZE} {SONG}", carol.address()), DIRECTLY)?;
    ann.console.types("get 1");
    ann.expect_event(&format!("got {SONG} {SIZE} from {}", carol.address()), DIRECTLY)?;
    ann.folder.expect_file(SONG, &song, WHOLE)?;
    let carried = network.bytes();
    if carried < SIZE {
        t.note(format!("the links carried {} in all", count(carried)));
        return Ok(());
    }
    Err(t
        .fail("the file has come over the links")
        .expected("a connection of its own between the two")
        .seen(format!("the links carried {}, and the file has {}", count(carried), count(SIZE)))
        .cause(DIRECTLY)
        .stop())
}

fn gives_what_it_has_got(t: &mut Trial) -> Verdict {
    let song = noise(8, 9000);
    let mut getting = Getting::sharing(t, &[("a", b"a"), ("z", b"z")], SONG, song.len())?;
    // So that it has been asked before what it shares.
    getting.bob.send(&Descriptor::ping(id(3)).at(1, 0))?;
    getting.bob.expect_a_pong(COUNTED)?;
    let carol = getting.get()?;
    let whole = [&reply(STATUS_OK, Some(song.len()))[..], &song].concat();
    give(&carol, &whole, "her reply, in one write")?;
    getting.expect_got(SONG, &song, WHOLE)?;
    getting.servent.rest()?;
    let query = Descriptor::query(id(1), "song");
    getting.bob.send(&query)?;
    let expected = format!("a QueryHit with {SONG} as number 2");
    getting.bob.expect_fitting(&expected, BEHIND, |seen| {
        let hits = Hits::read(&seen.payload).map_err(|wrong| vec![wrong])?;
        let wanted = [Hit { index: 2, size: song.len() as u32, name: SONG.into() }];
        let told = |hit: &Hit| {
            let name = String::from_utf8_lossy(&hit.name);
            format!("number {}, {} bytes, {name:?}", hit.index, hit.size)
        };
        let is_it = hits.hits == wanted && seen.id == id(1);
        if is_it { Ok(()) } else { Err(hits.hits.iter().map(told).collect()) }
    })?;
    let ping = Descriptor::ping(id(2)).at(1, 0);
    getting.bob.send(&ping)?;
    let address = getting.servent.address_v4()?;
    expect_pong(&mut getting.bob, &ping, address, &[1, 1, song.len()], COUNTED)?;
    let mut client = Lines::new(getting.servent.service.connect()?, LineEnd::CrLf);
    client.send(b"GET /get/2/my%20song.ogg/ HTTP/1.0\r\n\r\n")?;
    client.expect_line("HTTP/1.0 200 OK", BEHIND)?;
    let body = [b"\r\n\r\n", &song[..]].concat();
    let reply = client.read_all_until(|unread| unread.ends_with(&body))?;
    if reply.ends_with(&body) {
        return Ok(());
    }
    Err(t
        .fail("the file that was got is not given")
        .expected(format!("a head, an empty line, and the {} of the file", count(song.len())))
        .seen(quote_short(&reply, 200))
        .cause(BEHIND)
        .stop())
}

const LENGTH: &str = "Content-Length says where the file ends: not the end of the stream, which may not come, \
    and not what stands behind it";
const ANEW: &str = "what is left in .part is of an earlier try, perhaps of another file: it is begun anew, \
    and truncated";
const ONE_EACH: &str = "a get runs in a thread of its own: it may take long, and its user and the links wait \
    for nothing";
const BEHIND: &str = "a file that was got is shared from now on, behind those that were there: these keep \
    their numbers";
const COUNTED: &str = "a file that was got is shared from now on, and a Pong counts it: one file more, and its \
    kilobytes";
pub(super) const DIRECTLY: &str = "the address in the hit is that of whoever has the file, and not of the one who has told \
    of it: the file is got there, by a connection of its own";
