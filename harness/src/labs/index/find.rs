//! Step 3: a peer asks, and reads hits until END.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::file::Hit;
use super::hub::Hub;
use super::sharer::{HURRIED, Sharer};
use crate::trial::{Progress, Stop, Trial, Verdict};

checks! { $ index_find, "index" step 3:
    prints_hits, 3 points: "prints each hit with its number, and how many there were";
    "hit 1 127.0.0.1:7002 300000 my song.ogg: numbered from 1 in each find; then found 1."

    asks_for_all_that_was_typed, 1 point: "asks for all that was typed behind find";
    "FIND <word>: the rest of the line. A find longer than a line: one line on stderr, nothing is sent."

    finds_in_order, 3 points: "takes the answers of finds in the order in which they were typed";
    "Finds are answered in order; commands behind a find wait for it."

    takes_answers_in_pieces, 2 points: "reads an answer to its END, however it comes";
    "HIT: each file of another peer; END <count> after the last HIT."

    hides_what_is_no_file, 2 points: "shows no hit that would lead out of its folder";
    "A FILE that is none: in HIT the line is not shown and not counted."

    hangs_up_on_a_bad_index, 3 points: "hangs up on an index that does not keep to the protocol";
    "From the index anything but HIT and END for a find under way, a malformed one, a 101st HIT: connection closed, `index gone`."

    waits_five_seconds_for_an_end, 2 points, patient: "gives up on an index that does not answer";
    "A find's END has 5 s, else the connection is closed and `index gone`."
}

const PRINTS: &str = "each HIT is a line: hit, its number, from 1 in each find, and what it says but for the sum; END is \
    the line found, with the number of hits that were shown";
const ASKS: &str = "FIND, and the rest of the line as it was typed";
const LONGEST: &str =
    "a line has at most 1,024 bytes with its LF: FIND, a space and 1,018 bytes of a word are one";
const NOTHING_SENT: &str = "what can't be asked is for the user, on standard error: a word that is too long for a line, no word, \
    a hit that is none. Nothing of it is sent, and the next find is asked as if it had not been typed";
const IN_ORDER: &str = "the answer to a find is what comes behind it, up to its END: what stands in the buffer behind \
    that END belongs to the next one";
const IN_PIECES: &str = "lines are made of a stream: what has come is put together until there is an LF, and what is \
    behind it stays for the next one";
const NO_FILE: &str = "the index says whatever somebody has told it. What is no name of a file (a slash, a dot at its \
    beginning, .part, a control character, more than 200 bytes of UTF-8) is not shown, and so nobody can ask for it";
const BAD_INDEX: &str = "an index that breaks the protocol is none: one line on standard error says why, its connection is \
    ended, and `index gone` is said, once";
const UNASKED: &str =
    "who has asked nothing is told nothing: what comes then is no line of the protocol";
const HITS_AND_END: &str = "a find is answered with HIT and END, and with nothing else";
const A_HIT: &str = "a HIT has an address (numeric, with a port from 1 to 65535), a size of 1 to 18 digits, a SHA-1 of 40 hex \
    digits, and a name";
const AN_END: &str = "END has a number behind it, in digits; and no line has more than 1,024 bytes";
const TOO_MANY: &str = "an answer has at most 100 hits, and those that are not shown count, too: else an index could send \
    without end";
const FIVE_SECONDS: &str = "an answer that does not come keeps everything waiting that was typed behind it: a receive with \
    a time limit (recv_timeout) gives up";

const SUM: &str = "A9993E364706816ABA3E25717850C26C9CD0D89D";

/// A hit of a file that nobody will ask for.
fn hit(port: u16, size: u64, name: &str) -> Hit {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Hit { address, size, sha1: SUM.to_owned(), name: name.to_owned() }
}

fn three() -> [Hit; 3] {
    [
        hit(7002, 300_000, "my song.ogg"),
        hit(7003, 0, "song"),
        hit(65535, 999_999_999_999_999_999, "song "),
    ]
}

/// Three that no number is too large in, where something else is judged.
fn songs() -> [Hit; 3] {
    [1, 2, 3].map(|size| hit(7002, size, "song"))
}

