//! Step 2 of lab 1: `accept_loop`.

use crate::kernel::{Process, State};
use crate::program::{Given, Stdin};
use crate::trial::{Stall, StallKind, Stop, Trial, Verdict};

checks! { $ server_accept_loop, "server" step 2:
    accepts_a_client, 2 points: "accepts a client";
    "accept takes the first connection out of the listener's queue (POSIX accept)."

    accepts_one_after_another, 3 points: "accepts clients one after another, for ever";
    "An iterative server accepts one client at a time, then the next, for ever."

    // ANCHOR: row_of_a_check
    survives_connect_and_close, 2 points: "survives clients that connect and say nothing";
    "One bad client is that client's problem: an early close ends that connection and nothing else."
    // ANCHOR_END: row_of_a_check

    closes_what_has_ended, 2 points: "closes its socket when the client has gone";
    "After the client's end the server closes: no socket of its own stays in CLOSE-WAIT."

    keeps_nothing_of_many_clients, 2 points: "has no more sockets and threads after 40 clients";
    "Descriptors and threads return to what they were: a server runs for ever."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "Out of file descriptors: accept fails. The server goes on, does not spin, and serves again."

    restarts_on_the_same_port, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."
}

fn accepts_a_client(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}

fn accepts_one_after_another(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    for _ in 0..3 {
        let client = server.connect()?;
        server.wait_until_accepted()?;
        client.close();
        server.settle()?;
    }
    Ok(())
}

// ANCHOR: function_of_a_check
fn survives_connect_and_close(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    for client in server.connect_many(10)? {
        client.close();
    }
    server.settle()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}

// ANCHOR_END: function_of_a_check

fn closes_what_has_ended(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let client = server.connect()?;
    server.wait_until_accepted()?;
    client.close();
    let cause = "a stream is closed when it is dropped; one that is stored, forgotten or cloned \
                 stays open";
    server.expect_shown(
        "the server keeps the socket of a client that has gone",
        "the socket is closed: no row in CLOSE-WAIT",
        cause,
        |snapshot| {
            let rows = snapshot.own_rows();
            match rows.iter().find(|row| row.table.is_tcp() && row.state != State::Listen) {
                None => Ok(()),
                Some(row) => {
                    let with = t.names().call(row.remote);
                    Err(format!("the connection with {with} is in {}", row.state))
                }
            }
        },
    )?;
    // A server that has ended holds no socket either.
    server.settle().map(drop)
}

fn keeps_nothing_of_many_clients(t: &mut Trial) -> Verdict {
    let server = t.server()?;
    let before = server.settle()?;
    for _ in 0..4 {
        let clients = server.connect_many(10)?;
        drop(clients);
        t.note("they all closed");
        server.settle()?;
        server.wait_until_accepted()?;
    }
    // A pool of threads is no leak: what is judged is that nothing grows with the clients.
    let (sockets, threads) = (before.socket_descriptors(), before.threads().count() + 16);
    let cause = "each client leaves something behind: a stream that is kept, or a thread that \
                 never ends";
    server.expect_shown(
        "the server keeps something of every client",
        &format!("sockets: {sockets}, threads: at most {threads}, as before"),
        cause,
        |now| match (now.socket_descriptors(), now.threads().count()) {
            (s, n) if s <= sockets && n <= threads => Ok(()),
            (s, n) => Err(format!("sockets: {s}, threads: {n}")),
        },
    )?;
    Ok(())
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let held = server.settle()?;
    let program = &server.running.program;
    let free = held.processes.iter().find(|process| process.pid == program.pid());
    let free = free.map_or(0, Process::lowest_free_descriptor);
    program.limit_descriptors(free).map_err(|error| Stop::Skip(error.to_string()))?;
    t.note(format!("the server gets no more descriptors (RLIMIT_NOFILE is {free} now)"));
    // Linux has set one aside for the accept that waits: it is the one after that which fails.
    server.connect()?.close();
    if matches!(t.settle(&server.running)?, Err(Stall { kind: StallKind::Busy })) {
        return Err(t
            .fail("the server spins while it is out of descriptors")
            .expected("it waits a moment before it calls accept again")
            .seen("accept fails and is called again at once, with all of the processor's time")
            .cause(
                "the client stays in the queue as long as there is no descriptor for it, so the \
                 next accept fails at once, too: sleep for some milliseconds after an error",
            )
            .stop());
    }
    server.settle()?;
    let client = server.connect()?;
    program.limit_descriptors(ENOUGH)?;
    t.note("it gets descriptors again");
    server.wait_until_accepted()?;
    client.close();
    Ok(())
}

/// Descriptors for any server with one client.
const ENOUGH: u32 = 200;

fn restarts_on_the_same_port(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let server = t.server()?;
    let mut client = server.connect()?;
    server.wait_until_accepted()?;
    // The side that closes first goes to TIME-WAIT: here the server, which is killed.
    server.kill()?;
    client.half_close()?;
    client.close();
    t.note("the old connection is in TIME-WAIT on the server's port");
    let running = t.start("server", Given::address(server.asked), Stdin::Null)?;
    let again = t.listening_or(running, server.asked, OVER_TIME_WAIT)?;
    if again.address == server.address {
        return Ok(());
    }
    Err(t
        .fail("the restarted server listens somewhere else")
        .expected(format!("a listening socket on {}", server.address))
        .seen(format!("listening on {}", again.address))
        .cause(OVER_TIME_WAIT)
        .stop())
}

const OVER_TIME_WAIT: &str = "a connection in TIME-WAIT is no listener: with SO_REUSEADDR, which \
    std sets, bind works over it, and no other port is needed";
