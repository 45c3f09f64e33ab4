//! Step 5: what can't be got whole is not got at all.

use super::descriptor::{Descriptor, id};
use super::getting::{Getting, SIZE, SONG, STATUS, STATUS_OK, STAYS, expect_not_there};
use super::servent::{PATIENCE, Servent};
use super::source::{Source, give, reply};
use super::{CALLED, FOLDER};
use crate::net::noise;
use crate::trial::{Trial, Verdict};

checks! { $ flood_not_got, "flood" step 5:
    wants_a_200, 3 points: "gets nothing from an answer with another status";
    "HTTP/1.0 200 OK, Content-Length, body, closed; otherwise 404."

    wants_the_whole_file, 3 points: "gives up on a file whose stream ends too early";
    "Exactly Content-Length bytes, then renamed; else `failed`."

    wants_the_size_of_the_hit, 2 points: "gives up on a file of another length, or of none";
    "Exactly Content-Length bytes and equal to the hit's size; no Content-Length: `failed`."

    survives_a_source_that_has_gone, 2 points: "says `failed` where nobody listens, and where the answer is cut off";
    "failed my song.ogg: REASON; one line each, and nothing else happens."

    gives_up_on_silence, 2 points, patient: "gives up on one who sends nothing for 5 seconds";
    "5 s without a byte: failed."

    keeps_what_is_there, 2 points: "leaves a file alone that is there already, or is being got";
    "FILE there already, or being got: `failed`, without a connection."

    leaves_in_the_middle_of_a_file, 2 points: "ends when its user leaves in the middle of a file";
    "The end of stdin: all links closed, gets and uploads cut, status 0."
}

fn wants_a_200(t: &mut Trial) -> Verdict {
    let page = b"not here ";
    for status in [
        "HTTP/1.0 404 Not Found",
        "HTTP/1.0 500 200 OK",
        "HTTP/1.1 206 Partial Content",
        "HTTP/1.0 2000 OK",
    ] {
        let mut getting = Getting::of(t, page.len())?;
        let carol = getting.get()?;
        let what = format!("{status}, with a body of the right length");
        give(&carol, &[&reply(status, Some(page.len()))[..], page].concat(), &what)?;
        carol.close();
        getting.expect_failed(STATUS)?;
        getting.expect_service()?;
        t.new_scene()?;
    }
    Ok(())
}

fn wants_the_whole_file(t: &mut Trial) -> Verdict {
    let mut getting = Getting::of(t, SIZE)?;
    let song = noise(8, SIZE);
    let carol = getting.get()?;
    give(&carol, &reply(STATUS_OK, Some(SIZE)), "the head of a reply")?;
    give(&carol, &song[..SIZE - 1], "the song but for its last byte")?;
    carol.close();
    getting.expect_failed(CUT)?;
    getting.expect_service()
}

fn wants_the_size_of_the_hit(t: &mut Trial) -> Verdict {
    let song = b"one song.";
    let lengths = [
        (Some(song.len() + 1), "a Content-Length of one more than the hit says"),
        (Some(song.len() - 1), "a Content-Length of one less than the hit says"),
        // Of which the last four bytes are those of the size.
        (Some(song.len() + (1 << 32)), "a Content-Length of 4 GiB more than the hit says"),
        (None, "no Content-Length"),
    ];
    for (length, what) in lengths {
        let getting = Getting::of(t, song.len())?;
        let carol = getting.get()?;
        let told = format!("a reply with {what}");
        give(&carol, &[&reply(STATUS_OK, length)[..], song, b"!"].concat(), &told)?;
        carol.close();
        getting.expect_failed(SIZES)?;
        t.new_scene()?;
    }
    Ok(())
}

fn survives_a_source_that_has_gone(t: &mut Trial) -> Verdict {
    let getting = Getting::of(t, SIZE)?;
    // Closed without a word, and in the middle of its head.
    getting.get()?.close();
    getting.expect_failed(GONE)?;
    // That it has failed may be said a moment before the next get can begin.
    getting.servent.rest()?;
    let carol = getting.get()?;
    give(&carol, b"HTTP/1.0 200 OK\r\nContent-Le", "a part of a head")?;
    carol.close();
    getting.expect_failed(GONE)?;
    getting.servent.rest()?;
    let address = getting.carol.address();
    let Getting { servent, mut bob, carol } = getting;
    drop(carol);
    t.note(format!("nobody listens on {address} any more"));
    servent.console.types("get 1");
    servent.expect_event(&format!("failed {SONG}: *"), GONE)?;
    bob.send(&Descriptor::ping(id(99)))?;
    bob.expect_fitting("a Pong", STAYS, |_| Ok(()))
}

