//! Step 4 of lab 8, once more as text: the files in `fixtures/08-flood/conversations`.

use std::net::{SocketAddr, SocketAddrV4};

use super::descriptor::{Descriptor, PING, PONG, QUERY, QUERY_HIT, id};
use super::servent::Servent;
use super::{FOLDER, fields};
use crate::net::{Console, Listener, Service};
use crate::script::{self, Expected, Player, Segments, Stage, Vocabulary, Wording};
use crate::trial::{Scratch, Stop, Trial, Verdict};

checks! { $ flood_conversations, "flood" step 4:
    keeps_to_every_conversation, 3 points: "keeps to every conversation";
    "Every file in fixtures/08-flood/conversations is played; a file that is added there, too."
}

const FILES: &str = "fixtures/08-flood/conversations";

/// What these conversations can speak of: servents have users, a folder, and descriptors.
const VOCABULARY: Vocabulary = Vocabulary {
    console: true,
    files: true,
    messages: Some(&Wording { form: FORM, bytes }),
    ..Vocabulary::LEAST
};

const FORM: &str = "`KIND ID, TTL NUMBER, hops NUMBER` with the KIND ping, pong, query or hit; behind a \
    colon `pong …: ADDRESS FILES KILOBYTES`, `query …: WORDS`, `hit …: ADDRESS INDEX SIZE NAME`; the ID is \
    a number, or `@mine:16`, and later `@mine`; an ADDRESS can be `@its:6`, and later `@its`";

/// A descriptor in words, as bytes.
fn bytes(words: &str) -> Option<String> {
    let (head, behind) = match (words.split_once(": "), words.strip_suffix(':')) {
        (Some((head, behind)), _) => (head, Some(behind)),
        (None, Some(head)) => (head, Some("")),
        (None, None) => (words, None),
    };
    let [what, ttl, hops] = head.split(", ").collect::<Vec<_>>().try_into().ok()?;
    let (kind, number) = what.split_once(' ')?;
    let [ttl, hops] = [ttl.strip_prefix("TTL ")?, hops.strip_prefix("hops ")?]
        .map(|number| number.parse::<u8>().ok());
    let (kind, length, payload) = payload(kind, behind)?;
    let own = match number.strip_prefix('@') {
        Some(_) => number.to_owned(),
        None => hex(&id(number.parse().ok()?)),
    };
    Some(format!("{own} {kind:02x} {:02x} {:02x} u32le {length} {payload}", ttl?, hops?))
}

/// The kind, and the payload: how many bytes, and which.
fn payload(kind: &str, behind: Option<&str>) -> Option<(u8, usize, String)> {
    Some(match (kind, behind) {
        ("ping", None) => (PING, 0, String::new()),
        ("query", Some(text)) => {
            (QUERY, 2 + text.len() + 1, format!("0000 {} 00", hex(text.as_bytes())))
        }
        ("pong", Some(text)) => {
            let [at, files, kilobytes] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
            (PONG, 14, format!("{} u32le {files} u32le {kilobytes}", address(at)?))
        }
        ("hit", Some(text)) => {
            let [at, index, size, name] =
                text.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
            // The program's own has an id of its own behind it.
            let servent =
                if at.starts_with('@') { ".. ".repeat(16) } else { hex(b"servent of tests") };
            let file = format!("u32le {index} u32le {size} {} 0000", hex(name.as_bytes()));
            let length = 1 + 6 + 4 + 8 + name.len() + 2 + 16;
            (QUERY_HIT, length, format!("01 {} zeros 4 {file} {servent}", address(at)?))
        }
        _ => return None,
    })
}

