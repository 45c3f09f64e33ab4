//! Step 5 of lab 10, `probe`: a backend that was down comes back.

use std::time::{Duration, Instant};

use super::dial::DOWN;
use super::program::Balance;
use super::program::Is::{Alive, Dead, Full};
use crate::kernel::State;
use crate::net::Connection;
use crate::trial::{Trial, Verdict};

checks! { $ balance_probe, "balance" step 5:
    comes_back, 3 points: "finds that a backend listens again, and gives it clients";
    "Probe: every 500 ms a connection to each backend that is down; success: up."

    closes_its_probes, 2 points: "closes each probe at once";
    "Probe: a connection to each backend that is down, closed at once."

    probes_the_dead_only, 2 points: "leaves alone the backends that are up";
    "Probe: a connection to each backend that is down (only those)."

    is_idle_while_one_is_down, 2 points: "is at rest between two probes";
    "Every 500 ms, not all the time: quiet when idle."

    tells_of_each_change, 2 points: "tells of down and up in turn, and of each once";
    "`down`, `up`: on each change, once."

    serves_again, 2 points: "serves again when none was left and one has come back";
    "None left: the client is closed. The program goes on; success of a probe: up."

    gives_back_what_failed, 2 points: "counts nobody at a backend that could not be reached";
    "The place is given back: what has been dialled in vain has no connection."

    is_down_and_draining, 2 points, patient: "keeps down and draining apart";
    "Draining and down are independent: a draining backend that is down is probed. `drained`: its last connection has ended."

    takes_a_frozen_one_for_healthy, 1 point: "takes a backend that only does not accept for one that is up";
    "A connect is no proof of health: a frozen backend stays up, and its clients wait."

    probes_past_the_silent, 3 points, exotic, patient: "finds one that is back although another does not answer, and only where a probe succeeds";
    "Success: up. A probe waits at most 500 ms; a backend that accepts again is up within 1 s, plus 500 ms for each other that hangs."
}

const UP: &str = "as long as a backend is down it is dialled every 500 ms; once that succeeds it is up, and is \
    told of and picked again";

/// A balancer of whose two backends the first is down, and a client that stays with the second.
fn with_the_first_down(t: &Trial) -> Verdict<(Balance, super::pair::Pair)> {
    let balance = Balance::before_these(t, &[Dead, Alive])?;
    let pair = balance.serves_at(2, UP)?;
    balance.expect("down", 1, DOWN)?;
    // Every half second it looks; nothing shows when it does so next.
    t.allow_waiting(PROBE);
    Ok((balance, pair))
}

/// Until a backend that accepts again is up.
const PROBE: Duration = Duration::from_secs(1);

impl Balance {
    /// Has the first backend listen again, and expects that it is up. The probe is returned.
    fn first_comes_back(&mut self) -> Verdict<Connection> {
        self.backend(1).listens()?;
        self.expect("up", 1, UP)?;
        self.dials_first()
    }

    /// The connection that has shown that the first backend is back.
    fn dials_first(&self) -> Verdict<Connection> {
        match self.take_from(1)? {
            Some(probe) => Ok(probe),
            None => Err(self
                .trial()
                .fail("the balancer says that backend 1 is up, and has not dialled it")
                .expected("a connection to backend 1, and then `up`")
                .seen("no connection")
                .cause(UP)
                .stop()),
        }
    }
}

fn comes_back(t: &mut Trial) -> Verdict {
    let mut after = Duration::ZERO;
    for _ in 0..TRIES {
        t.new_scene()?;
        let (mut balance, _stays) = with_the_first_down(t)?;
        let since = Instant::now();
        balance.first_comes_back()?;
        after = since.elapsed();
        balance.serves_at(1, "it is up, and has the fewest connections")?;
        // Every two seconds is too seldom. A machine that is busy may be late, but not so much each time.
        if after < PROBE + 3 * PROBE / 4 {
            return Ok(());
        }
    }
    Err(t
        .fail("the balancer finds too late that backend 1 listens again")
        .expected("`up` within 1 s")
        .seen(format!(
            "{} ms after it, and in none of {TRIES} tries within 1500 ms",
            after.as_millis()
        ))
        .cause(UP)
        .stop())
}

fn closes_its_probes(t: &mut Trial) -> Verdict {
    let (mut balance, mut stays) = with_the_first_down(t)?;
    let probe = balance.first_comes_back()?;
    balance.expect_closed(
        &probe,
        "that it was accepted is all that a probe shows: close it at once",
    )?;
    drop(probe);
    balance.service.expect_shown(
        "the balancer keeps its probe",
        "no connection to backend 1",
        "a stream that is kept in a variable or a list stays open",
        |now| {
            let address = balance.address_of(1);
            let is_it = |row: &&&crate::kernel::Row| row.remote == address;
            match now.own_rows().iter().find(is_it) {
                Some(row) if row.state != State::Closed => Err(format!("one in {}", row.state)),
                _ => Ok(()),
            }
        },
    )?;
    stays.expect_open()
}

fn probes_the_dead_only(t: &mut Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    balance.first_comes_back()?;
    balance.expect_no_dial(
        "whoever is up is shown to be so by its clients: only who is down is probed",
    )
}

fn is_idle_while_one_is_down(t: &mut Trial) -> Verdict {
    let (balance, _stays) = with_the_first_down(t)?;
    balance.service.expect_idle()?;
    // So is who does not probe at all.
    t.expect_written()
}

fn tells_of_each_change(t: &mut Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    balance.first_comes_back()?;
    balance.backend(1).dies();
    let once = "whoever finds out, the dial of a client or a probe, an event tells of a change, and only of that";
    let _other = balance.serves_at(2, "the next is tried")?;
    balance.expect("down", 1, once)?;
    balance.first_comes_back()?;
    balance.console.expect_no_event(once)?;
    Ok(())
}

