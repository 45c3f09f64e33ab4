//! Step 1: who is there, and how the index knows that somebody is not.

use std::time::{Duration, Instant};

use super::directory::Index;
use super::file::{File, Hit};
use super::member::Member;
use crate::net::Lines;
use crate::trial::{Progress, Stop, Trial, Verdict};

checks! { $ index_presence, "index" step 1:
    forgets_who_says_bye, 2 points: "forgets who says BYE";
    "BYE, then the end of its stream: at BYE the index ends its side, finds before it are answered; left ann."

    forgets_who_ends, 3 points: "forgets whose stream ends, in whatever way";
    "A peer whose connection ends or is reset is gone with all its files, at once."

    two_of_a_name, 2 points: "keeps two peers of one name apart";
    "Two peers of one name are two peers."

    forgets_the_silent, 3 points, patient: "forgets who has said nothing for SILENCE, and only them";
    "Gone is one that has sent nothing for SILENCE: never before it, at twice SILENCE at the latest, before JOIN too."

    forgets_who_takes_nothing, 2 points, patient, exotic: "forgets who has taken nothing for SILENCE";
    "So is one that has sent nothing, or taken nothing, for SILENCE."
}

const BYE: &str = "BYE is the last that a peer says: what it has asked before is answered, then the index ends its side, \
    and the peer is gone";
const ENDS: &str = "a peer is there as long as its connection is: an end (read returns 0) and an error of read, such as \
    a reset, are both the end of the session, and what must be done then must be done after both";
const TWO: &str = "each connection is a peer of its own, whatever it calls itself: a list by name keeps only the last one";
const SILENT: &str = "a machine that has lost its power, or its network, sends no FIN: its connection stays for ever. \
    All that shows is that nothing comes: a read with a time-out (set_read_timeout) gives up";
const ALIVE: &str = "whoever says something in time is there, be it ALIVE or another line: the time begins anew with each";
const TAKES: &str = "a peer that does not read fills the queues, and then a write waits: with a time-out \
    (set_write_timeout) it gives up";

/// The silence of these checks.
const LONG: Duration = Duration::from_millis(300);
/// Twice the silence is the latest; what is not there so long after it is waited for without bob.
const LONGEST: Duration = LONG.saturating_mul(5);
/// How often somebody says ALIVE who is there.
const BEATS: Duration = Duration::from_millis(60);
/// What a clock may be wrong by.
const ROUGHLY: Duration = Duration::from_millis(10);
/// Finds of 100 files with long names: more than all queues take.
const ASKS: usize = 2000;
/// A machine that is busy may make anybody late: a scene that fails is played so often.
const TURNS: usize = 4;

/// A peer joins, and has a song.
fn with_a_song(index: &Index, name: &str) -> Verdict<(Member, Hit)> {
    let mut member = index.joined_by(name)?;
    let song = member.have(&File::new(&format!("song of {name}"), "la la"))?;
    member.expect_heard()?;
    Ok((member, song))
}

impl Index {
    /// Expects that it says that a peer of this name has left, and that nobody finds its files any more.
    fn expect_left(&self, name: &str, asker: &mut Member, cause: &str) -> Verdict {
        self.console.expect_event(&format!("left {name}"), cause)?;
        asker.expect_hits(&format!("song of {name}"), &[], cause)
    }

    /// Whether this line is on its standard output.
    fn has_printed(&self, line: &str) -> bool {
        let printed = self.service.running.program.stdout().head;
        String::from_utf8_lossy(&printed).lines().any(|one| one == line)
    }
}

fn forgets_who_says_bye(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut ann, _) = with_a_song(&index, "ann")?;
    let (mut bob, his) = with_a_song(&index, "bob")?;
    t.note("ann asks, and says BYE, in one segment");
    ann.lines().send(b"FIND song\nBYE\n")?;
    ann.hear_hits(&[his], BYE)?;
    ann.lines().expect_end(BYE)?;
    index.expect_left("ann", &mut bob, BYE)?;
    ann.lines().end()?;
    bob.leave()?;
    index.console.expect_event("left bob", BYE)?;
    index.console.expect_no_event("a peer leaves once").map(drop)
}

