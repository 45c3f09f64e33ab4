//! Step 2 of lab 1: `accept_loop`.

use super::endure::prints_nothing_else;
use crate::kernel::State;
use crate::program::{Given, Stdin};
use crate::trial::{Trial, Verdict};

checks! { $ server_accept_loop, "server" step 2:
    accepts_a_client, 2 points: "accepts a client";
    "accept takes the first connection out of the listener's queue (POSIX accept)."

    accepts_one_after_another, 3 points: "accepts clients one after another, for ever";
    "An iterative server accepts one client at a time, then the next, for ever."

    // ANCHOR: row_of_a_check
    survives_connect_and_close, 2 points: "survives clients that connect and say nothing";
    "One bad client is that client's problem: an early close ends that connection and nothing else."
    // ANCHOR_END: row_of_a_check

    prints_nothing_else, 2 points: "prints nothing but its ready line";
    "A server's stdout has the ready line and nothing else, for all its life."

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
    server.expect_no_growth("clients", || {
        let clients = server.connect_some(10)?;
        let count = clients.len();
        drop(clients);
        server.wait_until_accepted()?;
        Ok(count)
    })
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    t.server()?.expect_to_outlast_few_descriptors()
}

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
