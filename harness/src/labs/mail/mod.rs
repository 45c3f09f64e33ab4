//! Lab 5, the mail server: its row in the registry, and what its checks share.
//!
//! Beside it: `client`, the harness as a client of either protocol, `reply`, what such a client takes
//! for a reply, and the checks, a file for each step or part of one.

mod auth;
pub(super) mod client;
mod conversations;
mod crash;
mod crowd;
mod deliver;
mod envelope;
mod mailbox;
mod maildrop;
mod meeting;
mod pop3;
mod read_line;
pub(super) mod reply;
mod scenes;
mod session;
mod start;
mod text;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::contract::{Bad, Listens};
use crate::lab::{Lab, Step};
use crate::net::{Door, Doors, Service, Terms};
use crate::program::{Given, Place, Stdin};
use crate::trial::{Running, Scratch, Trial, Verdict};

use client::Client;
pub use crash::{Deaths, kill_in_deliveries};
use mailbox::User;
pub(super) use meeting::Message;
use reply::Protocol;

/// Its row in the registry.
pub const LAB: Lab = Lab {
    number: Some(5),
    name: "mail",
    title: "sessions, and mail for later",
    folder: "labs/05-mail",
    given: &[
        "arguments",
        "base64",
        "commands",
        "places",
        "replies",
        "serving",
        "spool",
        "text",
        "users",
        "wire",
    ],
    arguments: &[
        Place::new("addr", "the address where it listens for SMTP"),
        Place::new("addr2", "the address where it listens for POP3"),
        Place::new("users", "the file with names and passwords"),
        Place::new("spool", "the folder where mail is kept"),
        Place::new("seconds", "how long a client may take for a line, which may be left out"),
    ],
    steps: &[
        Step {
            number: 1,
            name: "read_line",
            task: "read one line that ends with CRLF, however it comes",
            chapter: "15-a-session-with-memory",
            programs: &["mail"],
        },
        Step {
            number: 2,
            name: "smtp",
            task: "hold a session: who is there, and what may be said when",
            chapter: "15-a-session-with-memory",
            programs: &["mail"],
        },
        Step {
            number: 3,
            name: "receive_message",
            task: "read the text of a message, up to the line with the dot",
            chapter: "16-what-250-promises",
            programs: &["mail"],
        },
        Step {
            number: 4,
            name: "deliver",
            task: "store a message for all of its recipients, so that nothing loses it",
            chapter: "16-what-250-promises",
            programs: &["mail"],
        },
        Step {
            number: 5,
            name: "pop3",
            task: "give the mail to its recipients, who come for it later",
            chapter: "17-mail-for-later",
            programs: &["mail"],
        },
    ],
    checks: CHECKS,
    scenes: scenes::SCENES,
    messages: None,
    learned: &[
        "read lines from a stream, and skip those that are too long",
        "hold a session in which it matters what was said before",
        "know who is speaking before you do what they ask",
        "say that something is stored when nothing can lose it any more",
        "serve clients that never meet: one leaves what the other fetches later",
    ],
    reading_step: None,
};

steps! { $ mail_checks: start mail_start, read_line mail_read_line, session mail_session,
auth mail_auth, envelope mail_envelope, text mail_text, deliver mail_deliver,
crash mail_crash, pop3 mail_pop3,
maildrop mail_maildrop, conversations mail_conversations, crowd mail_crowd }

/// What the reader calls the program.
const CALLED: &str = "mail server";
/// Who may send and fetch mail where a check needs nobody else.
const USERS: &str = "\
# The users of the checks.
alice wonderland
bob builder 1
carol c4r0l
";
/// For how long a client may keep a server waiting, where a check waits for the end of that.
const SECONDS: Duration = Duration::from_secs(1);
/// So many where time does not matter: however busy the machine, nobody is late.
const NOBODY_IS_LATE: Option<u32> = Some(3600);

/// How its program is started as one that listens for SMTP; it listens for POP3 somewhere else.
const SMTP: Listens = Listens {
    lab: LAB.name,
    called: CALLED,
    stdin: Stdin::Null,
    given: |t, address| {
        let pop3 = t.addresses().free_address();
        Ok(given(t)?.with("addr", address).with("addr2", pop3))
    },
    bad: |address| {
        let address = &address.to_string();
        let four = || Given::text(address).with("addr2", address).with("users", ".");
        vec![
            Bad::usage(Given::nothing(), "no argument"),
            Bad::usage(Given::text(address).with("addr2", address), "no USERS and no SPOOL"),
            Bad::usage(four(), "no SPOOL"),
            Bad::usage(
                four().with("spool", ".").with("seconds", "x"),
                "SECONDS that are no number",
            ),
            Bad::usage(four().with("spool", ".").with("seconds", "0"), "SECONDS of 0"),
            Bad::usage(four().with("spool", ".").with("seconds", "3601"), "SECONDS of 3601"),
            Bad::usage(
                four().with("spool", ".").with("seconds", "1").surplus(),
                "an argument too many",
            ),
        ]
    },
    sockets: (2, 0),
    terms: &Terms::ANSWERS,
};

