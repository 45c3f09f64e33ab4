//! Step 1 of lab 9, `announce`: when the tracker is asked again, and for the last time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::answers::GOES_ON;
use super::bencode::{dictionary, integer, string};
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use super::tracker::{Tracker, compact};
use crate::trial::{Progress, StallKind, Trial, Verdict};

checks! { $ swarm_schedule, "swarm" step 1:
    asks_again_after_a_failure, 2 points, patient: "asks again some time after a failure";
    "Again after 5 s: an announce that failed is sent again with its event."

    gives_up_a_silent_tracker, 2 points, patient: "waits no longer than 5 s for a tracker, and for nothing meanwhile";
    "5 s for all of it. The end of stdin means leave, at most 5 s for event=stopped."

    tells_that_it_leaves, 2 points: "tells the tracker that it leaves, and ends";
    "event=stopped (at the end of stdin): connections closed, status 0."

    leaves_without_a_tracker, 1 point: "leaves, although there is no tracker any more";
    "The end of stdin means leave, at most 5 s for event=stopped: an answer is not needed."

    announces_again, 2 points, patient: "asks again after the interval, without an event";
    "Without event every `interval` seconds."

    waits_a_second_at_least, 1 point, patient: "asks at most once a second, whatever the interval";
    "The interval is at least 1 s: 0, or a number below, would keep both sides busy."
}

fn torrent(tracker: &Tracker) -> Rc<Torrent> {
    Rc::new(Torrent::of_blocks(4).tracked_by(&tracker.url()))
}

/// How long a program waits that does not know `LAB_TEMPO`.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

fn asks_again_after_a_failure(t: &mut Trial) -> Verdict {
    t.allow_waiting(PATIENCE);
    let tracker = Tracker::new(t)?;
    let swarm = Start::of(&torrent(&tracker)).hurrying().listening(t)?;
    swarm.expect_have(0)?;
    tracker.hear(&swarm)?.answer(&dictionary([("failure reason", string("come again"))]))?;
    let since = Instant::now();
    let again = tracker.hear(&swarm)?;
    let after = since.elapsed();
    if after < Duration::from_millis(200) {
        return Err(t
            .fail("the program asks the tracker again at once")
            .expected("a pause of 5 s (times LAB_TEMPO)")
            .seen(format!("it came again after {} ms", after.as_millis()))
            .cause("a tracker that can't answer is not helped by being asked without a pause: wait in between")
            .stop());
    }
    if again.event() == "started" {
        return again.answer(&compact(60, &[]));
    }
    Err(t
        .fail("the program did not tell the tracker that it has started")
        .expected("event=started again: the first time it was not answered")
        .seen(format!("event={}", again.event()))
        .cause("what the tracker has not answered it may not have heard")
        .stop())
}

fn gives_up_a_silent_tracker(t: &mut Trial) -> Verdict {
    t.allow_waiting(PATIENCE);
    let host = t.host_peer("bob")?;
    let tracker = Tracker::new(t)?;
    let start = Start::of(&torrent(&tracker)).dialling(&[host.address()]).hurrying();
    let swarm = start.listening(t)?;
    swarm.expect_have(0)?;
    let announce = tracker.hear(&swarm)?;
    t.note("the tracker says nothing");
    let _bob = host.accept(swarm.running(), GOES_ON)?;
    let _carol = swarm.called_by("carol")?;
    swarm.expect_told("tracker: ", 1, GIVES_UP)?;
    drop(announce);
    swarm.expect_lives(GOES_ON)?;
    t.note("the tracker will say nothing of event=stopped, either");
    swarm.console.stops_typing();
    expect_end(t, &swarm)?;
    t.new_scene()?;
    gives_up_a_dribbling_tracker(t)
}

/// Expects that the program ends, although its tracker says nothing.
fn expect_end(t: &Trial, swarm: &Swarm) -> Verdict {
    let Err(stall) = t.wait(swarm.running(), || Ok(Progress::<()>::Nothing))? else {
        return Ok(());
    };
    if matches!(stall.kind, StallKind::Ended(status) if status.success()) {
        return Ok(());
    }
    Err(t
        .fail("the program does not leave as it should where the tracker is silent")
        .expected("exit status 0, 5 s after the end of standard input at the latest")
        .seen(stall.sentence(&swarm.running().name))
        .cause("event=stopped is told to a tracker that may not answer: 5 s for that, too, and then the program ends")
        .stop())
}

/// Between two bytes of an answer that dribbles: less than the shortest limit for an answer.
const PAUSE: Duration = Duration::from_millis(100);
/// After so many pauses everybody's time is over, also in a program that does not know `LAB_TEMPO`.
const ENOUGH: usize = 75;
/// After so many pauses more, the one whose tracker dribbles must have given up where another did, who
/// has asked later.
const GRACE: usize = 10;

