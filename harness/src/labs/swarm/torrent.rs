//! A torrent that the harness has made: the file, its pieces, and what tells of them.

use std::cell::OnceCell;

use sockets_hash::digest;

use super::bencode::{Value, dictionary, integer, string};
use super::message::{BLOCK, Block};
use crate::net::noise;

/// A torrent of one file.
#[derive(Clone, Debug)]
pub(super) struct Torrent {
    /// The file's name.
    pub(super) name: String,
    /// The file.
    pub(super) bytes: Vec<u8>,
    piece_length: u32,
    /// The URL of its tracker.
    announce: Option<String>,
    /// A further key of its info: another one is another torrent of the same file.
    salt: Option<u32>,
    /// What it is known by, once it has been computed: of many pieces that takes a while.
    hash: OnceCell<[u8; 20]>,
}

/// What the file is called where nothing else is said.
pub(super) const SONG: &str = "song.ogg";

impl Torrent {
    /// Of a file of so many bytes, in pieces of so many; nobody keeps track of it.
    pub(super) fn new(length: usize, piece_length: u32) -> Self {
        let (name, bytes) = (SONG.to_owned(), noise(9, length));
        Self { name, bytes, piece_length, announce: None, salt: None, hash: OnceCell::new() }
    }

    /// Of so many pieces of one block each.
    pub(super) fn of_blocks(count: u32) -> Self {
        Self::new((count * BLOCK) as usize, BLOCK)
    }

    /// The same of a file of zeros.
    pub(super) fn of_zeros(length: usize, piece_length: u32) -> Self {
        Self { bytes: vec![0; length], ..Self::new(0, piece_length) }
    }

    /// The same of a file with this name.
    pub(super) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), hash: OnceCell::new(), ..self }
    }

    /// The same with a tracker.
    pub(super) fn tracked_by(self, url: &str) -> Self {
        Self { announce: Some(url.to_owned()), ..self }
    }

    /// The same file in another torrent, one for each number.
    pub(super) fn salted(self, salt: u32) -> Self {
        Self { salt: Some(salt), hash: OnceCell::new(), ..self }
    }

    /// How many pieces there are.
    pub(super) fn count(&self) -> u32 {
        self.bytes.len().div_ceil(self.piece_length as usize) as u32
    }

    /// The bytes of a piece.
    pub(super) fn piece(&self, index: u32) -> &[u8] {
        let mut pieces = self.bytes.chunks(self.piece_length as usize);
        pieces.nth(index as usize).unwrap_or_default()
    }

    /// The bytes of a block; `None` where it is not within a piece.
    pub(super) fn block(&self, block: Block) -> Option<&[u8]> {
        let begin = block.begin as usize;
        self.piece(block.index).get(begin..begin.checked_add(block.length as usize)?)
    }

    /// The blocks of a piece, as they are asked for: of 16,384 bytes, the last one perhaps shorter.
    pub(super) fn blocks_of(&self, index: u32) -> Vec<Block> {
        let length = self.piece(index).len() as u32;
        let begins = (0..length).step_by(BLOCK as usize);
        begins.map(|begin| Block { index, begin, length: BLOCK.min(length - begin) }).collect()
    }

    /// The blocks of all pieces.
    pub(super) fn blocks(&self) -> Vec<Block> {
        (0..self.count()).flat_map(|index| self.blocks_of(index)).collect()
    }

    /// The value of the key `info`, of whose bytes the hash is taken.
    fn info(&self) -> Value {
        // A file of zeros has many pieces that are the same.
        let mut last: Option<(&[u8], [u8; 20])> = None;
        let hashes = (0..self.count()).flat_map(|index| {
            let piece = self.piece(index);
            let known = last.filter(|(same, _)| *same == piece).map(|(_, hash)| hash);
            let hash = known.unwrap_or_else(|| digest(piece));
            last = Some((piece, hash));
            hash
        });
        let mut entries = vec![
            ("length", integer(self.bytes.len() as i64)),
            ("name", string(&self.name)),
            ("piece length", integer(self.piece_length.into())),
            ("pieces", string(hashes.collect::<Vec<_>>())),
        ];
        entries.extend(self.salt.map(|salt| ("salt", integer(salt.into()))));
        dictionary(entries)
    }

    /// What it is known by.
    pub(super) fn hash(&self) -> [u8; 20] {
        *self.hash.get_or_init(|| digest(&self.info()))
    }

    /// The torrent file.
    pub(super) fn file(&self) -> Vec<u8> {
        let url = self.announce.as_ref().map(|url| ("announce", string(url)));
        dictionary(url.into_iter().chain([("info", self.info())]))
    }

    /// The file as it lies there when only these pieces have come: zeros in the place of the others.
    pub(super) fn with_pieces(&self, having: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; self.bytes.len()];
        for &index in having {
            let (begin, piece) = ((index * self.piece_length) as usize, self.piece(index));
            bytes[begin..begin + piece.len()].copy_from_slice(piece);
        }
        bytes
    }

    /// The bitfield of one who has these pieces: the first piece is the highest bit of the first
    /// byte, and the bits behind the last piece are 0.
    pub(super) fn bitfield(&self, having: &[u32]) -> Vec<u8> {
        let mut bits = vec![0; (self.count() as usize).div_ceil(8)];
        for &index in having {
            bits[index as usize / 8] |= 0x80 >> (index % 8);
        }
        bits
    }

    /// All pieces.
    pub(super) fn all(&self) -> Vec<u32> {
        (0..self.count()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torrent_is_written_as_other_programs_write_it() {
        // From mktorrent (its date and its name left out) and aria2c -S, over a file of the same bytes.
        let mut torrent = Torrent::new(40_000, 32_768).tracked_by("http://127.0.0.1:6969/announce");
        torrent.bytes = vec![b'x'; 40_000];
        let file = torrent.file();
        let begin = b"d8:announce30:http://127.0.0.1:6969/announce4:infod6:lengthi40000e\
            4:name8:song.ogg12:piece lengthi32768e6:pieces40:";
        assert!(file.starts_with(begin), "{}", String::from_utf8_lossy(&file));
        assert!(file.ends_with(b"ee"));
        let hash: String = torrent.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "60c44344f0bf962e96a259aeb86449161f93673c");
    }

    #[test]
    fn the_last_piece_and_its_last_block_are_shorter() {
        let torrent = Torrent::new(100_000, 32_768);
        assert_eq!(torrent.count(), 4);
        assert_eq!(torrent.piece(3).len(), 1696);
        let block = |index, begin, length| Block { index, begin, length };
        assert_eq!(torrent.blocks_of(0), [block(0, 0, BLOCK), block(0, BLOCK, BLOCK)]);
        assert_eq!(torrent.blocks_of(3), [block(3, 0, 1696)]);
        assert_eq!(torrent.block(block(3, 1690, 6)).map(<[u8]>::len), Some(6));
        assert_eq!(torrent.block(block(3, 1690, 7)), None);
        assert_eq!(torrent.block(block(4, 0, 1)), None);
        assert_eq!(torrent.block(block(0, u32::MAX, 1)), None);
    }

    #[test]
    fn the_first_piece_is_the_highest_bit_of_a_bitfield() {
        let torrent = Torrent::of_blocks(9);
        assert_eq!(torrent.bitfield(&[0, 7, 8]), [0x81, 0x80]);
        assert_eq!(torrent.bitfield(&[]), [0, 0]);
    }
}
