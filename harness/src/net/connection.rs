//! One TCP connection between the harness and a program.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;

use super::{Cut, describe_bytes, likely};
pub use crate::trial::End;
use crate::trial::{Act, Progress, Running, Stall, StallKind, Still, Stop, Trial, Verdict};
use crate::words::count;

/// What the harness is on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has connected to the program.
    Client,
    /// It has accepted the program's connection.
    Server,
}

/// The harness's end of a connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) trial: Trial,
    pub(super) running: Rc<Running>,
    pub(super) stream: TcpStream,
    role: Role,
    /// What the reader calls it: `client 1`, or `the server`.
    name: String,
    /// The harness's address, and the program's.
    here: SocketAddr,
    there: SocketAddr,
    /// Whether the harness has ended its sending side.
    half_closed: bool,
}

/// What a look at a stream has brought.
pub(super) enum Got {
    Bytes(usize),
    End(End),
    Nothing,
}

impl Connection {
    /// Takes over a stream that is connected with `there`. The harness never blocks on it. The
    /// address is given because the kernel does not tell it of a connection that was reset.
    pub(super) fn new(
        trial: Trial,
        running: Rc<Running>,
        stream: TcpStream,
        role: Role,
        name: String,
        there: SocketAddr,
    ) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // A segment for each write: how bytes are cut is the check's to decide.
        stream.set_nodelay(true)?;
        let here = stream.local_addr()?;
        trial.name(here, &name);
        Ok(Self { trial, running, stream, role, name, here, there, half_closed: false })
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

    pub(super) fn program(&self) -> &str {
        &self.running.name
    }

    /// Tells the recorder, where there is one, what was done while the program was held still.
    pub(super) fn record(&self, still: Still, act: Act<'_>) {
        let line = (self.name.as_str(), self.here, self.there);
        self.trial.record_after(still, &self.running, line, act);
    }

