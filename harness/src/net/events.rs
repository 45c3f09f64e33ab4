//! What a program prints on standard output, line by line, in order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::causes::{AGAIN, BUSY, NO_LINE_END, PANIC};
use super::pattern::Pattern;
use crate::program::describe_exit;
use crate::trial::{Progress, Running, Stall, StallKind, Trial, Verdict};
use crate::words::quote_short;

/// The lines of a program's standard output; each is handed out once. The ready line is left
/// out: it is another check's matter.
#[derive(Debug)]
pub(super) struct Events {
    trial: Trial,
    running: Rc<Running>,
    read: Cell<usize>,
    /// Lines that came and that nobody has expected yet.
    ahead: RefCell<Vec<String>>,
    /// The line that was handed out last.
    last: RefCell<String>,
}

const READY: &str = "listening on ";
/// Characters of a line that a sentence shows.
const SHOWN: usize = 100;

impl Events {
    pub(super) fn new(trial: Trial, running: Rc<Running>) -> Self {
        Self {
            trial,
            running,
            read: Cell::default(),
            ahead: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// Takes in whole lines that have come. Returns whether there were any.
    fn take_in(&self) -> bool {
        let bytes = self.running.program.stdout_since(self.read.get());
        let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else { return false };
        self.read.set(self.read.get() + last + 1);
        let text = String::from_utf8_lossy(&bytes[..last]);
        let lines = text.split('\n').filter(|line| !line.starts_with(READY));
        self.ahead.borrow_mut().extend(lines.map(str::to_owned));
        true
    }

    /// Waits until `enough` lines are ahead.
    fn wait_for(&self, enough: usize) -> Verdict<Result<(), Stall>> {
        self.trial.wait(&self.running, || {
            let moved = self.take_in();
            Ok(match self.ahead.borrow().len() >= enough {
                true => Progress::Done(()),
                false if moved => Progress::Moved,
                false => Progress::Nothing,
            })
        })
    }

    /// Expects these lines next, in any order. `*` stands for anything.
    pub(super) fn expect(&self, expected: &[&str], cause: &str) -> Verdict {
        let mut open: Vec<&str> = expected.to_vec();
        while !open.is_empty() {
            let result = self.wait_for(1)?;
            let name = &self.running.name;
            let shown: Vec<_> = open.iter().map(|line| line_of(line)).collect();
            let shown = shown.join(" or ");
            if let Err(stall) = result {
                let rest = self.running.program.stdout_since(self.read.get());
                let headline = match stall.kind {
                    StallKind::Ended(_) => format!("the {name} ended instead of going on"),
                    _ => format!("the {name} did not print what has happened"),
                };
                let blame =
                    self.trial.fail(headline).expected(format!("on standard output: {shown}"));
                let blame = match stall.kind {
                    StallKind::Ended(status) => {
                        blame.seen(format!("the {name} ended, {}", describe_exit(status)))
                    }
                    _ if rest.is_empty() => blame.seen(stall.sentence(name)),
                    _ => blame.seen(format!(
                        "only {}, without a line end; then {}",
                        quote_short(&rest, SHOWN),
                        stall.sentence(name)
                    )),
                };
                let cause = match stall.kind {
                    StallKind::Ended(status) if status.code() == Some(101) => PANIC,
                    StallKind::Busy => BUSY,
                    StallKind::Ended(_) => cause,
                    _ if !rest.is_empty() => NO_LINE_END,
                    _ => cause,
                };
                return Err(blame.cause(cause).stop());
            }
            let line = self.ahead.borrow_mut().remove(0);
            let found = open.iter().position(|one| Pattern::new(one).fits(line.as_bytes()));
            let Some(found) = found else {
                let mut blame = self
                    .trial
                    .fail(format!("the {name} printed another line than expected"))
                    .expected(format!("on standard output: {shown}"))
                    .seen(line_of(&line));
                let pattern = Pattern::new(open[0]);
                if open.len() == 1 && !pattern.is_free() && pattern.begins_like(line.as_bytes()) {
                    blame = blame.difference(open[0].as_bytes(), line.as_bytes());
                }
                let again = *self.last.borrow() == line;
                return Err(blame.cause(if again { AGAIN } else { cause }).stop());
            };
            open.remove(found);
            self.last.replace(line.clone());
            self.trial.note(format!("the {name} printed {}", line_of(&line)));
        }
        Ok(())
    }

    /// Expects that nothing more is printed, once the program is at rest. Returns whether it is.
    pub(super) fn expect_none(&self, cause: &str) -> Verdict<bool> {
        let rest = self.trial.settle(&self.running)?.is_ok();
        self.take_in();
        let name = &self.running.name;
        let Some(line) = self.ahead.borrow().first().cloned() else {
            self.trial.note(format!("the {name} printed nothing more"));
            return Ok(rest);
        };
        Err(self
            .trial
            .fail(format!("the {name} printed something that did not happen"))
            .expected("nothing more on standard output")
            .seen(line_of(&line))
            .cause(cause)
            .stop())
    }

    /// Leaves out what is printed until the program is at rest.
    pub(super) fn forget(&self) -> Verdict {
        let _ = self.trial.settle(&self.running)?;
        self.take_in();
        self.ahead.borrow_mut().clear();
        Ok(())
    }
}

fn line_of(line: &str) -> String {
    match line.is_ascii() {
        true => quote_short(line.as_bytes(), SHOWN),
        // A person reads letters, not bytes.
        false => format!("{line:?}"),
    }
}