fn gives_up_on_silence(t: &mut Trial) -> Verdict {
    let servent = Servent::at_tempo(t)?;
    let mut bob = servent.linked_by("bob")?;
    let query = servent.finds("song", &mut [&mut bob])?;
    let other = "other song.ogg";
    let (carol, dave) = (Source::new(t, "carol", 4, SONG)?, Source::new(t, "dave", 5, other)?);
    carol.is_hit(1, &servent, &mut bob, &query, SIZE)?;
    dave.is_hit(2, &servent, &mut bob, &query, SIZE)?;
    t.allow_waiting(PATIENCE);
    servent.console.types("get 1");
    let carols = carol.is_asked(&servent)?;
    give(&carols, &reply(STATUS_OK, Some(SIZE)), "the head of a reply")?;
    give(&carols, b"la la la", "the beginning of the song, and then nothing")?;
    servent.console.types("get 2");
    let _daves = dave.is_asked(&servent)?;
    t.note("dave says nothing");
    let failed = [SONG, other].map(|name| format!("failed {name}: *"));
    servent.console.expect_events(&[&failed[0], &failed[1]], SILENT)?;
    expect_not_there(&servent)
}

fn keeps_what_is_there(t: &mut Trial) -> Verdict {
    let servent = Servent::sharing(t, &[(SONG, b"mine")])?;
    let mut bob = servent.linked_by("bob")?;
    let carol = Source::new(t, "carol", 4, SONG)?;
    carol.is_found(&servent, &mut bob, 9)?;
    servent.console.types("get 1");
    carol.expect_no_caller(&servent, KEPT)?;
    servent.expect_event(&format!("failed {SONG}: *"), KEPT)?;
    carol.expect_no_caller(&servent, KEPT)?;
    servent.folder.expect_file(SONG, b"mine", KEPT)?;
    // One that has come since the start is not shared, and is there all the same.
    const LATE: &str = "late song.ogg";
    let dave = Source::new(t, "dave", 5, LATE)?;
    servent.folder.file(LATE, b"mine, too")?;
    dave.is_found(&servent, &mut bob, 9)?;
    servent.console.types("get 1");
    dave.expect_no_caller(&servent, LOOKED_FOR)?;
    servent.expect_event(&format!("failed {LATE}: *"), LOOKED_FOR)?;
    dave.expect_no_caller(&servent, LOOKED_FOR)?;
    servent.folder.expect_file(LATE, b"mine, too", LOOKED_FOR)?;
    t.new_scene()?;
    let getting = Getting::of(t, 9)?;
    let asked = getting.get()?;
    give(&asked, &reply(STATUS_OK, Some(9)), "the head of a reply")?;
    getting.servent.console.types("get 1");
    getting.carol.expect_no_caller(&getting.servent, KEPT)?;
    getting.servent.expect_event(&format!("failed {SONG}: *"), KEPT)?;
    getting.carol.expect_no_caller(&getting.servent, KEPT)?;
    give(&asked, b"one song.", "the song")?;
    getting.expect_got(SONG, b"one song.", KEPT)
}

fn leaves_in_the_middle_of_a_file(t: &mut Trial) -> Verdict {
    let mut getting = Getting::of(t, SIZE)?;
    let carol = getting.get()?;
    give(&carol, &reply(STATUS_OK, Some(SIZE)), "the head of a reply")?;
    give(&carol, b"la la la", "the beginning of the song")?;
    getting.servent.rest()?;
    getting.servent.console.stops_typing();
    getting.servent.expect_exit(0)?;
    getting.bob.expect_closed("the end of the user's input ends all links")?;
    expect_not_there(&getting.servent)?;
    // The same of a file that it gives.
    t.new_scene()?;
    let folder = t.scratch(FOLDER)?;
    folder.hole("song", LONG)?;
    let servent = Servent::over(t, CALLED, folder, &[])?;
    let mut dave = servent.called_by("dave")?;
    dave.send_as(
        b"GET /get/0/song/ HTTP/1.0\r\n\r\n",
        "a GET of the song, and reads nothing of it",
    )?;
    servent.rest()?;
    servent.console.stops_typing();
    servent.console.expect_exit(0, CUT_OFF)
}

/// More than the kernel takes of a file that nobody reads, in bytes.
const LONG: u64 = 32 << 20;

const CUT: &str =
    "the end of the stream is not the end of the file: count, and rename only what is whole";
const SIZES: &str = "the hit has said how large the file is; where Content-Length says something else, or \
    nothing, it is not that file";
const GONE: &str = "who has the file may be gone: an error of connect, of read or of write ends this get, \
    with one line, and nothing else";
const SILENT: &str = "a read without a time limit waits for ever for one who says nothing any more, be it in \
    the head of the reply or in the file: set_read_timeout, before the first read";
const CUT_OFF: &str = "the end of standard input says that the user has left: the program waits for nobody who is \
    still being given a file, but cuts that upload, and ends with status 0";
const LOOKED_FOR: &str = "a file may have come into DIR since the start, by another way: it is not shared, and it is \
    there. Whether a file is there is asked of the folder, and not of the list of what is shared";
const KEPT: &str = "a file that is there already, or is just being got, is not got again: that is known before \
    anybody is asked";
