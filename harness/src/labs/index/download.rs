//! Step 5 of lab 7, `download`: a file from the peers that have it, up to its hash.

use super::file::{File, Hit};
use super::getter::Getter;
use super::getting::{CAPITALS, GOT, Scene, song};
use super::hub::Hub;
use super::sharer::{Sharer, folder_of};
use super::source::{Request, Source};
use crate::net::noise;
use crate::trial::{Trial, Verdict};
use crate::words::count;

checks! { $ index_download, "index" step 5:
    downloads, 3 points: "gets a file from a peer that has it, and keeps nothing else";
    "Into FILE.part; SIZE reached and the hash right: renamed to FILE, `got FILE SIZE from ADDR`."

    asks_as_any_server_understands, 1 point: "asks in a way that any web server understands";
    "GET, the name percent-encoded, one Host (RFC 9112 section 3.2), and no Range where nothing is there."

    becomes_a_source, 2 points: "tells the index what it got, and gives it to others";
    "Complete, checked, renamed: HAVE is sent, and the file is shared from then on."

    checks_the_hash, 3 points: "keeps nothing whose hash is not the one that was promised";
    "SIZE reached: SHA-1 compared, without case; wrong: the part is deleted, `failed`. It never has the name FILE."

    source_sends_too_much, 2 points: "takes not a byte more than the size that was promised";
    "Never more than SIZE bytes, whatever Content-Length says and however much comes."

    hostile_index, 3 points: "writes nothing outside of its folder, whatever the index says";
    "A HIT whose FILE is no file name is not shown and not counted; every network byte is foreign."

    leaves_files_alone, 2 points: "touches neither a file that is there nor a part that is none";
    "FILE there already: `failed`. A FILE.part that is no regular file: `failed`, nothing is opened through it."

    refuses_a_number_that_is_none, 1 point: "gets only what the last find has shown";
    "`get` of a number that the last find does not have: one line on stderr, nothing is sent."

    slow_source_holds_nobody, 3 points: "finds, gets and gives while one source says nothing";
    "Several gets may run at once, and one that hangs delays neither a find nor an upload. FILE being got: `failed`."

    goes_on_without_the_index, 2 points: "finishes and begins transfers when the index has gone";
    "`index gone`: transfers go on, and hits that were shown before can still be got."

    leaves_a_part_behind, 2 points: "ends when its user leaves in the middle of a get, and keeps the part";
    "The end of standard input: running gets just end, their parts stay; status 0."
}

const ONCE: &str = "two gets of one file would write into the same FILE.part: remember which files are being got, and refuse \
    a second get of one of them";
const BESIDE: &str = "each get needs a thread of its own: the one that reads what the user types, and those that give \
    files, wait for nobody's bytes";

fn downloads(t: &mut Trial) -> Verdict {
    let (mut scene, bob, song) = (Scene::begin(t)?, Source::open(t, "bob")?, song());
    scene.get(&[song.hit(bob.address())])?;
    scene.asked(&bob, &song.name)?.give(&song, 0)?;
    scene.expect_got(&song, &bob)?;
    scene
        .ann
        .folder
        .expect_names(&[&song.name], "the part was renamed: nothing else is left of the transfer")
}

fn asks_as_any_server_understands(t: &mut Trial) -> Verdict {
    let mut scene = Scene::begin(t)?;
    for name in ["a song.ogg", "50% of a song?.txt", "größe 漢字 song.txt"] {
        let (bob, file) = (Source::open(t, "bob")?, File::new(name, "hello\n"));
        scene.get(&[file.hit(bob.address())])?;
        let request = scene.asked(&bob, name)?;
        request.expect_host()?;
        request.expect_from(
            0,
            "Range asks for a part: there is nothing yet that a part could follow",
        )?;
        request.give(&file, 0)?;
        scene.expect_got(&file, &bob)?;
    }
    Ok(())
}

fn becomes_a_source(t: &mut Trial) -> Verdict {
    let (mut scene, bob, song) = (Scene::begin(t)?, Source::open(t, "bob")?, song());
    scene.get(&[song.hit(bob.address())])?;
    scene.asked(&bob, &song.name)?.give(&song, 0)?;
    scene.expect_got(&song, &bob)?;
    let cause = "whoever has all of a file has something to give: HAVE for the index, and from then on it is among the \
        files that are shared";
    scene.ann.session.expect_files(&[&song], cause)?;
    drop(bob);
    t.note("bob has gone");
    Getter::ask(&scene.ann.service, &song.name, "")?.expect_file(&song, cause)
}

