//! Step 5 of lab 5, at the end: many clients, on both listeners, who never meet.

use super::Mail;
use super::client::Client;
use super::deliver::stored;
use super::mailbox::{ALICE, BOB, CAROL, User};
use super::pop3::awkward;
use super::reply::Protocol;
use crate::net::Service;
use crate::trial::{Trial, Verdict};

checks! { $ mail_crowd, "mail" step 5:
    stores_and_forwards, 4 points: "carries mail between clients that never meet, over a crash too";
    "Takes mail from senders, keeps it, and gives it to its recipients: clients that never meet."

    connects_nobody, 2 points: "waits for its clients, and calls none of them";
    "Store and forward: alice has a connection to the server, and so has bob; there is no other one."

    serves_beside_the_silent, 3 points: "serves both sides while 30 clients on each say nothing";
    "A thread for each connection: a client that says nothing holds up nobody on either listener."

    keeps_its_listeners_apart, 2 points: "has places on one listener when the other is full";
    "64 connections on each listener: who fills one leaves the other free."

    keeps_nothing, 2 points: "has no more sockets and threads after 80 sessions";
    "Descriptors and threads return to what they were: a server runs for ever."

    is_idle, 2 points: "is blocked, not polling, with clients on both listeners";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    tells_no_password, 2 points: "writes no password to any output";
    "Passwords appear in no output, neither as they are nor in base64."

    ignores_a_closed_stderr, 1 point, exotic: "goes on when nobody reads its log";
    "A stderr that nobody reads any more ends nothing."

    survives_few_descriptors, 2 points, exotic: "recovers when it was out of descriptors";
    "No descriptor: what waits stays in the queue or is closed. The server goes on and does not spin."
}

const BESIDE: &str = "each connection needs a thread of its own, on both listeners: who says nothing keeps that \
    thread, and those that accept are free for the next client";
const PASSES: &str =
    "a message for which 250 has come is there for its recipient, who fetches it by POP3";
const BOTH: [Protocol; 2] = [Protocol::Smtp, Protocol::Pop3];

/// Alice sends a message to bob, who fetches it.
fn expect_mail_to_pass(mail: &Mail, from: &User, to: &User, cause: &str) -> Verdict {
    let text = b"Subject: for you\r\n\r\nhello\r\n";
    let head = format!("Return-Path: <{}@localhost>\r\n", from.name);
    let message = [head.as_bytes(), text].concat();
    mail.send(from, &[to.name], text)?;
    let mut client = mail.fetch_as(to)?;
    client.expect_message("RETR 1", &message, cause)?;
    client.good("DELE 1", "a message that is there can be marked")?;
    client.quit()
}

fn stores_and_forwards(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let cause = "what alice has sent bob finds when he comes, whatever has become of the server meanwhile: it \
                 stands in files, and not in the memory of a program";
    let texts = [b"Subject: one\r\n\r\nhello\r\n".to_vec(), awkward()];
    for text in &texts {
        mail.send(&ALICE, &["bob", "carol"], text)?;
    }
    t.note("alice has gone");
    let mail = mail.kill_and_start_again()?;
    for user in [&BOB, &CAROL] {
        let mut client = mail.fetch_as(user)?;
        for (text, number) in texts.iter().zip(1..) {
            client.expect_message(&format!("RETR {number}"), &stored(text), cause)?;
            client.good(&format!("DELE {number}"), "a message that is there can be marked")?;
        }
        client.quit()?;
    }
    // What was removed stays away, too.
    let mail = mail.kill_and_start_again()?;
    for name in ["bob", "carol"] {
        mail.expect_messages(name, &[], "QUIT has removed what was marked")?;
    }
    Ok(())
}

fn connects_nobody(t: &mut Trial) -> Verdict {
    t.needs_watching()?;
    let mail = Mail::start(t)?;
    let mut alice = mail.send_as(&ALICE)?;
    let mut bob = mail.fetch_as(&BOB)?;
    alice.hand_over(&ALICE, &["bob"], b"Subject: one\r\n\r\nhello\r\n")?;
    bob.good("NOOP", "a session goes on, whatever comes for its user meanwhile")?;
    let snapshot = t.settle(&mail.doors.running)?.or_else(|_| t.look(&mail.doors.running))?;
    let doors: Vec<_> = BOTH.map(|protocol| mail.service(protocol).address).into();
    let rows = snapshot.own_rows();
    // Each of its sockets stands at one of its own two addresses: it has called nobody.
    let own = rows.iter().find(|row| row.table.is_tcp() && !doors.contains(&row.local));
    if let Some(row) = own {
        return Err(t
            .fail("the mail server has a connection that no client of it has made")
            .expected("its two listeners, and the connections that came in through them")
            .seen(format!("a connection from {} to {}", row.local, row.remote))
            .cause("it stores, and waits: bob comes for his mail when it suits him")
            .stop());
    }
    // And neither of the two has one to the other.
    let [from, to] = [&alice, &bob].map(|client| client.connection().here());
    if snapshot.connection(from, to).is_none() && snapshot.connection(to, from).is_none() {
        t.note(
            "in the socket tables there is no row from alice to bob, and none from bob to alice",
        );
    }
    alice.leave()?;
    bob.quit()
}

/// Clients that connect, are accepted, and say nothing. One at a time: how many a listener lets
/// wait is its own affair.
fn silent_clients(mail: &Mail, protocol: Protocol, count: usize) -> Verdict<Vec<Client>> {
    let service = mail.service(protocol);
    let trial = service.trial();
    let mut silent = Vec::new();
    for _ in 0..count {
        let connection = service.connect_as(format!("client {}", trial.next_number()), false)?;
        silent.push(Client::new(connection, protocol));
        let _ = service.wait_for_an_empty_queue()?;
    }
    let name = protocol.name();
    trial.note(format!("{count} clients connected for {name}, were accepted, and say nothing"));
    mail.settle()?;
    Ok(silent)
}

