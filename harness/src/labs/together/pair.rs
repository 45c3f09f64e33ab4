//! Your client and your server.

use super::crosswise::Pair;
use crate::labs::client::Client;
use crate::labs::server::Flow;
use crate::net::{Cut, Service, Wire, noise};
use crate::program::Given;
use crate::trial::{Trial, Verdict};

checks! { $ together_pair, "together" step 1:
    passes_a_line, 3 points: "a line goes to your server and comes back";
    "What a client sends, an echo server sends back: on the client's stdout are exactly these bytes."

    passes_every_byte, 3 points: "bytes of every value come back unchanged";
    "Bytes, not text: both ways, byte for byte."

    passes_nothing, 2 points: "an empty input ends both sides in good order";
    "The end of the input ends the client's sending side; the server then ends its own; exit status 0."

    talks_in_turns, 2 points: "each line is answered before the next is typed";
    "What arrives is on stdout at once; what is typed is sent at once."

    passes_single_bytes, 2 points: "nothing changes when each byte travels alone";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    passes_much_both_ways, 3 points: "6 MiB go there and back at the same time";
    "Both directions at once: a client that writes everything before it reads deadlocks against an echo server."

    serves_one_after_another, 2 points: "three clients are served one after another";
    "The server closes when a client has ended, and accepts the next, for ever."

    keeps_others_waiting, 2 points: "a second client gets its turn when the first has ended";
    "An iterative server accepts one client at a time; the others wait in the queue, and lose nothing."

    survives_a_killed_client, 2 points: "a killed client is no trouble for the next one";
    "One bad client is that client's problem: it ends that connection and nothing else."

    notices_a_killed_server, 3 points: "a killed server ends its client, and comes back";
    "The end of the server's side ends the client; a listener that was stopped can be started again at once."
}

/// More than the queues of two connections take (tcp_wmem, tcp_rmem: tcp(7)).
const MUCH: usize = 6 * 1024 * 1024;
const PAIR: Pair = Pair { client: "client", server: "server" };
const LINE: &[u8] = b"hello\n";
const NEXT: &[u8] = b"next\n";
const BACK: &[u8] = b"welcome back\n";

pub(super) fn passes_a_line(t: &mut Trial) -> Verdict {
    talk(t, Cut::Whole, &[LINE])
}

pub(super) fn passes_every_byte(t: &mut Trial) -> Verdict {
    talk(t, Cut::Whole, &[&noise(7, 64 * 1024)])
}

pub(super) fn passes_nothing(t: &mut Trial) -> Verdict {
    receive(t, &[&[], &[NEXT]])
}

pub(super) fn talks_in_turns(t: &mut Trial) -> Verdict {
    let lines = [&b"one\n"[..], b"two\n", b"and three\n", b"\n", b"the last one has no line end"];
    talk(t, Cut::Whole, &lines)
}

pub(super) fn passes_single_bytes(t: &mut Trial) -> Verdict {
    talk(t, Cut::Bytes, &["byte by byte, größer als ASCII\n".as_bytes(), b"\0\xff\r\n"])
}

pub(super) fn passes_much_both_ways(t: &mut Trial) -> Verdict {
    talk(t, Cut::Whole, &[&noise(8, MUCH)])
}

pub(super) fn serves_one_after_another(t: &mut Trial) -> Verdict {
    receive(t, &[&[b"first\n"], &[b"second\n"], &[b"third\n"]])
}

pub(super) fn keeps_others_waiting(t: &mut Trial) -> Verdict {
    let (first, second) = (&b"I was here first\n"[..], &b"I can wait\n"[..]);
    PAIR.judge(
        t,
        |t| {
            let (_server, wire) = server_behind_wire(t, Cut::Whole)?;
            let one = client(t, &wire)?;
            one.input(first);
            one.expect_output(first)?;
            let two = client(t, &wire)?;
            two.input(second);
            one.end_input();
            one.expect_success()?;
            two.expect_output(second)?;
            two.end_input();
            two.expect_success()
        },
        |t| client_alone(t, &[first]),
        |t| {
            let server = t.server()?;
            let mut one = server.connect()?;
            one.exchange(first, first, Flow::Together)?;
            let mut two = server.connect()?;
            two.send(second)?;
            one.half_close()?;
            one.expect_end()?;
            two.expect(second)
        },
    )
}

