//! Step 2 of lab 9, `greet`: many who call and are called, some of them silent.

use std::rc::Rc;
use std::time::Instant;

use super::SWARM;
use super::answers;
use super::greet::{GREETING, STRANGER, expect_greeting, torrent};
use super::program::{Start, Swarm};
use super::torrent::Torrent;
use super::tracker::Tracker;
use crate::contract::{self, DRIBBLE, GIVES_UP, SlowToGreet};
use crate::net::{Listener, Terms};
use crate::trial::{Stop, Trial, Verdict};

checks! { $ swarm_callers, "swarm" step 2:
    keeps_two_of_one_id, 1 point: "keeps two connections of one peer id";
    "A second connection with the same peer id is kept."

    greets_beside_the_silent, 2 points: "greets one while others are slow to";
    "One thread a connection; silence delays nobody else."

    dials_beside_the_silent, 2 points: "goes on although a PEER does not answer, or is not there";
    "PEERs are dialled at once; one that can't be reached: one line on stderr."

    speaks_ipv6, 1 point: "greets over IPv6 as well";
    "Peers speak IPv4 or IPv6."

    dials_each_once, 2 points: "dials nobody twice, and not itself";
    "Not one's own address, nor one that is connected or being dialled."

    dials_thirty, 1 point: "dials at most 30 at once";
    "At most 30 dialled, 50 in all."

    ends_slow_greetings, 2 points, patient: "lets go of one that is not done with its greeting in 5 s";
    "Handshake within 5 s: from connect or accept, for all 68 bytes. Behind it no time-out on a silent peer."

    keeps_nothing_of_callers, 2 points: "keeps nothing of connections that have ended";
    "One bad client is that client's problem; what has ended leaves neither a socket nor a thread."

    survives_few_descriptors, 2 points, exotic: "recovers from running out of descriptors";
    "Out of descriptors or threads: it goes on, without spinning, and serves again once there are some."
}

fn keeps_two_of_one_id(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let mut bobs = [swarm.joined_by("bob", &[])?, swarm.joined_by("bob", &[])?];
    for bob in &mut bobs {
        bob.expect_silence("two connections of one peer are both kept")?;
    }
    Ok(())
}

/// Callers that say nothing, or not enough.
const SILENT: usize = 12;

fn greets_beside_the_silent(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    let mut silent = Vec::new();
    for number in 0..SILENT {
        let mut caller = swarm.called_by("a silent caller")?;
        let greeting = caller.handshake(&torrent);
        if number % 2 == 0 {
            caller.send_as(&greeting[..=number], "the beginning of its greeting")?;
        }
        silent.push(caller);
    }
    t.new_story();
    t.note(format!("{SILENT} callers have connected, and are slow to greet"));
    swarm.joined_by("bob", &[]).map(drop).map_err(|stop| {
        stop.because("a greeting may take as long as 5 s: not in the thread that accepts")
    })
}

const EACH_ITS_THREAD: &str = "a PEER that can't be reached is no reason to end, and one that does not answer can take \
    minutes: listen first, dial each in a thread of its own, and report an error instead of handing it on";

fn dials_beside_the_silent(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let nobody = t.addresses().free_address();
    t.note(format!("nobody listens on {nobody}"));
    let carol = t.host_peer("carol")?;
    let _held = carol.fill_queue()?;
    let dave = t.host_peer("dave")?;
    let bob = t.host_peer("bob")?;
    let others = [nobody, carol.address(), dave.address(), bob.address()];
    let swarm =
        Swarm::dialling(t, &torrent, &others).map_err(|stop| stop.because(EACH_ITS_THREAD))?;
    let _dave = swarm.calls(&dave).map_err(|stop| stop.because(EACH_ITS_THREAD))?;
    t.note("dave says nothing");
    let _bob = swarm.joins(&bob, &[]).map_err(|stop| stop.because(EACH_ITS_THREAD))?;
    swarm.expect_told(&nobody.to_string(), 1, EACH_ITS_THREAD)?;
    expect_greeting(&swarm)
}

fn speaks_ipv6(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let Some(address) = t.addresses().free_address_v6() else {
        return Err(Stop::Skip("this system has no IPv6 loopback address (::1)".into()));
    };
    let bob = t.listen_as("bob", &[address], &Terms::ANSWERS)?;
    t.note(format!("bob listens on {address}"));
    let swarm = Swarm::dialling(t, &torrent, &[address])?;
    swarm.joins(&bob, &[]).map(drop)
}