impl Sharer {
    /// Expects that it shows these hits, and how many there are.
    fn expect_shown(&self, hits: &[Hit], cause: &str) -> Verdict {
        for (hit, number) in hits.iter().zip(1..) {
            self.console.expect_event(&hit.event(number), cause)?;
        }
        self.console.expect_event(&format!("found {}", hits.len()), cause)
    }

    /// Expects that it says something on standard error.
    fn expect_complaint(&self, cause: &str) -> Verdict {
        let lines = || self.running().program.stderr().last_lines(usize::MAX);
        let said = self.trial().wait(self.running(), || {
            Ok(if lines().is_empty() { Progress::Nothing } else { Progress::Done(()) })
        })?;
        let Err(stall) = said else { return Ok(()) };
        Err(self
            .trial()
            .fail("the peer ann does not say what is wrong")
            .expected("one line on standard error")
            .seen(stall.sentence(&self.running().name))
            .cause(cause)
            .stop())
    }
}

fn prints_hits(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    let most: Vec<_> = (1..=100).map(|number| hit(7002, number, "song")).collect();
    for hits in [&three()[..], &[], &most, &three()[1..2]] {
        ann.console.types("find song");
        ann.session.answer("song", hits)?;
        ann.expect_shown(hits, PRINTS)?;
    }
    ann.console.expect_no_event("what has come is shown, and nothing else").map(drop)
}

fn asks_for_all_that_was_typed(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    let longest = "x".repeat(1018);
    for word in ["my  song", "s", "\u{fc}ber", &longest] {
        ann.console.types(&format!("find {word}"));
        let cause = if word.len() == longest.len() { LONGEST } else { ASKS };
        ann.session.answer(word, &[]).map_err(|stop| stop.because(cause))?;
        ann.expect_shown(&[], PRINTS)?;
    }
    for typed in [format!("find {longest}y"), "find".into(), "get 1".into()] {
        ann.console.types(&typed);
    }
    ann.console.types("find this");
    // The next line: nothing of what was typed before it was for the index.
    ann.session.answer("this", &[]).map_err(|stop| stop.because(NOTHING_SENT))?;
    ann.expect_shown(&[], NOTHING_SENT)?;
    ann.expect_complaint("what can't be asked is told in one line")
}

fn finds_in_order(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    let [one, two, three] = songs();
    ann.console.types("find one\nfind two\nfind three");
    // One that asks for all of them at once is right, too.
    for (word, hits) in [("one", vec![one]), ("two", vec![]), ("three", vec![two, three])] {
        ann.session.answer(word, &hits)?;
        ann.expect_shown(&hits, IN_ORDER)?;
    }
    Ok(())
}

fn takes_answers_in_pieces(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    ann.console.types("find song");
    ann.session.hear("FIND song", ASKS)?;
    let hits = songs();
    let lines: String = hits.iter().map(|hit| hit.line() + "\n").collect();
    let answer = format!("{lines}END 3\n");
    t.note(
        "the index answers with three hits and END, in pieces of 7 bytes, each a read of its own",
    );
    for piece in answer.as_bytes().chunks(7) {
        ann.session.lines().send_alone(piece)?;
    }
    ann.expect_shown(&hits, IN_PIECES)
}

fn hides_what_is_no_file(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer("ann", &[])?;
    let (long, wide) = ("x".repeat(201), "\u{e9}".repeat(101));
    let bad =
        ["../x", "/etc/x", "a/b", "a\\b", ".x", "..", "x.part", "a\tb", "a\u{7f}b", &long, &wide];
    let [first, second, _] = three();
    let mut told = vec![first.clone()];
    told.extend(bad.map(|name| hit(7003, 5, name)));
    told.push(second.clone());
    ann.console.types("find x");
    ann.session.answer("x", &told)?;
    ann.expect_shown(&[first, second], NO_FILE)
}

