//! Step 4 of lab 7, `upload`: one request, and the file or a part of it as the answer.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::file::File;
use super::getter::Getter;
use super::head::encoded;
use super::hub::Hub;
use super::sharer::{Sharer, folder_of};
use crate::kernel;
use crate::net::noise;
use crate::trial::{Stop, Trial, Verdict};
use crate::words::count;

checks! { $ index_upload, "index" step 4:
    uploads, 3 points: "gives a file that it shares, whole";
    "GET and the name of a shared file: 200, Content-Length, every byte, and the end of the connection."

    uploads_by_name, 2 points: "finds names with blanks, signs and letters of any language";
    "The target is / and the name, percent-encoded (RFC 3986 section 2.1). It is decoded once."

    uploads_from_an_offset, 3 points: "sends a file from an offset on, and says so";
    "Range: bytes=N- or bytes=N-M: 206, Content-Range: bytes N-LAST/SIZE, and these bytes (RFC 9110 section 14)."

    says_where_a_file_ends, 2 points: "refuses an offset at the end of the file, and says how long it is";
    "N not below the size: 416 with Content-Range: bytes */SIZE (RFC 9110 section 15.5.17)."

    ignores_other_ranges, 1 point: "sends all of the file where it does not understand the Range";
    "Any other Range is ignored (RFC 9110 section 14.2): 200, and the whole file."

    gives_only_what_is_shared, 3 points: "gives nothing but what it shares at this moment";
    "Only what is shared, looked up by name and never by path: everything else is 404. Gone: 404; of another size: 404, or closed early."

    refuses_what_is_no_get, 1 point: "refuses other methods, and what is not a request";
    "Not GET: 405 with Allow: GET; not a request: 400; a head that is too long: 431."

    uploads_to_many, 3 points: "gives to seven while an eighth reads nothing";
    "Any number of uploads at once: who does not read delays nobody else."

    tells_what_it_sent, 2 points: "says what it has sent, also when the other side has gone";
    "sent FILE BYTES to ADDR: whenever an upload ends, whole or not. One bad client is that client's problem."

    finishes_before_it_leaves, 2 points: "finishes an upload when its user leaves";
    "The end of standard input: BYE, running uploads get 2 s, status 0."

    keeps_no_file_in_memory, 2 points, exotic: "holds a piece of a file in memory, and not all of it";
    "Any number of uploads at once, 64 KiB of memory each."
}

const WHOLE: &str = "200 with Content-Length, and behind the head every byte of the file";
const SHARED: &str = "the name behind the / is looked up among the files that are shared now; what is not among \
    them is 404, whatever stands on the disk. A path that is put together from a foreign name leads anywhere";

const CHANGED: &str = "HAVE has promised a hash and a size: what is in DIR now is another file. Look whether it is still as \
    long as it was";
const DELETED: &str = "what is shared may be deleted at any time, and then open fails: that, too, is an answer to the one \
    who asks, 404";

/// A file that people would share.
fn song() -> File {
    File::new("my song.ogg", noise(71, 20_000))
}

/// The peer ann, which shares this file.
fn ann(t: &Trial, file: &File) -> Verdict<(Hub, Sharer)> {
    let hub = Hub::open(t)?;
    let ann = hub.peer("ann", &[file])?;
    Ok((hub, ann))
}

fn uploads(t: &mut Trial) -> Verdict {
    let files = [song(), File::new("nothing.txt", "")];
    let hub = Hub::open(t)?;
    let ann = hub.peer("ann", &[&files[0], &files[1]])?;
    for file in &files {
        let getter = Getter::ask(&ann.service, &file.name, "")?;
        let to = getter.here();
        getter.expect_file(file, WHOLE)?;
        let sent = format!("sent {} {} to {to}", file.name, file.size());
        ann.console.expect_event(&sent, SENT)?;
    }
    Ok(())
}

