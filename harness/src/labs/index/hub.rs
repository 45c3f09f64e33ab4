//! The harness as the index: peers join it, tell it what they have, and ask.

use std::net::SocketAddr;
use std::rc::Rc;

use super::file::{File, Hit};
use crate::net::{LineEnd, Lines, Listener, Terms};
use crate::trial::{Running, Trial, Verdict};
use crate::words::quote_short;

/// The harness's index.
#[derive(Debug)]
pub(in crate::labs) struct Hub {
    trial: Trial,
    listener: Listener,
}

/// A peer's session with it.
#[derive(Debug)]
pub(in crate::labs) struct Session {
    lines: Lines,
}

/// The SILENCE of a check that waits for no ALIVE, in milliseconds.
pub(in crate::labs) const NOBODY_IS_LATE: u64 = 30_000;
/// How much of a line is shown.
const SHOWN: usize = 100;
const ALIVE: &[u8] = b"ALIVE\n";
const HAVE: &[u8] = b"HAVE ";

impl Hub {
    /// Listens on a free address.
    pub(in crate::labs) fn open(t: &Trial) -> Verdict<Self> {
        // Connections of std to other addresses of 127/8 come from 127.0.0.1 all the same.
        let address = t.addresses().free_localhost()?;
        let listener = t.listen_as("the index", &[address], &Terms::ANSWERS)?;
        t.note(format!("the harness is the index, on {address}"));
        Ok(Self { trial: t.clone(), listener })
    }

    /// The trial that it takes part in.
    pub(in crate::labs) fn trial(&self) -> &Trial {
        &self.trial
    }

    /// Where it listens.
    pub(in crate::labs) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Takes the peer's connection.
    pub(in crate::labs) fn accept(&self, running: &Rc<Running>) -> Verdict<Session> {
        let connection = self.listener.accept(running, DIALS)?;
        Ok(Session { lines: Lines::new(connection, LineEnd::Lf) })
    }

    /// Where a further connection of the peer comes from, once it is at rest, if there is one.
    pub(in crate::labs) fn another_from(&self, running: &Running) -> Verdict<Option<SocketAddr>> {
        self.listener.take_another(running)
    }
}

impl Session {
    /// Its connection, for what stands in no protocol.
    pub(in crate::labs) fn lines(&mut self) -> &mut Lines {
        &mut self.lines
    }

    fn trial(&self) -> &Trial {
        self.lines.connection().trial()
    }

    /// Hears the next line that is not ALIVE. `*` stands for anything in it.
    pub(in crate::labs) fn hear(&mut self, line: &str, cause: &str) -> Verdict<String> {
        self.pass_over(&[ALIVE])?;
        let heard = self.lines.hear_line(line, cause)?;
        Ok(String::from_utf8_lossy(&heard).trim_end_matches('\n').to_owned())
    }

    /// Leaves out the next lines, as long as they begin like this.
    fn pass_over(&mut self, beginnings: &[&[u8]]) -> Verdict {
        loop {
            let _ = self.lines.hear_until(|ahead| ahead.contains(&b'\n'))?;
            let unread = self.lines.unread();
            let end = unread.iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) if beginnings.iter().any(|begin| unread.starts_with(begin)) => {
                    self.lines.take(end + 1);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Expects that the peer joins under this name, with the port where it listens.
    pub(in crate::labs) fn expect_join(&mut self, name: &str, port: u16) -> Verdict {
        self.hear(&format!("JOIN {name} {port}"), JOIN).map(drop)
    }

    /// Welcomes the peer that listens on this port; it has to say something each `silence` ms.
    pub(in crate::labs) fn welcome(&mut self, port: u16, silence: u64) -> Verdict {
        let address = SocketAddr::new(self.lines.connection().there().ip(), port);
        self.say(&format!("WELCOME {address} {silence}"))
    }

    /// Expects that the peer tells of exactly these files, in any order.
    pub(in crate::labs) fn expect_files(&mut self, files: &[&File], cause: &str) -> Verdict {
        let mut open: Vec<String> = files.iter().map(|file| file.have()).collect();
        while !open.is_empty() {
            let heard = with_a_small_hash(&self.hear("HAVE * * *", cause)?);
            if let Some(found) = open.iter().position(|line| *line == heard) {
                open.remove(found);
                continue;
            }
            let expected: Vec<_> =
                open.iter().map(|line| quote_short(line.as_bytes(), SHOWN)).collect();
            let mut failure = self
                .trial()
                .fail(format!("the {} does not tell of a file as it is", self.lines.program()))
                .expected(format!("the line {}", expected.join(" or ")))
                .seen(quote_short(heard.as_bytes(), SHOWN));
            if let [one] = &open[..] {
                failure = failure.difference(one.as_bytes(), heard.as_bytes());
            }
            return Err(failure.cause(cause).stop());
        }
        Ok(())
    }

    /// Expects that the peer closes the connection, after whatever signs of life.
    pub(super) fn expect_closed(&mut self, cause: &str) -> Verdict {
        self.pass_over(&[ALIVE])?;
        self.lines.expect_closed(cause)
    }

    /// Closes the connection.
    pub(in crate::labs) fn close(self) {
        self.lines.close();
    }

    /// Tears the connection down (RST).
    pub(in crate::labs) fn reset(self) -> Verdict {
        self.lines.reset()
    }

    /// Says a line.
    pub(in crate::labs) fn say(&mut self, line: &str) -> Verdict {
        self.lines.say(line)
    }

    /// Expects the question for this word, and answers with these hits, in one write. Before it the
    /// peer may tell of a file that it has got.
    pub(in crate::labs) fn answer(&mut self, word: &str, hits: &[Hit]) -> Verdict {
        self.pass_over(&[ALIVE, HAVE])?;
        self.hear(&format!("FIND {word}"), FIND)?;
        self.send_hits(hits)
    }

    /// Answers a question with these hits, in one write.
    pub(in crate::labs) fn send_hits(&mut self, hits: &[Hit]) -> Verdict {
        let lines: String = hits.iter().map(|hit| hit.line() + "\n").collect();
        self.lines.send(format!("{lines}END {}\n", hits.len()).as_bytes())
    }
}

/// A line of HAVE with its hash in small letters: large ones are as right.
fn with_a_small_hash(line: &str) -> String {
    match line.splitn(3, ' ').collect::<Vec<_>>()[..] {
        [have, hash, rest] => format!("{have} {} {rest}", hash.to_ascii_lowercase()),
        _ => line.to_owned(),
    }
}

const DIALS: &str = "a peer connects to the index as soon as it listens and has read its files";
const JOIN: &str = "the first line is JOIN, the peer's name and the port where it listens: the index can't see \
    that port, since this connection comes from another one";
const FIND: &str =
    "`find WORD` is the line FIND WORD for the index, on the connection that is there already";
