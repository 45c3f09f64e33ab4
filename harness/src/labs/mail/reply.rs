//! Replies, read as strictly as a client that trusts nobody reads them.

use crate::words::quote_short;

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::labs) enum Protocol {
    /// By those who send mail.
    Smtp,
    /// By those who fetch it.
    Pop3,
}

impl Protocol {
    /// Its name, as it stands in the ready line.
    pub(in crate::labs) fn name(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Pop3 => "POP3",
        }
    }

    /// What the server says first.
    pub(super) fn greeting(self) -> &'static str {
        match self {
            Self::Smtp => "220",
            Self::Pop3 => "+OK",
        }
    }
}

/// One whole reply: of POP3 its first line, whatever follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::labs) struct Reply {
    /// What it says to programs: `250`, `+OK`, `-ERR`.
    pub(in crate::labs) sign: String,
    /// What it says to people, a line for each.
    pub(in crate::labs) lines: Vec<String>,
    /// Its bytes.
    pub(in crate::labs) bytes: Vec<u8>,
}

/// What the beginning of a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Whole(Reply),
    /// It may become a reply: what is missing.
    Part(&'static str),
    /// It never will.
    Wrong(Fault),
}

/// Why bytes are not a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) expected: &'static str,
    pub(super) seen: String,
    pub(super) cause: &'static str,
}

/// Bytes of a line that are shown.
const SHOWN: usize = 80;
/// No line of a reply is longer: RFC 5321 and RFC 1939 allow 512 bytes.
const LONGEST_LINE: usize = 4096;

/// Reads the reply that `bytes` begin with.
pub(super) fn parse(bytes: &[u8], protocol: Protocol) -> Parsed {
    match protocol {
        Protocol::Smtp => parse_smtp(bytes),
        Protocol::Pop3 => match line_of(bytes) {
            Ok(line) => parse_pop3(line),
            Err(otherwise) => otherwise,
        },
    }
}

/// The first line with its CRLF.
fn line_of(bytes: &[u8]) -> Result<&[u8], Parsed> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) if bytes[..end].ends_with(b"\r") => Ok(&bytes[..=end]),
        Some(end) => Err(Parsed::Wrong(Fault {
            expected: "lines that end with CRLF (\\r\\n)",
            seen: quote_short(&bytes[..=end], SHOWN),
            cause: "each line of a reply ends with CRLF, and writeln! sends LF alone",
        })),
        None if bytes.len() > LONGEST_LINE => Err(Parsed::Wrong(Fault {
            expected: "a line that ends with CRLF (\\r\\n)",
            seen: quote_short(bytes, SHOWN),
            cause: "a line of a reply has at most 512 bytes",
        })),
        None => Err(Parsed::Part("the CRLF that ends the line")),
    }
}

fn parse_smtp(bytes: &[u8]) -> Parsed {
    let (mut sign, mut lines, mut at) = (String::new(), Vec::new(), 0);
    loop {
        let line = match line_of(&bytes[at..]) {
            Ok(line) => line,
            Err(Parsed::Part(_)) if at > 0 => return Parsed::Part(LAST_LINE),
            Err(otherwise) => return otherwise,
        };
        at += line.len();
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r\n").unwrap_or(line));
        let code = text.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let (Some(code), behind) = (code, text.get(3..4).unwrap_or(" ")) else {
            return Parsed::Wrong(no_code(line));
        };
        if !matches!(behind, " " | "-") || !matches!(&code[..1], "2" | "3" | "4" | "5") {
            return Parsed::Wrong(no_code(line));
        }
        if !lines.is_empty() && sign != code {
            return Parsed::Wrong(Fault {
                expected: "the same code in all lines of one reply",
                seen: quote_short(&bytes[..at], SHOWN),
                cause: "a reply of several lines has the same code in each (RFC 5321 section 4.2.1)",
            });
        }
        code.clone_into(&mut sign);
        lines.push(text.get(4..).unwrap_or_default().to_owned());
        if behind == " " {
            return Parsed::Whole(Reply { sign, lines, bytes: bytes[..at].to_vec() });
        }
    }
}

const LAST_LINE: &str =
    "the last line, with a space behind the code: `250-` says that another line follows";

fn no_code(line: &[u8]) -> Fault {
    Fault {
        expected: "three digits, then a space, or `-` where another line of the reply follows",
        seen: quote_short(line, SHOWN),
        cause: "programs read the code, and people the text behind it (RFC 5321 section 4.2)",
    }
}

fn parse_pop3(line: &[u8]) -> Parsed {
    let text = String::from_utf8_lossy(line.strip_suffix(b"\r\n").unwrap_or(line)).into_owned();
    let (sign, rest) = text.split_once(' ').unwrap_or((&text, ""));
    if !matches!(sign, "+OK" | "-ERR") {
        return Parsed::Wrong(Fault {
            expected: "`+OK` or `-ERR`, and a text behind a space",
            seen: quote_short(line, SHOWN),
            cause: "in POP3 a reply begins with +OK or -ERR, in capitals (RFC 1939 section 3)",
        });
    }
    Parsed::Whole(Reply {
        sign: sign.to_owned(),
        lines: vec![rest.to_owned()],
        bytes: line.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &str, protocol: Protocol) -> Result<(String, Vec<String>, usize), Parsed> {
        match parse(bytes.as_bytes(), protocol) {
            Parsed::Whole(reply) => Ok((reply.sign, reply.lines, reply.bytes.len())),
            other => Err(other),
        }
    }

    #[test]
    fn a_reply_of_smtp_goes_to_the_line_with_a_space_behind_its_code() {
        let told = |sign: &str, lines: &[&str], length| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            Ok((sign.to_owned(), lines, length))
        };
        let smtp = |bytes| parsed(bytes, Protocol::Smtp);
        assert_eq!(smtp("250 OK\r\n250 OK\r\n"), told("250", &["OK"], 8));
        assert_eq!(smtp("250-a\r\n250-b\r\n250 c\r\n"), told("250", &["a", "b", "c"], 21));
        assert_eq!(smtp("334 \r\n"), told("334", &[""], 6));
        assert_eq!(smtp("221\r\n"), told("221", &[""], 5));
        assert_eq!(smtp("250-a\r\n"), Err(Parsed::Part(LAST_LINE)));
        for bad in
            ["250-a\r\n251 b\r\n", "250 OK\n", "25 OK\r\n", "+OK\r\n", "150 x\r\n", "2500 x\r\n"]
        {
            assert!(matches!(smtp(bad), Err(Parsed::Wrong(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_reply_of_pop3_is_good_or_bad() {
        let pop3 = |bytes| parsed(bytes, Protocol::Pop3);
        assert_eq!(pop3("+OK 2 320\r\n"), Ok(("+OK".into(), vec!["2 320".into()], 11)));
        assert_eq!(pop3("-ERR\r\n"), Ok(("-ERR".into(), vec![String::new()], 6)));
        assert!(matches!(pop3("+O"), Err(Parsed::Part(_))));
        for bad in ["+ok\r\n", "+OKAY\r\n", "250 OK\r\n", "+OK\n"] {
            assert!(matches!(pop3(bad), Err(Parsed::Wrong(_))), "{bad:?}");
        }
    }
}
