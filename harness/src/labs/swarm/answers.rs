//! Step 1 of lab 9, `announce`: what the tracker answers.

use std::rc::Rc;

use super::bencode::{dictionary, integer, list, string};
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use super::tracker::{Tracker, compact, compact_peers, dictionaries};
use crate::net::{Cut, Listener, Terms};
use crate::trial::{Trial, Verdict};

checks! { $ swarm_answers, "swarm" step 1:
    takes_compact_peers, 3 points: "dials the peers that the tracker tells of";
    "Compact peers (BEP 23): six bytes each, four of the address and two of the port, the high byte first."

    takes_dictionary_peers, 2 points: "understands the other form of peers, too";
    "Both forms of `peers` are understood; unknown keys ignored. Dictionary peers: port 0, a wrong type, a name that can't be resolved: that entry is skipped."

    reads_answers_in_pieces, 2 points: "reads an answer whole, however it comes";
    "TCP is a byte stream: no program may depend on how bytes were cut. The body ends by Content-Length or the stream's end."

    dials_nobody_as_a_seed, 1 point: "dials nobody when it has everything";
    "The tracker's peers are dialled only while pieces are missing; PEERs by a seed, too."

    tells_a_failure, 2 points: "says why the tracker gave no answer, and goes on";
    "A `failure reason`, no tracker: `tracker: REASON` on stderr. REASON is one line: control characters from outside are escaped."

    refuses_broken_answers, 2 points: "takes no answer that is broken, and goes on";
    "An answer over 1 MiB, a status other than 200, or a short body, is `tracker:`. Bencoding deeper than 32 levels is an error; integers are at most 64 bits."
}

pub(super) fn torrent(tracker: &Tracker) -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(4).tracked_by(&tracker.url()))
}

pub(super) const SIX: &str = "peers is a string of bytes, and not of text: six for each peer, four of its IP address and two of its port, \
    the high byte first. Each is dialled at once";
const EITHER: &str = "peers is a string of six bytes for each, or a list of dictionaries with ip and port: look at the kind of \
    the value; an entry that is none, or whose name can't be resolved, is passed over, and so is a key that means nothing here";
const ALL_OF_IT: &str = "a read returns what is there, and that may be one byte of the answer: read up to the empty line behind \
    the head, and then as many bytes as Content-Length says, or up to the end of the stream";

/// Expects that the program dials each of these.
fn expect_dialled(swarm: &Swarm, hosts: &[Listener], cause: &str) -> Verdict {
    for host in hosts {
        host.accept(swarm.running(), cause)?;
    }
    Ok(())
}

pub(super) fn hosts<const N: usize>(t: &Trial, names: [&str; N]) -> Verdict<Vec<Listener>> {
    names.iter().map(|name| t.host_peer(name)).collect()
}

fn addresses(hosts: &[Listener]) -> Vec<std::net::SocketAddr> {
    hosts.iter().map(Listener::address).collect()
}

fn takes_compact_peers(t: &mut Trial) -> Verdict {
    let hosts = hosts(t, ["ann", "bob", "carol"])?;
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    tracker.tell(&swarm, 60, &addresses(&hosts))?;
    expect_dialled(&swarm, &hosts, SIX)?;
    t.new_scene()?;
    let hosts = self::hosts(t, ["ann", "bob"])?;
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    let peers = [compact_peers(&addresses(&hosts)), b"other".to_vec()].concat();
    let answer = dictionary([("interval", integer(60)), ("peers", string(peers))]);
    t.note("the next answer has five bytes more behind the last peer");
    tracker.hear(&swarm)?.answer(&answer)?;
    expect_dialled(&swarm, &hosts, A_REST)
}

const A_REST: &str = "what is left behind the last six bytes is no peer, and is passed over: those before it are dialled";

