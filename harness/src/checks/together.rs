//! The student's own programs together, through a wire of the harness's that records what each
//! of them sends.
//!
//! Where a client and a server fail together, each is tried once more with the harness in the
//! other's place: so the fault is laid at the right door.

mod pair;
mod peers;

use pair::{
    keeps_others_waiting, notices_a_killed_server, passes_a_line, passes_every_byte,
    passes_much_both_ways, passes_nothing, passes_single_bytes, serves_one_after_another,
    survives_a_killed_client, talks_in_turns,
};
use peers::{
    meets_in_a_mesh_of_wires, notices_a_cut_wire, says_exactly_what_is_typed,
    understands_single_bytes,
};

checks! { $ "together", together_checks:
    passes_a_line, step 1, 3 points: "a line goes to your server and comes back";
    "What a client sends, an echo server sends back: on the client's stdout are exactly these bytes."

    passes_every_byte, step 1, 3 points: "bytes of every value come back unchanged";
    "Bytes, not text: both ways, byte for byte."

    passes_nothing, step 1, 2 points: "an empty input ends both sides in good order";
    "The end of the input ends the client's sending side; the server then ends its own; exit status 0."

    talks_in_turns, step 1, 2 points: "each line is answered before the next is typed";
    "What arrives is on stdout at once; what is typed is sent at once."

    passes_single_bytes, step 1, 2 points: "nothing changes when each byte travels alone";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    passes_much_both_ways, step 1, 3 points: "6 MiB go there and back at the same time";
    "Both directions at once: a client that writes everything before it reads deadlocks against an echo server."

    serves_one_after_another, step 1, 2 points: "three clients are served one after another";
    "The server closes when a client has ended, and accepts the next, for ever."

    keeps_others_waiting, step 1, 2 points: "a second client gets its turn when the first has ended";
    "An iterative server accepts one client at a time; the others wait in the queue, and lose nothing."

    survives_a_killed_client, step 1, 2 points: "a killed client is no trouble for the next one";
    "One bad client is that client's problem: it ends that connection and nothing else."

    notices_a_killed_server, step 1, 3 points: "a killed server ends its client, and comes back";
    "The end of the server's side ends the client; a listener that was stopped can be started again at once."

    says_exactly_what_is_typed, step 2, 3 points: "two peers say exactly what their users type";
    "HELLO <name>, then SAY <text> for each line of stdin, and BYE: nothing else is on the wire."

    understands_single_bytes, step 2, 2 points: "two peers talk while each byte travels alone";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    notices_a_cut_wire, step 2, 2 points: "both ends of a cut wire notice, and go on with the others";
    "`left bob`: after BYE, an end of stream, or a reset alike."

    meets_in_a_mesh_of_wires, step 2, 3 points: "three peers in a mesh carry each line once on each wire";
    "Each line of stdin goes as SAY to all peers present, and nobody passes on what others say."
}
