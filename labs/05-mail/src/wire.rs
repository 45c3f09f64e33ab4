//! One connection, and what has been read from it ahead of its turn.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One client's connection.
#[derive(Debug)]
pub struct Wire<'a> {
    /// Its socket.
    pub stream: &'a TcpStream,
    /// Bytes that have been read, and belong to no line yet that was taken.
    pub ahead: Vec<u8>,
    /// How long the client may take for a whole line.
    pub limit: Duration,
}

/// What the next line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Its bytes, without the CRLF.
    Text(Vec<u8>),
    /// It had more bytes than it may have, and has been skipped.
    TooLong,
    /// There is none: the stream has ended.
    End,
}

impl<'a> Wire<'a> {
    pub fn new(stream: &'a TcpStream, limit: Duration) -> Self {
        Self { stream, ahead: Vec::new(), limit }
    }

    /// Sends a line, or several with CRLF between them; the last CRLF is put behind them here.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        self.send(format!("{text}\r\n").as_bytes())
    }

    /// Sends these bytes as they are, in one write where the system takes them.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }
}
