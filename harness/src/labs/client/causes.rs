//! What is likely wrong with a client.

use std::process::ExitStatus;

use super::Client;
use crate::net::causes;
use crate::trial::FailureBuilder;
use crate::words::count;

/// Why a client goes on when the server has ended its side.
pub(super) const JOINED: &str = "something is still waited for: a thread that reads standard input or writes \
    to the server must not be joined, since its end may never come. When main returns, the program \
    ends, with all of its threads";

const ENDED_FIRST: &str = "it ended by itself, before the server had ended its side: the end of standard \
    input is not the end of the client, shutdown(Shutdown::Both) ends receiving, too, and a single \
    read is not the whole answer";
const ENDED_IN_MID_OUTPUT: &str = "it ended by itself, before it had printed all that was sent to it: the end of \
    standard input is not the end of the client, shutdown(Shutdown::Both) ends receiving, too, a \
    single read is not the whole answer, and what is still on its way to standard output when a \
    program exits (process.exit in Node) is lost";

impl Client {
    /// The failure of one that has ended while the server had not.
    pub(super) fn ended_early(&self, status: ExitStatus) -> FailureBuilder {
        self.ended_before(status, ENDED_FIRST)
    }

    /// The failure of one that has ended before it had printed what was sent to it: whether the
    /// server had ended its side by then or not.
    pub(super) fn ended_in_mid_output(&self, status: ExitStatus) -> FailureBuilder {
        self.ended_before(status, ENDED_IN_MID_OUTPUT)
    }

    fn ended_before(&self, status: ExitStatus, in_good_order: &str) -> FailureBuilder {
        self.trial.fail("the client ended too early").cause(match status.code() {
            Some(101) => {
                "a panic: the last lines of standard error say where (unwrap and expect panic)"
            }
            // The stub of step 3 reads to the end of the stream, and is satisfied with nothing.
            _ if self.running.has_a_stub() => {
                "the stream came to its end in here, and not at the server: \
                 shutdown(Shutdown::Both) ends receiving, too, and so does a stream that is dropped"
            }
            Some(0) => in_good_order,
            None if causes::is_killed_by_sigpipe(status) => causes::KILLED_BY_SIGPIPE,
            _ => "an error ended it: the last lines of standard error say which",
        })
    }

    /// Why it is not said in one line on standard error, with `words` in it, what went wrong; `None`
    /// where nothing tells more than what went wrong.
    pub(super) fn why_not_told(
        &self,
        status: ExitStatus,
        stderr: &[String],
        words: &str,
    ) -> Option<&'static str> {
        if let Some(cause) = causes::unhandled(stderr) {
            return Some(cause);
        }
        if causes::is_killed_by_sigpipe(status) {
            return Some(causes::KILLED_BY_SIGPIPE);
        }
        match (stderr, status.code()) {
            ([], _) if self.has_printed_more() => Some(
                "the line belongs on standard error: standard output is exactly the bytes received",
            ),
            ([], Some(0)) => Some(
                "an error was swallowed: return it (`?`), so that main can tell the user and the \
                 shell",
            ),
            ([_], Some(0)) => Some(
                "exit status 0 tells the shell that all went well, whatever the line says: 1 for \
                 what can't be done",
            ),
            ([line], Some(1)) if !line.contains(words) => Some(
                "the line names the address: the user may have typed it in another window, or not \
                 at all",
            ),
            _ => None,
        }
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
