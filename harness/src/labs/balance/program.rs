//! The program under test, and the servers behind it, which the harness plays.

use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use super::pair::Pair;
use super::{CALLED, CARRIES, LAB};
use crate::kernel::{Row, Snapshot, State};
use crate::net::causes::{KILLED_BY_SIGPIPE, is_killed_by_sigpipe};
use crate::net::{Connection, Console, Got, Listener, Service};
use crate::program::{Given, Stdin, describe_exit};
use crate::trial::{Progress, Running, Trial, Verdict};

/// What times of a second and more are multiplied by, in a program that knows `LAB_TEMPO`.
const TEMPO: f64 = 0.02;

/// A server behind the program, played by the harness.
#[derive(Debug)]
pub(super) struct Backend {
    trial: Trial,
    name: String,
    pub(super) address: SocketAddr,
    /// What the command line has for it.
    given: String,
    /// Nothing where nobody listens at its address.
    listener: Option<Listener>,
    /// Connections that fill its queue.
    queue: Vec<TcpStream>,
    /// Whether it accepts what stands in its queue.
    accepts: bool,
}

/// What a backend is at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// It listens.
    Alive,
    /// Nobody listens: a dial is refused.
    Dead,
    /// It listens, and its queue is full: a dial is never answered.
    Full,
}

impl Backend {
    fn new(t: &Trial, number: usize, is: Is) -> Verdict<Self> {
        let address = t.addresses().free_address();
        Self::at(t, format!("backend {number}"), address, address.to_string(), is)
    }

    /// The reader calls it `name`; the command line has `given` for it.
    pub(super) fn at(
        t: &Trial,
        name: String,
        address: SocketAddr,
        given: String,
        is: Is,
    ) -> Verdict<Self> {
        t.name(address, &name);
        let (listener, queue, accepts) = (None, Vec::new(), is != Is::Full);
        let mut backend = Self { trial: t.clone(), name, address, given, listener, queue, accepts };
        match is {
            Is::Alive => backend.listens()?,
            Is::Dead => t.note(format!("nobody listens at {address}, {}", backend.name)),
            Is::Full => {
                backend.listens()?;
                let filled = backend.listener.as_ref().map(Listener::fill_queue).transpose()?;
                backend.queue = filled.unwrap_or_default();
            }
        }
        Ok(backend)
    }

    /// It listens from now on.
    pub(super) fn listens(&mut self) -> Verdict {
        self.listener = Some(self.trial.listen_as(&self.name, &[self.address], &CARRIES)?);
        self.trial.note(format!("{} listens on {}", self.name, self.address));
        Ok(())
    }

    /// It accepts nobody from now on, and there is room in its queue.
    pub(super) fn freezes(&mut self) {
        self.accepts = false;
        self.trial.note(format!("{} accepts nobody from now on, as if it were frozen", self.name));
    }

    /// Its listener is gone: whoever dials it is refused.
    pub(super) fn dies(&mut self) {
        self.listener = None;
        self.trial.note(format!("{} does not listen any more", self.name));
    }
}

/// The program under test, and the servers behind it.
#[derive(Debug)]
pub(super) struct Balance {
    /// Its side that listens.
    pub(super) service: Service,
    /// Its user's side.
    pub(super) console: Console,
    backends: Vec<Backend>,
}

impl Balance {
    /// Starts it before so many backends, all of which listen.
    pub(super) fn before(t: &Trial, backends: usize) -> Verdict<Self> {
        Self::before_these(t, &vec![Is::Alive; backends])
    }

    /// Starts it before these backends.
    pub(super) fn before_these(t: &Trial, backends: &[Is]) -> Verdict<Self> {
        Self::start(t, backends, |given| given)
    }

    /// The same; where it leaves, it gives its clients less time than by itself.
    pub(super) fn hurrying(t: &Trial, backends: usize) -> Verdict<Self> {
        let hurry = |given: Given| given.environment("LAB_TEMPO", TEMPO);
        Self::start(t, &vec![Is::Alive; backends], hurry)
    }

    fn start(t: &Trial, backends: &[Is], more: impl FnOnce(Given) -> Given) -> Verdict<Self> {
        let backends = (1..).zip(backends).map(|(number, is)| Backend::new(t, number, *is));
        Self::start_before(t, backends.collect::<Verdict<_>>()?, "", more)
    }