fn serves_again(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Dead, Dead])?;
    let client = balance.service.connect()?;
    balance.expect_closed(&client, "nobody is left")?;
    balance.expect("down", 1, DOWN)?;
    balance.expect("down", 2, DOWN)?;
    t.allow_waiting(PROBE);
    balance.first_comes_back()?;
    balance.serves_at(1, UP).map(drop)
}

fn gives_back_what_failed(t: &mut Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    let _stays_too = balance.serves_at(2, UP)?;
    balance.first_comes_back()?;
    let cause = "a pick counts the client at the backend; where the dial fails it is taken back. Else a backend that \
                 comes back seems to have clients already";
    let _more = [balance.serves_at(1, cause)?, balance.serves_at(1, cause)?];
    Ok(())
}

fn is_down_and_draining(t: &mut Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    let cause = "these are two things: one is found out, the other is told by the user";
    let drains = |balance: &Balance| {
        balance.types("drain", 1);
        balance.expect("draining", 1, cause)?;
        balance.expect("drained", 1, cause)
    };
    drains(&balance)?;
    balance.types("undrain", 1);
    balance.expect("undrained", 1, cause)?;
    let _other = balance.serves_at(2, "it is draining no more, and is still down")?;
    balance.console.expect_no_event(cause)?;
    drains(&balance)?;
    // Whom the next probe goes to may have been decided before.
    t.let_pass(PROBE);
    balance.first_comes_back()?;
    let _more = balance.serves_at(2, "it is up, and is still draining")?;
    balance.types("undrain", 1);
    balance.expect("undrained", 1, cause)?;
    balance.serves_at(1, "it is up, and draining no more")?;
    t.new_scene()?;
    is_drained_behind_a_dial(t)
}

const NOBODY_STAYS: &str = "a client whose dial has failed is no client of that backend any more, and where it was the last one \
    the backend is drained: look for that wherever the count goes down";

/// A backend is drained while it is dialled for a client, in vain.
fn is_drained_behind_a_dial(t: &Trial) -> Verdict {
    let balance = Balance::before_these(t, &[Full, Alive])?;
    t.allow_waiting(PROBE);
    let client = balance.service.connect()?;
    balance.expect_dialling(1)?;
    balance.types("drain", 1);
    // Whether it has a client as long as it is dialled is not looked for.
    let events = ["draining", "down", "drained"].map(|word| balance.about(word, 1));
    balance.console.expect_events(&events.each_ref().map(String::as_str), NOBODY_STAYS)?;
    balance.dials_at(2, client, "the next is tried with the same client").map(drop)
}

fn takes_a_frozen_one_for_healthy(t: &mut Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    drop(balance.first_comes_back()?);
    balance.backend(1).freezes();
    let mut waits = balance.service.connect()?;
    waits.send(b"is anybody there?")?;
    waits.expect_nothing()?;
    balance.console.expect_no_event("the kernel accepts for a frozen program: it is up")?;
    // For the next client both have one, and backend 2 is the next in turn.
    let client = balance.service.connect()?;
    balance.dials_at(2, client, "no client waits for another one's server")?.exchanges()
}

fn probes_past_the_silent(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before_these(t, &[Full, Dead, Alive])?;
    t.allow_waiting(3 * PROBE);
    let _client = balance.serves_at(3, UP)?;
    balance.expect("down", 1, DOWN)?;
    balance.expect("down", 2, DOWN)?;
    balance.backend(2).listens()?;
    let cause = "a probe of a backend that does not answer is given up after 500 ms, too: else it is the last one";
    balance.expect("up", 2, cause)?;
    for _ in 0..TRIES {
        t.new_scene()?;
        if serves_beside_a_probe(t)? {
            break;
        }
    }
    // A machine on which it was never seen in time proves nothing against the program.
    t.new_scene()?;
    takes_no_failure_for_life(t)
}

const NO_PROOF: &str = "there was no descriptor for the probe (EMFILE), so nobody has been asked: only a connection that was made \
    shows that a backend is up";

/// A probe that could not be made proves nothing, and the next one is made all the same.
fn takes_no_failure_for_life(t: &Trial) -> Verdict {
    let (mut balance, _stays) = with_the_first_down(t)?;
    balance.service.withhold_descriptors()?;
    // So that it probes meanwhile: nothing shows that.
    t.let_pass(PROBE);
    balance.console.expect_no_event(NO_PROOF)?;
    balance.service.restore_descriptors()?;
    balance.first_comes_back().map(drop)
}

/// How often the machine may be too slow for this.
const TRIES: usize = 5;
const BESIDE: &str = "a probe takes up to half a second: no lock that others need is held meanwhile. Take down whom to probe, \
    let go of the list, and probe then";

/// A backend is being probed that does not answer, and a client comes. Whether that one was seen to be
/// served before the probe was given up.
fn serves_beside_a_probe(t: &Trial) -> Verdict<bool> {
    let balance = Balance::before_these(t, &[Full, Alive])?;
    t.allow_waiting(3 * PROBE);
    let _first = balance.serves_at(2, UP)?;
    balance.expect("down", 1, DOWN)?;
    balance.expect_dialling(1)?;
    let _second = balance.service.connect()?;
    let now = balance.rest()?;
    let (served, probed) = (balance.take_now()?.is_some(), !balance.unanswered(1, &now).is_empty());
    if served || !probed {
        // Given up meanwhile, it would have been served in any case.
        return Ok(served && probed);
    }
    Err(t
        .fail("while one probe is not answered, clients wait")
        .expected("a connection to backend 2, for client 2")
        .seen("none: the balancer is at rest, and its probe of backend 1 is in SYN-SENT")
        .cause(BESIDE)
        .stop())
}
