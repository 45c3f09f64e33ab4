//! Step 5 of lab 4: `serve_many`. Each check but the last ones begins with a silent client: a
//! server that serves one after another fails it at its first reply.

use super::{A_FILE, GET_A, Web};
use crate::net::noise;
use crate::trial::{Trial, Verdict};

checks! { $ web_serve_many, "web" step 5:
    serves_beside_a_silent_client, 4 points: "serves a client while others say nothing";
    "Many clients at once, a thread for each connection: a silent client holds up nobody."

    serves_beside_a_slow_reader, 2 points: "serves a client while another one reads nothing";
    "Nobody else notices a reader that stalls."

    keeps_clients_apart, 3 points: "serves 40 clients at once, each its own file";
    "A thread for each connection: each client gets its own bytes."

    limits_the_threads, 3 points: "serves 64 clients at once, and the next ones when there is room";
    "64 connections at once; the next ones wait, and are served when a place is free."

    gives_waiting_clients_their_turn, 2 points: "keeps no idle connection while others wait";
    "With 64 served (from 60 on it may) a reply is the last on its connection: Connection: close."

    gives_places_back, 2 points: "gives places back, however a connection ends";
    "The next ones are served when a place is free: after ends, resets and refusals alike."

    keeps_nothing, 2 points: "has no more sockets and threads after 100 requests";
    "Descriptors and threads return to what they were: a server runs for ever."

    is_idle, 2 points: "is blocked, not polling, with ten connections that are kept";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    says_nothing_else, 1 point: "prints the ready line, and nothing else";
    "stdout has the ready line and nothing else, for all its life."

    ignores_a_closed_stderr, 2 points, exotic: "goes on when nobody reads its log";
    "A stderr that nobody reads any more ends nothing."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "No descriptor: what waits stays in the queue or is closed. The server goes on and does not spin."
}

const BESIDE: &str = "each connection needs a thread of its own: who says nothing, or reads nothing, keeps \
    that thread, and the one that accepts is free for the next client";

fn serves_beside_a_silent_client(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(5)?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_file(A_FILE, BESIDE)?;
    Ok(())
}

fn serves_beside_a_slow_reader(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    web.root.file("large.bin", &noise(1, 8 << 20))?;
    let _silent = web.silent_clients(1)?;
    let mut slow = web.visit()?;
    slow.ask("GET", "/large.bin")?;
    // What it asks meanwhile waits until its turn: nothing is polled for it.
    slow.ask("GET", "/a.txt")?;
    t.note("client 2 reads nothing: the web server is in the middle of its reply");
    web.service.expect_rest()?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_file(A_FILE, BESIDE)?;
    Ok(())
}

fn keeps_clients_apart(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    let mut clients = Vec::new();
    for number in 0..40_u64 {
        let bytes = noise(number, 2000 + number as usize);
        web.root.file(&format!("{number}.bin"), &bytes)?;
        clients.push((web.visit_quietly()?, format!("/{number}.bin"), bytes));
    }
    t.note("40 clients connected, and each asks for a file of its own, in three pieces");
    for piece in 0..3 {
        for (client, path, _) in &mut clients {
            let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let third = head.len() / 3;
            let end = if piece == 2 { head.len() } else { third * (piece + 1) };
            client.send_quietly(&head.as_bytes()[third * piece..end])?;
        }
    }
    for (client, _, bytes) in &mut clients {
        client
            .expect_file(bytes, "nothing of a connection may be shared: each has its own buffer")?;
    }
    Ok(())
}

/// As many are served at once.
const PLACES: usize = 64;

fn limits_the_threads(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let web = Web::start(t)?;
    let alone = web.service.settle()?.threads().count();
    let mut silent = web.silent_clients(PLACES)?;
    let mut waiting = Vec::new();
    for _ in 0..10 {
        let mut client = web.visit_quietly()?;
        client.send_quietly(GET_A)?;
        waiting.push(client);
    }
    t.note(format!("{} more clients connected, and each asks for a file", waiting.len()));
    let threads = web.service.expect_rest()?.threads().count();
    // A pool has started its threads before the first client came; a runtime has some of its own,
    // and may start a few more when there is work.
    let most = alone + PLACES + 4;
    if threads > most {
        return Err(t
            .fail("the web server starts a thread for every client, however many there are")
            .expected(format!("at most {PLACES} threads that serve, and a few others"))
            .seen(format!("{threads} threads, and {alone} before the first client came"))
            .cause("a thread costs memory: take a place before you start one, and keep it for as long as \
                    the thread runs (`let _ = …` gives it back at once)")
            .stop());
    }
    // One of them may have been accepted, and wait for a place elsewhere than in the queue.
    for _ in 0..10 {
        if let Some(one) = silent.pop() {
            one.close();
        }
    }
    for client in &mut waiting {
        client.expect_file(
            A_FILE,
            "a place is free again, and a client waits for it in the listener's queue",
        )?;
    }
    Ok(())
}