fn dials_each_once(t: &mut Trial) -> Verdict {
    let hosts = answers::hosts(t, ["ann", "bob"])?;
    let (ann, bob) = (hosts[0].address(), hosts[1].address());
    let tracker = Tracker::new(t)?;
    let start = Start::of(&answers::torrent(&tracker)).dialling(&[ann]);
    let swarm = start.listening(t)?;
    swarm.expect_have(0)?;
    let own = swarm.address();
    let _ann = hosts[0].accept(swarm.running(), "each PEER is dialled at once")?;
    tracker.tell(&swarm, 60, &[own, bob, ann, own, bob, bob])?;
    let _bob = hosts[1].accept(swarm.running(), answers::SIX)?;
    for (host, name) in hosts.iter().zip(["ann", "bob"]) {
        if host.take_another(swarm.running())?.is_some() {
            return Err(t
                .fail(format!("the program dialled {name} twice"))
                .expected(format!("one connection to {}", host.address()))
                .seen("a second one")
                .cause("a tracker lists whoever asks, and some twice: dial nobody who is connected already, or \
                        being dialled")
                .stop());
        }
    }
    let cause = "a tracker lists the program itself, too: one's own address is not dialled, and at the latest the \
                 peer id shows who it is";
    swarm.console.expect_no_event(cause)?;
    t.expect_written()
}

/// The most that are dialled at once.
const MOST_DIALLED: usize = 30;

fn dials_thirty(t: &mut Trial) -> Verdict {
    let tracker = Tracker::new(t)?;
    let torrent = Rc::new(Torrent::of_blocks(9).tracked_by(&tracker.url()));
    let mut hosts = Vec::new();
    for number in 0..MOST_DIALLED + 3 {
        let address = t.addresses().free_address();
        hosts.push(t.listen_as(&format!("peer {number}"), &[address], &Terms::ANSWERS)?);
    }
    let swarm = Swarm::leech(t, &torrent)?;
    let addresses: Vec<_> = hosts.iter().map(Listener::address).collect();
    t.note(format!("{} peers listen, and none of them answers", hosts.len()));
    tracker.tell(&swarm, 60, &addresses)?;
    swarm.rest()?;
    // Those that stand at one moment: who sees a connection end may dial another one.
    let snapshot = t.look(swarm.running())?;
    let rows = snapshot.own_rows();
    let dialled = rows.iter().filter(|row| addresses.contains(&row.remote)).count();
    if dialled > MOST_DIALLED {
        return Err(t
            .fail("the program dials more than it may")
            .expected(format!("at most {MOST_DIALLED} connections, none of which has been answered yet"))
            .seen(format!("{dialled} connections to {} peers", hosts.len()))
            .cause("a tracker may tell of thousands: at most 30 are dialled at once, counted from the moment when they are dialled")
            .stop());
    }
    // On a machine that is so busy their 5 s may be over already.
    let is_called = || -> Verdict<bool> {
        for host in &hosts {
            if host.take_another(swarm.running())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if dialled > 0 || is_called()? {
        return t.expect_written();
    }
    Err(t
        .fail("the program dials nobody")
        .expected("connections to the peers that the tracker has told of")
        .seen("none")
        .cause(answers::SIX)
        .stop())
}

const NO_LIMIT: &str = "behind the greeting a peer may be silent as long as it likes: take the time limit off the stream";

fn ends_slow_greetings(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let host = t.host_peer("dave")?;
    let swarm = Start::of(&torrent).dialling(&[host.address()]).hurrying().listening(t)?;
    swarm.expect_have(0)?;
    let mut eve = swarm.joined_by("eve", &[])?;
    let mut dave = swarm.calls(&host)?;
    dave.expect_handshake(&torrent, GREETING)?;
    let began = Instant::now();
    let mut carol = swarm.called_by("carol")?;
    // Her time runs when the program waits for her greeting, and before bob's does.
    swarm.rest()?;
    let mut bob = swarm.called_by("bob")?;
    let later = began.elapsed();
    let greeting = carol.handshake(&torrent);
    let slow = SlowToGreet {
        carol: carol.stream(),
        // Not as much as is answered: the 48 bytes up to the end of the info hash.
        greeting: &greeting[..DRIBBLE],
        bob: bob.stream(),
        later,
        dave: dave.stream(),
    };
    slow.are_given_up(t, || swarm.rest())?;
    let bad = |address| format!("bad peer {address}: *");
    let [bob, carol] = [&bob, &carol].map(|remote| bad(remote.connection().here()));
    swarm.console.expect_events(&[&bob, &carol, &bad(host.address())], GIVES_UP)?;
    eve.expect_silence(NO_LIMIT)
}

fn keeps_nothing_of_callers(t: &mut Trial) -> Verdict {
    let torrent = torrent();
    let swarm = Swarm::leech(t, &torrent)?;
    swarm.service.expect_no_growth("callers", || {
        for _ in 0..5 {
            let bob = swarm.joined_by("bob", &[])?;
            let address = bob.connection().here();
            bob.close();
            swarm.expect_left(address)?;
            let mut carol = swarm.called_by("carol")?;
            carol.send_as(b"GET / HTTP/1.0\r\n\r\n", "a request of HTTP")?;
            carol.expect_closed(STRANGER)?;
            swarm.expect_bad(carol.connection().here(), STRANGER)?;
        }
        t.new_story();
        Ok(10)
    })?;
    t.new_scene()?;
    contract::closes_what_has_ended(t, &SWARM)
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    contract::survives_few_descriptors(t, &SWARM)?;
    t.new_scene()?;
    expect_greeting(&Swarm::leech(t, &torrent())?)
}
