//! One who has pieces, played by the harness: it notes what it is asked for, and gives it when the
//! check likes. What no peer may do is found at once, whatever the check is about.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;

use super::giving::expect;
use super::message::{BLOCK, Block, Message};
use super::program::Swarm;
use super::remote::Remote;
use super::torrent::Torrent;
use crate::net::Listener;
use crate::trial::{Stop, Trial, Verdict};

/// One who has pieces.
#[derive(Debug)]
pub(super) struct Giver {
    pub(super) remote: Remote,
    torrent: Rc<Torrent>,
    /// What the program calls it.
    address: SocketAddr,
    /// What it has told that it has.
    having: BTreeSet<u32>,
    chokes: Chokes,
    /// All that it was asked for since it has unchoked the program last.
    asked: Vec<Block>,
    /// What of that it has not given.
    open: Vec<Block>,
    /// What it has given.
    given: BTreeSet<Block>,
    /// Whether the program is interested, as far as it has said.
    pub(super) interested: bool,
    /// Whether it has said so, or the contrary.
    pub(super) knows_interest: bool,
    /// The pieces that the program has told of since its bitfield.
    pub(super) haves: Vec<u32>,
}

/// Whether it lets the program ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chokes {
    /// It has never unchoked the program.
    Still,
    No,
    /// It has choked the program again: what is asked for may have been under way.
    Again,
}

/// The most requests that may be in flight on a connection.
pub(super) const MOST: usize = 16;
/// The fewest while there is enough to ask for.
pub(super) const FEWEST: usize = 4;

impl Giver {
    /// It has told of nothing yet; the program calls it by this address.
    pub(super) fn new(remote: Remote, address: SocketAddr, torrent: &Rc<Torrent>) -> Self {
        Self {
            remote,
            torrent: Rc::clone(torrent),
            address,
            having: BTreeSet::new(),
            chokes: Chokes::Still,
            asked: Vec::new(),
            open: Vec::new(),
            given: BTreeSet::new(),
            interested: false,
            knows_interest: false,
            haves: Vec::new(),
        }
    }

    /// It has dialled the program, which has `theirs`, and tells that it has `having`.
    pub(super) fn joins(
        swarm: &Swarm,
        name: &str,
        theirs: &[u32],
        having: &[u32],
    ) -> Verdict<Self> {
        let remote = swarm.joined_by(name, theirs)?;
        let address = remote.connection().here();
        let mut giver = Self::new(remote, address, &swarm.torrent);
        giver.tells(having)?;
        Ok(giver)
    }

    /// The same of one that the program dials.
    pub(super) fn is_joined(
        swarm: &Swarm,
        host: &Listener,
        theirs: &[u32],
        having: &[u32],
    ) -> Verdict<Self> {
        let remote = swarm.joins(host, theirs)?;
        let mut giver = Self::new(remote, host.address(), &swarm.torrent);
        giver.tells(having)?;
        Ok(giver)
    }

    fn trial(&self) -> &Trial {
        self.remote.trial()
    }

    pub(super) fn name(&self) -> &str {
        self.remote.name()
    }

    /// What the program calls it.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// It tells by a bitfield that it has these pieces, besides those that it has told of.
    pub(super) fn tells(&mut self, having: &[u32]) -> Verdict {
        self.having.extend(having);
        self.remote.send(&Message::Bitfield(self.torrent.bitfield(having)))
    }

    /// It tells that it has got a piece.
    pub(super) fn has(&mut self, index: u32) -> Verdict {
        self.having.insert(index);
        self.remote.send(&Message::Have(index))
    }

    /// It tells of several, one after the other.
    pub(super) fn has_all(&mut self, pieces: &[u32]) -> Verdict {
        self.having.extend(pieces);
        let haves: Vec<_> = pieces.iter().map(|index| Message::Have(*index)).collect();
        self.remote.send_all(&haves, &format!("a have of each of {} pieces", pieces.len()))
    }

