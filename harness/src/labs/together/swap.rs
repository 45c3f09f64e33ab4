//! Your index and your peers.

use super::crosswise::Pair;
use crate::labs::index::meeting::{Song, index_alone};
use crate::trial::{Trial, Verdict};

checks! { $ together_swap, "together" step 7:
    passes_a_file_on, 3 points: "a file goes from one of your peers to two others, to one without the index";
    "The index knows who has what, and the bytes go from peer to peer: with the index gone only finding is."

    goes_on_with_another_peer, 3 points: "the peer that is asked dies, and another one gives the rest";
    "The end of a source: the next peer of the last find with the same size and hash goes on from there."
}

const PEERS: Pair = Pair { client: "peer that gets", server: "peer that gives" };

fn passes_a_file_on(t: &mut Trial) -> Verdict {
    swap(t, Song::passed_on)
}

fn goes_on_with_another_peer(t: &mut Trial) -> Verdict {
    swap(t, Song::over_a_death)
}

/// The index alone, and then all programs together.
fn swap(t: &Trial, together: fn(&Song, &Trial) -> Verdict) -> Verdict {
    index_alone(t).map_err(|stop| stop.at("the index alone"))?;
    t.new_scene()?;
    let song = Song::new();
    PEERS.judge(t, |t| together(&song, t), |t| song.getter_alone(t), |t| song.giver_alone(t))
}
