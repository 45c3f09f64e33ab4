//! What the lines of the protocol are made of: names, numbers, sums, files and hits. And why a
//! session fails.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The longest line of the protocol in bytes, with its LF.
pub const LONGEST: usize = 1024;
/// The longest name of a file, in bytes.
const LONGEST_FILE_NAME: usize = 200;
/// The most digits of a number.
const MOST_DIGITS: usize = 18;

/// A file that is shared, but for its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its length, in bytes.
    pub size: u64,
    /// 40 hexadecimal digits.
    pub sha1: String,
}

/// A file that another peer has: what a HIT says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it is to be had.
    pub address: SocketAddr,
    /// Its length, in bytes.
    pub size: u64,
    /// 40 hexadecimal digits.
    pub sha1: String,
    /// What it is called there. It may be anything: ask [`is_file_name`].
    pub file: String,
}

impl Hit {
    /// What stands behind the word HIT: `<addr> <size> <sha1> <file>`.
    pub fn parse(text: &str) -> Option<Self> {
        let [address, size, sha1, file] = words(text)?;
        let address: SocketAddr = address.parse().ok()?;
        let is_hit = address.port() != 0 && is_sha1(sha1);
        let hit = Self { address, size: number(size)?, sha1: sha1.into(), file: file.into() };
        is_hit.then_some(hit)
    }

    /// Whether both are the same file, whatever it is called: the same size and the same sum.
    pub fn has_the_same_bytes(&self, other: &Self) -> bool {
        self.size == other.size && self.sha1.eq_ignore_ascii_case(&other.sha1)
    }
}

/// So many words with one space between them; the last one is all that is left, and may have
/// spaces of its own.
pub fn words<const COUNT: usize>(text: &str) -> Option<[&str; COUNT]> {
    let words: Vec<&str> = text.splitn(COUNT, ' ').collect();
    words.try_into().ok()
}

/// A name of a peer: 1 to 32 of `A-Z a-z 0-9 - _`.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=32).contains(&name.len()) && name.bytes().all(allowed)
}

/// A name that a file may have here and at other peers. It never leads out of a folder.
pub fn is_file_name(name: &str) -> bool {
    let forbidden = |byte: u8| byte.is_ascii_control() || matches!(byte, b'/' | b'\\');
    (1..=LONGEST_FILE_NAME).contains(&name.len())
        && !name.bytes().any(forbidden)
        && !name.starts_with('.')
        && !name.ends_with(".part")
}

/// 40 hexadecimal digits.
pub fn is_sha1(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The number that 1 to 18 digits are.
pub fn number(text: &str) -> Option<u64> {
    // `parse` takes a `+`, too.
    let digits = text.len() <= MOST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The text of what `read_until` has read: without the LF, and checked to be a line. `None` when
/// the stream has ended before the LF: what was cut off is no line.
pub fn text_of(line: &[u8]) -> Result<Option<&str>, Trouble> {
    match line.strip_suffix(b"\n") {
        Some([.., b'\r']) => Err("a CR before the LF".into()),
        Some(line) => match str::from_utf8(line) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err("a line that is not UTF-8".into()),
        },
        None if line.len() >= LONGEST => Err("a line of more than 1024 bytes".into()),
        None => Ok(None),
    }
}

/// Why a session does not go on.
#[derive(Debug)]
pub enum Trouble {
    /// The other side broke a rule of the protocol, which one is said here.
    Broke(&'static str),
    /// The connection failed, or the other side was silent for too long.
    Lost(io::Error),
}

impl From<&'static str> for Trouble {
    fn from(rule: &'static str) -> Self {
        Self::Broke(rule)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broke(rule) => f.write_str(rule),
            Self::Lost(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "A9993e364706816aba3e25717850c26c9cd0d89d";

    #[test]
    fn a_hit_has_four_parts_and_the_last_one_may_have_spaces() {
        let hit = Hit::parse(&format!("127.0.0.1:7001 300000 {SHA1} my song.ogg")).unwrap();
        assert_eq!((hit.size, &*hit.file), (300_000, "my song.ogg"));
        for bad in [
            format!("127.0.0.1:0 1 {SHA1} a"),
            format!("localhost:7001 1 {SHA1} a"),
            format!("127.0.0.1:7001 -1 {SHA1} a"),
            format!("127.0.0.1:7001  1 {SHA1} a"),
            format!("127.0.0.1:7001 1 {SHA1}"),
            "127.0.0.1:7001 1 a9993e a".to_owned(),
        ] {
            assert_eq!(Hit::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_name_never_leads_out_of_its_folder() {
        for good in ["a", "my song.ogg", "\u{fc}ber.txt", "a..b", "part", &"x".repeat(200)] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in ["", ".", "..", ".a", "a/b", "a\\b", "a.part", "a\tb", "a\x7f", &"x".repeat(201)]
        {
            assert!(!is_file_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_number_has_digits_only() {
        assert_eq!(number("0300"), Some(300));
        assert_eq!(number("999999999999999999"), Some(999_999_999_999_999_999));
        for bad in ["", "+1", "-1", "1.0", "1000000000000000000", " 1"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_line_ends_with_lf_alone() {
        assert_eq!(text_of(b"ALIVE\n").unwrap(), Some("ALIVE"));
        assert_eq!(text_of(b"ALI").unwrap(), None);
        for bad in [&b"ALIVE\r\n"[..], b"\xff\n", &[b'x'; LONGEST]] {
            assert!(text_of(bad).is_err(), "{bad:?}");
        }
    }
}
