//! Your client and your web server: what is typed is a request, and what is printed is a reply.

use std::net::SocketAddr;

use super::crosswise::Pair;
use crate::labs::client::Client;
use crate::labs::web::Web;
use crate::labs::web::reply::{Parsed, To, parse};
use crate::labs::web::visitor::Visitor;
use crate::net::{Cut, Wire, noise, text};
use crate::program::Given;
use crate::trial::{Progress, Trial, Verdict};
use crate::words::{count, quote_short};

checks! { $ together_page, "together" step 3:
    fetches_a_page, 3 points: "a page is fetched whole by your client";
    "The client's input is a request; on its stdout is the reply, with every byte of the file behind its head."

    fetches_byte_by_byte, 2 points: "nothing changes when each byte of both travels alone";
    "TCP is a byte stream: neither a head nor a file may depend on how it was cut into segments."

    uploads_a_file, 3 points: "an upload that your client sends is stored whole";
    "The server takes Content-Length bytes, and stores exactly these: 201, and the file is there."

    serves_three_clients, 3 points: "three of your clients fetch page after page at once";
    "A thread for each connection: a client that is slow to ask holds up no other one."
}

const PAIR: Pair = Pair { client: "client", server: "web server" };
pub(super) const PAGE: &str = "page.html";
/// How much of what was printed is shown.
const SHOWN: usize = 80;

const WHOLE: &str =
    "every byte of the file stands behind the head, and Content-Length says how many";

pub(super) fn fetches_a_page(t: &mut Trial) -> Verdict {
    fetch(t, Cut::Whole, &noise(9, 100_000))
}

pub(super) fn fetches_byte_by_byte(t: &mut Trial) -> Verdict {
    fetch(t, Cut::Bytes, "<p>größer als ASCII</p>\n".repeat(8).as_bytes())
}

/// One client fetches this page from this worker's host, and says with the request that it will want
/// nothing more.
pub(super) fn fetch(t: &Trial, cut: Cut, page: &[u8]) -> Verdict {
    let request = get("Connection: close\r\n");
    PAIR.judge(
        t,
        |t| {
            let (Site { web, _silent }, wire) = web_behind_wire(t, cut, page)?;
            let mut guest = Guest::comes(t, &wire)?;
            guest.types(&request);
            guest.client.end_input();
            guest.expect_reply(200, page)?;
            guest.client.expect_success()?;
            let _ = web.service.settle()?;
            let down: Vec<_> = wire.carried().into_iter().flat_map(|it| it.down.bytes).collect();
            wire.expect_carried(&request, &down)
        },
        |t| client_alone(t, &[&request], &reply("200 OK", page), cut),
        |t| {
            let Site { web, _silent } = site_with(t, page)?;
            let mut client = web.visit()?;
            client.send_cut(&request, cut)?;
            client.half_close()?;
            client.expect_file(page, WHOLE)?;
            client.expect_end("the client has said `Connection: close`, and has ended, too")
        },
    )
}

