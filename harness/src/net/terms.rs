//! What a program owes on a connection, in the words of its lab.

use crate::words::count;

/// What a program owes on a connection: a lab's own words for what it did not do, and why.
#[derive(Debug)]
pub struct Terms {
    /// What should come from it, as a noun: `the bytes that were sent, back`.
    pub owed: &'static str,
    /// What a program did of which nothing came: `did not answer`.
    pub nothing_came: &'static str,
    /// Whose end its own end follows; the harness's end of the connection where it is `None`.
    pub ends_after: Option<&'static str>,
    /// Why it may not end.
    pub never_ends: &'static str,
    /// Why nothing more comes of it, although it has read all that was there: from what was
    /// expected and what came.
    pub silence: fn(expected: &[u8], seen: &[u8]) -> String,
}

impl Terms {
    /// Of a program of which nothing is known but that it answers.
    pub const ANSWERS: Self = Self {
        owed: "something that the harness leaves unread",
        nothing_came: "did not answer",
        ends_after: None,
        never_ends: "the stream is still held somewhere (a clone, a list, a thread), or the end of \
            the client's stream (read returns 0) goes unnoticed",
        silence: still_owes,
    };
}

fn still_owes(expected: &[u8], seen: &[u8]) -> String {
    let owed = count(expected.len() - seen.len());
    format!(
        "the program has read all that was there and still owes {owed}: they may sit in a buffer \
         that is not flushed (BufWriter), or it waits for more"
    )
}

pub(super) const CLOSED_EARLY: &str = "the stream was dropped, or shut down, before the other side had ended \
    its own: look for a loop that ends after one read, an early return, a limit, or an error that was not \
    handled";
