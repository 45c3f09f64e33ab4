//! Your swarm, and your web server: it knows nothing of torrents, and tells who has them.

use super::crosswise::Pair;
use crate::labs::swarm::meeting::{PATH, answer, find_each_other, finds_the_harness};
use crate::labs::web::Web;
use crate::trial::{Trial, Verdict};

checks! { $ together_tracked, "together" step 11:
    find_each_other_by_a_page, 3 points: "two of your swarm find each other by a file of your web server";
    "An announce is a GET: whatever answers it with a list of peers is a tracker. The query is dropped (lab 4)."
}

const PAIR: Pair = Pair { client: "swarm", server: "web server" };

fn find_each_other_by_a_page(t: &mut Trial) -> Verdict {
    PAIR.judge(
        t,
        |t| {
            let web = Web::start(t)?;
            let tracker = web.service.address;
            find_each_other(t, tracker, |peer| web.root.file(PATH, &answer(peer)))
        },
        finds_the_harness,
        |t| {
            let web = Web::start(t)?;
            let page = answer(web.service.address);
            web.root.file(PATH, &page)?;
            let mut client = web.visit()?;
            let request = format!(
                "GET /{PATH}?info_hash=%00%ff%20&port=6881&compact=1 HTTP/1.1\r\n\
                 Host: {}\r\nConnection: close\r\n\r\n",
                web.service.address
            );
            client.send(request.as_bytes())?;
            client.expect_file(&page, "the query is no part of a file's name")?;
            client.expect_end("the client has said `Connection: close`")
        },
    )
}
