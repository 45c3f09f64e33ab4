//! The one deadline: a backstop for what the kernel can't tell, and never a matter of luck.
//!
//! Time is charged look by look, and no look is charged more than [`MOST_A_LOOK`]. A harness
//! that did not get the processor for a second has not been patient for a second.

use std::time::{Duration, Instant};

/// How long nothing may happen, in the harness's own looks.
const BACKSTOP: Duration = Duration::from_secs(2);
/// Processor time that a program may use without anything to show for it.
const BUSY: Duration = Duration::from_millis(300);
const MOST_A_LOOK: Duration = Duration::from_millis(20);

/// How much longer the harness waits.
#[derive(Debug)]
pub(super) struct Patience {
    spent: Duration,
    last_look: Instant,
    factor: f64,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { spent: Duration::ZERO, last_look: Instant::now(), factor: factor() }
    }

    /// Something happened: wait afresh.
    pub(super) fn renew(&mut self) {
        self.spent = Duration::ZERO;
    }

    /// The time since the last look was not spent waiting.
    pub(super) fn excuse(&mut self) {
        self.last_look = Instant::now();
    }

    /// Charges the time since the last look. `starved`: the program was ready to run and did
    /// not get a processor, which is not its fault.
    pub(super) fn charge(&mut self, starved: bool) {
        let now = Instant::now();
        if !starved {
            self.spent += now.duration_since(self.last_look).min(MOST_A_LOOK);
        }
        self.last_look = now;
    }

    pub(super) fn is_over(&self) -> bool {
        self.spent > BACKSTOP.mul_f64(self.factor)
    }

    pub(super) fn is_busy(&self, cpu_ns: u64) -> bool {
        Duration::from_nanos(cpu_ns) > BUSY.mul_f64(self.factor)
    }
}

/// `LAB_PATIENCE`: 1 unless set; for very slow machines, and for programs under a debugger.
fn factor() -> f64 {
    let set = std::env::var("LAB_PATIENCE").ok().and_then(|text| text.parse().ok());
    set.filter(|factor| (0.1..=1000.0).contains(factor)).unwrap_or(1.0)
}
