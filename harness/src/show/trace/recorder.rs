//! The recorder of a trial, and the hooks that tell it what the harness does.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use super::act::{Act, acted, head, step};
use super::change::{self, Change};
use super::datagrams;
use super::syscalls::Syscalls;
use super::view::{Pair, View};
use super::{Event, Known, Recording, SHOWN, Socket};
use crate::kernel::Process;
use crate::trial::{DatagramAct, End, Observer, Running, Still, Trial};
use crate::words::{count, quote_short};

/// Records a trial.
#[derive(Debug, Default)]
pub(crate) struct Recorder(RefCell<Tape>);

#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) steps: Vec<Event>,
    notes: Vec<String>,
    links: Vec<Pair>,
    /// The harness's own sockets for datagrams, by the reader's names for them.
    pub(super) askers: Vec<(String, SocketAddr)>,
    /// What the harness has read since the last look: the link, and how many bytes.
    heard: Option<Heard>,
    syscalls: Option<Syscalls>,
    pub(super) last: View,
    /// How much each program had printed, in the order of their starts.
    printed: Vec<[usize; 2]>,
}

#[derive(Debug)]
struct Heard {
    link: usize,
    bytes: Vec<u8>,
    /// How the stream ended.
    end: Option<End>,
}

/// A recording of more steps than that helps nobody.
const MOST_STEPS: usize = 400;
/// More can fill the queues, and then the program has to read.
const FITS: usize = 4096;
/// An acknowledgement can be delayed by 40 ms and more (RFC 9293 section 3.8.6.3).
const ACKNOWLEDGED: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(2);

impl Recorder {
    /// Records system calls too, where strace can.
    pub(crate) fn new(syscalls: bool) -> Self {
        let mut tape = Tape::default();
        if syscalls {
            match Syscalls::new() {
                Ok(syscalls) => tape.syscalls = Some(syscalls),
                Err(why) => tape.notes.push(format!("no system calls: {why}")),
            }
        }
        Self(RefCell::new(tape))
    }

    /// What was recorded.
    pub(crate) fn recording(&self, id: &str, title: &str) -> Recording {
        let tape = self.0.borrow();
        let mut notes = tape.notes.clone();
        if tape.steps.len() >= MOST_STEPS {
            notes.push(format!("only the first {MOST_STEPS} steps were recorded"));
        }
        let steps = with_closed(tape.steps.clone());
        Recording { id: id.to_owned(), title: title.to_owned(), steps, notes }
    }
}

impl Tape {
    pub(super) fn push(&mut self, step: Event) {
        if self.steps.len() < MOST_STEPS {
            self.steps.push(step);
        }
    }

    fn link(&self, here: SocketAddr, there: SocketAddr) -> Option<usize> {
        self.links.iter().rposition(|link| link.here == here && link.there == there)
    }

    /// The view, and from now on the last one. A program that is on its way from one call to the next
    /// is looked at again, for a while: what it is doing is the call that it comes to.
    pub(super) fn look(&mut self, trial: &Trial) -> View {
        let (names, began) = (trial.names(), Instant::now());
        let take = || View::take(&trial.running(), &self.links, &self.askers, &names);
        let mut view = take();
        while view.is_running() && began.elapsed() < ACKNOWLEDGED {
            thread::sleep(PAUSE);
            view = take();
        }
        self.last = view.clone();
        view
    }

    /// Adds what a step has brought about: the program's own steps, and the view behind them.
    pub(super) fn settle(&mut self, trial: &Trial, before: &View) {
        let after = self.look(trial);
        let mut calls = self.syscalls.as_mut().map(Syscalls::take).unwrap_or_default();
        for (program, address) in after.new_listeners(before) {
            let text = format!("on {address}");
            let end = calls.iter().position(|call| call.starts_with("listen("));
            let rest = calls.split_off(end.map_or(0, |end| end + 1));
            let own = std::mem::replace(&mut calls, rest);
            self.push(Event { calls: own, ..step(&program, "bind, listen", text, Known::Kernel) });
        }
        for step in datagrams::between(before, &after, &self.askers) {
            self.push(step);
        }
        let changes = change::between(before, &after, &self.links);
        for change in changes {
            let step = self.told(change);
            self.push(step);
        }
        self.printed(trial);
        if let Some(last) = self.steps.last_mut() {
            (last.sockets, last.doing) = (after.sockets(), after.doing);
            last.calls.extend(calls);
        }
    }

