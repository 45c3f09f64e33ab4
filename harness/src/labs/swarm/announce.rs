//! Step 1 of lab 9, `announce`: what the program tells the tracker.

use std::rc::Rc;

use super::program::{Start, Swarm};
use super::torrent::Torrent;
use super::tracker::{Announce, Tracker};
use crate::program::describe_exit;
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ swarm_announce, "swarm" step 1:
    announces, 3 points: "tells the tracker what it gets, where it listens, and that it has started";
    "Announce: info_hash (of the info value's own bytes), peer_id, port, uploaded, downloaded, left, compact=1, event=started (first)."

    asks_as_http_has_it, 2 points: "asks by HTTP, with Host, and with Connection: close";
    "HTTP/1.1, `Connection: close`; Host as in the URL, with its port (RFC 9112 section 3.2)."

    escapes_the_hash, 2 points: "percent-encodes the bytes of the hash";
    "20 raw bytes percent-encoded: each byte as %XX, but for letters, digits and -._~ (RFC 3986 section 2.1)."

    keeps_the_urls_query, 1 point: "keeps the query that the tracker's URL has";
    "A query already in the URL is kept: the parameters go on behind it with &."

    tells_what_is_left, 2 points: "tells how much is missing, and so does a seed";
    "left: bytes of the pieces missing."

    has_an_id_of_its_own, 1 point: "has a peer id of its own, another one at each start";
    "A random id: -SL0100- and 12 letters; any 20 bytes by chance are as good."

    needs_no_tracker, 1 point: "goes on without a tracker that can be asked by HTTP";
    "No announce: only PEERs. A URL that is not http: one `tracker:` line at the start, then none."
}

/// Five pieces of two blocks, of which the last one is shorter.
fn torrent() -> Torrent {
    Torrent::new(150_000, 32_768)
}

/// What a parameter has to be.
pub(super) type Wanted<'a> = (&'a str, &'a [u8], &'a str);

/// Expects these parameters, each once.
pub(super) fn expect_told(t: &Trial, announce: &Announce, wanted: &[Wanted]) -> Verdict {
    for (key, value, cause) in wanted {
        let seen = announce.get(key);
        if seen == Some(*value) {
            continue;
        }
        let values: Vec<_> = announce.query.iter().filter(|(name, _)| name == key).collect();
        let seen = match (&values[..], seen) {
            ([], _) => format!("no {key} among its parameters: {}", announce.raw_query),
            (_, Some(seen)) => format!("{key} is {}", shown(key, seen)),
            (several, None) => format!("{key} stands there {} times", several.len()),
        };
        return Err(t
            .fail("the program tells the tracker something else than it should")
            .expected(format!("{key} is {}", shown(key, value)))
            .seen(seen)
            .cause(*cause)
            .stop());
    }
    Ok(())
}

/// A hash in hexadecimal digits, as everybody writes it.
fn shown(key: &str, value: &[u8]) -> String {
    if key == "info_hash" || key == "peer_id" {
        let digits: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        return format!("{} bytes, {digits} in hexadecimal", value.len());
    }
    quote_short(value, 60)
}

fn announces(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(torrent().tracked_by(&tracker.url_with("/some/where")));
    let swarm = Swarm::leech(t, &torrent)?;
    let announce = tracker.hear(&swarm)?;
    if announce.path != "/some/where" {
        return Err(t
            .fail("the program asks the tracker for something else than its URL says")
            .expected("the path /some/where, as the torrent has it")
            .seen(format!("the path {}", announce.path))
            .cause("trackers have paths of many names: the request's target is that of the URL")
            .stop());
    }
    let (hash, port) = (torrent.hash(), swarm.address().port().to_string());
    expect_told(
        t,
        &announce,
        &[
            ("info_hash", &hash, OF_INFO),
            ("port", port.as_bytes(), ITS_PORT),
            ("left", b"150000", LEFT),
            ("uploaded", b"0", COUNTED),
            ("downloaded", b"0", COUNTED),
            ("compact", b"1", COMPACT),
            ("event", b"started", STARTED),
        ],
    )?;
    expect_id(t, &announce).map(drop)
}

