//! Step 3: how far a question spreads among several servents, and that it comes to its end.

use super::network::{Network, Shape};
use crate::trial::{Trial, Verdict};

checks! { $ flood_spreading, "flood" step 3:
    ends_a_flood_in_a_ring, 3 points: "six in a ring carry a question 7 times, and come to rest";
    "A Ping or Query whose id and kind were seen before is dropped, also on the link where it first came."

    ends_a_flood_in_a_mesh, 2 points: "five that are all linked carry a question 16 times, and come to rest";
    "It goes to all other links; a Ping or Query whose id and kind were seen before is dropped."

    reaches_seven_links_far, 2 points: "nine in a line carry a question 7 times: the eighth link is too far";
    "Own questions: TTL 7, hops 0; it goes on with TTL - 1 if that is above 0."
}

const ONCE: &str = "each passes on a question once, to all links but the one where it came from: what is \
    known already is dropped, or questions go round and round";

fn ends_a_flood_in_a_ring(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Ring, 6, |_| Vec::new())?;
    network.servents[0].console.types("find song");
    // Ann sends it twice, and each of the others once: to the left, or to the right.
    network.expect_queries(
        7,
        "twice over each of 6 links, but for those by which 5 were asked",
        ONCE,
    )
}

fn ends_a_flood_in_a_mesh(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Mesh, 5, |_| Vec::new())?;
    network.servents[4].console.types("find song");
    network.expect_queries(
        16,
        "twice over each of 10 links, but for those by which 4 were asked",
        ONCE,
    )
}

fn reaches_seven_links_far(t: &mut Trial) -> Verdict {
    let network = Network::new(t, Shape::Line, 9, |_| Vec::new())?;
    network.servents[0].console.types("find song");
    network.expect_queries(7, "once over each of the first 7 links", TTL)
}

const TTL: &str = "a question begins with TTL 7, and each that passes it on takes 1 away: the one that gets it \
    with TTL 1 answers it, and passes it on to nobody";