fn checks_the_hash(t: &mut Trial) -> Verdict {
    const HASH: &str = "the end of a stream and the right length prove nothing: hash what stands in FILE.part, and rename \
        it only when the hash is the one of the hit";
    let (mut scene, bob, song) = (Scene::begin(t)?, Source::open(t, "bob")?, song());
    scene.get(&[song.hit(bob.address())])?;
    let mut other = song.clone();
    other.bytes[12_345] ^= 1;
    scene.asked(&bob, &song.name)?.give(&other, 0)?;
    scene.expect_failed(&song, HASH)?;
    scene
        .ann
        .folder
        .expect_names(&[], "what is wrong is deleted: nobody can tell which of its bytes are")?;
    t.note("bob has thought better of it");
    scene.get(&[song.hit(bob.address())])?;
    let request = scene.asked(&bob, &song.name)?;
    request.expect_from(0, "the part was deleted, so nothing is there of earlier")?;
    request.give(&song, 0)?;
    scene.expect_got(&song, &bob)?;
    let other = File::new("another song.ogg", noise(86, 3_000));
    scene.new_story(&[("bob", &bob)]);
    t.note("bob has another file, and has told its hash in capital letters");
    scene.get(&[other.hit(bob.address()).in_capitals()])?;
    scene.asked(&bob, &other.name)?.give(&other, 0)?;
    let got = format!("got {} {} from {}", other.name, other.size(), bob.address());
    scene.ann.console.expect_event(&got, CAPITALS)?;
    scene.ann.folder.expect_file(&other.name, &other.bytes, CAPITALS)
}

fn source_sends_too_much(t: &mut Trial) -> Verdict {
    // What is there of earlier counts, too.
    for there in [0, 5_000] {
        let (mut scene, bob, song) = (Scene::begin(t)?, Source::open(t, "bob")?, song());
        if there > 0 {
            scene.ann.folder.file(&format!("{}.part", song.name), &song.bytes[..there])?;
        }
        scene.get(&[song.hit(bob.address())])?;
        let mut request = scene.asked(&bob, &song.name)?;
        match there {
            0 => request.begin("200 OK", &["Content-Length: 999999999999"])?,
            _ => request.begin_from(&song, there)?,
        }
        request.send(&song.bytes[there..])?;
        expect_bounded(&scene, request, &song)?;
        if there > 0 {
            let resumed = format!("resumed {} at {there} from {}", song.name, bob.address());
            scene.ann.console.expect_event(&resumed, GOES_ON)?;
        }
        // The first bytes are right, and so is their number: got. To believe nothing of a source that
        // sends or promises too much is as right: failed.
        scene.ann.console.expect_event(&format!("* {}*", song.name), BOUND)?;
        if scene.ann.folder.read(&song.name)?.is_some() {
            scene.ann.folder.expect_file(&song.name, &song.bytes, BOUND)?;
        }
        t.new_scene()?;
    }
    Ok(())
}

const GOES_ON: &str = "an answer that goes on from an offset is told of before it is read";

/// So much is sent to one who takes more than it should.
const MOST: usize = 32 << 20;
const BOUND: &str = "what comes from the network is bounded: take at most as many bytes as are missing, and drop the \
    connection then";

/// Bob goes on behind the last byte of the song: for less than is there of earlier, since who takes the
/// whole size once more then waits with too much on its disk; and on and on.
fn expect_bounded(scene: &Scene, mut request: Request, song: &File) -> Verdict {
    let t = scene.ann.trial();
    for most in [2_000, MOST] {
        let taken = request.flood(most)?;
        if taken >= MOST {
            return Err(t
                .fail("the peer ann takes without end what a source sends")
                .expected(format!("{}, and no more", count(song.size())))
                .seen(format!("it took {} more", count(taken)))
                .cause(BOUND)
                .stop());
        }
        let _ = t.settle(scene.ann.running())?;
        let largest = scene.ann.folder.list()?.longest();
        if largest > song.size() as u64 {
            return Err(t
                .fail("the peer ann writes more into its folder than was promised")
                .expected(format!("at most {}", count(song.size())))
                .seen(format!("a file of {}", count(largest as usize)))
                .cause(BOUND)
                .stop());
        }
    }
    request.expect_given_up(BOUND)
}

