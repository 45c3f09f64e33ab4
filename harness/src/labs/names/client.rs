//! The client under test, `names ask`: how it is started, what it prints, and how it ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::LAB;
use crate::net::causes;
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Running, Stall, StallKind, Stop, Trial, Verdict};
use crate::words::quote_short;

/// When it tries, counted from the first time.
pub(super) const TRIES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(750)];
/// When it gives up.
pub(super) const GIVES_UP: Duration = Duration::from_millis(1750);
/// What its time over TCP is multiplied by where a check does not look at it: a machine that is
/// busy must not make the harness late.
const UNHURRIED: f64 = 10.0;
/// Characters of what it prints that a sentence shows.
const SHOWN: usize = 200;

/// A scene that fails is played so often where it took long.
const TURNS: usize = 3;
/// As long as a client has nothing to complain of: it gives up after [`GIVES_UP`].
const SOON: Duration = Duration::from_secs(1);
/// Who has given up has done so long before: what takes longer waits for something else.
const LATE: Duration = Duration::from_secs(4);

/// Plays a scene in which the harness has to answer in time. On a busy machine it may be the
/// harness that is late, or the client that did not get to read what was there: where a scene took so
/// long, only what comes each time is the client's mistake. Who has not ended by itself has not given up
/// too early either, and is not looked at again.
pub(super) fn in_time(t: &Trial, scene: impl Fn(&Trial) -> Verdict) -> Verdict {
    let opening = Instant::now();
    for _ in 1..TURNS {
        let began = Instant::now();
        match scene(t) {
            Err(Stop::Fail(_))
                if began.elapsed() > SOON && opening.elapsed() < LATE && has_ended_by_itself(t) =>
            {
                t.new_scene()?;
            }
            other => return other,
        }
    }
    scene(t)
}

/// Whether a program has, and was not ended with the failure.
fn has_ended_by_itself(t: &Trial) -> bool {
    let code = |one: &Rc<Running>| one.program.exited().ok()??.code();
    t.running().iter().any(|one| code(one).is_some())
}

const SAYS_WELL: &str = "exit status 0 tells the shell that all went well, whatever the line says: 1 where nothing was \
    found";

/// A client that was started.
#[derive(Debug)]
pub(super) struct Client {
    trial: Trial,
    pub(super) running: Rc<Running>,
    /// Whom it asks, as it was typed.
    server: String,
    /// When it was started, or before.
    pub(super) began: Instant,
}

impl Client {
    /// Starts one that asks `server` with these words: a name, and perhaps a type.
    pub(super) fn start(t: &Trial, server: SocketAddr, words: &[&str]) -> Verdict<Self> {
        Self::start_at(t, UNHURRIED, server, words)
    }

    /// The same, with its time over TCP multiplied by `tempo`.
    pub(super) fn start_at(
        t: &Trial,
        tempo: f64,
        server: SocketAddr,
        words: &[&str],
    ) -> Verdict<Self> {
        Self::start_with(t, tempo, server.to_string(), words)
    }

    /// Starts one that asks this server, as it is typed.
    pub(super) fn start_named(t: &Trial, server: &str, words: &[&str]) -> Verdict<Self> {
        Self::start_with(t, UNHURRIED, server.to_owned(), words)
    }

    fn start_with(t: &Trial, tempo: f64, server: String, words: &[&str]) -> Verdict<Self> {
        let began = Instant::now();
        let all = ["ask", &server].into_iter().chain(words.iter().copied());
        let given = Given::arguments(all).environment("LAB_TEMPO", tempo);
        let running = t.start_as("client", LAB.name, given, Stdin::Null)?;
        // Between two tries it is blocked for a while, and comes back by itself.
        t.allow_waiting(GIVES_UP);
        Ok(Self { trial: t.clone(), running, server, began })
    }

