//! What is likely wrong with a program that does not do its part, whatever its protocol.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What it says or prints is not whole.
pub(crate) const NO_LINE_END: &str = "what has come is not a line yet: a line ends with its LF (`\\n`), and \
    until then nobody can know that it is whole";
/// It says an empty line.
pub(crate) const EMPTY_LINE: &str = "an empty line: what is sent has its LF already, and writeln! and println! \
    add another one";
/// Its lines end with LF where the protocol has CRLF.
pub(crate) const BARE_LF: &str = "the line ends with LF (`\\n`) alone: in this protocol each line ends with \
    CRLF (`\\r\\n`), and writeln! sends LF";
/// It prints a line anew.
pub(crate) const AGAIN: &str = "the line before it has come again: read_until and read_line put what they read \
    after what is in the buffer already; clear it before each line";
/// It panics.
pub(crate) const PANIC: &str = "a panic: the last lines of standard error say where (unwrap and expect \
    panic). What a user, the network or another peer can cause is an error to handle";
/// It runs, and does nothing.
pub(crate) const BUSY: &str = "a loop that goes round without waiting: at the end of a stream, read \
    returns Ok(0) at once, now and for ever. That is not data, and no reason to read again";
/// It asks again and again.
pub(crate) const SPINS: &str = "a loop that asks again and again: a read that returns 0 is the end of the \
    stream, and will return 0 for ever; a non-blocking socket returns at once, with WouldBlock";
/// An exception that ended it.
pub(crate) const EXCEPTION: &str = "an exception that nobody handled: what a user, the network or another \
    program can cause is an error to catch and to report in one line";

/// A write that killed it.
pub(crate) const KILLED_BY_SIGPIPE: &str = "SIGPIPE: a write to a connection or a pipe that the other side has given \
    up kills a program that does not ignore this signal. Ignored (signal(SIGPIPE, SIG_IGN)), the \
    write returns the error EPIPE instead";

/// Whether that signal has ended it.
pub(crate) fn is_killed_by_sigpipe(status: ExitStatus) -> bool {
    status.signal() == Some(SIGPIPE)
}

/// Its number, on every system.
const SIGPIPE: i32 = 13;

/// What in many languages tells of an exception or a panic that nobody handled.
const UNHANDLED: [(&str, &str); 9] = [
    (" panicked at ", PANIC),
    ("Traceback (most recent call last)", EXCEPTION),
    ("Exception in thread ", EXCEPTION),
    ("Unhandled exception", EXCEPTION),
    ("Unhandled 'error' event", EXCEPTION),
    // The last line of what Node says of one.
    ("Node.js v", EXCEPTION),
    ("terminate called after throwing", EXCEPTION),
    ("panic: ", EXCEPTION),
    ("\tfrom ", EXCEPTION),
];

/// The cause, where the program's standard error tells of an error that nobody handled.
pub(crate) fn unhandled(stderr: &[String]) -> Option<&'static str> {
    let told = |sign: &str| stderr.iter().any(|line| line.contains(sign));
    UNHANDLED.iter().find(|(sign, _)| told(sign)).map(|(_, cause)| *cause)
}
