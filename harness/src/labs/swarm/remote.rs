//! The harness's end of a connection between peers: what it sends to the program, and the messages
//! that it expects.

use std::mem;

use super::fields;
use super::message::{Block, HANDSHAKE, Message, PROTOCOL, handshake};
use super::torrent::Torrent;
use crate::net::{Connection, Cut, LineEnd, Lines};
use crate::trial::{End, Stall, Stop, Trial, Verdict};
use crate::words::{count, summary};

/// Bytes that a sentence shows of what is no message.
const SHOWN: usize = 40;
/// A handshake's reserved bytes, of one who has no extensions.
pub(super) const RESERVED: [u8; 8] = [0; 8];

/// The harness's end of a connection.
#[derive(Debug)]
pub(super) struct Remote {
    /// Messages are no lines, and come over the same connections.
    stream: Lines,
}

/// What came instead of a message.
pub(super) enum Instead {
    End(End),
    Nothing(Stall),
}

impl Remote {
    pub(super) fn new(connection: Connection) -> Self {
        Self { stream: Lines::new(connection, LineEnd::Lf) }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.stream.connection()
    }

    /// What comes, byte by byte.
    pub(super) fn stream(&mut self) -> &mut Lines {
        &mut self.stream
    }

    /// What the reader calls it.
    pub(super) fn name(&self) -> &str {
        self.stream.name()
    }

    /// What the reader calls the program.
    pub(super) fn program(&self) -> String {
        self.stream.program()
    }

    pub(super) fn trial(&self) -> &Trial {
        self.connection().trial()
    }

    /// Its peer id, which nobody else has.
    pub(super) fn peer_id(&self) -> [u8; 20] {
        let mut id = *b"-HA0001-            ";
        for (byte, letter) in id[8..].iter_mut().zip(self.name().bytes()) {
            *byte = letter;
        }
        id
    }

    /// Its handshake for this torrent.
    pub(super) fn handshake(&self, torrent: &Torrent) -> Vec<u8> {
        handshake(RESERVED, torrent.hash(), self.peer_id())
    }

    /// Sends its handshake in one write.
    pub(super) fn greet(&mut self, torrent: &Torrent) -> Verdict {
        let bytes = self.handshake(torrent);
        self.send_as(&bytes, "its handshake")
    }

    /// Expects the program's handshake for this torrent. Returns the program's peer id.
    pub(super) fn expect_handshake(&mut self, torrent: &Torrent, cause: &str) -> Verdict<[u8; 20]> {
        let result = self.stream.hear_until(|unread| unread.len() >= HANDSHAKE)?;
        let wanted = [&PROTOCOL[..], &RESERVED, &torrent.hash()].concat();
        let unread = self.stream.unread();
        if unread.len() >= HANDSHAKE && unread.starts_with(&wanted) {
            let handshake = self.stream.take(HANDSHAKE);
            self.trial().note(format!("{} received the program's handshake", self.name()));
            return Ok(handshake[wanted.len()..].try_into().unwrap_or_default());
        }
        let (name, program) = (self.name(), self.program());
        let seen = &unread[..unread.len().min(HANDSHAKE)];
        let then = match (self.stream.ended(), result) {
            (Some(end), _) => format!(", then {}", end.describe()),
            (None, Err(stall)) => format!(", then {}", stall.sentence(&program)),
            (None, Ok(())) => String::new(),
        };
        let blame = self
            .trial()
            .fail(format!("the {program} does not greet {name} as the protocol says"))
            .expected("68 bytes: 19, `BitTorrent protocol`, 8 zero bytes, the info hash, a peer id")
            .seen(match seen {
                [] => format!("no byte{then}"),
                seen => format!("{}{then}", summary(seen, HANDSHAKE)),
            });
        let known = &seen[..seen.len().min(wanted.len())];
        let blame = if fields::is_greeting(seen) {
            fields::differences(&wanted, known)
                .into_iter()
                .fold(blame, |blame, seen| blame.seen(seen))
        } else if wanted.starts_with(known) {
            blame
        } else {
            blame.difference(&wanted, known)
        };
        Err(blame.cause(cause).stop())
    }

