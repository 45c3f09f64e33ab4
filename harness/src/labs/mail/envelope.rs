//! Step 2 of lab 5: `smtp`, and who writes to whom: MAIL and RCPT.

use super::mailbox::ALICE;
use super::{Mail, NOBODY_IS_LATE, USERS};
use crate::trial::{Trial, Verdict};

checks! { $ mail_envelope, "mail" step 2:
    wants_authentication, 3 points: "takes no mail from somebody it does not know";
    "MAIL: 530 not authenticated (RFC 4954 section 6)."

    wants_the_senders_own, 3 points: "lets a sender write under its own address only";
    "MAIL FROM:<a>: 550 where `a` is not the sender's own (RFC 6409 section 6.1)."

    knows_its_recipients, 3 points: "takes mail for its own users, and for nobody else";
    "RCPT TO:<a>: 250, or 550 for nobody of USERS (another domain: no relaying)."

    takes_100_recipients, 2 points: "takes a hundred recipients, and then no more";
    "452 after 100 different ones (RFC 5321 section 4.5.3.1.8); a repeated one is 250."

    reads_parameters, 2 points: "reads what stands behind an address";
    "[SIZE=n] [BODY=x] [AUTH=x]: 250; 552 n too large (RFC 1870 section 6); 555 another parameter."

    refuses_bad_syntax, 2 points: "refuses an address that is not in brackets, and goes on";
    "501 syntax (RFC 5321 section 4.1.2); what was said before still holds."
}

const MAIL: &str = "MAIL FROM:<alice@localhost>";
const RSET: &str = "RSET may come at any time";

fn wants_authentication(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    let cause = "whoever is not known may not send: a server that takes mail from everybody is used by \
                 everybody";
    client.ask(MAIL, &["530"], cause)?;
    client.ask("RCPT TO:<bob@localhost>", &["503"], "MAIL was refused: there is no transaction")?;
    client.ask("DATA", &["503"], "MAIL was refused: there is no transaction")?;
    Ok(())
}

fn wants_the_senders_own(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let cause = "alice has said who she is, and may write as herself only: authenticated is not the \
                 same as authorised";
    for address in
        ["bob@localhost", "bob", "zed@localhost", "alice@example.org", "alice@localhost.example"]
    {
        client.ask(&format!("MAIL FROM:<{address}>"), &["550"], cause)?;
        client.ask(
            "RCPT TO:<bob@localhost>",
            &["503"],
            "MAIL was refused: there is no transaction",
        )?;
    }
    for address in ["alice@localhost", "alice", "Alice@LOCALHOST"] {
        client.ask(
            &format!("MAIL FROM:<{address}>"),
            &["250"],
            "this is the sender's own address",
        )?;
        client.ask("RSET", &["250"], RSET)?;
    }
    Ok(())
}

fn knows_its_recipients(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    client.ask(MAIL, &["250"], "this is the sender's own address")?;
    let ours =
        "an address is NAME or NAME@localhost, whatever its case; the same one twice is right";
    for address in ["bob@localhost", "bob", "BOB@LOCALHOST", "carol@localhost", "alice@localhost"] {
        client.ask(&format!("RCPT TO:<{address}>"), &["250"], ours)?;
    }
    let foreign = "this is nobody of USERS: mail for others could not be handed on, and a server that \
                   says 250 promises just that";
    for address in [
        "zed@localhost",
        "zed",
        "bob@example.org",
        "bob@localhost.example",
        "bo",
        "bobby",
        "constructor",
    ] {
        client.ask(&format!("RCPT TO:<{address}>"), &["550"], foreign)?;
    }
    for address in ["@a:bob@localhost", "", "@localhost", "../bob", "bob/../alice"] {
        client.ask(&format!("RCPT TO:<{address}>"), &["501", "550"], foreign)?;
    }
    client.ask(
        "RCPT TO:<bob@localhost>",
        &["250"],
        "what was refused has not ended the transaction",
    )?;
    Ok(())
}

