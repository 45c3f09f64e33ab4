//! Step 1: lines that break the protocol, and how much the index takes.

use super::directory::{Index, PORT};
use super::file::File;
use super::member::Member;
use crate::net::{End, Lines};
use crate::trial::{Trial, Verdict};

checks! { $ index_refusals, "index" step 1:
    refuses_strangers, 2 points: "refuses whoever does not begin with a good JOIN";
    "JOIN <name> <port> is first; before JOIN only `bad peer`, then ERROR and the end of the connection."

    refuses_bad_lines, 3 points: "refuses a line that is none, and the others notice nothing";
    "ERROR <reason>: protocol broken; then the end of the connection. Who breaks it after JOIN: `bad peer`, then `left`."

    refuses_what_is_no_file, 2 points: "refuses a HAVE of what is no file";
    "A FILE is 1 to 200 bytes of UTF-8 without /, \\ and control characters, does not begin with `.`, does not end in `.part`."

    takes_what_is_allowed, 2 points: "takes the longest lines, names and numbers";
    "At most 1,024 bytes with the LF; a name of 1 to 32, a FILE of 1 to 200 bytes, SIZE of 1 to 18 digits; `.part` in small letters only."

    ends_in_good_order, 2 points: "tells why, although more is coming";
    "Every end by the index is orderly: FIN, then what comes is read away until the other's end, at most 1 s."

    bounds_an_endless_line, 2 points, exotic: "keeps no endless line in memory";
    "Lines of at most 1,024 bytes: every network byte is foreign, and lengths are bounded."

    bounds_the_files, 1 point, exotic: "takes 10,000 files from a peer, and not one more";
    "HAVE: one file more (or again: replaced); at most 10,000."
}

const BROKEN: &str = "what is no line of the protocol ends the session: one line with ERROR and a reason, then the end of \
    the connection. It is one peer's mistake, and nobody else's";
const ENDLESS: &str = "a line has at most 1,024 bytes: read_line and lines read until the line end, however far it is, and \
    keep it all in memory. Limit what they take (Read::take)";
const FIRST: &str = "before JOIN nobody is there: no other line means anything then, and there is nobody who could leave";
const JOIN: &str = "JOIN has two words behind it, with one space before each: a name of 1 to 32 of A-Z a-z 0-9 - _, and a \
    port from 1 to 65535 in digits. The line ends with LF alone";
const TOLD: &str = "who breaks the protocol is told why: a line with ERROR and a reason, and then the end of the connection";
const BAD_PEER: &str = "who breaks the protocol is a line on standard output: bad peer, the address that the connection comes \
    from, and the reason. Then left, of one who has joined, and of nobody else";
const LEFT: &str =
    "who has joined and breaks the protocol is gone, too: left and the name, behind bad peer";
const NOTHING_SAID: &str =
    "whoever ends before a line is whole has said nothing: that breaks no rule, and is no event";
const A_FILE: &str = "what is no name of a file is never told to others, who would write under that name: HAVE with it \
    breaks the protocol";
const IN_BYTES: &str = "a FILE has at most 200 bytes of UTF-8, and a letter may be several: these are 101 letters of two \
    bytes each";
const ORDERLY: &str = "a connection that is closed while something is unread is reset, and a reset destroys what is on \
    its way: end the sending side first (shutdown), and read away what still comes";
const ALLOWED: &str = "this is allowed: the limits are 1,024 bytes for a line with its LF, 32 for a name, 200 for a file, 18 \
    digits for a size; and a FILE may end in .PART, since only .part in small letters is refused";
const BOUNDED: &str = "the 10,001st file is one too many; a file that was told of before is replaced, and counts once, and \
    one that was dropped does not count any more";

const SUM: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

impl Index {
    /// Expects that somebody who broke the protocol is told so, and let go.
    fn expect_refusal(&self, lines: &mut Lines, cause: &str) -> Verdict {
        for is_end in [false, true] {
            let heard =
                if is_end { lines.expect_end(cause) } else { lines.expect_line("ERROR *", cause) };
            // Who ends the connection has seen what is wrong.
            heard.map_err(|stop| match lines.ended() {
                Some(End::Reset) => stop.because(ORDERLY),
                Some(End::Stream) if !is_end => stop.because(TOLD),
                None if is_end => stop.because(TOLD),
                _ => stop,
            })?;
        }
        let address = lines.connection().here();
        self.console.expect_event(&format!("bad peer {address}: *"), BAD_PEER)
    }
}

fn refuses_strangers(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let have = File::new("song", "la").have();
    let long = format!("JOIN {} 7001", "x".repeat(33));
    let no_join: [&[u8]; 6] =
        [have.as_bytes(), b"ALIVE", b"FIND song", b"HELLO bob", b"join bob 7001", b""];
    let bad_join: [&[u8]; 14] = [
        b"JOIN",
        b"JOIN bob",
        b"JOIN bob 7001 surplus",
        b"JOIN  bob 7001",
        b"JOIN  7001",
        b"JOIN bob 0",
        b"JOIN bob 65536",
        b"JOIN bob -1",
        b"JOIN bob port",
        b"JOIN b.b 7001",
        b"JOIN b\xc3\xb6b 7001",
        long.as_bytes(),
        b"JOIN bob\xff 7001",
        b"JOIN bob 7001\r",
    ];
    let no_join = no_join.map(|said| (said, FIRST));
    for (said, cause) in no_join.into_iter().chain(bad_join.map(|said| (said, JOIN))) {
        t.new_story();
        t.note("the index listens, and ann has joined");
        let mut stranger = index.called_by("a stranger")?;
        stranger.send(&[said, b"\n"].concat())?;
        index.expect_refusal(&mut stranger, cause)?;
    }
    for begun in [&b""[..], b"JOIN bob 7001"] {
        t.new_story();
        let mut stranger = index.called_by("a stranger")?;
        if !begun.is_empty() {
            stranger.send(begun)?;
        }
        stranger.end()?;
        stranger.expect_end(NOTHING_SAID)?;
    }
    ann.expect_heard()?;
    index.console.expect_no_event(NOTHING_SAID).map(drop)
}

