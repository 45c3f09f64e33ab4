//! Step 1 of lab 8, `handshake`: who says what first, and what comes behind it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::link::Link;
use super::servent::{PATIENCE, Servent};
use super::{CONNECT, FLOOD, OK, uploads};
use crate::contract::{self, GIVES_UP, SlowToGreet};
use crate::net::{Cut, Listener};
use crate::trial::{Progress, Trial, Verdict};

checks! { $ flood_handshake, "flood" step 1:
    dials_and_greets, 3 points: "dials each PEER, greets it, and waits for its answer";
    "Who dialled says `GNUTELLA CONNECT/0.4` LF LF; nothing is sent on a link before the OK, and nothing unasked after it."

    accepts_and_answers, 3 points: "answers a greeting, in whatever pieces it comes";
    "The other side answers `GNUTELLA OK` LF LF, once the greeting is whole."

    keeps_both_links, 1 point: "keeps two links with the same servent";
    "Two links between the same two are both kept."

    goes_on_without_a_peer, 2 points: "says who can't be reached, and dials the others meanwhile";
    "A PEER that can't be reached: one line on stderr. A call that nobody answers delays no other."

    refuses_other_greetings, 2 points: "refuses callers that greet in another way";
    "A handshake other than the above is `bad peer`: closed, and nothing else happens."

    refuses_other_answers, 2 points: "refuses an answer that is not the OK";
    "A handshake other than the above is `bad peer`, from a dialled one too."

    tells_links_from_downloads, 2 points: "takes links and downloads on one port";
    "HTTP on the same port: a connection that begins with `GET ` is a download."

    greets_beside_the_silent, 2 points: "links while others are slow to greet";
    "One thread a connection: a caller that says nothing delays nobody."

    ends_slow_greetings, 2 points, patient: "gives up on a greeting that is not whole in time";
    "A handshake not whole in 5 s, counted from connect or accept, is `bad peer`, however it dribbles."

    takes_32_links, 2 points, exotic: "has at most 32 links, and one more when one has ended";
    "At most 32 links, dialled ones counted; one more is closed instead of its OK, without an event."

    keeps_nothing_of_callers, 1 point, exotic: "keeps no socket and no thread of callers that have gone";
    "What has ended is closed, and its threads are done."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "Out of descriptors: one line on stderr, the listener goes on, without spinning."
}

const SPEAKS_FIRST: &str = "the one that dials speaks first: GNUTELLA CONNECT/0.4 and two LF, and nothing more \
    before the answer has come";
const UNASKED: &str = "a link is silent until somebody has a question: no Ping goes out by itself";
const AFTER_THE_WHOLE: &str = "the greeting has come when its second LF has: a read returns what is there, so \
    read on until all 22 bytes are";
const NOT_GNUTELLA: &str = "whoever greets in another way speaks another protocol, or another version of it: what \
    it sends would be read as descriptors. Compare all bytes, say `bad peer`, and close";
const CARRIES_ON: &str = "one bad caller is that caller's problem: the next one is greeted as ever";

fn dials_and_greets(t: &mut Trial) -> Verdict {
    let hosts = [t.host_servent("bob")?, t.host_servent("carol")?];
    let addresses = hosts.each_ref().map(Listener::address);
    let folder = t.scratch(super::FOLDER)?;
    let servent = Servent::over(t, super::CALLED, folder, &addresses)?;
    // In the reverse order: a call must not wait until the one before it is answered.
    for host in hosts.iter().rev() {
        let mut link = servent.calls(host)?;
        link.expect_bytes(CONNECT, SPEAKS_FIRST)?;
        link.expect_silence(SPEAKS_FIRST)?;
        link.send_as(OK, "GNUTELLA OK")?;
        let event = format!("linked {} as client", host.address());
        servent.expect_event(&event, "both sides have greeted: the link is there")?;
        link.expect_silence(UNASKED)?;
        link.close();
        servent.expect_unlinked(host.address())?;
    }
    Ok(())
}

