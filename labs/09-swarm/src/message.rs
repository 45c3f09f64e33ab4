//! The messages between peers (BEP 3): a length of four bytes, an id, and a payload. All numbers are
//! four bytes, the highest first.

/// The ids.
pub const CHOKE: u8 = 0;
pub const UNCHOKE: u8 = 1;
pub const INTERESTED: u8 = 2;
pub const NOT_INTERESTED: u8 = 3;
pub const HAVE: u8 = 4;
pub const BITFIELD: u8 = 5;
pub const REQUEST: u8 = 6;
pub const PIECE: u8 = 7;
pub const CANCEL: u8 = 8;

/// In requests of this many bytes pieces are asked for. More than that nobody may ask for at once.
pub const BLOCK: u32 = 16_384;

/// A part of a piece: what is asked for at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The piece, counted from 0.
    pub piece: u32,
    /// Where in the piece it begins.
    pub begin: u32,
    /// How many bytes it has.
    pub length: u32,
}

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// Nothing is given any more; what was asked for is not coming.
    Choke,
    /// Requests are answered from now on.
    Unchoke,
    /// You have something that I want.
    Interested,
    /// You have nothing that I want.
    NotInterested,
    /// I have this piece now.
    Have(u32),
    /// I have the pieces whose bits are set.
    Bitfield(Vec<u8>),
    /// Give me this block.
    Request(Block),
    /// Here is a block.
    Piece { piece: u32, begin: u32, bytes: Vec<u8> },
    /// I don't need this block any more.
    Cancel(Block),
    /// One that this program has no use for.
    Other,
}

impl Message {
    /// Its bytes: the length, which counts the id and the payload, then these two.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Choke => head(bytes, CHOKE, 0),
            Self::Unchoke => head(bytes, UNCHOKE, 0),
            Self::Interested => head(bytes, INTERESTED, 0),
            Self::NotInterested => head(bytes, NOT_INTERESTED, 0),
            Self::Have(piece) => {
                head(bytes, HAVE, 4);
                bytes.extend(piece.to_be_bytes());
            }
            Self::Bitfield(bits) => {
                head(bytes, BITFIELD, bits.len());
                bytes.extend(bits);
            }
            Self::Request(block) => block.write_to(bytes, REQUEST),
            Self::Cancel(block) => block.write_to(bytes, CANCEL),
            Self::Piece { piece, begin, bytes: block } => {
                head(bytes, PIECE, 8 + block.len());
                bytes.extend(piece.to_be_bytes());
                bytes.extend(begin.to_be_bytes());
                bytes.extend(block);
            }
            Self::Other => {}
        }
    }
}

impl Block {
    fn write_to(self, bytes: &mut Vec<u8>, id: u8) {
        head(bytes, id, 12);
        for number in [self.piece, self.begin, self.length] {
            bytes.extend(number.to_be_bytes());
        }
    }
}

/// What stands before a payload of so many bytes.
fn head(bytes: &mut Vec<u8>, id: u8, payload: usize) {
    // No message of this program comes near the limit of four bytes.
    bytes.extend((payload as u32 + 1).to_be_bytes());
    bytes.push(id);
}

/// A payload that is exactly `N` numbers of four bytes.
pub fn numbers<const N: usize>(payload: &[u8]) -> Option<[u32; N]> {
    if payload.len() != 4 * N {
        return None;
    }
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(payload.chunks_exact(4)) {
        *number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    Some(numbers)
}

/// Which pieces somebody has: a bit for each, that of piece 0 is the highest of the first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    bytes: Vec<u8>,
    pieces: u32,
}

impl Bits {
    /// None of so many pieces.
    pub fn none(pieces: u32) -> Self {
        Self { bytes: vec![0; pieces.div_ceil(8) as usize], pieces }
    }

