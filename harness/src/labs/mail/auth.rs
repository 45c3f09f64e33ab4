//! Step 2 of lab 5: `smtp`, and who speaks: AUTH PLAIN (RFC 4954, RFC 4616).

use super::Mail;
use super::client::{Client, base64};
use super::mailbox::ALICE;
use super::reply::Protocol;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ mail_auth, "mail" step 2:
    authenticates, 3 points: "knows a sender by name and password";
    "AUTH PLAIN base64: 235, the sender is known (RFC 4954 section 4)."

    authenticates_in_two_lines, 2 points: "asks for the password where it does not stand in the line";
    "AUTH PLAIN, to which `334 ` and then base64: 235 (RFC 4954 section 4)."

    refuses_wrong_passwords, 3 points: "refuses a wrong password, and knows nobody then";
    "535 wrong; passwords are compared exactly. The session goes on."

    refuses_bad_base64, 2 points: "refuses what is not base64, or not name and password";
    "501 no base64 (padding required), not `who NUL name NUL password`, `*`. AUTH is over then."

    acts_for_nobody_else, 2 points: "lets nobody act for somebody else";
    "535: `who` neither empty nor NAME (RFC 4616 section 2)."

    refuses_other_mechanisms, 1 point: "refuses other mechanisms than PLAIN";
    "504 another mechanism (RFC 4954 section 4). The session goes on."

    authenticates_once, 1 point: "does not let a known sender become another";
    "503 when known (RFC 4954 section 4): the sender stays who it was."
}

const RIGHT_PASSWORD: &str =
    "base64 of NUL, the name, NUL, the password as it stands in USERS: whoever has it is known";
const MAIL: &str = "MAIL FROM:<alice@localhost>";
const NOBODY: &str = "AUTH was refused, so nobody is known, and nobody may send";

/// What AUTH PLAIN sends, in base64: who is to act, and who says so.
fn plain(who: &str, name: &str, password: &str) -> String {
    base64(format!("{who}\0{name}\0{password}").as_bytes())
}

fn authenticates(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let response = plain("", "alice", "wonderland");
    client.ask(&format!("AUTH PLAIN {response}"), &["235"], RIGHT_PASSWORD)?;
    client.ask(MAIL, &["250"], "the sender is known, and may send")?;
    client.close();
    let mut client = mail.greeted()?;
    let cause = "a password may have spaces, and a name is compared without case";
    client.ask(&format!("AUTH PLAIN {}", plain("", "BOB", "builder 1")), &["235"], cause)?;
    client.ask("MAIL FROM:<bob@localhost>", &["250"], "bob is known, and may send")?;
    Ok(())
}

fn authenticates_in_two_lines(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let response = plain("", "alice", "wonderland");
    let cause = "without a response in the line the server asks for it: 334, a space, and nothing behind \
                 it, since PLAIN has nothing to ask";
    let mut client = mail.greeted()?;
    let reply = client.ask("AUTH PLAIN", &["334"], cause)?;
    if reply.bytes != b"334 \r\n" {
        return Err(t
            .fail("what asks for the response is not as it should be")
            .expected("\"334 \\r\\n\"")
            .seen(crate::words::quote_short(&reply.bytes, 60))
            .difference(b"334 \r\n", &reply.bytes)
            .cause(cause)
            .stop());
    }
    client.ask(&response, &["235"], RIGHT_PASSWORD)?;
    client.ask(MAIL, &["250"], "the sender is known, and may send")?;
    client.close();
    for cut in [Cut::Whole, Cut::Seed(4)] {
        let mut client = mail.greeted()?;
        client.send_cut(format!("AUTH PLAIN\r\n{response}\r\nNOOP\r\n").as_bytes(), cut)?;
        client.expect(&["334"], cause)?;
        client.expect(&["235"], "the response is the next line, wherever it was cut")?;
        client.expect(&["250"], "the line behind the response is a command again")?;
        client.close();
    }
    Ok(())
}

/// Expects that AUTH is over and nobody known.
fn expect_nobody(client: &mut Client) -> Verdict {
    client.ask(MAIL, &["530"], NOBODY)?;
    Ok(())
}

