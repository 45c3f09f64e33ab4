//! A torrent file (BEP 3): what the file is called, how long it is, the sum of each of its pieces, and
//! the address of a tracker. And the making of one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::bencode::{self, Value};
use crate::message::Block;
use crate::sha1::{Hash, sha1};

/// The longest piece. Each connection may hold some in memory.
const LONGEST_PIECE: u64 = 32 << 20;
/// The shortest piece of a torrent that is made here.
const SHORTEST_PIECE: u64 = 16 << 10;
/// A torrent that is made here has rather longer pieces than more of them than this.
const MANY_PIECES: u64 = 1024;

/// What a torrent says.
#[derive(Debug)]
pub struct Torrent {
    /// What the file is called.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// The URL of the tracker, if there is one.
    pub tracker: Option<String>,
    /// The sum of the value `info`: the name by which everybody knows the torrent.
    pub info_hash: Hash,
    piece_length: u64,
    sums: Vec<Hash>,
}

impl Torrent {
    /// Reads a torrent file. The error is the cause.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| error.to_string())?;
        Self::parse(&bytes).map_err(str::to_owned)
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let torrent = Value::parse(bytes)?;
        let info = torrent.get("info").ok_or("it has no info")?;
        if info.get("files").is_some() {
            return Err("it has more than one file");
        }
        let name = info.text("name").filter(|name| is_file_name(name));
        let number = |key| info.integer(key).and_then(|number| u64::try_from(number).ok());
        let length = number("length").ok_or("it has no length")?;
        let piece_length = number("piece length").filter(|length| *length > 0);
        let piece_length = piece_length.ok_or("it has no piece length")?;
        if piece_length > LONGEST_PIECE {
            return Err("its pieces are longer than 32 MiB");
        }
        let sums = info.bytes("pieces").ok_or("it has no piece hashes")?;
        let count = length.div_ceil(piece_length);
        if count > u64::from(u32::MAX) || sums.len() as u64 != 20 * count {
            return Err("it has the wrong number of piece hashes");
        }
        Ok(Self {
            name: name.ok_or("its name is not a plain file name")?.to_owned(),
            length,
            tracker: torrent.text("announce").map(str::to_owned),
            // Of the bytes as they stand there: another order of the keys would be another torrent.
            info_hash: sha1(info.raw),
            piece_length,
            sums: sums.as_chunks().0.to_vec(),
        })
    }

    /// How many pieces it has.
    pub fn pieces(&self) -> u32 {
        self.sums.len() as u32
    }

    /// Where a piece begins in the file.
    pub fn offset(&self, piece: u32) -> u64 {
        u64::from(piece) * self.piece_length
    }

    /// The length of a piece. The last one may be shorter than the others.
    pub fn length_of(&self, piece: u32) -> u32 {
        // Both fit: a piece is not longer than `LONGEST_PIECE`.
        self.length.saturating_sub(self.offset(piece)).min(self.piece_length) as u32
    }

    /// Whether these are the bytes of this piece.
    pub fn is_right(&self, piece: u32, bytes: &[u8]) -> bool {
        sha1(bytes) == self.sums[piece as usize]
    }

    /// Whether a block lies within its piece.
    pub fn contains(&self, block: Block) -> bool {
        // In 64 bits, where the sum of two large numbers is still a larger one.
        let end = u64::from(block.begin) + u64::from(block.length);
        block.piece < self.pieces() && end <= self.length_of(block.piece).into()
    }
}

/// A name that leads nowhere else.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}

/// `swarm make FILE URL TORRENT`. The error is the line that tells why it can't be done.
pub fn make(file: &Path, tracker: &str, to: &Path) -> Result<(), String> {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| is_file_name(name));
    let made = name.ok_or_else(|| io::Error::other("its name is not a plain file name"));
    let made = made.and_then(|name| bytes_of(file, name, tracker));
    let bytes = made.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    fs::write(to, bytes).map_err(|error| format!("cannot write {}: {error}", to.display()))
}