    /// Adds what the programs have printed since the last time.
    fn printed(&mut self, trial: &Trial) {
        for (index, running) in trial.running().iter().enumerate() {
            if self.printed.len() <= index {
                self.printed.push([0; 2]);
            }
            let streams = [running.program.stdout(), running.program.stderr()];
            for (stream, (call, captured)) in ["stdout", "stderr"].iter().zip(streams).enumerate() {
                let new = captured.head.get(self.printed[index][stream]..).unwrap_or_default();
                if !new.is_empty() {
                    self.push(step(&running.name, call, quote_short(new, SHOWN), Known::Done));
                    self.printed[index][stream] = captured.head.len();
                }
            }
        }
    }

    fn told(&self, change: Change) -> Event {
        let Pair { name, program, .. } = &self.links[change.link];
        Event {
            to: change.reaches.then(|| name.clone()),
            packets: change.packets.into(),
            length: change.length,
            ..step(program, change.call, change.text, change.known)
        }
    }

    /// Turns what was heard into a step, with the view behind it.
    pub(super) fn flush(&mut self, trial: &Trial) {
        let Some(Heard { link, bytes, end }) = self.heard.take() else { return };
        let name = self.links[link].name.clone();
        if !bytes.is_empty() {
            self.fill_in(link, &bytes);
            let text = count(bytes.len());
            let mut read = step(&name, "read", text, Known::Done);
            (read.length, read.bytes) = (bytes.len(), head(&bytes));
            self.push(read);
        }
        if let Some(how) = end {
            let what = match how {
                End::Stream => "0 bytes: the end of the stream",
                End::Reset => "the error ConnectionReset",
            };
            self.push(step(&name, "read", what.to_owned(), Known::Done));
        }
        let view = self.look(trial);
        if let Some(last) = self.steps.last_mut() {
            (last.sockets, last.doing) = (view.sockets(), view.doing);
        }
    }

    /// What the program wrote was counted before anybody read it: now its bytes are known.
    fn fill_in(&mut self, link: usize, bytes: &[u8]) {
        let Pair { name, program, .. } = &self.links[link];
        let mut rest = bytes;
        let unread = |step: &&mut Event| {
            step.by == *program && step.to.as_ref() == Some(name) && step.call == "write"
        };
        let open = self.steps.iter_mut().filter(unread);
        for step in open.filter(|step| step.bytes.is_empty() && step.length > 0) {
            let (own, behind) = rest.split_at(rest.len().min(step.length));
            step.bytes = head(own);
            rest = behind;
        }
    }
}

/// A connection that has gone is told of once, as closed: the kernel does not show it any more.
fn with_closed(mut steps: Vec<Event>) -> Vec<Event> {
    let mut known: Vec<Socket> = Vec::new();
    for step in steps.iter_mut().filter(|step| !step.sockets.is_empty()) {
        let is_there = |old: &Socket| {
            step.sockets.iter().any(|new| new.local == old.local && new.remote == old.remote)
        };
        let gone = known.iter().filter(|old| old.remote.is_some() && !is_there(old)).cloned();
        let gone: Vec<Socket> = gone.map(Socket::closed).collect();
        known = step.sockets.clone();
        step.sockets.extend(gone);
    }
    steps
}

impl Observer for Recorder {
    fn wrap(&self, command: Command) -> Command {
        match &self.0.borrow().syscalls {
            Some(syscalls) => syscalls.wrap(command),
            None => command,
        }
    }

    fn folder(&self) -> Option<PathBuf> {
        self.0.borrow().syscalls.as_ref().map(|syscalls| syscalls.folder().to_owned())
    }

    fn heard(&self, trial: &Trial) {
        self.0.borrow_mut().flush(trial);
    }

    fn before(&self, trial: &Trial, running: &Rc<Running>, bytes: usize) -> Still {
        let mut tape = self.0.borrow_mut();
        tape.flush(trial);
        // A traced program is stopped by its tracer as it is.
        let still = bytes <= FITS && tape.syscalls.is_none() && hold(running);
        Still(still.then(|| Rc::clone(running)))
    }