fn hangs_up_on_a_bad_index(t: &mut Trial) -> Verdict {
    let good = three().map(|hit| hit.line() + "\n");
    let many = good[0].repeat(101) + "END 101\n";
    let address = "HIT 127.0.0.1:7002";
    // What is not shown counts, too: else an index could send without end.
    let hidden = format!("{address} 5 {SUM} .hidden\n").repeat(101) + "END 101\n";
    for (cause, said) in [
        (UNASKED, "END 0\n".to_owned()),
        (HITS_AND_END, "ERROR I am tired\n".into()),
        (A_HIT, format!("HIT localhost:7002 5 {SUM} song\n")),
        (A_HIT, format!("HIT 127.0.0.1:0 5 {SUM} song\n")),
        (A_HIT, format!("{address} -5 {SUM} song\n")),
        (A_HIT, format!("{address} 5 abc song\n")),
        (AN_END, "END all\n".into()),
        (AN_END, format!("END {}\n", "0".repeat(2000))),
        (TOO_MANY, many),
        (TOO_MANY, hidden),
    ] {
        let hub = Hub::open(t)?;
        let mut ann = hub.peer("ann", &[])?;
        if cause != UNASKED {
            ann.console.types("find song");
            ann.session.hear("FIND song", ASKS)?;
        }
        ann.session.lines().send(said.as_bytes())?;
        // Hits that came before it may have been shown.
        while ann.console.last() != "index gone" {
            ann.console.expect_event("*", cause).map_err(|stop| instead_of("index gone", stop))?;
        }
        ann.session.expect_closed(BAD_INDEX)?;
        ann.expect_complaint(BAD_INDEX)?;
        ann.console.expect_no_event("the index goes once").map(drop)?;
        t.new_scene()?;
    }
    Ok(())
}

/// What was missing is this line, behind whatever came.
fn instead_of(line: &str, mut stop: Stop) -> Stop {
    if let Stop::Fail(failure) = &mut stop {
        failure.expected = vec![format!("on standard output: {line:?}")];
    }
    stop
}

fn waits_five_seconds_for_an_end(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer_at_tempo("ann", HURRIED, &[])?;
    ann.console.types("find song");
    ann.session.hear("FIND song", ASKS)?;
    // Not a hit before that: on a busy machine it might come too late.
    t.note("the index says nothing");
    t.allow_waiting(Duration::from_secs(5));
    ann.console.expect_event("index gone", FIVE_SECONDS)?;
    ann.session.expect_closed(FIVE_SECONDS)?;
    ann.expect_complaint(FIVE_SECONDS)?;
    t.new_scene()?;
    gives_up_on_the_slow(t)
}

/// Between two hits of an index that is slow.
const PAUSE: Duration = Duration::from_millis(100);
/// Until no right program waits for more of them, whether it knows `LAB_TEMPO` or not.
const LATEST: Duration = Duration::from_secs(9);

fn gives_up_on_the_slow(t: &Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let mut ann = hub.peer_at_tempo("ann", HURRIED, &[])?;
    ann.console.types("find song");
    ann.session.hear("FIND song", ASKS)?;
    t.note(format!("the index says a hit every {} ms, and no END", PAUSE.as_millis()));
    t.allow_waiting(LATEST);
    let (began, line) = (Instant::now(), three()[0].line() + "\n");
    let (running, mut said) = (Rc::clone(ann.running()), None);
    let printed = || running.program.stdout().head;
    let _ = t.wait(&running, || {
        if said.is_none_or(|at: Instant| at.elapsed() >= PAUSE) {
            ann.session.lines().put(line.as_bytes())?;
            said = Some(Instant::now());
        }
        let over = printed().ends_with(b"index gone\n") || began.elapsed() > LATEST;
        Ok(if over { Progress::Done(()) } else { Progress::Nothing })
    })?;
    if printed().ends_with(b"index gone\n") {
        return Ok(());
    }
    Err(t
        .fail("the peer ann waits without end for an END that does not come")
        .expected("`index gone` 5 s after the question (times LAB_TEMPO), whatever has come by then")
        .seen(format!("{} s after it, no such line", began.elapsed().as_secs()))
        .cause(
            "one deadline for the whole answer: what is left of it is the limit of each receive. A limit that \
             begins anew with each line is never over",
        )
        .stop())
}