    /// Sends a message in one write.
    pub(super) fn send(&mut self, message: &Message) -> Verdict {
        self.send_as(&message.bytes(), &message.in_words())
    }

    /// Sends these in one write; the story calls them `what`.
    pub(super) fn send_all(&mut self, messages: &[Message], what: &str) -> Verdict {
        let bytes: Vec<u8> = messages.iter().flat_map(Message::bytes).collect();
        self.send_as(&bytes, what)
    }

    /// Asks for a block.
    pub(super) fn ask(&mut self, index: u32, begin: u32, length: u32) -> Verdict {
        self.send(&Message::Request(Block { index, begin, length }))
    }

    /// Sends any bytes, cut into pieces that are a read each; the story calls them `what`.
    pub(super) fn send_pieces(&mut self, bytes: &[u8], cut: Cut, what: &str) -> Verdict {
        self.stream.send_pieces(bytes, cut, what)
    }

    /// Sends any bytes in one write; the story calls them `what`.
    pub(super) fn send_as(&mut self, bytes: &[u8], what: &str) -> Verdict {
        self.stream.send_as(bytes, what)
    }

    /// Sends without a word, as much as the program takes. Returns whether it took all.
    pub(super) fn put(&self, bytes: &[u8]) -> Verdict<bool> {
        self.stream.put(bytes)
    }

    /// Takes the next message off the stream, and waits for it.
    pub(super) fn next(&mut self) -> Verdict<Result<Message, Instead>> {
        let result = self.stream.hear_until(|unread| Message::first(unread).is_some())?;
        if let Some(message) = self.take_next() {
            return Ok(Ok(message));
        }
        Ok(Err(match (self.stream.ended(), result) {
            (None, Err(stall)) => Instead::Nothing(stall),
            (end, _) => Instead::End(end.unwrap_or(End::Stream)),
        }))
    }

    /// Takes the next message that has come, and does not wait.
    fn take_next(&mut self) -> Option<Message> {
        let (message, length) = Message::first(self.stream.unread())?;
        self.stream.take(length);
        Some(message)
    }

    /// Takes all messages that are there, and does not wait.
    pub(super) fn take_all(&mut self) -> Verdict<Vec<Message>> {
        self.stream.take_in()?;
        Ok(std::iter::from_fn(|| self.take_next()).collect())
    }

    /// Expects exactly this message next; `cause` is what is likely wrong where it does not come.
    pub(super) fn expect(&mut self, wanted: &Message, cause: &str) -> Verdict {
        self.expect_fitting(&wanted.in_words(), cause, |seen| {
            let differ = || differences(wanted, seen);
            if seen == wanted { Ok(()) } else { Err(differ()) }
        })
    }

    /// Expects the block that was asked for.
    pub(super) fn expect_block(&mut self, torrent: &Torrent, block: Block, cause: &str) -> Verdict {
        let bytes = torrent.block(block).unwrap_or_default();
        self.expect(&Message::piece(block.index, block.begin, bytes), cause)
    }

    /// Expects a message next of which `fits` approves, or says what is wrong with it.
    pub(super) fn expect_fitting<T>(
        &mut self,
        expected: &str,
        cause: &str,
        fits: impl FnOnce(&Message) -> Result<T, Vec<String>>,
    ) -> Verdict<T> {
        let (seen, wrong) = match self.next()? {
            Ok(message) => match fits(&message) {
                Ok(found) => {
                    self.trial().note(format!("{} received {}", self.name(), message.in_words()));
                    return Ok(found);
                }
                Err(wrong) => (Ok(message), wrong),
            },
            Err(instead) => (Err(instead), Vec::new()),
        };
        Err(self.failure(expected, seen, wrong, cause))
    }

    /// The failure that this came where `wanted` was expected.
    pub(super) fn instead_of(
        &self,
        wanted: &Message,
        seen: Result<Message, Instead>,
        cause: &str,
    ) -> Stop {
        let wrong = seen.as_ref().map(|seen| differences(wanted, seen)).unwrap_or_default();
        self.failure(&wanted.in_words(), seen, wrong, cause)
    }

