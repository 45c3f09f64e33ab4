//! One trial: one check carried out on freshly started programs.
//!
//! A check is a short function over the verbs of this module and of [`crate::net`]. Each verb
//! notes what it did, so that a failure can tell the whole story, and ends the check by itself
//! (with `?`) when the program does not do its part.

mod addresses;
mod control;
mod failure;
mod folder;
mod freeze;
mod observe;
pub mod patience;
mod scratch;
mod tracer;
mod unwritten;
mod view;
mod wait;

use std::cell::{Cell, Ref, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub use addresses::Addresses;
pub use failure::FailureBuilder;
pub(crate) use folder::Folder;
pub use folder::remove_all;
pub use observe::End;
pub(crate) use observe::{Act, DatagramAct, Observer, Still};
pub use scratch::{Listing, Scratch};
pub use tracer::{Order, Shown, Tracer};
pub use unwritten::{Needs, Unwritten};
pub use wait::{Progress, Stall, StallKind};

use crate::kernel::{Names, Snapshot};
use crate::program::{Given, Output, Program, Stdin, Template};
use crate::verdict::Failure;
use control::Start;

/// What a check comes to: `Ok` is a pass.
pub type Verdict<T = ()> = Result<T, Stop>;

/// Why a check ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// The program did something wrong.
    Fail(Box<Failure>),
    /// A step that the check needs is not written.
    Unwritten(Unwritten),
    /// This system can't show what the check needs; the reason.
    Skip(String),
    /// The harness could not do its job; what went wrong.
    Fault(String),
}

