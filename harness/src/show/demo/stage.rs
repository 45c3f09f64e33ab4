//! The vocabulary of the demonstrators: do something, and say what must come of it.

use std::fmt::{self, Debug};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::json::Json;
use crate::kernel::{self, Row, State};
use crate::trial::Addresses;

/// One step of a demonstration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemoStep {
    /// What was done.
    pub done: String,
    /// What came of it.
    pub seen: Vec<String>,
}

impl DemoStep {
    pub(super) fn to_json(&self) -> Json {
        Json::object([("done", self.done.as_str().into()), ("seen", self.seen.as_slice().into())])
    }

    pub(super) fn from_json(json: &Json) -> Option<Self> {
        let seen = json.get("seen")?.as_array()?.iter().map(|line| Some(line.as_str()?.to_owned()));
        Some(Self {
            done: json.get("done")?.as_str()?.to_owned(),
            seen: seen.collect::<Option<_>>()?,
        })
    }
}

/// Why a demonstration is none.
#[derive(Debug)]
pub enum Mismatch {
    /// The run shows something else than the truth.
    Differs {
        /// What was looked at.
        what: String,
        /// What the truth says.
        expected: String,
        /// What was seen.
        seen: String,
    },
    /// A call that is no part of what is shown has failed.
    Call(io::Error),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { what, expected, seen } => {
                write!(f, "{what}: the truth says {expected}, and this run shows {seen}")
            }
            Self::Call(error) => write!(f, "a call failed: {error}"),
        }
    }
}

impl From<io::Error> for Mismatch {
    fn from(error: io::Error) -> Self {
        Self::Call(error)
    }
}

/// How long a state of the kernel is waited for. A backstop: loopback takes microseconds.
const BACKSTOP: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(1);

/// Where a demonstration takes place, and what was done so far.
#[derive(Debug)]
pub struct Stage {
    addresses: Addresses,
    steps: Vec<DemoStep>,
}

/// A connection: the listener that it came through, and both ends.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) listener: TcpListener,
    pub(super) client: TcpStream,
    pub(super) server: TcpStream,
}

impl Stage {
    pub(super) fn new(addresses: Addresses) -> Self {
        Self { addresses, steps: Vec::new() }
    }

    pub(super) fn into_steps(self) -> Vec<DemoStep> {
        self.steps
    }

    /// An address that nothing is bound to.
    pub(super) fn address(&self) -> SocketAddr {
        self.addresses.free_address()
    }

    /// Whether nobody else uses this network.
    pub(super) fn is_isolated(&self) -> bool {
        self.addresses.is_isolated()
    }

    /// Tells what was done, where nothing can be seen of it yet.
    pub(super) fn tell(&mut self, done: impl Into<String>) {
        self.steps.push(DemoStep { done: done.into(), seen: Vec::new() });
    }

    /// Tells what was done and what came of it, which must be `expected`.
    pub(super) fn expect(
        &mut self,
        done: impl Into<String>,
        seen: impl Into<String>,
        expected: impl Into<String>,
    ) -> Result<(), Mismatch> {
        self.tell(done);
        self.also(seen, expected)
    }

    /// Adds to the last step something else that came of it, which must be `expected`.
    pub(super) fn also(
        &mut self,
        seen: impl Into<String>,
        expected: impl Into<String>,
    ) -> Result<(), Mismatch> {
        let (seen, expected) = (seen.into(), expected.into());
        let holds = seen == expected;
        self.show_if(seen, holds, &expected)
    }

    /// Adds to the last step something that came of it; `holds` says whether the truth agrees,
    /// and `expected` what it says. For what is not alike in two runs: see [`about`].
    pub(super) fn show_if(
        &mut self,
        seen: impl Into<String>,
        holds: bool,
        expected: &str,
    ) -> Result<(), Mismatch> {
        let seen = seen.into();
        let what = match self.steps.last_mut() {
            Some(step) => {
                step.seen.push(seen.clone());
                step.done.clone()
            }
            None => String::new(),
        };
        if holds {
            return Ok(());
        }
        Err(Mismatch::Differs { what, expected: expected.to_owned(), seen })
    }