pub(super) fn survives_a_killed_client(t: &mut Trial) -> Verdict {
    PAIR.judge(
        t,
        |t| {
            let (_server, wire) = server_behind_wire(t, Cut::Whole)?;
            let victim = client(t, &wire)?;
            victim.input(LINE);
            victim.expect_output(LINE)?;
            victim.running.program.crash()?;
            t.note("the client was killed (SIGKILL)");
            visit(t, &wire, &[NEXT])
        },
        |t| client_alone(t, &[LINE]),
        |t| {
            let server = t.server()?;
            let mut victim = server.connect()?;
            victim.exchange(LINE, LINE, Flow::Together)?;
            drop(victim);
            t.note("client 1 was gone without a word");
            be_served(&server, &[NEXT])
        },
    )
}

pub(super) fn notices_a_killed_server(t: &mut Trial) -> Verdict {
    PAIR.judge(
        t,
        |t| {
            let (server, wire) = server_behind_wire(t, Cut::Whole)?;
            let orphan = client(t, &wire)?;
            orphan.input(LINE);
            orphan.expect_output(LINE)?;
            server.crash()?;
            ends(&orphan)?;
            let _again = t.server_at(server.address)?;
            visit(t, &wire, &[BACK])
        },
        |t| {
            let (orphan, mut server) = t.conversation()?;
            orphan.input(LINE);
            server.echo(&orphan, LINE)?;
            orphan.expect_output(LINE)?;
            drop(server);
            t.note("the server was gone, as if it had been killed");
            ends(&orphan)?;
            client_alone(t, &[BACK])
        },
        |t| {
            let server = t.server()?;
            let mut orphan = server.connect()?;
            orphan.exchange(LINE, LINE, Flow::Together)?;
            server.crash()?;
            drop(orphan);
            be_served(&t.server_at(server.address)?, &[BACK])
        },
    )
}

/// What is typed goes to the server and comes back, turn by turn; then the input ends.
fn talk(t: &Trial, cut: Cut, turns: &[&[u8]]) -> Verdict {
    PAIR.judge(
        t,
        |t| {
            let (server, wire) = server_behind_wire(t, cut)?;
            visit(t, &wire, turns)?;
            server.settle()?;
            wire.expect_carried(&turns.concat(), &turns.concat())
        },
        |t| client_alone(t, turns),
        |t| be_served(&t.server()?, turns),
    )
}

/// Guests come one after another; each says its turns and ends.
fn receive(t: &Trial, guests: &[&[&[u8]]]) -> Verdict {
    PAIR.judge(
        t,
        |t| {
            let (_server, wire) = server_behind_wire(t, Cut::Whole)?;
            guests.iter().try_for_each(|turns| visit(t, &wire, turns))
        },
        |t| guests.iter().try_for_each(|turns| client_alone(t, turns)),
        |t| {
            let server = t.server()?;
            guests.iter().try_for_each(|turns| be_served(&server, turns))
        },
    )
}

fn server_behind_wire(t: &Trial, cut: Cut) -> Verdict<(Service, Wire)> {
    let server = t.server()?;
    let wire = t.wire("the client", "the server", server.address, cut)?;
    Ok((server, wire))
}

fn client(t: &Trial, wire: &Wire) -> Verdict<Client> {
    t.client(Given::address(wire.address))
}

/// A client comes, talks and ends.
fn visit(t: &Trial, wire: &Wire, turns: &[&[u8]]) -> Verdict {
    let client = client(t, wire)?;
    for turn in turns {
        client.input(turn);
        client.expect_output(turn)?;
    }
    client.end_input();
    client.expect_success()
}

/// The harness is the server: what comes goes back, and the end is answered with the end.
fn client_alone(t: &Trial, turns: &[&[u8]]) -> Verdict {
    let (client, mut server) = t.conversation()?;
    for turn in turns {
        client.input(turn);
        if turn.len() < MUCH {
            server.expect(turn)?;
            server.send(turn)?;
        } else {
            server.echo(&client, turn)?;
        }
        client.expect_output(turn)?;
    }
    client.end_input();
    server.expect_end()?;
    server.half_close()?;
    client.expect_success()
}

/// The harness is the client.
fn be_served(server: &Service, turns: &[&[u8]]) -> Verdict {
    let mut client = server.connect()?;
    for turn in turns {
        client.exchange(turn, turn, Flow::Together)?;
    }
    client.half_close()?;
    client.expect_end()
}

/// The client ends by itself, in whatever way but a panic.
fn ends(client: &Client) -> Verdict {
    const ORPHAN: &str = "the end of the server's stream (read returns 0), or a reset, is the end \
        of the client, whatever is left of standard input";
    client.expect_end("the server is gone: the client ends, too", ORPHAN)?;
    client.expect_no_panic()
}