impl From<std::io::Error> for Stop {
    /// An error of a call that the harness made for itself.
    fn from(error: std::io::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

impl Stop {
    /// The same with a likelier cause, where the program did something wrong.
    pub fn because(mut self, cause: &str) -> Self {
        if let Self::Fail(failure) = &mut self {
            failure.cause = vec![cause.to_owned()];
        }
        self
    }

    /// The same failure, marked as one that shows the mistake itself: see [`Failure::telling`].
    pub fn telling(mut self) -> Self {
        if let Self::Fail(failure) = &mut self {
            failure.telling = true;
        }
        self
    }

    /// Whether one of these was said to be the cause.
    pub fn has_cause(&self, causes: &[&str]) -> bool {
        let said =
            |failure: &Failure| failure.cause.iter().any(|one| causes.contains(&one.as_str()));
        matches!(self, Self::Fail(failure) if said(failure))
    }

    /// The same with the place that the failure belongs to before its headline.
    pub fn at(mut self, place: &str) -> Self {
        match &mut self {
            Self::Fail(failure) => failure.headline = format!("{place}: {}", failure.headline),
            Self::Fault(what) => *what = format!("{place}: {what}"),
            Self::Unwritten(_) | Self::Skip(_) => {}
        }
        self
    }
}

/// What stands between programs under test, and passes on what they send.
pub(crate) trait InFlight: std::fmt::Debug {
    /// Whether nothing is under way in it.
    fn is_at_rest(&self) -> bool;
    /// What it has carried so far, in sentences.
    fn tell(&self) -> Vec<String>;
}

/// A program that a trial has started.
#[derive(Debug)]
pub struct Running {
    /// What the reader calls it: `server`.
    pub name: String,
    /// The process.
    pub program: Program,
    /// How it was started; `None` for a command of its own.
    start: Option<Start>,
}

/// The stage of one trial. Handles share it: cloning is cheap.
#[derive(Clone, Debug)]
pub struct Trial(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The programs under test, by the reader's name for them.
    templates: Vec<(String, Template)>,
    addresses: Addresses,
    needs: Needs,
    log: RefCell<Vec<String>>,
    names: RefCell<Names>,
    running: RefCell<Vec<Rc<Running>>>,
    counter: RefCell<u32>,
    /// Whether the last waiting ended with a program that keeps the processor busy.
    busy: Cell<bool>,
    time_outs: Cell<bool>,
    /// What becomes of the standard output of the next program.
    output: Cell<Output>,
    /// How long a program may wait by its contract, on top of the backstop.
    allowance: Cell<Duration>,
    /// What stands between programs.
    in_flight: RefCell<Vec<Arc<dyn InFlight>>>,
    /// Below the programs, which are dropped first: nobody works in a folder when it is removed.
    folders: RefCell<Vec<Rc<Folder>>>,
    observer: Option<Rc<dyn Observer>>,
}

impl Trial {
    /// A trial of the given programs, for a check that needs these steps.
    pub fn new(templates: Vec<(String, Template)>, addresses: Addresses, needs: Needs) -> Self {
        Self::with(templates, addresses, needs, None)
    }

    /// The same, recorded.
    pub(crate) fn recorded(
        templates: Vec<(String, Template)>,
        addresses: Addresses,
        needs: Needs,
        observer: Rc<dyn Observer>,
    ) -> Self {
        Self::with(templates, addresses, needs, Some(observer))
    }

    fn with(
        templates: Vec<(String, Template)>,
        addresses: Addresses,
        needs: Needs,
        observer: Option<Rc<dyn Observer>>,
    ) -> Self {
        Self(Rc::new(Inner {
            templates,
            addresses,
            needs,
            log: RefCell::default(),
            names: RefCell::default(),
            running: RefCell::default(),
            counter: RefCell::default(),
            busy: Cell::default(),
            time_outs: Cell::default(),
            output: Cell::default(),
            allowance: Cell::default(),
            in_flight: RefCell::default(),
            folders: RefCell::default(),
            observer,
        }))
    }

    /// Who watches it; nobody in a check that is not traced.
    fn observer(&self) -> Option<&Rc<dyn Observer>> {
        self.0.observer.as_ref()
    }

    /// Notes a step of the story: what was done, as a sentence without a full stop.
    pub fn note(&self, step: impl Into<String>) {
        self.record_heard();
        let step = self.with_folders_named(step.into());
        self.0.log.borrow_mut().push(step);
    }

    /// Keeps a folder until the programs have ended.
    fn keep(&self, folder: Rc<Folder>) {
        self.0.folders.borrow_mut().push(folder);
    }

    /// The text with each folder of this trial called by its name.
    fn with_folders_named(&self, text: String) -> String {
        self.0.folders.borrow().iter().fold(text, |text, folder| folder.named_in(&text))
    }

    /// Adds to the last step what came of it.
    pub fn note_result(&self, result: &str) {
        if let Some(last) = self.0.log.borrow_mut().last_mut() {
            last.push_str("; ");
            last.push_str(result);
        }
    }

    /// Calls an address by a name from now on.
    pub fn name(&self, address: SocketAddr, name: &str) {
        self.0.names.borrow_mut().add(address, name);
    }

    pub(crate) fn names(&self) -> Ref<'_, Names> {
        self.0.names.borrow()
    }

    /// The next number for things of the harness: `client 1`, `client 2`.
    pub(crate) fn next_number(&self) -> u32 {
        let mut counter = self.0.counter.borrow_mut();
        *counter += 1;
        *counter
    }

    /// Where this trial takes place: its addresses, and what the place can do.
    pub fn addresses(&self) -> &Addresses {
        &self.0.addresses
    }

    /// Ends the check as skipped where the kernel can't be watched.
    pub fn needs_watching(&self) -> Verdict {
        crate::kernel::available().map_err(Stop::Skip)
    }

    /// What becomes of the standard output of the program that is started next.
    pub fn set_next_output(&self, output: Output) {
        self.0.output.set(output);
    }

    /// The command line of the program `name`.
    pub(crate) fn template_of(&self, name: &str) -> Verdict<&Template> {
        let found = self.0.templates.iter().find(|(known, _)| known == name);
        found.map(|(_, template)| template).ok_or_else(|| {
            Stop::Fault(format!("this check needs the program `{name}`, which was not given"))
        })
    }

    /// Starts the program `name`, and goes on at once.
    pub fn start(&self, name: &str, given: Given, stdin: Stdin) -> Verdict<Rc<Running>> {
        self.start_as(name, name, given, stdin)
    }

    /// Starts the program `name`, and goes on at once; the reader calls it `called`. Of one program
    /// any number can run.
    pub fn start_as(
        &self,
        called: &str,
        name: &str,
        given: Given,
        stdin: Stdin,
    ) -> Verdict<Rc<Running>> {
        let (command, shown) = self.template_of(name)?.fill(&given);
        let start = Start { program: name.to_owned(), given, stdin };
        self.launch(called, command, &shown, stdin, Some(start))
    }

    /// Starts a command as the program `name`; `shown` is what the reader sees of it.
    pub fn start_command(
        &self,
        name: &str,
        command: std::process::Command,
        shown: &str,
        stdin: Stdin,
    ) -> Verdict<Rc<Running>> {
        self.launch(name, command, shown, stdin, None)
    }

    fn launch(
        &self,
        name: &str,
        command: std::process::Command,
        shown: &str,
        stdin: Stdin,
        start: Option<Start>,
    ) -> Verdict<Rc<Running>> {
        self.note(format!("started: {shown}"));
        let mut view = self.view_of(&command);
        let command = match self.observer() {
            Some(observer) => {
                if let Some(folder) = observer.folder() {
                    view.make_writable(&folder);
                }
                observer.wrap(command)
            }
            None => command,
        };
        let program = match Program::start(command, stdin, self.0.output.take(), view) {
            Ok(program) => program,
            Err(error) => return Err(self.cannot_start(shown, &error)),
        };
        let running = Rc::new(Running { name: name.to_owned(), program, start });
        self.0.running.borrow_mut().push(Rc::clone(&running));
        self.record_program(&running, "start", || self.with_folders_named(shown.to_owned()));
        Ok(running)
    }

    /// What can't be executed is the program's trouble; anything else (no process left, no
    /// memory) is ours.
    fn cannot_start(&self, shown: &str, error: &std::io::Error) -> Stop {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        /// `ENOEXEC`: the file is no program, and has no `#!` line.
        const NO_EXEC: Option<i32> = Some(8);
        let theirs = matches!(error.kind(), NotFound | PermissionDenied);
        if !theirs && error.raw_os_error() != NO_EXEC {
            return Stop::Fault(format!("cannot start `{shown}`: {error}"));
        }
        self.fail("the program can't be started")
            .expected("an executable file: a program, or a script whose first line begins with #!")
            .seen(error.to_string())
            .stop()
    }

    /// All programs that were started, in order; stopped ones too.
    pub(crate) fn running(&self) -> Vec<Rc<Running>> {
        self.0.running.borrow().clone()
    }

    /// Looks at a program now.
    pub fn look(&self, running: &Running) -> Verdict<Snapshot> {
        self.needs_watching()?;
        Ok(Snapshot::take(running.program.family())?)
    }

    /// What is under way in `carrier` is under way to the programs, and what it has carried is
    /// told where a check fails.
    pub(crate) fn add_in_flight(&self, carrier: Arc<dyn InFlight>) {
        self.0.in_flight.borrow_mut().push(carrier);
    }

    /// Whether nothing is under way to or from this program in the harness's own threads.
    fn is_all_moved(&self, running: &Running) -> bool {
        self.0.in_flight.borrow().iter().all(|carrier| carrier.is_at_rest())
            && running.program.is_all_moved()
    }

    /// Begins to say that the program did something wrong; the argument is the headline.
    pub fn fail(&self, headline: impl Into<String>) -> FailureBuilder {
        self.record_heard();
        FailureBuilder::new(self.clone(), headline.into())
    }

    /// Begins anew: the programs so far are stopped, and neither they nor the story so far are
    /// told of in a failure.
    pub fn new_scene(&self) -> Verdict {
        self.end()?;
        self.0.running.borrow_mut().clear();
        self.0.in_flight.borrow_mut().clear();
        self.0.folders.borrow_mut().clear();
        self.new_story();
        Ok(())
    }

    /// Begins the story anew, with the programs that run.
    pub fn new_story(&self) {
        self.0.log.borrow_mut().clear();
    }

    /// Stops all programs. A trial whose check has passed ends with it.
    pub fn end(&self) -> Verdict {
        for running in self.running() {
            running.program.stop()?;
        }
        Ok(())
    }
}
