//! Replies: a code for programs, and a text for people.

/// The text of a reply, without its last line end.
pub type Reply = &'static str;

/// To EHLO: what this server can do, a line for each.
pub const EHLO: Reply =
    "250-localhost\r\n250-AUTH PLAIN\r\n250-SIZE 1048576\r\n250-8BITMIME\r\n250 PIPELINING";
/// To CAPA, the same for POP3. The line with the dot says that it is whole.
pub const CAPA: Reply =
    "+OK what this server can do\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\n.";
/// To a client that takes too long.
pub const TOO_SLOW: Reply = "421 localhost you take too long";

/// To what is not a command.
pub const UNKNOWN: Reply = "500 there is no such command";
/// The same in POP3, and to a command about a message that there is not.
pub const ERR: Reply = "-ERR there is no such command, or no such message";
/// To a text with a line that is longer than it may be.
pub const LINE_TOO_LONG: Reply = "500 this line is too long";
/// To a command that is not of its form.
pub const SYNTAX: Reply = "501 that is not how it is written";
/// To a command that comes too early, or twice.
pub const NOT_NOW: Reply = "503 not now";
/// To MAIL with a parameter that this server does not know.
pub const PARAMETER_UNKNOWN: Reply = "555 there is no such parameter";
/// To a message that is larger than it may be.
pub const TOO_LARGE: Reply = "552 this is more than 1048576 bytes";
/// To a message with a CR or an LF of its own.
pub const BARE_LINE_END: Reply = "554 every line ends with CRLF";
/// To a message that could not be stored: the client keeps it, and tries again later.
pub const NOT_STORED: Reply = "451 it could not be stored, try again later";
