//! Your peer, and a web server of yours that knows nothing of parts.

use super::crosswise::Pair;
use crate::labs::index::meeting::Song;
use crate::labs::web::Web;
use crate::trial::{Trial, Verdict};

checks! { $ together_whole, "together" step 9:
    gets_from_your_web_server, 2 points: "your peer gets a file from your web server, which ignores Range";
    "200: begun anew from 0. The web server of lab 4 sends the whole file, whatever Range asks for."
}

fn gets_from_your_web_server(t: &mut Trial) -> Verdict {
    let song = Song::new();
    let pair = Pair { client: "peer", server: "web server" };
    pair.judge(
        t,
        |t| {
            let web = web_with(t, &song)?;
            song.fetched_from(t, web.service.address)
        },
        |t| song.fetched_alone(t),
        |t| {
            let web = web_with(t, &song)?;
            let mut client = web.visit()?;
            client.send(&song.request())?;
            client
                .expect_file(song.bytes(), "a Range is ignored: the whole file is the answer")
                .map(drop)
        },
    )
}

/// A web server that has this song.
fn web_with(t: &Trial, song: &Song) -> Verdict<Web> {
    let web = Web::start(t)?;
    web.root.file(song.name(), song.bytes())?;
    Ok(web)
}