    /// Adds what the kernel shows of a socket once `settled` holds of it.
    pub(super) fn kernel(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        expected: &str,
    ) -> Result<(), Mismatch> {
        let seen = wait_for(|| {
            let seen = describe(&kernel::socket_table()?, local, remote);
            Ok((seen == expected).then_some(seen))
        });
        let seen = match seen? {
            Some(seen) => seen,
            None => describe(&kernel::socket_table()?, local, remote),
        };
        let holds = seen == expected;
        let tell = |what: &str| format!("the kernel: {} {what}", addresses(local, remote));
        self.show_if(tell(&seen), holds, &tell(expected))
    }

    /// A listener at a free address.
    pub(super) fn listen(&mut self) -> Result<TcpListener, Mismatch> {
        let address = self.address();
        let listener = TcpListener::bind(address)?;
        self.tell(format!("the server listens on {address}"));
        self.kernel(address, NOBODY, "LISTEN, nobody waits for accept")?;
        Ok(listener)
    }

    /// A listener, and a client that it has accepted.
    pub(super) fn pair(&mut self) -> Result<Pair, Mismatch> {
        let pair = self.pair_unseen()?;
        let (address, from) = (pair.server.local_addr()?, pair.server.peer_addr()?);
        self.tell(format!("a client connects to {address}, and the server accepts it"));
        self.kernel(address, from, "ESTABLISHED")?;
        Ok(pair)
    }

    /// A pair of which nothing is told: one of many.
    pub(super) fn pair_unseen(&self) -> Result<Pair, Mismatch> {
        let listener = TcpListener::bind(self.address())?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (server, _) = listener.accept()?;
        Ok(Pair { listener, client, server })
    }
}

/// The remote address of a socket that has no other end.
pub(super) const NOBODY: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// What a call gave: `Ok(5)`, or `Err(ConnectionReset)`.
pub(super) fn outcome<T: Debug>(result: &io::Result<T>) -> String {
    match result {
        Ok(value) => format!("Ok({value:?})"),
        Err(error) => format!("Err({:?})", error.kind()),
    }
}

/// What a call gave whose value says nothing: `Ok`, or `Err(AddrInUse)`.
pub(super) fn success<T>(result: &io::Result<T>) -> String {
    match result {
        Ok(_) => "Ok".into(),
        Err(error) => format!("Err({:?})", error.kind()),
    }
}

/// What a read brought: `Ok(5) "hello"`.
pub(super) fn bytes(result: &io::Result<usize>, buffer: &[u8]) -> String {
    match result {
        Ok(0) | Err(_) => outcome(result),
        Ok(n) => format!("Ok({n}) {}", crate::words::quote(&buffer[..*n])),
    }
}

/// A number that differs from run to run: marked, so that nobody takes it for exact.
pub(super) fn about(number: impl fmt::Display) -> String {
    format!("≈{number}")
}

/// Looks until there is something, or the backstop is reached.
pub(super) fn wait_for<T>(
    mut look: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if began.elapsed() > BACKSTOP {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

/// The row of a socket.
pub(super) fn row(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Row>> {
    let rows = kernel::socket_table()?;
    Ok(rows.into_iter().find(|row| row.local == local && row.remote == remote))
}

fn addresses(local: SocketAddr, remote: SocketAddr) -> String {
    match remote.port() {
        0 => local.to_string(),
        _ => format!("{local} with {remote}"),
    }
}

/// A socket's state and queues in words.
fn describe(rows: &[Row], local: SocketAddr, remote: SocketAddr) -> String {
    let Some(row) = rows.iter().find(|row| row.local == local && row.remote == remote) else {
        return "no such socket any more".into();
    };
    if row.state == State::Listen {
        return match row.rx_queue {
            0 => "LISTEN, nobody waits for accept".into(),
            1 => "LISTEN, 1 waits for accept".into(),
            n => format!("LISTEN, {n} wait for accept"),
        };
    }
    if !row.table.is_tcp() {
        return describe_datagrams(row);
    }
    let mut text = row.state.to_string();
    if row.rx_queue > 0 {
        text += &format!(", {} unread", row.rx_queue);
    }
    if row.tx_queue > 0 {
        text += &format!(", {} not acknowledged", row.tx_queue);
    }
    if row.inode == 0 && !matches!(row.state, State::TimeWait) {
        text += ", of no process";
    }
    text
}

/// Of unread datagrams the table does not tell how many there are.
fn describe_datagrams(row: &Row) -> String {
    let mut text = String::from("UDP");
    if row.rx_queue > 0 {
        text += ", datagrams unread";
    }
    if row.drops > 0 {
        text += &format!(", {} dropped", row.drops);
    }
    text
}
