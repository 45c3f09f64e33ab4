//! Step 1 of lab 5: `read_line`. What a reply says is a later step's matter: any will do here.

use std::rc::Rc;

use super::client::Client;
use super::reply::Protocol;
use super::{Mail, SECONDS, USERS};
use crate::contract::MORE;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};
use crate::words::quote_short;

checks! { $ mail_read_line, "mail" step 1:
    greets, 2 points: "speaks first, on both listeners";
    "A server greets whoever connects: 220 in SMTP (RFC 5321 section 3.1), +OK in POP3 (RFC 1939 section 4)."

    answers_a_line, 3 points: "answers a line";
    "A command is a line that ends with CRLF (RFC 5321 section 2.3.8): then it is answered."

    waits_for_the_line_end, 2 points: "does not answer before the line is whole";
    "Commands are ended by CRLF, and nothing else says that they are whole."

    takes_lines_in_pieces, 2 points: "reads lines that come byte by byte";
    "No program may depend on how bytes were cut into segments."

    answers_in_order, 3 points: "answers every line of one segment, in order";
    "Commands may come together (PIPELINING, RFC 2920); each gets its reply, in order."

    keeps_half_a_line_behind, 2 points: "keeps half a line for the next read";
    "What came behind a line belongs to the next one, and is not lost."

    a_bare_lf_ends_nothing, 2 points: "takes neither LF nor CR alone for the end of a line";
    "Ended by CRLF: a bare LF ends nothing (RFC 5321 section 2.3.8)."

    takes_the_longest_line, 2 points: "takes a line of 512 bytes";
    "A command has at most 512 bytes, its CRLF included (RFC 5321 section 4.5.3.1.4)."

    skips_a_longer_line, 2 points: "refuses a line of 513 bytes once, and is in step behind it";
    "A longer line is skipped to its CRLF and answered 500 or -ERR. The session goes on."

    ends_with_the_client, 2 points: "closes when the client has ended, without a word";
    "The end of the stream, also inside a line: closed without a word."

    survives_a_reset, 2 points: "survives a client that vanishes";
    "Reset, garbage or an early close ends that connection and nothing else."

    limits_silence, 2 points, patient: "lets a silent client go";
    "A whole line within SECONDS: else SMTP says 421 and closes, POP3 closes without a word."

    limits_a_dribble, 3 points, patient: "does not wait for ever for a line that dribbles";
    "A whole line within SECONDS, however it dribbles: a limit for each read is no limit."

    limits_a_line_that_is_skipped, 1 point, patient: "does not skip for ever";
    "A whole line within SECONDS, skipped lines too."

    bounds_a_line, 2 points, exotic: "does not collect a line that never ends";
    "A longer line is skipped to its CRLF in bounded memory."
}

const BOTH: [Protocol; 2] = [Protocol::Smtp, Protocol::Pop3];

const SPEAKS_FIRST: &str = "the server speaks first, as soon as a client is there";
const LINE: &str = "a command is whole when its CRLF has come, and is answered then, whether the client \
    ends its side or not";
const TOO_EARLY: &str = "only CRLF ends a line, both bytes of it: read on until it has come";
const IN_PIECES: &str = "a read returns what has come so far, be it a single byte: collect what comes, \
    and look for CRLF in all of it";
const BEHIND: &str = "a read may bring more than one line: what stands behind the first CRLF has to be \
    kept, and looked at before the next read";
const ONE_EACH: &str = "a line gets one reply, and no more";

fn greets(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.connect(protocol)?;
        let greeting = client.expect(&[protocol.greeting()], SPEAKS_FIRST)?;
        if protocol == Protocol::Pop3 && greeting.bytes.contains(&b'<') {
            return Err(t
                .fail("the greeting of POP3 promises what this server does not have")
                .expected("`+OK` and a text without `<`")
                .seen(quote_short(&greeting.bytes, 80))
                .cause(
                    "a client that finds `<…>` in the greeting says who it is with APOP (RFC 1939 \
                     section 7), which is out of scope here",
                )
                .stop());
        }
        client.expect_silence("after its greeting the server waits for the client")?;
        client.say("NOOP")?;
        client.expect_some_reply(LINE)?;
        client.close();
    }
    Ok(())
}

fn answers_a_line(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        client.say("NOOP")?;
        client.expect_some_reply(LINE)?;
        client.expect_silence(ONE_EACH)?;
        client.close();
    }
    Ok(())
}

