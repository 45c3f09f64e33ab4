//! Step 2 of lab 5: `smtp`, the session and its states.

use super::Mail;
use super::reply::Protocol;
use crate::trial::{Trial, Verdict};

checks! { $ mail_session, "mail" step 2:
    answers_ehlo, 2 points: "says what it can do, to EHLO";
    "The EHLO reply has `localhost` and AUTH PLAIN, SIZE 1048576, 8BITMIME and PIPELINING, a line for each."
}

const KEYWORDS: [&str; 4] = ["AUTH PLAIN", "SIZE 1048576", "8BITMIME", "PIPELINING"];

fn answers_ehlo(t: &mut Trial) -> Verdict {
    let mail = Mail::start(t)?;
    let mut client = mail.call(Protocol::Smtp)?;
    let cause = "a client that says EHLO wants to know what the server can do: a line for each, the \
                 last one with a space behind its code";
    let reply = client.ask("EHLO client.example", &["250"], cause)?;
    let missing: Vec<_> = KEYWORDS.into_iter().filter(|word| !says(&reply.lines, word)).collect();
    if reply.lines.first().is_none_or(|line| !line.starts_with("localhost")) || !missing.is_empty()
    {
        return Err(t
            .fail("the reply to EHLO does not say all that it should")
            .expected(format!("a line with localhost, then lines with {}", KEYWORDS.join(", ")))
            .seen(format!("the lines {}", reply.lines.join(" / ")))
            .cause(cause)
            .stop());
    }
    client.expect_silence("one reply, in several lines")?;
    let mut client = mail.call(Protocol::Smtp)?;
    client.ask("HELO client.example", &["250"], "HELO is how EHLO was said before 1995")?;
    client.close();
    Ok(())
}

/// Whether a line but the first is this keyword, in whatever case.
fn says(lines: &[String], keyword: &str) -> bool {
    lines.iter().skip(1).any(|line| line.trim_end().eq_ignore_ascii_case(keyword))
}
