//! What the book shows of lab 9: one thing in each scene.

use std::rc::Rc;

use super::giver::Giver;
use super::message::{Block, Message};
use super::program::Start;
use super::torrent::Torrent;
use super::tracker::Tracker;
use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "met",
        programs: &["swarm"],
        title: "Bob's program asks the tracker, and dials Ann",
        syscalls: false,
        why: &[
            "Bob's program starts: the torrent, an empty folder, and where it listens.",
            "It listens before it tells anybody of itself.",
            "Where it listens, and how many of the three pieces were right in its folder.",
            "It calls the tracker, whose URL stands in the torrent.",
            "The harness is the tracker here.",
            "A GET without a body: the hash of the torrent, who is asking, at which port, how much is missing, and that it has just started.",
            "200, and a bencoded answer: when to ask again, and six bytes for Ann.",
            "It reads up to the length in the head, and not up to the end.",
            "The answer is whole, so it closes. A tracker has no time for connections that stay.",
            "The tracker ends its side as well. It takes no further part in what follows.",
            "Ann's address was in the answer: Bob dials her.",
            "The harness is Ann, too.",
            "Bob has dialled, so he speaks first. 68 bytes.",
            "The hash is right, and she answers.",
            "He compares the hash, and looks whether the id is his own.",
            "His first message: a bit for each piece, and none is set.",
            "Both have greeted. From here on it makes no difference who has dialled.",
            "Ann knows that he has nothing yet.",
            "Ann's bitfield: the first bit and the third. She has pieces 0 and 2.",
            "Two pieces that he lacks.",
            "He says so. He does not ask for anything: she still chokes him.",
            "It is for Ann to answer now, with an unchoke.",
        ],
        run: met,
    },
    Scene {
        name: "unchoked",
        programs: &["swarm"],
        title: "Ann asks Bob's program for a piece",
        syscalls: false,
        why: &[
            "Bob's program starts. The whole song is in his folder.",
            "It listens.",
            "All three pieces have the right hash: he is a seed.",
            "Ann dials.",
            "A thread of its own, which will read from her.",
            "She has dialled, and speaks first.",
            "The hash is that of his torrent.",
            "His greeting, and right behind it his bitfield: one write.",
            "They are connected.",
            "She takes 68 bytes for the greeting, and what follows is a message.",
            "He has something that she lacks.",
            "A length of 1, and the id 2.",
            "She may ask. He says this to everybody who is interested.",
            "From now on her requests are answered.",
            "Piece 1, from its first byte on, 12 bytes: all of this short piece.",
            "Is she unchoked, is it within the piece, is the piece here? Three times yes: it goes into the queue.",
            "The thread that writes has read the bytes from the file now, and not sooner.",
            "Twelve bytes. Whether they are right she sees when the piece is whole, which it is.",
        ],
        run: unchoked,
    },
    Scene {
        name: "passed-on",
        programs: &["swarm"],
        title: "Bob's program gets a piece from Ann, and Carol gets it from Bob",
        syscalls: false,
        why: &[
            "Bob's program starts. Its folder is empty.",
            "It listens.",
            "It has none of three pieces.",
            "Carol dials.",
            "A thread for her.",
            "She greets.",
            "It is the right torrent.",
            "He answers, and tells her that he has nothing.",
            "Connected.",
            "There is nothing to be had here yet.",
            "She says that she is interested all the same, so that she need not wait later.",
            "Nothing forbids that.",
            "Whoever is interested is unchoked.",
            "She may ask as soon as there is something.",
            "Ann dials.",
            "A thread for her.",
            "She greets.",
            "The same torrent.",
            "He answers, and has nothing to tell her, either.",
            "Two connections.",
            "She knows how he stands.",
            "The second bit: she has piece 1.",
            "He lacks it.",
            "So he is interested.",
            "Ann is asked whether he may ask.",
            "He may.",
            "At once he claims a piece. There is only one that she can give.",
            "One request: the piece is one short block.",
            "She has it.",
            "The block.",
            "It was asked for, the piece is whole, and its hash is right. Only now it is written.",
            "To Ann: I have it, too. And there is nothing more that I want from you.",
            "To Carol: I have it.",
            "The same for his user.",
            "Ann counts one more who has this piece.",
            "That is what Carol was waiting for.",
            "She was unchoked long ago, so she asks at once.",
            "He lacks two of three pieces, and is asked for the third.",
            "He gives while he is getting.",
            "Carol has a piece that Ann has brought, and has never heard of Ann.",
        ],
        run: passed_on,
    },
];

const RECORDED: &str = "a scene shows what a right program does";
/// A song in pieces of 12 bytes: so short that each of them is one read.
const SONG: &[u8] = b"la la land, hm hm hmmm, la la la!";

fn song() -> Torrent {
    let mut torrent = Torrent::new(0, 12);
    torrent.bytes = SONG.to_vec();
    torrent
}

fn met(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(song().tracked_by(&tracker.url()));
    let host = t.host_peer("ann")?;
    let bob = Start::of(&torrent).called("bob").listening(t)?;
    bob.expect_have(0)?;
    tracker.tell(&bob, 1800, &[host.address()])?;
    let mut ann = bob.joins(&host, &[])?;
    ann.send(&Message::Bitfield(torrent.bitfield(&[0, 2])))?;
    ann.expect(&Message::Interested, RECORDED)
}

fn unchoked(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(song());
    let bob = Start::of(&torrent).called("bob").having(&torrent.all()).listening(t)?;
    bob.expect_have(3)?;
    let mut ann = bob.joined_by("ann", &torrent.all())?;
    ann.send(&Message::Interested)?;
    ann.expect(&Message::Unchoke, RECORDED)?;
    let block = Block { index: 1, begin: 0, length: 12 };
    ann.send(&Message::Request(block))?;
    ann.expect_block(&torrent, block, RECORDED)
}

fn passed_on(t: &mut Trial) -> Verdict {
    let torrent = Rc::new(song());
    let bob = Start::of(&torrent).called("bob").listening(t)?;
    bob.expect_have(0)?;
    let mut carol = bob.joined_by("carol", &[])?;
    carol.send(&Message::Interested)?;
    carol.expect(&Message::Unchoke, RECORDED)?;
    let mut ann = Giver::joins(&bob, "ann", &[], &[1])?.remote;
    ann.expect(&Message::Interested, RECORDED)?;
    ann.send(&Message::Unchoke)?;
    let block = Block { index: 1, begin: 0, length: 12 };
    ann.expect(&Message::Request(block), RECORDED)?;
    ann.send(&Message::piece(1, 0, torrent.piece(1)))?;
    bob.expect_pieces(&[(1, ann.connection().here())], RECORDED)?;
    for other in [&mut ann, &mut carol] {
        other.expect(&Message::Have(1), RECORDED)?;
    }
    carol.send(&Message::Request(block))?;
    carol.expect_block(&torrent, block, RECORDED)
}