fn waits_for_the_line_end(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        for part in [&b"NOO"[..], b"P\r"] {
            client.send(part)?;
            client.expect_silence(TOO_EARLY)?;
        }
        client.send(b"\n")?;
        client
            .expect_some_reply("CRLF has come, in two reads: look for it in all that has come")?;
        client.expect_silence(ONE_EACH)?;
        client.close();
    }
    Ok(())
}

fn takes_lines_in_pieces(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        for cut in [Cut::Bytes, Cut::Seed(5)] {
            mail.new_turn();
            let mut client = mail.call(protocol)?;
            client.send_cut(&b"NOOP\r\n".repeat(5), cut)?;
            for _ in 0..5 {
                client.expect_some_reply(IN_PIECES)?;
            }
            client.expect_silence(ONE_EACH)?;
            client.close();
        }
    }
    Ok(())
}

fn answers_in_order(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        client.send_as(&b"NOOP\r\n".repeat(20), "NOOP 20 times, in one write")?;
        for _ in 0..20 {
            client.expect_some_reply(BEHIND)?;
        }
        client.expect_silence(ONE_EACH)?;
        client.close();
    }
    Ok(())
}

fn keeps_half_a_line_behind(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    // A line that every session may begin with, and half of which is no command.
    for (protocol, line) in [(Protocol::Smtp, "NOOP\r\n"), (Protocol::Pop3, "USER bob\r\n")] {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        let (first, rest) = line.split_at(2);
        client.send(format!("{line}{first}").as_bytes())?;
        let whole = client.expect_some_reply(LINE)?;
        client.expect_silence(TOO_EARLY)?;
        client.send(rest.as_bytes())?;
        client.expect(&[&whole.sign], BEHIND)?;
        client.close();
    }
    Ok(())
}

fn a_bare_lf_ends_nothing(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        for part in [&b"NOOP\nNOOP\n"[..], b"NOOP\rNOOP\r"] {
            mail.new_turn();
            let mut client = mail.call(protocol)?;
            client.send(part)?;
            client.expect_silence(
                "LF alone ends no line, and CR alone does not either: programs that disagree about \
                 where a line ends read different commands",
            )?;
            client.send(b"NOOP\r\n")?;
            let all = "all up to CRLF is one line, which is no command: 500, or -ERR";
            client.expect(refusals(protocol), all)?;
            client.expect_silence(ONE_EACH)?;
            in_step(client)?;
        }
    }
    Ok(())
}

/// What a line is refused with that can't be a command.
fn refusals(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Smtp => &["500"],
        Protocol::Pop3 => &["-ERR"],
    }
}

/// The next line is one of its own, and gets one reply.
fn in_step(mut client: Client) -> Verdict {
    client.say("NOOP")?;
    client.expect_some_reply(IN_STEP)?;
    client.expect_silence(IN_STEP)?;
    client.close();
    Ok(())
}

const IN_STEP: &str = "the CRLF ends the line that was refused, and the next one is a command again: one line, \
    one reply";

/// A line of so many bytes with its CRLF: NOOP, and a word that nobody reads.
fn line_of(length: usize) -> Vec<u8> {
    let padding = "x".repeat(length - "NOOP \r\n".len());
    format!("NOOP {padding}\r\n").into_bytes()
}

fn takes_the_longest_line(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    // What a command with a word too many gets is not said; that it is too long is.
    let mut client = mail.call(Protocol::Smtp)?;
    client.send(&line_of(20))?;
    let short = client.expect_some_reply(LINE)?;
    client.send(&line_of(512))?;
    client.expect(&[&short.sign], "512 bytes are allowed, CRLF included: this line has as many")?;
    client.send_as(&line_of(512).repeat(3), "three lines of 512 bytes, in one write")?;
    for _ in 0..3 {
        client.expect(
            &[&short.sign],
            "the limit is for a line, and not for all that has been read ahead",
        )?;
    }
    in_step(client)
}

const ONE_REFUSAL: &str = "a line that is too long is one line: read on to its CRLF, throw it away, and \
    refuse it once";

