//! A worker: a process that carries out one check after the other.
//!
//! It reads requests on its standard input, one JSON object a line, and answers each with one
//! on its standard output. Its standard input is also its lifeline: when the harness ends, in
//! whatever way, the stream ends, and the worker kills everything that it has started and ends
//! too. That holds for Ctrl-C, for SIGKILL and for a panic of the harness alike, and std needs
//! no signal handler for it.

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use crate::json::Json;
use crate::kernel;
use crate::lab::Check;
use crate::labs;
use crate::program::{cell, stop_all};
use crate::run::bound::Watch;
use crate::run::isolation::{self, Layer};
use crate::run::outset::Outset;
use crate::run::protocol::{LAST, PORTS, Request, SYSCALLS, Seal, TRACE};
use crate::show::demo;
use crate::show::ports;
use crate::show::trace;
use crate::trial::{Addresses, Stop, Trial, Unwritten, remove_all};
use crate::verdict::{Blocked, Outcome, json};

/// The worker's life, from its start in `stage`. Returns its exit status.
pub fn run(stage: Layer) -> u8 {
    let addresses = match stage {
        Layer::Outer => {
            let error = isolation::enter_inner();
            eprintln!("cannot make a network namespace: {error}");
            return 1;
        }
        Layer::Inner => match isolation::set_up_network() {
            Ok(()) => {
                cell::enclose_programs();
                Addresses::isolated()
            }
            Err(error) => {
                eprintln!("cannot set up a network namespace: {error}");
                return 1;
            }
        },
        Layer::Shared => Addresses::shared(),
    };
    let served = serve(&addresses);
    remove_all();
    u8::from(served.is_err())
}

fn serve(addresses: &Addresses) -> io::Result<()> {
    let busy = Arc::new(AtomicBool::new(false));
    let lines = requests(Arc::clone(&busy));
    let outset = Outset::look();
    let Ok(secret) = lines.recv() else { return Ok(()) };
    let mut seal = Seal::of(&secret);
    busy.store(false, Ordering::SeqCst);
    say(&seal.answer(true.into()))?;
    for line in lines {
        let parsed = Json::parse(&line).unwrap_or(Json::Null);
        let answer = match seal.take(&parsed) {
            Some(request) => {
                let watch = Watch::begin(seal.clone());
                let mut answer = answer(request, addresses, outset);
                watch.end();
                if addresses.is_isolated()
                    && is_worn()
                    && let Json::Object(members) = &mut answer
                {
                    members.push((LAST.into(), true.into()));
                }
                answer
            }
            None => Json::Null,
        };
        // Before the answer: the next request may come at once, and that one keeps us busy.
        busy.store(false, Ordering::SeqCst);
        say(&seal.answer(answer))?;
    }
    Ok(())
}

/// Sockets of earlier checks that make a network too slow to look at: every look reads all of them.
const TOO_MANY_SOCKETS: usize = 100;

/// Whether so much is left of what was checked that a new network is faster: TIME-WAIT lasts a
/// minute, and a check leaves some dozen connections in it.
fn is_worn() -> bool {
    kernel::socket_table().is_ok_and(|rows| rows.len() > TOO_MANY_SOCKETS)
}

pub(super) fn say(answer: &Json) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{answer}")?;
    stdout.flush()
}

/// The lines of standard input. When it ends in the middle of a check, this process ends, with
/// everything that it has started.
fn requests(busy: Arc<AtomicBool>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            busy.store(true, Ordering::SeqCst);
            if sender.send(line).is_err() {
                return;
            }
        }
        if busy.load(Ordering::SeqCst) {
            stop_all();
            remove_all();
            abandon();
        }
    });
    receiver
}

/// The one exit outside of main: from a thread that watches the main one.
#[expect(
    clippy::exit,
    reason = "the main thread is in the middle of a check that nobody waits for"
)]
pub(super) fn abandon() -> ! {
    process::exit(130)
}

/// From now on this process ends when its standard input does, which only its end does to that of
/// whoever has started it.
pub fn end_with_stdin() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        remove_all();
        abandon();
    });
}

fn answer(request: &Json, addresses: &Addresses, outset: Outset) -> Json {
    if let Some(name) = request.get(demo::REQUEST).and_then(Json::as_str) {
        return demo::answer(name, addresses);
    }
    let Some(asked) = Request::from_json(request) else { return Json::Null };
    if let Some(trace) = request.get(TRACE) {
        let syscalls = trace.get(SYSCALLS) == Some(&Json::Bool(true));
        return trace::record(&asked.check, asked.programs, syscalls, addresses);
    }
    match asked.check.as_str() {
        PORTS => ports::record(asked.programs, addresses)
            .map_or(Json::Null, |text| Json::object([(PORTS, text.as_str().into())])),
        _ => judge(asked, addresses, outset),
    }
}

fn judge(request: Request, addresses: &Addresses, outset: Outset) -> Json {
    let began = Instant::now();
    let outcome = match outset.trouble() {
        Some(words) => Outcome::Fault(words),
        None => still_there(carry_out(request, addresses), outset),
    };
    Json::object([
        ("outcome", json::outcome_to_json(&outcome)),
        ("elapsed_us", Json::Number(began.elapsed().as_micros() as f64)),
    ])
}

/// What was there at the outset and is gone later is a fault, whatever came of the check.
fn still_there(outcome: Outcome, outset: Outset) -> Outcome {
    if outcome == Outcome::Pass {
        return outcome;
    }
    match outset.lost(Outset::look()) {
        Some(what) => Outcome::Fault(format!("{what} was there at the beginning and is gone")),
        None => outcome,
    }
}

fn carry_out(request: Request, addresses: &Addresses) -> Outcome {
    let Some(check) = labs::check(&request.check) else {
        return Outcome::Fault(format!("there is no check {}", request.check));
    };
    let mut trial = Trial::new(request.programs, addresses.clone(), check.needs());
    let verdict = catch_unwind(AssertUnwindSafe(|| (check.run)(&mut trial)));
    // The end comes in any case: what can't be stopped is a fault, also of a passed check.
    let end = trial.end();
    match verdict {
        Ok(Ok(())) => end.map_or_else(|stop| outcome_of(stop, check), |()| Outcome::Pass),
        Ok(Err(stop)) => outcome_of(stop, check),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?");
            Outcome::Fault(format!("the harness panicked: {text}"))
        }
    }
}

/// What a check comes to that ended in this way.
fn outcome_of(stop: Stop, check: &Check) -> Outcome {
    match stop {
        Stop::Fail(failure) => Outcome::Fail(failure),
        Stop::Unwritten(step) => Outcome::Blocked(blocked_by(&step, check)),
        Stop::Skip(why) => Outcome::Skipped(why),
        Stop::Fault(what) => Outcome::Fault(what),
    }
}

/// What the check waits for: a step of its own lab, or of one whose program it needs.
fn blocked_by(unwritten: &Unwritten, check: &Check) -> Blocked {
    let programs = check.step().programs;
    let is_it = |lab: &&&str| {
        let steps = labs::lab(lab).map_or(&[][..], |lab| lab.steps);
        steps.iter().any(|step| step.number == unwritten.step && step.name == unwritten.name)
    };
    match programs.iter().find(is_it).or(programs.first()) {
        Some(lab) if *lab != check.lab => {
            Blocked::Elsewhere { lab: (*lab).to_owned(), step: unwritten.step }
        }
        _ => Blocked::Step(unwritten.step),
    }
}
