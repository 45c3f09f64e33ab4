//! The harness as an echo server that is as simple as most are: what it has read it writes
//! back before it reads any more. A client that does not read stops it.

use super::Client;
use crate::net::{Connection, End, Got, Put};
use crate::trial::{Progress, Stall, StallKind, Stop, Verdict};
use crate::words::count;

/// Bytes that the echo server reads at once.
const BUFFER: usize = 64 * 1024;

/// What ended an echo, other than standstill.
enum Over {
    /// All was sent back.
    Complete,
    /// The client's stream, or its connection.
    End(End),
    /// The client sent something else.
    Wrong,
    /// The reply can't be delivered.
    Gone,
}

impl Connection {
    /// Sends back all that comes, until it was all of `expected`.
    pub fn echo(&mut self, client: &Client, expected: &[u8]) -> Verdict {
        self.trial().note("the server sends back what it reads, and reads on when that is written");
        let mut received = 0;
        let mut buffer = vec![0; BUFFER];
        let (mut from, mut to) = (0, 0);
        let mut look = || {
            if from == to && received >= expected.len() {
                return Ok(Progress::Done(Over::Complete));
            }
            if from < to {
                return Ok(match self.try_write(&buffer[from..to]) {
                    Put::Bytes(taken) => {
                        from += taken;
                        Progress::Moved
                    }
                    Put::Full => Progress::Nothing,
                    Put::Gone(_) => Progress::Done(Over::Gone),
                });
            }
            Ok(match self.try_read(&mut buffer)? {
                Got::Bytes(bytes) => {
                    // What comes behind the last byte is for another check to judge.
                    let n = bytes.len().min(expected.len() - received);
                    let right = expected[received..received + n] == bytes[..n];
                    received += n;
                    (from, to) = (0, n);
                    if right { Progress::Moved } else { Progress::Done(Over::Wrong) }
                }
                Got::End(end) => Progress::Done(Over::End(end)),
                Got::Nothing => Progress::Nothing,
            })
        };
        let mut result = self.trial().wait(&client.running, &mut look)?;
        // A window that was shut opens late: the kernel asks for it now and then. Where it has come to
        // rest, and nothing moves, nothing will.
        while matches!(result, Err(Stall { kind: StallKind::Blocked })) {
            let _ = self.trial().settle(&client.running)?;
            match look()? {
                Progress::Nothing => break,
                Progress::Moved => result = self.trial().wait(&client.running, &mut look)?,
                Progress::Done(over) => result = Ok(over),
            }
        }
        let what = format!("{} from its standard input", count(expected.len()));
        let seen = &expected[..received];
        match result {
            Ok(Over::Complete) => {
                self.trial().note_result(&format!("it had {} in all", count(received)));
                Ok(())
            }
            Err(Stall { kind: StallKind::Ended(status) }) => Err(client.goes_on(status)),
            Err(_) if from < to => Err(self.stuck(client, received, expected.len())),
            Err(stall) => Err(self.wrong_bytes(&what, expected, seen, Err(stall))),
            Ok(Over::End(end)) => Err(self.wrong_bytes(&what, expected, seen, Ok(Some(end)))),
            Ok(Over::Wrong) => Err(self
                .trial()
                .fail("the client sent other bytes than its standard input")
                .expected("exactly the bytes of standard input, in order")
                .seen(format!("something else within the first {}", count(received)))
                .cause("read returns how many bytes are new: only those may be sent on")
                .stop()),
            Ok(Over::Gone) => Err(self
                .trial()
                .fail("the client ended the connection while the server was still answering")
                .expected("the client reads until the server ends its side")
                .seen(format!(
                    "the server could not write any more after it had read {}",
                    count(received)
                ))
                .cause("the end of standard input ends the sending side only, not the connection")
                .stop()),
        }
    }

    /// The server can't write: who holds up whom, and what stands where.
    fn stuck(&self, client: &Client, received: usize, all: usize) -> Stop {
        let expected = format!("the client receives while it sends: all {} come back", count(all));
        // Where it comes to rest: a moment ago an acknowledgement may have woken it.
        let rest = self.trial().settle(&client.running).ok().and_then(Result::ok);
        let snapshot = match rest.map_or_else(|| self.trial().look(&client.running), Ok) {
            Ok(snapshot) => snapshot,
            Err(_) => {
                let blame = self.trial().fail("the client stopped receiving").expected(expected);
                return blame.cause(BOTH).stop();
            }
        };
        let queues = |local, remote| {
            let row = snapshot.connection(local, remote);
            row.map_or((0, 0), |row| (row.tx_queue as usize, row.rx_queue as usize))
        };
        let (server_sent, server_unread) = queues(self.here(), self.there());
        let (client_sent, client_unread) = queues(self.there(), self.here());
        let deadlock = snapshot.is_blocked_in_send();
        let headline = if deadlock {
            "deadlock: both ends are blocked in write"
        } else {
            "the client stopped receiving while the server was sending"
        };
        let mut blame = self
            .trial()
            .fail(headline)
            .expected(expected)
            .seen(format!(
                "the server can't write: the client's receive queue holds {} that the client does \
                 not read, and behind them {} wait in the server's send queue",
                count(client_unread),
                count(server_sent)
            ))
            .seen(format!(
                "so the server does not read, after {}: its receive queue holds {}, and behind \
                 them {} wait in the client's send queue",
                count(received),
                count(server_unread),
                count(client_sent)
            ));
        if deadlock {
            blame =
                blame.seen("so the client can't write either: each waits for the other to read");
        }
        blame.cause(BOTH).stop()
    }
}

const BOTH: &str = "a client that sends everything before it receives works only as long as \
    everything fits into these four queues: send in one thread, and receive in another at the \
    same time";