fn forgets_who_ends(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut bob, _) = with_a_song(&index, "bob")?;
    for name in ["ann", "carol", "dave", "eve"] {
        let (mut member, song) = with_a_song(&index, name)?;
        bob.expect_hits(&format!("song of {name}"), &[song], ENDS)?;
        match name {
            "ann" => member.lines().end()?,
            "carol" => {
                // What is cut off is no line.
                member.lines().send(b"FIND song of bob")?;
                member.lines().end()?;
            }
            "dave" => {
                // A reset needs something that is left unread.
                member.say("FIND song")?;
                member.reset()?;
                index.expect_left(name, &mut bob, ENDS)?;
                continue;
            }
            _ => {
                member.close();
                index.expect_left(name, &mut bob, ENDS)?;
                continue;
            }
        }
        member.lines().expect_end(ENDS)?;
        index.expect_left(name, &mut bob, ENDS)?;
    }
    Ok(())
}

fn two_of_a_name(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    let (mut first, mut second) = (index.joined_by("ann")?, index.joined_by("ann")?);
    let one = first.have(&File::new("one song", "la"))?;
    let same = File::new("song of both", "la la");
    let _ = first.have(&same)?;
    first.expect_heard().map_err(|stop| stop.because(TWO))?;
    let two = second.have(&File::new("two songs", "la la la"))?;
    let hers = second.have(&same)?;
    second.expect_heard()?;
    bob.expect_hits("song", &[one, two.clone(), hers.clone(), hers.clone()], TWO)?;
    first.leave()?;
    index.console.expect_event("left ann", TWO)?;
    bob.expect_hits("song", &[two, hers], TWO)?;
    second.leave()?;
    index.console.expect_event("left ann", TWO)?;
    bob.expect_hits("song", &[], TWO)
}

/// Plays a scene in which the harness or the program may be late on a busy machine, and whoever is late
/// is forgotten rightly: a failure is the program's mistake only where it comes each time. The inner
/// verdict is one for which being late is no excuse.
fn each_time(t: &Trial, scene: impl Fn(&Trial) -> Verdict<Verdict>) -> Verdict {
    for _ in 1..TURNS {
        match scene(t) {
            Err(Stop::Fail(_)) => t.new_scene()?,
            other => return other?,
        }
    }
    scene(t)?
}

fn forgets_the_silent(t: &mut Trial) -> Verdict {
    t.allow_waiting(2 * LONG);
    each_time(t, |t| {
        let index = Index::with(t, LONG)?;
        // None of them is silent before it is there, or has said its last word.
        let called = Instant::now();
        let mut stranger = index.called_by("stranger")?;
        let mut silent = index.joined_by("ann")?;
        let song = silent.have(&File::new("song of ann", "la la"))?;
        let last_word = Instant::now();
        silent.expect_heard()?;
        let since = Instant::now();
        let mut carol = index.joined_by("carol")?;
        let mut bob = index.joined_by("bob")?;
        let joined = Instant::now();
        bob.expect_hits("song", &[song], SILENT)?;
        let beats = BEATS.as_millis();
        t.note(format!(
            "every {beats} ms bob says ALIVE, and carol DROP of a file that she has not; the stranger and ann say \
             nothing more"
        ));
        let mut talk = Talk::begin([(&mut bob, ALIVE_LINE), (&mut carol, OTHER_LINE)]);
        let mut early = None;
        for (lines, silent_since) in [(&mut stranger, called), (silent.lines(), last_word)] {
            wait_for_the_end(&index, &mut talk, lines, since)?;
            let after = silent_since.elapsed();
            if let Err(never) = lines.expect_end(SILENT) {
                return Ok(Err(never));
            }
            if after + ROUGHLY < LONG {
                early = early.or(Some((lines.name().to_owned(), after)));
            }
        }
        if let Some((name, after)) = early {
            return Err(t
                .fail(format!("the index lets {name} go too early"))
                .expected(format!("not before {} ms of silence", LONG.as_millis()))
                .seen(format!("after {} ms", after.as_millis()))
                .cause("the time begins anew with whatever a peer says")
                .stop());
        }
        // Who were to be silent are gone; the others stay for longer than a silence may last.
        let _ = t.wait(&index.service.running, || {
            talk.goes_on()?;
            let over = joined.elapsed() > LONG + BEATS;
            Ok(if over { Progress::Done(()) } else { Progress::Nothing })
        })?;
        let gone =
            ["bob", "carol"].into_iter().find(|one| index.has_printed(&format!("left {one}")));
        if let Some(name) = gone {
            return Err(t
                .fail(format!("the index lets {name} go, who was not silent"))
                .expected(format!("{name} says a line every {beats} ms, and stays"))
                .seen(format!("the line `left {name}`"))
                .cause(ALIVE)
                .stop());
        }
        index.expect_left("ann", &mut bob, SILENT)?;
        carol.expect_heard().map_err(|stop| stop.because(ALIVE))?;
        index.console.expect_no_event(ALIVE).map(|_| Ok(()))
    })
}