    /// Starts it before these backends; several in a row of which the command line says the same are
    /// one there. `cause` is why it may end instead of listening.
    pub(super) fn start_before(
        t: &Trial,
        backends: Vec<Backend>,
        cause: &str,
        more: impl FnOnce(Given) -> Given,
    ) -> Verdict<Self> {
        let address = t.addresses().free_address();
        let mut words: Vec<_> = backends.iter().map(|backend| backend.given.clone()).collect();
        words.dedup();
        let given = more(Given::address(address).with_all("backends", words));
        let running = t.start_as(CALLED, LAB.name, given, Stdin::Piped)?;
        let service = t.listening_or(Rc::clone(&running), address, cause)?.owing(&CARRIES);
        let console = Console::new(t.clone(), running);
        Ok(Self { service, console, backends })
    }

    pub(super) fn trial(&self) -> &Trial {
        self.service.trial()
    }

    pub(super) fn running(&self) -> &Rc<Running> {
        &self.service.running
    }

    /// The backend with this number, from 1.
    pub(super) fn backend(&mut self, number: usize) -> &mut Backend {
        &mut self.backends[number - 1]
    }

    /// Where the backend with this number is.
    pub(super) fn address_of(&self, number: usize) -> SocketAddr {
        self.backends[number - 1].address
    }

    /// An event, or a command, about the backend with this number: `down 127.0.0.1:7001`.
    pub(super) fn about(&self, word: &str, number: usize) -> String {
        format!("{word} {}", self.backends[number - 1].given)
    }

    /// Expects this event about the backend with this number next.
    pub(super) fn expect(&self, word: &str, number: usize, cause: &str) -> Verdict {
        self.console.expect_event(&self.about(word, number), cause)
    }

    /// The user types this command about the backend with this number.
    pub(super) fn types(&self, word: &str, number: usize) {
        self.console.types(&self.about(word, number));
    }

    /// The user types this, which can't be carried out: a line on standard error says so, and the
    /// program goes on.
    pub(super) fn expect_complaint(&self, typed: &[u8], what: &str) -> Verdict {
        self.rest()?;
        let program = &self.running().program;
        let before = program.stderr().total;
        self.console.types_bytes(typed);
        let told = self.trial().wait(self.running(), || {
            let more = program.stderr().total > before;
            Ok(if more { Progress::Done(()) } else { Progress::Nothing })
        })?;
        self.expect_to_go_on(what, GOES_ON)?;
        let Err(stall) = told else { return Ok(()) };
        self.console.expect_no_event("what can't be carried out changes nothing")?;
        Err(self
            .trial()
            .fail(format!("the balancer does not answer {what}"))
            .expected("one line on standard error")
            .seen(stall.sentence(CALLED))
            .cause(
                "whoever has mistyped a command believes that it was carried out, as long as no line says that it \
                 was not",
            )
            .stop())
    }

    /// Expects that it comes to rest, and does not end over what was done last.
    pub(super) fn expect_to_go_on(&self, over: &str, cause: &str) -> Verdict {
        let ended = |status| {
            self.trial()
                .fail(format!("the balancer ended over {over}"))
                .expected("it goes on: only the end of standard input ends it")
                .seen(describe_exit(status))
                .cause(if is_killed_by_sigpipe(status) { KILLED_BY_SIGPIPE } else { cause })
                .stop()
        };
        self.trial().settle_or(self.running(), ended).map(drop)
    }

    /// Whether it has printed more than its ready line.
    pub(super) fn has_printed_an_event(&self) -> bool {
        self.running().program.stdout().head.split(|byte| *byte == b'\n').count() > 2
    }

    /// Whether it has printed this event about the backend with this number, so far.
    pub(super) fn has_said(&self, word: &str, number: usize) -> bool {
        let line = self.about(word, number);
        let stdout = self.running().program.stdout().head;
        stdout.split(|byte| *byte == b'\n').any(|printed| printed == line.as_bytes())
    }

    /// A new client connects, and a backend is dialled for it.
    pub(super) fn serves(&self) -> Verdict<Pair> {
        let client = self.service.connect()?;
        self.dials_for(client)
    }

    /// The same; it must be the backend with this number.
    pub(super) fn serves_at(&self, number: usize, cause: &str) -> Verdict<Pair> {
        let client = self.service.connect()?;
        self.dials_at(number, client, cause)
    }

    /// Expects that a backend is dialled for this client; any one of them.
    pub(super) fn dials_for(&self, client: Connection) -> Verdict<Pair> {
        let (number, server) = self.dials(DIALS)?;
        Ok(Pair { client, server, number })
    }

    /// Expects that the backend with this number is dialled for this client.
    pub(super) fn dials_at(&self, number: usize, client: Connection, cause: &str) -> Verdict<Pair> {
        let (picked, server) = self.dials(cause)?;
        if picked == number {
            return Ok(Pair { client, server, number });
        }
        Err(self
            .trial()
            .fail(format!("{} was given to another backend than expected", client.name()))
            .expected(format!("backend {number}"))
            .seen(format!("backend {picked}"))
            .cause(cause)
            .stop())
    }