fn takes_dictionary_peers(t: &mut Trial) -> Verdict {
    let hosts = hosts(t, ["ann", "bob"])?;
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    tracker.hear(&swarm)?.answer(&dictionaries(60, &addresses(&hosts)))?;
    expect_dialled(&swarm, &hosts, EITHER)?;
    t.new_scene()?;
    // Entries that are none between others that are.
    let hosts = self::hosts(t, ["ann", "bob"])?;
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    let entry = |host: &Listener| {
        let address = host.address();
        dictionary([
            ("ip", string(address.ip().to_string())),
            ("port", integer(address.port().into())),
            ("zone", list([integer(-1), string([0xff, 0, 0xfe])])),
        ])
    };
    let port = |port| dictionary([("ip", string("127.0.0.1")), ("port", port)]);
    let peers = [
        port(integer(0)),
        port(integer(65_536 + i64::from(hosts[0].address().port()))),
        port(integer(-1)),
        port(string("6881")),
        entry(&hosts[0]),
        dictionary([("ip", integer(5)), ("port", integer(1))]),
        // No resolver has to ask anybody to know that there is no such name.
        dictionary([("ip", string(format!("{}a", "a.".repeat(150)))), ("port", integer(1))]),
        dictionary([]),
        integer(7),
        string(b"\x7f\0\0\x01\x1a\xe1"),
        entry(&hosts[1]),
    ];
    let answer = dictionary([
        ("complete", integer(5)),
        ("interval", integer(60)),
        ("peers", list(peers)),
        ("tracker id", string([0xff; 4])),
        ("warning message", string("this is no failure")),
    ]);
    t.note("the next answer has entries that are none, and keys that nobody knows");
    tracker.hear(&swarm)?.answer(&answer)?;
    expect_dialled(&swarm, &hosts, EITHER)?;
    let Some(address) = t.addresses().free_address_v6() else { return Ok(()) };
    t.new_scene()?;
    let carol = t.listen_as("carol", &[address], &Terms::ANSWERS)?;
    t.note(format!("carol listens on {address}"));
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    tracker.hear(&swarm)?.answer(&dictionaries(60, &[address]))?;
    expect_dialled(&swarm, &[carol], SIX_OR_FOUR)
}

const SIX_OR_FOUR: &str = "ip is a text, and may be an address of IPv6, too: put together with a port as HOST:PORT it would have \
    to stand in brackets";

fn reads_answers_in_pieces(t: &mut Trial) -> Verdict {
    // What stands before the peers is what a head ends with, and no UTF-8.
    let answer = |hosts: &[Listener]| {
        let peers = compact(60, &addresses(hosts));
        [b"d6:before8:\r\n\r\n\xff\xfe\r\n", &peers[1..]].concat()
    };
    for cut in [Cut::Bytes, Cut::Whole] {
        t.new_scene()?;
        let hosts = hosts(t, ["bob"])?;
        let tracker = Tracker::new(t)?;
        let swarm = Swarm::leech(t, &torrent(&tracker))?;
        let body = answer(&hosts);
        let head = match cut {
            Cut::Whole => "HTTP/1.0 200 Fine\r\n\r\n".to_owned(),
            _ => format!("HTTP/1.1 200 OK\r\ncontent-length:{}\r\n\r\n", body.len()),
        };
        let did = match cut {
            Cut::Whole => "answered, without Content-Length, and ended",
            _ => "answered",
        };
        tracker.hear(&swarm)?.answer_raw(&[head.as_bytes(), &body].concat(), cut, did)?;
        expect_dialled(&swarm, &hosts, ALL_OF_IT)?;
    }
    t.new_scene()?;
    let hosts = hosts(t, ["bob"])?;
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    let body = answer(&hosts);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut kept = tracker.hear(&swarm)?.into_lines();
    t.note("the tracker answered with a Content-Length, and keeps the connection open");
    kept.put(&[head.as_bytes(), &body].concat())?;
    expect_dialled(&swarm, &hosts, ALL_OF_IT)?;
    kept.take_in()
}

fn dials_nobody_as_a_seed(t: &mut Trial) -> Verdict {
    let hosts = hosts(t, ["ann", "bob"])?;
    let (ann, bob) = (hosts[0].address(), hosts[1].address());
    let tracker = Tracker::new(t)?;
    let torrent = torrent(&tracker);
    let swarm = Start::of(&torrent).having(&torrent.all()).dialling(&[ann]).listening(t)?;
    let _ann = hosts[0].accept(swarm.running(), "each PEER is dialled at once, by a seed, too")?;
    tracker.tell(&swarm, 60, &[bob])?;
    if hosts[1].take_another(swarm.running())?.is_none() {
        return Ok(());
    }
    Err(t
        .fail("the program dialled a peer of the tracker's, although it has everything")
        .expected("no connection to bob")
        .seen("a connection to bob")
        .cause("whoever has everything needs nobody: those that miss something dial it")
        .stop())
}

fn tells_a_failure(t: &mut Trial) -> Verdict {
    let hosts = hosts(t, ["bob", "carol"])?;
    let (host, other) = (&hosts[0], &hosts[1]);
    let tracker = Tracker::new(t)?;
    let start = Start::of(&torrent(&tracker)).dialling(&[host.address()]);
    let swarm = start.listening(t)?;
    swarm.expect_have(0)?;
    let reason = dictionary([
        ("failure reason", string("no room\r\nfor \x1b[31mnewcomers")),
        ("interval", integer(60)),
        ("peers", string(compact_peers(&[other.address()]))),
    ]);
    t.note("the next answer has a failure reason, and besides it carol as a peer");
    tracker.hear(&swarm)?.answer(&reason)?;
    if other.take_another(swarm.running())?.is_some() {
        return Err(t
            .fail("the program dialled a peer of an answer that is a failure")
            .expected("a line on standard error, and no connection to carol")
            .seen("a connection to carol")
            .cause(FAILED)
            .stop());
    }
    swarm.expect_told("tracker: ", 1, FAILED)?;
    swarm.expect_told("no room", 1, FAILED)?;
    swarm.expect_harmless(&["no room", "newcomers"], HARMLESS)?;
    let _bob = host.accept(swarm.running(), GOES_ON)?;
    t.new_scene()?;
    t.note("nobody listens where the tracker should be");
    let url = format!("http://{}/announce", t.addresses().free_address());
    let torrent = Rc::new(Torrent::of_blocks(4).tracked_by(&url));
    let host = t.host_peer("bob")?;
    let swarm = Start::of(&torrent).dialling(&[host.address()]).listening(t)?;
    swarm.expect_told("tracker: ", 1, TOLD)?;
    host.accept(swarm.running(), GOES_ON)?;
    t.expect_written()
}