    fn after(
        &self,
        trial: &Trial,
        still: Still,
        running: &Rc<Running>,
        (name, here, there): (&str, SocketAddr, SocketAddr),
        act: Act<'_>,
    ) {
        let mut tape = self.0.borrow_mut();
        if matches!(act, Act::Connect | Act::Accept) {
            let (name, program) = (name.to_owned(), running.name.clone());
            tape.links.push(Pair { name, program, here, there, dials: matches!(act, Act::Accept) });
        }
        let Some(link) = tape.link(here, there) else { return };
        let reading = tape.last.is_reading_from(name);
        wait_for_acknowledgement(&mut tape, trial);
        let mut before = tape.look(trial);
        if still.0.is_some() {
            before.doing.clear();
        }
        if let Some(start) = tape.steps.last_mut().filter(|step| step.call == "start") {
            // What it was seen in then was this connection already.
            start.doing.clear();
        }
        for done in acted(&tape.links[link], act) {
            tape.push(done);
        }
        if let Some(last) = tape.steps.last_mut() {
            (last.sockets, last.doing) = (before.sockets(), before.doing.clone());
        }
        drop(still);
        // What does not come to rest is as it is when it is looked at.
        let _ = trial.settle(running);
        wait_for_acknowledgement(&mut tape, trial);
        if matches!(act, Act::Reset) && reading {
            let what = "the error ConnectionReset".to_owned();
            tape.push(step(&running.name, "read", what, Known::Inferred));
        }
        tape.settle(trial, &before);
    }

    fn read(
        &self,
        trial: &Trial,
        (here, there): (SocketAddr, SocketAddr),
        bytes: &[u8],
        end: Option<End>,
    ) {
        let mut tape = self.0.borrow_mut();
        let Some(link) = tape.link(here, there) else { return };
        if tape.heard.as_ref().is_some_and(|heard| heard.link != link) {
            tape.flush(trial);
        }
        let heard = tape.heard.get_or_insert(Heard { link, bytes: Vec::new(), end: None });
        heard.bytes.extend_from_slice(bytes);
        heard.end = heard.end.or(end);
    }

    fn datagram(&self, trial: &Trial, still: Still, on: &Rc<Running>, act: DatagramAct<'_>) {
        self.0.borrow_mut().datagram(trial, still, on, act);
    }

    fn datagram_read(&self, trial: &Trial, at: (&str, SocketAddr), from: SocketAddr, bytes: &[u8]) {
        self.0.borrow_mut().datagram_read(trial, at, from, bytes);
    }

    fn datagram_lost(&self) {
        self.0.borrow_mut().datagram_lost();
    }

    fn program(&self, trial: &Trial, running: &Running, call: &str, text: String) {
        let mut tape = self.0.borrow_mut();
        tape.flush(trial);
        let before = tape.last.clone();
        tape.push(step(&running.name, call, text, Known::Done));
        let _ = trial.settle(running);
        wait_for_acknowledgement(&mut tape, trial);
        tape.settle(trial, &before);
    }
}

/// Stops a program (SIGSTOP) and waits until all of its threads are; `false` where that fails.
fn hold(running: &Running) -> bool {
    let pid = running.program.pid();
    let states = || {
        Process::read(pid)
            .map(|process| process.threads.iter().map(|thread| thread.state).collect::<Vec<_>>())
    };
    // A check may have stopped it itself, and will want it to stay so.
    let runs =
        states().is_some_and(|states| states.iter().all(|state| !matches!(state, 'T' | 't')));
    if !runs || running.program.signal("STOP").is_err() {
        return false;
    }
    let began = Instant::now();
    while began.elapsed() < ACKNOWLEDGED {
        if states().is_none_or(|states| states.iter().all(|state| *state == 'T')) {
            return true;
        }
        thread::sleep(PAUSE);
    }
    true
}

/// Looks until nothing is on its way, or for as long as an acknowledgement can be delayed.
fn wait_for_acknowledgement(tape: &mut Tape, trial: &Trial) {
    let began = Instant::now();
    while began.elapsed() < ACKNOWLEDGED {
        if !tape.look(trial).is_on_its_way() {
            return;
        }
        thread::sleep(PAUSE);
    }
}
