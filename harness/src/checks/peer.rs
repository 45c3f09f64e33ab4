//! The checks of lab 3, the peer.
//!
//! What is said on one connection is told by the files in `fixtures/conversations/03-peer`; in
//! the modules below is what takes several connections, several programs, or a look at the
//! kernel: a module for each step, and one for several real peers together.

mod broadcast;
mod conversations;
mod greet;
mod listen_and_dial;
mod receive;
mod together;

use broadcast::{
    forwards_nothing, is_not_held_up, keeps_to_the_limits, says_everything_before_it_leaves,
    survives_who_vanishes, talks, tells_everybody, tells_nobody_who_left, waits_for_the_others,
};
use conversations::keeps_to_every_conversation;
use greet::{
    greets, greets_without_waiting, keeps_both_connections, refuses_a_garbled_greeting,
    refuses_bad_names, refuses_other_first_lines, takes_any_good_name, tells_its_role,
    waits_for_a_silent_caller,
};
use listen_and_dial::{
    accepts_many, accepts_while_it_calls, calls_every_peer, goes_on_without_a_peer, is_idle_alone,
    listens_on_the_given_address, prints_the_ready_line, refuses_a_taken_port,
    refuses_bad_arguments, restarts_on_the_same_port,
};
use receive::{
    bounds_an_endless_line, goes_on_after_a_bad_peer, is_idle_among_peers,
    keeps_nothing_of_who_left, keeps_speakers_apart, notices_who_left, prints_what_is_said,
    refuses_a_longer_line, refuses_unknown_words, refuses_what_is_no_text,
    takes_everything_at_once, takes_the_longest_line,
};
use together::{
    comes_back_after_a_crash, meets_in_a_mesh, meets_in_either_order, stands_in_a_line,
    waits_for_a_frozen_peer,
};

