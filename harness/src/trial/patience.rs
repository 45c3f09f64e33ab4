//! The one deadline: a backstop for what the kernel can't tell, and never a matter of luck.
//!
//! Time is charged look by look, and no look is charged more than `MOST_A_LOOK`. A harness
//! that did not get the processor for a second has not been patient for a second; one that has
//! looked at three hundred processes for a second has been.

use std::time::{Duration, Instant};

use super::Trial;
use crate::kernel;

/// How long nothing may happen, in the harness's own looks.
const BACKSTOP: Duration = Duration::from_secs(2);
/// Processor time that a program may use without anything to show for it. A virtual machine, which
/// compiles meanwhile what its first clients need, has used 300.
const BUSY: Duration = Duration::from_millis(600);
/// The same for one that starts: an interpreter, or a virtual machine, has a lot to do first, and a
/// program that looks at each of 131,137 pieces needs more than a second.
const BUSY_AT_START: Duration = Duration::from_secs(2);
const MOST_A_LOOK: Duration = Duration::from_millis(20);

/// How much longer the harness waits.
#[derive(Debug)]
pub(super) struct Patience {
    spent: Duration,
    last_look: Instant,
    /// The harness's own processor time at that look.
    used: Duration,
    limit: Duration,
    busy: Duration,
    factor: f64,
}

impl Patience {
    /// For a program that may wait by itself for `allowance`.
    pub(super) fn new(allowance: Duration) -> Self {
        let (limit, last_look) = (BACKSTOP + allowance, Instant::now());
        let (spent, used) = (Duration::ZERO, kernel::own_processor_time());
        Self { spent, last_look, used, limit, busy: BUSY, factor: factor() }
    }

    /// The same for the start of a program.
    pub(super) fn for_a_start(allowance: Duration) -> Self {
        Self { busy: BUSY_AT_START, ..Self::new(allowance) }
    }

    /// How long the harness waits in all, as it tells it: whole seconds, rounded down.
    pub(super) fn limit(&self) -> Duration {
        self.limit.mul_f64(self.factor)
    }

    /// Something happened: wait afresh.
    pub(super) fn renew(&mut self) {
        self.spent = Duration::ZERO;
    }

    /// The time since the last look was not spent waiting.
    pub(super) fn excuse(&mut self) {
        self.last_look = Instant::now();
        self.used = kernel::own_processor_time();
    }

    /// Charges the time since the last look. `working`: the program runs, or would run if it got a
    /// processor. Then only its processor time counts: how much of it there is in a second is the
    /// machine's matter.
    pub(super) fn charge(&mut self, working: bool) {
        let (elapsed, used) = (self.last_look.elapsed(), self.used);
        self.excuse();
        if !working {
            self.spent += elapsed.min(MOST_A_LOOK).max(self.used.saturating_sub(used));
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.spent > self.limit()
    }

    pub(super) fn is_busy(&self, cpu_ns: u64) -> bool {
        Duration::from_nanos(cpu_ns) > self.busy.mul_f64(self.factor)
    }
}

impl Trial {
    /// From now on a blocked socket call may give up by itself: `/proc` does not show the
    /// time-outs of sockets (SO_SNDTIMEO, SO_RCVTIMEO). So nothing but the backstop ends waiting,
    /// and it counts all delays of one wait together: two seconds in all, not two for each.
    pub fn allow_time_outs(&self) {
        self.0.time_outs.set(true);
    }

    /// The same for a program that waits, by its contract, for so long in all: between two tries,
    /// or until it gives up on somebody. Half as much again is right, too. It is real time, whatever
    /// `LAB_TEMPO` asks for: a program that does not know that variable is as right, and slower.
    pub fn allow_waiting(&self, by_contract: Duration) {
        self.allow_time_outs();
        self.0.allowance.set(by_contract + by_contract / 2);
    }
}

/// `LAB_PATIENCE`: 1 unless set; for very slow machines, and for programs under a debugger.
pub fn factor() -> f64 {
    let set = std::env::var("LAB_PATIENCE").ok().and_then(|text| text.parse().ok());
    set.filter(|factor| (0.1..=1000.0).contains(factor)).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_may_wait_by_its_contract_has_so_much_longer() {
        let charged = |allowance| {
            let mut patience = Patience::new(allowance);
            patience.spent = BACKSTOP.mul_f64(patience.factor) + Duration::from_millis(1);
            patience.is_over()
        };
        assert!(charged(Duration::ZERO));
        assert!(!charged(Duration::from_millis(1750)));
    }

    #[test]
    fn a_look_that_the_harness_did_not_get_to_is_not_charged_whole() {
        let mut patience = Patience::new(Duration::ZERO);
        patience.last_look -= Duration::from_secs(60);
        patience.charge(false);
        assert!(patience.spent <= MOST_A_LOOK);
    }
}
