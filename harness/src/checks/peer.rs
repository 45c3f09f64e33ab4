//! The checks of lab 3, the peer.
//!
//! What is said on one connection is told by the files in `fixtures/conversations/03-peer`; here
//! is what takes several connections, several programs, or a look at the kernel.

use std::net::TcpListener;

use crate::build;
use crate::conversation;
use crate::drive::causes::{BAD, JOINED, LEFT, SAID, TELLS};
use crate::drive::{Peer, Server, Started};
use crate::program::{Given, Stdin, describe_exit};
use crate::report::bytes::{count, quote_short};
use crate::trial::{Look, Stop, Trial, Verdict};
use crate::watch::{self, State, Stillness};

checks! { $ "peer", peer_checks:
    listens_on_the_given_address, step 1, 2 points: "listens on the address that it was given";
    "A peer is a server, too: it listens on LISTEN and on nothing else."

    prints_the_ready_line, step 1, 2 points: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7001`, with the port that it really has."

    refuses_a_taken_port, step 1, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, step 1, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    calls_every_peer, step 1, 3 points: "calls each peer that it was given, once";
    "It dials each PEER: one connection for each address on the command line."

    goes_on_without_a_peer, step 1, 2 points: "says who can't be reached, and goes on";
    "A PEER that can't be reached: one line on stderr, the peer goes on."

    accepts_many, step 1, 2 points: "accepts whoever calls, and survives who hangs up";
    "One bad peer is that peer's problem: an early close ends that connection and nothing else."

    accepts_while_it_calls, step 1, 3 points: "accepts calls while its own call is not answered";
    "A server and a client at once: it accepts in one thread while it dials the given peers."

    is_idle_alone, step 1, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, step 1, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."

    greets, step 2, 3 points: "greets, and is greeted";
    "HELLO <name>: first line in each direction, both at once."

    greets_without_waiting, step 2, 3 points: "sends its HELLO without waiting for the other's";
    "The two HELLOs cross: if each side waited for the other's, both would wait for ever."

    tells_its_role, step 2, 2 points: "tells who joined, from where, and in which role";
    "`joined bob 127.0.0.1:7002 as client`: this side dialled; `as server`: it accepted."

    keeps_both_connections, step 2, 2 points: "keeps both connections when two peers call each other";
    "Two peers that dial each other get two connections and both are kept. A repeated name is allowed."

    waits_for_a_silent_caller, step 2, 2 points: "is not held up by a caller that says nothing";
    "Silence is no offence, and it must not delay anybody else."

    takes_any_good_name, step 2, 1 point: "takes a name of 32 characters";
    "A name: 1 to 32 of A-Z a-z 0-9 - _ (32 are not too many)."

    refuses_bad_names, step 2, 2 points: "refuses names that are none";
    "name: 1 to 32 of A-Z a-z 0-9 - _. Anything else: `bad peer`, and that connection is closed."

    refuses_other_first_lines, step 2, 2 points: "refuses a caller that does not say HELLO";
    "A missing HELLO: `bad peer`, and that connection is closed."

    refuses_a_garbled_greeting, step 2, 1 point: "refuses a greeting that is too long, or no text";
    "A line of more than 1,024 bytes, or bad UTF-8: `bad peer`, also in the greeting."

    prints_what_is_said, step 3, 3 points: "prints what a peer says, as it was said";
    "`bob: hello there`: one line an event, flushed, whatever the segments."

    takes_everything_at_once, step 3, 3 points: "understands HELLO, SAY and BYE in one segment";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    takes_the_longest_line, step 3, 1 point: "takes a line of 1,024 bytes";
    "Lines, ended by LF, UTF-8, at most 1,024 bytes with the LF."

    refuses_a_longer_line, step 3, 2 points: "refuses a line of 1,025 bytes";
    "A longer line: `bad peer`, and that connection is closed."

    bounds_an_endless_line, step 3, 2 points: "keeps no endless line in memory";
    "A line that never ends must not fill the memory: after 1,024 bytes it is too long."

    refuses_unknown_words, step 3, 2 points: "refuses a word that the protocol does not have";
    "An unknown word: `bad peer`, and that connection is closed."

    refuses_what_is_no_text, step 3, 1 point: "refuses a line that is not UTF-8";
    "Bad UTF-8 gets a protocol error, not a crash."

    notices_who_left, step 3, 3 points: "notices an end without BYE, a reset, a line cut off";
    "left bob: after BYE, an end of stream, or a reset alike."

    keeps_speakers_apart, step 3, 2 points: "keeps apart what several peers say at the same time";
    "Each connection is a stream of its own, with its own half of a line."

    goes_on_after_a_bad_peer, step 3, 2 points: "goes on with the others after a bad peer";
    "Protocol violation: that connection is closed, nothing else happens."

    keeps_nothing_of_who_left, step 3, 2 points: "has no more sockets and threads after 30 peers";
    "Descriptors and threads return to what they were: peers come and go."

    is_idle_among_peers, step 3, 2 points: "is blocked, not polling, while nobody speaks";
    "Quiet when idle, also with peers, and after one has left."

    tells_everybody, step 4, 3 points: "tells everybody what its user types";
    "Each line of stdin goes as SAY to all peers present."

    is_not_held_up, step 4, 3 points: "is not held up by a peer that stopped reading";
    "One that stopped reading delays nobody for long: two seconds at most."

    talks, step 4, 2 points: "talks: says, hears, and says again";
    "Once connected the two ends are equal: both speak when they like."

    tells_nobody_who_left, step 4, 2 points: "leaves out who has left, and nobody else";
    "A peer that left is dropped; the others hear every line."

    forwards_nothing, step 4, 1 point: "does not pass on what it hears";
    "Each line of stdin goes to all peers. What another peer says goes to nobody."

    keeps_to_the_limits, step 4, 1 point: "sends no line that the protocol forbids";
    "UTF-8, at most 1,024 bytes with the LF, whatever its user types."

    survives_who_vanishes, step 4, 2 points: "survives a peer that vanishes while it is told";
    "A write to a peer that has gone fails with BrokenPipe or ConnectionReset: the others are told."

    says_everything_before_it_leaves, step 4, 2 points: "says all that was typed, then BYE, and ends";
    "End of stdin: BYE to all, end all sending sides, wait for the others' ends, exit 0."

    waits_for_the_others, step 4, 2 points: "waits for the others' ends, and not for ever";
    "It waits for the others' ends (at most 2 s): closing before that could reset the connection."

    meets_in_either_order, step 4, 2 points: "meets another one, whichever was started first";
    "Two peers that know each other meet, whoever is started first."

    meets_in_a_mesh, step 4, 2 points: "talks in a group of three where all know each other";
    "Each line goes to every peer present, once."

    stands_in_a_line, step 4, 1 point: "stands between two that do not know each other";
    "A peer tells its own peers, and nobody else."

    comes_back_after_a_crash, step 4, 2 points: "is missed when it was killed, and welcome again";
    "A crash is an end like any other (left); the peer can come back on the same port."

    waits_for_a_frozen_peer, step 4, 2 points: "tolerates a peer that is frozen for a while";
    "A stopped process is not gone: its kernel takes what is sent, and it reads when it goes on."

    keeps_to_every_conversation, step 4, 2 points: "keeps to all other conversations of the course";
    "Every file in fixtures/conversations/03-peer is played; a file that is added there, too."
}

// --------------------------------------------------------------------- step 1, listen_and_dial

fn listens_on_the_given_address(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let snapshot = peer.look()?;
    let sockets: Vec<_> =
        snapshot.own_rows().iter().map(|row| format!("{} {}", row.local, row.state)).collect();
    if sockets == [format!("{} {}", peer.asked, State::Listen)] {
        return Ok(());
    }
    Err(t
        .fail("the peer has not exactly the one socket that it should have")
        .expected(format!("one listening socket, on {}", peer.asked))
        .seen(sockets.join(" and "))
        .cause("bind exactly the address that was given: not 0.0.0.0, no other port, and once")
        .stop())
}

fn prints_the_ready_line(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let mut any = t.site().free_address();
    any.set_port(0);
    for listen in [t.site().free_address(), any] {
        let peer = t.peer_at("ann", listen, &[])?;
        let program = &peer.running.program;
        let line = t.wait(&peer.running, || {
            let done = program.stdout().head.contains(&b'\n');
            Ok(if done { Look::Done(()) } else { Look::Nothing })
        })?;
        peer.expect_no_event("standard output is for events alone")?;
        let (expected, stdout) =
            (format!("listening on {}\n", peer.address), program.stdout().head);
        if line.is_err() || stdout != expected.as_bytes() {
            return Err(t
                .fail("the ready line is not what it should be")
                .expected(format!("on standard output: {}", quote_short(expected.as_bytes(), 60)))
                .seen(quote_short(&stdout, 60))
                .difference(expected.as_bytes(), &stdout)
                .cause("print what local_addr() of the listener says, once it listens, and flush")
                .stop());
        }
    }
    Ok(())
}

fn refuses_a_taken_port(t: &mut Trial) -> Verdict {
    let address = t.site().free_address();
    let _holder = TcpListener::bind(address)?;
    t.note(format!("another program listens on {address}"));
    let running = t.start_peer("ann", &address.to_string(), &[])?;
    let status = match t.begun(running.clone(), address)? {
        Started::Ended(status) => status,
        Started::Listening(server) => return Err(listens_all_the_same(t, &server)),
    };
    running.program.stop()?;
    let stderr = running.program.stderr().last_lines(usize::MAX);
    let told = stderr.len() == 1 && stderr[0].contains(&address.to_string());
    if told && status.code() == Some(1) {
        return Ok(());
    }
    Err(t
        .fail("the peer does not say in one line what went wrong")
        .expected(format!("one line on standard error, with {address}; exit status 1"))
        .seen(format!("{} lines on standard error, {}", stderr.len(), describe_exit(status)))
        .cause("return the error (`?`) instead of unwrapping it: the rest is given")
        .stop())
}

fn refuses_bad_arguments(t: &mut Trial) -> Verdict {
    // Otherwise a program that refuses everything would pass.
    let address = t.peer("ann", &[])?.asked;
    let listen = &address.to_string();
    let others = &[][..];
    for (given, what) in [
        (Given::Nothing, "no argument"),
        (Given::Peer { name: "ann", listen: "nonsense", others }, "an address without a port"),
        (Given::Peer { name: "two words", listen, others }, "a name with a space in it"),
        (Given::Peer { name: "", listen, others }, "an empty name"),
    ] {
        let running = t.start("peer", given, Stdin::Piped)?;
        let status = match t.begun(running, address)? {
            Started::Ended(status) => status,
            Started::Listening(server) => return Err(listens_all_the_same(t, &server)),
        };
        if !matches!(status.code(), Some(1 | 2)) {
            return Err(t
                .fail(format!("given {what}, the peer ends in the wrong way"))
                .expected("exit status 2 (or 1, for an address that is none)")
                .seen(describe_exit(status))
                .cause("return the error (`?`) instead of unwrapping it")
                .stop());
        }
    }
    Ok(())
}

fn calls_every_peer(t: &mut Trial) -> Verdict {
    let hosts = [t.host("bob")?, t.host("carol")?, t.host("dave")?];
    let addresses = hosts.each_ref().map(|host| host.address);
    let peer = t.peer("ann", &addresses)?;
    // In the reverse order: a call must not wait until the one before it is answered.
    let mut calls = Vec::new();
    for host in hosts.iter().rev() {
        calls.push(peer.calls(host)?);
    }
    for host in &hosts {
        host.expect_no_call(&peer.running)?;
    }
    Ok(())
}

fn goes_on_without_a_peer(t: &mut Trial) -> Verdict {
    let nobody = t.site().free_address();
    let host = t.host("bob")?;
    t.note(format!("nobody listens on {nobody}"));
    let peer = t.peer("ann", &[nobody, host.address])?;
    let _bob = peer.calls(&host)?;
    let _carol = peer.called_by("carol")?;
    peer.wait_until_accepted()?;
    let program = &peer.running.program;
    let told =
        |lines: &[String]| lines.iter().filter(|line| line.contains(&nobody.to_string())).count();
    let result = t.wait(&peer.running, || {
        let lines = program.stderr().last_lines(usize::MAX);
        Ok(if told(&lines) > 0 { Look::Done(()) } else { Look::Nothing })
    })?;
    let lines = told(&program.stderr().last_lines(usize::MAX));
    if result.is_ok() && lines == 1 {
        return Ok(());
    }
    Err(t
        .fail("the peer does not say in one line whom it can't reach")
        .expected(format!("one line on standard error, with {nobody}"))
        .seen(format!("{lines} lines with that address"))
        .cause("report the error of connect on standard error, with the address; then go on")
        .stop())
}

fn accepts_many(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    for client in peer.connect_many(10)? {
        client.close();
    }
    peer.rest()?;
    for name in ["bob", "carol", "dave"] {
        let _other = peer.called_by(name)?;
        peer.wait_until_accepted()?;
    }
    Ok(())
}

fn accepts_while_it_calls(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let host = t.host("carol")?;
    let _held = host.fill_queue()?;
    let peer = t.peer("ann", &[host.address]).map_err(|stop| stop.because(LISTEN_FIRST))?;
    let _bob = peer.called_by("bob")?;
    peer.wait_until_accepted().map(drop)
}

fn is_idle_alone(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    t.expect_idle(&peer.running, &peer.settle()?)
}

fn restarts_on_the_same_port(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.called_by("bob")?;
    peer.wait_until_accepted()?;
    // The side that closes first goes to TIME-WAIT: here the peer, which is killed.
    peer.crash()?;
    bob.end()?;
    bob.close();
    t.note("the old connection is in TIME-WAIT on the peer's port");
    let again = t.peer_at("ann", peer.asked, &[])?;
    if again.address == peer.address {
        return Ok(());
    }
    Err(t
        .fail("the restarted peer listens somewhere else")
        .expected(format!("a listening socket on {}", peer.address))
        .seen(format!("listening on {}", again.address))
        .cause("std sets SO_REUSEADDR: bind works over TIME-WAIT; no other port is needed")
        .stop())
}

// ------------------------------------------------------------------------------- step 2, greet

fn greets(t: &mut Trial) -> Verdict {
    converse(t, "greeting")
}

fn greets_without_waiting(t: &mut Trial) -> Verdict {
    converse(t, "greeting-first")?;
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.expect_greeting(&mut bob)?;
    bob.say("HELLO bob")?;
    peer.expect_joined(&bob, "client")
}

fn tells_its_role(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let _carol = peer.joined_by("carol")?;
    Ok(())
}

fn keeps_both_connections(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut called = peer.calls(&host)?;
    let mut calling = peer.called_by("bob")?;
    peer.greet(&mut called, "client")?;
    peer.greet(&mut calling, "server")?;
    called.expect_silence()?;
    calling.expect_silence()?;
    peer.expect_no_event("both have joined, and neither has left").map(drop)
}

fn waits_for_a_silent_caller(t: &mut Trial) -> Verdict {
    let host = t.host("dave")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut silent = peer.called_by("bob")?;
    let mut called = peer.calls(&host)?;
    t.note("bob called and says nothing; dave was called and says nothing");
    let _carol = peer.joined_by("carol")?;
    // They have all the time that they like.
    peer.greet(&mut silent, "server")?;
    peer.greet(&mut called, "client")
}

fn takes_any_good_name(t: &mut Trial) -> Verdict {
    converse(t, "names")
}

fn refuses_bad_names(t: &mut Trial) -> Verdict {
    for file in ["bad-name-empty", "bad-name-long", "bad-name-space", "bad-name-letter"] {
        converse(t, file)?;
    }
    Ok(())
}

fn refuses_other_first_lines(t: &mut Trial) -> Verdict {
    converse(t, "bad-first-line")?;
    converse(t, "bad-first-line-empty")?;
    converse(t, "bad-first-line-http")
}

fn refuses_a_garbled_greeting(t: &mut Trial) -> Verdict {
    converse(t, "bad-greeting-long")?;
    converse(t, "bad-greeting-utf8")
}

// ----------------------------------------------------------------------------- step 3, receive

fn prints_what_is_said(t: &mut Trial) -> Verdict {
    converse(t, "say")
}

fn takes_everything_at_once(t: &mut Trial) -> Verdict {
    converse(t, "say-at-once")
}

fn takes_the_longest_line(t: &mut Trial) -> Verdict {
    converse(t, "say-longest")
}

fn refuses_a_longer_line(t: &mut Trial) -> Verdict {
    converse(t, "bad-line-long")
}

fn bounds_an_endless_line(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let memory = || watch::resident_bytes(peer.running.program.pid()).map_err(Stop::from);
    let before = memory()?;
    bob.send(b"SAY ")?;
    bob.flood(&[b'x'; 65536], 32 << 20)?;
    let grown = memory()?.saturating_sub(before);
    if grown > 8 << 20 {
        return Err(t
            .fail("the peer collects an endless line in its memory")
            .expected("the connection is closed after 1,024 bytes without a line end")
            .seen(format!("{} more memory in use", count(grown as usize)))
            .cause("read_line and lines read until the line end, however far it is: limit them (Read::take)")
            .stop());
    }
    let address = bob.connection().here();
    peer.expect_event(&format!("bad peer {address}: *"), TOO_LONG)?;
    bob.expect_closed(TOO_LONG)
}

fn refuses_unknown_words(t: &mut Trial) -> Verdict {
    converse(t, "bad-word")?;
    converse(t, "bad-word-close")
}

fn refuses_what_is_no_text(t: &mut Trial) -> Verdict {
    converse(t, "bad-line-utf8")
}

fn notices_who_left(t: &mut Trial) -> Verdict {
    converse(t, "left-by-end")?;
    converse(t, "left-by-reset")?;
    converse(t, "left-in-mid-line")
}

fn keeps_speakers_apart(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut others = Vec::new();
    for name in ["bob", "carol", "dave"] {
        others.push(peer.joined_by(name)?);
    }
    for part in ["SAY I", " am", " ", "NAME"] {
        for other in &mut others {
            let part = part.replace("NAME", &other.name());
            other.send_alone(part.as_bytes())?;
        }
    }
    t.note("bob, carol and dave each sent `SAY I am …` piece by piece, in turns");
    for other in others.iter_mut().rev() {
        other.send(b"\n")?;
        let name = other.name();
        peer.expect_event(&format!("{name}: I am {name}"), APART)?;
    }
    Ok(())
}

fn goes_on_after_a_bad_peer(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    bob.say("what is this?")?;
    let address = bob.connection().here();
    peer.expect_event(&format!("bad peer {address}: *"), BAD)?;
    bob.expect_closed(BAD)?;
    carol.say("SAY I am still here")?;
    peer.expect_event("carol: I am still here", ONE_ONLY)?;
    carol.expect_silence()?;
    let _dave = peer.joined_by("dave")?;
    peer.expect_no_event("a bad peer is one line, `bad peer`, and nothing else").map(drop)
}

fn keeps_nothing_of_who_left(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let _stays = peer.joined_by("bob")?;
    let before = peer.settle()?;
    for round in 1..=3 {
        let mut others = Vec::new();
        for index in 1..=10 {
            others.push(peer.joined_by(&format!("guest-{round}-{index}"))?);
        }
        for mut other in others {
            other.say("SAY hello, and good bye")?;
            peer.expect_event(&format!("{}: hello, and good bye", other.name()), SAID)?;
            other.say("BYE")?;
            other.end()?;
            peer.expect_event(&format!("left {}", other.name()), LEFT)?;
            other.expect_end(LEFT)?;
        }
    }
    let (sockets, threads) = (before.socket_descriptors(), before.threads().count() + 8);
    peer.wait_until(
        "the peer keeps something of every peer that has left",
        &format!("{sockets} sockets and at most {threads} threads, as before"),
        "each peer leaves something behind: a stream that is kept in the list, or a clone of it, \
         or a thread that waits for ever",
        |now| match (now.socket_descriptors(), now.threads().count()) {
            (s, n) if s <= sockets && n <= threads => Ok(()),
            (s, n) => Err(format!("{s} descriptors of sockets and {n} threads")),
        },
    )?;
    Ok(())
}

fn is_idle_among_peers(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    carol.say("SAY now be quiet")?;
    peer.expect_event("carol: now be quiet", SAID)?;
    t.expect_idle(&peer.running, &peer.settle()?)?;
    carol.end()?;
    peer.expect_event("left carol", LEFT)?;
    t.expect_idle(&peer.running, &peer.settle()?)
}

// --------------------------------------------------------------------------- step 4, broadcast

fn tells_everybody(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    let mut dave = peer.joined_by("dave")?;
    for text in ["hello everybody", "  spaces, é and 🦀", "BYE", "good night"] {
        peer.types(text);
        for other in [&mut dave, &mut carol, &mut bob] {
            other.expect_line(&format!("SAY {text}"), TELLS)?;
        }
    }
    peer.expect_no_event("what its own user says is not printed: the user has typed it").map(drop)
}

fn is_not_held_up(t: &mut Trial) -> Verdict {
    // More than all queues of a connection take, where each line is a segment (tcp_wmem, tcp(7)).
    const LINES: usize = 4_000;
    let peer = t.peer("ann", &[])?;
    let _stopped = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    t.note("bob reads nothing from now on");
    let filler = "x".repeat(980);
    let typed: String = (1..=LINES).map(|number| format!("{number} {filler}\n")).collect();
    let mut expected: Vec<u8> =
        typed.split_inclusive('\n').flat_map(|line| [b"SAY ", line.as_bytes()].concat()).collect();
    expected.extend_from_slice(b"BYE\n");
    t.note(format!("the user of the peer ann typed {LINES} lines, {} in all", count(typed.len())));
    // A time-out for writing is a good answer, and it does not show in /proc.
    t.allow_time_outs();
    peer.running.program.write_stdin(typed.as_bytes())?;
    peer.running.program.close_stdin();
    let heard = carol.read_all_until(|heard| heard.len() >= expected.len())?;
    if heard == expected {
        t.note("carol heard every line, and BYE");
        return Ok(());
    }
    let whole = heard.iter().filter(|byte| **byte == b'\n').count();
    let blame = t
        .fail("carol does not hear everything, because bob does not read")
        .expected(format!("carol hears {LINES} lines, and BYE"))
        .seen(format!("carol heard {whole} lines, then nothing for two seconds"));
    let blame = match expected.starts_with(&heard) {
        true => blame,
        false => blame.difference(&expected, &heard),
    };
    Err(blame.cause(HELD_UP).stop())
}

fn talks(t: &mut Trial) -> Verdict {
    converse(t, "talk")
}

fn tells_nobody_who_left(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    let mut dave = peer.joined_by("dave")?;
    carol.say("BYE")?;
    peer.expect_event("left carol", LEFT)?;
    for text in ["carol has left", "what a pity"] {
        peer.types(text);
        for other in [&mut bob, &mut dave] {
            other.expect_line(&format!("SAY {text}"), TELLS)?;
        }
    }
    carol.expect_closed(
        "who has said BYE has left: nothing more is sent to it, and its connection is closed",
    )
}

fn forwards_nothing(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    bob.say("SAY for ann alone")?;
    peer.expect_event("bob: for ann alone", SAID)?;
    carol.expect_silence()?;
    bob.expect_silence()?;
    peer.types("and this is for both");
    carol.expect_line("SAY and this is for both", TELLS)?;
    bob.expect_line("SAY and this is for both", TELLS)
}

fn keeps_to_the_limits(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    let longest = "x".repeat(1019);
    peer.types(&longest);
    bob.expect_line(&format!("SAY {longest}"), LIMITS)?;
    peer.types(&"y".repeat(1020));
    peer.types_bytes(b"half a letter: \xc3\n");
    peer.types("fine again");
    let last = b"SAY fine again\n";
    let heard = bob.read_all_until(|heard| heard.ends_with(last))?;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        let right = line.starts_with(b"SAY ") && line.ends_with(b"\n") && line.len() <= 1024;
        if !right || std::str::from_utf8(line).is_err() {
            return Err(t
                .fail("the peer sent a line that the protocol forbids")
                .expected("lines of at most 1,024 bytes with SAY and LF, in UTF-8")
                .seen(format!("{}: {}", count(line.len()), quote_short(line, 40)))
                .cause(LIMITS)
                .stop());
        }
    }
    match heard.ends_with(last) {
        true => Ok(()),
        false => bob.expect_line("SAY fine again", LIMITS),
    }
}

fn survives_who_vanishes(t: &mut Trial) -> Verdict {
    let peer = t.peer("ann", &[])?;
    let bob = peer.joined_by("bob")?;
    let mut carol = peer.joined_by("carol")?;
    peer.types("bob will not read this");
    carol.expect_line("SAY bob will not read this", TELLS)?;
    bob.reset()?;
    for number in 1..=5 {
        let text = format!("line {number} after bob");
        peer.types(&text);
        carol.expect_line(&format!("SAY {text}"), VANISHED)?;
    }
    peer.expect_event("left bob", LEFT)
}

fn says_everything_before_it_leaves(t: &mut Trial) -> Verdict {
    let host = t.host("bob")?;
    let peer = t.peer("ann", &[host.address])?;
    let mut bob = peer.calls(&host)?;
    peer.greet(&mut bob, "client")?;
    let mut carol = peer.joined_by("carol")?;
    peer.types_bytes(b"one\ntwo\nthree, without a line end");
    peer.stops_typing();
    for other in [&mut bob, &mut carol] {
        for line in ["SAY one", "SAY two", "SAY three, without a line end", "BYE"] {
            other.expect_line(line, GOODBYE)?;
        }
        other.expect_end(GOODBYE)?;
    }
    for other in [&mut bob, &mut carol] {
        other.end()?;
    }
    peer.expect_exit(0)
}

fn waits_for_the_others(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let peer = t.peer("ann", &[])?;
    let mut bob = peer.joined_by("bob")?;
    peer.stops_typing();
    bob.expect_line("BYE", GOODBYE)?;
    bob.expect_end(GOODBYE)?;
    // Now it waits. To whoever has closed instead, this comes too late: the answer is a reset.
    let rest = t.settle(&peer.running)?;
    bob.say("SAY one more thing")?;
    peer.expect_event("bob: one more thing", GOODBYE)?;
    if rest.is_ok_and(|snapshot| snapshot.stillness(&snapshot) == Stillness::Still) {
        // No time-out in sight; it may be one of a socket, which /proc does not show.
        t.allow_time_outs();
        t.note("bob does not end its side");
        return peer.expect_exit(0);
    }
    bob.end()?;
    peer.expect_exit(0)
}

// ------------------------------------------------------------------------- several real peers

fn meets_in_either_order(t: &mut Trial) -> Verdict {
    let (here, there) = (t.site().free_address(), t.site().free_address());
    for (first, second) in [("ann", "bob"), ("bob", "ann")] {
        t.note(format!("{first} is started first; each calls the other"));
        let one = t.peer_at(first, here, &[there])?;
        one.rest()?;
        let two = t.peer_at(second, there, &[here])?;
        one.expect_event(&format!("joined {second} * as server"), JOINED)?;
        two.expect_event(&format!("joined {first} {here} as client"), JOINED)?;
        one.types("who is first");
        two.expect_event(&format!("{first}: who is first"), SAID)?;
        two.types("does not matter");
        one.expect_event(&format!("{second}: does not matter"), SAID)?;
        two.stops_typing();
        one.expect_event(&format!("left {second}"), LEFT)?;
        two.expect_exit(0)?;
        one.crash()?;
    }
    Ok(())
}

fn meets_in_a_mesh(t: &mut Trial) -> Verdict {
    let peers = mesh(t)?;
    for (index, speaker) in peers.iter().enumerate() {
        let text = format!("{} speaking", speaker.name);
        speaker.types(&text);
        for (other, listener) in peers.iter().enumerate() {
            if other != index {
                listener.expect_event(&format!("{}: {text}", speaker.name), SAID)?;
            }
        }
    }
    for peer in &peers {
        peer.expect_no_event("each line is heard once by each, and not by who said it")?;
    }
    Ok(())
}

fn stands_in_a_line(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address])?;
    let carol = t.peer("carol", &[bob.address])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    bob.expect_events(&["joined ann * as client", "joined carol * as server"], JOINED)?;
    carol.expect_event("joined bob * as client", JOINED)?;
    ann.types("hello, bob");
    bob.expect_event("ann: hello, bob", SAID)?;
    bob.types("hello to both sides");
    ann.expect_event("bob: hello to both sides", SAID)?;
    carol.expect_event("bob: hello to both sides", SAID)?;
    carol.expect_no_event("carol does not know ann: bob must not pass on what ann says").map(drop)
}

fn comes_back_after_a_crash(t: &mut Trial) -> Verdict {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    bob.expect_event("joined ann * as client", JOINED)?;
    bob.crash()?;
    ann.expect_event("left bob", LEFT)?;
    ann.types("where is bob?");
    ann.rest()?;
    let again = t.peer_at("bob", bob.address, &[ann.address])?;
    ann.expect_event("joined bob * as server", JOINED)?;
    again.expect_event("joined ann * as client", JOINED)?;
    ann.types("welcome back");
    again.expect_event("ann: welcome back", SAID)
}

fn waits_for_a_frozen_peer(t: &mut Trial) -> Verdict {
    let [ann, bob, carol] = mesh(t)?;
    bob.running.program.signal("STOP")?;
    t.note("bob was frozen (SIGSTOP)");
    for text in ["bob is frozen", "we go on"] {
        ann.types(text);
        carol.expect_event(&format!("ann: {text}"), HELD_UP)?;
    }
    bob.running.program.signal("CONT")?;
    t.note("bob was thawed (SIGCONT)");
    bob.expect_event("ann: bob is frozen", SAID)?;
    bob.expect_event("ann: we go on", SAID)?;
    bob.types("I am back");
    ann.expect_event("bob: I am back", SAID)?;
    carol.expect_event("bob: I am back", SAID)
}

/// Three peers of which each knows the two others.
fn mesh(t: &Trial) -> Verdict<[Peer; 3]> {
    let ann = t.peer("ann", &[])?;
    let bob = t.peer("bob", &[ann.address])?;
    let carol = t.peer("carol", &[ann.address, bob.address])?;
    ann.expect_events(&["joined bob * as server", "joined carol * as server"], JOINED)?;
    bob.expect_events(&["joined ann * as client", "joined carol * as server"], JOINED)?;
    carol.expect_events(&["joined ann * as client", "joined bob * as client"], JOINED)?;
    Ok([ann, bob, carol])
}

// ------------------------------------------------------------------------------ conversations

const FOLDER: &str = "fixtures/conversations/03-peer";

/// The files that checks of their own play.
const NAMED: [&str; 23] = [
    "greeting",
    "greeting-first",
    "names",
    "bad-name-empty",
    "bad-name-long",
    "bad-name-space",
    "bad-name-letter",
    "bad-first-line",
    "bad-first-line-empty",
    "bad-first-line-http",
    "bad-greeting-long",
    "bad-greeting-utf8",
    "say",
    "say-at-once",
    "say-longest",
    "bad-line-long",
    "bad-word",
    "bad-word-close",
    "bad-line-utf8",
    "left-by-end",
    "left-by-reset",
    "left-in-mid-line",
    "talk",
];

fn converse(t: &Trial, name: &str) -> Verdict {
    let path = build::find_root()?.join(FOLDER).join(format!("{name}.txt"));
    match conversation::read(&path)? {
        Ok(conversation) => conversation::play(t, &conversation),
        Err(error) => Err(Stop::Fault(error.to_string())),
    }
}

fn keeps_to_every_conversation(t: &mut Trial) -> Verdict {
    for conversation in conversation::load(&build::find_root()?.join(FOLDER))? {
        let conversation = conversation.map_err(|error| Stop::Fault(error.to_string()))?;
        if !NAMED.iter().any(|name| conversation.file.ends_with(&format!("/{name}.txt"))) {
            conversation::play(t, &conversation)?;
        }
    }
    Ok(())
}

// ------------------------------------------------------------------- what several checks share

const LISTEN_FIRST: &str = "a call can take as long as the other side likes. Listen before the first \
    call, and accept in a thread of its own";
const TOO_LONG: &str = "1,024 bytes without a line end can't become a line: `bad peer`, and close";
const ONE_ONLY: &str = "one bad peer is that peer's problem: end its own thread and its own \
    connection, and nothing else";
const APART: &str = "each connection needs a buffer of its own for the half of a line that has come: \
    one that all share mixes what they say";
const LIMITS: &str = "a line is at most 1,024 bytes with `SAY ` and the LF, and UTF-8: what does not \
    fit is refused, cut or split, but never sent as it is";
const HELD_UP: &str = "a write to a peer that does not read waits when the queues are full. Limit it \
    (set_write_timeout) or leave it to a thread of that peer's own, and hold no lock meanwhile";
const VANISHED: &str = "a write to a peer that has gone is an error: drop that peer, and go on with \
    the next one of the list";
const GOODBYE: &str = "at the end of standard input: BYE to all, the end of each sending side \
    (shutdown), and only then the wait for the others' ends";

fn listens_all_the_same(t: &Trial, server: &Server) -> Stop {
    t.fail("the peer listens all the same")
        .expected("a line on standard error, and the end")
        .seen(format!("it listens on {}", server.address))
        .stop()
}