/// Waits until the index ends this connection, but no longer than any index needs, and meanwhile says
/// what those say who are there.
fn wait_for_the_end(
    index: &Index,
    talk: &mut Talk<'_>,
    lines: &mut Lines,
    since: Instant,
) -> Verdict {
    let _ = index.service.trial().wait(&index.service.running, || {
        lines.take_in()?;
        talk.goes_on()?;
        let over = lines.ended().is_some() || !lines.unread().is_empty();
        let never = since.elapsed() > LONGEST;
        Ok(if over || never { Progress::Done(()) } else { Progress::Nothing })
    })?;
    Ok(())
}

/// What those say, again and again, who are there; and when they have said it last.
struct Talk<'a> {
    members: [(&'a mut Member, &'static [u8]); 2],
    last: Instant,
}

/// What somebody says who is there,
const ALIVE_LINE: &[u8] = b"ALIVE\n";
/// and another line that changes nothing.
const OTHER_LINE: &[u8] = b"DROP nothing\n";

impl<'a> Talk<'a> {
    fn begin(members: [(&'a mut Member, &'static [u8]); 2]) -> Self {
        Self { members, last: Instant::now() }
    }

    /// They say it again, if it is time.
    fn goes_on(&mut self) -> Verdict {
        if self.last.elapsed() >= BEATS {
            for (member, line) in &mut self.members {
                member.lines().put(line)?;
            }
            self.last = Instant::now();
        }
        Ok(())
    }
}

fn forgets_who_takes_nothing(t: &mut Trial) -> Verdict {
    t.allow_waiting(2 * LONG);
    let index = Index::with(t, LONG)?;
    let mut bob = index.joined_by("bob")?;
    let mut files = String::new();
    for number in 0..100 {
        files += &(File::new(&format!("{number:0>190}"), "la").have() + "\n");
    }
    bob.lines().put(files.as_bytes())?;
    bob.expect_heard()?;
    let mut ann = index.joined_by("ann")?;
    ann.lines().put("FIND 0\n".repeat(ASKS).as_bytes())?;
    t.note(format!("bob has 100 files; ann asks for all of them {ASKS} times, and reads nothing"));
    t.note(format!("both say ALIVE every {} ms", BEATS.as_millis()));
    let mut talk = Talk::begin([(&mut ann, ALIVE_LINE), (&mut bob, ALIVE_LINE)]);
    let _ = t.wait(&index.service.running, || {
        // Whoever says so much is not silent.
        talk.goes_on()?;
        let done = index.has_printed("left ann");
        Ok(if done { Progress::Done(()) } else { Progress::Nothing })
    })?;
    // On a busy machine bob may have been late, and then he is none to compare with.
    if index.has_printed("left ann") || index.has_printed("left bob") {
        return Ok(());
    }
    index.console.expect_event("left ann", TAKES)
}
