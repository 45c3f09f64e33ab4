//! Step 2 of lab 10, `pick`: which backend next.

use super::pair::Pair;
use super::program::{Balance, Is};
use crate::trial::{Trial, Verdict};

checks! { $ balance_pick, "balance" step 2:
    takes_turns, 3 points: "gives clients that come one after another to 1, 2, 3, 1, 2, 3";
    "Among equals the next in turn, in the order given: 1, 2, 3, 1, 2, 3."

    prefers_the_fewest, 3 points: "picks the backend with the fewest connections now";
    "Among those up, not draining and not tried for this client: the one with the fewest connections now."

    goes_on_behind_the_last, 2 points: "picks among equals the first behind the one that was picked last";
    "Among equals: the first behind the backend picked last, in the order given, round again."

    counts_while_it_dials, 3 points: "counts a client at its backend before the dial is answered";
    "The one with the fewest connections now: looked for and counted in one step."

    drains, 3 points: "gives a draining backend no new clients, and keeps those that it has";
    "`drain BACKEND`: no new clients, those it has stay. `drained`: its last connection has ended."

    is_drained_at_once, 1 point: "says at once that a backend without clients is drained";
    "With no connection left `drained` follows `draining` at once."

    undrains, 2 points: "picks a backend again that is draining no more";
    "`undrain BACKEND`: it is among those that are picked."

    has_none_left, 2 points: "closes a new client when all backends are draining";
    "None left: the client's connection is closed (FIN or RST). Those it has stay."

    says_what_changes, 1 point: "prints no event for a command that changes nothing";
    "A command that changes nothing: no event. A BACKEND not in the list: one line on stderr."
}

const TURNS: &str = "one turn for all clients, whatever thread serves them: begin behind the backend that was \
    picked last, and of those with the fewest connections take the first. A connection that has ended \
    does not count any more";

fn takes_turns(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 3)?;
    for number in [1, 2, 3, 1, 2, 3, 1, 2, 3] {
        balance.serves_at(number, TURNS)?.ends(&balance)?;
    }
    Ok(())
}

const FEWEST: &str = "count the connections of each backend: one more when it is picked, one less when the \
    connection has ended. A turn alone gives the next client to one who has many already";

fn prefers_the_fewest(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 3)?;
    let mut pairs = Vec::new();
    for number in [1, 2, 3, 1, 2, 3, 1, 2, 3] {
        pairs.push(balance.serves_at(number, TURNS)?);
    }
    let second = |pair: &Pair| pair.number == 2;
    let (gone, _stay): (Vec<_>, Vec<_>) = pairs.into_iter().partition(second);
    drop(gone);
    balance.rest()?;
    t.note("the three clients of backend 2 have gone, and the others stay");
    let mut more = Vec::new();
    for _ in 0..3 {
        more.push(balance.serves_at(2, FEWEST)?);
    }
    Ok(())
}

fn goes_on_behind_the_last(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 3)?;
    let _stays = balance.serves_at(1, TURNS)?;
    for number in [2, 3, 2, 3] {
        balance.serves_at(number, TURNS)?.ends(&balance)?;
    }
    Ok(())
}

/// How often the machine may be too slow for this.
const TRIES: usize = 5;

fn counts_while_it_dials(t: &mut Trial) -> Verdict {
    for _ in 0..TRIES {
        t.new_scene()?;
        if nine_at_once(t)? {
            return Ok(());
        }
    }
    Err(t
        .fail("backend 2, which does not answer, was given up before nine clients had been dialled for")
        .expected("nine clients are dialled for within the 500 ms that one dial may take")
        .seen(format!("`down` before that, {TRIES} times"))
        .cause("each client is dialled for in a thread of its own, and a dial may take 500 ms")
        .stop())
}

