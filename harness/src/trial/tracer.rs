//! strace, attached to a program that runs: which system calls it makes and in which order, or its
//! death at one of them.
//!
//! It comes when the program is where the check wants it, so what the program has done until then
//! neither counts nor is seen.

use std::io::{self, Read};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::{InFlight, Running, Stop, Trial, Verdict};
use crate::sync::lock;

/// strace, for as long as this lives.
#[derive(Debug)]
pub struct Tracer {
    trial: Trial,
    strace: Arc<Strace>,
    reader: Option<JoinHandle<()>>,
}

/// What it is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// Show these calls, a list as strace has it: `fsync,rename`. Descriptors come with the paths
    /// of their files.
    Show(&'a str),
    /// Kill the program (SIGKILL) when one of its threads enters this call for this time, which is
    /// then not carried out: `("fsync", 2)`. Each thread counts for itself, from the moment that
    /// strace is there, and a call that it is blocked in then counts.
    KillAt(&'a str, usize),
}

/// A call that strace has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its thread, where there are several.
    pub thread: Option<u32>,
    /// Its name: `fsync`.
    pub name: String,
    /// All of it: `fsync(5</spool/a>) = 0`. What another thread interrupts has no end.
    pub text: String,
}

#[derive(Debug)]
struct Strace {
    child: Mutex<Child>,
    said: Mutex<Vec<u8>>,
}

impl Trial {
    /// Attaches strace to all threads of a program. Where strace can't do that the check is
    /// skipped.
    pub fn trace(&self, running: &Running, order: Order<'_>) -> Verdict<Tracer> {
        let pids: Vec<_> = self.look(running)?.processes.iter().map(|it| it.pid).collect();
        self.trace_all(&pids, order)
    }

    fn trace_all(&self, pids: &[u32], order: Order<'_>) -> Verdict<Tracer> {
        let mut command = Command::new("strace");
        command.args(["-f", "-s", "512", "-e", "signal=none"]);
        match order {
            Order::Show(calls) => command.arg("-y").arg("-e").arg(format!("trace={calls}")),
            Order::KillAt(call, number) => {
                command.arg("-e").arg(format!("inject={call}:signal=KILL:when={number}"))
            }
        };
        for pid in pids {
            command.arg("-p").arg(pid.to_string());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Stop::Skip("strace is not installed".into()),
            _ => Stop::Fault(format!("strace: {error}")),
        })?;
        let stderr = child.stderr.take();
        let strace = Arc::new(Strace { child: Mutex::new(child), said: Mutex::default() });
        let reader = stderr.map(|stderr| {
            let strace = Arc::clone(&strace);
            thread::spawn(move || strace.listen(stderr))
        });
        let tracer = Tracer { trial: self.clone(), strace, reader };
        self.add_in_flight(Arc::clone(&tracer.strace) as Arc<dyn InFlight>);
        tracer.wait_until_attached(pids.len())?;
        Ok(tracer)
    }
}

impl Tracer {
    /// A process of the program may end just before strace comes to it: strace says so, and goes on
    /// with the others. Where it has reached none, it ends.
    fn wait_until_attached(&self, processes: usize) -> Verdict {
        let attached = self.trial.look_until(|| {
            let said = self.text();
            let [reached, missed] = [ATTACHED, MISSED].map(|word| said.matches(word).count());
            if reached > 0 && reached + missed >= processes {
                return Ok(Some(true));
            }
            Ok(self.strace.has_ended()?.then_some(false))
        })?;
        match attached {
            Some(true) => Ok(()),
            Some(false) => {
                let words = self.text();
                let last = words.lines().last().unwrap_or("it ended").to_owned();
                Err(Stop::Skip(format!("strace may not trace here ({last})")))
            }
            None => Err(Stop::Fault(format!(
                "strace does not get to all {processes} processes of the program: {:?}",
                self.text()
            ))),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.strace.said)).into_owned()
    }

    /// What strace has shown so far, in the order in which the calls began.
    pub fn shown(&self) -> Vec<Shown> {
        self.text().lines().filter_map(Shown::parse).collect()
    }

    /// Waits until this holds of all that it has shown; whether it does.
    pub fn wait_until(&self, holds: impl Fn(&[Shown]) -> bool) -> Verdict<bool> {
        let seen = self.trial.look_until(|| {
            let seen = holds(&self.shown());
            let over = self.strace.has_ended()?;
            Ok((seen || over).then_some(seen))
        })?;
        Ok(seen.unwrap_or(false))
    }

    /// Detaches it; all that it has shown.
    pub fn end(mut self) -> Verdict<Vec<Shown>> {
        self.detach()?;
        Ok(self.shown())
    }

    /// The end of a tracer lets go of all that it traces. Not by SIGTERM: strace then waits for the
    /// first thread of a program that dies, whose other threads wait for strace.
    fn detach(&mut self) -> io::Result<()> {
        let mut child = lock(&self.strace.child);
        child.kill()?;
        child.wait()?;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Ok(())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if self.reader.is_some() {
            // Nobody is left to tell of an error.
            let _ = self.detach();
        }
    }
}

