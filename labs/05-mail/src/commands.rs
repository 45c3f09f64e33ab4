//! Commands and addresses, taken apart.

use std::io;

use crate::replies::{PARAMETER_UNKNOWN, Reply, SYNTAX, TOO_LARGE};
use crate::wire::{Line, Wire};
use crate::{LARGEST_TEXT, LONGEST_COMMAND, read_line};

/// The verb of a command line, in upper case, and all that stands behind the one space after it.
/// `None` for a line with bytes that no command has.
pub fn command(line: &[u8]) -> Option<(String, &str)> {
    let text = str::from_utf8(line).ok()?;
    if !text.is_ascii() || text.contains(['\0', '\r', '\n']) {
        return None;
    }
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some((verb.to_ascii_uppercase(), rest))
}

/// The next line that may be a command, its verb and the rest as [`command`] has them; `None` when
/// the stream has ended. What is too long, or has bytes that no command has, is answered with
/// `refusal`, and the line after it is tried.
pub fn next_command(wire: &mut Wire, refusal: Reply) -> io::Result<Option<(String, String)>> {
    loop {
        let line = read_line(wire, LONGEST_COMMAND)?;
        let parts = match &line {
            Line::Text(line) => command(line),
            Line::TooLong => None,
            Line::End => break Ok(None),
        };
        match parts {
            Some((verb, rest)) => break Ok(Some((verb, rest.to_owned()))),
            None => wire.say(refusal)?,
        }
    }
}

/// What MAIL and RCPT name: an address, and what is said about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// What stands between `<` and `>`.
    pub address: &'a str,
    /// What stands behind it: `SIZE=200`.
    pub parameters: Vec<&'a str>,
}

/// Takes `FROM:<alice@localhost> SIZE=200` apart, where `keyword` is `FROM:`. `None` where it is
/// not of that form.
pub fn path<'a>(rest: &'a str, keyword: &str) -> Option<Path<'a>> {
    let (begin, rest) = rest.split_at_checked(keyword.len())?;
    if !begin.eq_ignore_ascii_case(keyword) {
        return None;
    }
    // No space belongs there (RFC 5321 section 3.3), and many clients put one there.
    let (address, behind) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    let is_apart = behind.is_empty() || behind.starts_with(' ');
    let is_plain = !address.contains(['<', ' ']);
    let parameters = behind.split_whitespace().collect();
    (is_apart && is_plain).then_some(Path { address, parameters })
}

impl Path<'_> {
    /// Whether MAIL may have these parameters: SIZE, BODY and AUTH, each with a value. The reply
    /// that refuses them where it may not.
    pub fn check_parameters(&self) -> Result<(), Reply> {
        for parameter in &self.parameters {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.to_ascii_uppercase().as_str() {
                "SIZE" if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) => {
                    return Err(SYNTAX);
                }
                // More digits than a number can have are too large, too.
                "SIZE" if value.parse().map_or(true, |size: usize| size > LARGEST_TEXT) => {
                    return Err(TOO_LARGE);
                }
                "SIZE" | "BODY" | "AUTH" => {}
                _ => return Err(PARAMETER_UNKNOWN),
            }
        }
        Ok(())
    }
}

/// The user whose address this is, in small letters: `alice` of `Alice@localhost` and of `ALICE`.
/// `None` for an address elsewhere. Whether there is such a user is not asked.
pub fn user_of(address: &str) -> Option<String> {
    let address = address.to_ascii_lowercase();
    match address.split_once('@') {
        Some((name, "localhost")) => Some(name.to_owned()),
        Some(_) => None,
        None => Some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_verb_and_the_rest_of_the_line() {
        assert_eq!(command(b"pass builder 1 "), Some(("PASS".to_owned(), "builder 1 ")));
        assert_eq!(command(b"Quit"), Some(("QUIT".to_owned(), "")));
        assert_eq!(command(b""), Some((String::new(), "")));
        for bad in [&b"NOOP\xff"[..], b"N\0", b"NOOP\nNOOP", b"NOOP\r", "NOOP \u{e9}".as_bytes()] {
            assert_eq!(command(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_path_is_an_address_and_its_parameters() {
        let is = |address, parameters: &[&'static str]| {
            Some(Path { address, parameters: parameters.to_vec() })
        };
        assert_eq!(path("FROM:<a@b>", "FROM:"), is("a@b", &[]));
        assert_eq!(path("from: <> size=5 BODY=7BIT", "FROM:"), is("", &["size=5", "BODY=7BIT"]));
        for bad in ["", "alice", "FROM:alice", "TO:<a>", "FROM:<a", "FROM:<a>b", "FROM:<a b>"] {
            assert_eq!(path(bad, "FROM:"), None, "{bad}");
        }
    }

    #[test]
    fn the_parameters_of_mail_are_size_body_and_auth() {
        let check = |text| path(text, "FROM:").map(|path| path.check_parameters());
        assert_eq!(check("FROM:<a> size=1048576 body=8BITMIME AUTH=<>"), Some(Ok(())));
        assert_eq!(check("FROM:<a> SIZE=1048577"), Some(Err(TOO_LARGE)));
        assert_eq!(check("FROM:<a> SIZE=99999999999999999999999"), Some(Err(TOO_LARGE)));
        assert_eq!(check("FROM:<a> SIZE=+1"), Some(Err(SYNTAX)));
        assert_eq!(check("FROM:<a> X=1"), Some(Err(PARAMETER_UNKNOWN)));
    }

    #[test]
    fn an_address_is_a_user_of_this_host() {
        assert_eq!(user_of("Alice@LocalHost").as_deref(), Some("alice"));
        assert_eq!(user_of("bob").as_deref(), Some("bob"));
        for other in ["bob@example.org", "bob@localhost@localhost"] {
            assert_eq!(user_of(other), None, "{other}");
        }
    }
}
