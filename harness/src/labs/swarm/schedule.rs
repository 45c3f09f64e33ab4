//! Step 1 of lab 9, `announce`: when the tracker is asked again, and for the last time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::bencode::{dictionary, integer, string};
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use super::tracker::{Tracker, compact};
use crate::trial::{Trial, Verdict};

checks! { $ swarm_schedule, "swarm" step 1:
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