    fn failure(
        &self,
        expected: &str,
        seen: Result<Message, Instead>,
        wrong: Vec<String>,
        cause: &str,
    ) -> Stop {
        let (name, program) = (self.name(), self.program());
        let (headline, seen) = match seen {
            Ok(message) => (
                format!("the {program} sent {name} another message than expected"),
                message.in_words(),
            ),
            Err(Instead::End(end)) => (
                format!("the {program} ended the connection with {name}"),
                format!("{}{}", self.so_far(), end.describe()),
            ),
            Err(Instead::Nothing(stall)) => (
                format!("nothing came to {name}"),
                format!("{}{}", self.so_far(), stall.sentence(&program)),
            ),
        };
        let blame = self.trial().fail(headline).expected(expected).seen(seen);
        wrong.into_iter().fold(blame, |blame, seen| blame.seen(seen)).cause(cause).stop()
    }

    /// Expects the program's bitfield, which tells of exactly these pieces.
    pub(super) fn expect_bitfield(
        &mut self,
        torrent: &Torrent,
        having: &[u32],
        cause: &str,
    ) -> Verdict {
        self.expect(&Message::Bitfield(torrent.bitfield(having)), cause)
    }

    /// What there is of the next message.
    fn so_far(&self) -> String {
        match self.stream.unread() {
            [] => String::new(),
            unread => format!("only {}, then ", summary(unread, SHOWN)),
        }
    }

    /// Takes in what has come. How the program has ended the connection, if it has.
    pub(super) fn look(&mut self) -> Verdict<Option<End>> {
        self.stream.take_in()?;
        Ok(self.ended())
    }

    /// How the program has ended the connection, as far as it has been looked at.
    pub(super) fn ended(&self) -> Option<End> {
        self.stream.ended()
    }

    /// Expects that nothing comes, and that the connection stays, when the program has come to rest;
    /// `cause` is why something may come.
    pub(super) fn expect_silence(&mut self, cause: &str) -> Verdict {
        let _ = self.trial().settle(self.connection().running())?;
        let first = |unread: &[u8]| match Message::first(unread) {
            Some((first, _)) => first.in_words(),
            None => summary(unread, SHOWN),
        };
        self.stream.expect_no_message("that it should not have", first, cause)
    }

    /// Expects that the program closes the connection, orderly or by a reset, with no message before.
    pub(super) fn expect_closed(&mut self, cause: &str) -> Verdict {
        self.stream.expect_closed(cause)
    }

    /// Expects the same, whatever it sends before.
    pub(super) fn expect_closed_at_last(&mut self, cause: &str) -> Verdict {
        let result = self.stream.hear_until(|_| false)?;
        let heard = self.stream.take(usize::MAX);
        if self.stream.ended().is_some() {
            return self.stream.expect_closed(cause);
        }
        let (name, program) = (self.name(), self.program());
        let then = result.err().map_or_else(String::new, |stall| stall.sentence(&program));
        Err(self
            .trial()
            .fail(format!("the {program} did not end the connection with {name}"))
            .expected("the connection is closed (FIN or RST)")
            .seen(format!("{}, then {then}", count(heard.len())))
            .cause(cause)
            .stop())
    }

    /// Ends its sending side (FIN), and goes on listening.
    pub(super) fn half_close(&mut self) -> Verdict {
        self.stream.end()
    }

    /// Closes the connection.
    pub(super) fn close(self) {
        self.stream.close();
    }

    /// Tears the connection down (RST): closes with something of the program's unread.
    pub(super) fn reset(self) -> Verdict {
        self.stream.reset()
    }
}

/// What differs between two messages of one kind, field by field.
fn differences(wanted: &Message, seen: &Message) -> Vec<String> {
    if let (Message::Piece { index, begin, bytes }, Message::Piece { bytes: others, .. }) =
        (wanted, seen)
        && *seen == Message::piece(*index, *begin, others)
        && bytes.len() == others.len()
        && let Some(at) = bytes.iter().zip(others).position(|(one, other)| one != other)
    {
        return vec![format!("byte {at} of the block is not that of the file")];
    }
    if mem::discriminant(wanted) != mem::discriminant(seen) {
        return Vec::new();
    }
    fields::differences(&wanted.bytes(), &seen.bytes())
}