pub(super) fn uploads_a_file(t: &mut Trial) -> Verdict {
    const STORED: &str =
        "the body is what stands behind the head, as many bytes as Content-Length says";
    let body = noise(10, 150_000);
    let length = body.len();
    let head = format!(
        "PUT /new.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    let request = [head.as_bytes(), &body].concat();
    PAIR.judge(
        t,
        |t| {
            let (Site { web, _silent }, wire) = web_behind_wire(t, Cut::Whole, b"")?;
            let mut guest = Guest::comes(t, &wire)?;
            guest.types(&request);
            guest.client.end_input();
            guest.expect_status(201)?;
            guest.client.expect_success()?;
            web.root.expect_file("new.bin", &body, STORED)
        },
        |t| client_alone(t, &[&request], &reply("201 Created", b"stored\n"), Cut::Whole),
        |t| {
            let Site { web, _silent } = site_with(t, b"")?;
            let mut client = web.visit()?;
            client.send(&request)?;
            client.half_close()?;
            client.expect(&[201], STORED)?;
            web.root.expect_file("new.bin", &body, STORED)?;
            client.expect_end("the client has said `Connection: close`, and has ended, too")
        },
    )
}

pub(super) fn serves_three_clients(t: &mut Trial) -> Verdict {
    const ROUNDS: usize = 3;
    let page = text(11, 20_000);
    let request = get("");
    let (begun, rest) = request.split_at(12);
    PAIR.judge(
        t,
        |t| {
            let (_site, wire) = web_behind_wire(t, Cut::Whole, &page)?;
            let mut slow = Guest::comes(t, &wire)?;
            slow.types(begun);
            let mut guests = vec![Guest::comes(t, &wire)?, Guest::comes(t, &wire)?];
            for _ in 0..ROUNDS {
                guests.iter().for_each(|guest| guest.types(&request));
                guests.iter_mut().try_for_each(|guest| guest.expect_reply(200, &page))?;
            }
            slow.types(rest);
            slow.expect_reply(200, &page)?;
            guests.push(slow);
            guests.iter().try_for_each(|guest| {
                guest.client.end_input();
                guest.client.expect_success()
            })
        },
        |t| client_alone(t, &[&request; ROUNDS], &reply("200 OK", &page), Cut::Whole),
        |t| {
            let Site { web, _silent } = site_with(t, &page)?;
            let cause =
                "each connection has a thread of its own, so none of them waits for another";
            let served = |client: &mut Visitor| client.expect_file(&page, cause).map(drop);
            let mut slow = web.visit()?;
            slow.send(begun)?;
            let mut clients = [web.visit()?, web.visit()?];
            for _ in 0..ROUNDS {
                clients.iter_mut().try_for_each(|client| client.send(&request))?;
                clients.iter_mut().try_for_each(served)?;
            }
            slow.send(rest)?;
            served(&mut slow)?;
            clients.iter_mut().chain([&mut slow]).try_for_each(|client| {
                client.half_close()?;
                client.expect_end("the client has ended, and has all of its replies")
            })
        },
    )
}

/// A request for the page. `fields` are further ones, each ended by CRLF.
pub(super) fn get(fields: &str) -> Vec<u8> {
    format!("GET /{PAGE} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes()
}

/// What a web server may answer.
pub(super) fn reply(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A web server over a folder with the page, beside a client that has come first and says nothing:
/// browsers open such connections.
struct Site {
    web: Web,
    _silent: Visitor,
}

fn site_with(t: &Trial, page: &[u8]) -> Verdict<Site> {
    let web = Web::start(t)?;
    web.root.file(PAGE, page)?;
    let _silent = web.visit()?;
    web.expect_service()?;
    Ok(Site { web, _silent })
}

fn web_behind_wire(t: &Trial, cut: Cut, page: &[u8]) -> Verdict<(Site, Wire)> {
    let site = site_with(t, page)?;
    let wire = t.wire("the client", "the web server", site.web.service.address, cut)?;
    Ok((site, wire))
}

/// The harness is the web server: it gives the same answer to each of these requests, and ends when
/// the client has ended.
pub(super) fn client_alone(t: &Trial, requests: &[&Vec<u8>], answer: &[u8], cut: Cut) -> Verdict {
    let (client, mut server) = t.conversation()?;
    let Some((last, first)) = requests.split_last() else { return Ok(()) };
    for request in first {
        client.input(request);
        server.expect(request)?;
        server.send_cut(answer, cut)?;
        client.expect_output(answer)?;
    }
    client.input(last);
    client.end_input();
    server.expect(last)?;
    server.expect_end()?;
    server.send_cut(answer, cut)?;
    server.half_close()?;
    client.expect_output(answer)?;
    client.expect_success()
}

/// A client, and how much of what it has printed was expected.
pub(super) struct Guest {
    trial: Trial,
    pub(super) client: Client,
    taken: usize,
}

impl Guest {
    fn comes(t: &Trial, wire: &Wire) -> Verdict<Self> {
        Self::comes_to(t, wire.address)
    }

    pub(super) fn comes_to(t: &Trial, address: SocketAddr) -> Verdict<Self> {
        let client = t.client(Given::address(address))?;
        Ok(Self { trial: t.clone(), client, taken: 0 })
    }

    pub(super) fn types(&self, bytes: &[u8]) {
        self.client.input(bytes);
    }

    /// Expects that it prints a reply with this status next; returns its body.
    fn expect_status(&mut self, status: u16) -> Verdict<Vec<u8>> {
        let Self { trial: t, client, taken } = self;
        let printed = || client.running.program.stdout().head.split_off(*taken);
        let mut before = 0;
        let result = t.wait(&client.running, || {
            let now = printed();
            let moved = now.len() > before;
            before = now.len();
            Ok(match parse(&now, To::Get) {
                Parsed::Part(_) if moved => Progress::Moved,
                Parsed::Part(_) => Progress::Nothing,
                _ => Progress::Done(()),
            })
        })?;
        let now = printed();
        if let Parsed::Whole(reply, length) = parse(&now, To::Get)
            && reply.status == status
        {
            client.expect_output(&now[..length])?;
            *taken += length;
            return Ok(reply.body);
        }
        let seen = match result {
            Ok(()) => quote_short(&now, SHOWN),
            Err(stall) => {
                format!("{}; then {}", quote_short(&now, SHOWN), stall.sentence("client"))
            }
        };
        Err(t
            .fail(format!("the client has not printed a reply with the status {status}"))
            .expected(format!("on standard output: a whole reply with the status {status}"))
            .seen(seen)
            .cause("each of the two is tried alone next")
            .stop())
    }

    /// Expects that it prints a reply with this status and this body next.
    pub(super) fn expect_reply(&mut self, status: u16, body: &[u8]) -> Verdict {
        let seen = self.expect_status(status)?;
        if seen == body {
            return Ok(());
        }
        Err(self
            .trial
            .fail("the client has printed another body than the file's")
            .expected(format!("the file's {}", count(body.len())))
            .seen(format!("a body of {}", count(seen.len())))
            .difference(body, &seen)
            .cause(WHOLE)
            .stop())
    }
}