    /// The program may ask it from now on.
    pub(super) fn unchokes(&mut self) -> Verdict {
        self.chokes = Chokes::No;
        self.asked.clear();
        self.open.clear();
        self.remote.send(&Message::Unchoke)
    }

    /// The program may not ask it any more; what it has asked for is forgotten.
    pub(super) fn chokes(&mut self) -> Verdict {
        self.chokes = Chokes::Again;
        self.open.clear();
        self.remote.send(&Message::Choke)
    }

    /// What it was asked for since it has unchoked the program, in order.
    pub(super) fn asked(&self) -> &[Block] {
        &self.asked
    }

    /// What of that it has not given.
    pub(super) fn open(&self) -> &[Block] {
        &self.open
    }

    /// What it has given.
    pub(super) fn given(&self) -> &BTreeSet<Block> {
        &self.given
    }

    /// The pieces that it was asked for, in order, each once.
    pub(super) fn pieces_asked(&self) -> Vec<u32> {
        let mut pieces: Vec<u32> = Vec::new();
        for block in &self.asked {
            if !pieces.contains(&block.index) {
                pieces.push(block.index);
            }
        }
        pieces
    }

    /// Takes in what has come, and does not wait. Returns whether there was anything. What breaks the
    /// protocol ends the check.
    pub(super) fn take_in(&mut self) -> Verdict<bool> {
        let messages = self.remote.take_all()?;
        for message in &messages {
            match message {
                Message::Interested | Message::NotInterested => {
                    self.interested = *message == Message::Interested;
                    self.knows_interest = true;
                }
                Message::Have(index) => self.haves.push(*index),
                Message::Request(block) => self.is_asked(*block)?,
                // Nothing that the program may not send, or not one of this side's matters.
                Message::KeepAlive | Message::Cancel(_) | Message::Unchoke => {}
                Message::Bitfield(_) | Message::Choke => {}
                other => return Err(self.wrong(other, "no such message", UNASKED)),
            }
        }
        Ok(!messages.is_empty())
    }

    fn is_asked(&mut self, block: Block) -> Verdict {
        let request = Message::Request(block);
        match self.chokes {
            Chokes::Again => return Ok(()),
            Chokes::Still => {
                return Err(self.wrong(&request, "no request while it chokes", CHOKED));
            }
            Chokes::No => {}
        }
        if !self.having.contains(&block.index) {
            let what = "requests for pieces that it has";
            return Err(self.wrong(&request, what, NOT_THERE));
        }
        if !self.torrent.blocks_of(block.index).contains(&block) {
            let length = self.torrent.piece(block.index).len();
            let what = format!(
                "requests for blocks of {BLOCK} bytes, of which the last may be shorter: piece {} has \
                 {length} bytes",
                block.index
            );
            return Err(self.wrong(&request, &what, BLOCKS));
        }
        if self.asked.contains(&block) && !self.may_be_asked_again(block) {
            return Err(self.wrong(&request, "one request for each block", TWICE));
        }
        self.asked.push(block);
        self.open.push(block);
        if self.open.len() > MOST {
            let what = format!("at most {MOST} requests that are not answered yet");
            return Err(self.wrong(&request, &what, TOO_MANY));
        }
        Ok(())
    }

    /// A piece that is whole may be asked for once more by a thread that does not know it yet: several
    /// peers are asked for the last ones, and the check of its hash takes a moment.
    fn may_be_asked_again(&self, block: Block) -> bool {
        let blocks = self.torrent.blocks_of(block.index);
        let is_whole = blocks.iter().all(|one| self.given.contains(one));
        is_whole && !self.open.contains(&block) && !self.haves.contains(&block.index)
    }

    fn wrong(&self, message: &Message, expected: &str, cause: &str) -> Stop {
        let (name, program) = (self.name(), self.remote.program());
        let asked = self.asked.len();
        self.trial()
            .fail(format!("the {program} sent {name} something that it must not send"))
            .expected(expected)
            .seen(format!("{}, behind {asked} other requests", message.in_words()))
            .cause(cause)
            .stop()
    }

