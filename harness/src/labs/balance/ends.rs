//! Step 4 of lab 10, `carry`: how connections end, and what is left of them.

use super::pair::Pair;
use super::program::Balance;
use crate::kernel::State;
use crate::trial::{Trial, Verdict};

checks! { $ balance_ends, "balance" step 4:
    passes_the_clients_end, 3 points: "passes on a client's end, and the answer still comes";
    "End of one direction: that sending side is ended on the other connection, the other direction goes on."

    passes_the_servers_end, 3 points: "passes on a server's end, and what the client sends still arrives";
    "End of one direction: that sending side is ended on the other connection, the other direction goes on."

    closes_both_in_the_end, 2 points: "closes both sockets when both directions have ended";
    "When both have ended both sockets are closed. `drained`: its last connection has ended."

    passes_a_clients_reset, 2 points: "ends the server's connection when the client has reset its own";
    "An error in either ends both."

    passes_a_servers_reset, 2 points: "ends the client's connection when its server has died, and no other";
    "A backend that dies under a client: that client's connection ends (FIN or RST). New clients go elsewhere."

    has_two_sockets_a_client, 2 points: "has two sockets for each client, and not four";
    "Two descriptors a client, not four."

    is_idle_beside_an_end, 2 points: "is blocked, not polling, when one direction has ended";
    "Quiet when idle. After the end of one direction only the other is waited for."

    keeps_nothing_of_exchanges, 2 points: "has no more sockets and threads after 40 clients, whose ends came in all ways";
    "When both have ended both sockets are closed. An error in either ends both."

    outlasts_hundreds_of_clients, 2 points, exotic: "serves 400 short connections, 40 at a time";
    "Accept for ever; each client in a thread of its own; survive anything."

    has_no_time_out, 2 points, exotic, patient: "waits for a silent client as long as it takes";
    "No time-out: silence is no offence."
}

const HALF: &str = "the end of what is read is passed on by shutdown(Write) on the other connection, and by nothing \
    more: shutdown(Both), or closing it, cuts off what is still to come the other way";

fn passes_the_clients_end(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    pair.up(b"a question")?;
    pair.client.half_close()?;
    pair.server.expect_end()?;
    pair.down(b"and the answer").map_err(|stop| stop.because(HALF))?;
    pair.server.half_close()?;
    pair.client.expect_end()
}

fn passes_the_servers_end(t: &mut Trial) -> Verdict {
    let mut pair = Balance::before(t, 1)?.serves()?;
    pair.down(b"that is all from me")?;
    pair.server.half_close()?;
    pair.client.expect_end()?;
    pair.up(b"but not from me").map_err(|stop| stop.because(HALF))?;
    pair.client.half_close()?;
    pair.server.expect_end()
}

const STAYS: &str = "a socket is closed when its last owner has gone: a stream that is kept, cloned, or held by a \
    thread that never ends keeps it open";

/// Expects that the program has no connection left.
fn expect_no_connection(balance: &Balance, cause: &str) -> Verdict {
    let found = balance.service.expect_shown(
        "the balancer keeps a connection that has ended on both sides",
        "no socket but the listener",
        cause,
        |now| {
            let mut rows = now.own_rows().into_iter();
            match rows.find(|row| row.table.is_tcp() && row.state != State::Listen) {
                None => Ok(()),
                Some(row) => {
                    let with = balance.trial().names().call(row.remote);
                    Err(format!("the connection with {with} is in {}", row.state))
                }
            }
        },
    );
    found.map(drop)
}

fn closes_both_in_the_end(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let own = own_sockets(&balance)?;
    ends_in_order(&balance)?;
    // A socket that has no row any more may still have its descriptor.
    expect_own_sockets(&balance, own, STAYS)?;
    expect_no_connection(&balance, STAYS)?;
    t.new_scene()?;
    is_there_until_both_end(t)
}

/// A client of whom one direction has ended, whichever, is still there.
fn is_there_until_both_end(t: &Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let turn = "the fewest connections, and among equals the next in turn";
    let [mut first, mut second] = [balance.serves_at(1, turn)?, balance.serves_at(2, turn)?];
    for number in [1, 2] {
        balance.types("drain", number);
        balance.expect("draining", number, UNTIL)?;
    }
    first.client.half_close()?;
    first.server.expect_end()?;
    second.server.half_close()?;
    second.client.expect_end()?;
    balance.console.expect_no_event(UNTIL)?;
    for (pair, number) in [(first, 1), (second, 2)] {
        pair.ends(&balance)?;
        balance.expect("drained", number, UNTIL)?;
    }
    Ok(())
}

const UNTIL: &str = "a client is there until both of its directions have ended: while one goes on, its backend is not drained";

/// A client comes, and both directions are ended one after the other.
fn ends_in_order(balance: &Balance) -> Verdict {
    let mut pair = balance.serves()?;
    pair.exchanges()?;
    pair.client.half_close()?;
    pair.server.expect_end()?;
    pair.server.half_close()?;
    pair.client.expect_end()
}

/// How many sockets the program has after its first client has gone: the listener, and what a
/// runtime opens for itself (asyncio wakes its loop by a pair of them), at the latest for that client.
fn own_sockets(balance: &Balance) -> Verdict<usize> {
    ends_in_order(balance)?;
    let own = balance.rest()?.socket_descriptors();
    balance.trial().new_story();
    balance.trial().note(format!("client 1 came and went; the balancer's sockets then: {own}"));
    Ok(own)
}