impl Strace {
    fn listen(&self, mut stderr: ChildStderr) {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut piece) {
            lock(&self.said).extend_from_slice(&piece[..count]);
        }
    }

    fn has_ended(&self) -> io::Result<bool> {
        Ok(lock(&self.child).try_wait()?.is_some())
    }
}

impl InFlight for Strace {
    /// A thread that it has stopped looks as if it stood still.
    fn is_at_rest(&self) -> bool {
        self.has_ended().unwrap_or(true)
    }

    fn tell(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Shown {
    /// Reads a line of strace's: `[pid 17] fsync(5) = 0`. The rest of a call that was interrupted
    /// (`<... fsync resumed>`), signals, and what strace says of itself are no calls.
    fn parse(line: &str) -> Option<Self> {
        let (thread, text) = match line.strip_prefix("[pid ").and_then(|it| it.split_once("] ")) {
            Some((thread, text)) => (thread.trim().parse().ok(), text),
            None => (None, line),
        };
        let (name, _) = text.split_once('(')?;
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = !name.is_empty() && name.bytes().all(fine);
        is_name.then(|| Self { thread, name: name.to_owned(), text: text.to_owned() })
    }
}

/// What strace says of each process that it has reached.
const ATTACHED: &str = " attached";
/// What it says of each that it can't reach: `attach: ptrace(PTRACE_SEIZE, 17): No such process`.
const MISSED: &str = "attach: ptrace(";

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::program::Stdin;
    use crate::trial::{Addresses, Needs};

    #[test]
    fn calls_are_told_from_what_else_strace_says() {
        for (line, call) in [
            ("[pid    17] fsync(5</a>) = 0", Some((Some(17), "fsync", "fsync(5</a>) = 0"))),
            (
                "rename(\"a\" <unfinished ...>",
                Some((None, "rename", "rename(\"a\" <unfinished ...>")),
            ),
            ("<... fsync resumed>) = 0", None),
            ("strace: Process 17 attached with 2 threads", None),
            ("--- SIGCHLD {si_signo=SIGCHLD} ---", None),
            ("+++ killed by SIGKILL +++", None),
        ] {
            let shown = Shown::parse(line);
            let seen = shown.as_ref().map(|it| (it.thread, it.name.as_str(), it.text.as_str()));
            assert_eq!(seen, call, "{line}");
        }
    }

    /// `cat`, which waits for its standard input.
    fn cat() -> (Trial, Rc<Running>) {
        let trial = Trial::new(Vec::new(), Addresses::shared(), Needs::UpTo(1));
        let cat = trial.start_command("cat", Command::new("cat"), "cat", Stdin::Piped).unwrap();
        trial.settle(&cat).unwrap().unwrap();
        (trial, cat)
    }

    fn unless_skipped(tracer: Verdict<Tracer>) -> Option<Tracer> {
        match tracer {
            Ok(tracer) => Some(tracer),
            Err(Stop::Skip(why)) => {
                println!("skipped: {why}");
                None
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// `cat`, and strace attached to it.
    fn traced(order: Order<'_>) -> Option<(Rc<Running>, Tracer)> {
        let (trial, cat) = cat();
        let tracer = trial.trace(&cat, order);
        unless_skipped(tracer).map(|tracer| (cat, tracer))
    }

    #[test]
    fn what_a_program_does_from_then_on_is_shown_in_its_order() {
        let Some((cat, tracer)) = traced(Order::Show("read,write")) else { return };
        // The read that it is blocked in when strace comes may be seen, or not.
        let written = |calls: &[Shown], text| {
            calls.iter().position(|call| call.name == "write" && call.text.contains(text))
        };
        for text in ["hello", "again"] {
            cat.program.write_stdin(text.as_bytes()).unwrap();
            assert!(tracer.wait_until(|calls| written(calls, text).is_some()).unwrap());
        }
        let calls = tracer.end().unwrap();
        let [first, second] = ["hello", "again"].map(|text| written(&calls, text).unwrap());
        let between: Vec<&str> =
            calls[first + 1..second].iter().map(|call| call.name.as_str()).collect();
        assert_eq!(between, ["read"], "{calls:?}");
    }

    #[test]
    fn a_process_that_has_just_ended_is_not_waited_for() {
        let (trial, cat) = cat();
        let mut gone = Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let pids = [trial.look(&cat).unwrap().processes[0].pid, gone.id()];
        let Some(tracer) = unless_skipped(trial.trace_all(&pids, Order::Show("write"))) else {
            return;
        };
        cat.program.write_stdin(b"hello\n").unwrap();
        assert!(tracer.wait_until(|calls| !calls.is_empty()).unwrap());
    }

    #[test]
    fn a_program_dies_at_the_call_of_that_number() {
        let Some((cat, tracer)) = traced(Order::KillAt("write", 1)) else { return };
        cat.program.write_stdin(b"hello\n").unwrap();
        let trial = tracer.trial.clone();
        trial.look_until(|| Ok(cat.program.exited()?)).unwrap().unwrap();
        assert_eq!(cat.program.stdout_len(), 0, "the call was not carried out");
        assert_eq!(tracer.end().unwrap().last().unwrap().name, "write");
    }
}
