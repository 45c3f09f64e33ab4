//! Step 1 of lab 9: how the program starts. Much of that is given, and whoever changes it, or
//! writes the program in another language, is told here.

use std::rc::Rc;

use super::bencode::{dictionary, integer, list, string};
use super::program::{Start, Swarm};
use super::torrent::{SONG, Torrent};
use super::tracker::Tracker;
use super::{CALLED, LAB, SWARM};
use crate::contract::{self, contract};
use crate::net::Started;
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ swarm_start, "swarm" step 1:
    listens_on_the_given_address, 1 point: "listens on the address that it was given";
    "Each peer takes connections: it listens on LISTEN."

    binds_no_wider, 1 point: "is bound to that address and no wider";
    "A program binds the address it is given and no other: 127.0.0.1 is not 0.0.0.0."

    listens_on_ipv6, 1 point: "listens on an IPv6 address";
    "Peers speak IPv4 or IPv6."

    has_one_listener, 1 point: "has one socket while it is alone: the listener";
    "Everything that a peer is asked comes to the same port."

    prints_the_ready_line, 1 point: "says where it listens, and then what it has";
    "`listening on …`, with the port that it really has, and `have 12 of 64` are the first two lines."

    counts_what_is_there, 2 points: "counts the pieces that are in DIR already, and right";
    "`have 12 of 64`: pieces that are right already count; each is hashed."

    makes_the_file, 2 points: "makes DIR and the file, at its full length";
    "DIR is made if missing; DIR/NAME is made at full length; a longer file is cut."

    refuses_a_taken_port, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_torrents, 2 points: "says in one line that TORRENT can't be read";
    "Multi-file torrents, a NAME with `/` or `..`: `cannot read TORRENT: CAUSE`, status 1."

    refuses_a_bad_folder, 1 point: "says in one line that the file can't be written";
    "What can't be made or written: `cannot write DIR/NAME: CAUSE`, status 1."

    refuses_bad_arguments, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    ends_with_its_input, 1 point: "ends when standard input ends";
    "Any line on stdin is unknown; its end means: leave in good order, status 0."

    is_idle_alone, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, 1 point: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

contract! { SWARM, expect_step_1:
    listens_on_the_given_address
    binds_no_wider
    listens_on_ipv6
    has_one_listener = has_only_its_listeners
    refuses_a_taken_port
    refuses_bad_arguments
    is_idle_alone = is_idle
    restarts_on_the_same_port
}

/// Expects that the tracker is asked.
pub(super) fn expect_step_1(t: &Trial) -> Verdict {
    t.new_scene()?;
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(Torrent::of_blocks(1).tracked_by(&tracker.url()));
    let swarm = Swarm::leech(t, &torrent)?;
    tracker.tell(&swarm, 60, &[]).map(drop)
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    // That of the one piece of [`SWARM`]'s torrent, which is not there.
    let more = "have 0 of 1\n";
    contract::prints_the_ready_line_and(t, &SWARM, more)?;
    t.new_scene()?;
    contract::tells_the_port_that_it_got_and(t, &SWARM, more)?;
    expect_step_1(t)
}

/// Five pieces of two blocks, of which the last one is shorter.
fn torrent() -> Torrent {
    Torrent::new(150_000, 32_768)
}

const HASHED: &str = "neither the name nor the length of a file proves anything: at the start compare the SHA-1 of \
    each piece with the one in the torrent, and count those that are right";
const FULL_LENGTH: &str = "the file gets the torrent's length at the start: cut if it is longer, filled with zeros if it \
    is shorter. So each piece has its place, in whatever order they come";

fn counts_what_is_there(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(torrent());
    let mut wrong = torrent.bytes.clone();
    wrong[40_000] ^= 1;
    let of_zeros = Rc::new(Torrent::of_zeros(150_000, 32_768));
    let cases = [
        ("three of five pieces", Start::of(&torrent).having(&[0, 2, 4]), 3),
        ("all of it but one byte", Start::of(&torrent).with_file(wrong), 4),
        (
            "its first 70,000 bytes",
            Start::of(&torrent).with_file(torrent.bytes[..70_000].into()),
            2,
        ),
        ("nothing, and the torrent is of zeros", Start::of(&of_zeros), 5),
    ];
    for (what, start, pieces) in cases {
        t.new_scene()?;
        t.note(format!("DIR has {what}"));
        let swarm = start.listening(t)?;
        swarm.expect_have(pieces).map_err(|stop| stop.because(HASHED))?;
    }
    expect_step_1(t)
}

fn makes_the_file(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(torrent());
    let longer = [&torrent.bytes[..], b"and more"].concat();
    let cut = Start::of(&torrent).with_file(longer).listening(t)?;
    cut.expect_have(5)?;
    cut.folder.expect_file(SONG, &torrent.bytes, FULL_LENGTH)?;
    t.new_scene()?;
    let swarm = Start::of(&torrent).below("not/there/yet").listening(t)?;
    swarm.expect_have(0)?;
    swarm.folder.expect_file("not/there/yet/song.ogg", &[0; 150_000], FULL_LENGTH)?;
    expect_step_1(t)
}

/// The torrent with this info, and nobody who keeps track of it.
fn with_info<'a>(info: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    dictionary([("info", dictionary(info))])
}

