//! Step 5 of lab 7, `download`, continued: going on where it stopped, with the next source.

use std::time::Duration;

use super::file::File;
use super::getter::Getter;
use super::getting::{CAPITALS, GOT, Scene, song};
use super::head::encoded;
use super::hub::Hub;
use super::sharer::{HURRIED, Sharer};
use super::source::{ASKS, Source};
use crate::net::noise;
use crate::trial::{Trial, Verdict};

checks! { $ index_sources, "index" step 5:
    resumes, 4 points: "goes on at the next source where the first one stopped";
    "The end before SIZE: the next peer of the last find with the same size and hash goes on from there (RFC 9110 section 14)."

    asks_each_source_once, 2 points: "asks everybody who has the file, each once, and then says so";
    "The next source is the next hit of the same find with the same size and hash, each once. All tried: `failed`, and the part stays."

    resumes_after_restart, 3 points: "goes on with the part of an earlier run";
    "FILE.part of earlier counts: `Range: bytes=K-` where K > 0."

    source_ignores_range, 2 points: "begins anew where the answer is the whole file";
    "200: begun anew from 0. A server may ignore Range (RFC 9110 section 14.2)."

    wrong_content_range, 2 points: "appends nothing that begins somewhere else";
    "206: appended only where Content-Range begins at K; anything else is the end of this source."

    looks_at_the_part_first, 2 points: "compares a whole part without asking, and begins a longer one anew";
    "SIZE there already: compared without asking. A longer part is begun anew."

    gives_up_on_the_silent, 2 points, patient: "goes on elsewhere when a source says nothing any more";
    "5 s without a byte: the next source. A head not whole in 5 s: closed. Times of a second and more follow LAB_TEMPO."
}

const GOES_ON: &str = "what has come stands in FILE.part: the next source is asked for the rest, with Range: bytes=K-, \
    where K is the length of the part";
const SHARED: &str = "HAVE names the file as it stands in DIR: under the name that the first hit had, whoever has given the \
    last byte";
const FIELDS: &str = "names of fields are alike in all letters (RFC 9110 section 5.1): content-range is Content-Range";
const RESUMED: &str = "resumed, the name here, the offset and the address: where an answer goes on from an offset that is \
    not 0";

fn resumes(t: &mut Trial) -> Verdict {
    let (mut scene, song) = (Scene::begin(t)?, song());
    let (bob, carl) = (Source::open(t, "bob")?, Source::open(t, "carl")?);
    let renamed = File { name: "the same song.ogg".into(), ..song.clone() };
    scene.get(&[song.hit(bob.address()), renamed.hit(carl.address())])?;
    scene.asked(&bob, &song.name)?.give_up_to(&song, 0, 8_000)?;
    let request = scene.asked(&carl, &renamed.name)?;
    request.expect_from(8_000, GOES_ON)?;
    request.give(&song, 8_000)?;
    let resumed = format!("resumed {} at 8000 from {}", song.name, carl.address());
    scene.ann.console.expect_event(&resumed, RESUMED)?;
    scene.expect_got(&song, &carl)?;
    scene.ann.folder.expect_names(&[&song.name], GOT)?;
    scene.ann.session.expect_files(&[&song], SHARED)?;
    let other = File::new("another song.ogg", noise(87, 3_000));
    scene.new_story(&[("bob", &bob), ("carl", &carl)]);
    t.note("the index tells the hash of another file as carl has told it, in capital letters");
    scene.get(&[other.hit(bob.address()), other.hit(carl.address()).in_capitals()])?;
    scene.asked(&bob, &other.name)?.give_up_to(&other, 0, 1_000)?;
    let mut request = carl.asked_since(scene.ann.running(), &other.name, CAPITALS)?;
    request.expect_from(1_000, GOES_ON)?;
    let range = format!("content-range: bytes 1000-2999/{}", other.size());
    request.begin("206 Partial Content", &["content-length: 2000", &range])?;
    request.send(&other.bytes[1_000..])?;
    request.close();
    let resumed = format!("resumed {} at 1000 from {}", other.name, carl.address());
    scene.ann.console.expect_event(&resumed, FIELDS)?;
    scene.expect_got(&other, &carl)
}

