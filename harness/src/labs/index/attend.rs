//! Step 1: what a peer says to the index, and what it is told.

use super::directory::{Index, PORT};
use super::file::{File, Hit};
use super::member::Member;
use crate::trial::{Stop, Trial, Verdict};

checks! { $ index_attend, "index" step 1:
    welcomes, 2 points: "answers JOIN with the address as it sees it";
    "WELCOME <addr> <silence>: the connection's source address with the port of JOIN; milliseconds."

    words_in_pieces, 3 points: "understands lines in pieces, and several in one segment";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    finds, 3 points: "finds what others have, and says END";
    "HIT: each file of another peer whose name contains the word (ASCII without case); END <count> after the last HIT."

    finds_names_with_spaces, 2 points: "takes all that is left of a line for the name";
    "FILE last (it may hold spaces); FIND <word>: the rest of the line, at least one character."

    not_ones_own, 1 point: "does not tell a peer of its own files";
    "HIT: each file of another peer."

    drop_and_replace, 2 points: "forgets a file at DROP, and takes a second HAVE in place of the first";
    "HAVE: one file more (or again: replaced). DROP: one less; unknown: nothing happens."

    at_most_100_hits, 1 point: "sends 100 hits at most";
    "HIT <addr> <size> <sha1> <file>: at most 100."

    hits_are_not_mixed, 3 points: "answers each find in one piece, in order";
    "END <count> after the last HIT; finds are answered in order, hits of two finds are never mixed."
}

const IN_PIECES: &str =
    "a line ends with LF, however many reads it takes, and what has come behind it is the next one";
const FINDS: &str = "each file of another peer whose name has the word in it, wherever and in whatever case; then END \
    and how many there were, also where there was none";
const ASCII: &str = "only letters of ASCII are compared without case (to_ascii_lowercase): \u{c9} and \u{e9} are two letters here, and \
    E and e are one";
const WHOLE_NAMES: &str = "only the first spaces of a line part its words: what is left behind them is the name, or what \
    is looked for, with all of its spaces";
const OTHERS: &str = "a peer knows what it has itself: only the files of others are hits, also of others of the same name";
const REPLACED: &str = "a peer has one file of a name: a second HAVE takes the place of the first, at once, and DROP \
    leaves none. A name is all that stands behind the word, and no part of it";
const IN_ORDER: &str = "a find is answered from its first HIT to its END before the next one, and nothing of another \
    peer's find comes in between";

fn welcomes(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut members = Vec::new();
    for (name, port) in [("ann", 7001), ("Bob-2_b", 1), ("carol", 65535)] {
        let mut lines = index.called_by(name)?;
        lines.say(&format!("JOIN {name} {port}"))?;
        members.push(index.expect_welcome(lines, port)?);
    }
    let Some(address) = t.addresses().free_address_v6() else { return Ok(()) };
    t.new_scene()?;
    // An address of IPv6 stands in brackets before its port.
    Index::at(t, address)?.joined_by("ann").map(drop)
}

fn words_in_pieces(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let file = File::new("a file", "of bytes");
    // What is whole first: where that goes wrong, pieces are not the reason.
    let mut carol = index.joined_by("carol")?;
    let notes = File::new("notes", "of carol");
    t.note(format!("carol sent `{}`", notes.have()));
    carol.lines().send_alone((notes.have() + "\n").as_bytes())?;
    carol.expect_heard()?;
    let notes = notes.hit(carol.address());
    let mut ann = index.called_by("ann")?;
    t.note("ann sent `JOIN ann 7001` and its LF, a byte at a time");
    for byte in format!("JOIN ann {PORT}\n").bytes() {
        ann.send_alone(&[byte])?;
    }
    let in_pieces = |stop: Stop| stop.because(IN_PIECES);
    let mut ann = index.expect_welcome(ann, PORT).map_err(in_pieces)?;
    ann.expect_hits("notes", &[notes], FINDS)?;
    let mut bob = index.called_by("bob")?;
    bob.send(format!("JOIN bob {PORT}\n{}\nFIND nothing\n", file.have()).as_bytes())?;
    let mut bob = index.expect_welcome(bob, PORT).map_err(in_pieces)?;
    bob.hear_hits(&[], IN_PIECES)?;
    ann.expect_hits("a file", &[file.hit(bob.address())], IN_PIECES)
}

/// A peer tells of files of these names; returns what others are told of them. It has been heard
/// when this returns.
fn tell(member: &mut Member, names: &[&str]) -> Verdict<Vec<Hit>> {
    let mut hits = Vec::new();
    for (name, length) in names.iter().zip(3..) {
        hits.push(member.have(&File::new(name, vec![b'x'; length]))?);
    }
    member.expect_heard()?;
    Ok(hits)
}

/// Expects these of the hits, by number.
fn expect(member: &mut Member, word: &str, hits: &[Hit], places: &[usize], cause: &str) -> Verdict {
    let hits: Vec<Hit> = places.iter().map(|at| hits[*at].clone()).collect();
    member.expect_hits(word, &hits, cause)
}

