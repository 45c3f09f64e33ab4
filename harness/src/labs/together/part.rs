//! Your peer, and a client of yours that knows nothing of peers: HTTP is enough.

use super::crosswise::Pair;
use super::page::client_alone;
use crate::labs::index::meeting::Song;
use crate::net::Cut;
use crate::program::Given;
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ together_part, "together" step 8:
    gives_a_part_to_your_client, 2 points: "your client fetches the rest of a file from your peer";
    "A peer answers a Range to everybody who speaks HTTP: 206, and the bytes from there on."
}

const ALONE: &str = "each of the two is tried alone next";
/// How much of what was printed is shown.
const SHOWN: usize = 80;

fn gives_a_part_to_your_client(t: &mut Trial) -> Verdict {
    let (song, request) = (Song::new(), Song::new().request());
    let pair = Pair { client: "client", server: "peer" };
    pair.judge(
        t,
        |t| {
            let (_hub, bob) = song.giver(t)?;
            let client = t.client(Given::address(bob.service.address))?;
            client.input(&request);
            client.end_input();
            client.expect_end("its end, when the peer has ended", ALONE)?;
            let printed = client.running.program.stdout().head;
            if song.is_answered_by(&printed) {
                t.note("the client printed 206 and the rest of the file");
                return Ok(());
            }
            Err(t
                .fail("the client has not printed the rest of the file")
                .expected("on standard output: a head with the status 206, and the bytes that were missing")
                .seen(quote_short(&printed, SHOWN))
                .cause(ALONE)
                .stop())
        },
        |t| client_alone(t, &[&request], &song.answer(), Cut::Whole),
        |t| song.giver_alone(t),
    )
}