/// Nine clients come to three backends, of which one does not answer. Whether they were seen on
/// their way before that one was given up.
fn nine_at_once(t: &Trial) -> Verdict<bool> {
    let balance = Balance::before_these(t, &[Is::Alive, Is::Full, Is::Alive])?;
    let mut clients = Vec::new();
    for number in 1..=9 {
        clients.push(balance.service.connect_as(format!("client {number}"), false)?);
    }
    t.note("nine clients connected, and all of them stay");
    let waiting = balance.unanswered(2, &balance.rest()?).len();
    let mut dialled = Vec::new();
    while let Some(one) = balance.take_now()? {
        dialled.push(one);
    }
    // Those that have given up by now are on their way elsewhere.
    balance.rest()?;
    if balance.has_printed_an_event() {
        return Ok(false);
    }
    let at = |number| dialled.iter().filter(|(one, _)| *one == number).count();
    let loads = [at(1), waiting, at(3)];
    if loads == [3, 3, 3] {
        return Ok(true);
    }
    let [first, second, third] = loads;
    Err(t
        .fail("nine clients that come at the same moment are not spread over the three backends")
        .expected("three at each backend: 3, 3, 3; backend 2 has not answered yet")
        .seen(format!("{first}, {second}, {third}"))
        .cause(AT_ONCE)
        .stop())
}

const AT_ONCE: &str = "the fewest are looked for and counted in one step, under one lock. Where a client \
    counts only when the dial has been answered, everybody who comes meanwhile goes to the same backend; \
    and where one is dialled for after the other, one backend that does not answer holds up everybody";

const DRAINING: &str = "`draining` takes a backend out of those that are picked, and nothing else: whoever \
    is there stays, until the last one has gone";

fn drains(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let [mut first, _second] = [balance.serves_at(1, TURNS)?, balance.serves_at(2, TURNS)?];
    balance.types("drain", 1);
    balance.expect("draining", 1, DRAINING)?;
    let _more = [balance.serves_at(2, DRAINING)?, balance.serves_at(2, DRAINING)?];
    first.expect_open()?;
    balance.console.expect_no_event("a client is still there: it is not drained yet")?;
    first.ends(&balance)?;
    balance.expect("drained", 1, DRAINING)
}

fn is_drained_at_once(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    balance.serves_at(1, TURNS)?.ends(&balance)?;
    balance.types("drain", 1);
    balance.expect("draining", 1, DRAINING)?;
    balance.expect("drained", 1, "nobody is there, so there is nobody to wait for")?;
    for _ in 0..2 {
        balance.serves_at(2, DRAINING)?.ends(&balance)?;
    }
    balance.console.expect_no_event("each change is told of once")?;
    Ok(())
}

fn undrains(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let _first = balance.serves_at(1, TURNS)?;
    balance.types("drain", 1);
    balance.expect("draining", 1, DRAINING)?;
    let _more = [balance.serves_at(2, DRAINING)?, balance.serves_at(2, DRAINING)?];
    balance.types("undrain", 1);
    balance.expect("undrained", 1, DRAINING)?;
    balance.serves_at(1, "it has the fewest connections, and may be picked again").map(drop)
}

fn has_none_left(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let mut first = balance.serves_at(1, TURNS)?;
    balance.types("drain", 1);
    balance.expect("draining", 1, DRAINING)?;
    balance.types("drain", 2);
    balance.expect("draining", 2, DRAINING)?;
    balance.expect("drained", 2, DRAINING)?;
    let client = balance.service.connect()?;
    balance
        .expect_closed(&client, "no backend may be picked: nobody is served, and nobody waits")?;
    balance.expect_no_dial(DRAINING)?;
    first.expect_open()
}

fn says_what_changes(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    balance.serves_at(1, TURNS)?.ends(&balance)?;
    balance.types("undrain", 1);
    balance
        .expect_complaint(b"drain nobody:7001\n", "`drain` of a backend that it does not have")?;
    balance.types("drain", 2);
    balance.expect("draining", 2, CHANGES)?;
    balance.expect("drained", 2, CHANGES)?;
    balance.types("drain", 2);
    balance.types("undrain", 2);
    balance.expect("undrained", 2, CHANGES)?;
    balance.serves_at(2, TURNS).map(drop)
}

const CHANGES: &str = "an event tells of a change: a backend that is not draining can't be undrained, and \
    one that is draining is not drained again";
