//! Several servents under test, linked by wires that record what they say to each other.

use super::descriptor::{Descriptor, QUERY};
use super::servent::{File, Servent};
use super::{CONNECT, OK};
use crate::net::{Cut, Wire};
use crate::trial::{Stop, Trial, Verdict};

/// Some servents, and the links between them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) servents: Vec<Servent>,
    links: Vec<Wired>,
}

/// A link: the numbers of its two servents, the one who dialled first.
#[derive(Debug)]
struct Wired {
    ends: [usize; 2],
    wire: Wire,
}

/// What the reader calls them. There are as many as the longest line needs.
const NAMES: [&str; 9] = ["ann", "bob", "carol", "dave", "eve", "frank", "grace", "heidi", "ivan"];

/// What is done with a network of each shape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Each is linked to the one before.
    Line,
    /// And the last to the first.
    Ring,
    /// Each is linked to all others.
    Mesh,
}

impl Shape {
    /// The links of so many servents: who dials, and whom.
    fn links(self, count: usize) -> Vec<[usize; 2]> {
        let all = (1..count).flat_map(|one| (0..one).map(move |other| [one, other]));
        all.filter(|[one, other]| match self {
            Self::Line => one - other == 1,
            Self::Ring => one - other == 1 || one - other == count - 1,
            Self::Mesh => true,
        })
        .collect()
    }
}

impl Network {
    /// So many servents of this shape. Each shares the files that `files` gives for its number, and
    /// dials those that were started before it.
    pub(super) fn new<'a>(
        t: &Trial,
        shape: Shape,
        count: usize,
        files: impl Fn(usize) -> Vec<File<'a>>,
    ) -> Verdict<Self> {
        let mut network = Self { servents: Vec::new(), links: Vec::new() };
        for (number, name) in NAMES.iter().enumerate().take(count) {
            let first = network.links.len();
            for ends in shape.links(count).into_iter().filter(|[from, _]| *from == number) {
                let to = network.servents[ends[1]].address();
                let wire = t.wire(name, NAMES[ends[1]], to, Cut::Whole)?;
                // How many descriptors it has carried says more than their bytes.
                wire.leave_untold();
                network.links.push(Wired { ends, wire });
            }
            let peers: Vec<_> = network.links[first..].iter().map(|one| one.wire.address).collect();
            let servent = Servent::start(t, &format!("servent {name}"), &files(number), &peers)?;
            t.name(servent.address(), name);
            network.servents.push(servent);
            network.expect_linked(number, first)?;
        }
        t.note(format!("{} are linked as a {}", NAMES[..count].join(", "), shape.name()));
        Ok(network)
    }

    /// All of them, where there are so many.
    pub(super) fn all<const COUNT: usize>(&self) -> Verdict<&[Servent; COUNT]> {
        let all = self.servents.as_slice().try_into();
        all.map_err(|_| Stop::Fault(format!("there are {} servents", self.servents.len())))
    }

    /// Expects that a new servent is linked with all that it has dialled.
    fn expect_linked(&self, number: usize, first: usize) -> Verdict {
        let cause = "each PEER is dialled, and both ends say so once they have shaken hands";
        let dialled = &self.links[first..];
        let events: Vec<_> =
            dialled.iter().map(|one| format!("linked {} as client", one.wire.address)).collect();
        let events: Vec<_> = events.iter().map(String::as_str).collect();
        self.servents[number].console.expect_events(&events, cause)?;
        for one in dialled {
            self.servents[one.ends[1]].expect_event("linked * as server", cause)?;
        }
        Ok(())
    }

    /// Waits until nothing moves any more, in none of them and on no wire. `false`: it goes on and on.
    pub(super) fn rest(&self) -> Verdict<bool> {
        loop {
            let before = self.carried_bytes();
            for servent in &self.servents {
                let settled = |servent: &Servent| servent.trial().settle(servent.running());
                if servent.console.exited()?.is_none() && settled(servent)?.is_err() {
                    // One that runs idle is another check's matter, as long as it says nothing.
                    return Ok(before == self.carried_bytes());
                }
            }
            // All of them were at rest while nothing was carried: none can have woken another one.
            if before == self.carried_bytes() {
                return Ok(true);
            }
        }
    }

    fn carried_bytes(&self) -> usize {
        self.links.iter().flat_map(|one| one.wire.counts()).flatten().sum()
    }

    /// All descriptors of this kind that were carried over each link, in both directions: those that
    /// the one who dialled has sent, and those of the other.
    fn carried(&self, kind: u8) -> Verdict<Vec<[Vec<Descriptor>; 2]>> {
        let mut all = Vec::new();
        for Wired { wire, .. } in &self.links {
            let [carried] = wire.carried().try_into().map_err(|all: Vec<_>| {
                Stop::Fault(format!("{} connections where one was expected", all.len()))
            })?;
            all.push([(CONNECT, carried.up), (OK, carried.down)].map(|(greeting, stretch)| {
                let rest = stretch.bytes.get(greeting.len()..).unwrap_or_default();
                let (mut descriptors, _) = Descriptor::all(rest);
                descriptors.retain(|descriptor| descriptor.kind == kind);
                descriptors
            }));
        }
        Ok(all)
    }

    /// Expects that the network comes to rest, and that so many Queries were carried in all, which
    /// `formula` explains.
    pub(super) fn expect_queries(&self, expected: usize, formula: &str, cause: &str) -> Verdict {
        let rests = self.rest()?;
        let carried = self.carried(QUERY)?;
        let sum: usize = carried.iter().flatten().map(Vec::len).sum();
        let t = self.servents[0].trial();
        if rests && sum == expected {
            t.note(format!("the wires carried {sum} Queries: {formula}"));
            return Ok(());
        }
        let headline = if rests {
            format!("the servents sent {sum} Queries for one find")
        } else {
            "a find keeps the servents busy, and no end is in sight".to_owned()
        };
        let blame = t.fail(headline).expected(format!("{expected} Queries: {formula}"));
        let blame = carried.iter().zip(&self.links).fold(blame, |blame, (ways, link)| {
            let [from, to] = link.ends.map(|end| NAMES[end]);
            let [up, down] = [0, 1].map(|way: usize| ways[way].len());
            blame.seen(format!("between {from} and {to}: {up} from {from}, {down} from {to}"))
        });
        Err(blame.cause(cause).stop())
    }

    /// How many bytes were carried over all links.
    pub(super) fn bytes(&self) -> usize {
        self.carried_bytes()
    }
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Ring => "ring",
            Self::Mesh => "mesh",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_of_a_shape_are_those_of_its_picture() {
        assert_eq!(Shape::Line.links(3), [[1, 0], [2, 1]]);
        assert_eq!(Shape::Ring.links(4), [[1, 0], [2, 1], [3, 0], [3, 2]]);
        assert_eq!(Shape::Mesh.links(5).len(), 10);
    }
}