    /// Holds the program still, where it is recorded, for the harness to act.
    pub(super) fn record_before(&self, bytes: usize) -> Still {
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
            self.put(piece)?;
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

    fn put(&mut self, bytes: &[u8]) -> Verdict {
        let mut sent = 0;
        let still = self.record_before(bytes.len());
        let result =
            self.trial.wait(&self.running, || match (&self.stream).write(&bytes[sent..]) {
                Ok(taken) => {
                    sent += taken;
                    Ok(if sent == bytes.len() { Progress::Done(Ok(())) } else { Progress::Moved })
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Progress::Moved),
                Err(error) => Ok(Progress::Done(Err(error))),
            })?;
        self.record(still, Act::Write(&bytes[..sent]));
        let (name, program) = (&self.name, self.program());
        let of = format!("{} of {}", sent, count(bytes.len()));
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self
                .trial
                .fail(format!("the {program} ended the connection while {name} was still sending"))
                .expected(format!("all that {name} sends is read"))
                .seen(format!("after {of}: {error}"))
                .cause(CLOSED_EARLY)
                .stop()),
            Err(stall) => Err(self
                .trial
                .fail(format!("the {program} stopped reading"))
                .expected(format!("all that {name} sends is read"))
                .seen(format!("the kernel took {of}; then {}", stall.sentence(program)))
                .cause("the queues between the two are full: somebody has to read before more can be sent")
                .stop()),
        }
    }

    /// Expects exactly these bytes next.
    pub fn expect(&mut self, bytes: &[u8]) -> Verdict {
        let mut seen = Vec::new();
        let result = self
            .read_until(&mut seen, |seen| seen.len() >= bytes.len() || !bytes.starts_with(seen))?;
        if seen == bytes {
            let (name, program) = (&self.name, self.program());
            self.trial.note(format!("{name} received {} from the {program}", count(seen.len())));
            return Ok(());
        }
        let what = describe_bytes(bytes);
        Err(self.wrong_bytes(&what, bytes, &seen, result))
    }

    /// Expects the end of the program's stream next, and nothing before it.
    pub fn expect_end(&mut self) -> Verdict {
        let (name, program) = (self.name.clone(), self.program().to_owned());
        let mut seen = Vec::new();
        match self.read_until(&mut seen, |seen| !seen.is_empty())? {
            Ok(Some(End::Stream)) => {
                self.trial.note(format!("{name} received the end of the stream (FIN)"));
                Ok(())
            }
            Ok(Some(End::Reset)) => Err(self
                .trial
                .fail(format!("the {program} reset the connection instead of ending it"))
                .expected("the end of the stream (FIN)")
                .seen("a reset (RST, ConnectionReset)")
                .cause(RESET)
                .stop()),
            Ok(None) => Err(self
                .trial
                .fail(format!("the {program} sent more than it should have"))
                .expected("the end of the stream (FIN), and no byte before it")
                .seen(describe_bytes(&seen))
                .cause(UNASKED)
                .stop()),
            Err(stall) => Err(self
                .trial
                .fail(format!("the {program} did not end the connection"))
                .expected(format!("after {} has ended, the end of the stream (FIN)", self.source()))
                .seen(stall.sentence(&program))
                .cause(match (stall.kind, self.role) {
                    (StallKind::Busy, _) => NEVER_ENDS,
                    (_, Role::Client) => HELD,
                    (_, Role::Server) => NOT_ENDED,
                })
                .stop()),
        }
    }

    /// Expects that nothing comes: the program has come to rest, and there is nothing to read.
    pub fn expect_nothing(&mut self) -> Verdict {
        // A program that does not come to rest still has sent nothing so far; that it runs idle
        // is another check's matter.
        let _ = self.trial.settle(&self.running)?;
        let mut buffer = [0; 1024];
        let (name, program) = (self.name.clone(), self.program().to_owned());
        match self.try_read(&mut buffer)? {
            Got::Nothing => {
                self.trial.note(format!("nothing came to {name}, and the {program} was at rest"));
                Ok(())
            }
            Got::Bytes(n) => Err(self
                .trial
                .fail(format!("the {program} sent something that nobody had asked for"))
                .expected("nothing")
                .seen(describe_bytes(&buffer[..n]))
                .cause(UNASKED)
                .stop()),
            Got::End(end) => Err(self
                .trial
                .fail(format!("the {program} ended the connection by itself"))
                .expected("nothing: the connection stays open")
                .seen(describe_end(end))
                .cause(CLOSED_EARLY)
                .stop()),
        }
    }

    /// Expects that no more comes than the end of the program's stream, whether it comes or not.
    pub fn expect_no_more(&mut self) -> Verdict {
        let _ = self.trial.settle(&self.running)?;
        let mut buffer = [0; 1024];
        let (name, program) = (self.name.clone(), self.program().to_owned());
        let blame = match self.try_read(&mut buffer)? {
            Got::Nothing | Got::End(End::Stream) => {
                self.trial.note(format!("no more came to {name}"));
                return Ok(());
            }
            Got::Bytes(n) => self
                .trial
                .fail(format!("the {program} sent more than it should have"))
                .seen(format!("more: {}", describe_bytes(&buffer[..n])))
                .cause("nothing is added: no newline, no greeting, no farewell"),
            Got::End(End::Reset) => self
                .trial
                .fail(format!("the {program} reset the connection"))
                .seen(describe_end(End::Reset))
                .cause(RESET),
        };
        Err(blame.expected("no more bytes, and no reset").stop())
    }

    /// Ends this side's sending (FIN); receiving goes on.
    pub fn half_close(&mut self) -> Verdict {
        self.trial.note(format!("{} ended its sending side (FIN)", self.name));
        self.half_closed = true;
        self.end_sending()
    }

    /// Ends this side's sending, without a word.
    pub(super) fn end_sending(&self) -> Verdict {
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

    fn drop_stream(self, act: Act<'_>) {
        let still = self.record_before(0);
        let Self { trial, running, stream, name, here, there, .. } = self;
        drop(stream);
        trial.record_after(still, &running, (&name, here, there), act);
    }

    /// Vanishes: closes with unread bytes in the receive queue, which makes the kernel send a
    /// reset (RFC 9293 section 3.6.1). Waits first until there are such bytes.
    pub fn reset(self) -> Verdict {
        let mut byte = [0];
        let unread = self.trial.wait(&self.running, || match self.stream.peek(&mut byte) {
            Ok(0) => Ok(Progress::Done(false)),
            Ok(_) => Ok(Progress::Done(true)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Nothing),
            Err(_) => Ok(Progress::Done(false)),
        })?;
        let (name, program) = (&self.name, self.program());
        match unread {
            Ok(true) => {
                self.trial.note(format!("{name} closed without reading what was there (RST)"));
                self.drop_stream(Act::Reset);
                Ok(())
            }
            Ok(false) => Err(self
                .trial
                .fail(format!("the {program} ended the connection before {name} did"))
                .expected(self.owed())
                .seen("the end of the connection")
                .cause(CLOSED_EARLY)
                .stop()),
            Err(stall) => Err(self
                .trial
                .fail(format!("the {program} {}", self.nothing_came()))
                .expected(self.owed())
                .seen(stall.sentence(program))
                .cause("nothing comes: begin with the checks that only send and receive")
                .stop()),
        }
    }

    /// Reads until `enough`, the end, or standstill. `Ok(None)`: enough was read.
    fn read_until(
        &self,
        seen: &mut Vec<u8>,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Verdict<Result<Option<End>, Stall>> {
        let mut buffer = vec![0; 64 * 1024];
        self.trial.wait(&self.running, || {
            Ok(match self.try_read(&mut buffer)? {
                Got::Bytes(n) => {
                    seen.extend_from_slice(&buffer[..n]);
                    if enough(seen) { Progress::Done(None) } else { Progress::Moved }
                }
                Got::End(end) => Progress::Done(Some(end)),
                Got::Nothing => Progress::Nothing,
            })
        })
    }

    /// Reads what is there, without waiting.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> Verdict<Got> {
        let got = match (&self.stream).read(buffer) {
            Ok(0) => Got::End(End::Stream),
            Ok(n) => Got::Bytes(n),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => Got::Nothing,
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Got::End(End::Reset),
                _ => return Err(error.into()),
            },
        };
        let line = (self.here, self.there);
        match got {
            Got::Bytes(n) => self.trial.record_read(line, &buffer[..n], None),
            Got::End(end) => self.trial.record_read(line, &[], Some(end)),
            Got::Nothing => {}
        }
        Ok(got)
    }

    /// The failure of an expectation of bytes, with the cause that its kind of end suggests.
    pub(super) fn wrong_bytes(
        &self,
        expected: &str,
        bytes: &[u8],
        seen: &[u8],
        result: Result<Option<End>, Stall>,
    ) -> Stop {
        let program = self.program();
        let prefix = bytes.starts_with(seen);
        // The end of a program is the end of its connections, and says more than that.
        let gone = matches!(result, Ok(Some(_))) && self.program_ended();
        let headline = match &result {
            Ok(Some(_)) if gone => format!("the {program} ended"),
            Ok(Some(End::Reset)) => format!("the {program} reset the connection"),
            Ok(Some(End::Stream)) if prefix => {
                format!("the {program} ended the connection too early")
            }
            Err(_) if prefix && seen.is_empty() => format!("the {program} {}", self.nothing_came()),
            Err(_) if prefix => format!("the {program} sent only a part of it"),
            _ => format!("the {program} sent other bytes than expected"),
        };
        let kind = result.as_ref().map(|end| *end).map_err(drop);
        let after = format!("after {}", count(seen.len()));
        let mut blame = self.trial.fail(headline).expected(expected);
        blame = match result {
            Ok(None) => blame.seen(describe_bytes(seen)),
            Ok(Some(end)) => blame.seen(format!("{after}, {}", describe_end(end))),
            Err(stall) => blame.seen(format!("{after}, {}", stall.sentence(program))),
        };
        if !seen.is_empty() {
            blame = blame.difference(bytes, seen);
        }
        match kind {
            _ if gone => blame.cause(GONE),
            Ok(Some(End::Reset)) => blame.cause(RESET),
            Ok(Some(End::Stream)) if prefix && self.half_closed => blame.cause(CLOSED_AT_THE_END),
            Ok(Some(End::Stream)) if prefix => blame.cause(CLOSED_EARLY),
            Err(_) if prefix => blame.cause(self.silence(bytes, seen)),
            _ => blame.cause(likely::cause(bytes, seen)),
        }
        .stop()
    }

    fn program_ended(&self) -> bool {
        let rest = self.trial.settle(&self.running);
        matches!(rest, Ok(Err(Stall { kind: StallKind::Ended(_) })))
    }

    /// What a program that is silent did not do.
    fn nothing_came(&self) -> &'static str {
        match self.role {
            Role::Client => "did not answer",
            Role::Server => "sent nothing",
        }
    }

    /// What the program's bytes are made of.
    fn source(&self) -> String {
        match self.role {
            Role::Client => self.name.clone(),
            Role::Server => format!("the standard input of the {}", self.program()),
        }
    }

    fn owed(&self) -> &'static str {
        match self.role {
            Role::Client => "the bytes that were sent, back",
            Role::Server => "the bytes of its standard input",
        }
    }

    /// Why nothing comes, from what stands in the queues.
    fn silence(&self, expected: &[u8], seen: &[u8]) -> String {
        let snapshot = match self.trial.look(&self.running) {
            Ok(snapshot) => snapshot,
            Err(_) => return "the program waits for something that will not come".into(),
        };
        let row = snapshot.connection(self.there, self.here);
        match row {
            Some(row) if row.inode == 0 => {
                "the connection stands in the listener's queue: nobody has accepted it".into()
            }
            Some(row) if row.rx_queue > 0 => format!(
                "unread on this connection: {}; the program waits for something else, or is at \
                 work elsewhere",
                count(row.rx_queue as usize)
            ),
            Some(_) if self.role == Role::Server && seen.is_empty() => format!(
                "{} of its standard input never reached the server: it may be waiting for a line \
                 end, for a full buffer or for the end of its input before it sends; what it sends \
                 may stand in a buffer that is not flushed (BufWriter); or nobody reads its input",
                count(expected.len())
            ),
            Some(_) => format!(
                "the program has read all that was there and still owes {}: {}",
                count(expected.len() - seen.len()),
                likely::silence(expected, seen)
            ),
            None => "the program has dropped this connection".into(),
        }
    }
}

