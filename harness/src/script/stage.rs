//! What a lab's room brings to a conversation: its programs, and what only its protocols know.

use std::net::SocketAddr;
use std::rc::Rc;

use super::{Fact, Segments};
use crate::net::{Console, LineEnd, Lines, Listener, Service};
use crate::trial::{Running, Scratch, Stop, Trial, Verdict};

/// What the conversations of a lab can speak of. All else in a file is a syntax error.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// What a program can be called `for`, where it listens in several places.
    pub services: &'static [&'static str],
    /// Whether the programs have a user: `types`, `quits`, `prints`, `exits`.
    pub console: bool,
    /// Whether a program's replies can be told apart: `answers`.
    pub replies: bool,
    /// The messages of a binary protocol in words, where it has some: `sends-message`,
    /// `receives-message`.
    pub messages: Option<&'static Wording>,
    /// Whether there is a folder: `given file`, `then file`.
    pub files: bool,
    /// What can stand behind `given`, and how. A word in capital letters stands for any word, and
    /// the last one for the rest of the line: `user NAME PASSWORD`.
    pub given: &'static [&'static str],
    /// What can stand behind `then`, in the same way: `there are COUNT mails for NAME`.
    pub then: &'static [&'static str],
}

impl Vocabulary {
    /// What the conversations of every lab can speak of.
    pub const LEAST: Self = Self {
        services: &[],
        console: false,
        replies: false,
        messages: None,
        files: false,
        given: &[],
        then: &[],
    };
}

/// Messages of a binary protocol as a person writes them, in a line: `ping 1, TTL 7, hops 0`.
#[derive(Debug)]
pub struct Wording {
    /// How one is written, for who has written something else.
    pub form: &'static str,
    /// The same as it stands behind `sends-hex`: `u32 1 zeros 12 00 07 00 u32le 0`.
    pub bytes: fn(&str) -> Option<String>,
}

/// A room's part in the performances of its conversations. It starts the programs, and knows how
/// its protocol cuts replies out of a stream.
pub trait Stage {
    /// The trial that the performances belong to.
    fn trial(&self) -> &Trial;

    /// In which segments a conversation is played.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &Segments::ALL
    }

    /// A performance begins with new programs: what was given to those before is forgotten.
    fn begin(&mut self) -> Verdict {
        Ok(())
    }

    /// Whether a program keeps what it was told in a performance: then each begins with new programs,
    /// also where those before could be called again.
    fn keeps_what_it_was_told(&self) -> bool {
        false
    }

    /// The folder of the conversation's files: an empty one after [`Stage::begin`].
    fn folder(&self) -> Option<&Scratch> {
        None
    }

    /// Provides what a `given` says, before the programs are started.
    fn provide(&mut self, fact: &Fact) -> Verdict {
        Err(Stop::Fault(format!("this lab's room does not provide `{fact}`")))
    }

    /// Whether what a `then` says is true now; if not, what is true instead. It is asked again
    /// until it is, or until the programs are at rest.
    fn holds(&mut self, fact: &Fact) -> Verdict<Result<(), String>> {
        Err(Stop::Fault(format!("this lab's room does not know whether `{fact}`")))
    }

    /// A side of the harness listens, for a program to call it.
    fn host(&self, side: &str) -> Verdict<Listener>;

    /// Starts the program that plays `name`, and waits until it can be called; it calls `others`.
    /// A program that was started in this performance before is started again as it was then: on
    /// the same addresses, over the same files.
    fn start(&mut self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>>;

    /// The length of the reply with which what is unread begins, once the whole of it has come.
    fn reply(&self, _told: &Transcript<'_>) -> Option<usize> {
        None
    }

    /// Whether a reply is what stands behind `answers`.
    fn is_reply(&self, _pattern: &str, _reply: &[u8]) -> bool {
        false
    }

    /// What is expected and what has come, in the words of a binary protocol: the second is wrong.
    /// Nothing where bytes tell more.
    fn in_words(&self, _expected: &[u8], _seen: &[u8]) -> Option<(String, Vec<String>)> {
        None
    }

    /// What is likely wrong where this does not come.
    fn cause(&self, of: Expected<'_>) -> &str;
}

/// A program on the stage.
pub trait Player {
    /// Its side that listens, by the name that it can be called `for`; without a name the first one.
    fn service(&self, name: Option<&str>) -> &Service;

    /// How the lines of its protocol end.
    fn line_end(&self) -> LineEnd {
        LineEnd::Lf
    }

    /// What is likely wrong where it does not call whom it should; nothing of a program that calls
    /// nobody.
    fn why_it_does_not_call(&self) -> Option<&str> {
        None
    }

    /// Its standard input and output, where its lab gives it a user.
    fn console(&self) -> Option<&Console> {
        None
    }

    /// The program.
    fn running(&self) -> &Rc<Running> {
        &self.service(None).running
    }

    /// A side of the harness calls it.
    fn called_by(&self, side: &str, service: Option<&str>) -> Verdict<Lines> {
        let connection = self.service(service).connect_as(side.to_owned(), true)?;
        Ok(Lines::new(connection, self.line_end()))
    }

    /// It calls a side of the harness.
    fn calls(&self, host: &Listener) -> Verdict<Lines> {
        let nobody = || Stop::Fault(format!("this lab's program does not call {}", host.name()));
        let cause = self.why_it_does_not_call().ok_or_else(nobody)?;
        Ok(Lines::new(host.accept(self.running(), cause)?, self.line_end()))
    }
}

/// What was said on a connection so far.
#[derive(Clone, Copy, Debug)]
pub struct Transcript<'a> {
    /// What the program was called for.
    pub service: Option<&'a str>,
    /// All that the harness's side has sent.
    pub sent: &'a [u8],
    /// What has come, and was as expected.
    pub heard: &'a [u8],
    /// What has come since.
    pub unread: &'a [u8],
}

/// What was expected of a program, for the likely cause where it does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// A line on a connection.
    Line(&'a str),
    /// A reply that fits this.
    Reply(&'a str),
    /// A message of a binary protocol.
    Message,
    /// A line on standard output.
    Event(&'a str),
    /// The end of the program.
    Exit,
    /// Nothing, on a connection.
    Silence,
    /// A `then` of this lab's, or the content of the file of this name.
    Fact(&'a str),
}