/// A port, little-endian, and an IP address, in network order.
fn address(text: &str) -> Option<String> {
    if text.starts_with('@') {
        return Some(text.to_owned());
    }
    let address: SocketAddrV4 = text.parse().ok()?;
    Some(format!("u16le {} {}", address.port(), hex(&address.ip().octets())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The stage of this lab's conversations: servents, and the folder that they share.
#[derive(Debug)]
struct Neighbourhood {
    trial: Trial,
    folder: Option<Scratch>,
    /// Where each listens that was started in this performance.
    addresses: Vec<(String, SocketAddr)>,
}

impl Stage for Neighbourhood {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    fn begin(&mut self) -> Verdict {
        self.addresses.clear();
        self.folder = Some(self.trial.scratch(FOLDER)?);
        Ok(())
    }

    /// A servent knows the ids of the performance before.
    fn keeps_what_it_was_told(&self) -> bool {
        true
    }

    /// A program is started for each conversation. Smaller pieces are `flood/reads-what-comes-in-pieces`.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &[Segments::Whole]
    }

    fn folder(&self) -> Option<&Scratch> {
        self.folder.as_ref()
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        self.trial.host_servent(side)
    }

    fn start(&mut self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let Some(folder) = &self.folder else { return Err(Stop::Fault("no folder".into())) };
        let known = self.addresses.iter().find(|(known, _)| known == name).map(|(_, at)| *at);
        let address = match known {
            Some(address) => address,
            None => self.trial.addresses().free_localhost()?,
        };
        self.addresses.push((name.to_owned(), address));
        Ok(Box::new(Servent::at(&self.trial, address, folder.clone(), others)?))
    }

    fn in_words(&self, expected: &[u8], seen: &[u8]) -> Option<(String, Vec<String>)> {
        let [expected, seen] = [Descriptor::first(expected)?, Descriptor::first(seen)?];
        let told = [vec![fields::in_words(&seen)], fields::differences(&expected, &seen)].concat();
        Some((fields::in_words(&expected), told))
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        match of {
            Expected::Message => {
                "a question goes on unchanged but for TTL - 1 and hops + 1; an answer has the id of \
                 its question, and goes back where that came from"
            }
            Expected::Silence => {
                "what is known already, what may go no further, and an answer to nothing: all are \
                 dropped, without a word"
            }
            Expected::Event(_) => "what answers its user's question is shown, and nothing else is",
            _ => "look at what the conversation has come to before this line",
        }
    }
}

impl Player for Servent {
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

const CALLS: &str = "each PEER of the command line is dialled";

fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    let stage = || Neighbourhood { trial: t.clone(), folder: None, addresses: Vec::new() };
    script::play_all(FILES, &VOCABULARY, stage)
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::{Hit, Hits, Pong};
    use super::*;

    /// A descriptor in words, as it is read by a conversation.
    fn read(words: &str) -> Option<String> {
        let text = format!(
            "the program is bob\nann calls bob\nann sends-message {words}\nbob is silent\n"
        );
        let conversation = script::parse("a.txt", &text, &VOCABULARY).ok()?;
        match &conversation.lines[1].act {
            script::Action::Sends(bytes) => Some(bytes.to_string()),
            _ => None,
        }
    }

    fn as_read(descriptor: &Descriptor) -> Option<String> {
        let pairs: Vec<_> = descriptor.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(pairs.join(" "))
    }

    #[test]
    fn what_is_written_in_words_is_the_descriptor() {
        let address = "127.0.0.1:7003".parse().unwrap();
        let query = Descriptor::query(id(1), "my song");
        let hit = Hit { index: 7, size: 300_000, name: b"my song.ogg".to_vec() };
        let hits = Hits { address, speed: 0, hits: vec![hit] };
        let pong = Pong { address, files: 12, kilobytes: 4096 };
        for (words, descriptor) in [
            ("ping 2, TTL 255, hops 3", Descriptor::ping(id(2)).at(255, 3)),
            ("query 1, TTL 7, hops 0: my song", query.clone()),
            ("query 1, TTL 7, hops 0:", Descriptor::query(id(1), "")),
            ("query 1, TTL 7, hops 0: a: b", Descriptor::query(id(1), "a: b")),
            ("pong 1, TTL 1, hops 0: 127.0.0.1:7003 12 4096", query.pong(&pong)),
            ("hit 1, TTL 1, hops 0: 127.0.0.1:7003 7 300000 my song.ogg", query.hit(&hits)),
        ] {
            assert_eq!(read(words), as_read(&descriptor), "{words}");
        }
    }

    #[test]
    fn what_is_no_descriptor_is_a_syntax_error() {
        for words in [
            "ping",
            "ping 1",
            "ping 1, TTL 256, hops 0",
            "ping 1, TTL 7, hops 0: song",
            "query 1, TTL 7, hops 0",
            "pong 1, TTL 1, hops 0: 127.0.0.1 12 4096",
            "pong 1, TTL 1, hops 0: 127.0.0.1:7003 12",
            "hit 1, TTL 1, hops 0: 127.0.0.1:7003 x 300000 my song.ogg",
            "bye 1, TTL 1, hops 0",
        ] {
            assert_eq!(read(words), None, "{words}");
        }
    }
}