fn accepts_and_answers(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut bob = servent.linked_by("bob")?;
    bob.expect_silence(UNASKED)?;
    let (last, begin) = CONNECT.split_last().map_or((0, CONNECT), |(last, begin)| (*last, begin));
    for cut in [Cut::Bytes, Cut::Seed(7), Cut::Behind(&[21])] {
        t.new_story();
        let mut carol = servent.called_by("carol")?;
        carol.send_pieces(begin, cut, "GNUTELLA CONNECT/0.4 and one LF")?;
        carol.expect_silence(AFTER_THE_WHOLE)?;
        carol.send_as(&[last], "the second LF")?;
        carol.expect_bytes(OK, AFTER_THE_WHOLE)?;
        servent.expect_linked(&carol, "server")?;
        carol.close();
        servent.console.forget()?;
    }
    bob.expect_nothing_more(UNASKED)
}

fn keeps_both_links(t: &mut Trial) -> Verdict {
    let host = t.host_servent("bob")?;
    let folder = t.scratch(super::FOLDER)?;
    let twice = [host.address(), host.address()];
    let servent = Servent::over(t, super::CALLED, folder, &twice)?;
    let mut links = [servent.links_to(&host)?, servent.links_to(&host)?];
    servent.rest()?;
    for link in &mut links {
        link.expect_nothing_more("two links between the same two servents are both kept")?;
    }
    Ok(())
}

fn goes_on_without_a_peer(t: &mut Trial) -> Verdict {
    let nobody = t.addresses().free_address();
    t.note(format!("nobody listens on {nobody}"));
    let carol = t.host_servent("carol")?;
    let _held = carol.fill_queue()?;
    let bob = t.host_servent("bob")?;
    let folder = t.scratch(super::FOLDER)?;
    let others = [nobody, carol.address(), bob.address()];
    let servent = Servent::over(t, super::CALLED, folder, &others)
        .map_err(|stop| stop.because(EACH_ITS_THREAD))?;
    let _bob = servent.links_to(&bob).map_err(|stop| stop.because(EACH_ITS_THREAD))?;
    let told = || {
        let lines = servent.running().program.stderr().last_lines(usize::MAX);
        lines.iter().filter(|line| line.contains(&nobody.to_string())).count()
    };
    let come = t.wait(servent.running(), || {
        Ok(if told() > 0 { Progress::Done(()) } else { Progress::Nothing })
    })?;
    if come.is_ok() && told() == 1 {
        return servent.linked_by("dave").map(drop);
    }
    Err(t
        .fail("the servent does not say in one line whom it can't reach")
        .expected(format!("one line on standard error, with {nobody}"))
        .seen(format!("{} lines with that address", told()))
        .cause("report the error of connect on standard error, with the address; then go on")
        .stop())
}

const EACH_ITS_THREAD: &str = "a PEER that can't be reached is no reason to end, and one that does not answer can \
    take minutes: listen first, dial each in a thread of its own, and report an error instead of handing it on";

/// Expects the end of a connection on which nothing was said, and `bad peer`.
fn expect_refused(servent: &Servent, mut link: Link, address: SocketAddr) -> Verdict {
    let t = servent.trial();
    // A program may wait for the rest of what it expects as long as the contract allows.
    t.allow_waiting(PATIENCE);
    link.expect_closed(NOT_GNUTELLA)?;
    // It has made up its mind, and whatever it still reads from this end is over now.
    link.close();
    t.allow_waiting(Duration::ZERO);
    servent.expect_event(&format!("bad peer {address}: *"), NOT_GNUTELLA)
}

