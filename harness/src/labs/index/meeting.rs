//! A file that goes from one of the student's peers to another one, or to another program, and each of
//! them with the harness in the other's place.

use std::net::SocketAddr;

use super::direct::Participant;
use super::directory::Index;
use super::file::File;
use super::getter::Getter;
use super::head::{Head, Parsed, encoded, parse};
use super::hub::Hub;
use super::sharer::Sharer;
use super::source::Source;
use crate::net::noise;
use crate::trial::{Scratch, Trial, Verdict};

/// The file that goes from one to the other.
pub(in crate::labs) struct Song {
    file: File,
}

/// How much of it whoever asks for a part has already.
const HAS: usize = 6_000;
const ALONE: &str = "each of the two is tried alone next";
const ELSEWHERE: &str = "a source that dies is the end of that source, and of nothing else: the next one has the same bytes";
const GONE: &str = "only finding needs the index: a file comes from the peer that has it";

impl Song {
    /// One that fits into no segment.
    pub(in crate::labs) fn new() -> Self {
        Self { file: File::new("a song.ogg", noise(95, 40_000)) }
    }

    /// Its name.
    pub(in crate::labs) fn name(&self) -> &str {
        &self.file.name
    }

    /// What it holds.
    pub(in crate::labs) fn bytes(&self) -> &[u8] {
        &self.file.bytes
    }

    /// A request for what is behind the part that is there.
    pub(in crate::labs) fn request(&self) -> Vec<u8> {
        let name = encoded(&self.file.name);
        format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\nRange: bytes={HAS}-\r\n\r\n").into()
    }

    /// What a peer answers to it.
    pub(in crate::labs) fn answer(&self) -> Vec<u8> {
        let size = self.file.size();
        let range = format!("Content-Range: bytes {HAS}-{}/{size}", size - 1);
        let length = size - HAS;
        let head =
            format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n{range}\r\n\r\n");
        [head.as_bytes(), &self.file.bytes[HAS..]].concat()
    }

    /// Whether `bytes` are an answer of a peer to the request: 206, and what was missing.
    pub(in crate::labs) fn is_answered_by(&self, bytes: &[u8]) -> bool {
        let Parsed::Whole(Head { first, length, .. }) = parse(bytes) else { return false };
        first.split(' ').nth(1) == Some("206") && bytes[length..] == self.file.bytes[HAS..]
    }

    /// A peer has it, and another one gets it; then the index is killed, and a third one, which had
    /// found it before, gets it all the same.
    pub(in crate::labs) fn passed_on(&self, t: &Trial) -> Verdict {
        let index = Index::start(t)?;
        let at = (&index.service, index.service.address);
        let bob = Participant::start(t, at, "bob", &[&self.file])?;
        let ann = Participant::start(t, at, "ann", &[])?;
        let carl = Participant::start(t, at, "carl", &[])?;
        carl.finds(&self.file, &[&bob])?;
        ann.finds(&self.file, &[&bob])?;
        ann.console.types("get 1");
        ann.expect_got(&self.file, &bob)?;
        index.service.kill()?;
        carl.console.expect_event("index gone", GONE)?;
        carl.console.types("get 1");
        carl.expect_got(&self.file, &bob)
    }

    /// A peer has it, and another one gets it; then the index is killed. The folder where it is then.
    pub(in crate::labs) fn fetched_before_the_index_died(&self, t: &Trial) -> Verdict<Scratch> {
        let index = Index::start(t)?;
        let at = (&index.service, index.service.address);
        let bob = Participant::start(t, at, "bob", &[&self.file])?;
        let ann = Participant::start(t, at, "ann", &[])?;
        ann.get(&self.file, &bob)?;
        ann.expect_got(&self.file, &bob)?;
        index.service.kill()?;
        ann.console.expect_event("index gone", GONE)?;
        Ok(ann.folder)
    }

    /// Two peers have it; the one that is asked for the rest is killed before it has answered, and the
    /// other one gives it.
    pub(in crate::labs) fn over_a_death(&self, t: &Trial) -> Verdict {
        t.needs_watching()?;
        let index = Index::start(t)?;
        let at = (&index.service, index.service.address);
        let bob = Participant::start(t, at, "bob", &[&self.file])?;
        let carl = Participant::start(t, at, "carl", &[&self.file])?;
        let ann = Participant::start(t, at, "ann", &[])?;
        ann.folder.file(&format!("{}.part", self.file.name), &self.file.bytes[..HAS])?;
        ann.finds(&self.file, &[&bob, &carl])?;
        t.freeze(&bob.service.running)?;
        t.freeze(&carl.service.running)?;
        t.note("bob and carl were stopped (SIGSTOP): whoever asks one of them waits");
        ann.console.types("get 1");
        let asked = ann.expect_asks(&[&bob, &carl])?;
        let [dead, alive] = if asked == bob.service.address { [bob, carl] } else { [carl, bob] };
        dead.service.kill()?;
        t.thaw(&alive.service.running)?;
        t.note(format!("the {} goes on (SIGCONT)", alive.service.running.name));
        let resumed = format!("resumed {} at {HAS} from {}", self.file.name, alive.service.address);
        ann.console.expect_event(&resumed, ELSEWHERE)?;
        ann.expect_got(&self.file, &alive)
    }