    /// Expects that it prints these lines and ends with status 0.
    pub(super) fn expect_lines(&self, lines: &[&str], cause: &str) -> Verdict {
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let status = self.wait_for_end(&expected, cause)?;
        let (stdout, stderr) = (self.running.program.stdout().head, self.stderr());
        if stdout == expected.as_bytes() && status.code() == Some(0) && stderr.is_empty() {
            self.trial.note(format!("the client printed {}", quote_short(&stdout, SHOWN)));
            return Ok(());
        }
        let right = stdout == expected.as_bytes();
        let headline = match (right, status.code()) {
            (false, Some(0)) => "the client prints something else than the answer says",
            (false, _) => "the client does not print the answer",
            (true, Some(0)) => "the client complains, although all went well",
            (true, _) => "the client prints the answer, and says that it failed",
        };
        let mut failure = self
            .trial
            .fail(headline)
            .expected(format!(
                "on standard output: {}; exit status 0",
                quote_short(expected.as_bytes(), SHOWN)
            ))
            .seen(format!("on standard output: {}", quote_short(&stdout, SHOWN)))
            .seen(describe_exit(status));
        if !stdout.is_empty() {
            failure = failure.difference(expected.as_bytes(), &stdout);
        }
        Err(failure.cause(causes::unhandled(&stderr).unwrap_or(cause)).stop())
    }

    /// The same; a server may answer with its records in any order.
    pub(super) fn expect_lines_in_any_order(&self, lines: &[&str], cause: &str) -> Verdict {
        let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.wait_for_end(&expected, cause)?;
        let stdout = self.running.program.stdout().head;
        let printed = String::from_utf8_lossy(&stdout);
        let mut as_printed = lines.to_vec();
        as_printed.sort_by_key(|line| printed.lines().position(|one| one == *line));
        self.expect_lines(&as_printed, cause)
    }

    /// Expects that it prints no record, says this in one line on standard error, and ends with
    /// status 1. `{server}` stands for whom it asks; with `…` at its end more may follow.
    pub(super) fn expect_refusal(&self, line: &str, cause: &str) -> Verdict {
        let line = line.replace("{server}", &self.server);
        let expected = format!("one line on standard error: {line}");
        let status = self.wait_for_end(&expected, cause)?;
        let (stdout, stderr) = (self.running.program.stdout().head, self.stderr());
        let said = match line.strip_suffix('…') {
            Some(begin) => matches!(&stderr[..], [only] if only.starts_with(begin)),
            None => matches!(&stderr[..], [only] if *only == line),
        };
        if said && stdout.is_empty() && status.code() == Some(1) {
            self.trial.note(format!("the client ended: {}", stderr[0]));
            return Ok(());
        }
        let headline = match status.code() {
            Some(0) => "the client ended as if it had found what it was asked for",
            _ if !stdout.is_empty() => "the client prints something, although there is no answer",
            _ if said => "the client ended with the wrong exit status",
            _ => "the client does not say in one line what it has not found, and why",
        };
        let told = match &stderr[..] {
            [] => "nothing on standard error".to_owned(),
            [one] => format!("one line on standard error: {}", quote_short(one.as_bytes(), SHOWN)),
            lines => format!("{} lines on standard error", lines.len()),
        };
        let mut failure = self
            .trial
            .fail(headline)
            .expected(format!("{expected}; nothing on standard output; exit status 1"))
            .seen(format!("{told}; {}", describe_exit(status)));
        if !stdout.is_empty() {
            failure = failure.seen(format!("on standard output: {}", quote_short(&stdout, SHOWN)));
        }
        let cause = match status.code() {
            Some(0) if said && stdout.is_empty() => SAYS_WELL,
            _ => cause,
        };
        Err(failure.cause(causes::unhandled(&stderr).unwrap_or(cause)).stop())
    }

    fn stderr(&self) -> Vec<String> {
        self.running.program.stderr().last_lines(usize::MAX)
    }

    /// Waits for its end; `expected` says what should make it end.
    pub(super) fn wait_for_end(&self, expected: &str, cause: &str) -> Verdict<ExitStatus> {
        let nothing = || Ok(Progress::<Infallible>::Nothing);
        match self.trial.wait(&self.running, nothing)? {
            Err(Stall { kind: StallKind::Ended(status) }) => {
                // Its streams are complete now.
                self.running.program.stop()?;
                self.trial.record_program(&self.running, "exit", || {
                    describe_exit(status).trim_start_matches("exit ").to_owned()
                });
                Ok(status)
            }
            Err(stall) => Err(self
                .trial
                .fail("the client does not end")
                .expected(expected)
                .seen(stall.sentence("client"))
                .cause(cause)
                .stop()),
            Ok(never) => match never {},
        }
    }
}
