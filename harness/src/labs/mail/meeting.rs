//! A message that the student's own client hands over and fetches again, and each of the two
//! programs with the harness in the other's place.

use super::Mail;
use super::client::{on_the_way, response};
use super::deliver::stored;
use super::mailbox::{ALICE, BOB};
use super::reply::{Parsed, Protocol, parse};
use crate::net::Cut;
use crate::program::Given;
use crate::trial::{Progress, Trial, Verdict};
use crate::words::quote_short;

/// A message from alice to bob.
pub(in crate::labs) struct Message {
    text: Vec<u8>,
}

/// What a server answers to all that is handed over, in order.
const TAKEN: [&str; 8] = ["220", "250", "235", "250", "250", "354", "250", "221"];
const ALONE: &str = "each of the two is tried alone next";
const PROMISED: &str = "what 250 was said to stands in a file, and comes back byte for byte, also from a server \
    that was started again";

impl Message {
    /// With dots where a line can end too early, and one get lost.
    pub(in crate::labs) fn with_dots() -> Self {
        Self { text: b"Subject: dots\r\n\r\none\r\n.\r\n..two\r\n.three\r\n".to_vec() }
    }

    /// All that alice's client says.
    fn handed_over(&self) -> Vec<u8> {
        let lines = [
            "EHLO client".to_owned(),
            format!("AUTH PLAIN {}", response(&ALICE)),
            "MAIL FROM:<alice@localhost>".to_owned(),
            "RCPT TO:<bob@localhost>".to_owned(),
            "DATA".to_owned(),
        ];
        let lines = lines.map(|line| line + "\r\n").concat();
        [lines.as_bytes(), &on_the_way(&self.text), b"QUIT\r\n"].concat()
    }

    /// All that bob's client says.
    fn fetched() -> Vec<u8> {
        format!("USER {}\r\nPASS {}\r\nRETR 1\r\nQUIT\r\n", BOB.name, BOB.password).into_bytes()
    }

    /// The client hands it over, the server is killed and started again, and the client fetches it.
    pub(in crate::labs) fn both(&self, t: &Trial, cut: Cut) -> Verdict {
        let mail = Mail::start(t)?;
        let printed = type_into_a_client(t, &mail, Protocol::Smtp, cut, &self.handed_over())?;
        let signs = signs(&printed, Protocol::Smtp);
        if signs != TAKEN {
            return Err(t
                .fail("the client has not printed the replies to a message that is handed over")
                .expected(format!("replies with the codes {}", TAKEN.join(", ")))
                .seen(quote_short(&printed, 200))
                .cause(ALONE)
                .stop());
        }
        let mail = mail.kill_and_start_again()?;
        let printed = type_into_a_client(t, &mail, Protocol::Pop3, cut, &Self::fetched())?;
        let message = on_the_way(&stored(&self.text));
        if printed.windows(message.len()).any(|part| part == message) {
            t.note("the client has printed the message");
            return Ok(());
        }
        Err(t
            .fail("the client has not printed the message that was handed over")
            .expected(format!("among other lines {}", quote_short(&message, 200)))
            .seen(quote_short(&printed, 200))
            .cause(ALONE)
            .stop())
    }

    /// The harness is the mail server for alice's client.
    pub(in crate::labs) fn client_alone(&self, t: &Trial, cut: Cut) -> Verdict {
        let (client, mut server) = t.conversation()?;
        let said = self.handed_over();
        let answers = TAKEN.map(|code| format!("{code} OK\r\n")).concat();
        client.input(&said);
        client.end_input();
        server.expect(&said)?;
        server.send_cut(answers.as_bytes(), cut)?;
        server.half_close()?;
        client.expect_output(answers.as_bytes())?;
        client.expect_success()
    }

    /// The harness is the client.
    pub(in crate::labs) fn server_alone(&self, t: &Trial) -> Verdict {
        let mail = Mail::start(t)?;
        let mut alice = mail.call_as(Protocol::Smtp, &self.handed_over())?;
        for code in &TAKEN[1..] {
            alice.expect(&[code], "commands may come together: each gets its reply, in order")?;
        }
        let mail = mail.kill_and_start_again()?;
        let mut bob = mail.call_as(Protocol::Pop3, &Self::fetched())?;
        for _ in ["USER", "PASS", "RETR"] {
            bob.expect(&["+OK"], PROMISED)?;
        }
        bob.expect_text(&stored(&self.text), PROMISED)?;
        bob.expect(&["+OK"], "QUIT is answered +OK")?;
        bob.expect_end("behind its reply to QUIT the server ends the connection")
    }
}

/// What a client of the student's prints that is given this, and then the end of its input.
fn type_into_a_client(
    t: &Trial,
    mail: &Mail,
    protocol: Protocol,
    cut: Cut,
    input: &[u8],
) -> Verdict<Vec<u8>> {
    let wire = t.wire("the client", "the mail server", mail.service(protocol).address, cut)?;
    let client = t.client(Given::address(wire.address))?;
    client.input(input);
    client.end_input();
    // It ends with the session; that it does not is for the expectations to tell.
    let _ = t.wait(&client.running, || Ok(Progress::<()>::Nothing))?;
    let printed = client.running.program.stdout().head;
    client.expect_output(&printed)?;
    client.expect_success()?;
    wire.expect_carried(input, &printed)?;
    Ok(printed)
}

/// The signs of the replies that these bytes are.
fn signs(mut bytes: &[u8], protocol: Protocol) -> Vec<String> {
    let mut signs = Vec::new();
    while let Parsed::Whole(reply) = parse(bytes, protocol) {
        bytes = &bytes[reply.bytes.len()..];
        signs.push(reply.sign);
    }
    signs
}