    /// Expects that it dials a backend that answers; `cause` is why it may not.
    pub(super) fn dials(&self, cause: &str) -> Verdict<(usize, Connection)> {
        let dialled = self.trial().wait_for_start(self.running(), || {
            Ok(self.take_now()?.map_or(Progress::Nothing, Progress::Done))
        })?;
        dialled.map_err(|stall| {
            let waits =
                |now: Snapshot| now.own_rows().iter().any(|row| row.state == State::SynSent);
            let headline = if self.service.look().is_ok_and(waits) {
                "the balancer waits for a backend that does not answer, and dials no other"
            } else {
                "the balancer dials no backend for a client"
            };
            self.trial()
                .fail(headline)
                .expected("a connection to a backend")
                .seen(stall.sentence(CALLED))
                .cause(cause)
                .stop()
        })
    }

    /// Takes a connection that it has made to a backend, if there is one.
    pub(super) fn take_now(&self) -> Verdict<Option<(usize, Connection)>> {
        for (number, backend) in (1..).zip(&self.backends) {
            let Some(listener) = backend.listener.as_ref().filter(|_| backend.accepts) else {
                continue;
            };
            if let Some(connection) = listener.take_now(self.running())? {
                return Ok(Some((number, connection)));
            }
        }
        Ok(None)
    }

    /// Takes the connection that it has made to this backend, if there is one.
    pub(super) fn take_from(&self, number: usize) -> Verdict<Option<Connection>> {
        let listener = self.backends[number - 1].listener.as_ref();
        listener.map_or(Ok(None), |listener| listener.take_now(self.running()))
    }

    /// Expects that no backend was dialled, once the program is at rest.
    pub(super) fn expect_no_dial(&self, cause: &str) -> Verdict {
        self.rest()?;
        self.expect_not_dialled(cause)
    }

    /// Expects that no backend has been dialled; the program is at rest.
    pub(super) fn expect_not_dialled(&self, cause: &str) -> Verdict {
        let Some((number, _)) = self.take_now()? else { return Ok(()) };
        Err(self
            .trial()
            .fail("the balancer has dialled a backend for nobody")
            .expected("no connection to any backend")
            .seen(format!("a connection to backend {number}"))
            .cause(cause)
            .stop())
    }

    /// The dials of this backend that nobody has answered yet.
    pub(super) fn unanswered<'a>(&self, number: usize, now: &'a Snapshot) -> Vec<&'a Row> {
        let address = self.address_of(number);
        let is_it = |row: &&Row| row.state == State::SynSent && row.remote == address;
        now.own_rows().into_iter().filter(is_it).collect()
    }

    /// Expects that this backend, which does not answer, is being dialled.
    pub(super) fn expect_dialling(&self, number: usize) -> Verdict<Snapshot> {
        self.service.expect_shown(
            &format!("the balancer does not dial backend {number}"),
            &format!("a connection to backend {number} in SYN-SENT"),
            "it is the next in turn, and nothing is known against it",
            |now| match self.unanswered(number, now)[..] {
                [] => Err("no connection in SYN-SENT".into()),
                [..] => Ok(()),
            },
        )
    }

    /// Expects that this client's connection is closed, by an end or a reset.
    pub(super) fn expect_closed(&self, end: &Connection, cause: &str) -> Verdict {
        let name = end.name();
        let closed = end.read(|got| match got {
            Got::End(_) => Progress::Done(None),
            Got::Bytes(bytes) => Progress::Done(Some(bytes.len())),
            Got::Nothing => Progress::Nothing,
        })?;
        let blame = match closed {
            Ok(None) => {
                self.trial().note(format!("the connection of {name} was closed"));
                return Ok(());
            }
            Ok(Some(bytes)) => self
                .trial()
                .fail(format!("{name} was sent something that nobody had sent"))
                .seen(crate::words::count(bytes)),
            Err(stall) => self
                .trial()
                .fail(format!("the connection of {name} stays open"))
                .seen(stall.sentence(CALLED)),
        };
        Err(blame.expected("the connection's end, by FIN or by RST").cause(cause).stop())
    }

    /// Waits until the program has come to rest, or does not: whatever was done has reached it.
    pub(super) fn rest(&self) -> Verdict<Snapshot> {
        self.service.settle()
    }
}

const GOES_ON: &str = "what can't be carried out is one line on standard error, and then the next command is waited for: an \
    error in reading or understanding one line is not the end of all of them";
const DIALS: &str = "for each client that is accepted a backend is picked and dialled at once, before \
    anything is read: a client may wait for the server to speak first";
