//! Your index and its peers, and your servents: two networks, and one folder.

use crate::labs::flood;
use crate::labs::index::meeting::Song;
use crate::trial::{Stop, Trial, Verdict};

checks! { $ together_across, "together" step 10:
    goes_on_without_a_middle, 3 points: "a file goes from peer to peer, and on to your servents when the index is gone";
    "The regular files directly in DIR are shared, whoever has put them there; servents need no index."
}

fn goes_on_without_a_middle(t: &mut Trial) -> Verdict {
    let song = Song::new();
    let folder = song.fetched_before_the_index_died(t)?;
    flood::meeting::passes_on(t, folder, song.name(), song.bytes()).map_err(|stop| match stop {
        // The file is where it should be, byte for byte.
        Stop::Fail(mut failure) => {
            failure.headline = format!("the index is right; {}", failure.headline);
            Stop::Fail(failure)
        }
        other => other,
    })
}
