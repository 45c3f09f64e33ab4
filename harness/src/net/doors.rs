//! A program with several doors: listeners, sockets for datagrams, or both.

use std::net::SocketAddr;
use std::rc::Rc;

use super::Service;
use super::started::reachable;
use crate::kernel::{Row, Snapshot};
use crate::trial::{Progress, Running, StallKind, Trial, Verdict};
use crate::words::quote_short;

/// What comes through a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Connections, on a listener.
    Tcp,
    /// Datagrams.
    Udp,
}

/// An address that a program was told to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// What comes through it.
    pub transport: Transport,
    /// The address; port 0 leaves the choice to the system, and the ready line says what it is.
    pub address: SocketAddr,
    /// What its ready line says behind `for`: `SMTP`. Doors that share their words share a line.
    pub purpose: Option<&'static str>,
}

/// A program whose doors are all open.
#[derive(Debug)]
pub struct Doors {
    trial: Trial,
    /// The program.
    pub running: Rc<Running>,
    asked: Vec<Door>,
    /// The same with the addresses that they really have.
    pub open: Vec<Door>,
}

impl Door {
    /// For connections.
    pub fn tcp(address: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, address, purpose: None }
    }

    /// For datagrams.
    pub fn udp(address: SocketAddr) -> Self {
        Self { transport: Transport::Udp, address, purpose: None }
    }

    /// The same, announced by `listening on ADDRESS for PURPOSE`.
    pub fn announced_for(self, purpose: &'static str) -> Self {
        Self { purpose: Some(purpose), ..self }
    }

    fn describe(&self) -> String {
        match self.transport {
            Transport::Tcp => format!("a listener on {}", self.address),
            Transport::Udp => format!("UDP {}", self.address),
        }
    }

    fn ready_line(&self) -> String {
        match self.purpose {
            Some(purpose) => format!("{READY}{} for {purpose}", self.address),
            None => format!("{READY}{}", self.address),
        }
    }

    /// It with the address that it really has, once it is open.
    fn open(&self, rows: &[&Row], printed: &[(SocketAddr, Option<String>)]) -> Option<Self> {
        let address = match self.address.port() {
            0 => {
                let line = printed.iter().find(|(_, purpose)| purpose.as_deref() == self.purpose);
                line?.0
            }
            _ => self.address,
        };
        let is_it = |row: &&&Row| row.local == address && transport(row) == self.transport;
        rows.iter().find(is_it).map(|_| Self { address, ..*self })
    }
}

/// The beginning of a ready line.
const READY: &str = "listening on ";

fn transport(row: &Row) -> Transport {
    if row.table.is_tcp() { Transport::Tcp } else { Transport::Udp }
}

/// What others can send to: listeners, and sockets for datagrams that are connected to nobody.
fn open_sockets(snapshot: &Snapshot) -> Vec<&Row> {
    [snapshot.listeners(), snapshot.datagram_sockets()].concat()
}

fn described(rows: &[&Row]) -> String {
    let door = |row: &&Row| Door { transport: transport(row), address: row.local, purpose: None };
    if rows.is_empty() {
        "nothing".into()
    } else {
        rows.iter().map(|row| door(row).describe()).collect::<Vec<_>>().join(", ")
    }
}

/// The ready lines of these doors: those for the same purpose on the same address share one.
fn distinct_ready_lines(doors: &[Door]) -> Vec<String> {
    let mut lines: Vec<String> = doors.iter().map(Door::ready_line).collect();
    lines.dedup();
    lines
}

/// The ready lines that were printed whole: each address, and what it is for.
fn ready_lines(stdout: &[u8]) -> Vec<(SocketAddr, Option<String>)> {
    let text = String::from_utf8_lossy(stdout);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parse = |line: &str| {
        let rest = line.strip_prefix(READY)?;
        let (address, purpose) = match rest.split_once(" for ") {
            Some((address, purpose)) => (address, Some(purpose.to_owned())),
            None => (rest, None),
        };
        Some((address.parse().ok()?, purpose))
    };
    whole.lines().filter_map(parse).collect()
}

