//! One TCP connection between the harness and a program: how bytes go out and come in. What may
//! be expected of them stands in [`super::expect`].

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;

use super::terms::CLOSED_EARLY;
use super::{Cut, Terms, describe_bytes};
pub use crate::trial::End;
use crate::trial::{Act, Progress, Running, Stall, Still, Trial, Verdict};
use crate::words::count;

/// The harness's end of a connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) trial: Trial,
    pub(super) running: Rc<Running>,
    stream: TcpStream,
    /// What the reader calls it: `client 1`, or `the server`.
    name: String,
    /// The harness's address, and the program's.
    here: SocketAddr,
    there: SocketAddr,
    /// What the program owes on it.
    pub(super) terms: &'static Terms,
    /// Whether the harness has ended its sending side.
    pub(super) half_closed: bool,
}

/// What a look at a stream has brought: bytes, its end, or nothing yet.
#[derive(Clone, Copy)]
pub(crate) enum Got<'a> {
    Bytes(&'a [u8]),
    End(End),
    Nothing,
}

/// What an attempt to write has come to.
pub(crate) enum Put {
    /// So many bytes were taken.
    Bytes(usize),
    /// The queues are full.
    Full,
    /// The connection takes nothing any more.
    Gone(io::Error),
}

/// How far a write got, and what kept it from the end.
pub(crate) struct Written {
    pub(crate) bytes: usize,
    pub(crate) stopped: Option<Stopped>,
}

/// What keeps a write from its end.
pub(crate) enum Stopped {
    Gone(io::Error),
    Stalled(Stall),
}

impl Connection {
    /// Takes over a stream that is connected with `there`. The harness never blocks on it. The
    /// address is given because the kernel does not tell it of a connection that was reset.
    pub(super) fn new(
        trial: Trial,
        running: Rc<Running>,
        stream: TcpStream,
        name: String,
        there: SocketAddr,
        terms: &'static Terms,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // A segment for each write: how bytes are cut is the check's to decide.
        stream.set_nodelay(true)?;
        let here = stream.local_addr()?;
        trial.name(here, &name);
        Ok(Self { trial, running, stream, name, here, there, terms, half_closed: false })
    }

    /// What the reader calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The harness's own address of this connection.
    pub fn here(&self) -> SocketAddr {
        self.here
    }

    /// The program's address of this connection.
    pub fn there(&self) -> SocketAddr {
        self.there
    }

    /// The trial that it takes part in.
    pub fn trial(&self) -> &Trial {
        &self.trial
    }

    /// The program at its other end.
    pub fn running(&self) -> &Rc<Running> {
        &self.running
    }

    /// What the reader calls the program.
    pub(super) fn program(&self) -> &str {
        &self.running.name
    }

    /// Tells the recorder, where there is one, what was done while the program was held still.
    pub(crate) fn record(&self, still: Still, act: Act<'_>) {
        let line = (self.name.as_str(), self.here, self.there);
        self.trial.record_after(still, &self.running, line, act);
    }

    /// Holds the program still, where it is recorded, for the harness to act.
    pub(crate) fn record_before(&self, bytes: usize) -> Still {
        self.trial.record_before(&self.running, bytes)
    }