fn serves_beside_the_silent(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let _silent =
        [silent_clients(&mail, Protocol::Smtp, 30)?, silent_clients(&mail, Protocol::Pop3, 30)?];
    expect_mail_to_pass(&mail, &ALICE, &BOB, BESIDE)?;
    expect_mail_to_pass(&mail, &BOB, &ALICE, BESIDE)
}

/// As many are served at once on each listener.
const PLACES: usize = 64;

fn keeps_its_listeners_apart(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    mail.seed("bob", &awkward())?;
    let cause = "each listener has 64 places of its own: a sender that fills one must not keep a reader from \
                 his mail";
    let senders = silent_clients(&mail, Protocol::Smtp, PLACES)?;
    let mut bob = mail.fetch_as(&BOB)?;
    bob.expect_message("RETR 1", &awkward(), cause)?;
    bob.quit()?;
    drop(senders);
    mail.settle()?;
    let mut readers = silent_clients(&mail, Protocol::Pop3, PLACES)?;
    mail.send(&ALICE, &["carol"], b"Subject: one\r\n\r\nhello\r\n")?;
    let mut next = mail.connect(Protocol::Pop3)?;
    mail.settle()?;
    // One of them may have been accepted, and wait for a place elsewhere than in the queue.
    for reader in readers.drain(..6) {
        reader.close();
    }
    let cause = "with all places taken the next client waits, and is served when one is free";
    next.expect(&[Protocol::Pop3.greeting()], cause)?;
    next.quit()
}

fn keeps_nothing(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    mail.seed("bob", &awkward())?;
    mail.service(Protocol::Smtp).expect_no_growth("clients", || {
        for _ in 0..10 {
            let mut sender = mail.call(Protocol::Smtp)?;
            sender.authenticate(&ALICE)?;
            sender.close();
            let mut reader = mail.fetch_as(&BOB)?;
            reader.expect_message("RETR 1", &awkward(), BESIDE)?;
            reader.close();
            // The lock ends with the session, a moment after the connection.
            mail.settle()?;
        }
        mail.new_turn();
        Ok(20)
    })
}

fn is_idle(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let _sender = mail.send_as(&ALICE)?;
    let _reader = mail.fetch_as(&BOB)?;
    let _silent = [mail.call(Protocol::Smtp)?, mail.call(Protocol::Pop3)?];
    let service = mail.service(Protocol::Smtp);
    service.expect_idle()
}

fn tells_no_password(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    expect_mail_to_pass(&mail, &ALICE, &BOB, PASSES)?;
    let mut client = mail.call(Protocol::Pop3)?;
    client.good("USER bob", "USER is answered +OK")?;
    client.refused("PASS of-carol-c4r0l", "this is not bob's password")?;
    client.quit()?;
    mail.settle()?;
    let program = &mail.doors.running.program;
    let (stdout, stderr) = (program.stdout().head, program.stderr().head);
    let output = [&stdout[..], b"\n", &stderr].concat();
    let output = String::from_utf8_lossy(&output).into_owned();
    // alice's in base64, as it came behind AUTH PLAIN.
    let secrets = [ALICE.password, BOB.password, CAROL.password, "AGFsaWNlAHdvbmRlcmxhbmQ="];
    let told = output.lines().find(|line| secrets.iter().any(|secret| line.contains(secret)));
    match told {
        None => Ok(()),
        Some(line) => Err(t
            .fail("the mail server writes a password to its output")
            .expected("no password, neither as it is nor in base64")
            .seen(format!("the line {line:?}"))
            .cause("a log is read by others, and kept for long: a line that may hold a password is not logged")
            .stop()),
    }
}

fn ignores_a_closed_stderr(t: &mut Trial) -> Verdict {
    // What a stub has to say would be lost below.
    let mail = Mail::start(t)?;
    expect_mail_to_pass(&mail, &ALICE, &BOB, "this is what the server is for")?;
    t.new_scene()?;
    let mail = Mail::start(t)?;
    mail.doors.running.program.close_stderr();
    t.note("nobody reads the mail server's standard error any more");
    let cause =
        "eprintln! panics when standard error is closed: write with writeln! and ignore the error";
    // What can't be stored is a reason to say something there.
    let mut client = mail.send_as(&ALICE)?;
    mail.spool.permit("bob/tmp", 0o555)?;
    mail.spool.permit("bob/new", 0o555)?;
    client.begin(&ALICE, &["bob"])?;
    client.send(b"Subject: one\r\n\r\nhello\r\n.\r\n")?;
    client.expect(&["451"], cause)?;
    mail.spool.permit("bob/tmp", 0o755)?;
    mail.spool.permit("bob/new", 0o755)?;
    client.leave()?;
    expect_mail_to_pass(&mail, &ALICE, &BOB, PASSES)
}

fn survives_few_descriptors(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let silent = [mail.call(Protocol::Smtp)?, mail.call(Protocol::Pop3)?];
    let services: Vec<Service> = BOTH.map(|protocol| mail.service(protocol)).into();
    services[0].withhold_descriptors()?;
    // Linux has set one aside for each accept that waits: it is the one after that which fails.
    for service in &services {
        service.connect()?.close();
    }
    let waiting: Vec<_> = services.iter().map(Service::connect).collect::<Verdict<_>>()?;
    services[0].expect_rest_without_descriptors()?;
    services[0].restore_descriptors()?;
    drop((silent, waiting));
    expect_mail_to_pass(&mail, &ALICE, &BOB, PASSES)
}