/// The same for POP3.
const POP3: Listens = Listens {
    given: |t, address| {
        let smtp = t.addresses().free_address();
        Ok(given(t)?.with("addr", smtp).with("addr2", address))
    },
    ..SMTP
};

/// All but the addresses: the usual users, and a spool that is empty.
fn given(t: &Trial) -> Verdict<Given> {
    let (users, spool) = (users(t, USERS)?, t.scratch("SPOOL")?);
    Ok(with_folders(&users, &spool, None))
}

/// A folder with a file of users.
fn users(t: &Trial, text: &str) -> Verdict<Scratch> {
    let folder = t.scratch("FOLDER")?;
    folder.file("users", text.as_bytes())?;
    Ok(folder)
}

fn with_folders(users: &Scratch, spool: &Scratch, seconds: Option<u32>) -> Given {
    Given::nothing()
        .with("users", users.path().join("users").display())
        .with("spool", spool.path().display())
        .with_all("seconds", seconds)
}

/// A mail server under test, and where it keeps the mail.
#[derive(Debug)]
pub(in crate::labs) struct Mail {
    doors: Doors,
    /// `bob/new/ID` in it is a message for bob.
    pub(in crate::labs) spool: Scratch,
}

impl Mail {
    /// Starts a mail server for alice, bob and carol, with nothing in its spool.
    pub(in crate::labs) fn start(t: &Trial) -> Verdict<Self> {
        Self::with(t, USERS, NOBODY_IS_LATE)
    }

    /// The same for other users; a client may keep it waiting for so many seconds.
    fn with(t: &Trial, list: &str, seconds: Option<u32>) -> Verdict<Self> {
        let spool = t.scratch("SPOOL")?;
        Self::over(t, list, spool, seconds)
    }

    /// Starts one over this spool.
    fn over(t: &Trial, list: &str, spool: Scratch, seconds: Option<u32>) -> Verdict<Self> {
        let given = with_folders(&users(t, list)?, &spool, seconds);
        let [smtp, pop3] = [(); 2].map(|()| t.addresses().free_address());
        let running = run(t, given, smtp, pop3)?;
        let doors = t.doors(running, &doors(smtp, pop3))?;
        Ok(Self { doors, spool })
    }

    /// Kills it (SIGKILL), and starts it again on the same ports and over the same folders.
    pub(in crate::labs) fn kill_and_start_again(self) -> Verdict<Self> {
        Ok(Self { doors: self.doors.kill_and_start_again()?, spool: self.spool })
    }

    /// It, as one that listens for this.
    pub(in crate::labs) fn service(&self, protocol: Protocol) -> Service {
        self.doors.service_at(self.doors.address_for(protocol.name()))
    }

    /// A new client connects, and is greeted.
    pub(in crate::labs) fn call(&self, protocol: Protocol) -> Verdict<Client> {
        let mut client = self.connect(protocol)?;
        client.expect(
            &[protocol.greeting()],
            "the server speaks first, as soon as a client is there",
        )?;
        Ok(client)
    }

    /// A new client connects, and has not been greeted yet.
    fn connect(&self, protocol: Protocol) -> Verdict<Client> {
        Ok(Client::new(self.service(protocol).connect()?, protocol))
    }

    /// A new client of SMTP has said EHLO.
    fn greeted(&self) -> Verdict<Client> {
        let mut client = self.call(Protocol::Smtp)?;
        client.ask("EHLO client.example", &["250"], "EHLO and a name begin a session")?;
        Ok(client)
    }

    /// Expects that new clients are answered on both listeners, whatever became of others.
    pub(in crate::labs) fn expect_service(&self) -> Verdict {
        for protocol in [Protocol::Smtp, Protocol::Pop3] {
            let mut client = self.call(protocol)?;
            client.say("NOOP")?;
            client.expect_some_reply(
                "the next client is a new one, and no other client is its problem",
            )?;
            client.close();
        }
        Ok(())
    }
}

/// What it opens: SMTP first.
fn doors(smtp: SocketAddr, pop3: SocketAddr) -> [Door; 2] {
    [Door::tcp(smtp).announced_for("SMTP"), Door::tcp(pop3).announced_for("POP3")]
}

/// Starts the program with these arguments, and does not wait.
fn run(t: &Trial, given: Given, smtp: SocketAddr, pop3: SocketAddr) -> Verdict<Rc<Running>> {
    let given = given.with("addr", smtp).with("addr2", pop3);
    t.start_as(CALLED, LAB.name, given, Stdin::Null)
}