    /// Sends all of `bytes` in one write.
    pub fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.send_cut(bytes, Cut::Whole)
    }

    /// Sends all of `bytes`, cut into pieces; each piece follows when the program has taken the
    /// one before, so that each is a read of its own.
    pub fn send_cut(&mut self, bytes: &[u8], cut: Cut) -> Verdict {
        let (name, how) = (&self.name, cut.describe());
        self.trial.note(format!("{name} sent {}{how}", describe_bytes(bytes)));
        let mut taken = true;
        for (index, piece) in cut.pieces(bytes).into_iter().enumerate() {
            // That it was not taken is for the expectation that follows to judge.
            if index > 0 && taken {
                taken = self.is_taken()?;
            }
            self.send_piece(piece)?;
        }
        Ok(())
    }

    /// Waits until the program has read all that was sent; `false` where it never will.
    fn is_taken(&self) -> Verdict<bool> {
        let mut empty_before = false;
        let taken = self.trial.wait(&self.running, || {
            let snapshot = self.trial.look(&self.running)?;
            let (theirs, ours) = (
                snapshot.connection(self.there, self.here),
                snapshot.connection(self.here, self.there),
            );
            let empty = theirs.is_none_or(|row| row.rx_queue == 0);
            // The acknowledgement may be delayed by 40 ms (RFC 9293 section 3.8.6.3): an empty
            // queue that is seen twice is as good.
            let acknowledged = ours.is_none_or(|row| row.tx_queue == 0);
            let done = empty && (acknowledged || empty_before);
            empty_before = empty;
            Ok(if done { Progress::Done(()) } else { Progress::Nothing })
        })?;
        Ok(taken.is_ok())
    }

    fn send_piece(&self, bytes: &[u8]) -> Verdict {
        let written = self.write_recorded(bytes)?;
        let (name, program) = (&self.name, self.program());
        let of = format!("{} of {}", written.bytes, count(bytes.len()));
        match written.stopped {
            None => Ok(()),
            Some(Stopped::Gone(error)) => Err(self
                .trial
                .fail(format!("the {program} ended the connection while {name} was still sending"))
                .expected(format!("all that {name} sends is read"))
                .seen(format!("after {of}: {error}"))
                .cause(CLOSED_EARLY)
                .stop()),
            Some(Stopped::Stalled(stall)) => Err(self
                .trial
                .fail(format!("the {program} stopped reading"))
                .expected(format!("all that {name} sends is read"))
                .seen(format!("the kernel took {of}; then {}", stall.sentence(program)))
                .cause("the queues between the two are full: somebody has to read before more can be sent")
                .stop()),
        }
    }

    /// Writes all of `bytes`, and tells the recorder.
    pub(super) fn write_recorded(&self, bytes: &[u8]) -> Verdict<Written> {
        let still = self.record_before(bytes.len());
        let written = self.write(bytes)?;
        self.record(still, Act::Write(&bytes[..written.bytes]));
        Ok(written)
    }

    /// Writes until all of `bytes` is on its way, the connection has gone, or the program can
    /// make no progress.
    pub(crate) fn write(&self, bytes: &[u8]) -> Verdict<Written> {
        let mut sent = 0;
        let result = self.trial.wait(&self.running, || {
            if sent == bytes.len() {
                return Ok(Progress::Done(None));
            }
            Ok(match self.try_write(&bytes[sent..]) {
                Put::Bytes(taken) => {
                    sent += taken;
                    Progress::Moved
                }
                Put::Full => Progress::Nothing,
                Put::Gone(error) => Progress::Done(Some(Stopped::Gone(error))),
            })
        })?;
        let stopped = result.unwrap_or_else(|stall| Some(Stopped::Stalled(stall)));
        Ok(Written { bytes: sent, stopped })
    }

    /// Writes what fits now.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> Put {
        match (&self.stream).write(bytes) {
            Ok(taken) => Put::Bytes(taken),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => Put::Full,
                ErrorKind::Interrupted => Put::Bytes(0),
                _ => Put::Gone(error),
            },
        }
    }

    /// Hands on what comes until `take` has what it wants, or until the program can make no
    /// progress.
    pub(crate) fn read<T>(
        &self,
        mut take: impl FnMut(Got<'_>) -> Progress<T>,
    ) -> Verdict<Result<T, Stall>> {
        let mut buffer = vec![0; 64 * 1024];
        self.trial.wait(&self.running, || Ok(take(self.try_read(&mut buffer)?)))
    }

    /// Reads what is there, without waiting.
    pub(crate) fn try_read<'a>(&self, buffer: &'a mut [u8]) -> Verdict<Got<'a>> {
        let got = match (&self.stream).read(buffer) {
            Ok(0) => Got::End(End::Stream),
            Ok(n) => Got::Bytes(&buffer[..n]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => Got::Nothing,
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Got::End(End::Reset),
                _ => return Err(error.into()),
            },
        };
        let line = (self.here, self.there);
        match got {
            Got::Bytes(bytes) => self.trial.record_read(line, bytes, None),
            Got::End(end) => self.trial.record_read(line, &[], Some(end)),
            Got::Nothing => {}
        }
        Ok(got)
    }

    /// Whether bytes are there to be read, and stay; `None` where nothing has come yet.
    pub(super) fn peek(&self) -> Option<bool> {
        match self.stream.peek(&mut [0]) {
            Ok(count) => Some(count > 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(_) => Some(false),
        }
    }

    /// Sends as much of `bytes` as fits into the queues, and reads nothing: the program is then
    /// blocked in the middle of its reply. Returns how much was sent, in bytes.
    pub fn stall(&mut self, bytes: &[u8]) -> Verdict<usize> {
        self.trial.note(format!("{} sent as much as the queues take, and read nothing", self.name));
        self.fill_queues(bytes)
    }

    /// Writes until nothing more fits and the program is at rest. Returns how much was written:
    /// where the program has ended the connection, reading will tell how.
    pub(crate) fn fill_queues(&self, bytes: &[u8]) -> Verdict<usize> {
        let (mut written, mut settled) = (0, false);
        loop {
            let before = written;
            while written < bytes.len() {
                match self.try_write(&bytes[written..]) {
                    Put::Bytes(taken) => written += taken,
                    Put::Full => break,
                    // Reading will tell how the program ended the connection.
                    Put::Gone(_) => return Ok(written),
                }
            }
            // At rest, be it with a time-out in sight: it will take no more before it is read from.
            let rests = settled && written == before;
            if written == bytes.len() || rests || crate::kernel::available().is_err() {
                break;
            }
            let _ = self.trial.settle(&self.running)?;
            settled = true;
        }
        self.trial.note_result(&format!("the queues were full after {}", count(written)));
        Ok(written)
    }

    /// Ends this side's sending (FIN); receiving goes on.
    pub fn half_close(&mut self) -> Verdict {
        self.trial.note(format!("{} ended its sending side (FIN)", self.name));
        self.half_closed = true;
        let still = self.record_before(0);
        let ended = self.stream.shutdown(Shutdown::Write);
        self.record(still, Act::EndSending);
        match ended {
            // The program has reset the connection: the next expectation will see it.
            Err(error) if error.kind() != ErrorKind::NotConnected => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Closes the connection, having read everything.
    pub fn close(self) {
        self.trial.note(format!("{} closed the connection", self.name));
        self.drop_stream(Act::Close);
    }

    pub(super) fn drop_stream(self, act: Act<'_>) {
        let still = self.record_before(0);
        let Self { trial, running, stream, name, here, there, .. } = self;
        drop(stream);
        trial.record_after(still, &running, (&name, here, there), act);
    }
}
