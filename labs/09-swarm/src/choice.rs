//! Which piece is fetched next: of those that this peer has and we lack, first one that nobody is
//! fetching yet, and among them one that few have. The rarest first: what only one peer has is lost with it,
//! and whoever has a rare piece has something to give.

use std::hash::{BuildHasher, RandomState};

use crate::message::Bits;

/// The pieces of the torrent, as they stand.
#[derive(Debug)]
pub struct Choice {
    /// Those that are here, and right.
    pub here: Bits,
    /// How many connected peers have each piece.
    owners: Vec<u32>,
    /// On how many connections each piece is being fetched.
    claims: Vec<u32>,
    random: u64,
}

impl Choice {
    /// Nobody else has anything yet, and these are here.
    pub fn new(here: Bits, pieces: u32) -> Self {
        let none = vec![0; pieces as usize];
        // Each `RandomState` is another one; the xorshift below must not begin with 0.
        let random = RandomState::new().hash_one(0) | 1;
        Self { here, owners: none.clone(), claims: none, random }
    }

    /// One more peer has this piece.
    pub fn gains(&mut self, piece: u32) {
        self.owners[piece as usize] += 1;
    }

    /// One peer that had this piece is gone.
    pub fn loses(&mut self, piece: u32) {
        self.owners[piece as usize] -= 1;
    }

    /// The next piece to be fetched from a peer that has these, and it is claimed with that. Not one
    /// of `besides`.
    pub fn claim(&mut self, theirs: &Bits, besides: &[u32]) -> Option<u32> {
        let mut best = None;
        let mut equals = 0;
        for piece in theirs.pieces() {
            if self.here.has(piece) || besides.contains(&piece) {
                continue;
            }
            let rank = (self.claims[piece as usize], self.owners[piece as usize]);
            match best {
                Some((better, _)) if better < rank => continue,
                Some((same, _)) if same == rank => equals += 1,
                _ => equals = 1,
            }
            // The second of two equals is taken with a chance of one in two, the third with one in
            // three: so each has the same chance.
            if equals == 1 || self.chance(equals) {
                best = Some((rank, piece));
            }
        }
        let (_, piece) = best?;
        self.claims[piece as usize] += 1;
        Some(piece)
    }

    /// A piece that was claimed is not being fetched any more.
    pub fn release(&mut self, piece: u32) {
        let claims = &mut self.claims[piece as usize];
        *claims = claims.saturating_sub(1);
    }

    /// One in so many.
    fn chance(&mut self, of: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(pieces: &[u32]) -> Bits {
        let mut bits = Bits::none(8);
        pieces.iter().for_each(|piece| assert!(bits.add(*piece)));
        bits
    }

    /// Eight pieces, of which these are here.
    fn choice(here: &[u32]) -> Choice {
        Choice::new(bits(here), 8)
    }

    #[test]
    fn what_is_here_or_what_the_peer_lacks_is_not_chosen() {
        let mut choice = choice(&[0, 1]);
        assert_eq!(choice.claim(&bits(&[1, 2]), &[]), Some(2));
        assert_eq!(choice.claim(&bits(&[0, 1]), &[]), None);
        assert_eq!(choice.claim(&bits(&[2]), &[2]), None);
    }

    #[test]
    fn the_rarest_is_chosen_first() {
        let mut choice = choice(&[]);
        for piece in [0, 0, 1, 1, 2, 3, 3] {
            choice.gains(piece);
        }
        let theirs = bits(&[0, 1, 2, 3]);
        assert_eq!(choice.claim(&theirs, &[]), Some(2));
        choice.loses(1);
        choice.loses(1);
        assert_eq!(choice.claim(&theirs, &[]), Some(1));
    }

    #[test]
    fn what_is_being_fetched_is_chosen_only_when_no_other_is_left() {
        let mut choice = choice(&[]);
        choice.gains(7);
        let theirs = bits(&[6, 7]);
        assert_eq!(choice.claim(&theirs, &[]), Some(6));
        assert_eq!(choice.claim(&theirs, &[]), Some(7));
        // Both are claimed once.
        assert_eq!(choice.claim(&theirs, &[6]), Some(7));
        choice.release(6);
        assert_eq!(choice.claim(&theirs, &[]), Some(6));
    }

    #[test]
    fn chance_decides_among_equals() {
        let theirs = bits(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let first = |_| choice(&[]).claim(&theirs, &[]);
        let mut seen: Vec<_> = (0..500).filter_map(first).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
