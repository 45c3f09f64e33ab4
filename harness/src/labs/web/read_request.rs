//! Step 1 of lab 4: `read_request`. What a reply says is a later step's matter: any will do here.

use super::reply::To;
use super::visitor::Visitor;
use super::{GET_A, SECONDS, Web};
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ web_read_request, "web" step 1:
    answers_a_request, 3 points: "answers a request";
    "A request is a head that ends with an empty line (RFC 9112 section 2.1): then it is answered."

    waits_for_the_empty_line, 2 points: "does not answer before the head is whole";
    "A head ends with CRLF CRLF, and nothing else says that it is whole (RFC 9112 section 2.1)."

    reads_a_head_in_pieces, 2 points: "reads a head that comes byte by byte";
    "No program may depend on how bytes were cut into segments."

    finds_the_end_across_reads, 2 points: "finds the empty line where a read ends inside it";
    "The four bytes of CRLF CRLF may come in two reads, or in four."

    keeps_what_came_behind, 3 points: "answers every request of one segment, in order";
    "Requests that come together are answered in order (RFC 9112 section 9.3.2)."

    keeps_half_a_request_behind, 2 points: "keeps half a request for the next read";
    "What came behind a head belongs to the next request, and is not lost."

    skips_empty_lines_before, 1 point: "skips empty lines before a request";
    "Empty lines (CRLF) before the request line are skipped (RFC 9112 section 2.2)."

    ends_with_the_client, 2 points: "closes when the client has ended, without a word";
    "The end of the stream between requests: close. Nothing is sent unasked."

    answers_half_a_head, 2 points: "refuses half a head with 400";
    "The end of the stream in a head: 400, and close. The other side may still read."

    takes_the_largest_head, 2 points: "takes a head of 8,192 bytes";
    "A head has at most 8,192 bytes, with its end. What stands behind it does not count."

    refuses_a_larger_head, 2 points: "refuses a head of 8,193 bytes with 431";
    "A longer head: 431 (RFC 6585 section 5) and an orderly end."

    limits_silence, 2 points, patient: "lets a silent client go, without a word";
    "A whole head within SECONDS: else, where nothing of it has come, a close without a word."

    limits_silence_behind_empty_lines, 1 point, patient: "takes empty lines for silence";
    "Empty lines before a head do not count as its beginning; the deadline runs on."

    limits_half_a_head, 2 points, patient: "answers 408 when half a head came, and no more";
    "A whole head within SECONDS: 408 and close if part of it came (RFC 9110 section 15.5.9)."

    limits_a_dribble, 3 points, patient: "does not wait for ever for a head that dribbles";
    "A whole head within SECONDS, however it dribbles: a limit for each read is no limit."

    bounds_a_head, 2 points, exotic: "does not collect a head that never ends";
    "A head has at most 8,192 bytes: the refusal comes without waiting for its end."
}

const WAITS: &str = "the head of a request ends with an empty line: when CRLF CRLF has come the \
    request is whole, and it is answered, whether the client ends its side or not";
const TOO_EARLY: &str = "only an empty line ends the head: read on until CRLF CRLF has come";
const IN_PIECES: &str = "a read returns what has come so far, be it a single byte: collect what comes, \
    and look for the end of the head in all of it";
const BEHIND: &str = "a read may bring more than one request: what stands behind the first empty line \
    has to be kept, and looked at before the next read";

fn answers_a_request(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_some_reply(WAITS)?;
    Ok(())
}

fn waits_for_the_empty_line(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    let (head, last) = GET_A.split_at(GET_A.len() - 1);
    client.send(head)?;
    client.expect_silence(TOO_EARLY)?;
    client.send(last)?;
    client.expect_some_reply(WAITS)?;
    Ok(())
}

fn reads_a_head_in_pieces(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut whole = web.visit()?;
    whole.send(GET_A)?;
    let status = whole.expect_some_reply(WAITS)?.status;
    whole.close();
    for cut in [Cut::Bytes, Cut::Seed(4)] {
        let mut client = web.visit()?;
        client.send_cut(GET_A, cut)?;
        client.expect(&[status], IN_PIECES)?;
        client.close();
    }
    Ok(())
}

fn finds_the_end_across_reads(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    for behind in 1..4 {
        let mut client = web.visit()?;
        let (head, end) = GET_A.split_at(GET_A.len() - behind);
        client.send(head)?;
        client.expect_silence(TOO_EARLY)?;
        client.send(end)?;
        client.expect_some_reply(
            "the empty line came in two reads: a search in what is new alone does not find it",
        )?;
        client.close();
    }
    Ok(())
}

fn keeps_what_came_behind(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut first = web.visit()?;
    first.send(GET_A)?;
    let status = first.expect_some_reply(WAITS)?;
    // A stub that refuses everything closes behind its refusal, and has read what it should.
    if !status.keeps_alive() {
        return Ok(());
    }
    first.close();
    for count in [2, 10] {
        let mut client = web.visit()?;
        client.send(&GET_A.repeat(count))?;
        for _ in 0..count {
            client.expect(&[status.status], BEHIND)?;
        }
        client.expect_silence("a request gets one reply, and no more")?;
        client.close();
    }
    Ok(())
}

fn keeps_half_a_request_behind(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    let (begun, rest) = GET_A.split_at(20);
    client.send(&[GET_A, begun].concat())?;
    let reply = client.expect_some_reply(WAITS)?;
    if !reply.keeps_alive() {
        return Ok(());
    }
    client.expect_silence(TOO_EARLY)?;
    client.send(rest)?;
    client.expect(&[reply.status], BEHIND)?;
    Ok(())
}