fn hostile_index(t: &mut Trial) -> Verdict {
    const NAMES: &str = "the index is foreign, too, and so is every name that it tells: what is no file name of the \
        protocol (a slash, a dot at its beginning, .part, a control character) is not shown, and so nobody can get it";
    let (hub, bob, song) = (Hub::open(t)?, Source::open(t, "bob")?, song());
    let folder = folder_of(t, "ann")?;
    folder.file("secret.txt", b"nobody's business\n")?;
    folder.folder("DIR")?;
    let dir = folder.path().join("DIR");
    let mut ann = hub.peer_in("ann", folder, &dir, &[])?;
    let out = ann.folder.path().join("out.txt").display().to_string();
    let named = |name: &str| Hit { name: name.to_owned(), ..song.hit(bob.address()) };
    let names = [
        "../out.txt",
        "../secret.txt",
        &out,
        "a/b",
        "..",
        ".",
        ".hidden",
        "song.part",
        "a\\b",
        "a\tb",
    ];
    let mut hits: Vec<_> = names.into_iter().map(named).collect();
    hits.push(song.hit(bob.address()));
    hits.push(named(&"x".repeat(201)));
    ann.console.types("find song");
    ann.session.answer("song", &hits)?;
    ann.console.expect_event(&song.hit(bob.address()).event(1), NAMES)?;
    ann.console.expect_event("found 1", NAMES)?;
    ann.console.types("get 1");
    bob.asked(ann.running(), &song.name)?.give(&song, 0)?;
    let got = format!("got {} {} from {}", song.name, song.size(), bob.address());
    ann.console.expect_event(&got, GOT)?;
    ann.folder.expect_names(&["DIR/", &format!("DIR/{}", song.name), "secret.txt"], NAMES)
}

fn leaves_files_alone(t: &mut Trial) -> Verdict {
    const THERE: &str = "look first: a FILE that is there is somebody's. A FILE.part that is a link leads anywhere, and \
        what is written to it is written there";
    let (mut scene, bob) = (Scene::begin(t)?, Source::open(t, "bob")?);
    let wanted = |name: &str| File::new(name, "a song from bob\n");
    let folder = &scene.ann.folder;
    folder.file("song 1", b"mine\n")?;
    folder.file("safe.txt", b"do not touch\n")?;
    folder.link("song 2.part", "safe.txt")?;
    folder.link("song 3.part", "nowhere.txt")?;
    folder.folder("song 4.part")?;
    folder.fifo("song 5.part")?;
    let before = folder.list()?;
    for number in 1..=5 {
        let file = wanted(&format!("song {number}"));
        scene.get(&[file.hit(bob.address())])?;
        scene.expect_failed(&file, THERE)?;
    }
    scene.ann.folder.expect_same_listing(&before, THERE)?;
    if let Some(from) = bob.another_from(scene.ann.running())? {
        return Err(t
            .fail("the peer ann asks for a file that it can't keep")
            .expected("no connection to bob")
            .seen(format!("one from {from}"))
            .cause("look before you ask")
            .stop());
    }
    t.expect_written()
}

fn refuses_a_number_that_is_none(t: &mut Trial) -> Verdict {
    const NUMBER: &str = "the numbers are those of the last find, from 1: any other one is a mistake of the user, and the \
        peer goes on";
    let (mut scene, bob, song) = (Scene::begin(t)?, Source::open(t, "bob")?, song());
    scene.ann.console.types("get 1");
    scene.ann.finds("song", &[song.hit(bob.address())])?;
    for number in ["0", "2", "-1", "x", "99999999999999999999", ""] {
        scene.ann.console.types(&format!("get {number}"));
    }
    scene.ann.finds("other", &[])?;
    scene.ann.console.types("get 1");
    scene.ann.console.expect_no_event(NUMBER)?;
    if let Some(from) = bob.another_from(scene.ann.running())? {
        return Err(t
            .fail("the peer ann gets something that the last find has not shown")
            .expected("no connection to bob")
            .seen(format!("one from {from}"))
            .cause(NUMBER)
            .stop());
    }
    scene.get(&[song.hit(bob.address())])?;
    scene.asked(&bob, &song.name)?.give(&song, 0)?;
    scene.expect_got(&song, &bob)
}

