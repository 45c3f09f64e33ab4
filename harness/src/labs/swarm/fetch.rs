//! One who gets a whole file on one connection, with so many requests in flight: what is measured, and
//! nothing is judged.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::message::{BLOCK, HANDSHAKE, Message, handshake};
use super::torrent::Torrent;

/// What is read at a time.
const ROOM: usize = 1 << 16;
/// What pieces it has, in blocks.
const PIECE: u32 = 4 * BLOCK;

/// A file, and the torrent that describes it.
pub(crate) struct Song(Torrent);

impl Song {
    /// What is asked for at a time, in bytes.
    pub(crate) const BLOCK: u32 = BLOCK;

    /// Of so many bytes; nobody keeps track of it.
    pub(crate) fn new(length: usize) -> Self {
        Self(Torrent::new(length, PIECE))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// The torrent file.
    pub(crate) fn torrent(&self) -> Vec<u8> {
        self.0.file()
    }

    /// Gets it from one who has it, and returns how long it took from the first request.
    ///
    /// # Errors
    /// The connection's, or one who gives something else.
    pub(crate) fn fetch(&self, mut stream: &TcpStream, in_flight: usize) -> io::Result<Duration> {
        stream.set_nodelay(true)?;
        stream.write_all(&handshake([0; 8], self.0.hash(), *b"-HN0100-measurements"))?;
        let mut greeting = [0; HANDSHAKE];
        stream.read_exact(&mut greeting)?;
        stream.write_all(&Message::Interested.bytes())?;
        let mut heard = Vec::new();
        while next(stream, &mut heard)? != Message::Unchoke {}

        let began = Instant::now();
        let mut wanted = self.0.blocks().into_iter();
        let mut asked = VecDeque::new();
        loop {
            let first = wanted.by_ref().take(in_flight - asked.len());
            let first: Vec<_> = first.collect();
            let requests = first.iter().flat_map(|block| Message::Request(*block).bytes());
            stream.write_all(&requests.collect::<Vec<_>>())?;
            asked.extend(first);
            // What is asked for is answered in order.
            let Some(block) = asked.pop_front() else { return Ok(began.elapsed()) };
            let bytes = self.0.block(block).unwrap_or_default();
            if next(stream, &mut heard)? != Message::piece(block.index, block.begin, bytes) {
                return Err(io::Error::other(format!(
                    "the program was asked for {}, and sent something else",
                    block.in_words()
                )));
            }
        }
    }
}

/// The next message; what stands behind it stays in `heard`.
fn next(mut stream: &TcpStream, heard: &mut Vec<u8>) -> io::Result<Message> {
    loop {
        if let Some((message, length)) = Message::first(heard) {
            heard.drain(..length);
            return Ok(message);
        }
        let mut room = [0; ROOM];
        match stream.read(&mut room)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => heard.extend_from_slice(&room[..count]),
        }
    }
}