fn gives_waiting_clients_their_turn(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let few = web.silent_clients(40)?;
    let mut kept = web.visit()?;
    kept.send(GET_A)?;
    let reply = kept.expect_file(A_FILE, BESIDE)?;
    let cause = "with few clients a connection is kept; when all places are taken, the reply is the last \
                 one: a connection that is kept for nothing keeps others waiting";
    if !reply.keeps_alive() {
        return Err(t
            .fail("the connection ends although there is room for many more")
            .expected("Connection: keep-alive, with 41 of 64 places taken")
            .seen("Connection: close")
            .cause(cause)
            .stop());
    }
    kept.close();
    let _more = web.silent_clients(PLACES - 1 - few.len())?;
    let mut last = web.visit()?;
    last.send(GET_A)?;
    let reply = last.expect_file(A_FILE, BESIDE)?;
    if reply.keeps_alive() {
        return Err(t
            .fail("the connection is kept although all places are taken")
            .expected("Connection: close, with 64 of 64 places taken")
            .seen("Connection: keep-alive")
            .cause(cause)
            .stop());
    }
    last.expect_end(cause)
}

fn gives_places_back(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    let cause = "a place is given back when its connection ends, in whatever way: a guard that is dropped \
                 does that, also when the thread panics or returns early";
    for round in 0..5 {
        let mut clients = Vec::new();
        for _ in 0..40 {
            clients.push(web.visit_quietly()?);
        }
        t.note(match round {
            0 => "40 clients connected, and closed",
            1 => "40 clients connected, sent half a head, and closed",
            2 => "40 clients connected, were refused, and closed",
            3 => "40 clients connected, got a file, and closed",
            _ => "40 clients connected, asked for a file, and vanished",
        });
        for mut client in clients {
            match round {
                0 => {}
                1 => client.send_quietly(b"GET / HT")?,
                2 => {
                    client.send_quietly(b"nonsense\r\n\r\n")?;
                    client.expect(&[400], cause)?;
                }
                3 => {
                    client.send_quietly(GET_A)?;
                    client.expect_file(A_FILE, cause)?;
                }
                _ => {
                    client.send_quietly(GET_A)?;
                    client.reset()?;
                    continue;
                }
            }
            client.close_quietly();
        }
    }
    t.new_story();
    t.note("200 clients came and went, in five ways");
    let _many = web.silent_clients(PLACES - 2)?;
    let mut client = web.visit()?;
    client.send(GET_A)?;
    client.expect_file(A_FILE, cause)?;
    Ok(())
}

fn keeps_nothing(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    // What a runtime keeps for reuse it has after the first round; what grows, grows in each.
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for _ in 0..3 {
        for _ in 0..4 {
            let mut clients = Vec::new();
            for _ in 0..10 {
                clients.push(web.visit_quietly()?);
            }
            for mut client in clients {
                client.send_quietly(GET_A)?;
                client.expect_file(A_FILE, BESIDE)?;
                client.close_quietly();
            }
        }
        let _ = web.service.settle()?;
        counts.push(web.counted()?);
    }
    let [first, .., last] = counts[..] else { return Ok(()) };
    if last.0 < first.0 + 20 && last.1 < first.1 + 20 {
        return Ok(());
    }
    Err(t
        .fail("the web server keeps something of every client")
        .expected("as many sockets and threads after 120 clients as after 40")
        .seen(format!(
            "sockets: {} and then {}; threads: {} and then {}",
            first.0, last.0, first.1, last.1
        ))
        .cause("a stream, or a thread, that is kept when its client has gone")
        .stop())
}

fn is_idle(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    let mut kept = Vec::new();
    for _ in 0..10 {
        let mut client = web.visit_quietly()?;
        client.send_quietly(GET_A)?;
        client.expect_file(A_FILE, BESIDE)?;
        kept.push(client);
    }
    web.service.expect_idle()
}

fn says_nothing_else(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    for request in [GET_A, b"nonsense\r\n\r\n"] {
        let mut client = web.visit()?;
        client.send(request)?;
        client.expect_some_reply(BESIDE)?;
        client.close();
    }
    let _ = web.service.settle()?;
    let stdout = web.service.running.program.stdout().head;
    let lines = stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    if lines <= 1 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&stdout);
    Err(t
        .fail("the web server prints more than its ready line on standard output")
        .expected("the ready line, for all its life")
        .seen(format!("{lines} lines, the second one: {}", text.lines().nth(1).unwrap_or_default()))
        .cause("what a person may want to read goes to standard error (eprintln!)")
        .stop())
}

fn ignores_a_closed_stderr(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let _silent = web.silent_clients(1)?;
    web.service.running.program.close_stderr();
    t.note("nobody reads the web server's standard error any more");
    let cause =
        "eprintln! panics when standard error is closed: write with writeln! and ignore the error";
    let mut client = web.visit()?;
    for _ in 0..3 {
        client.send(GET_A)?;
        client.expect_file(A_FILE, cause)?;
    }
    client.close();
    web.expect_service()
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    let web = Web::start(t)?;
    let silent = web.silent_clients(2)?;
    web.service.withhold_descriptors()?;
    // Linux has set one aside for the accept that waits: it is the one after that which fails.
    web.service.connect()?.close();
    let mut waiting = web.visit()?;
    waiting.send(GET_A)?;
    web.service.expect_rest_without_descriptors()?;
    web.service.restore_descriptors()?;
    drop(silent);
    web.expect_service()
}