fn describe_end(end: End) -> &'static str {
    match end {
        End::Stream => "the end of the stream (FIN)",
        End::Reset => "a reset (RST, ConnectionReset)",
    }
}

const CLOSED_EARLY: &str = "the stream was dropped, or shut down, before the other side had ended \
    its own: look for a loop that ends after one read, an early return, a limit, or an error that was not \
    handled";
const CLOSED_AT_THE_END: &str = "the end of the other side's stream (read returns 0) says that no \
    more will come, and not that nothing can be sent any more: send what is left, then close";
const GONE: &str = "when a program ends, the kernel closes its connections; the exit status and the \
    last lines of standard error say why it ended";
const UNASKED: &str = "only what was asked for may be sent: no greeting, no prompt, no farewell, no \
    debug output";
const NEVER_ENDS: &str = "read returns 0 at the end of the stream, and will for ever: a loop that \
    goes on then never ends";
const HELD: &str = "the stream is still held somewhere (a clone, a list, a thread), or the end of \
    the client's stream (read returns 0) goes unnoticed";
const NOT_ENDED: &str = "nobody has told the server that no more will come: end the sending side \
    when standard input ends, with shutdown(Shutdown::Write). Dropping one of two handles of a \
    socket ends nothing";
const RESET: &str = "a stream that is dropped while bytes stand unread in its queue is reset, and \
    what was on its way to the other side may be lost; a program that dies with a connection open \
    does the same: read to the end of the stream before you drop it";
