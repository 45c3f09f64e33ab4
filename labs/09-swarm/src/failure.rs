//! What goes wrong with another program, or with the file.

use std::io::{self, ErrorKind};

/// Why a connection ends.
#[derive(Debug)]
pub enum Failure {
    /// The other side broke a rule, and which one is said here.
    Broke(&'static str),
    /// A call failed, most often because the other side has ended the connection.
    Lost,
    /// The file can't be written. The line tells why.
    Disk(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Nothing has a time limit but a greeting.
        match error.kind() {
            ErrorKind::WouldBlock => Self::Broke("its greeting took too long"),
            _ => Self::Lost,
        }
    }
}