fn asks_each_source_once(t: &mut Trial) -> Verdict {
    const ALL: &str = "what one source has not given another one may have: ask each of those that have the same size and \
        hash, once. When all were asked the part stays for a later try";
    const LATER: &str = "the sources of a get are hits of the find before it, and are so until it has ended, whatever is \
        found meanwhile: give the get a list of its own";
    let (mut scene, song) = (Scene::begin(t)?, song());
    let (bob, eve) = (Source::open(t, "bob")?, Source::open(t, "eve")?);
    let carl = Source::open_several(t, "carl", 2)?;
    let away = Source::open(t, "frank")?.address();
    t.note("frank has gone");
    let mut alike = song.clone();
    alike.bytes[0] ^= 1;
    let shorter = File::new(&song.name, &song.bytes[1..]);
    let have = [&[bob.address(), away], carl.addresses()].concat();
    let mut hits: Vec<_> = have.into_iter().map(|address| song.hit(address)).collect();
    hits.extend([alike.hit(eve.address()), shorter.hit(eve.address())]);
    scene.get(&hits)?;
    scene.asked(&bob, &song.name)?.give_up_to(&song, 0, 3_000)?;
    let request = scene.asked(&carl, &song.name)?;
    request.expect_from(3_000, GOES_ON)?;
    scene.ann.finds("other", &[])?;
    request.refuse("404 Not Found")?;
    let request = carl.asked_since(scene.ann.running(), &song.name, LATER)?;
    request.expect_from(3_000, GOES_ON)?;
    request.refuse("404 Not Found")?;
    scene.expect_failed(&song, ALL)?;
    for (name, source) in [("bob", &bob), ("carl", &carl), ("eve", &eve)] {
        if source.another_from(scene.ann.running())?.is_some() {
            return Err(t
                .fail(format!("the peer ann asks {name} once more"))
                .expected("each source of the same size and hash is asked once, and nobody else is")
                .seen(format!("one more connection to {name}"))
                .cause(ALL)
                .stop());
        }
    }
    let part = format!("{}.part", song.name);
    scene.ann.folder.expect_file(&part, &song.bytes[..3_000], ALL)
}

fn resumes_after_restart(t: &mut Trial) -> Verdict {
    const KEPT: &str = "what comes is written to FILE.part as it comes: a program that is killed leaves it behind, and the \
        next one goes on from there";
    let (hub, bob) = (Hub::open(t)?, Source::open(t, "bob")?);
    let song = File::new("long song.bin", noise(85, 300_000));
    let mut scene = Scene { ann: hub.peer("ann", &[])?, hub };
    scene.get(&[song.hit(bob.address())])?;
    let mut request = scene.asked(&bob, &song.name)?;
    request.begin_from(&song, 0)?;
    request.send(&song.bytes[..200_000])?;
    let _ = scene.ann.service.settle()?;
    scene.ann.service.kill()?;
    let kept = scene.expect_part(&song, KEPT)?;
    let Scene { ann: Sharer { folder, .. }, hub } = scene;
    let dir = folder.path().to_owned();
    let mut scene = Scene { ann: hub.peer_in("ann", folder, &dir, &[])?, hub };
    scene.get(&[song.hit(bob.address())])?;
    let request = scene.asked(&bob, &song.name)?;
    request.expect_from(kept, KEPT)?;
    request.give(&song, kept)?;
    let resumed = format!("resumed {} at {kept} from {}", song.name, bob.address());
    scene.ann.console.expect_event(&resumed, RESUMED)?;
    scene.expect_got(&song, &bob)
}

/// These parts of files were left in ann's folder.
fn with_parts(t: &Trial, parts: &[(&File, &[u8])]) -> Verdict<Scene> {
    let scene = Scene::begin(t)?;
    for (file, part) in parts {
        scene.ann.folder.file(&format!("{}.part", file.name), part)?;
    }
    Ok(scene)
}

fn source_ignores_range(t: &mut Trial) -> Verdict {
    const ANEW: &str = "200 is the answer of a server that ignores Range: what comes is the file from its first byte, so \
        what is there of earlier is overwritten, and not continued";
    const CUT: &str = "what is there of earlier is no more: cut the part to nothing when the answer is 200, and what has \
        come since is all that there is";
    let (song, other) = (song(), File::new("another song.ogg", noise(88, 9_000)));
    let earlier = noise(89, 6_000);
    let mut scene = with_parts(t, &[(&song, &song.bytes[..6_000]), (&other, &earlier)])?;
    let (bob, carl) = (Source::open(t, "bob")?, Source::open(t, "carl")?);
    scene.get(&[song.hit(bob.address())])?;
    let request = scene.asked(&bob, &song.name)?;
    request.expect_from(6_000, GOES_ON)?;
    request.give(&song, 0)?;
    // No resumed: its offset is 0.
    let got = format!("got {} {} from {}", song.name, song.size(), bob.address());
    scene.ann.console.expect_event(&got, ANEW)?;
    scene.ann.folder.expect_file(&song.name, &song.bytes, ANEW)?;
    scene.new_story(&[("bob", &bob), ("carl", &carl)]);
    t.note("in another song.ogg.part there are 6000 bytes of something else");
    scene.get(&[other.hit(bob.address()), other.hit(carl.address())])?;
    let mut request = scene.asked(&bob, &other.name)?;
    request.expect_from(6_000, GOES_ON)?;
    request.begin("200 OK", &["Content-Length: 9000"])?;
    request.send(&other.bytes[..2_000])?;
    request.close();
    let request = scene.asked(&carl, &other.name)?;
    request.expect_from(2_000, CUT)?;
    request.give(&other, 2_000)?;
    let resumed = format!("resumed {} at 2000 from {}", other.name, carl.address());
    scene.ann.console.expect_event(&resumed, RESUMED)?;
    scene.expect_got(&other, &carl)
}

