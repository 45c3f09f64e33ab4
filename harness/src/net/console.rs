//! A program's user: what is typed, what is printed, line by line and in order, and how it ends.

use std::cell::{Cell, RefCell};
use std::process::ExitStatus;
use std::rc::Rc;

use super::causes::{AGAIN, BUSY, NO_LINE_END, PANIC};
use super::pattern::Pattern;
use crate::program::describe_exit;
use crate::trial::{Progress, Running, Stall, StallKind, Trial, Verdict};
use crate::words::quote_short;

/// A program under test as its user has it. Each line that it prints is handed out once; the ready
/// line is left out: it is another check's matter.
#[derive(Debug)]
pub struct Console {
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

impl Console {
    /// The console of a program that was started, with its standard input open.
    pub fn new(trial: Trial, running: Rc<Running>) -> Self {
        Self {
            trial,
            running,
            read: Cell::default(),
            ahead: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// The user types a line. A program that does not read it is for what is expected to judge.
    pub fn types(&self, text: &str) {
        self.types_bytes(format!("{text}\n").as_bytes());
    }

    /// The user types these bytes.
    pub fn types_bytes(&self, bytes: &[u8]) {
        let name = &self.running.name;
        self.trial.note(format!("the user of the {name} typed {}", quote_short(bytes, 60)));
        let _ = self.running.program.write_stdin(bytes);
        self.trial.record_program(&self.running, "stdin", || quote_short(bytes, 60));
    }

    /// The user ends standard input.
    pub fn stops_typing(&self) {
        self.trial.note(format!("the user of the {} ended standard input", self.running.name));
        self.running.program.close_stdin();
        self.trial.record_program(&self.running, "stdin", || "its end".into());
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

    /// The next line that has come and that nobody has expected yet, quoted.
    pub fn next_line(&self) -> Option<String> {
        self.take_in();
        self.ahead.borrow().first().map(|line| line_of(line))
    }

    /// Waits until `enough` lines are ahead.
    fn wait_for(&self, enough: usize) -> Verdict<Result<(), Stall>> {
        self.trial.wait(&self.running, || {
            let moved = self.take_in();
            Ok(if self.ahead.borrow().len() >= enough {
                Progress::Done(())
            } else if moved {
                Progress::Moved
            } else {
                Progress::Nothing
            })
        })
    }

    /// Expects this line on standard output next. `*` stands for anything in it.
    pub fn expect_event(&self, event: &str, cause: &str) -> Verdict {
        self.expect_events(&[event], cause)
    }

    /// The line that was expected last.
    pub fn last(&self) -> String {
        self.last.borrow().clone()
    }

    /// Expects these lines next, in any order.
    pub fn expect_events(&self, expected: &[&str], cause: &str) -> Verdict {
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
    pub fn expect_no_event(&self, cause: &str) -> Verdict<bool> {
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

    /// How the program ended, if it has.
    pub fn exited(&self) -> Verdict<Option<ExitStatus>> {
        Ok(self.running.program.exited()?)
    }

    /// Leaves out what is printed until the program is at rest.
    pub fn forget(&self) -> Verdict {
        let _ = self.trial.settle(&self.running)?;
        self.take_in();
        self.ahead.borrow_mut().clear();
        Ok(())
    }

    /// Expects that it ends by itself, with this exit status; `cause` is why it may not.
    pub fn expect_exit(&self, status: i32, cause: &str) -> Verdict {
        let code = Some(status);
        let name = &self.running.name;
        // Its own limit and our backstop are alike, two seconds: wait for both.
        for _ in 0..2 {
            let result = self.trial.wait(&self.running, || Ok(Progress::<()>::Nothing))?;
            let Err(stall) = result else { continue };
            let blame = match stall.kind {
                StallKind::Ended(status) if status.code() == code => {
                    self.trial.note(format!("the {name} ended, {}", describe_exit(status)));
                    return Ok(());
                }
                StallKind::Patience(_) => continue,
                StallKind::Ended(other) => self
                    .trial
                    .fail(format!("the {name} did not end well"))
                    .seen(describe_exit(other)),
                _ => self.trial.fail(format!("the {name} does not end")).seen(stall.sentence(name)),
            };
            let cause = match stall.kind {
                StallKind::Busy => BUSY,
                StallKind::Ended(how) if how.code() == Some(101) => PANIC,
                _ => cause,
            };
            return Err(blame.expected(format!("exit status {status}")).cause(cause).stop());
        }
        Err(self
            .trial
            .fail(format!("the {name} does not end"))
            .expected(format!("exit status {status}, after two seconds at the latest"))
            .seen("after four seconds it still runs")
            .cause(cause)
            .stop())
    }
}

fn line_of(line: &str) -> String {
    if line.is_ascii() {
        quote_short(line.as_bytes(), SHOWN)
    } else {
        // A person reads letters, not bytes.
        format!("{line:?}")
    }
}