fn refuses_bad_torrents(t: &mut Trial) -> Verdict {
    let named = |name: &str| Torrent::of_blocks(2).named(name).file();
    let info = |length: i64, piece: i64, pieces: usize| {
        let sums = string(vec![7; 20 * pieces]);
        let (length, piece) = (integer(length), integer(piece));
        [("length", length), ("name", string(SONG)), ("piece length", piece), ("pieces", sums)]
    };
    let files = list([dictionary([("length", integer(5)), ("path", list([string("a")]))])]);
    let several = info(5, 16_384, 1).into_iter().filter(|(key, _)| *key != "length");
    let whole = Torrent::of_blocks(2).file();
    let cases = [
        ("no torrent, but a text", b"hello, swarm".to_vec()),
        ("nothing", Vec::new()),
        ("a torrent that is cut", whole[..whole.len() - 5].to_vec()),
        ("a torrent without info", dictionary([("announce", string("http://127.0.0.1:1/"))])),
        ("a torrent of several files", with_info(several.chain([("files", files)]))),
        ("a torrent with the name ..", named("..")),
        ("a torrent with the name ../song.ogg", named("../song.ogg")),
        ("a torrent with the name below/song.ogg", named("below/song.ogg")),
        ("a torrent without a name", named("")),
        ("a torrent with a piece length of 0", with_info(info(5, 0, 1))),
        ("a torrent with a length below 0", with_info(info(-5, 16_384, 1))),
        ("a torrent with one SHA-1 for two pieces", with_info(info(20_000, 16_384, 1))),
        ("100,000 lists in each other", b"l".repeat(100_000)),
    ];
    for (what, bytes) in cases {
        t.new_scene()?;
        t.note(format!("TORRENT is {what}"));
        let (_, given) = Start::of(&Rc::new(torrent())).with_torrent(bytes).prepared(t, ADDRESS)?;
        expect_refusal(t, given, &["cannot read", "song.torrent"])?;
    }
    t.new_scene()?;
    t.note("there is no file TORRENT");
    let missing = t.scratch("DIR")?.path().join("missing.torrent");
    let (_, given) = Start::of(&Rc::new(torrent())).prepared(t, ADDRESS)?;
    expect_refusal(
        t,
        given.with("torrent", missing.display()),
        &["cannot read", "missing.torrent"],
    )?;
    expect_step_1(t)
}

/// For a program that must not listen.
const ADDRESS: &str = "127.0.0.1:0";

fn refuses_a_bad_folder(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(torrent());
    let (folder, given) = Start::of(&torrent).prepared(t, ADDRESS)?;
    t.note("DIR has a folder in the place of the file");
    folder.folder(SONG)?;
    expect_refusal(t, given, &["cannot write", SONG])?;
    t.new_scene()?;
    t.note("DIR is a file");
    let (_, given) = Start::of(&torrent).having(&[0]).below(SONG).prepared(t, ADDRESS)?;
    expect_refusal(t, given, &["cannot write", SONG])?;
    expect_step_1(t)
}

/// The program must not listen, but end with status 1 and one line that has these words.
fn expect_refusal(t: &Trial, given: Given, words: &[&str]) -> Verdict {
    let running = t.start_as(CALLED, LAB.name, given, Stdin::Piped)?;
    let expected =
        format!("exit status 1, and one line on standard error, with `{}`", words.join("` and `"));
    let cause = "what can't be used is said before anything listens, in one line: not with a panic or a \
                 traceback, and never by going on";
    let nowhere = t.addresses().free_address();
    let status = match t.begun_or(Rc::clone(&running), nowhere, &expected, cause)? {
        Started::Ended(status) => status,
        Started::Listening(service) => {
            return Err(t
                .fail(format!("the {CALLED} listens all the same"))
                .expected(expected)
                .seen(format!("it listens on {}", service.address))
                .cause(cause)
                .stop());
        }
    };
    running.program.stop()?;
    let lines = running.program.stderr().last_lines(usize::MAX);
    let is_right = |line: &str| words.iter().all(|word| line.contains(word));
    if status.code() == Some(1) && matches!(&lines[..], [line] if is_right(line)) {
        return Ok(());
    }
    let told = match &lines[..] {
        [] => "nothing on standard error".into(),
        [line] => format!("the line {}", quote_short(line.as_bytes(), 120)),
        lines => format!("{} lines on standard error", lines.len()),
    };
    Err(t
        .fail(format!("the {CALLED} does not say in one line what is wrong"))
        .expected(expected)
        .seen(format!("{told}; {}", describe_exit(status)))
        .cause(cause)
        .stop())
}

fn ends_with_its_input(t: &mut Trial) -> Verdict {
    let swarm = Swarm::leech(t, &Rc::new(torrent()))?;
    swarm.rest()?;
    let before = swarm.lines_told();
    swarm.console.types("help");
    swarm.expect_more_told(
        before,
        "there are no commands: a line is answered with one on standard error, so that whoever \
                                    has typed it need not wait for something to come of it",
    )?;
    swarm.console.expect_no_event("there are no commands: a line is answered on standard error")?;
    swarm.console.stops_typing();
    swarm.console.expect_exit(0, "the end of standard input says that the user leaves")?;
    expect_step_1(t)
}