    /// The peer gets it from the harness, at the harness's index.
    pub(in crate::labs) fn getter_alone(&self, t: &Trial) -> Verdict {
        let (hub, bob) = (Hub::open(t)?, Source::open(t, "bob")?);
        let mut ann = hub.peer("ann", &[])?;
        ann.finds("song", &[self.file.hit(bob.address())])?;
        ann.console.types("get 1");
        bob.asked(ann.running(), &self.file.name)?.give(&self.file, 0)?;
        let got = format!("got {} {} from {}", self.file.name, self.file.size(), bob.address());
        ann.console.expect_event(&got, ALONE)?;
        ann.folder.expect_file(&self.file.name, &self.file.bytes, ALONE)
    }

    /// The peer gives it to the harness: all of it, and a part.
    pub(in crate::labs) fn giver_alone(&self, t: &Trial) -> Verdict {
        let (_hub, bob) = self.giver(t)?;
        Getter::ask(&bob.service, &self.file.name, "")?.expect_file(&self.file, ALONE)?;
        let fields = format!("Range: bytes={HAS}-\r\n");
        let part = (HAS, self.file.size() - 1);
        Getter::ask(&bob.service, &self.file.name, &fields)?.expect_part(&self.file, part, ALONE)
    }

    /// A peer that has it.
    pub(in crate::labs) fn giver(&self, t: &Trial) -> Verdict<(Hub, Sharer)> {
        let hub = Hub::open(t)?;
        let bob = hub.peer("bob", &[&self.file])?;
        Ok((hub, bob))
    }

    /// A peer that has a part of it gets the rest from `source`, which ignores Range.
    pub(in crate::labs) fn fetched_from(&self, t: &Trial, source: SocketAddr) -> Verdict {
        let hub = Hub::open(t)?;
        let mut ann = self.with_a_part(&hub)?;
        ann.finds("song", &[self.file.hit(source)])?;
        ann.console.types("get 1");
        self.expect_fetched(&ann, source)
    }

    /// The same from the harness.
    pub(in crate::labs) fn fetched_alone(&self, t: &Trial) -> Verdict {
        let (hub, bob) = (Hub::open(t)?, Source::open(t, "the web server")?);
        let mut ann = self.with_a_part(&hub)?;
        ann.finds("song", &[self.file.hit(bob.address())])?;
        ann.console.types("get 1");
        let request = bob.asked(ann.running(), &self.file.name)?;
        request.expect_host()?;
        request.expect_from(HAS, "a part is there: Range says from where on the rest is wanted")?;
        request.give(&self.file, 0)?;
        self.expect_fetched(&ann, bob.address())
    }

    fn with_a_part(&self, hub: &Hub) -> Verdict<Sharer> {
        let ann = hub.peer("ann", &[])?;
        ann.folder.file(&format!("{}.part", self.file.name), &self.file.bytes[..HAS])?;
        Ok(ann)
    }

    fn expect_fetched(&self, ann: &Sharer, source: SocketAddr) -> Verdict {
        const ANEW: &str = "200 is the whole file, whatever Range has asked for: what is there of earlier is overwritten";
        let got = format!("got {} {} from {source}", self.file.name, self.file.size());
        ann.console.expect_event(&got, ANEW)?;
        ann.folder.expect_file(&self.file.name, &self.file.bytes, ANEW)
    }
}

/// The index alone: the harness's peers join it, tell of a file, and find it.
pub(in crate::labs) fn index_alone(t: &Trial) -> Verdict {
    let (index, song) = (Index::start(t)?, Song::new());
    let mut bob = index.joined_by("bob")?;
    let hit = bob.have(&song.file)?;
    // On another connection it may be overtaken.
    bob.expect_heard()?;
    let mut ann = index.joined_by("ann")?;
    ann.say("ALIVE")?;
    ann.expect_hits("SONG", &[hit], "the index tells each peer what the others have")?;
    bob.leave()?;
    ann.leave()
}