fn slow_source_holds_nobody(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let (mine, song) = (File::new("mine.txt", "ann's own\n"), song());
    let other = File::new("another song.ogg", noise(82, 3_000));
    let ann = hub.unhurried_peer("ann", &[&mine])?;
    let mut scene = Scene { hub, ann };
    let (bob, carl) = (Source::open(t, "bob")?, Source::open(t, "carl")?);
    scene.get(&[song.hit(bob.address())])?;
    let mut slow = scene.asked(&bob, &song.name)?;
    slow.begin_from(&song, 0)?;
    slow.send(&song.bytes[..100])?;
    t.note("bob says no more for now");
    scene.ann.console.types("get 1");
    if bob.another_from(scene.ann.running())?.is_some() {
        return Err(t
            .fail("the peer ann gets a file twice at once")
            .expected(format!("no second connection to bob: `failed {}: REASON`", song.name))
            .seen("another connection to bob, while the first one is open")
            .cause(ONCE)
            .stop());
    }
    scene.expect_failed(&song, ONCE)?;
    scene.ann.finds("another", &[other.hit(carl.address())])?;
    Getter::ask(&scene.ann.service, &mine.name, "")?.expect_file(&mine, BESIDE)?;
    scene.ann.console.expect_event("sent mine.txt *", BESIDE)?;
    scene.ann.console.types("get 1");
    scene.asked(&carl, &other.name)?.give(&other, 0)?;
    scene.expect_got(&other, &carl)?;
    slow.send(&song.bytes[100..])?;
    slow.close();
    scene.expect_got(&song, &bob)
}

fn goes_on_without_the_index(t: &mut Trial) -> Verdict {
    const GONE: &str = "only finding needs the index: a file comes from the peer that has it, and a hit says where that is";
    let hub = Hub::open(t)?;
    let ann = hub.unhurried_peer("ann", &[])?;
    let (bob, song, other) = (Source::open(t, "bob")?, song(), File::new("other song.txt", "x\n"));
    let Sharer { service, console, mut session, folder } = ann;
    console.types("find song");
    session.answer("song", &[song.hit(bob.address()), other.hit(bob.address())])?;
    console.expect_event(&song.hit(bob.address()).event(1), GOT)?;
    console.expect_event(&other.hit(bob.address()).event(2), GOT)?;
    console.expect_event("found 2", GOT)?;
    console.types("get 1");
    let mut request = bob.asked(&service.running, &song.name)?;
    request.begin_from(&song, 0)?;
    request.send(&song.bytes[..5_000])?;
    session.close();
    drop(hub);
    console.expect_event("index gone", GONE)?;
    request.send(&song.bytes[5_000..])?;
    request.close();
    let expect_got = |file: &File| {
        let got = format!("got {} {} from {}", file.name, file.size(), bob.address());
        console.expect_event(&got, GONE)?;
        folder.expect_file(&file.name, &file.bytes, GONE)
    };
    expect_got(&song)?;
    console.types("get 2");
    bob.asked(&service.running, &other.name)?.give(&other, 0)?;
    expect_got(&other)
}

fn leaves_a_part_behind(t: &mut Trial) -> Verdict {
    const LEAVES: &str = "the end of standard input is the end, also of what is half got: what is in FILE.part stays, \
        and counts the next time";
    let (mut scene, bob, song) =
        (Scene::begin(t)?, Source::open(t, "bob")?, File::new("long song.bin", noise(84, 300_000)));
    scene.get(&[song.hit(bob.address())])?;
    let mut request = scene.asked(&bob, &song.name)?;
    request.begin_from(&song, 0)?;
    request.send(&song.bytes[..200_000])?;
    let _ = scene.ann.service.settle()?;
    scene.ann.console.stops_typing();
    scene.ann.session.hear("BYE", LEAVES)?;
    scene.ann.session.lines().end()?;
    scene.ann.console.expect_exit(0, LEAVES)?;
    scene.expect_part(&song, LEAVES)?;
    scene.ann.folder.expect_names(&[&format!("{}.part", song.name)], LEAVES)
}