/// Each of these lines ends the session of a peer that has joined.
fn expect_all_refused(t: &Trial, lines: &[(&[u8], &str)]) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let song = ann.have(&File::new("song", "la"))?;
    ann.expect_heard()?;
    for (said, cause) in lines {
        t.new_story();
        t.note("the index listens, and ann has joined");
        let mut bob = index.joined_by("bob")?;
        let _ = bob.have(&File::new("another song", "la"))?;
        bob.lines().send(&[said, &b"\n"[..]].concat())?;
        index.expect_refusal(bob.lines(), cause)?;
        index.console.expect_event("left bob", LEFT)?;
    }
    t.new_story();
    t.note("bob came again and again, and broke the protocol each time");
    let mut carol = index.joined_by("carol")?;
    carol.expect_hits("song", &[song], BROKEN)?;
    ann.expect_heard()
}

fn refuses_bad_lines(t: &mut Trial) -> Verdict {
    let long = vec![b'x'; 1024];
    let find = [b"FIND ", &long[..1019]].concat();
    let have = format!("HAVE {SUM} 2");
    let digits = format!("HAVE {SUM} 1234567890123456789 song");
    let lines: [&[u8]; 18] = [
        b"",
        b"HELLO",
        b"JOIN bob 7001",
        b"ALIVE now",
        b"BYE bye",
        b"FIND",
        b"FIND ",
        b"find song",
        b"FIND song\r",
        b"ALIVE\xff",
        b"FIND \xff",
        &find,
        have.as_bytes(),
        digits.as_bytes(),
        b"HAVE a9993e 2 song",
        b"HAVE z9993e364706816aba3e25717850c26c9cd0d89d 2 song",
        b"HAVE a9993e364706816aba3e25717850c26c9cd0d89d -2 song",
        b"HAVE a9993e364706816aba3e25717850c26c9cd0d89d two song",
    ];
    expect_all_refused(t, &lines.map(|line| (line, BROKEN)))
}

fn refuses_what_is_no_file(t: &mut Trial) -> Verdict {
    let (long, wide) = ("x".repeat(201), "\u{e9}".repeat(101));
    let names = [
        "",
        "/etc/passwd",
        "../song",
        "..",
        "a/b",
        "a\\b",
        ".hidden",
        "song.part",
        "a\tb",
        "a\u{7f}b",
        "a\0b",
        &long,
    ];
    let names = names.map(|name| (name, A_FILE)).into_iter().chain([(&*wide, IN_BYTES)]);
    let line = |(name, cause)| (format!("HAVE {SUM} 2 {name}").into_bytes(), cause);
    let lines: Vec<_> = names.map(line).collect();
    let lines: Vec<_> = lines.iter().map(|(line, cause)| (line.as_slice(), *cause)).collect();
    expect_all_refused(t, &lines)
}

fn takes_what_is_allowed(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let name = "Zz9-_".repeat(7).split_off(3);
    let mut bob = index.called_by(&name)?;
    bob.say(&format!("JOIN {name} {PORT}"))?;
    let mut bob = Member::welcomed(bob, PORT, "*")?;
    for (file, size) in [
        ("x".repeat(200), "0"),
        ("part".into(), "999999999999999999"),
        ("a..".into(), "7"),
        ("a.PART".into(), "8"),
    ] {
        bob.say(&format!("HAVE {SUM} {size} {file}"))?;
        bob.expect_heard().map_err(|stop| stop.because(ALLOWED))?;
        ann.say(&format!("FIND {file}"))?;
        ann.lines().expect_line(&format!("HIT {} {size} {SUM} {file}", bob.address()), ALLOWED)?;
        ann.lines().expect_line("END 1", ALLOWED)?;
    }
    let longest = format!("FIND {}", "y".repeat(1018));
    ann.say(&longest)?;
    ann.lines().expect_line("END 0", ALLOWED)
}

fn ends_in_good_order(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    let much = [b"nonsense\n".to_vec(), b"ALIVE\n".repeat(20_000)].concat();
    t.note("bob sent a line that is none, and 20,000 more behind it");
    bob.lines().put(&much)?;
    index.expect_refusal(bob.lines(), ORDERLY)
}

fn bounds_an_endless_line(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    bob.lines().send(b"FIND ")?;
    // More than any buffer of a reader holds, and still no line end: the verdict must not wait for one.
    bob.lines().flood(&[b'x'; 4096], 256 << 10)?;
    let address = bob.lines().connection().here();
    index.console.expect_event(&format!("bad peer {address}: *"), ENDLESS)?;
    index.console.expect_event("left bob", BROKEN)
}

fn bounds_the_files(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    let files: String = (0..10_000).map(|number| format!("HAVE {SUM} 1 {number}\n")).collect();
    bob.say(&format!("HAVE {SUM} 1 another file"))?;
    bob.say("DROP another file")?;
    t.note("bob tells of 10,000 files");
    bob.lines().put(files.as_bytes())?;
    bob.expect_heard().map_err(|stop| stop.because(BOUNDED))?;
    bob.say(&format!("HAVE {SUM} 2 9999"))?;
    bob.expect_heard().map_err(|stop| stop.because(BOUNDED))?;
    let more = format!("HAVE {SUM} 1 one more");
    bob.say(&more)?;
    index.expect_refusal(bob.lines(), BOUNDED)?;
    index.console.expect_event("left bob", BOUNDED)
}
