//! Step 4 of lab 4, once more as text: the files in `fixtures/04-web/conversations`.

use std::net::SocketAddr;

use super::reply::{Parsed, To, parse};
use super::{NOBODY_IS_LATE, start};
use crate::net::{LineEnd, Listener, Service};
use crate::script::{self, Expected, Player, Segments, Stage, Transcript, Vocabulary};
use crate::trial::{Scratch, Stop, Trial, Verdict};

checks! { $ web_conversations, "web" step 4:
    keeps_to_every_conversation, 3 points: "keeps to every conversation, however it is cut";
    "Every file in fixtures/04-web/conversations is played; a file that is added there, too."
}

const FOLDER: &str = "fixtures/04-web/conversations";

/// What these conversations can speak of: replies, and the files below ROOT.
const VOCABULARY: Vocabulary = Vocabulary { replies: true, files: true, ..Vocabulary::LEAST };

/// The stage of this lab's conversations: one web server, and its folder.
#[derive(Debug)]
struct Site {
    trial: Trial,
    root: Option<Scratch>,
    address: Option<SocketAddr>,
}

/// The web server on it.
#[derive(Debug)]
struct Server(Service);

impl Stage for Site {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    fn begin(&mut self) -> Verdict {
        self.address = None;
        self.root = Some(self.trial.scratch("ROOT")?);
        Ok(())
    }

    /// Byte by byte too would take longer than all other checks: the heads are long, and
    /// `web/reads-a-head-in-pieces` does it.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &[Segments::Whole, Segments::Lines, Segments::Together, Segments::Random(3)]
    }

    fn folder(&self) -> Option<&Scratch> {
        self.root.as_ref()
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        Err(Stop::Fault(format!("a web server does not call {side}")))
    }

    fn start(&mut self, _: &str, _: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let Some(root) = &self.root else { return Err(Stop::Fault("there is no folder".into())) };
        let address = *self.address.get_or_insert_with(|| self.trial.addresses().free_address());
        Ok(Box::new(Server(start(&self.trial, address, root, NOBODY_IS_LATE)?)))
    }

    fn reply(&self, told: &Transcript<'_>) -> Option<usize> {
        match parse(told.unread, answers(told)) {
            Parsed::Whole(_, length) => Some(length),
            // What is no reply is as long as it is, and fits nothing.
            Parsed::Wrong(_) => Some(told.unread.len()),
            Parsed::Part(_) => None,
        }
    }

    /// `200`, or `200 with the body`.
    fn is_reply(&self, pattern: &str, reply: &[u8]) -> bool {
        let (status, body) = match pattern.split_once(" with ") {
            Some((status, body)) => (status, Some(body)),
            None => (pattern, None),
        };
        // A reply without a body is one to HEAD: its length is not the body's.
        let as_head = |reply: &[u8]| match parse(reply, To::Head) {
            Parsed::Whole(parsed, length) if length == reply.len() => Some(parsed),
            _ => None,
        };
        let parsed = match parse(reply, To::Get) {
            Parsed::Whole(parsed, _) => Some(parsed),
            _ => as_head(reply),
        };
        parsed.is_some_and(|reply| {
            reply.status.to_string() == status
                && body.is_none_or(|body| reply.body.trim_ascii_end() == body.as_bytes())
        })
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        match of {
            Expected::Reply(_) => {
                "each request gets one reply, in the order of the requests, and with the status that \
                 the file says"
            }
            Expected::Fact(_) => "an upload stands under its name, whole, when the reply comes",
            Expected::Silence => "a request gets one reply, and nothing is sent unasked",
            _ => "look at what the conversation has come to before this line",
        }
    }
}

/// Whether the reply that comes next answers HEAD: the requests so far, and the replies.
fn answers(told: &Transcript<'_>) -> To {
    let mut heard = told.heard;
    let mut requests = Requests(told.sent);
    loop {
        let to = requests.next().unwrap_or(To::Get);
        match parse(heard, to) {
            Parsed::Whole(reply, length) => {
                heard = &heard[length..];
                // 100 is not the reply: the same request gets another one.
                if reply.status == 100 {
                    let Parsed::Whole(_, length) = parse(heard, To::Get) else { return to };
                    heard = &heard[length..];
                }
            }
            _ => return to,
        }
    }
}

/// The requests that were sent, as far as their methods go.
struct Requests<'a>(&'a [u8]);

impl Iterator for Requests<'_> {
    type Item = To;

    fn next(&mut self) -> Option<To> {
        while let Some(rest) = self.0.strip_prefix(b"\r\n") {
            self.0 = rest;
        }
        let end = self.0.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&self.0[..end]).to_ascii_lowercase();
        let length = head.split_once("content-length:").map_or(0, |(_, rest)| {
            rest.lines().next().unwrap_or_default().trim().parse().unwrap_or(0)
        });
        self.0 = self.0.get(end + length..).unwrap_or_default();
        Some(To::of(head.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str()))
    }
}

impl Player for Server {
    fn service(&self, _: Option<&str>) -> &Service {
        &self.0
    }

    fn line_end(&self) -> LineEnd {
        LineEnd::CrLf
    }
}

fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    let stage = || Site { trial: t.clone(), root: None, address: None };
    script::play_all(FOLDER, &VOCABULARY, stage)
}
