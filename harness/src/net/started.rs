//! Whether a program that was told to listen does: the kernel says so, or its ready line where the
//! kernel can't be asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitStatus;
use std::rc::Rc;

use super::service::{Service, cause_of_end};
use crate::kernel::Snapshot;
use crate::program::describe_exit;
use crate::trial::{Progress, Running, StallKind, Trial, Verdict};
use crate::words::{count, quote_short};

/// How a program that should have listened has begun.
#[derive(Debug)]
pub enum Started {
    /// It listens.
    Listening(Service),
    /// It ended instead.
    Ended(ExitStatus),
}

/// The beginning of the ready line.
const READY: &str = "listening on ";
/// A program that has printed so much before it listens is not going to.
const CHATTER: u64 = 1024 * 1024;

impl Trial {
    /// Waits until a program that was told to listen on `address` does.
    pub fn listening(&self, running: Rc<Running>, address: SocketAddr) -> Verdict<Service> {
        self.listening_or(running, address, "")
    }

    /// The same; `cause` is why a program may end instead, where the check knows better than the
    /// exit status.
    pub fn listening_or(
        &self,
        running: Rc<Running>,
        address: SocketAddr,
        cause: &str,
    ) -> Verdict<Service> {
        let name = running.name.clone();
        match self.begun(running, address)? {
            Started::Listening(service) => Ok(service),
            Started::Ended(status) => Err(self
                .fail(format!("the {name} ended instead of listening"))
                .expected(format!("it listens on {address}"))
                .seen(describe_exit(status))
                .cause(match (status.code(), cause) {
                    (Some(1), "") => "the last lines of standard error should say why",
                    (Some(1), known) => known,
                    _ => cause_of_end(status),
                })
                .stop()),
        }
    }

    /// The program, which was told to listen on `asked` and listens `at`.
    fn service_at(&self, running: Rc<Running>, asked: SocketAddr, at: SocketAddr) -> Service {
        let name = &running.name;
        let as_told = asked.port() == 0 || at == asked;
        let told = if as_told { String::new() } else { format!(" (it was told {asked})") };
        self.note(format!("the {name} listens on {at}{told}"));
        let real = reachable(at);
        self.name(real, &format!("the {name}"));
        Service::new(self.clone(), running, asked, real)
    }

    /// Waits until a program that was told to listen on `address` listens or ends.
    pub fn begun(&self, running: Rc<Running>, address: SocketAddr) -> Verdict<Started> {
        let expected = format!("a listening socket on {address}");
        let cause = "nothing can connect before bind and listen have been called";
        self.begun_or(running, address, &expected, cause)
    }

    /// The same; a program that does neither fails with this expectation and this cause.
    pub fn begun_or(
        &self,
        running: Rc<Running>,
        address: SocketAddr,
        expected: &str,
        cause: &str,
    ) -> Verdict<Started> {
        let result = self.wait_for_start(&running, || {
            Ok(match listens_at(&running, address)? {
                Some(at) => Progress::Done(Some(at)),
                None if running.program.stdout().total > CHATTER => Progress::Done(None),
                None => Progress::Nothing,
            })
        })?;
        let name = running.name.clone();
        let stall = match result {
            Ok(Some(at)) => {
                return Ok(Started::Listening(self.service_at(running, address, at)));
            }
            Ok(None) => {
                let printed = running.program.stdout();
                return Err(self
                    .fail(format!("the {name} prints without end and does not listen"))
                    .expected(expected)
                    .seen(format!(
                        "more than {} on standard output, beginning with {}",
                        count(CHATTER as usize),
                        quote_short(&printed.head[..printed.head.len().min(200)], 30)
                    ))
                    .stop());
            }
            Err(stall) => stall,
        };
        if let StallKind::Ended(status) = stall.kind {
            self.note(format!("the {name} ended: {}", describe_exit(status)));
            return Ok(Started::Ended(status));
        }
        // It listens on no port of that number, and is not going to.
        let elsewhere = listeners(&running)?;
        if let [at] = *elsewhere {
            return Ok(Started::Listening(self.service_at(running, address, at)));
        }
        if !elsewhere.is_empty() {
            let blame = self
                .fail(format!("the {name} listens in several places, and not where it was told"))
                .expected(expected);
            let blame = elsewhere.iter().fold(blame, |b, at| b.seen(format!("listening on {at}")));
            return Err(blame.cause("bind once, and exactly the address that was given").stop());
        }
        Err(self
            .fail(format!("the {name} neither listens nor ends"))
            .expected(expected)
            .seen(stall.sentence(&name))
            .cause(cause)
            .stop())
    }
}

/// Where the program listens: at `address`, or else on a port of that number. What it listens on
/// besides, or before, is not what is waited for.
fn listens_at(running: &Running, address: SocketAddr) -> Verdict<Option<SocketAddr>> {
    if crate::kernel::available().is_err() {
        return Ok(ready_line(running));
    }
    let listeners = listeners(running)?;
    let same_port = |at: &&SocketAddr| address.port() == 0 || at.port() == address.port();
    let exact = listeners.iter().find(|at| **at == address);
    Ok(exact.or_else(|| listeners.iter().find(same_port)).copied())
}

/// All addresses that it listens on, where the kernel can be asked.
fn listeners(running: &Running) -> Verdict<Vec<SocketAddr>> {
    if crate::kernel::available().is_err() {
        return Ok(Vec::new());
    }
    let snapshot = Snapshot::take(running.program.family())?;
    Ok(snapshot.listeners().into_iter().map(|row| row.local).collect())
}

/// The address in the ready line, once the whole line has come.
fn ready_line(running: &Running) -> Option<SocketAddr> {
    let stdout = running.program.stdout().head;
    let text = String::from_utf8_lossy(&stdout);
    let (line, _) = text.split_once('\n')?;
    line.strip_prefix(READY)?.trim_end().parse().ok()
}

/// An address to connect to for a listener that is bound to this one.
pub(super) fn reachable(at: SocketAddr) -> SocketAddr {
    match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, at.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, at.port()).into(),
        _ => at,
    }
}