fn refuses_wrong_passwords(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let cause = "the password is compared as a whole and exactly, with that of this very name";
    for (name, password) in [
        ("alice", "wonderlant"),
        ("alice", "wonder"),
        ("alice", "wonderland1"),
        ("alice", "Wonderland"),
        ("alice", "builder 1"),
        ("bob", "builder"),
        ("bob", "builder 1 "),
        ("zed", "wonderland"),
    ] {
        client.ask(&format!("AUTH PLAIN {}", plain("", name, password)), &["535"], cause)?;
        expect_nobody(&mut client)?;
    }
    for (name, password) in [("alice", ""), ("", "wonderland"), ("", "")] {
        let line = format!("AUTH PLAIN {}", plain("", name, password));
        client.ask(&line, &["501", "535"], "an empty name, or an empty password, is nobody's")?;
        expect_nobody(&mut client)?;
    }
    let right = format!("AUTH PLAIN {}", plain("", "alice", "wonderland"));
    client.ask(&right, &["235"], "after a wrong password the right one is right")?;
    Ok(())
}

fn refuses_bad_base64(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let cause = "what is not base64 of two NULs and what stands around them says nobody's name";
    let bad = [
        "!!!".to_owned(),
        "*".to_owned(),
        "AGFsaWNlAHdvbmRlcmxhbmQ".to_owned(),
        // Decoders that leave out what they do not know make the right response of it.
        "AGFsaWNl!AHdvbmRlcmxhbmQ=".to_owned(),
        base64(b"alice wonderland"),
        base64(b"alice\0wonderland"),
        base64(b"\0alice\0wonderland\0"),
    ];
    for response in &bad {
        client.ask(&format!("AUTH PLAIN {response}"), &["501"], cause)?;
        expect_nobody(&mut client)?;
    }
    for response in &bad {
        client.ask("AUTH PLAIN", &["334"], "what was refused before is forgotten")?;
        client.ask(response, &["501"], cause)?;
        expect_nobody(&mut client)?;
    }
    client.ask("AUTH PLAIN", &["334"], "what was refused before is forgotten")?;
    client.send_as(&[&b"A".repeat(600)[..], b"\r\n"].concat(), "a response of 600 bytes")?;
    client.expect(&["500", "501"], "a response is a line, too: at most 512 bytes")?;
    expect_nobody(&mut client)?;
    let right = format!("AUTH PLAIN {}", plain("", "alice", "wonderland"));
    client.ask(&right, &["235"], "what was refused before is forgotten")?;
    Ok(())
}

fn acts_for_nobody_else(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let cause = "the first of the three is who is to act, the second who says so: alice's password is \
                 no reason to let her act as bob";
    client.ask(&format!("AUTH PLAIN {}", plain("bob", "alice", "wonderland")), &["535"], cause)?;
    client.ask("MAIL FROM:<bob@localhost>", &["530"], NOBODY)?;
    expect_nobody(&mut client)?;
    client.ask(
        &format!("AUTH PLAIN {}", plain("Alice", "alice", "wonderland")),
        &["235"],
        "who is to act is who says so, and names are compared without case",
    )?;
    Ok(())
}

fn refuses_other_mechanisms(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let cause =
        "this server has PLAIN and no other mechanism: 504, and the next line is a command again";
    for line in ["AUTH LOGIN", "AUTH XOAUTH2 dXNlcj1ib2I=", "AUTH CRAM-MD5", "AUTH PLAINTEXT"] {
        client.ask(line, &["504"], cause)?;
        expect_nobody(&mut client)?;
    }
    client.ask("AUTH", &["501", "504"], "AUTH without a mechanism")?;
    expect_nobody(&mut client)
}

fn authenticates_once(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let cause = "who the sender is does not change within a connection: AUTH comes once";
    for (name, password) in [("alice", "wonderland"), ("bob", "builder 1")] {
        client.ask(&format!("AUTH PLAIN {}", plain("", name, password)), &["503"], cause)?;
    }
    client.ask("MAIL FROM:<bob@localhost>", &["550"], cause)?;
    client.ask(MAIL, &["250"], cause)?;
    client.ask(&format!("AUTH PLAIN {}", plain("", "bob", "builder 1")), &["503"], cause)?;
    client.ask(
        "RCPT TO:<bob@localhost>",
        &["250"],
        "AUTH was refused, and the transaction stands",
    )?;
    client.close();
    // Without EHLO nobody has told the client that there is AUTH: both are right.
    let mut client = mail.call(Protocol::Smtp)?;
    client.ask("HELO client.example", &["250"], "HELO and a name begin a session")?;
    let right = format!("AUTH PLAIN {}", plain("", "alice", "wonderland"));
    client.ask(&right, &["235", "503"], RIGHT_PASSWORD)?;
    Ok(())
}
