//! Which questions have come, and from where: the memory that ends a flood, and leads answers back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use crate::descriptor::{Descriptor, Id};
use crate::links::Link;

/// So many questions are remembered at least: the last ones.
const REMEMBERED: usize = 4096;

/// Where a question came from.
#[derive(Clone, Debug)]
pub enum Way {
    /// The user asked it.
    Here,
    /// It came by this link, which may have ended since.
    Link(Weak<Link>),
}

/// A Ping and a Query may have the same id by chance: they are two questions.
type Question = (Id, u8);

/// The memory.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    ways: HashMap<Question, Way>,
    /// The same questions, the oldest first.
    order: VecDeque<Question>,
    /// The user's last ping and last find, which are not forgotten, however many others come.
    own: HashMap<u8, Id>,
}

impl Seen {
    /// Remembers a question and where it came from. Returns whether it is new: one that is known
    /// stays as it was.
    pub fn remember(&self, question: &Descriptor, way: Way) -> bool {
        self.lock().remember((question.id, question.kind), way)
    }

    /// Where the question of this id and kind came from. `None`: it is not known (any more).
    pub fn way(&self, id: Id, kind: u8) -> Option<Way> {
        self.lock().ways.get(&(id, kind)).cloned()
    }

    /// A thread that panicked leaves a memory that is still good.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn remember(&mut self, question: Question, way: Way) -> bool {
        if self.ways.contains_key(&question) {
            return false;
        }
        if matches!(way, Way::Here) {
            self.own.insert(question.1, question.0);
        }
        self.ways.insert(question, way);
        self.order.push_back(question);
        while self.order.len() > REMEMBERED {
            let Some(oldest) = self.order.pop_front() else { break };
            if self.own.get(&oldest.1) == Some(&oldest.0) {
                // It goes round again: there are at most two of them.
                self.order.push_back(oldest);
            } else {
                self.ways.remove(&oldest);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{PING, QUERY};

    fn id(number: usize) -> Id {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        id
    }

    fn foreign() -> Way {
        Way::Link(Weak::new())
    }

    #[test]
    fn a_question_is_known_by_its_id_and_kind() {
        let mut memory = Memory::default();
        assert!(memory.remember((id(1), PING), foreign()));
        assert!(!memory.remember((id(1), PING), foreign()));
        assert!(memory.remember((id(1), QUERY), foreign()));
        assert!(memory.remember((id(2), PING), foreign()));
    }

    #[test]
    fn the_last_4096_are_known_and_no_more() {
        let mut memory = Memory::default();
        for number in 0..=REMEMBERED {
            assert!(memory.remember((id(number), QUERY), foreign()));
        }
        assert!(!memory.remember((id(1), QUERY), foreign()));
        assert!(memory.remember((id(0), QUERY), foreign()));
        assert_eq!((memory.ways.len(), memory.order.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn the_users_last_questions_are_not_forgotten() {
        let mut memory = Memory::default();
        for (number, kind) in [(0, QUERY), (1, QUERY), (2, PING)] {
            memory.remember((id(number), kind), Way::Here);
        }
        for number in 3..3 * REMEMBERED {
            memory.remember((id(number), QUERY), foreign());
        }
        assert!(matches!(memory.ways.get(&(id(1), QUERY)), Some(Way::Here)));
        assert!(matches!(memory.ways.get(&(id(2), PING)), Some(Way::Here)));
        assert!(!memory.ways.contains_key(&(id(0), QUERY)));
        assert_eq!(memory.ways.len(), REMEMBERED);
    }
}