fn uploads_by_name(t: &mut Trial) -> Verdict {
    const ONCE: &str =
        "%41 stands for one byte of the name. Decode each once, and the bytes together are UTF-8";
    let names =
        ["a b.txt", "50% off.txt", "größe 漢字.txt", "why?.txt", "a+b&c=d#e.txt", "a%20b.txt"];
    let files: Vec<_> =
        names.iter().map(|name| File::new(name, format!("This is {name}\n"))).collect();
    let hub = Hub::open(t)?;
    let ann = hub.peer("ann", &files.iter().collect::<Vec<_>>())?;
    for file in &files {
        Getter::ask(&ann.service, &file.name, "")?.expect_file(file, ONCE)?;
    }
    // What need not be encoded may be, and hex digits have two spellings (RFC 3986 section 2.1).
    let line = "GET /%61%20%62.t%78%74 HTTP/1.1";
    Getter::ask_for(&ann.service, line, "")?.expect_file(&files[0], ONCE)?;
    let line = format!("GET /{} HTTP/1.1", encoded(names[2]).replace("%C3", "%c3"));
    Getter::ask_for(&ann.service, &line, "")?.expect_file(&files[2], ONCE)
}

fn uploads_from_an_offset(t: &mut Trial) -> Verdict {
    const PART: &str = "Range asks for a part, and 206 answers with it. Both numbers count from 0: of a file of 10 bytes the \
        last one is 9. Content-Length is what the part has, and the body begins with byte N";
    const FIELDS: &str =
        "names of fields are alike in all letters (RFC 9110 section 5.1): rANGE is Range";
    let song = song();
    let (_hub, ann) = ann(t, &song)?;
    let last = song.size() - 1;
    for (range, part) in [
        ("bytes=12000-".to_owned(), (12_000, last)),
        ("bytes=0-".into(), (0, last)),
        (format!("bytes={last}-"), (last, last)),
        ("bytes=5-9".into(), (5, 9)),
        ("bytes=19990-99999".into(), (19_990, last)),
    ] {
        let getter = Getter::ask(&ann.service, &song.name, &format!("Range: {range}\r\n"))?;
        let to = getter.here();
        getter.expect_part(&song, part, PART)?;
        let sent = format!("sent {} {} to {to}", song.name, part.1 + 1 - part.0);
        ann.console.expect_event(&sent, SENT)?;
    }
    let getter = Getter::ask(&ann.service, &song.name, "rANGE: bytes=1-\r\n")?;
    getter.expect_part(&song, (1, last), FIELDS)
}

fn says_where_a_file_ends(t: &mut Trial) -> Verdict {
    const END: &str = "there is no byte N where N is the size: whoever has all of a file and asks for more learns so \
        by 416, and by the size in Content-Range";
    const EMPTY: &str = "in a file of 0 bytes there is no byte 0 either: 0 is not below its size";
    let song = song();
    let (_hub, ann) = ann(t, &song)?;
    for from in [song.size(), song.size() + 1, 999_999_999_999] {
        let getter = Getter::ask(&ann.service, &song.name, &format!("Range: bytes={from}-\r\n"))?;
        let answer = getter.expect(&[416], END)?;
        answer.expect_field("Content-Range", &format!("bytes */{}", song.size()), END)?;
    }
    // The next client is a new one.
    Getter::ask(&ann.service, &song.name, "")?.expect_file(&song, WHOLE)?;
    t.new_scene()?;
    let nothing = File::new("nothing.txt", "");
    let (_hub, ann) = self::ann(t, &nothing)?;
    let getter = Getter::ask(&ann.service, &nothing.name, "Range: bytes=0-\r\n")?;
    getter.expect(&[416], EMPTY)?.expect_field("Content-Range", "bytes */0", EMPTY)
}

fn ignores_other_ranges(t: &mut Trial) -> Verdict {
    let song = song();
    let (_hub, ann) = ann(t, &song)?;
    for range in ["bytes=-500", "bytes=0-9,20-29", "lines=5-", "bytes=x-", "bytes=9"] {
        let getter = Getter::ask(&ann.service, &song.name, &format!("Range: {range}\r\n"))?;
        getter.expect_file(
            &song,
            "a Range that is not understood is as if it were not there: 200, and the whole file",
        )?;
    }
    Ok(())
}