/// Different recipients of one message.
const MOST: usize = 100;

fn takes_100_recipients(t: &mut Trial) -> Verdict {
    let names: Vec<_> = (1..=MOST + 1).map(|number| format!("user-{number}")).collect();
    let list: String = names.iter().map(|name| format!("{name} secret\n")).collect();
    let mail = Mail::with(t, &(USERS.to_owned() + &list), NOBODY_IS_LATE)?;
    let mut client = mail.send_as(&ALICE)?;
    client.ask(MAIL, &["250"], "this is the sender's own address")?;
    let line = |name: &String| format!("RCPT TO:<{name}@localhost>\r\n");
    let lines: String = names[..MOST].iter().map(line).collect();
    client.send_as(lines.as_bytes(), "RCPT for 100 different users, in one write")?;
    for _ in 0..MOST {
        client.expect(&["250"], "100 recipients are allowed")?;
    }
    let enough =
        "one message has at most 100 recipients: the next one is refused, and the others stay";
    client.ask("RCPT TO:<user-101@localhost>", &["452"], enough)?;
    client.ask("RCPT TO:<user-1@localhost>", &["250"], "this one is a recipient already")?;
    client.ask("RCPT TO:<user-101@localhost>", &["452"], enough)?;
    client.ask("DATA", &["354", "451"], "there are 100 recipients: the transaction stands")?;
    Ok(())
}

fn reads_parameters(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let known = "curl, smtplib and others put these behind the address, in whatever case: an address \
                 ends with its `>`, and not with the line";
    for parameters in [
        "SIZE=77",
        "size=77",
        "SIZE=1048576",
        "SIZE=0",
        "BODY=8BITMIME",
        "BODY=7BIT",
        "AUTH=<>",
        "SIZE=77 BODY=8BITMIME",
        "body=8bitmime AUTH=alice@localhost size=5",
    ] {
        client.ask(&format!("{MAIL} {parameters}"), &["250"], known)?;
        client.ask("RSET", &["250"], RSET)?;
    }
    let large =
        "SIZE says how large the text will be: what is too large is refused before it is sent";
    for size in ["1048577", "9999999999", "99999999999999999999999999"] {
        client.ask(&format!("{MAIL} SIZE={size}"), &["552"], large)?;
    }
    let unknown = "a parameter that the server does not know may mean anything: 555";
    client.ask(&format!("{MAIL} X=1"), &["555"], unknown)?;
    client.ask(&format!("{MAIL} SIZE=77 RET=HDRS"), &["555"], unknown)?;
    client.ask(MAIL, &["250"], "what was refused has not begun a transaction")?;
    client.ask("RCPT TO:<bob@localhost> NOTIFY=NEVER", &["555"], unknown)?;
    client.ask("DATA", &["503"], "a recipient that was refused is not a recipient")?;
    client.ask("RCPT TO:<bob@localhost>", &["250"], "the transaction stands")?;
    Ok(())
}

fn refuses_bad_syntax(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    let cause = "an address stands in angle brackets behind FROM: or TO:, else it is 501: whatever the \
                 line is, it must not end the session";
    for line in [
        "MAIL",
        "MAIL F",
        "MAIL alice",
        "MAIL FROM",
        "MAIL FROM:",
        "MAIL FROM:alice@localhost",
        "MAIL FROM:<alice@localhost",
        "MAIL FROM:alice@localhost>",
        "MAIL TO:<alice@localhost>",
    ] {
        client.ask(line, &["501"], cause)?;
    }
    client.ask(MAIL, &["250"], "what was refused has not begun a transaction")?;
    for line in ["RCPT", "RCPT TO", "RCPT TO:", "RCPT TO:bob", "RCPT TO:<bob", "RCPT FROM:<bob>"] {
        client.ask(line, &["501"], cause)?;
    }
    client.ask("DATA", &["503"], "a recipient that was refused is not a recipient")?;
    client.ask("RCPT TO:<bob@localhost>", &["250"], "the transaction stands")?;
    Ok(())
}
