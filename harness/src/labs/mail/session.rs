//! Step 2 of lab 5: `smtp`, the session and its states. Who may speak stands in `auth`, and who
//! writes to whom in `envelope`.

use super::Mail;
use super::client::Client;
use super::mailbox::ALICE;
use super::reply::Protocol;
use crate::trial::{Trial, Verdict};

checks! { $ mail_session, "mail" step 2:
    answers_ehlo, 2 points: "says what it can do, to EHLO";
    "The EHLO reply has `localhost` and AUTH PLAIN, SIZE 1048576, 8BITMIME and PIPELINING, a line for each."

    takes_any_hello_name, 1 point: "takes any name behind EHLO and HELO";
    "EHLO x, HELO x (any word): 250. What a client calls itself is not looked at."

    wants_a_hello, 2 points: "wants EHLO before anything else";
    "503 before EHLO or HELO (RFC 5321 section 4.1.4); EHLO without a name is 501."

    keeps_the_order, 3 points: "lets MAIL, RCPT and DATA come in this order only";
    "RCPT before MAIL, DATA without a recipient, MAIL twice: 503 (RFC 5321 section 4.1.4)."

    begins_anew, 3 points: "forgets the transaction, and not who the sender is";
    "A transaction is over after DATA's last reply, RSET, EHLO and HELO; authentication stays."

    ignores_case, 1 point: "reads commands in upper and lower case";
    "Commands are compared without regard to case (RFC 5321 section 2.4), and so are names and the domain."

    knows_the_rest, 2 points: "has an answer for every other command";
    "NOOP 250, VRFY 252; STARTTLS, HELP, EXPN, BDAT, ETRN 502; anything else 500. The session goes on."

    says_goodbye, 2 points: "answers QUIT and closes, without waiting for the client";
    "QUIT: 221 and close (RFC 5321 section 4.1.1.10)."

    pipelines_a_session, 2 points: "answers a session that comes in one segment, with its end";
    "Commands may come together (PIPELINING); each gets its reply, in order, and then the connection ends."
}

const KEYWORDS: [&str; 4] = ["AUTH PLAIN", "SIZE 1048576", "8BITMIME", "PIPELINING"];

fn answers_ehlo(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    let cause = "a client that says EHLO wants to know what the server can do: a line for each, the \
                 last one with a space behind its code";
    let reply = client.ask("EHLO client.example", &["250"], cause)?;
    let says =
        |word: &&str| reply.lines.iter().any(|line| line.trim_end().eq_ignore_ascii_case(word));
    let names_itself = reply.lines[0].to_ascii_lowercase().starts_with("localhost");
    if !names_itself || !KEYWORDS.iter().all(says) {
        return Err(t
            .fail("the reply to EHLO does not say all that it should")
            .expected(format!("localhost, and then lines with {}", KEYWORDS.join(", ")))
            .seen(format!("the lines {}", reply.lines.join(" / ")))
            .cause(cause)
            .stop());
    }
    client.expect_silence("one command gets one reply, be it of several lines")?;
    client.close();
    let mut client = mail.call(Protocol::Smtp)?;
    let reply =
        client.ask("HELO client.example", &["250"], "HELO is EHLO as it was before 1995")?;
    if reply.lines.len() == 1 {
        return Ok(());
    }
    Err(t
        .fail("the reply to HELO has several lines")
        .expected("one line: 250")
        .seen(format!("the lines {}", reply.lines.join(" / ")))
        .cause("a client that says HELO does not know that a reply may say what a server can do")
        .stop())
}

fn takes_any_hello_name(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    let cause = "what a client calls itself says nothing that could be trusted: curl says the name of \
                 a file, smtplib an address in brackets";
    for name in ["mail.txt", "[127.0.0.1]", "x", "under_score", "[IPv6:::1]"] {
        client.ask(&format!("EHLO {name}"), &["250"], cause)?;
        client.ask(&format!("HELO {name}"), &["250"], cause)?;
    }
    Ok(())
}

const NOT_YET: &str = "what may be said depends on what was said before: a session begins with EHLO or \
    HELO and a name";

fn wants_a_hello(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    client.ask("AUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=", &["503"], NOT_YET)?;
    // The sender is not known, either.
    client.ask("MAIL FROM:<alice@localhost>", &["503", "530"], NOT_YET)?;
    client.ask("RCPT TO:<bob@localhost>", &["503"], NOT_YET)?;
    client.ask("DATA", &["503"], NOT_YET)?;
    for hello in ["EHLO", "HELO"] {
        client.ask(hello, &["501"], "a client has to say what it calls itself")?;
        client.ask("MAIL FROM:<alice@localhost>", &["503", "530"], "that was no EHLO yet")?;
    }
    client.ask("NOOP", &["250"], "NOOP may come at any time")?;
    client.ask("RSET", &["250"], "RSET may come at any time")?;
    client.ask("EHLO client.example", &["250"], "now the session begins")?;
    client.ask(
        "MAIL FROM:<alice@localhost>",
        &["530"],
        "the session has begun, and nobody is known",
    )?;
    Ok(())
}

const MAIL: &str = "MAIL FROM:<alice@localhost>";
const RCPT: &str = "RCPT TO:<bob@localhost>";
const ORDER: &str =
    "a transaction is MAIL, then RCPT once or more, then DATA: remember how far it has come";