const OF_INFO: &str = "the info hash is the SHA-1 of the value of info, of its own bytes as they stand in the torrent file: \
    not of the whole torrent, not of the file that it is about; and it goes out as 20 raw bytes, percent-encoded";
const ITS_PORT: &str = "the port is the one where the program listens: others dial it. The connection to the tracker comes \
    from another one";
const LEFT: &str =
    "left counts the bytes of all pieces that are missing; the last piece may be shorter";
const COUNTED: &str = "uploaded and downloaded count from the start of the program";
const COMPACT: &str = "with compact=1 the tracker answers with six bytes for each peer";
const STARTED: &str = "the first announce says event=started";

/// Expects a peer id of 20 bytes.
fn expect_id(t: &Trial, announce: &Announce) -> Verdict<Vec<u8>> {
    match announce.get("peer_id") {
        Some(id) if id.len() == 20 => Ok(id.to_vec()),
        other => Err(t
            .fail("the program has no peer id that is one")
            .expected("peer_id is 20 bytes, percent-encoded")
            .seen(other.map_or("no peer_id, or several".into(), |id| shown("peer_id", id)))
            .cause(
                "a peer id is 20 bytes: how the program is called, and something random behind it",
            )
            .stop()),
    }
}

fn asks_as_http_has_it(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(torrent().tracked_by(&tracker.url()));
    let swarm = Swarm::leech(t, &torrent)?;
    let announce = tracker.hear(&swarm)?;
    let host = tracker.address().to_string();
    let closes = "a connection that the tracker keeps open for a next request never ends: say that there is none, or \
                  whoever reads up to the end waits for ever";
    let names = "a server with many names has to be told which one is meant, and its port, if that is not 80";
    for (field, wanted, cause) in [("Host", &*host, names), ("Connection", "close", closes)] {
        let seen = announce.field(field);
        if !seen.is_some_and(|seen| seen.eq_ignore_ascii_case(wanted)) {
            return Err(t
                .fail(format!("the request to the tracker has no right field {field}"))
                .expected(format!("{field}: {wanted}"))
                .seen(seen.map_or(format!("no field {field}"), |seen| format!("{field}: {seen}")))
                .cause(cause)
                .stop());
        }
    }
    let line = announce.head.first().map_or("", |line| line);
    if line.ends_with(" HTTP/1.1") {
        return announce.answer(&super::tracker::compact(60, &[]));
    }
    Err(t
        .fail("the request to the tracker is of another version")
        .expected("a first line that ends with HTTP/1.1")
        .seen(quote_short(line.as_bytes(), 400))
        .cause("the contract asks for HTTP/1.1")
        .stop())
}

/// A file of one piece, of which there are many torrents.
fn small(salt: u32) -> Torrent {
    Torrent::new(100, 100).salted(salt)
}

/// Salts that make hashes with the bytes that matter: see the test below.
const SALTS: [u32; 3] = [1686, 438, 1];

const ESCAPED: &str = "a hash is not text: of its 20 bytes only letters, digits and - . _ ~ may stand in a URL as they are. \
    Every other one is % and two hexadecimal digits, whatever it would mean as a character";

fn escapes_the_hash(t: &mut Trial) -> Verdict {
    for salt in SALTS {
        t.new_story();
        let tracker = Tracker::new(t)?;
        let torrent = Rc::new(small(salt).tracked_by(&tracker.url()));
        t.note(format!("a torrent with the info hash {}", shown("info_hash", &torrent.hash())));
        let swarm = Swarm::leech(t, &torrent)?;
        let announce = tracker.hear(&swarm).map_err(|stop| stop.because(ESCAPED))?;
        expect_told(t, &announce, &[("info_hash", &torrent.hash(), ESCAPED)])?;
    }
    Ok(())
}

