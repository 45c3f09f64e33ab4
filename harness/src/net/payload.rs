//! Payloads and how they are cut into segments.

/// How a payload is cut into writes. Each piece is on its way alone: the next one follows when
/// the program has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// In one write.
    Whole,
    /// Byte by byte.
    Bytes,
    /// In pieces of 1 to 7 bytes, from this seed: the same seed, the same pieces.
    Seed(u64),
    /// Behind so many bytes each, in order: few pieces where a program has little time for them all.
    Behind(&'static [usize]),
}

impl Cut {
    /// The pieces.
    pub fn pieces(self, payload: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => vec![payload],
            Self::Bytes => payload.chunks(1).collect(),
            Self::Seed(seed) => {
                let mut random = Random(seed);
                let mut rest = payload;
                let mut pieces = Vec::new();
                while !rest.is_empty() {
                    let length = 1 + (random.next() % 7) as usize;
                    let (piece, after) = rest.split_at(length.min(rest.len()));
                    pieces.push(piece);
                    rest = after;
                }
                pieces
            }
            Self::Behind(places) => {
                let inside = places.iter().copied().filter(|place| *place < payload.len());
                let ends = inside.clone().chain([payload.len()]);
                [0].into_iter()
                    .chain(inside)
                    .zip(ends)
                    .map(|(from, to)| &payload[from..to])
                    .collect()
            }
        }
    }

    /// In words, for the story.
    pub fn describe(self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Bytes => ", byte by byte".into(),
            Self::Seed(seed) => format!(", in small pieces (seed {seed})"),
            Self::Behind(places) => format!(", in {} pieces", places.len() + 1),
        }
    }
}

/// SplitMix64: small, and good enough for payloads. Not for secrets.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// `length` bytes of every value, the same for the same seed. No part of it is like another, so
/// that bytes that were lost, doubled or swapped are noticed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    lines(seed, length, |word| word)
}

/// Bytes in a line of text, the newline included.
const LINE: usize = 64;

/// `length` bytes of text in lines of 64, the same for the same seed. No part of it is like
/// another, and programs that take bytes for text pass it on, too.
pub fn text(seed: u64, length: usize) -> Vec<u8> {
    /// Half a byte has sixteen values: `a` to `p`.
    const HALVES: u64 = u64::from_ne_bytes([0x0f; 8]);
    const A: u64 = u64::from_ne_bytes([b'a'; 8]);
    let mut bytes = lines(seed, length, |word| (word & HALVES) + A);
    for end in (LINE..length).step_by(LINE).chain([length]) {
        if let Some(last) = bytes[..end].last_mut() {
            *last = b'\n';
        }
    }
    bytes
}

/// `length` random bytes, of which eight at a time are changed. A line at a time is made: without
/// optimisation a call for each byte is most of what a large payload costs.
fn lines(seed: u64, length: usize, change: impl Fn(u64) -> u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = Vec::with_capacity(length + LINE);
    while bytes.len() < length {
        let mut word = || change(random.next()).to_le_bytes();
        let line = [word(), word(), word(), word(), word(), word(), word(), word()];
        bytes.extend_from_slice(line.as_flattened());
    }
    bytes.truncate(length);
    bytes
}

/// `length` bytes that a person can read, in numbered lines: `line 1`, `line 2`, …
pub fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 16);
    let mut number = 1;
    while bytes.len() < length {
        bytes.extend_from_slice(format!("line {number}\n").as_bytes());
        number += 1;
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_payload() {
        let payload = noise(1, 1000);
        for cut in [Cut::Whole, Cut::Bytes, Cut::Seed(7), Cut::Behind(&[1, 2, 9])] {
            assert_eq!(cut.pieces(&payload).concat(), payload);
        }
        assert_eq!(Cut::Seed(7).pieces(&payload), Cut::Seed(7).pieces(&payload));
    }

    #[test]
    fn payloads_have_the_length_asked_for() {
        for length in [0, 1, 7, 8, 1023] {
            assert_eq!(noise(3, length).len(), length);
            assert_eq!(pattern(length).len(), length);
            assert_eq!(text(3, length).len(), length);
        }
        assert!(str::from_utf8(&text(3, 1000)).unwrap().lines().all(|line| line.len() < 64));
    }
}