/// A torrent of this file, under this name.
fn bytes_of(file: &Path, name: &str, tracker: &str) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    let about = file.metadata()?;
    let length = about.len();
    let mut piece_length = SHORTEST_PIECE;
    while length.div_ceil(piece_length) > MANY_PIECES && piece_length < LONGEST_PIECE {
        piece_length *= 2;
    }
    let (mut sums, mut piece) = (Vec::new(), Vec::new());
    for _ in 0..length.div_ceil(piece_length) {
        piece.clear();
        file.by_ref().take(piece_length).read_to_end(&mut piece)?;
        sums.extend(sha1(&piece));
    }
    // The keys of a dictionary stand in the order of their bytes.
    let info = [
        format!("d6:lengthi{length}e4:name").into_bytes(),
        bencode::string(name),
        format!("12:piece lengthi{piece_length}e6:pieces").into_bytes(),
        bencode::string(sums),
        b"e".to_vec(),
    ];
    let announce = bencode::string(tracker);
    Ok([b"d8:announce", announce.as_slice(), b"4:info", &info.concat(), b"e"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A torrent of so many bytes in pieces of so many, and what stands in it besides.
    fn torrent(length: u64, piece: u64, name: &str) -> Vec<u8> {
        let sums = bencode::string(vec![7; length.div_ceil(piece) as usize * 20]);
        let name = bencode::string(name);
        let (name, length) = (String::from_utf8_lossy(&name), length.to_string());
        let info = format!("d6:lengthi{length}e4:name{name}12:piece lengthi{piece}e6:pieces");
        [b"d8:announce12:http://a/b?c4:info".as_slice(), info.as_bytes(), &sums, b"ee"].concat()
    }

    #[test]
    fn the_last_piece_may_be_shorter() {
        let torrent = Torrent::parse(&torrent(100, 40, "a.bin")).unwrap();
        assert_eq!((torrent.pieces(), torrent.offset(2)), (3, 80));
        assert_eq!([0, 1, 2].map(|piece| torrent.length_of(piece)), [40, 40, 20]);
        assert_eq!(torrent.tracker.as_deref(), Some("http://a/b?c"));
    }

    #[test]
    fn a_block_lies_in_its_piece() {
        let torrent = Torrent::parse(&torrent(100, 40, "a.bin")).unwrap();
        let contains = |(piece, begin, length)| torrent.contains(Block { piece, begin, length });
        assert!([(0, 0, 40), (0, 39, 1), (2, 0, 20)].into_iter().all(contains));
        let others = [(0, 1, 40), (2, 0, 21), (3, 0, 1), (0, u32::MAX, 40), (0, 8, u32::MAX)];
        assert!(!others.into_iter().any(contains));
    }

    #[test]
    fn a_file_of_no_bytes_has_no_pieces() {
        assert_eq!(Torrent::parse(&torrent(0, 40, "a")).map(|torrent| torrent.pieces()), Ok(0));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "..", "a/b", "../a", "/a", "a\\b", "a\nb", "a\0b"] {
            assert!(Torrent::parse(&torrent(100, 40, name)).is_err(), "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let right = torrent(100, 40, "a");
        assert!(Torrent::parse(&right[..right.len() - 3]).is_err());
        let edits = [
            ("6:lengthi100e", "6:lengthi121e"),
            ("6:lengthi100e", "6:lengthi-10e"),
            ("lengthi40e", "lengthi00e"),
            ("4:info", "4:inf0"),
        ];
        for (from, to) in edits {
            let text: String = right.iter().map(|byte| char::from(*byte)).collect();
            let edited: Vec<u8> = text.replacen(from, to, 1).chars().map(|c| c as u8).collect();
            assert_ne!(edited, right);
            assert!(Torrent::parse(&edited).is_err(), "{to}");
        }
    }

    #[test]
    fn the_info_hash_is_that_of_its_bytes() {
        let bytes = torrent(100, 40, "a");
        let at = bytes.windows(6).position(|six| six == b"4:info").unwrap() + 6;
        let torrent = Torrent::parse(&bytes).unwrap();
        assert_eq!(torrent.info_hash, sha1(&bytes[at..bytes.len() - 1]));
    }
}