fn keeps_the_urls_query(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = torrent().tracked_by(&tracker.url_with("/announce?key=a%20b&user=7"));
    let torrent = Rc::new(torrent);
    let swarm = Swarm::leech(t, &torrent)?;
    let announce = tracker.hear(&swarm)?;
    let cause = "some trackers know their users by something in the URL: what follows the first ? stays as it is, and \
                 a second ? would belong to the value before it";
    let hash = torrent.hash();
    let wanted: [Wanted; 3] =
        [("key", b"a b", cause), ("user", b"7", cause), ("info_hash", &hash, cause)];
    expect_told(t, &announce, &wanted)
}

fn tells_what_is_left(t: &mut Trial) -> Verdict {
    // The last of five pieces is shorter than the others.
    for (pieces, left) in [(&[1, 4][..], 98_304), (&[0, 1, 2, 3], 18_928), (&[0, 1, 2, 3, 4], 0)] {
        t.new_story();
        // A tracker for each: the program before asks its own again, since it got no answer.
        let tracker = Tracker::new(t)?;
        let torrent = Rc::new(torrent().tracked_by(&tracker.url()));
        let swarm = Swarm::having(t, &torrent, pieces)?;
        let announce = tracker.hear(&swarm)?;
        let left = left.to_string();
        let event = "a seed starts, too: completed is said once, by whom the last piece has come to in this run";
        let wanted: [Wanted; 2] = [("left", left.as_bytes(), LEFT), ("event", b"started", event)];
        expect_told(t, &announce, &wanted)?;
    }
    Ok(())
}

fn has_an_id_of_its_own(t: &mut Trial) -> Verdict {
    let mut ids = Vec::new();
    for called in [super::CALLED, "second program"] {
        let tracker = Tracker::new(t)?;
        let torrent = Rc::new(torrent().tracked_by(&tracker.url()));
        let swarm = Start::of(&torrent).called(called).listening(t)?;
        ids.push(expect_id(t, &tracker.hear(&swarm)?)?);
    }
    if ids[0] != ids[1] {
        return Ok(());
    }
    Err(t
        .fail("two programs have the same peer id")
        .expected("another peer id at each start")
        .seen(format!("both say {}", shown("peer_id", &ids[0])))
        .cause("who finds its own id at the other end takes it for itself, and goes: the id has to be random")
        .stop())
}

fn needs_no_tracker(t: &mut Trial) -> Verdict {
    let host = t.host_peer("bob")?;
    for url in ["udp://127.0.0.1:6969/announce", "https://127.0.0.1:6969/announce"] {
        t.new_story();
        t.note(format!("the tracker's URL is {url}"));
        let torrent = Rc::new(torrent().tracked_by(url));
        let swarm = Start::of(&torrent).dialling(&[host.address()]).hurrying().listening(t)?;
        swarm.expect_told(
            "tracker: ",
            1,
            "a tracker that can't be asked is told of in one line",
        )?;
        let _bob = swarm.calls(&host)?;
        t.settle_or(swarm.running(), |status| {
            t.fail("the program ended")
                .expected("it goes on with the peers that it was given")
                .seen(describe_exit(status))
                .cause("a tracker only tells of peers: who can't ask it needs it no more than it needs them")
                .stop()
        })?;
    }
    t.new_story();
    t.note("the torrent has no tracker");
    let swarm = Start::of(&Rc::new(torrent())).dialling(&[host.address()]).listening(t)?;
    let _bob = swarm.calls(&host)?;
    super::start::expect_step_1(t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_have_the_bytes_that_matter() {
        let hashes = SALTS.map(|salt| small(salt).hash());
        for byte in *b"\0 %&+=#?/\xff" {
            assert!(hashes.iter().any(|hash| hash.contains(&byte)), "{byte:02x}");
        }
    }
}
