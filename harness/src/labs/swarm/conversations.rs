//! Step 5 of lab 9, once more as text: the files in `fixtures/09-swarm/conversations`.

use std::net::SocketAddr;
use std::rc::Rc;

use super::message::{Block, Message, PROTOCOL};
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use crate::net::{Console, Listener, Service};
use crate::script::{self, Expected, Player, Segments, Stage, Vocabulary, Wording};
use crate::trial::{Trial, Verdict};

checks! { $ swarm_conversations, "swarm" step 5:
    keeps_to_every_conversation, 3 points: "keeps to every conversation, however it is cut";
    "Every file in fixtures/09-swarm/conversations is played; a file that is added there, too."
}

const FILES: &str = "fixtures/09-swarm/conversations";

/// What these conversations can speak of: programs have users, and say messages.
const VOCABULARY: Vocabulary = Vocabulary {
    console: true,
    messages: Some(&Wording { form: FORM, bytes }),
    ..Vocabulary::LEAST
};

const FORM: &str = "`handshake NAME`, `keep-alive`, `choke`, `unchoke`, `interested`, `not interested`, `have PIECE`, \
    `bitfield HEX`, and `request`, `piece` or `cancel` with PIECE BEGIN LENGTH; the NAME can be `@its:20`, \
    and later `@its`";

/// The program of this name has the whole file from the start, and every other one nothing.
const SEED: &str = "seed";

/// Three pieces of one block, of which the last one is shorter.
fn torrent() -> Torrent {
    Torrent::new(40_000, 16_384)
}

/// A message in words, as bytes.
fn bytes(words: &str) -> Option<String> {
    if let Some(name) = words.strip_prefix("handshake ") {
        let id = if name.starts_with('@') { name.to_owned() } else { hex(&peer_id(name)) };
        return Some(format!("{} zeros 8 {} {id}", hex(PROTOCOL), hex(&torrent().hash())));
    }
    message(words).map(|message| hex(&message.bytes()))
}

/// A peer id of the harness's own.
fn peer_id(name: &str) -> [u8; 20] {
    let mut id = *b"-HA0001-            ";
    for (byte, letter) in id[8..].iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    id
}

fn message(words: &str) -> Option<Message> {
    let simple = [
        Message::KeepAlive,
        Message::Choke,
        Message::Unchoke,
        Message::Interested,
        Message::NotInterested,
    ];
    if let Some(message) = simple.into_iter().find(|message| message.in_words() == words) {
        return Some(message);
    }
    let (name, rest) = words.split_once(' ')?;
    match name {
        "have" => Some(Message::Have(rest.parse().ok()?)),
        "bitfield" => {
            let pairs = rest.as_bytes().chunks(2).map(|pair| {
                let pair = str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
                u8::from_str_radix(pair, 16).ok()
            });
            Some(Message::Bitfield(pairs.collect::<Option<_>>()?))
        }
        _ => {
            let numbers: Option<Vec<u32>> = rest.split(' ').map(|one| one.parse().ok()).collect();
            let [index, begin, length] = numbers?.try_into().ok()?;
            let block = Block { index, begin, length };
            match name {
                "request" => Some(Message::Request(block)),
                "cancel" => Some(Message::Cancel(block)),
                "piece" => Some(Message::piece(index, begin, torrent().block(block)?)),
                _ => None,
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The stage of this lab's conversations: programs that have one torrent.
#[derive(Debug)]
struct Torrents {
    trial: Trial,
    torrent: Rc<Torrent>,
}

impl Stage for Torrents {
    fn trial(&self) -> &Trial {
        &self.trial
    }

    /// What has come stays in its folder.
    fn keeps_what_it_was_told(&self) -> bool {
        true
    }

    /// A program is started for each. Byte by byte the checks of steps 2 and 3 do it.
    fn ways_to_cut(&self) -> &'static [Segments] {
        &[Segments::Whole, Segments::Random(3)]
    }

    fn host(&self, side: &str) -> Verdict<Listener> {
        self.trial.host_peer(side)
    }

    fn start(&mut self, name: &str, others: &[SocketAddr]) -> Verdict<Box<dyn Player>> {
        let start = Start::of(&self.torrent).dialling(others);
        let pieces = if name == SEED { self.torrent.all() } else { Vec::new() };
        let start = if pieces.is_empty() { start } else { start.having(&pieces) };
        let swarm = start.listening(&self.trial)?;
        swarm.expect_have(pieces.len())?;
        Ok(Box::new(swarm))
    }

    fn in_words(&self, expected: &[u8], seen: &[u8]) -> Option<(String, Vec<String>)> {
        let [(expected, _), (seen, _)] = [Message::first(expected)?, Message::first(seen)?];
        Some((expected.in_words(), vec![seen.in_words()]))
    }

    fn cause(&self, of: Expected<'_>) -> &str {
        match of {
            Expected::Message => {
                "whoever is interested is unchoked, whoever asks gets what it has asked for, and each piece that has \
                 come is told of"
            }
            Expected::Silence => "nothing is sent that nobody has asked for",
            Expected::Event(_) => "what has happened is printed, once, and nothing else is",
            _ => "look at what the conversation has come to before this line",
        }
    }
}

impl Player for Swarm {
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
    let torrent = Rc::new(torrent());
    let stage = || Torrents { trial: t.clone(), torrent: Rc::clone(&torrent) };
    script::play_all(FILES, &VOCABULARY, stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_words_is_the_message() {
        let block = Block { index: 1, begin: 2, length: 3 };
        for (words, message) in [
            ("unchoke", Message::Unchoke),
            ("not interested", Message::NotInterested),
            ("have 258", Message::Have(258)),
            ("bitfield a0ff", Message::Bitfield(vec![0xa0, 0xff])),
            ("request 1 2 3", Message::Request(block)),
            ("piece 1 2 3", Message::piece(1, 2, torrent().block(block).unwrap())),
        ] {
            assert_eq!(bytes(words), Some(hex(&message.bytes())), "{words}");
        }
        assert!(bytes("handshake ann").unwrap().contains(&hex(b"-HA0001-ann         ")));
        assert!(bytes("handshake @its:20").unwrap().ends_with(" @its:20"));
    }

    #[test]
    fn what_is_no_message_is_a_syntax_error() {
        for words in ["", "hello", "have", "have x", "bitfield a", "request 1 2", "piece 9 0 1"] {
            assert_eq!(bytes(words), None, "{words}");
        }
    }
}