/// Expects that the program has no more sockets than it had after its first client.
fn expect_own_sockets(balance: &Balance, own: usize, cause: &str) -> Verdict {
    let found = balance.service.expect_shown(
        "the balancer keeps the sockets of a client that has gone",
        &format!("as many sockets as before this client came: {own}"),
        cause,
        |now| match now.socket_descriptors() {
            count if count <= own => Ok(()),
            count => Err(format!("sockets: {count}")),
        },
    );
    found.map(drop)
}

const ERROR: &str = "a read that returns an error is an end of both directions: end both connections, so that the \
    thread of the other direction, which may be blocked in a read, wakes up and ends too";

fn passes_a_clients_reset(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let own = own_sockets(&balance)?;
    let mut pair = balance.serves()?;
    pair.exchanges()?;
    pair.server.send(b"nobody reads this")?;
    pair.client.reset()?;
    balance.expect_closed(&pair.server, ERROR)?;
    // Although the server has not ended its own side.
    expect_own_sockets(&balance, own, ERROR)?;
    drop(pair.server);
    expect_no_connection(&balance, ERROR)
}

fn passes_a_servers_reset(t: &mut Trial) -> Verdict {
    let mut balance = Balance::before(t, 2)?;
    let [first, mut second] = [balance.serves()?, balance.serves()?];
    let (Pair { mut client, server, number }, other) = (first, second.number);
    client.send(b"nobody reads this")?;
    balance.backend(number).dies();
    server.reset()?;
    balance.expect_closed(&client, ERROR)?;
    second.exchanges()?;
    balance.serves_at(other, "new clients go elsewhere").map(drop)?;
    t.new_scene()?;
    ends_with_a_write(t)
}

const WRITE: &str = "a write that returns an error is an end of both directions, too: whoever goes on reading then carries \
    bytes to nobody, for as long as the client sends";

/// A server that closes has ended its own side, and answers what still comes with a reset.
fn ends_with_a_write(t: &Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let own = own_sockets(&balance)?;
    let Pair { mut client, server, .. } = balance.serves()?;
    server.close();
    client.expect_end()?;
    // The first one is answered with the reset, and the second one meets it.
    for _ in 0..2 {
        client.send(b"nobody reads this")?;
        balance.rest()?;
    }
    expect_own_sockets(&balance, own, WRITE)
}

fn has_two_sockets_a_client(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    let mut pairs = Vec::new();
    let mut counts = Vec::new();
    // What a runtime opens for itself it has after the first two.
    for more in [2, 10] {
        for _ in 0..more {
            let mut pair = balance.serves()?;
            pair.exchanges()?;
            pairs.push(pair);
        }
        counts.push(balance.rest()?.socket_descriptors());
    }
    t.new_story();
    t.note("two clients connected and exchanged a few bytes, and then ten more");
    let [two, twelve] = counts[..] else { return Ok(()) };
    if twelve - two == 20 {
        return Ok(());
    }
    Err(t
        .fail("the balancer does not have two sockets for each client")
        .expected("20 sockets more with ten clients more: one of each client, one of its backend")
        .seen(format!("{} sockets more", twelve - two))
        .cause(
            "try_clone makes another descriptor of the same socket: two directions can borrow one stream \
             (`&TcpStream` reads and writes), or share it in an Arc. Each client then costs two, and a limit of \
             1,024 is good for 500 of them",
        )
        .stop())
}

fn is_idle_beside_an_end(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let [mut first, mut second] = [balance.serves()?, balance.serves()?];
    first.up(b"a question")?;
    first.client.half_close()?;
    first.server.expect_end()?;
    second.server.half_close()?;
    second.client.expect_end()?;
    balance.service.expect_idle()
}

fn keeps_nothing_of_exchanges(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    balance.service.expect_no_growth("clients", || {
        for way in 0..10 {
            let mut pair = balance.serves()?;
            pair.exchanges()?;
            match way % 4 {
                0 => pair.client.half_close()?,
                1 => pair.server.half_close()?,
                2 => {
                    pair.server.send(b"unread")?;
                    pair.client.wait_for_answer()?;
                }
                _ => {
                    pair.client.send(b"unread")?;
                    pair.server.wait_for_answer()?;
                }
            }
            pair.ends(&balance)?;
        }
        t.new_story();
        Ok(10)
    })
}

fn outlasts_hundreds_of_clients(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 2)?;
    for batch in 1..=10 {
        let mut clients = Vec::new();
        for number in 1..=40 {
            let mut client = balance.service.connect_as(format!("client {number}"), false)?;
            client.send(b"hello")?;
            client.half_close()?;
            clients.push(client);
        }
        for _ in 0..40 {
            let (_, mut server) = balance.dials("every client is as good as the first")?;
            server.expect(b"hello")?;
        }
        for mut client in clients {
            client.expect_end()?;
        }
        t.new_story();
        t.note(format!("{} clients came, sent 5 bytes each, and closed", batch * 40));
    }
    expect_no_connection(&balance, STAYS)
}

fn has_no_time_out(t: &mut Trial) -> Verdict {
    let balance = Balance::before(t, 1)?;
    let mut pair = balance.serves()?;
    t.be_silent(balance.running(), || pair.exchanges())
}