fn wrong_content_range(t: &mut Trial) -> Verdict {
    const ELSEWHERE: &str = "206 says in Content-Range what it begins with: what begins elsewhere than the part ends is not \
        what is missing, and this source is of no use";
    let song = song();
    let (size, last) = (song.size(), song.size() - 1);
    let wrong = [
        ("206 Partial Content", format!("Content-Range: bytes 5999-{last}/{size}")),
        ("206 Partial Content", format!("Content-Range: bytes 6001-{last}/{size}")),
        ("206 Partial Content", format!("Content-Range: bytes 0-{last}/{size}")),
        ("206 Partial Content", "Content-Type: audio/ogg".into()),
        ("404 Not Found", "Content-Type: text/plain".into()),
        ("416 Range Not Satisfiable", format!("Content-Range: bytes */{size}")),
    ];
    let mut scene = with_parts(t, &[(&song, &song.bytes[..6_000])])?;
    // Each of them is asked once, in whatever order; the last one is right.
    let sources = Source::open_several(t, "a source", wrong.len() + 1)?;
    let hits: Vec<_> = sources.addresses().iter().map(|address| song.hit(*address)).collect();
    scene.get(&hits)?;
    let mut why = ASKS;
    for (status, field) in &wrong {
        let mut request = sources.asked_since(scene.ann.running(), &song.name, why)?;
        // Whoever asks nobody more has made something of the last answer.
        why = ELSEWHERE;
        request.expect_from(6_000, ELSEWHERE)?;
        request.begin(status, &["Content-Length: 14001", field])?;
        request.send(&noise(83, 14_001))?;
        request.close();
    }
    let request = sources.asked_since(scene.ann.running(), &song.name, why)?;
    request.expect_from(6_000, ELSEWHERE)?;
    let right = request.here();
    request.give(&song, 6_000)?;
    let resumed = format!("resumed {} at 6000 from {right}", song.name);
    scene.ann.console.expect_event(&resumed, RESUMED)?;
    let got = format!("got {} {size} from {right}", song.name);
    scene.ann.console.expect_event(&got, GOT)?;
    scene.ann.folder.expect_file(&song.name, &song.bytes, ELSEWHERE)
}

fn looks_at_the_part_first(t: &mut Trial) -> Verdict {
    const LOOK: &str = "how long FILE.part is says what is missing: nothing, and it is compared at once; or it is longer than \
        the file, and can't be a part of it";
    let [right, wrong, longer] =
        ["right song", "wrong song", "longer song"].map(|name| File::new(name, noise(84, 5_000)));
    let mut other = wrong.bytes.clone();
    other[7] ^= 1;
    let more = [&longer.bytes[..], b"more"].concat();
    let mut scene = with_parts(t, &[(&right, &right.bytes), (&wrong, &other), (&longer, &more)])?;
    let bob = Source::open(t, "bob")?;
    scene.get(&[right.hit(bob.address())])?;
    scene.ann.console.expect_event(&format!("got {} {} from *", right.name, right.size()), LOOK)?;
    scene.ann.folder.expect_file(&right.name, &right.bytes, LOOK)?;
    scene.get(&[wrong.hit(bob.address())])?;
    scene.expect_failed(&wrong, LOOK)?;
    if bob.another_from(scene.ann.running())?.is_some() {
        return Err(t
            .fail("the peer ann asks for what is there already")
            .expected("no connection to bob: all bytes are in FILE.part")
            .seen("a connection to bob")
            .cause(LOOK)
            .stop());
    }
    let names = ["longer song.part", "right song"];
    scene
        .ann
        .folder
        .expect_names(&names, "what is wrong is deleted: nobody can tell which of its bytes are")?;
    scene.get(&[longer.hit(bob.address())])?;
    let request = scene.asked(&bob, &longer.name)?;
    request.expect_from(0, LOOK)?;
    request.give(&longer, 0)?;
    scene.expect_got(&longer, &bob)
}

