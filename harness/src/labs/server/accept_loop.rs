//! Step 2 of lab 1: `accept_loop`.

use super::SERVER;
use super::endure::prints_nothing_else;
use crate::contract::contract;
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

contract! { SERVER:
    closes_what_has_ended
    keeps_nothing_of_many_clients
    survives_few_descriptors
    restarts_on_the_same_port
}