fn finds(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut ann, mut bob) = (index.joined_by("ann")?, index.joined_by("bob")?);
    let hits = tell(&mut ann, &["Song.ogg", "songs.txt", "notes", "\u{c9}tude"])?;
    for (word, places) in
        [("song.o", &[0][..]), ("NOTE", &[2]), ("sonG", &[0, 1]), ("ann", &[]), ("o", &[0, 1, 2])]
    {
        expect(&mut bob, word, &hits, places, FINDS)?;
    }
    expect(&mut bob, "\u{c9}TUDE", &hits, &[3], ASCII)?;
    expect(&mut bob, "\u{e9}tude", &hits, &[], ASCII)
}

fn finds_names_with_spaces(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut ann, mut bob) = (index.joined_by("ann")?, index.joined_by("bob")?);
    let hits =
        tell(&mut ann, &["my song.ogg", "two  spaces ", " in front", "\u{fc}ber \u{1f600}"])?;
    for (word, places) in [
        ("my song", &[0][..]),
        ("y s", &[0]),
        ("o  s", &[1]),
        ("spaces ", &[1]),
        (" in", &[2]),
        ("\u{fc}BER", &[3]),
        (" ", &[0, 1, 2, 3]),
    ] {
        expect(&mut bob, word, &hits, places, WHOLE_NAMES)?;
    }
    Ok(())
}

fn not_ones_own(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut ann = index.joined_by("ann")?;
    let mut twin = index.joined_by("ann")?;
    let hers = tell(&mut ann, &["song.ogg"])?;
    ann.expect_hits("song", &[], OTHERS)?;
    let others = tell(&mut twin, &["a song"])?;
    ann.expect_hits("song", &others, OTHERS)?;
    twin.expect_hits("song", &hers, OTHERS)
}

fn drop_and_replace(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut ann, mut bob) = (index.joined_by("ann")?, index.joined_by("bob")?);
    let mut carol = index.joined_by("carol")?;
    let hers = carol.have(&File::new("my song.ogg", "one of carol's"))?;
    carol.expect_heard()?;
    let copy = ann.have(&File::new("copy of my song.ogg", "an old one"))?;
    let old = ann.have(&File::new("my song.ogg", "an old one"))?;
    ann.expect_heard()?;
    bob.expect_hits("song", &[copy.clone(), old, hers.clone()], FINDS)?;
    let new = ann.have(&File::new("my song.ogg", "and a new one"))?;
    for unknown in ["notes", "my", "song"] {
        ann.say(&format!("DROP {unknown}"))?;
    }
    ann.expect_heard()?;
    bob.expect_hits("song", &[copy.clone(), new, hers.clone()], REPLACED)?;
    ann.say("DROP my song.ogg")?;
    ann.expect_heard()?;
    bob.expect_hits("song", &[copy, hers], REPLACED)
}

fn at_most_100_hits(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let mut bob = index.joined_by("bob")?;
    let mut others = Vec::new();
    for (name, songs) in [("ann", 0..60), ("carol", 60..101)] {
        let mut other = index.joined_by(name)?;
        t.note(format!("{name} tells of {} songs", songs.len()));
        let have = |number| File::new(&format!("song {number}"), "la").have() + "\n";
        other.lines().put(songs.map(have).collect::<String>().as_bytes())?;
        other.expect_heard()?;
        others.push(other);
    }
    bob.say("FIND song")?;
    let sent = bob.lines().read_all_until(|ahead| ahead.windows(4).any(|four| four == b"END "))?;
    let hits = sent.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"HIT ")).count();
    let end = sent.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"END"));
    if hits == 100 && end == Some(b"END 100") {
        t.note("bob heard 100 of them, and END 100");
        return Ok(());
    }
    let end = end.map_or("no END".into(), String::from_utf8_lossy);
    Err(t
        .fail("the index does not stop at 100 hits")
        .expected("100 lines with HIT, and then END 100")
        .seen(format!("{hits} lines with HIT, and {end}"))
        .cause("a word of one letter may be in a million names, of one peer or of many: nobody reads more than the first of them")
        .stop())
}

fn hits_are_not_mixed(t: &mut Trial) -> Verdict {
    let index = Index::start(t)?;
    let (mut ann, mut bob) = (index.joined_by("ann")?, index.joined_by("bob")?);
    let hers = tell(&mut ann, &["a1", "a2", "a3"])?;
    let his = tell(&mut bob, &["b1", "b2", "b3"])?;
    let asks: String = (0..50).map(|number| format!("FIND {}\n", number % 4)).collect();
    t.note(
        "both say FIND 0, FIND 1, FIND 2 and FIND 3, again and again, 50 times, in one write each",
    );
    for member in [&mut ann, &mut bob] {
        member.lines().put(asks.as_bytes())?;
    }
    t.note("what is not told here was heard as it should be");
    for number in 0..50 {
        for (member, hits) in [(&mut ann, &his), (&mut bob, &hers)] {
            t.new_story();
            t.note(format!("both have said FIND 50 times, and heard {number} answers"));
            let one = (number % 4 > 0).then(|| hits[number % 4 - 1].clone());
            member.hear_hits(one.as_slice(), IN_ORDER)?;
        }
    }
    Ok(())
}
