//! Step 5 of lab 5, once more as text: the files in `fixtures/05-mail/conversations`.

use std::net::SocketAddr;

use super::mailbox::mails;
use super::reply::{Parsed, Protocol, parse};
use super::{NOBODY_IS_LATE, USERS, doors, run, users, with_folders};
use crate::net::{LineEnd, Listener, Service};
use crate::script::{self, Expected, Fact, Player, Segments, Stage, Transcript, Vocabulary};
use crate::trial::{Scratch, Stop, Trial, Verdict};

checks! { $ mail_conversations, "mail" step 5:
    keeps_to_every_conversation, 3 points: "keeps to every conversation, however it is cut";
    "Every file in fixtures/05-mail/conversations is played; a file that is added there, too."
}

const FOLDER: &str = "fixtures/05-mail/conversations";

/// `given user alice wonderland`: the users of the file, instead of alice, bob and carol.
const USER: &str = "user NAME PASSWORD";
const NONE: &str = "there is no message for NAME";
const ONE: &str = "there is 1 message for NAME";
const SOME: &str = "there are COUNT messages for NAME";
const TMP_IS_EMPTY: &str = "nothing is under way to NAME";

/// What these conversations can speak of: both protocols, replies, users, and what is stored.
const VOCABULARY: Vocabulary = Vocabulary {
    services: &["SMTP", "POP3"],
    replies: true,
    given: &[USER],
    then: &[NONE, ONE, SOME, TMP_IS_EMPTY],
    ..Vocabulary::LEAST
};

/// The stage of this lab's conversations: one mail server, its users and its spool.
#[derive(Debug)]
struct Office {
    trial: Trial,
    list: String,
    users: Option<Scratch>,
    spool: Option<Scratch>,
    addresses: Option<[SocketAddr; 2]>,
}

/// The mail server on it.
#[derive(Debug)]
struct Server {
    smtp: Service,
    pop3: Service,
}

impl Office {
    fn new(trial: &Trial) -> Self {
        let trial = trial.clone();
        Self { trial, list: String::new(), users: None, spool: None, addresses: None }
    }

    /// The names in a folder of a mailbox.
    fn names(&self, name: &str, folder: &str) -> Verdict<usize> {
        let Some(spool) = &self.spool else { return Ok(0) };
        let inside = format!("{name}/{folder}/");
        let listing = spool.list()?;
        let names = listing.names().into_iter().filter_map(|it| it.strip_prefix(&inside));
        Ok(names.filter(|name| !name.is_empty()).count())
    }
}

impl Stage for Office {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    fn begin(&mut self) -> Verdict {
        self.list.clear();
        (self.users, self.addresses) = (None, None);
        self.spool = Some(self.trial.scratch("SPOOL")?);
        Ok(())
    }

    /// What is stored would be found in the next performance.
    fn keeps_what_it_was_told(&self) -> bool {
        true
    }

    /// Programs are started for each, and messages are written to the disk. What is left out
    /// `mail/takes-lines-in-pieces` does.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &[Segments::Whole, Segments::Together, Segments::Random(3)]
    }

    fn provide(&mut self, fact: &Fact) -> Verdict {
        self.list += &format!("{}\n", fact.words.join(" "));
        Ok(())
    }

    fn holds(&mut self, fact: &Fact) -> Verdict<Result<(), String>> {
        let (wanted, name) = match (fact.form, &fact.words[..]) {
            (SOME, [count, name]) => match count.parse() {
                Ok(count) => (count, name),
                Err(_) => return Err(Stop::Fault(format!("{count} is no number of messages"))),
            },
            (form, [name]) => (usize::from(form == ONE), name),
            _ => return Err(Stop::Fault(format!("`{fact}` is not understood"))),
        };
        let folder = if fact.form == TMP_IS_EMPTY { "tmp" } else { "new" };
        let seen = self.names(name, folder)?;
        let told = || format!("in SPOOL/{name}/{folder}: {}", mails(seen));
        Ok(if seen == wanted { Ok(()) } else { Err(told()) })
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        Err(Stop::Fault(format!("a mail server does not call {side}")))
    }

    fn start(&mut self, _: &str, _: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let Some(spool) = &self.spool else { return Err(Stop::Fault("there is no spool".into())) };
        let users = match self.users.take() {
            Some(users) => users,
            None if self.list.is_empty() => users(&self.trial, USERS)?,
            None => users(&self.trial, &self.list)?,
        };
        let free = || self.trial.addresses().free_address();
        let [smtp, pop3] = *self.addresses.get_or_insert_with(|| [free(), free()]);
        let running = run(&self.trial, with_folders(&users, spool, NOBODY_IS_LATE), smtp, pop3)?;
        self.users = Some(users);
        let doors = self.trial.doors(running, &doors(smtp, pop3))?;
        let service = |protocol: Protocol| doors.service_at(doors.address_for(protocol.name()));
        Ok(Box::new(Server { smtp: service(Protocol::Smtp), pop3: service(Protocol::Pop3) }))
    }

    /// Of POP3 the first line: the rest of it is for the file to say, line by line.
    fn reply(&self, told: &Transcript<'_>) -> Option<usize> {
        match parse(told.unread, protocol(told.service)) {
            Parsed::Whole(reply) => Some(reply.bytes.len()),
            // What is no reply is as long as it is, and fits nothing.
            Parsed::Wrong(_) => Some(told.unread.len()),
            Parsed::Part(_) => None,
        }
    }

    fn is_reply(&self, pattern: &str, reply: &[u8]) -> bool {
        let is = |protocol| match parse(reply, protocol) {
            Parsed::Whole(parsed) => parsed.sign == pattern && parsed.bytes == reply,
            Parsed::Part(_) | Parsed::Wrong(_) => false,
        };
        is(Protocol::Smtp) || is(Protocol::Pop3)
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        match of {
            Expected::Line(line) if line.starts_with("-ERR [IN-USE]") => {
                "a maildrop is one session's, from PASS to its end, and any other hears [IN-USE]"
            }
            Expected::Line(_) => {
                "a message is given out as it was stored, with one dot more before each line that \
                 begins with one"
            }
            Expected::Reply(_) => {
                "each command gets one reply, in order; what it says depends on what was said on this \
                 connection before"
            }
            Expected::Fact(_) => {
                "a message is stored when 250 is said, and removed when +OK is said to QUIT: not \
                 before, and not later"
            }
            Expected::Silence => {
                "the lines of a text get no reply before the one with the dot, and nothing is sent \
                 unasked"
            }
            _ => "look at what the conversation has come to before this line",
        }
    }
}

fn protocol(service: Option<&str>) -> Protocol {
    match service {
        Some("POP3") => Protocol::Pop3,
        _ => Protocol::Smtp,
    }
}

impl Player for Server {
    fn service(&self, name: Option<&str>) -> &Service {
        match protocol(name) {
            Protocol::Smtp => &self.smtp,
            Protocol::Pop3 => &self.pop3,
        }
    }

    fn line_end(&self) -> LineEnd {
        LineEnd::CrLf
    }
}

fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    script::play_all(FOLDER, &VOCABULARY, || Office::new(t))
}
