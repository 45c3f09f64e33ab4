//! What goes wrong with another program.

use std::fmt;
use std::io::{self, ErrorKind};

/// Why a greeting, a descriptor or a download comes to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The other side broke a rule, and which one is said here.
    Broke(&'static str),
    /// A call failed, most often because the connection has ended.
    Lost(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broke(rule) => f.write_str(rule),
            // `Resource temporarily unavailable`, as the system puts it, helps nobody.
            Self::Lost(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                f.write_str("nothing came in time")
            }
            Self::Lost(error) => write!(f, "{error}"),
        }
    }
}
