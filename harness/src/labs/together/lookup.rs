//! Your client that asks for names and your server that knows them.

use super::crosswise::Pair;
use crate::labs::names::Question;
use crate::net::{Fate, Rule};
use crate::trial::{Trial, Verdict};

checks! { $ together_lookup, "together" step 5:
    finds_an_address, 2 points: "your client gets an address from your name server";
    "`names ask` prints what `names serve` has in its zone."

    asks_through_losses, 3 points: "a question and an answer are lost, and the address is found";
    "A datagram may be lost on either way: the question is asked again, with the same id, three times in all."

    gets_what_does_not_fit, 2 points: "a text that does not fit into a datagram comes over TCP";
    "The server says TC, the client asks over TCP, and what is printed is whole."
}

const PAIR: Pair = Pair { client: "client", server: "name server" };

/// The client asks the server, over a wire that loses what these rules say; of the client's tries
/// `lost` are without an answer.
pub(super) fn look_up(t: &Trial, question: &Question, rules: &[Rule], lost: usize) -> Verdict {
    PAIR.judge(
        t,
        |t| question.both(t, rules),
        |t| question.client_alone(t, lost),
        |t| question.server_alone(t),
    )
}

fn finds_an_address(t: &mut Trial) -> Verdict {
    look_up(t, &Question::for_address([127, 0, 0, 8].into()), &[], 0)
}

fn asks_through_losses(t: &mut Trial) -> Verdict {
    // The first question never comes, and neither does the answer to the second one; what comes
    // in the end comes twice.
    let rules =
        [Rule::up(1, Fate::Dropped), Rule::down(1, Fate::Dropped), Rule::down(2, Fate::Doubled)];
    look_up(t, &Question::for_address([127, 0, 0, 8].into()), &rules, 2)
}

fn gets_what_does_not_fit(t: &mut Trial) -> Verdict {
    look_up(t, &Question::for_long_text(), &[], 0)
}
