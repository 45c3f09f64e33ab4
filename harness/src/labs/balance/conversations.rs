//! Step 4 of lab 10, once more as text: the files in `fixtures/10-balance/conversations`. Clients
//! and servers are the harness's sides, and what one of them says the other one hears.

use std::net::SocketAddr;
use std::rc::Rc;

use super::{CALLED, CARRIES, LAB};
use crate::net::{Console, Listener, Service};
use crate::program::{Given, Stdin};
use crate::script::{self, Expected, Player, Segments, Stage, Vocabulary};
use crate::trial::{Trial, Verdict};

checks! { $ balance_conversations, "balance" step 4:
    keeps_to_every_conversation, 3 points: "carries every conversation, however it is cut";
    "Every file in fixtures/10-balance/conversations is played; a file that is added there, too."
}

const FILES: &str = "fixtures/10-balance/conversations";

/// What these conversations can speak of: the program has a user.
const VOCABULARY: Vocabulary = Vocabulary { console: true, ..Vocabulary::LEAST };

/// The stage of this lab's conversations.
#[derive(Debug)]
struct FrontDoor {
    trial: Trial,
}

/// The program on it.
#[derive(Debug)]
struct Carrier {
    service: Service,
    console: Console,
}

impl Stage for FrontDoor {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    /// A program is started for each.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &[Segments::Whole, Segments::Random(3)]
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        let address = self.trial.addresses().free_address();
        let listener = self.trial.listen_as(side, &[address], &CARRIES)?;
        self.trial.note(format!("{side} listens on {address}"));
        Ok(listener)
    }

    fn start(&mut self, _: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let t = &self.trial;
        let address = t.addresses().free_address();
        let given = Given::address(address).with_all("backends", others);
        let running = t.start_as(CALLED, LAB.name, given, Stdin::Piped)?;
        let service = t.listening(Rc::clone(&running), address)?.owing(&CARRIES);
        let console = Console::new(t.clone(), running);
        Ok(Box::new(Carrier { service, console }))
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        match of {
            Expected::Silence => "only what one side has sent reaches the other",
            Expected::Event(_) => "each change of a backend is printed, once, and nothing else is",
            _ => {
                "what comes from one side is passed on to the other at once, and so is its end; the other direction \
                  goes on"
            }
        }
    }
}

impl Player for Carrier {
    fn service(&self, _: Option<&str>) -> &Service {
        &self.service
    }

    fn why_it_does_not_call(&self) -> Option<&str> {
        Some(CALLS)
    }

    fn console(&self) -> Option<&Console> {
        Some(&self.console)
    }
}

const CALLS: &str = "each client is dialled for at once, and the backends take turns";

fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    script::play_all(FILES, &VOCABULARY, || FrontDoor { trial: t.clone() })
}
