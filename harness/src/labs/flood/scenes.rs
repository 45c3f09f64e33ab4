//! What the book shows of lab 8: one thing in each scene.

use super::descriptor::{Descriptor, Hit, Hits, id};
use super::servent::{Servent, v4};
use super::source::{Source, give, reply};
use super::{CONNECT, OK};
use crate::lab::Scene;
use crate::net::{LineEnd, Lines};
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapter.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "link",
        programs: &["flood"],
        title: "Bob's servent calls Ann, is called by Carol, and gives Dave a file",
        syscalls: false,
        why: &[
            "Bob's servent starts: where it listens, its folder with one song in it, and whom to call.",
            "It listens before it calls: whoever hears of it must be able to reach it.",
            "From now on others can call.",
            "It calls Ann. For this connection it is the client.",
            "Ann's servent has accepted.",
            "Whoever has dialled speaks first. It ends with an empty line, as a head of HTTP does, but with LF alone.",
            "Ann agrees to the link. Now the two ends are equal.",
            "13 bytes, and not one more: what comes behind them is a descriptor, for somebody else to read.",
            "From now on what Bob asks goes to Ann, too.",
            "Carol calls Bob. For this connection he is the server.",
            "A thread of its own: whoever is slow to greet holds up nobody else.",
            "Carol speaks first, since she has dialled.",
            "It is the greeting. There is a free place for a link, so he agrees.",
            "The other half of the same handshake. He needs both: he calls, and he is called.",
            "A second link, on the other side of the same program. The address is the caller's, and its port is of no use to others.",
            "From here on nobody can see any more who has called whom.",
            "Somebody else connects to the same port.",
            "Nothing tells yet what this one wants.",
            "It is not the greeting: it begins with GET. Dave wants a file, and not a link.",
            "Number and name are right: the song may be given.",
            "HTTP, as a web server would answer. The file stands behind the head.",
            "HTTP/1.0: the end of the file is the end of the connection.",
            "Ten bytes of song. Dave's program need not know what a descriptor is.",
            "The end comes behind all of it. No link was made, and both links are where they were.",
        ],
        run: link,
    },
    Scene {
        name: "flooding",
        programs: &["flood"],
        title: "Ann's question comes to Bob, who answers it and passes it on; and then it comes again",
        syscalls: false,
        why: &[
            "Bob's servent starts. He has the song.",
            "It listens.",
            "And says so.",
            "Ann calls.",
            "A thread for her.",
            "She greets.",
            "The greeting is whole.",
            "And he agrees.",
            "The first link.",
            "Ann can ask from now on.",
            "Carol calls as well.",
            "A thread for her.",
            "She greets.",
            "The greeting is whole.",
            "And he agrees.",
            "The second link. Ann and Carol know nothing of each other.",
            "Carol can ask, too.",
            "Ann asks, and she asks Bob alone: hers is the only link that she has. 7 links it may go, and it has come none.",
            "23 bytes of header say how many follow. He has not seen this id before, so he writes it down, with Ann's link beside it.",
            "He has such a file. The answer goes to where the question came from, with the same id. TTL 1: as far as the question has come.",
            "And the question goes on, to all links but Ann's: one less to go, one more come. All else is as it came.",
            "Ann has a hit. That the question has gone on she can't see.",
            "Carol has the question, and can't see that it is Ann's: all that she knows is Bob's link.",
            "Now it comes from Carol. It has gone round by others, and is still the same: the same id.",
            "He looks it up, and knows it. No answer, nothing passed on, nothing said. This is where the flood ends.",
            "Somebody beyond Carol has it as well. The hit says its own address, and has 2 links to go.",
            "An answer. He looks up which question it belongs to, and finds Ann's link.",
            "One less to go, one more come. Nobody but Ann gets it.",
            "Her second hit. She can call the one who has the file now, and needs neither Bob nor Carol for it.",
        ],
        run: flooding,
    },
    Scene {
        name: "found-and-got",
        programs: &["flood"],
        title: "Bob finds a song that is two links away, and gets it directly",
        syscalls: false,
        why: &[
            "Bob's servent starts. His folder is empty.",
            "It listens.",
            "And says so.",
            "Carol calls. She is the only one whom he will ever be linked with.",
            "A thread for her.",
            "She greets.",
            "The greeting is whole.",
            "And he agrees.",
            "One link is enough to be in the network.",
            "Carol is ready.",
            "His user looks for a song.",
            "A new random id, 7 links to go, and the words. He writes the id down as his own first: it may come round.",
            "Carol has no song. She will pass the question on, to Dave among others.",
            "Dave's answer. It has come one link to Carol, and this is its second. The address in it is Dave's.",
            "The id is known, and the way leads here: to the user.",
            "A number for the user, an address, a size and a name. Of Carol there is no word.",
            "He wants it.",
            "A connection straight to Dave. The links have no part in it.",
            "Dave's servent accepts: for this connection it is a web server.",
            "The number and the name of the hit, as a target of HTTP.",
            "200, and a length that must be that of the hit.",
            "The head is read and judged before a byte is kept.",
            "The song itself.",
            "Ten bytes of ten. They were written to song.part.",
            "As many bytes as there may be: the connection is not needed any more.",
            "Renamed first, and then said. From now on he has the song, and answers whoever asks for it.",
        ],
        run: found_and_got,
    },
];