checks! { $ "peer", peer_checks:
    listens_on_the_given_address, step 1, 2 points: "listens on the address that it was given";
    "A peer is a server, too: it listens on LISTEN and on nothing else."

    prints_the_ready_line, step 1, 2 points: "says where it listens, in one line";
    "It prints one line to stdout, flushed: `listening on 127.0.0.1:7001`, with the port that it really has."

    refuses_a_taken_port, step 1, 1 point: "says in one line that a port is taken";
    "What can't be done is said in one line on stderr that names the address and the cause; exit status 1."

    refuses_bad_arguments, step 1, 1 point: "survives bad arguments without a panic";
    "Missing arguments: one usage line on stderr, exit status 2. Never a panic."

    calls_every_peer, step 1, 3 points: "calls each peer that it was given, once";
    "It dials each PEER: one connection for each address on the command line."

    goes_on_without_a_peer, step 1, 2 points: "says who can't be reached, and goes on";
    "A PEER that can't be reached: one line on stderr, the peer goes on."

    accepts_many, step 1, 2 points: "accepts whoever calls, and survives who hangs up";
    "One bad peer is that peer's problem: an early close ends that connection and nothing else."

    accepts_while_it_calls, step 1, 3 points: "accepts calls while its own call is not answered";
    "A server and a client at once: it accepts in one thread while it dials the given peers."

    is_idle_alone, step 1, 1 point: "is blocked, not polling, while it is alone";
    "Quiet when idle: blocked in a call, under 1 % of processor time while nothing happens."

    restarts_on_the_same_port, step 1, 2 points: "can be restarted on its port at once";
    "A listener that was stopped can be started again on the same port at once, also over TIME_WAIT."

    greets, step 2, 3 points: "greets, and is greeted";
    "HELLO <name>: first line in each direction, both at once."

    greets_without_waiting, step 2, 3 points: "sends its HELLO without waiting for the other's";
    "The two HELLOs cross: if each side waited for the other's, both would wait for ever."

    tells_its_role, step 2, 2 points: "tells who joined, from where, and in which role";
    "`joined bob 127.0.0.1:7002 as client`: this side dialled; `as server`: it accepted."

    keeps_both_connections, step 2, 2 points: "keeps both connections when two peers call each other";
    "Two peers that dial each other get two connections and both are kept. A repeated name is allowed."

    waits_for_a_silent_caller, step 2, 2 points: "is not held up by a caller that says nothing";
    "Silence is no offence, and it must not delay anybody else."

    takes_any_good_name, step 2, 1 point: "takes a name of 32 characters";
    "A name: 1 to 32 of A-Z a-z 0-9 - _ (32 are not too many)."

    refuses_bad_names, step 2, 2 points: "refuses names that are none";
    "name: 1 to 32 of A-Z a-z 0-9 - _. Anything else: `bad peer`, and that connection is closed."

    refuses_other_first_lines, step 2, 2 points: "refuses a caller that does not say HELLO";
    "A missing HELLO: `bad peer`, and that connection is closed."

    refuses_a_garbled_greeting, step 2, 1 point: "refuses a greeting that is too long, or no text";
    "A line of more than 1,024 bytes, or bad UTF-8: `bad peer`, also in the greeting."

    prints_what_is_said, step 3, 3 points: "prints what a peer says, as it was said";
    "`bob: hello there`: one line an event, flushed, whatever the segments."

    takes_everything_at_once, step 3, 3 points: "understands HELLO, SAY and BYE in one segment";
    "TCP is a byte stream: no program may depend on how bytes were cut into segments."

    takes_the_longest_line, step 3, 1 point: "takes a line of 1,024 bytes";
    "Lines, ended by LF, UTF-8, at most 1,024 bytes with the LF."

    refuses_a_longer_line, step 3, 2 points: "refuses a line of 1,025 bytes";
    "A longer line: `bad peer`, and that connection is closed."

    bounds_an_endless_line, step 3, 2 points: "keeps no endless line in memory";
    "A line that never ends must not fill the memory: after 1,024 bytes it is too long."

    refuses_unknown_words, step 3, 2 points: "refuses a word that the protocol does not have";
    "An unknown word: `bad peer`, and that connection is closed."

    refuses_what_is_no_text, step 3, 1 point: "refuses a line that is not UTF-8";
    "Bad UTF-8 gets a protocol error, not a crash."

    notices_who_left, step 3, 3 points: "notices an end without BYE, a reset, a line cut off";
    "left bob: after BYE, an end of stream, or a reset alike."

    keeps_speakers_apart, step 3, 2 points: "keeps apart what several peers say at the same time";
    "Each connection is a stream of its own, with its own half of a line."

    goes_on_after_a_bad_peer, step 3, 2 points: "goes on with the others after a bad peer";
    "Protocol violation: that connection is closed, nothing else happens."

    keeps_nothing_of_who_left, step 3, 2 points: "has no more sockets and threads after 30 peers";
    "Descriptors and threads return to what they were: peers come and go."

    is_idle_among_peers, step 3, 2 points: "is blocked, not polling, while nobody speaks";
    "Quiet when idle, also with peers, with a caller that says nothing, and after one has left."

    tells_everybody, step 4, 3 points: "tells everybody what its user types";
    "Each line of stdin goes as SAY to all peers present."

    is_not_held_up, step 4, 3 points: "is not held up by a peer that stopped reading";
    "One that stopped reading delays nobody for long: two seconds at most."

    talks, step 4, 2 points: "talks: says, hears, and says again";
    "Once connected the two ends are equal: both speak when they like."

    tells_nobody_who_left, step 4, 2 points: "leaves out who has left, and nobody else";
    "A peer that left is dropped; the others hear every line."

    forwards_nothing, step 4, 1 point: "does not pass on what it hears";
    "Each line of stdin goes to all peers. What another peer says goes to nobody."

    keeps_to_the_limits, step 4, 1 point: "sends no line that the protocol forbids";
    "UTF-8, at most 1,024 bytes with the LF, whatever its user types."

    survives_who_vanishes, step 4, 2 points: "survives a peer that vanishes while it is told";
    "A write to a peer that has gone fails with BrokenPipe or ConnectionReset: the others are told."

    says_everything_before_it_leaves, step 4, 2 points: "says all that was typed, then BYE, and ends";
    "End of stdin: BYE to all, end all sending sides, wait for the others' ends, exit 0."

    waits_for_the_others, step 4, 2 points: "waits for the others' ends, and not for ever";
    "It waits for the others' ends (at most 2 s): closing before that could reset the connection."

    meets_in_either_order, step 4, 2 points: "meets another one, whichever was started first";
    "Two peers that know each other meet, whoever is started first."

    meets_in_a_mesh, step 4, 2 points: "talks in a group of three where all know each other";
    "Each line goes to every peer present, once."

    stands_in_a_line, step 4, 1 point: "stands between two that do not know each other";
    "A peer tells its own peers, and nobody else."

    comes_back_after_a_crash, step 4, 2 points: "is missed when it was killed, and welcome again";
    "A crash is an end like any other (left); the peer can come back on the same port."

    waits_for_a_frozen_peer, step 4, 2 points: "tolerates a peer that is frozen for a while";
    "A stopped process is not gone: its kernel takes what is sent, and it reads when it goes on."

    keeps_to_every_conversation, step 4, 2 points: "keeps to all other conversations of the course";
    "Every file in fixtures/conversations/03-peer is played; a file that is added there, too."
}