fn gives_only_what_is_shared(t: &mut Trial) -> Verdict {
    let (song, hub) = (song(), Hub::open(t)?);
    let folder = folder_of(t, "ann")?;
    for (name, text) in [
        ("secret.txt", "nobody's business\n"),
        ("DIR/.hidden", "hidden\n"),
        ("DIR/half.txt.part", "half\n"),
        ("DIR/folder/in.txt", "in a folder\n"),
    ] {
        folder.file(name, text.as_bytes())?;
    }
    folder.file(&format!("DIR/{}", song.name), &song.bytes)?;
    folder.link("DIR/link.txt", "../secret.txt")?;
    let changing = File::new("changing.txt", "long enough\n");
    folder.file(&format!("DIR/{}", changing.name), &changing.bytes)?;
    let dir = folder.path().join("DIR");
    let mut ann = hub.peer_in("ann", folder, &dir, &[&song, &changing])?;
    ann.folder.file("DIR/late.txt", b"came later\n")?;
    let away = [
        "../secret.txt",
        "%2e%2e%2fsecret.txt",
        "....//secret.txt",
        "folder/../../secret.txt",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        ".hidden",
        "half.txt.part",
        "folder%2Fin.txt",
        "link.txt",
        "late.txt",
        "",
        ".",
    ];
    for target in away {
        let getter = Getter::ask_for(&ann.service, &format!("GET /{target} HTTP/1.1"), "")?;
        getter.expect(&[404, 400], SHARED)?;
    }
    ann.console.types(&format!("drop {}", song.name));
    ann.session.hear(&format!("DROP {}", song.name), DROP)?;
    Getter::ask(&ann.service, &song.name, "")?.expect(&[404], DROP)?;
    ann.console
        .expect_no_event("sent is said of 200 and 206 only: nothing else has sent a file")?;
    t.new_story();
    t.note(format!("the peer ann shares {}, {}", changing.name, count(changing.size())));
    ann.folder.file(&format!("DIR/{}", changing.name), b"short\n")?;
    Getter::ask(&ann.service, &changing.name, "")?.expect_no_other_file(&changing, CHANGED)?;
    ann.folder.remove(&format!("DIR/{}", changing.name))?;
    Getter::ask(&ann.service, &changing.name, "")?.expect(&[404], DELETED).map(drop)
}

fn refuses_what_is_no_get(t: &mut Trial) -> Verdict {
    const METHOD: &str = "the method is the first word of a request: GET asks for a file, and Allow says that nothing \
        else is understood here";
    let song = song();
    let (_hub, ann) = ann(t, &song)?;
    for method in ["DELETE", "PUT", "POST", "HEAD", "get"] {
        let line = format!("{method} /{} HTTP/1.1", encoded(&song.name));
        let answer = Getter::ask_for(&ann.service, &line, "")?.expect(&[405], METHOD)?;
        answer.expect_field("Allow", "GET", METHOD)?;
    }
    Getter::ask_for(&ann.service, "hello", "")?.expect(
        &[400],
        "a request is a method, a target and a version, with one blank between them",
    )?;
    let long = format!("X: {}\r\n", "x".repeat(60_000));
    Getter::ask(&ann.service, &song.name, &long)?
        .expect(&[431], "a head is bounded: whoever sends more is told so")?;
    Getter::ask(&ann.service, &song.name, "")?.expect_file(&song, WHOLE)
}

fn uploads_to_many(t: &mut Trial) -> Verdict {
    const BESIDE: &str = "a thread for each connection: one that waits in a write, since its reader has stopped, holds \
        up no other";
    let file = File::new("long.bin", noise(72, 600_000));
    let (_hub, ann) = ann(t, &file)?;
    let silent = Getter::connect(&ann.service)?;
    let stalled = Getter::ask(&ann.service, &file.name, "")?;
    let _ = ann.service.settle()?;
    t.note("one client says nothing, and another one reads nothing");
    let ask = |_| Getter::ask(&ann.service, &file.name, "");
    let getters: Vec<Getter> = (0..7).map(ask).collect::<Verdict<_>>()?;
    for getter in getters {
        getter.expect_file(&file, BESIDE)?;
    }
    stalled.expect_file(&file, "whoever reads late gets every byte all the same")?;
    silent.close();
    Ok(())
}

fn tells_what_it_sent(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let file = File::new("long.bin", noise(73, UNREAD));
    let (_hub, ann) = ann(t, &file)?;
    let getter = Getter::ask(&ann.service, &file.name, "")?;
    let to = getter.here();
    // The queues are full: it is in the middle of the file.
    let taken = getter.waiting(&ann.service.settle()?);
    getter.reset()?;
    ann.console.expect_event(&format!("sent {} * to {to}", file.name), SENT)?;
    expect_about(t, &ann.console.last(), &taken, &file)?;
    let from = file.size() - 8;
    let getter = Getter::ask(&ann.service, &file.name, &format!("Range: bytes={from}-\r\n"))?;
    let to = getter.here();
    getter.expect_part(&file, (from, file.size() - 1), SENT)?;
    ann.console.expect_event(&format!("sent {} 8 to {to}", file.name), SENT)
}