fn keeps_the_order(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    client.ask(RCPT, &["503"], ORDER)?;
    client.ask("DATA", &["503"], ORDER)?;
    client.ask(MAIL, &["250"], "the sender is known, and the address is the sender's own")?;
    client.ask(MAIL, &["503"], "a transaction has begun, and has to end before the next one")?;
    client.ask("DATA", &["503"], "nobody has been named to whom the text could go")?;
    client.ask("RCPT TO:<zed@localhost>", &["550"], "there is no zed in USERS")?;
    client.ask("DATA", &["503"], "a recipient that was refused is not a recipient")?;
    client.ask(RCPT, &["250"], "what was refused before has not ended the transaction")?;
    client.ask(MAIL, &["503"], "a transaction has begun, and has to end before the next one")?;
    client.ask(RCPT, &["250"], "MAIL was refused, and the transaction stands")?;
    Ok(())
}

const FORGET: &str = "this has ended the transaction: its recipients are forgotten, or the next message \
    goes to strangers";
const STAYS: &str =
    "AUTH belongs to the connection and not to the transaction: the sender stays known";

fn begins_anew(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.send_as(&ALICE)?;
    for end in ["RSET", "EHLO again.example", "HELO again.example"] {
        client.ask(MAIL, &["250"], STAYS)?;
        client.ask(RCPT, &["250"], ORDER)?;
        client.ask(end, &["250"], "it may come at any time")?;
        client.ask("DATA", &["503"], FORGET)?;
        client.ask(RCPT, &["503"], FORGET)?;
        client.ask(MAIL, &["250"], STAYS)?;
        client.ask("DATA", &["503"], FORGET)?;
        client.ask("RSET", &["250"], "it may come at any time")?;
    }
    client.ask(MAIL, &["250"], STAYS)?;
    client.ask(RCPT, &["250"], ORDER)?;
    send_any_text(&mut client)?;
    client.ask("DATA", &["503"], FORGET)?;
    client.ask(RCPT, &["503"], FORGET)?;
    client.ask(MAIL, &["250"], STAYS)?;
    client.ask("DATA", &["503"], FORGET)?;
    Ok(())
}

/// DATA and a text. Where the later steps are not written yet it is refused at once.
fn send_any_text(client: &mut Client) -> Verdict {
    let reply = client.ask("DATA", &["354", "451"], ORDER)?;
    if reply.sign == "354" {
        client.send(b"hello\r\n.\r\n")?;
        client.expect_some_reply("the text has ended, and its reply ends the transaction")?;
    }
    Ok(())
}

fn ignores_case(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    let cause = "verbs, keywords, names and the domain are the same in upper and lower case";
    for (line, sign) in [
        ("ehlo client.example", "250"),
        ("auth plain AGFsaWNlAHdvbmRlcmxhbmQ=", "235"),
        ("Mail from:<ALICE@LocalHost>", "250"),
        ("rcpt To:<BOB@LOCALHOST>", "250"),
        ("rSeT", "250"),
        ("vrfy bob", "252"),
        ("noop", "250"),
        ("quit", "221"),
    ] {
        client.ask(line, &[sign], cause)?;
    }
    Ok(())
}

fn knows_the_rest(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.greeted()?;
    client.ask("NOOP", &["250"], "NOOP does nothing, and says so")?;
    client.ask("VRFY bob", &["252"], "whether there is a bob is not told to everybody: 252")?;
    let not_here = "a command that SMTP has and this server has not: 502";
    for line in ["STARTTLS", "HELP", "EXPN bob", "BDAT 5", "ETRN x"] {
        client.ask(line, &["502"], not_here)?;
    }
    let unknown = "a command that SMTP does not have: 500, and the session goes on";
    for line in [&b"FOO"[..], b"", b"GET / HTTP/1.1", b"NOOP\xff", b"\xc3\xa9", b"NO\0OP", b"NOOPS"]
    {
        client.send(&[line, b"\r\n"].concat())?;
        client.expect(&["500"], unknown)?;
    }
    client.ask("NOOP", &["250"], "whatever was refused before, the session goes on")?;
    client.expect_silence("one line, one reply")
}

fn says_goodbye(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let cause = "behind 221 the server closes: a client that waits for the end waits for it, and the \
                 server must not wait for the client's";
    for before in [false, true] {
        let mut client = if before { mail.greeted()? } else { mail.call(Protocol::Smtp)? };
        client.ask("QUIT", &["221"], "QUIT may come at any time")?;
        client.expect_end(cause)?;
        client.close();
    }
    let mut client = mail.greeted()?;
    client.send(b"QUIT\r\nNOOP\r\nNOOP\r\n")?;
    client.expect(&["221"], "QUIT may come at any time")?;
    client.expect_end("behind QUIT nothing is answered, and an orderly end is no reset")?;
    mail.expect_service()
}

fn pipelines_a_session(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    client.send_as(
        b"EHLO client.example\r\nAUTH PLAIN AGFsaWNlAHdvbmRlcmxhbmQ=\r\nMAIL FROM:<alice>\r\n\
          RCPT TO:<bob>\r\nRCPT TO:<zed>\r\nRCPT TO:<carol>\r\nRSET\r\nQUIT\r\n",
        "EHLO, AUTH, MAIL, RCPT for bob, zed and carol, RSET and QUIT in one write",
    )?;
    client.half_close()?;
    for sign in ["250", "235", "250", "250", "550", "250", "250", "221"] {
        client.expect(&[sign], "each command of the segment gets its reply, in their order")?;
    }
    client.expect_end("after QUIT the connection ends")
}