fn gives_up_a_dribbling_tracker(t: &Trial) -> Verdict {
    let (tracker, silent) = (Tracker::new(t)?, Tracker::new(t)?);
    let swarm = Start::of(&torrent(&tracker)).hurrying().listening(t)?;
    let lines = tracker.hear(&swarm)?.into_lines();
    let start = Start::of(&torrent(&silent)).called("second program").hurrying();
    let other = start.listening(t)?;
    let _unanswered = silent.hear(&other)?;
    t.note("the tracker sends a byte of its answer now and then; another one is silent to the second program");
    let answer = format!("HTTP/1.1 200 OK\r\nX-Slow: {}", "x".repeat(ENOUGH + GRACE));
    let mut bytes = answer.bytes();
    let (mut waits, mut grace) = (ENOUGH, GRACE);
    while !swarm.has_told("tracker: ") {
        if waits == 0 || grace == 0 {
            return Err(t
                .fail("the program waits for ever for an answer that dribbles")
                .expected(
                    "`tracker: ` on standard error, when the 5 s for the whole answer are over",
                )
                .seen(format!(
                    "after {:.1} seconds and {} bytes it still waits",
                    PAUSE.as_secs_f64() * (ENOUGH - waits + GRACE - grace) as f64,
                    ENOUGH - waits + GRACE - grace,
                ))
                .cause(ONE_LIMIT)
                .stop());
        }
        if let Some(byte) = bytes.next() {
            let _ = lines.put(&[byte])?;
        }
        t.let_pass(PAUSE);
        // However busy this machine is, both have had the time to do what they are going to do.
        swarm.rest()?;
        let left = if other.has_told("tracker: ") { &mut grace } else { &mut waits };
        *left -= 1;
    }
    Ok(())
}

const GIVES_UP: &str =
    "5 s for the whole answer, from the call on: then give it up, say so, and ask again later";
const ONE_LIMIT: &str = "the limit is for the whole answer: a read may only wait for what is left of the 5 s, however many \
    bytes have come";

const INTERVAL: &str = "the interval in the answer says when the tracker wants to hear again; without news the announce has \
    no event";
/// Below this an interval was not waited for, however the time is counted.
const TOO_EARLY: Duration = Duration::from_millis(500);

/// Expects a further announce, without an event, some time after `since`.
fn expect_again(t: &Trial, tracker: &Tracker, swarm: &Swarm, since: Instant) -> Verdict {
    let announce = tracker.hear(swarm).map_err(|stop| stop.because(INTERVAL))?;
    let after = since.elapsed();
    if after < TOO_EARLY {
        return Err(t
            .fail("the program asks the tracker again too early")
            .expected("a pause of 1 s")
            .seen(format!("it came again after {} ms", after.as_millis()))
            .cause("a tracker has many to answer: nobody asks it more than once a second")
            .stop());
    }
    if matches!(announce.get("event"), None | Some(b"" | b"empty")) {
        return announce.answer(&compact(60, &[]));
    }
    Err(t
        .fail("the program tells the tracker of an event that there was not")
        .expected("an announce without event")
        .seen(format!("event={}", announce.event()))
        .cause("started is said until it is answered, completed and stopped once: all others have no event")
        .stop())
}

fn announces_again(t: &mut Trial) -> Verdict {
    t.allow_waiting(Duration::from_secs(1));
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    tracker.tell(&swarm, 1, &[])?;
    // It is answered that it need not come again for a minute.
    expect_again(t, &tracker, &swarm, Instant::now())?;
    let beside = Tracker::new(t)?;
    let other = Start::of(&torrent(&beside)).called("second program").listening(t)?;
    beside.tell(&other, 1, &[])?;
    expect_again(t, &beside, &other, Instant::now())?;
    // By now the first one would have come, if it still kept to what it was told first.
    if !tracker.is_asked(&swarm)? {
        return Ok(());
    }
    Err(t
        .fail("the program asks the tracker again after the interval of an earlier answer")
        .expected("a pause of 60 s: so it was told last")
        .seen("a third announce, before one of the second program that was told later to come after 1 s")
        .cause("each answer has an interval, and the last one holds: a tracker that has much to do asks for longer pauses")
        .stop())
}

fn waits_a_second_at_least(t: &mut Trial) -> Verdict {
    t.allow_waiting(Duration::from_secs(1));
    let mut asked = Vec::new();
    for interval in [0, -5, i64::MIN] {
        let tracker = Tracker::new(t)?;
        let swarm = Start::of(&torrent(&tracker))
            .called(&format!("program that is told {interval}"))
            .listening(t)?;
        tracker.tell(&swarm, interval, &[])?;
        asked.push((tracker, swarm, Instant::now()));
    }
    for (tracker, swarm, since) in &asked {
        expect_again(t, tracker, swarm, *since)?;
    }
    Ok(())
}

const LEAVES: &str = "the end of standard input says that the user leaves: the tracker is told, event=stopped, so that it \
    sends nobody here any more; then the program ends with status 0";

fn tells_that_it_leaves(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    // An interval beyond everything that a clock has: it is never over.
    tracker
        .hear(&swarm)?
        .answer(&dictionary([("interval", integer(i64::MAX)), ("peers", string(""))]))?;
    swarm.rest()?;
    swarm.console.stops_typing();
    let announce = tracker.hear(&swarm).map_err(|stop| stop.because(LEAVES))?;
    if announce.event() != "stopped" {
        return Err(t
            .fail("the program does not tell the tracker that it leaves")
            .expected("event=stopped")
            .seen(format!("event={}", announce.event()))
            .cause(LEAVES)
            .stop());
    }
    announce.answer(&compact(60, &[]))?;
    swarm.console.expect_exit(0, LEAVES)
}

fn leaves_without_a_tracker(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let swarm = Swarm::leech(t, &torrent(&tracker))?;
    tracker.tell(&swarm, 60, &[])?;
    swarm.rest()?;
    t.note("the tracker has gone");
    drop(tracker);
    swarm.console.stops_typing();
    swarm.console.expect_exit(0, LEAVES)
}