/// The piece that was being written counts as a whole, or as nothing; and the head is no part of the
/// body.
const ABOUT: usize = 65 << 10;

/// Expects that an upload that was cut off, of which the system has taken so many bytes, is told of
/// with about as many.
fn expect_about(t: &Trial, event: &str, taken: &RangeInclusive<usize>, file: &File) -> Verdict {
    let told = event.rsplit(' ').nth(2).and_then(|bytes| bytes.parse().ok());
    let about = taken.start().saturating_sub(ABOUT)..=taken.end() + ABOUT;
    // On a system whose queues take all of it there is nothing to compare.
    if told.is_some_and(|told| about.contains(&told)) || *about.end() >= file.size() {
        return Ok(());
    }
    Err(t
        .fail("the peer ann does not say how much it has sent")
        .expected(format!(
            "about {}: so much the system had taken when the other side vanished",
            count(*taken.end())
        ))
        .seen(format!("the line `{event}`, of a file of {}", count(file.size())))
        .cause(SENT)
        .stop())
}

/// Half of the time that running uploads get: what was asked for within it is sent in time.
const IN_TIME: Duration = Duration::from_secs(1);
/// More than the queues of a connection take where nobody reads: tcp_wmem (tcp(7)).
const UNREAD: usize = 4 << 20;

fn finishes_before_it_leaves(t: &mut Trial) -> Verdict {
    let began = Instant::now();
    match leaves_in_mid_upload(t) {
        // A machine that is so busy may have taken the peer's time away.
        Err(Stop::Fail(_)) if began.elapsed() > IN_TIME => {
            t.new_scene()?;
            leaves_in_mid_upload(t)
        }
        other => other,
    }
}

fn leaves_in_mid_upload(t: &Trial) -> Verdict {
    const LEAVES: &str = "the end of standard input: BYE to the index, and an upload that runs is finished first, \
        within 2 s";
    let file = File::new("long.bin", noise(74, UNREAD));
    let hub = Hub::open(t)?;
    let mut ann = hub.unhurried_peer("ann", &[&file])?;
    let getter = Getter::ask(&ann.service, &file.name, "")?;
    let _ = ann.service.settle()?;
    ann.console.stops_typing();
    ann.session.hear("BYE", LEAVES)?;
    getter.expect_file(&file, LEAVES)?;
    ann.session.lines().end()?;
    ann.console.expect_event(&format!("sent {} {} to *", file.name, file.size()), SENT)?;
    ann.console.expect_exit(0, LEAVES)
}

/// As many read nothing at once.
const STALLED: usize = 8;

fn keeps_no_file_in_memory(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let file = File::new("long.bin", noise(75, 2 << 20));
    let (_hub, ann) = ann(t, &file)?;
    let pid = ann.running().program.pid();
    let _ = ann.service.settle()?;
    let before = kernel::resident_bytes(pid)?;
    let ask = |_| Getter::ask(&ann.service, &file.name, "");
    let stalled: Vec<Getter> = (0..STALLED).map(ask).collect::<Verdict<_>>()?;
    let _ = ann.service.settle()?;
    let grown = kernel::resident_bytes(pid)?.saturating_sub(before);
    drop(stalled);
    if grown < (STALLED * file.size() / 2) as u64 {
        return t.expect_written();
    }
    Err(t
        .fail("the peer ann keeps whole files in memory")
        .expected(format!("for {STALLED} uploads at once: 64 KiB each, and what a thread needs"))
        .seen(format!(
            "{} more, for {STALLED} uploads of {}",
            count(grown as usize),
            count(file.size())
        ))
        .cause("a file is sent in pieces: what was sent can be forgotten")
        .stop())
}

const SENT: &str = "sent, the name, the bytes of the body that were handed to the system, and the address of whoever \
    asked: for each 200 and 206, when it has ended";
const DROP: &str = "drop FILE: the index is told DROP FILE, and from then on the file is not shared any more, though \
    it stands in DIR as before";