    /// Gives the first `most` blocks that it was asked for, in order.
    pub(super) fn gives(&mut self, most: usize) -> Verdict {
        let most = most.min(self.open.len());
        self.trial()
            .note(format!("{} gave {most} of the blocks that it was asked for", self.name()));
        self.put_open(most)
    }

    /// The same without a word.
    pub(super) fn put_open(&mut self, most: usize) -> Verdict {
        let blocks: Vec<_> = self.open.drain(..most).collect();
        for block in blocks {
            self.put_block(block)?;
        }
        Ok(())
    }

    /// Sends a block as it is, without a word.
    pub(super) fn put_block(&mut self, block: Block) -> Verdict {
        let bytes = self.torrent.block(block).unwrap_or_default();
        let message = Message::piece(block.index, block.begin, bytes);
        self.given.insert(block);
        self.remote.put(&message.bytes()).map(drop)
    }

    /// A block that was asked for is not owed any more.
    pub(super) fn forgets(&mut self, block: Block) {
        self.open.retain(|open| *open != block);
    }

    /// Gives a block with one wrong bit, and says so.
    pub(super) fn lies(&mut self, block: Block) -> Verdict {
        let mut bytes = self.torrent.block(block).unwrap_or_default().to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        self.forgets(block);
        let what = format!("{}, of which one bit is wrong", block.in_words());
        self.trial().note(format!("{} gave {what}", self.name()));
        self.remote.put(&Message::piece(block.index, block.begin, &bytes).bytes()).map(drop)
    }

    /// Expects that the program says that it is interested.
    pub(super) fn expect_interest(&mut self, swarm: &Swarm, cause: &str) -> Verdict {
        let headline = "the program does not say that it is interested";
        expect(swarm, &mut [self], headline, "the message `interested`", cause, |all| {
            all[0].interested
        })
    }

    /// Expects at least so many requests that are not answered yet.
    pub(super) fn expect_open(&mut self, swarm: &Swarm, least: usize, cause: &str) -> Verdict {
        let headline = format!("the program does not ask {} as expected", self.name());
        let expected = format!("at least {least} requests that are not answered yet");
        expect(swarm, &mut [self], &headline, &expected, cause, |all| all[0].open.len() >= least)
    }

    /// What it has to tell of itself in a failure.
    pub(super) fn so_far(&self) -> String {
        let interest = if self.interested { "interested" } else { "not interested" };
        let chokes = match self.chokes {
            Chokes::Still => "never unchoked",
            Chokes::No => "unchoked",
            Chokes::Again => "choked again",
        };
        let (name, asked, open) = (self.name(), self.asked.len(), self.open.len());
        let end =
            self.remote.ended().map_or_else(String::new, |end| format!("; {}", end.describe()));
        format!(
            "{name} ({chokes}): the program is {interest}, has asked for {asked} blocks, and waits for \
             {open} of them{end}"
        )
    }
}

const UNASKED: &str = "nobody has asked the program for anything here: it sends a bitfield, interested and not \
    interested, requests, and have";
const CHOKED: &str = "a connection begins choked: whoever wants something says `interested`, and asks for it once \
    `unchoke` has come";
const NOT_THERE: &str = "a peer is asked for what it has told of, by its bitfield or by a have; what it has not it \
    can't give";
const BLOCKS: &str = "pieces are asked for in blocks of 16384 bytes, the last one of a piece as long as what is left: \
    many peers end the connection over a request for more, or beyond the end of the piece";
const TWICE: &str = "a block that was asked for comes; to ask for it again on the same connection makes it come twice";
const TOO_MANY: &str = "a request is in flight until its block comes, or a choke: also where its piece has come from somebody \
    else. A few in flight keep the connection busy; with more of them pieces are claimed that others could have brought \
    meanwhile";