impl Trial {
    /// Waits until a program has opened all of these doors: each is a row of the kernel's tables.
    /// What it does between that and its ready lines belongs to its start; one that never prints
    /// them has started when it is at rest.
    pub fn doors(&self, running: Rc<Running>, doors: &[Door]) -> Verdict<Doors> {
        self.needs_watching()?;
        let mut missing = None;
        let opened = self.wait_for_start(&running, || {
            let snapshot = self.look(&running)?;
            let rows = open_sockets(&snapshot);
            let printed = ready_lines(&running.program.stdout().head);
            let mut open = Vec::new();
            for door in doors {
                match door.open(&rows, &printed) {
                    Some(door) => open.push(door),
                    None => {
                        missing = Some((*door, described(&rows)));
                        return Ok(Progress::Nothing);
                    }
                }
            }
            Ok(Progress::Done(open))
        })?;
        let name = &running.name;
        match opened {
            Ok(open) => {
                for door in &open {
                    let verb = match door.transport {
                        Transport::Tcp => "listens",
                        Transport::Udp => "receives datagrams",
                    };
                    self.note(format!("the {name} {verb} on {}", door.address));
                    self.name(door.address, &format!("the {name}"));
                }
                let lines = distinct_ready_lines(&open).len();
                let _ = self.wait(&running, || {
                    let printed = ready_lines(&running.program.stdout().head).len();
                    Ok(if printed >= lines { Progress::Done(()) } else { Progress::Nothing })
                })?;
                let asked = doors.to_vec();
                Ok(Doors { trial: self.clone(), running, asked, open })
            }
            Err(stall) => {
                let (door, seen) = missing.map_or_else(Default::default, |(door, seen)| {
                    let what = match (door.transport, door.address.port()) {
                        (_, 0) => format!("{}, and its ready line", door.describe()),
                        _ => door.describe(),
                    };
                    (what, seen)
                });
                let failure = match stall.kind {
                    StallKind::Ended(_) => self.fail(format!("the {name} ended too soon")),
                    _ => self.fail(format!("the {name} does not open all that it should")),
                };
                Err(failure
                    .expected(door)
                    .seen(format!("open: {seen}"))
                    .seen(stall.stays(name))
                    .stop())
            }
        }
    }
}

impl Doors {
    /// The trial that it takes part in.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// Where the door for this purpose is; the first one of all where there is none of that name.
    pub fn address_for(&self, purpose: &str) -> SocketAddr {
        let door = self.open.iter().find(|door| door.purpose == Some(purpose));
        door.or(self.open.first()).map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |door| door.address)
    }

    /// The program at one of its listeners, which is open, as a service of its own.
    pub fn service_at(&self, address: SocketAddr) -> Service {
        let running = Rc::clone(&self.running);
        Service::new(self.trial.clone(), running, address, reachable(address))
    }

    /// Expects that the program has come to rest with these doors open and no other one.
    pub fn expect_no_other_door(&self, cause: &str) -> Verdict {
        let name = &self.running.name;
        let rest = self.trial.settle(&self.running)?;
        let snapshot = rest.or_else(|_| self.trial.look(&self.running))?;
        let rows = open_sockets(&snapshot);
        let known = |row: &&&Row| {
            let is_it = |door: &Door| door.address == row.local && door.transport == transport(row);
            self.open.iter().any(is_it)
        };
        let count = self.open.len();
        if rows.len() == count && rows.iter().filter(known).count() == count {
            self.trial.note(format!("the {name} has opened nothing else"));
            return Ok(());
        }
        let expected: Vec<_> = self.open.iter().map(Door::describe).collect();
        Err(self
            .trial
            .fail(format!("the {name} has not opened exactly what it was told to"))
            .expected(expected.join(", "))
            .seen(described(&rows))
            .cause(cause)
            .stop())
    }

    /// Expects that it has printed a ready line for each of its doors, in their order, and nothing
    /// else.
    pub fn expect_ready_lines(&self, cause: &str) -> Verdict {
        let lines = distinct_ready_lines(&self.open);
        let expected = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let program = &self.running.program;
        let come = self.trial.wait(&self.running, || {
            let come = program.stdout_len() >= expected.len() as u64;
            Ok(if come { Progress::Done(()) } else { Progress::Nothing })
        })?;
        // What else it prints before it comes to rest belongs to it, too.
        let _ = self.trial.settle(&self.running)?;
        let printed = program.stdout().head;
        if printed == expected.as_bytes() {
            self.trial.note(format!("it said so: {}", lines.join(", ")));
            return Ok(());
        }
        let name = &self.running.name;
        let mut failure = self
            .trial
            .fail(format!("the {name} does not say exactly where it listens"))
            .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 160)))
            .seen(quote_short(&printed, 160))
            .difference(expected.as_bytes(), &printed);
        if let Err(stall) = come {
            failure = failure.seen(stall.stays(name));
        }
        Err(failure.cause(cause).stop())
    }

    /// Kills it (SIGKILL) and starts it once more in the same way, with connections and all. Waits
    /// until all doors are open again.
    pub fn kill_and_start_again(&self) -> Verdict<Self> {
        self.trial.kill(&self.running)?;
        let running = self.trial.start_again(&self.running)?;
        self.trial.doors(running, &self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_lines_say_which_door_is_for_what() {
        let printed = b"listening on 127.0.0.1:2525 for SMTP\nlistening on [::1]:1110 for POP3\n";
        let lines = ready_lines(printed);
        assert_eq!(lines[0], ("127.0.0.1:2525".parse().unwrap(), Some("SMTP".into())));
        assert_eq!(lines[1], ("[::1]:1110".parse().unwrap(), Some("POP3".into())));
    }

    #[test]
    fn half_a_ready_line_is_none() {
        assert!(ready_lines(b"listening on 127.0.0.1:25").is_empty());
        assert!(ready_lines(b"hello\nlistening on nowhere\n").is_empty());
        assert_eq!(ready_lines(b"listening on 127.0.0.1:25\nlistening").len(), 1);
    }
}
