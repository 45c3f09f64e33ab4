//! The harness as a peer at the index: one session, from JOIN on.

use std::net::SocketAddr;

use super::file::{File, Hit};
use crate::net::{LineEnd, Lines, Service};
use crate::trial::{Stop, Trial, Verdict};
use crate::words::quote_short;

/// A session of the harness with the index under test.
#[derive(Debug)]
pub(in crate::labs) struct Member {
    lines: Lines,
    /// Where it says that it gives files.
    address: SocketAddr,
}

/// A word that is in no name of a file.
const NOBODY_HAS: &str = "nobody has this";
/// How much of a line is shown.
const SHOWN: usize = 100;

impl Member {
    /// Connects to the index as `name`, and says nothing yet.
    pub(in crate::labs) fn connect(index: &Service, name: &str) -> Verdict<Lines> {
        let connection = index.connect_as(name.to_owned(), true)?;
        Ok(Lines::new(connection, LineEnd::Lf))
    }

    /// Expects the welcome of somebody who has said JOIN with this port, where a peer may be silent
    /// for so many milliseconds.
    pub(in crate::labs) fn welcomed(mut lines: Lines, port: u16, silence: &str) -> Verdict<Self> {
        let address = SocketAddr::new(lines.connection().here().ip(), port);
        lines.expect_line(&format!("WELCOME {address} {silence}"), WELCOME)?;
        Ok(Self { lines, address })
    }

    /// Its connection, for what stands in no protocol.
    pub(in crate::labs) fn lines(&mut self) -> &mut Lines {
        &mut self.lines
    }

    /// Where others reach it, as the index has told.
    pub(in crate::labs) fn address(&self) -> SocketAddr {
        self.address
    }

    fn trial(&self) -> &Trial {
        self.lines.connection().trial()
    }

    /// Says a line.
    pub(in crate::labs) fn say(&mut self, line: &str) -> Verdict {
        self.lines.say(line)
    }

    /// Says that it has this file; returns what others are told of it.
    pub(in crate::labs) fn have(&mut self, file: &File) -> Verdict<Hit> {
        self.say(&file.have())?;
        Ok(file.hit(self.address))
    }

    /// Expects that all that it has said has been heard: an answer means so.
    pub(in crate::labs) fn expect_heard(&mut self) -> Verdict {
        self.expect_hits(
            NOBODY_HAS,
            &[],
            "each find is answered, also one that finds nothing: END 0",
        )
    }

    /// Asks, and expects exactly these hits, in any order, and their number.
    pub(in crate::labs) fn expect_hits(
        &mut self,
        word: &str,
        hits: &[Hit],
        cause: &str,
    ) -> Verdict {
        self.say(&format!("FIND {word}"))?;
        self.hear_hits(hits, cause)
    }

    /// Expects exactly these hits next, in any order, and their number.
    pub(in crate::labs) fn hear_hits(&mut self, hits: &[Hit], cause: &str) -> Verdict {
        let mut open: Vec<String> = hits.iter().map(Hit::line).collect();
        while !open.is_empty() {
            // Where one is expected it is told as it should be.
            let pattern = if let [one] = &open[..] { one } else { "HIT * * * *" }.to_owned();
            let heard = self.lines.hear_line(&pattern, cause)?;
            let heard = String::from_utf8_lossy(&heard).trim_end_matches('\n').to_owned();
            match open.iter().position(|line| *line == heard) {
                Some(found) => drop(open.remove(found)),
                None => return Err(self.another_hit(&open, &heard, cause)),
            }
        }
        self.lines.expect_line(&format!("END {}", hits.len()), cause)
    }

    fn another_hit(&self, open: &[String], heard: &str, cause: &str) -> Stop {
        let expected: Vec<_> =
            open.iter().map(|line| quote_short(line.as_bytes(), SHOWN)).collect();
        let (name, program) = (self.lines.name(), self.lines.program());
        self.trial()
            .fail(format!("the {program} told {name} of a hit that is none"))
            .expected(format!("the line {}", expected.join(" or ")))
            .seen(quote_short(heard.as_bytes(), SHOWN))
            .cause(cause)
            .stop()
    }

    /// Vanishes: tears the connection down (RST).
    pub(in crate::labs) fn reset(self) -> Verdict {
        self.lines.reset()
    }

    /// Closes the connection without a word.
    pub(in crate::labs) fn close(self) {
        self.lines.close();
    }

    /// Says that it leaves, and ends its stream.
    pub(in crate::labs) fn leave(mut self) -> Verdict {
        self.say("BYE")?;
        self.lines.end()?;
        self.lines.expect_end("at BYE the index ends its side, too")
    }
}

const WELCOME: &str = "JOIN is answered with WELCOME, the address from which the connection comes with the port \
    that JOIN has named, and SILENCE";
