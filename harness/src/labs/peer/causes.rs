//! What is likely wrong with a peer that does not do its part.

/// It does not greet.
pub(crate) const GREETING: &str = "the first line in each direction is HELLO and a name; both sides send it \
    at once: if each waited for the other's, both would wait for ever";
/// It does not say who joined.
pub(crate) const JOINED: &str = "when both greetings are there, the peer prints one line, flushed: joined, \
    the other's name, the address of the other end of the connection (peer_addr), and its own role: \
    `as client` where it has dialled, `as server` where it has accepted";
/// It does not print what was said.
pub(crate) const SAID: &str = "each SAY is printed once, as `name: text`, on standard output, flushed; the \
    text is all that stands between `SAY ` and the line end";
/// It does not say who left, or does not close.
pub(crate) const LEFT: &str = "a peer that has said BYE, ended its stream or was reset has left: one line says \
    so, its connection is closed, and it is in no list any more";
/// It does not say that a peer broke the protocol, or does not close.
pub(crate) const BAD: &str = "a line that breaks the protocol is one line on standard output, `bad peer \
    ADDRESS: REASON`, and the end of that connection. Words, names and lengths have to be compared \
    whole";
/// It does not tell the others.
pub(crate) const TELLS: &str = "each line of standard input is sent once to every peer that is present, as \
    `SAY ` and the line, ended by LF; whoever hears it is present as before";
/// It does not leave in good order.
pub(crate) const LEAVING: &str = "at the end of standard input: BYE to all, the end of each sending side, a \
    wait for the others' ends of two seconds at most, and exit status 0";
/// It tells others what is not for them.
pub(crate) const NOT_FOR_IT: &str = "a connection carries HELLO, what this peer's own user types, and BYE: who joins, \
    who leaves and what others say is printed, and passed on to nobody";