/// For so long a source may say nothing, by the contract.
const SILENT: Duration = Duration::from_secs(5);

fn gives_up_on_the_silent(t: &mut Trial) -> Verdict {
    with_more_time(t, silent_at)?;
    t.new_scene()?;
    with_more_time(t, unanswered_at)
}

/// On a machine that is busy carl may be given up, too: then all have more time.
fn with_more_time(t: &Trial, scene: fn(&Trial, usize) -> Verdict<Verdict>) -> Verdict {
    for times in [1, 4] {
        if scene(t, times)?.is_ok() {
            return Ok(());
        }
        t.new_scene()?;
    }
    scene(t, 10)?
}

/// Nobody answers at dave's address, to one who waits so many times longer than in a hurry. The outer
/// verdict is whether ann gives dave up, the inner one what comes of it.
fn unanswered_at(t: &Trial, times: usize) -> Verdict<Verdict> {
    const CONNECTS: &str = "a machine that is dead answers no SYN, and connect waits minutes for it: with a limit of its own \
        (connect_timeout) the next source is asked after 5 s";
    let (hub, song) = (Hub::open(t)?, song());
    let ann = hub.peer_at_tempo("ann", HURRIED * times as f64, &[])?;
    let mut scene = Scene { hub, ann };
    let (dave, carl) = (Source::open(t, "dave")?, Source::open(t, "carl")?);
    let held = dave.answers_nobody()?;
    scene.get(&[song.hit(dave.address()), song.hit(carl.address())])?;
    t.allow_waiting(SILENT);
    let request = carl.asked_since(scene.ann.running(), &song.name, CONNECTS)?;
    drop(held);
    Ok(request.give(&song, 0).and_then(|()| scene.expect_got(&song, &carl)))
}

/// Between two pieces of a source that is slow.
const PAUSE: Duration = Duration::from_millis(100);
/// So many take longer than all of the time that a peer in a hurry has for one.
const PIECES: usize = 6;

/// Bob says nothing, and carl is slow, to one who waits so many times longer than in a hurry. The outer
/// verdict is whether ann gives bob up, the inner one what comes of it.
fn silent_at(t: &Trial, times: usize) -> Verdict<Verdict> {
    const NOT_CARL: &str = "5 s are the limit for each byte, and not for all of them: whoever sends now and then is there";
    const GIVES_UP: &str = "a machine that is dead sends no FIN: a read that waits without a limit (set_read_timeout) waits \
        for ever, though another peer has the file, too";
    const HALF: &str = "a head that is not whole in 5 s is none: with a time limit the connection is ended, and its thread is free";
    let (hub, song) = (Hub::open(t)?, song());
    let ann = hub.peer_at_tempo("ann", HURRIED * times as f64, &[])?;
    ann.folder.file(&format!("{}.part", song.name), &song.bytes[..4_000])?;
    let mut scene = Scene { hub, ann };
    let (bob, carl) = (Source::open(t, "bob")?, Source::open(t, "carl")?);
    scene.get(&[song.hit(bob.address()), song.hit(carl.address())])?;
    let half = Getter::begin(&scene.ann.service, &format!("GET /{} HT", encoded(&song.name)))?;
    let silent = scene.asked(&bob, &song.name)?;
    t.note("bob says nothing");
    t.allow_waiting(SILENT);
    let mut request = carl.asked_since(scene.ann.running(), &song.name, GIVES_UP)?;
    let goes_on = || {
        request.expect_from(4_000, GOES_ON)?;
        request.begin_from(&song, 4_000)?;
        let rest = &song.bytes[4_000..];
        for piece in rest.chunks(rest.len().div_ceil(PIECES * times)) {
            t.let_pass(PAUSE);
            request.send(piece)?;
        }
        request.close();
        let resumed = format!("resumed {} at 4000 from {}", song.name, carl.address());
        scene.ann.console.expect_event(&resumed, RESUMED)?;
        scene.expect_got(&song, &carl).map_err(|stop| stop.because(NOT_CARL))
    };
    let come = goes_on();
    silent.close();
    if come.is_ok() {
        half.expect_given_up(HALF)?;
    }
    Ok(come)
}
