//! What the book shows of lab 7: one thing in each scene.

use super::directory::Index;
use super::file::File;
use super::getter::Getter;
use super::hub::Hub;
use super::member::Member;
use super::source::Source;
use crate::lab::Scene;
use crate::trial::{Trial, Verdict};

/// The scenes of this lab, in the order of its chapters.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "directory",
        programs: &["index"],
        title: "Ann says what she has, Bob finds it, and she leaves",
        syscalls: false,
        why: &[
            "The index starts. It knows nobody, and nobody has to be known to it.",
            "It has one listener, and will never call anybody.",
            "The promise: who has read this line may connect.",
            "Ann's peer calls. The index sees where from: an ephemeral port, which is of no use to others.",
            "A thread of its own for this session. main is back in accept.",
            "Her name, and the port where she listens. The address she does not say.",
            "A line is whole when its LF is there.",
            "The address that the index sees, with the port that it was told. This is where others will find her.",
            "The index's one event: she is there from now on.",
            "She knows how others see her, and how long she may be silent: here an hour.",
            "What she has: a hash, a size, and the name at the end.",
            "Into the list, and that is all. There is no reply: this was no question.",
            "Bob's peer calls.",
            "Another thread. The two sessions share the list, and nothing else.",
            "He joins like her. He has nothing, and that is fine.",
            "From here on his lines are his.",
            "His own port, and the address that the index sees.",
            "He is there, too.",
            "He is welcome.",
            "Who has something with this word in its name? Bob asks the index, and not Ann.",
            "The list is locked for as long as the hits are copied, and free again before they are written.",
            "One hit, and END. It has all that he needs to go on without the index.",
            "He knows whom to call, how long it must be, and how to see that it is right.",
            "Ann leaves, and says so. The end of her stream would do, too.",
            "Whatever the reason: what she had goes with her.",
            "The index ends its side as well.",
            "Her entry was taken out before this line.",
            "She has read the end, or will. Both sides have ended.",
            "Nothing more will come.",
            "Bob asks once more.",
            "The same question, and another list.",
            "END comes also where there is no hit. Otherwise he would wait for ever.",
            "Nobody has it any more.",
        ],
        run: directory,
    },
    Scene {
        name: "a-part",
        programs: &["index"],
        title: "Somebody asks Ann for the end of a song",
        syscalls: false,
        why: &[
            "Ann's peer starts: her name, the index, where she listens, and her folder, with one song in it.",
            "She listens before she joins. Who reads about her must be able to call.",
            "Her ready line.",
            "For this connection she is the client.",
            "The harness is the index here.",
            "Her name, and the port of her listener.",
            "The index welcomes her.",
            "So she knows that she is in.",
            "A line for each file. The hash was computed before she called.",
            "Her user can see it, too. From now on a thread sleeps, and will say ALIVE in time.",
            "The index has heard what she has. It takes no further part in what follows.",
            "Somebody calls her: for this connection she is the server.",
            "A thread for one request.",
            "GET, the name, and a Range: from byte 4 on. Four bytes are there already.",
            "The name is in her list. So the file is opened, and she goes to the offset.",
            "206: a part. Content-Range says which: bytes 4 to 9, of 10. The head and the part happen to be one write.",
            "An orderly end: this side first, and then what the other one still says.",
            "How many bytes the system has taken. Whether they arrive she can't know.",
            "The status and the range are looked at first, and only then a byte is kept.",
            "The length was 6, and 6 have come. Now the end is only an end.",
        ],
        run: a_part,
    },
    Scene {
        name: "resumed",
        programs: &["index"],
        title: "A source breaks off in the middle, and another one goes on",
        syscalls: false,
        why: &[
            "Bob's peer starts. His folder is empty.",
            "He listens as well: what he gets he will give.",
            "His ready line.",
            "He calls the index.",
            "The harness plays it, and two peers who have the song.",
            "He joins, and has nothing to tell.",
            "Welcome.",
            "A thread reads from the index from now on.",
            "Joined.",
            "His user looks for a song.",
            "One line to the index, on the connection that is there already.",
            "The index has read the question.",
            "Two hits: the same size, the same hash, two addresses.",
            "Three lines in one read. Each goes to `find`, which waits for them.",
            "Numbered from 1. Then how many there were.",
            "His user wants the first one. Carol has it.",
            "A connection straight to Carol. The index is not told.",
            "Carol's peer accepts: for this connection Bob is the client.",
            "The whole song, please: nothing of it is there yet, so there is no Range.",
            "200, and ten bytes are announced.",
            "The head is read, and the status is right. The body goes to song.ogg.part.",
            "Four bytes of ten.",
            "They are in the part, on the disk.",
            "Carol ends, without a word. It is the same FIN as behind a whole song.",
            "0 bytes: nothing more comes from here. Six are missing.",
            "Bob gives her up.",
            "The next hit with the same size and hash: Dave.",
            "Dave's peer accepts.",
            "From byte 4 on: what was got from Carol counts.",
            "206, and bytes 4-9 of 10: it begins where the part ends.",
            "Looked at before anything is appended.",
            "The user hears that it goes on, and with whom.",
            "The other six.",
            "This read was the last one: ten bytes are as many as there may be.",
            "All ten are there, and the hash over all of them is the right one. So Bob tells the index: HAVE.",
            "The connection is not needed any more.",
            "Renamed to song.ogg before this line. It says who sent the last byte.",
            "Dave ends, too.",
            "The index knows one more who has the song. Whoever asks now gets Bob's address, too.",
        ],
        run: resumed,
    },
];

const RECORDED: &str = "a scene shows what a right program does";

fn song() -> File {
    File::new("song.ogg", "la la land")
}

fn joined(index: &Index, name: &str, port: u16) -> Verdict<Member> {
    let mut lines = index.called_by(name)?;
    lines.say(&format!("JOIN {name} {port}"))?;
    index.expect_welcome(lines, port)
}

fn directory(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = joined(&index, "ann", 7001)?;
    let hit = ann.have(&song())?;
    let _ = index.service.settle()?;
    let mut bob = joined(&index, "bob", 7002)?;
    bob.expect_hits("song", &[hit], RECORDED)?;
    ann.leave()?;
    index.console.expect_event("left ann", RECORDED)?;
    bob.expect_hits("song", &[], RECORDED)
}

fn a_part(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let ann = hub.peer("ann", &[&song()])?;
    let bob = Getter::ask(&ann.service, "song.ogg", "Range: bytes=4-\r\n")?;
    bob.expect_part(&song(), (4, 9), RECORDED)
}

fn resumed(t: &mut Trial) -> Verdict {
    let hub = Hub::open(t)?;
    let (carol, dave) = (Source::open(t, "carol")?, Source::open(t, "dave")?);
    let mut bob = hub.peer("bob", &[])?;
    let song = song();
    bob.finds("song", &[carol.address(), dave.address()].map(|address| song.hit(address)))?;
    bob.console.types("get 1");
    carol.asked(bob.running(), &song.name)?.give_up_to(&song, 0, 4)?;
    let request = dave.asked(bob.running(), &song.name)?;
    request.expect_from(4, RECORDED)?;
    request.give(&song, 4)?;
    let from = dave.address();
    bob.console.expect_event(&format!("resumed {} at 4 from {from}", song.name), RECORDED)?;
    bob.console
        .expect_event(&format!("got {} {} from {from}", song.name, song.size()), RECORDED)?;
    bob.session.hear(&song.have(), RECORDED).map(drop)
}
