//! SHA-1 (FIPS 180-4), by which the peers of labs 7 and 9 tell files and pieces apart. Not a
//! safeguard against those who make two files with the same hash on purpose: that has been done.

/// The initial hash value (section 5.3.1).
const BEGIN: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
const BLOCK: usize = 64;

/// The hash of `bytes`.
pub fn digest(bytes: &[u8]) -> [u8; 20] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(BLOCK), 0);
    if padded.len() - bytes.len() < 9 {
        padded.resize(padded.len() + BLOCK, 0);
    }
    let bits = (bytes.len() as u64 * 8).to_be_bytes();
    let end = padded.len() - bits.len();
    padded[end..].copy_from_slice(&bits);
    let state = padded.chunks_exact(BLOCK).fold(BEGIN, compress);
    let mut hash = [0; 20];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// The hash of `bytes`, in 40 hex digits in small letters.
pub fn sha1(bytes: &[u8]) -> String {
    digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One block (section 6.1.2).
fn compress(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for t in 16..words.len() {
        let mixed = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16];
        words[t] = mixed.rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (t, word) in words.into_iter().enumerate() {
        let (f, constant) = match t {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = a.rotate_left(5).wrapping_add(f).wrapping_add(e);
        let sum = sum.wrapping_add(constant).wrapping_add(word);
        [a, b, c, d, e] = [sum, a, b.rotate_left(30), c, d];
    }
    let mut next = state;
    for (word, add) in next.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(add);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::sha1;

    #[test]
    fn the_examples_of_the_standard_come_out() {
        for (text, hash) in [
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ] {
            assert_eq!(sha1(text.as_bytes()), hash, "{text:?}");
        }
    }

    #[test]
    fn lengths_around_a_block_are_padded_rightly() {
        // From sha1sum.
        for (length, hash) in [
            (55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            (56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
            (63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"),
            (64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
            (119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"),
        ] {
            assert_eq!(sha1(&vec![b'a'; length]), hash, "{length}");
        }
    }
}
