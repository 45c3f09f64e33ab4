//! No middle at all: what ends a flood, how far it goes, which way the answers come, and what a
//! newcomer must know.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::Demo;
use super::stage::{Mismatch, Stage, success};

/// Servents and links: each link a connection, each message some bytes on it.
struct Network {
    count: usize,
    links: Vec<Link>,
}

/// Two servents, each with its end of the connection between them.
struct Link {
    ends: [(usize, TcpStream); 2],
    /// What goes over it arrives last of all.
    slow: bool,
}

/// What became of a question.
struct Asked {
    /// How many messages it took.
    carried: usize,
    /// For each servent, the links that it has come by, and over which one of them first. The asker is
    /// asked by nobody.
    first: Vec<Option<(u8, usize)>>,
}

/// Whether a servent knows a question again.
#[derive(Clone, Copy, PartialEq)]
enum Memory {
    Good,
    None,
}

impl Network {
    fn new(count: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> io::Result<Self> {
        let mut links = Vec::new();
        for (one, other) in pairs {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let near = TcpStream::connect(listener.local_addr()?)?;
            let far = listener.accept()?.0;
            for end in [&near, &far] {
                end.set_nodelay(true)?;
            }
            links.push(Link { ends: [(one, near), (other, far)], slow: false });
        }
        Ok(Self { count, links })
    }

    /// Each is linked with each.
    fn mesh(count: usize) -> io::Result<Self> {
        Self::new(count, (0..count).flat_map(|one| (0..one).map(move |other| (one, other))))
    }

    fn ring(count: usize) -> io::Result<Self> {
        Self::new(count, (0..count).map(|one| (one, (one + 1) % count)))
    }

    fn line(count: usize) -> io::Result<Self> {
        Self::new(count, (1..count).map(|one| (one - 1, one)))
    }

    /// The first one asks. Whoever gets the question passes it on to all other links, as far as its
    /// TTL goes.
    fn ask(&self, ttl: u8, memory: Memory) -> io::Result<Asked> {
        let mut asked = Asked { carried: 0, first: vec![None; self.count] };
        // What is on its way: over which link, and to which end of it.
        let mut on_its_way = VecDeque::new();
        self.send(0, None, [ttl, 0], &mut on_its_way)?;
        while let Some((link, end)) = on_its_way.pop_front() {
            asked.carried += 1;
            let (at, stream) = &self.links[link].ends[end];
            let mut message = [0; 2];
            (&mut &*stream).read_exact(&mut message)?;
            let [ttl, hops] = message;
            let known = *at == 0 || asked.first[*at].is_some();
            if *at != 0 && !known {
                asked.first[*at] = Some((hops + 1, link));
            }
            if ttl > 1 && !(known && memory == Memory::Good) {
                self.send(*at, Some(link), [ttl - 1, hops + 1], &mut on_its_way)?;
            }
        }
        Ok(asked)
    }

    /// A servent sends it to all its links but one.
    fn send(
        &self,
        from: usize,
        but: Option<usize>,
        message: [u8; 2],
        on_its_way: &mut VecDeque<(usize, usize)>,
    ) -> io::Result<()> {
        for (index, link) in self.links.iter().enumerate().filter(|(index, _)| Some(*index) != but)
        {
            let Some(own) = link.ends.iter().position(|(who, _)| *who == from) else { continue };
            (&link.ends[own].1).write_all(&message)?;
            // What waits behind it is faster than a slow one.
            let at = if link.slow { on_its_way.len() } else { self.before_slow(on_its_way) };
            on_its_way.insert(at, (index, 1 - own));
        }
        Ok(())
    }

    fn before_slow(&self, on_its_way: &VecDeque<(usize, usize)>) -> usize {
        let slow = |(link, _): &(usize, usize)| self.links[*link].slow;
        on_its_way.iter().position(slow).unwrap_or(on_its_way.len())
    }

    /// Over how many links an answer comes back: where it came from first, and again from there.
    fn way_back(&self, asked: &Asked, from: usize) -> usize {
        let (mut at, mut links) = (from, 0);
        while let Some((_, link)) = asked.first[at] {
            let [(one, _), (other, _)] = &self.links[link].ends;
            at = if *one == at { *other } else { *one };
            links += 1;
        }
        links
    }
}

impl Asked {
    fn reached(&self) -> usize {
        self.first.iter().flatten().count()
    }
}

pub(super) const TTL_STOPS_IT: Demo = Demo {
    name: "ttl-stops-it",
    claim: "The TTL stops a question from going round and round.",
    truth: "The TTL says how far a question goes, and that is all: on its way each servent multiplies \
        it. What stops it is memory. Whoever knows a question again drops it, and then each servent \
        passes it on once, whatever the TTL says.",
    run: ttl_stops_it,
};

fn ttl_stops_it(t: &mut Stage) -> Result<(), Mismatch> {
    for (count, without, with) in [(4, 381, 9), (5, 4372, 16)] {
        let mesh = Network::mesh(count)?;
        t.tell(format!("{count} servents, each linked with each; one asks all, with TTL 7"));
        for (memory, expected) in [(Memory::None, without), (Memory::Good, with)] {
            let words = match memory {
                Memory::None => "and nobody remembers what has come",
                Memory::Good => "and each passes on only what is new",
            };
            let told = |carried| format!("{words}: {carried} messages, for one question");
            t.also(told(mesh.ask(7, memory)?.carried), told(expected))?;
        }
    }
    let mesh = Network::mesh(4)?;
    let carried = mesh.ask(255, Memory::Good)?.carried;
    let told = |carried| format!("{carried} messages");
    t.expect(
        "the 4 once more, with a TTL of 255, and each passes on only what is new",
        told(carried),
        told(9),
    )?;
    let ring = Network::ring(8)?;
    t.tell("8 in a ring, TTL 7");
    let told = |words: &str, carried| format!("{words}: {carried} messages");
    let [without, with] = [Memory::None, Memory::Good].map(|memory| ring.ask(7, memory));
    t.also(
        told("nobody remembers, and the question runs round in both directions", without?.carried),
        told("nobody remembers, and the question runs round in both directions", 14),
    )?;
    t.also(
        told("each passes on only what is new, and it ends where the two meet", with?.carried),
        told("each passes on only what is new, and it ends where the two meet", 9),
    )
}

pub(super) const NOBODY_HAS_IT: Demo = Demo {
    name: "nobody-has-it",
    claim: "If nobody answers, nobody has it.",
    truth: "A question goes as far as its TTL, and nobody tells the asker how far that was. Silence can \
        mean that nobody has it, that the one who has it is too far away, or that an answer was lost on \
        its way. An index would have said END 0.",
    run: nobody_has_it,
};

fn nobody_has_it(t: &mut Stage) -> Result<(), Mismatch> {
    let line = Network::line(10)?;
    let found = |asked: &Asked| match asked.first[9] {
        Some((links, _)) => format!("the last one hears it, over {links} links, and answers"),
        None => "the last one does not hear it: no answer comes".to_owned(),
    };
    t.tell("10 servents in a line; the last one has the song; the first one asks, with TTL 7");
    let asked = line.ask(7, Memory::Good)?;
    let told = |count| format!("{count} of the other 9 have heard the question");
    t.also(told(asked.reached()), told(7))?;
    t.also(found(&asked), "the last one does not hear it: no answer comes")?;
    let asked = line.ask(9, Memory::Good)?;
    t.expect(
        "the same with TTL 9, if all let that pass",
        found(&asked),
        "the last one hears it, over 9 links, and answers",
    )?;
    let pairs = (1..10).map(|one| (one - 1, one)).chain([(0, 4)]);
    let asked = Network::new(10, pairs)?.ask(7, Memory::Good)?;
    t.expect(
        "TTL 7 again; the first one has a second link, to the one in the middle",
        found(&asked),
        "the last one hears it, over 6 links, and answers",
    )
}

pub(super) const SHORTEST_WAY: Demo = Demo {
    name: "shortest-way",
    claim: "An answer takes the shortest way.",
    truth: "It takes the way that its question came first. That was the fastest way at that moment, \
        and not the one with the fewest links. Nobody on the way knows more than the neighbour whom the \
        question came from. The file does not go that way: it comes directly.",
    run: shortest_way,
};

fn shortest_way(t: &mut Stage) -> Result<(), Mismatch> {
    const CAROL: usize = 2;
    let mut three = Network::mesh(3)?;
    let direct = |link: &Link| link.ends.iter().all(|(who, _)| *who != 1);
    for link in &mut three.links {
        link.slow = direct(link);
    }
    t.tell("ann, bob and carol are linked with each other; the link of ann and carol is slow");
    let asked = three.ask(7, Memory::Good)?;
    let told = |links: u8, way| format!("carol hears it first over {links} links, {way}");
    let seen = asked.first[CAROL].map_or((0, ""), |(links, link)| {
        (links, if direct(&three.links[link]) { "from ann" } else { "from bob" })
    });
    t.expect("ann asks both, with TTL 7", told(seen.0, seen.1), told(2, "from bob"))?;
    let told = |links| format!("it goes over {links} links, although she is linked with ann");
    t.expect("carol has the song; her answer", told(three.way_back(&asked, CAROL)), told(2))?;
    let carol = TcpListener::bind(t.address())?;
    let to_call = carol.local_addr()?;
    let got = TcpStream::connect(to_call);
    t.expect(format!("ann gets it, from {to_call}, which is in the answer"), success(&got), "Ok")?;
    let (from, own) = (carol.accept()?.1, got?.local_addr()?);
    let told = |who| format!("it is {who} herself who calls carol, over no link");
    t.also(told(if from == own { "ann" } else { "somebody" }), told("ann"))
}

pub(super) const NO_ADDRESS: Demo = Demo {
    name: "no-address",
    claim: "A network without a middle has no servers, and who joins it needs no address.",
    truth: "Each link was dialled by one of its ends, so the other one listens, at an address that \
        somebody knew. The first address must come from outside: from a friend, from a list in the \
        program, from a web page. If all of those have left, a newcomer is alone, and the network is \
        none the worse.",
    run: no_address,
};

fn no_address(t: &mut Stage) -> Result<(), Mismatch> {
    let listeners = [t.address(), t.address(), t.address()].map(TcpListener::bind);
    let [ann, bob, carol] = listeners;
    let (ann, bob, carol) = (ann?, bob?, carol?);
    let [at_ann, at_bob, at_carol] = [ann.local_addr()?, bob.local_addr()?, carol.local_addr()?];
    let (bobs_end, anns_end) = dial(&ann, at_ann)?;
    let (carols_end, from_carol) = dial(&bob, at_bob)?;
    t.tell(format!("ann, bob and carol listen on {at_ann}, {at_bob} and {at_carol}"));
    t.tell("bob dials ann, and carol dials bob; whom each of them has called");
    let called = |who: &str, stream: &TcpStream| -> io::Result<String> {
        Ok(format!("{who}: {}, a port that somebody listens on", stream.peer_addr()?))
    };
    let expected =
        |who: &str, at: SocketAddr| format!("{who}: {at}, a port that somebody listens on");
    t.also(called("bob", &bobs_end)?, expected("bob", at_ann))?;
    t.also(called("carol", &carols_end)?, expected("carol", at_bob))?;
    drop((ann, bobs_end, anns_end));
    t.expect(
        format!("ann leaves; dave joins, and the one address that he has is {at_ann}"),
        success(&TcpStream::connect(at_ann)),
        "Err(ConnectionRefused)",
    )?;
    t.kernel(carols_end.local_addr()?, at_bob, "ESTABLISHED")?;
    let (dave, from_dave) = dial(&bob, at_bob)?;
    t.tell(format!("a friend tells him {at_bob}, and bob accepts him; he asks who is there"));
    // His Ping goes over both links, and the Pongs come back the same way.
    for (who, from, to) in [("bob", &dave, &from_dave), ("carol", &from_carol, &carols_end)] {
        say(from, "PING")?;
        t.also(format!("{who} hears {}", heard(to)?), format!("{who} hears PING"))?;
    }
    say(&carols_end, &format!("PONG {at_carol}"))?;
    let passed_on = heard(&from_carol)?;
    for pong in [&format!("PONG {at_bob}"), &passed_on] {
        say(&from_dave, pong)?;
        t.also(format!("dave hears {}", heard(&dave)?), format!("dave hears {pong}"))?;
    }
    let again = TcpStream::connect(at_carol);
    t.expect("he dials carol, of whom nobody has told him before", success(&again), "Ok")
}

/// A connection to this listener: the caller's end, and the other one.
fn dial(listener: &TcpListener, address: SocketAddr) -> io::Result<(TcpStream, TcpStream)> {
    Ok((TcpStream::connect(address)?, listener.accept()?.0))
}

fn say(mut stream: &TcpStream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\n").as_bytes())
}

/// The next line. Nothing is ahead of it: each is heard before the next one is said.
fn heard(stream: &TcpStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