fn skips_empty_lines_before(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut plain = web.visit()?;
    plain.send(GET_A)?;
    let status = plain.expect_some_reply(WAITS)?.status;
    plain.close();
    for before in [&b"\r\n"[..], b"\r\n\r\n"] {
        let mut client = web.visit()?;
        client.send(before)?;
        client.expect_silence("an empty line before a request is not a request: skip it")?;
        client.send(GET_A)?;
        client.expect(&[status], "an empty line before a request is not a head: skip it")?;
        client.close();
    }
    Ok(())
}

fn ends_with_the_client(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.half_close()?;
    let cause = "read returns 0: the client has ended, and nothing was asked. That is the end of the \
                 connection, and no reason to say anything";
    client.expect_end(cause)?;
    client.close();
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_some_reply(WAITS)?;
    client.half_close()?;
    client.expect_end(cause)?;
    client.close();
    web.expect_service()
}

fn answers_half_a_head(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.send(&GET_A[..GET_A.len() - 2])?;
    client.half_close()?;
    let cause = "the client has ended its sending side in the middle of a head, and still reads: \
                 it is told that this was no request";
    client.expect(&[400], cause)?;
    client.expect_end("the client has ended, and so does the connection")
}

/// A head of exactly so many bytes.
fn head_of(length: usize) -> Vec<u8> {
    let begin = "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nX-Padding: ";
    let padding = "x".repeat(length - begin.len() - 4);
    format!("{begin}{padding}\r\n\r\n").into_bytes()
}

fn takes_the_largest_head(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut plain = web.visit()?;
    plain.send(GET_A)?;
    let status = plain.expect_some_reply(WAITS)?;
    plain.close();
    let cause = "8,192 bytes are allowed, the empty line included; bytes of the next request, or \
                 of a body, do not count";
    let mut client = web.visit()?;
    client.send(&head_of(8192))?;
    client.expect(&[status.status], cause)?;
    client.close();
    if status.keeps_alive() {
        let mut client = web.visit()?;
        client.send(&[GET_A, &head_of(8192), GET_A].concat())?;
        for _ in 0..3 {
            client.expect(&[status.status], cause)?;
        }
    }
    Ok(())
}

fn refuses_a_larger_head(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let cause = "the limit has to be looked at while the head is read: an end may never come";
    let end = "behind the refusal come FIN, and no reset: what the client still sends is read and \
               thrown away";
    for head in [head_of(8193), b"x".repeat(8193)] {
        let mut client = web.visit()?;
        client.send(&head)?;
        client.expect(&[431], cause)?;
        client.expect_end(end)?;
        client.close();
    }
    let mut client = web.visit()?;
    client.send(&[b"HEAD", &head_of(8192)[3..]].concat())?;
    client.expect_to(To::Head, &[431], cause)?;
    client.expect_end("a refusal to a line that begins with HEAD has no body")
}

const LET_GO: &str = "a client that says nothing must not keep its place for ever: give each read what \
    is left of the time, and stop when it is over";

fn limits_silence(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    web.expect_service()?;
    let mut client = web.visit()?;
    let kept = kept(&web, b"")?;
    client.expect_end(LET_GO)?;
    kept.map_or(Ok(()), |mut kept| kept.expect_end(LET_GO))
}

/// A client that was answered and whose connection goes on, if it does, and what it says then.
fn kept(web: &Web, then: &[u8]) -> Verdict<Option<Visitor>> {
    let mut client = web.visit()?;
    client.send(GET_A)?;
    if !client.expect_some_reply(WAITS)?.keeps_alive() {
        return Ok(None);
    }
    client.send(then)?;
    Ok(Some(client))
}

fn limits_silence_behind_empty_lines(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    web.expect_service()?;
    let mut client = web.visit()?;
    client.send(b"\r\n\r\n")?;
    client.expect_end(
        "empty lines are not the beginning of a head, so there is nothing to answer with 408",
    )
}

fn limits_half_a_head(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    let mut client = web.visit()?;
    client.send(&GET_A[..20])?;
    let kept = kept(&web, &GET_A[..20])?;
    let cause = "part of a head has come, and the time is over: the client is told so (408), and the \
                 connection ends";
    let mut clients: Vec<_> = [Some(client), kept].into_iter().flatten().collect();
    for client in &mut clients {
        client.expect(&[408], cause)?;
        client.expect_end("behind 408 the connection ends")?;
    }
    t.note("the clients end nothing from their side");
    let keeps = "the web server keeps the connection of a client that it has refused";
    web.service.expect_no_connection(keeps, DRAINED).map(drop)
}

const DRAINED: &str = "behind the last reply what the client still sends is read and thrown away until its end, but \
    for SECONDS at most: each such connection keeps a place";

fn limits_a_dribble(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let web = Web::with_limit(t, Some(1))?;
    let mut client = web.visit()?;
    let cause = "each byte came in time, and the head as a whole did not: the limit is for the whole \
                 head, so a read may only wait for what is left of it";
    client.dribble(b"GET / HTTP/1.1\r\nX: ", b'x', cause)?;
    client.expect(&[408], cause)?;
    client.expect_end("behind 408 the connection ends")
}

/// So much of a head without an end: far more than 8,192 bytes.
const ENDLESS: usize = 256 << 10;

fn bounds_a_head(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let mut client = web.visit()?;
    client.flood(b'a', ENDLESS)?;
    client.expect(
        &[431],
        "more than 8,192 bytes without an empty line: 431, without waiting for the end",
    )?;
    client.close();
    web.expect_service()
}
