//! Who is slow to greet is given up: the limit is for a whole greeting, however it comes.

use std::time::Duration;

use crate::net::Lines;
use crate::trial::{Trial, Verdict};

/// Between two bytes of a greeting that dribbles: less than the shortest limit for a greeting.
const PAUSE: Duration = Duration::from_millis(300);
/// After so many pauses everybody's time is over, also in a program that does not know `LAB_TEMPO`:
/// half as much again as the contract has.
const ENOUGH: usize = 25;
/// After so many pauses more, the one who came before bob must have been given up where bob was.
const GRACE: usize = 5;

/// The most bytes that dribble.
pub(crate) const DRIBBLE: usize = ENOUGH + GRACE;
/// Why a connection is expected to be closed on which nobody greets.
pub(crate) const GIVES_UP: &str = "a connection on which nobody greets must not be kept for ever: give each read what is \
    left of the 5 s, and stop when they are over";
const ONE_LIMIT: &str = "the limit is for the whole greeting: a read may only wait for what is left of it, however \
    many bytes have come";

/// Three who have a connection with a program, and have not greeted it.
pub(crate) struct SlowToGreet<'a> {
    /// She has called, and will send a byte of her greeting now and then.
    pub(crate) carol: &'a mut Lines,
    /// What she will send of it: never all, and nothing that is answered.
    pub(crate) greeting: &'a [u8],
    /// He has called so much later, and says nothing.
    pub(crate) bob: &'a mut Lines,
    pub(crate) later: Duration,
    /// He was dialled, and says nothing.
    pub(crate) dave: &'a mut Lines,
}

impl SlowToGreet<'_> {
    /// Expects that each connection is closed when the time for a whole greeting is over. `rest` waits until
    /// the program has come to rest.
    pub(crate) fn are_given_up(self, t: &Trial, rest: impl Fn() -> Verdict) -> Verdict {
        let Self { carol, greeting, bob, later, dave } = self;
        let program = carol.program();
        t.note("bob and dave say nothing; carol sends a byte of her greeting now and then");
        let mut bytes = greeting.iter();
        let (mut waits, mut grace) = (ENOUGH, GRACE);
        while carol.ended().is_none() && waits > 0 && grace > 0 {
            t.let_pass(PAUSE);
            // However busy this machine is, the program has had the time to do what it is going to do.
            rest()?;
            carol.take_in()?;
            bob.take_in()?;
            if bob.ended().is_some() {
                grace -= 1;
            } else {
                waits -= 1;
            }
            // The last bytes are kept for when it matters.
            if (bob.ended().is_some() || bytes.len() > GRACE)
                && let Some(byte) = bytes.next()
            {
                let _ = carol.put(&[*byte])?;
            }
        }
        if bob.ended().is_none() && carol.ended().is_none() {
            return Err(t
                .fail(format!("the {program} waits for ever for a greeting"))
                .expected("each connection is closed when the time for a whole greeting is over")
                .seen(format!("after {:.1} seconds all of them are still open", after(ENOUGH)))
                .cause(GIVES_UP)
                .stop());
        }
        if carol.ended().is_none() {
            return Err(t
                .fail(format!("the {program} waits for ever for a greeting that dribbles"))
                .expected("carol's connection is closed when the time for a whole greeting is over")
                .seen(format!(
                    "{:.1} seconds after bob's was, who came later, hers is still open",
                    after(GRACE - 1)
                ))
                .cause(ONE_LIMIT)
                .stop());
        }
        carol.expect_closed(ONE_LIMIT)?;
        // Bob came so much later than she did, and his time is over so much later at most.
        t.allow_waiting(later);
        bob.expect_closed(GIVES_UP)?;
        dave.expect_closed(GIVES_UP)
    }
}

/// So many pauses, in seconds.
fn after(pauses: usize) -> f64 {
    PAUSE.as_secs_f64() * pauses as f64
}
