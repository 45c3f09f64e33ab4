//! What is likely wrong with a client.

use std::process::ExitStatus;

use super::Client;
use crate::trial::FailureBuilder;
use crate::words::count;

/// Why a client goes on when the server has ended its side.
pub(super) const JOINED: &str = "something is still waited for: a thread that reads standard input or writes \
    to the server must not be joined, since its end may never come. When main returns, the program \
    ends, with all of its threads";

impl Client {
    /// The failure of one that has ended while the server had not.
    pub(super) fn ended_early(&self, status: ExitStatus) -> FailureBuilder {
        self.trial.fail("the client ended too early").cause(match status.code() {
            Some(101) => {
                "a panic: the last lines of standard error say where (unwrap and expect panic)"
            }
            // The stub of step 3 reads to the end of the stream, and is satisfied with nothing.
            _ if self.running.has_a_stub() => {
                "the stream came to its end in here, and not at the server: \
                 shutdown(Shutdown::Both) ends receiving, too, and so does a stream that is dropped"
            }
            Some(0) => {
                "it ended by itself, before the server had ended its side: the end of standard \
                 input is not the end of the client, shutdown(Shutdown::Both) ends receiving, too, \
                 and a single read is not the whole answer"
            }
            _ => "an error ended it: the last lines of standard error say which",
        })
    }

    /// Why nothing is printed, from what stands in the queues.
    pub(super) fn why_not_printed(&self, missing: usize) -> String {
        let unread = self.trial.look(&self.running).ok().and_then(|snapshot| {
            let rows = snapshot.own_rows();
            rows.iter().map(|row| row.rx_queue).filter(|unread| *unread > 0).max()
        });
        match unread {
            Some(unread) => format!(
                "unread in its receive queue: {}. Nobody is receiving now; both directions have to \
                 be served at the same time, so each has a thread of its own",
                // A FIN counts as one byte.
                count((unread as usize).min(missing))
            ),
            None => {
                "all was read, and it stays in the program: standard output keeps what follows \
                     the last newline until it is flushed; or it is still collecting, until a line \
                     end, a full buffer or the end of the stream. (io::copy into a locked stdout \
                     does not help: while it waits for more, it holds the pipe, and nobody can \
                     read what is in there.)"
                    .into()
            }
        }
    }
}