fn skips_a_longer_line(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        for length in [513, 514, 1000, 5000, 1 << 20] {
            mail.new_turn();
            let mut client = mail.call(protocol)?;
            client.send_as(&line_of(length), &format!("a line of {length} bytes"))?;
            client.expect(refusals(protocol), ONE_REFUSAL)?;
            client.expect_silence(ONE_REFUSAL)?;
            in_step(client)?;
        }
    }
    // The end is cut where a reader may throw away the first half of it.
    for protocol in BOTH {
        for (length, cut) in [(513, Cut::Behind(&[512])), (514, Cut::Behind(&[513]))] {
            mail.new_turn();
            let mut client = mail.call(protocol)?;
            client.send_cut(&line_of(length), cut)?;
            client.expect(
                refusals(protocol),
                "the CRLF came in two reads, its CR with the last bytes that are skipped: the LF \
                 behind it ends the line",
            )?;
            in_step(client)?;
        }
    }
    Ok(())
}

fn ends_with_the_client(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let cause = "read returns 0: the client has ended. What came of a line is no line, and there is \
                 nobody to say anything to";
    for protocol in BOTH {
        for begun in [&b""[..], b"NOO", b"NOOP\r"] {
            mail.new_turn();
            let mut client = mail.call(protocol)?;
            if !begun.is_empty() {
                client.send(begun)?;
            }
            client.half_close()?;
            client.expect_end(cause)?;
            client.close();
        }
        let mut client = mail.call(protocol)?;
        client.say("NOOP")?;
        client.half_close()?;
        client.expect_some_reply("the line was whole before the client ended its sending side")?;
        client.expect_end(cause)?;
        client.close();
    }
    mail.expect_service()
}

fn survives_a_reset(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        client.send(b"NOOP\r\nNOOP")?;
        client.reset()?;
    }
    mail.expect_service()
}

const LET_GO: &str = "a client that says nothing must not be waited for for ever: give each read what is left \
    of the time, and stop when it is over";

/// The session ends because the client took too long.
fn expect_too_slow(mut client: Client, protocol: Protocol, cause: &str) -> Verdict {
    if protocol == Protocol::Smtp {
        client.expect(&["421"], cause)?;
    }
    client.expect_end(match protocol {
        Protocol::Smtp => "behind 421 the connection ends",
        Protocol::Pop3 => cause,
    })
}

fn limits_silence(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mail = Mail::with(t, USERS, Some(1))?;
    let clients = [mail.call(Protocol::Smtp)?, mail.call(Protocol::Pop3)?];
    for (client, protocol) in clients.into_iter().zip(BOTH) {
        expect_too_slow(client, protocol, LET_GO)?;
    }
    mail.expect_service()
}

fn limits_a_dribble(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mail = Mail::with(t, USERS, Some(1))?;
    let cause = "each byte came in time, and the line as a whole did not: the limit is for the whole \
                 line, so a read may only wait for what is left of it";
    for protocol in BOTH {
        mail.new_turn();
        let mut client = mail.call(protocol)?;
        client.dribble(b"NOOP ", b'x', cause)?;
        expect_too_slow(client, protocol, cause)?;
    }
    Ok(())
}

fn limits_a_line_that_is_skipped(t: &mut Trial) -> Verdict {
    t.allow_waiting(SECONDS);
    let mail = Mail::with(t, USERS, Some(1))?;
    let cause = "a line that is thrown away is a line, too: the time runs from its first byte, or from \
                 the end of the line before it, to its CRLF";
    let mut client = mail.call(Protocol::Smtp)?;
    client.send_as(&[b'x'; 2000], "2,000 bytes without an end")?;
    // That the line is too long can be said before its end has come, or not at all.
    if client.expect(&["421", "500"], cause)?.sign == "500" {
        client.expect(&["421"], cause)?;
    }
    client.expect_end("behind 421 the connection ends")
}

/// So much of a line without an end: more than any program needs for a line of 512 bytes.
const ENDLESS: usize = 8 << 20;

fn bounds_a_line(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    let running = Rc::clone(client.connection().running());
    let before = t.memory(&running)?;
    client.flood(&[b'x'; 64 << 10], ENDLESS)?;
    let bounded =
        t.expect_bounded(&running, before, ENDLESS, || client.flood(&[b'x'; 64 << 10], MORE));
    bounded.map_err(|stop| {
        stop.because(
            "of a line that is too long nothing is needed but the place where it ends: throw away \
             what has come before you read again",
        )
    })?;
    client.send(b"\r\n")?;
    client.expect(&["500"], ONE_REFUSAL)?;
    in_step(client)
}