/// What other callers say first.
const OTHER_GREETINGS: [(&str, &[u8]); 7] = [
    ("what a later version begins with", b"GNUTELLA CONNECT/0.6\r\nUser-Agent: other\r\n\r\n"),
    ("CRLF in place of LF", b"GNUTELLA CONNECT/0.4\r\n\r\n"),
    ("GNUTELLA OK, which is for who was dialled", OK),
    ("the greeting in small letters", b"gnutella connect/0.4\n\n"),
    ("what SSH begins with", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    ("a request of HTTP that is no GET", b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (
        "what TLS begins with",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x8b\x1c\x7e\x02\x91\x5d\x3a\x44\xe0\x12\x9f\x66",
    ),
];

fn refuses_other_greetings(t: &mut Trial) -> Verdict {
    let servent = Servent::at_tempo(t)?;
    servent.linked_by("carol")?.close();
    servent.console.forget()?;
    for (what, bytes) in OTHER_GREETINGS {
        t.new_story();
        let mut caller = servent.called_by("bob")?;
        let address = caller.connection().here();
        caller.send_as(bytes, what)?;
        expect_refused(&servent, caller, address)?;
    }
    t.new_story();
    let mut caller = servent.called_by("bob")?;
    let address = caller.connection().here();
    caller.send_as(&CONNECT[..13], "half of its greeting")?;
    caller.half_close()?;
    expect_refused(&servent, caller, address)?;
    servent.linked_by("carol").map(drop).map_err(|stop| stop.because(CARRIES_ON))
}

/// What others say in place of the OK.
const OTHER_ANSWERS: [(&str, &[u8]); 5] = [
    ("what a later version answers", b"GNUTELLA/0.6 200 OK\r\nUser-Agent: other\r\n\r\n"),
    ("CRLF in place of LF", b"GNUTELLA OK\r\n\r\n"),
    ("GNUTELLA CONNECT/0.4, which is for who dials", CONNECT),
    ("a GET, as of one who wants a file", b"GET /get/0/song.ogg/ HTTP/1.0\r\n\r\n"),
    ("an answer of HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
];

fn refuses_other_answers(t: &mut Trial) -> Verdict {
    let mut hosts = Vec::new();
    for _ in 0..=OTHER_ANSWERS.len() {
        hosts.push(t.host_servent("bob")?);
    }
    let addresses: Vec<_> = hosts.iter().map(Listener::address).collect();
    let servent = Servent::at_tempo_with(t, &addresses)?;
    servent.linked_by("carol")?.close();
    servent.console.forget()?;
    for ((what, bytes), host) in OTHER_ANSWERS.iter().zip(&hosts) {
        let mut link = servent.calls(host)?;
        link.expect_bytes(CONNECT, SPEAKS_FIRST)?;
        link.send_as(bytes, what)?;
        expect_refused(&servent, link, host.address())?;
    }
    if let Some(host) = hosts.last() {
        let mut link = servent.calls(host)?;
        link.expect_bytes(CONNECT, SPEAKS_FIRST)?;
        link.send_as(&OK[..8], "half of its answer")?;
        link.half_close()?;
        expect_refused(&servent, link, host.address())?;
    }
    Ok(())
}

const FIRST_BYTES: &str = "both begin with a G: read on until it is clear whether `GET ` or the greeting is coming, and \
    give what was read of a request to the one who answers it";

fn tells_links_from_downloads(t: &mut Trial) -> Verdict {
    let song = crate::net::noise(11, 3000);
    let servent = Servent::sharing(t, &[("song.ogg", &song), ("tango+waltz.ogg", b"la la la")])?;
    for (cut, how) in [(Cut::Whole, "in one segment"), (Cut::Bytes, "byte by byte")] {
        t.new_story();
        let mut getter = servent.called_by("bob")?;
        let request = b"GET /get/0/song.ogg/ HTTP/1.0\r\n\r\n";
        getter.send_pieces(request, cut, &format!("a GET of the file, {how}"))?;
        getter.expect_download(&song, FIRST_BYTES)?;
        let mut carol = servent.called_by("carol")?;
        carol.send_pieces(CONNECT, cut, &format!("GNUTELLA CONNECT/0.4, {how}"))?;
        carol.expect_bytes(OK, FIRST_BYTES)?;
        servent.expect_linked(&carol, "server")?;
        carol.close();
        servent.console.forget()?;
    }
    uploads::expect_what_is_asked_for(&servent, &song, b"la la la")
}

/// Callers that say nothing, or not enough.
const SILENT: usize = 12;
/// So many more that they take all places, if they take any.
const MORE_SILENT: usize = MOST_LINKS;

fn greets_beside_the_silent(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let mut caller = servent.called_by("a silent caller")?;
        if number % 2 == 0 {
            caller.send_as(&CONNECT[..number], "the beginning of its greeting")?;
        }
        silent.push(caller);
    }
    t.new_story();
    t.note(format!("{SILENT} callers have connected, and are slow to greet"));
    let _carol = servent.linked_by("carol").map_err(|stop| {
        stop.because("a greeting may take as long as 5 s: not in the thread that accepts")
    })?;
    t.new_story();
    for _ in 0..MORE_SILENT {
        silent.push(servent.called_by("a silent caller")?);
    }
    t.new_story();
    t.note(format!("{} callers are slow to greet now, and there is one link", silent.len()));
    servent.linked_by("dave").map(drop).map_err(|stop| {
        stop.because(
            "at most 32 links: whoever has not greeted yet is no link and takes no place, nor a thread that \
             another caller needs",
        )
    })
}

fn ends_slow_greetings(t: &mut Trial) -> Verdict {
    let host = t.host_servent("dave")?;
    let servent = Servent::at_tempo_with(t, &[host.address()])?;
    servent.linked_by("eve")?.close();
    servent.console.forget()?;
    let mut dave = servent.calls(&host)?;
    dave.expect_bytes(CONNECT, SPEAKS_FIRST)?;
    let began = Instant::now();
    let mut carol = servent.called_by("carol")?;
    // Her time runs when the servent waits for her greeting, and before bob's does.
    servent.rest()?;
    let mut bob = servent.called_by("bob")?;
    let later = began.elapsed();
    let slow = SlowToGreet {
        carol: carol.stream(),
        greeting: &CONNECT[..CONNECT.len() - 1],
        bob: bob.stream(),
        later,
        dave: dave.stream(),
    };
    slow.are_given_up(t, || servent.rest())?;
    let bad = |address| format!("bad peer {address}: *");
    let [bob, carol] = [&bob, &carol].map(|link| bad(link.connection().here()));
    servent.console.expect_events(&[&bob, &carol, &bad(host.address())], GIVES_UP)
}

/// The most links at once.
const MOST_LINKS: usize = 32;

fn takes_32_links(t: &mut Trial) -> Verdict {
    let host = t.host_servent("bob")?;
    let folder = t.scratch(super::FOLDER)?;
    folder.file("song.ogg", b"la la la")?;
    let servent = Servent::over(t, super::CALLED, folder, &[host.address()])?;
    let mut links = vec![servent.links_to(&host)?];
    for number in 2..=MOST_LINKS {
        links.push(servent.linked_by(&format!("servent {number}"))?);
    }
    t.new_story();
    t.note(format!("the servent has {MOST_LINKS} links, of which it dialled one"));
    let cause = "at most 32 links, whoever dialled them: one more is closed where its OK would come, and \
                 the others stay";
    let mut surplus = servent.called_by("one more")?;
    surplus.send_as(CONNECT, "GNUTELLA CONNECT/0.4")?;
    surplus.expect_closed(cause)?;
    servent.console.expect_no_event(cause)?;
    let mut getter = servent.called_by("a getter")?;
    getter.send_as(b"GET /get/0/song.ogg/ HTTP/1.0\r\n\r\n", "a GET of the file")?;
    getter.expect_download(b"la la la", "downloads are no links: they don't count")?;
    let Some(last) = links.pop() else { return Ok(()) };
    let address = last.connection().here();
    last.close();
    servent.expect_unlinked(address)?;
    servent.rest()?;
    let again = servent.linked_by("the next one");
    again
        .map(drop)
        .map_err(|stop| stop.because("a link that has ended leaves its place to the next one"))
}

fn keeps_nothing_of_callers(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[])?;
    servent.service.expect_no_growth("callers", || {
        for _ in 0..5 {
            servent.linked_by("bob")?.close();
            let mut other = servent.called_by("carol")?;
            other.send_as(&CONNECT[..13], "half of its greeting")?;
            other.half_close()?;
            other.expect_closed(NOT_GNUTELLA)?;
            servent.console.forget()?;
        }
        t.new_story();
        Ok(10)
    })?;
    t.new_scene()?;
    contract::closes_what_has_ended(t, &FLOOD)
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    contract::survives_few_descriptors(t, &FLOOD)?;
    super::expect_step_1(t)
}