    /// The bits of a message. `None`: there are not so many as there are pieces, or one is set
    /// behind the last piece.
    pub fn parse(bytes: &[u8], pieces: u32) -> Option<Self> {
        let bits = Self { bytes: bytes.to_vec(), pieces };
        let spare = bytes.len() as u64 * 8;
        let is_clear = (u64::from(pieces)..spare).all(|at| !bits.bit(at as usize));
        (bytes.len() == pieces.div_ceil(8) as usize && is_clear).then_some(bits)
    }

    /// Whether this piece is among them. One that there is not is not.
    pub fn has(&self, piece: u32) -> bool {
        piece < self.pieces && self.bit(piece as usize)
    }

    /// Adds a piece. Returns whether it is new.
    pub fn add(&mut self, piece: u32) -> bool {
        let is_new = piece < self.pieces && !self.bit(piece as usize);
        if is_new {
            self.bytes[piece as usize / 8] |= 0x80 >> (piece % 8);
        }
        is_new
    }

    /// The pieces that are among them.
    pub fn pieces(&self) -> impl Iterator<Item = u32> {
        (0..self.pieces).filter(|piece| self.has(*piece))
    }

    /// Whether one is among them that is not among the others.
    pub fn has_more_than(&self, others: &Self) -> bool {
        self.bytes.iter().zip(&others.bytes).any(|(mine, theirs)| mine & !theirs != 0)
    }

    /// As they are sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    fn bit(&self, at: usize) -> bool {
        self.bytes.get(at / 8).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_length_its_id_and_its_payload() {
        let bytes = |message: Message| {
            let mut bytes = Vec::new();
            message.write_to(&mut bytes);
            bytes
        };
        assert_eq!(bytes(Message::Unchoke), [0, 0, 0, 1, 1]);
        assert_eq!(bytes(Message::Have(258)), [0, 0, 0, 5, 4, 0, 0, 1, 2]);
        assert_eq!(bytes(Message::Bitfield(vec![0x80])), [0, 0, 0, 2, 5, 0x80]);
        let block = Block { piece: 1, begin: 16_384, length: 2 };
        let request = [0, 0, 0, 13, 6, 0, 0, 0, 1, 0, 0, 0x40, 0, 0, 0, 0, 2];
        assert_eq!(bytes(Message::Request(block)), request);
        let piece = Message::Piece { piece: 1, begin: 16_384, bytes: b"ab".to_vec() };
        assert_eq!(bytes(piece), [0, 0, 0, 11, 7, 0, 0, 0, 1, 0, 0, 0x40, 0, b'a', b'b']);
    }

    #[test]
    fn numbers_are_all_there_or_none_is() {
        assert_eq!(numbers(&[0, 0, 1, 2]), Some([258]));
        assert_eq!(numbers::<1>(&[0, 0, 1]), None);
        assert_eq!(numbers::<1>(&[0, 0, 1, 2, 3]), None);
    }

    #[test]
    fn piece_0_is_the_highest_bit() {
        let mut bits = Bits::none(9);
        assert!(bits.add(0) && bits.add(8) && !bits.add(8) && !bits.add(9));
        assert_eq!(bits.to_bytes(), [0x80, 0x80]);
        assert_eq!(bits.pieces().collect::<Vec<_>>(), [0, 8]);
        assert_eq!(Bits::parse(&[0x80, 0x80], 9), Some(bits));
    }

    #[test]
    fn a_bitfield_has_its_length_and_no_bit_too_many() {
        for (bytes, pieces) in [(&[0xff][..], 9), (&[0xff, 0x80, 0], 9), (&[0, 0x40], 9), (&[1], 0)]
        {
            assert_eq!(Bits::parse(bytes, pieces), None, "{bytes:?}");
        }
        assert!(Bits::parse(&[], 0).is_some());
    }

    #[test]
    fn more_than_others_is_one_that_they_lack() {
        let of = |byte| Bits::parse(&[byte], 8).unwrap();
        assert!(of(0xc0).has_more_than(&of(0x80)));
        assert!(!of(0x80).has_more_than(&of(0xc0)));
    }
}
