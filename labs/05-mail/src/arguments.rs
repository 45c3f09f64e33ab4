//! The command line.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// What `mail SMTP_ADDR POP3_ADDR USERS SPOOL [SECONDS]` asks for.
#[derive(Debug)]
pub struct Arguments {
    /// Where to listen for senders: HOST:PORT, as it was typed.
    pub smtp: String,
    /// Where to listen for those who fetch their mail.
    pub pop3: String,
    /// The file with the names and passwords.
    pub users: PathBuf,
    /// The folder where mail is kept.
    pub spool: PathBuf,
    /// How long a client may take for a line.
    pub limit: Duration,
}

pub const USAGE: &str = "usage: mail SMTP_ADDR POP3_ADDR USERS SPOOL [SECONDS]      (both ADDRs are \
                         HOST:PORT; USERS is a file, SPOOL a folder; a client may take SECONDS for a line, \
                         1 to 3600)";

/// How long a client may take for a line where the command line does not say it: the five minutes
/// of RFC 5321 section 4.5.3.2.7 would be enough for SMTP, POP3 asks for ten (RFC 1939 section 3).
const LIMIT: Duration = Duration::from_secs(600);

impl Arguments {
    /// Those of this process; `None` where they are not as they must be.
    pub fn given() -> Option<Self> {
        let words: Vec<_> = env::args_os().skip(1).collect();
        let (words, limit) = match words.as_slice() {
            [words @ .., seconds] if words.len() == 4 => {
                (words, limit(&seconds.to_string_lossy())?)
            }
            words => (words, LIMIT),
        };
        let [smtp, pop3, users, spool] = words else { return None };
        let address = |word: &std::ffi::OsString| word.to_string_lossy().into_owned();
        let (smtp, pop3) = (address(smtp), address(pop3));
        Some(Self { smtp, pop3, users: users.into(), spool: spool.into(), limit })
    }
}

/// One to four digits, from 1 to 3600.
fn limit(seconds: &str) -> Option<Duration> {
    // `parse` takes a `+`, too.
    let digits = (1..=4).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = seconds.parse().ok().filter(|_| digits)?;
    (1..=3600).contains(&number).then(|| Duration::from_secs(number))
}

#[cfg(test)]
mod tests {
    use super::limit;

    #[test]
    fn seconds_are_one_to_four_digits_from_1_to_3600() {
        assert_eq!(limit("0010").map(|limit| limit.as_secs()), Some(10));
        assert_eq!(limit("3600").map(|limit| limit.as_secs()), Some(3600));
        for bad in ["", "0", "3601", "+5", "1.5", "x", "00001", " 1"] {
            assert_eq!(limit(bad), None, "{bad}");
        }
    }
}