const FAILED: &str = "a `failure reason` says that the tracker gives no answer, whatever stands beside it: it is told in one line \
    on standard error, behind tracker and a colon, and nothing else of the answer is used";
const TOLD: &str = "that the tracker can't be asked is told in one line on standard error: tracker, a colon, and the reason";
const HARMLESS: &str = "a reason from outside may have anything in it: line breaks, with which it looks like several lines of the \
    program's own, and escape sequences, which the terminal obeys. Escape each control character";
pub(super) const GOES_ON: &str = "a tracker is a directory and no more: without it the program goes on with the peers that it knows";

fn refuses_broken_answers(t: &mut Trial) -> Verdict {
    let host = t.host_peer("bob")?;
    let right = compact(60, &[host.address()]);
    let whole = |status: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let ok = |body: &[u8]| whole("200 OK", body);
    let longer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", right.len() + 1);
    let padding = string(vec![b'x'; 1 << 20]);
    let long = [b"d1:a", &padding[..], &right[1..]].concat();
    let deep = [b"d1:a", &b"l".repeat(33)[..], &b"e".repeat(33), &right[1..]].concat();
    let bottomless = [b"d1:a", &b"l".repeat(500_000)[..]].concat();
    let cases = [
        ("with status 500", whole("500 Internal Server Error", &right), STATUS),
        ("with status 404", whole("404 Not Found", &right), STATUS),
        ("with an answer that is no HTTP", b"220 ready\r\n\r\n".to_vec(), STATUS),
        ("with nothing", Vec::new(), CUT),
        ("with half a head", b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(), CUT),
        ("with one byte less than its Content-Length", [longer.as_bytes(), &right].concat(), CUT),
        ("with a page", ok(b"<html>no tracker here</html>"), BENCODED),
        ("with a dictionary that is cut", ok(&right[..right.len() - 1]), BENCODED),
        ("with a string of 99999999999 bytes", ok(b"d5:peers99999999999:abce"), BENCODED),
        ("with an integer of 65 bits", ok(b"d8:intervali18446744073709551616ee"), WIDE),
        ("with lists in 33 levels", ok(&deep), DEEP),
        ("with 500,000 lists in each other", ok(&bottomless), DEEP),
        ("with more than 1 MiB", ok(&long), LONG),
        (
            "with more than 1 MiB, without Content-Length",
            [b"HTTP/1.1 200 OK\r\n\r\n", &long[..]].concat(),
            LONG,
        ),
    ];
    for (did, bytes, cause) in cases {
        t.new_scene()?;
        let cause = format!("{cause}: that is told in one line, and nothing of it is used");
        let tracker = Tracker::new(t)?;
        let swarm = Swarm::leech(t, &torrent(&tracker))?;
        tracker.hear(&swarm)?.answer_raw(&bytes, Cut::Whole, &format!("answered {did}"))?;
        if host.take_another(swarm.running())?.is_some() {
            return Err(t
                .fail("the program dialled a peer of an answer that does not count")
                .expected("a line on standard error, and no connection to the peer in that answer")
                .seen("a connection to that peer")
                .cause(cause)
                .stop());
        }
        swarm.expect_told("tracker: ", 1, &cause)?;
        swarm.expect_lives(&cause)?;
    }
    Ok(())
}

const STATUS: &str = "only HTTP with status 200 is an answer, whatever stands below another status";
const CUT: &str = "an answer counts when all of it has come, its head up to the empty line and as many bytes as \
    Content-Length says. Another one is broken off";
const BENCODED: &str = "a tracker answers with one bencoded dictionary, from its d to its e, and no string in it is \
    longer than what has come. This is none";
const WIDE: &str =
    "an integer has at most 64 bits. A wider one is an error, and its answer with it";
const DEEP: &str = "lists and dictionaries stand in each other in at most 32 levels, or a stranger could fill the stack \
    of whoever reads them. More levels are an error";
const LONG: &str = "an answer has at most 1 MiB, whether Content-Length announces more or more comes without it, or a \
    stranger could fill the memory. A longer one is an error";
