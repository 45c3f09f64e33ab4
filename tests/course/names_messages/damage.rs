//! Messages with some damage, and bytes as they come.

use proptest::prelude::*;
use proptest::sample::{Index, select};

#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Append(Vec<u8>),
    /// A piece of it is there twice.
    Repeat(Index, Index),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Append(more) => bytes.extend(more),
            Self::Insert(at, more) => {
                let at = place(at, bytes);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Cut(at) => bytes.truncate(place(at, bytes)),
            Self::Repeat(from, to) => {
                let (from, to) = (place(from, bytes), place(to, bytes));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
            Self::Set(at, value) if !bytes.is_empty() => *at.get_mut(bytes) = *value,
            Self::Flip(at, bit) if !bytes.is_empty() => *at.get_mut(bytes) ^= 1 << bit,
            Self::Set(..) | Self::Flip(..) => {}
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most);
    // Lengths and pointers are what readers fall over.
    let telling = prop_oneof![any::<u8>(), select(vec![0, 1, 12, 63, 64, 128, 192, 255])];
    prop_oneof![
        4 => (any::<Index>(), telling).prop_map(|(at, value)| Damage::Set(at, value)),
        3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), bytes(80)).prop_map(|(at, more)| Damage::Insert(at, more)),
        1 => bytes(600).prop_map(Damage::Append),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

/// One of these with some damage, or bytes as they come.
pub(super) fn damaged(whole: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damages = proptest::collection::vec(damage(), 0..4);
    let damaged = (select(whole), damages).prop_map(|(mut bytes, damages)| {
        damages.iter().for_each(|damage| damage.apply(&mut bytes));
        bytes
    });
    prop_oneof![
        8 => damaged,
        1 => proptest::collection::vec(any::<u8>(), 0..600),
        // Twelve bytes that could be a query's, and then anything.
        1 => proptest::collection::vec(any::<u8>(), 0..300)
            .prop_map(|rest| [&[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &rest].concat()),
    ]
}