const RECORDED: &str = "a scene shows what a right program does";
const SONG: (&str, &[u8]) = ("song", b"la la land");

fn link(t: &mut Trial) -> Verdict {
    let ann = t.host_servent("ann")?;
    let bob = Servent::start(t, "bob", &[SONG], &[ann.address()])?;
    let mut to_ann = bob.calls(&ann)?;
    to_ann.expect_bytes(CONNECT, RECORDED)?;
    to_ann.send_as(OK, "GNUTELLA OK")?;
    bob.expect_event(&format!("linked {} as client", ann.address()), RECORDED)?;
    let mut carol = bob.called_by("carol")?;
    carol.send_as(CONNECT, "GNUTELLA CONNECT/0.4")?;
    carol.expect_bytes(OK, RECORDED)?;
    bob.expect_linked(&carol, "server")?;
    let dave = bob.service.connect_as("dave".to_owned(), false)?;
    let mut dave = Lines::new(dave, LineEnd::CrLf);
    dave.send(b"GET /get/0/song/ HTTP/1.0\r\n\r\n")?;
    dave.hear_until(|unread| unread.ends_with(SONG.1))?.ok();
    dave.take(usize::MAX);
    dave.expect_end(RECORDED)
}

fn flooding(t: &mut Trial) -> Verdict {
    let bob = Servent::start(t, "bob", &[SONG], &[])?;
    let mut ann = bob.linked_by("ann")?;
    let mut carol = bob.linked_by("carol")?;
    let query = Descriptor::query(id(1), "song");
    ann.send(&query)?;
    let its = |address| -> Verdict<Hits> {
        let hit = Hit { index: 0, size: SONG.1.len() as u32, name: SONG.0.into() };
        Ok(Hits { address: v4(address)?, speed: 0, hits: vec![hit] })
    };
    let expected = query.hit(&its(bob.address())?);
    ann.expect_fitting("a QueryHit", RECORDED, |seen| {
        let end = seen.payload.len().saturating_sub(16);
        let own = expected.payload.len() - 16;
        if seen.payload[..end] == expected.payload[..own] { Ok(()) } else { Err(Vec::new()) }
    })?;
    carol.expect(&query.passed_on(), RECORDED)?;
    // It has gone round: somebody else had it from ann, too.
    carol.send(&query.clone().at(5, 2))?;
    ann.expect_silence(RECORDED)?;
    let hit = query.passed_on().hit(&its(t.addresses().free_address())?);
    carol.send(&hit)?;
    ann.expect(&hit.passed_on(), RECORDED)
}

fn found_and_got(t: &mut Trial) -> Verdict {
    let bob = Servent::start(t, "bob", &[], &[])?;
    let mut carol = bob.linked_by("carol")?;
    let dave = Source::new(t, "dave", 0, SONG.0)?;
    let query = bob.finds("song", &mut [&mut carol])?;
    // Carol has it from dave, who is linked with her.
    carol.send(&query.passed_on().hit(&dave.hits(SONG.1.len())?).passed_on())?;
    bob.expect_event(&format!("hit 1 {} {} {}", dave.address(), SONG.1.len(), SONG.0), RECORDED)?;
    bob.console.types("get 1");
    let request = dave.is_asked(&bob)?;
    give(&request, &reply("HTTP/1.0 200 OK", Some(SONG.1.len())), "the head of a reply")?;
    give(&request, SONG.1, "the song")?;
    let event = format!("got {} {} from {}", SONG.0, SONG.1.len(), dave.address());
    bob.expect_event(&event, RECORDED)
}
