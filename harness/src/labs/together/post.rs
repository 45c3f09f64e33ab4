//! Your client as two people's mail program, and your mail server: what is typed is a session.

use super::crosswise::Pair;
use crate::labs::mail::Message;
use crate::net::Cut;
use crate::trial::{Trial, Verdict};

checks! { $ together_post, "together" step 4:
    passes_mail_on, 3 points: "your client hands over a message, and fetches it after a crash";
    "Alice's client has gone when bob's comes, and the server was killed in between: the message is there."

    passes_mail_byte_by_byte, 2 points: "nothing changes when each byte of it travels alone";
    "TCP is a byte stream: neither a command nor the dot may depend on how it was cut into segments."
}

const PAIR: Pair = Pair { client: "client", server: "mail server" };

fn pass_on(t: &Trial, cut: Cut) -> Verdict {
    let message = Message::with_dots();
    PAIR.judge(
        t,
        |t| message.both(t, cut),
        |t| message.client_alone(t, cut),
        |t| message.server_alone(t),
    )
}

fn passes_mail_on(t: &mut Trial) -> Verdict {
    pass_on(t, Cut::Whole)
}

fn passes_mail_byte_by_byte(t: &mut Trial) -> Verdict {
    pass_on(t, Cut::Bytes)
}
