//! SHA-1 (RFC 3174). It tells a damaged file, and another file of the same name and size; against
//! somebody who makes two files of one sum on purpose it does not help any more.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

const BLOCK: usize = 64;

/// The sum of a file as 40 hexadecimal digits in small letters, and how many bytes it was made of.
pub fn of_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut sha1 = Sha1::new();
    io::copy(&mut file, &mut sha1)?;
    Ok((sha1.hex(), sha1.length))
}

/// A sum under way.
struct Sha1 {
    state: [u32; 5],
    /// The bytes that are not a whole block yet.
    rest: Vec<u8>,
    length: u64,
}

impl Sha1 {
    fn new() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, rest: Vec::with_capacity(2 * BLOCK), length: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if !self.rest.is_empty() {
            let missing = (BLOCK - self.rest.len()).min(bytes.len());
            self.rest.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.rest.len() < BLOCK {
                return;
            }
            add(&mut self.state, &self.rest);
            self.rest.clear();
        }
        let blocks = bytes.chunks_exact(BLOCK);
        self.rest.extend_from_slice(blocks.remainder());
        blocks.for_each(|block| add(&mut self.state, block));
    }

    fn hex(&self) -> String {
        // A bit that is set, zeros, and the length in bits, up to the end of a block.
        let mut last = self.rest.clone();
        last.push(0x80);
        while last.len() % BLOCK != BLOCK - 8 {
            last.push(0);
        }
        last.extend((self.length * 8).to_be_bytes());
        let mut state = self.state;
        last.chunks_exact(BLOCK).for_each(|block| add(&mut state, block));
        state.map(|word| format!("{word:08x}")).concat()
    }
}

impl Write for Sha1 {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds a block of 64 bytes.
fn add(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for at in 16..80 {
        words[at] =
            (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (at, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match at {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
        let next = next.wrapping_add(constant).wrapping_add(word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (sum, word) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::Sha1;

    fn of(pieces: &[&[u8]]) -> String {
        let mut sha1 = Sha1::new();
        pieces.iter().for_each(|piece| sha1.update(piece));
        sha1.hex()
    }

    #[test]
    fn the_sums_of_rfc_3174_and_of_nothing() {
        assert_eq!(of(&[]), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(of(&[b"abc"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            of(&[b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"]),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        let digits = b"0123456701234567012345670123456701234567012345670123456701234567";
        assert_eq!(of(&[digits.as_slice(); 10]), "dea356a2cddd90c7a7ecedc5ebb563934f460452");
    }

    #[test]
    fn it_does_not_depend_on_how_the_bytes_are_cut() {
        let bytes: Vec<u8> = (0..1000_u32).map(|number| number as u8).collect();
        let whole = of(&[&bytes]);
        for size in [1, 3, 63, 64, 65, 128, 999] {
            assert_eq!(of(&bytes.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
    }
}
